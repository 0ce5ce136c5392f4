"""What `python -m benchmarks.quick` measures is what it says."""

import math

import numpy as np
import pytest

from benchmarks.measure import size_of
from benchmarks.quick import agreement, likeness, limits, scores, speed
from benchmarks.quick.differences import Difference
from benchmarks.quick.recordings import MOVING, SHORT, Kind, moved, noisier, predicted, scaled
from musim.simulator import PRESETS, Parameters, Range
from musim.simulator.experiment.doses import Doses

RATE = 512.0
RANDOM = np.random.default_rng(1)
SMALL = Kind("small", Parameters(**{
    **PRESETS["experiment"], "units": Range(1, 1), "pixels": (8, 8), "size": (10.0, 8.0),
    "frames": 64, "fat": Range(1, 1), "diameter": Range(2, 3),
}), Doses(image=(64, 32)))  # fmt: skip


def _noise(shape=(1024, 12, 9)):
    return RANDOM.standard_normal(shape).astype(np.float32)


def test_agreement_tells_motion_from_noise():
    motion = np.sin(np.arange(1024) / 8)[:, None, None] * np.ones((12, 9), np.float32)
    full, quick = 0.1 * _noise(), 0.2 * _noise()
    quick[:, 4:8] *= 1.5
    found = agreement.agreement(motion + full, motion, motion + quick, motion, RATE)
    assert found.explained == pytest.approx(0.5 / 0.51, abs=1e-3)
    assert found.explained_silent == 1
    assert found.ratios["upper third"] == pytest.approx(4, rel=0.1)
    assert found.ratios["middle third"] == pytest.approx(9, rel=0.1)
    assert found.ratios["whole"] == pytest.approx(4 * (2 + 2.25) / 3, rel=0.05)
    for low, high in agreement.BANDS:
        assert found.ratios[f"{low:g}-{high:g} Hz"] == pytest.approx(4 * 4.25 / 3, rel=0.2)
    assert found.correlations["1 px in depth"] == pytest.approx((0, 0), abs=0.03)


def test_what_motion_is_wrong_is_not_explained():
    motion = _noise()
    assert agreement.explained(motion, 0.9 * motion) == pytest.approx(0.99, abs=1e-6)
    assert agreement.explained(motion, np.zeros_like(motion)) == 0


def test_bands_and_ends_are_told_apart():
    times = np.arange(1024) / RATE
    noise = np.broadcast_to(np.sin(2 * np.pi * 18 * times)[:, None, None], (1024, 4, 4))
    hertz, power = agreement.spectrum(noise.astype(np.float32), RATE)
    assert hertz[power.argmax()] == 18
    outer = agreement.outer_part(np.arange(1024, dtype=np.float32), RATE)
    assert len(outer) == 2 * np.ceil(0.05 * RATE)
    assert (outer[0], outer[-1]) == (0, 1023)
    kept = agreement.inner_part(np.arange(1024, dtype=np.float32), RATE)
    assert (kept[0], kept[-1]) == (205, 818)
    assert len(agreement.inner_part(np.arange(400, dtype=np.float32), RATE)) == 200


@pytest.mark.parametrize(("move", "wanted"), [((1, 0), 0.5), ((2, 0), 0), ((0, 1), -0.5)])
def test_neighbours_are_as_alike_as_they_were_made(move, wanted):
    white = _noise((4000, 9, 9))
    noise = white[:, 1:] + white[:, :-1]
    noise = noise[:, :, 1:] - noise[:, :, :-1]
    assert agreement.neighbours(noise, move) == pytest.approx(wanted, abs=0.03)


def test_a_difference_has_its_standard_error():
    found = Difference.of([1.0, 2.0, 3.0, math.nan])
    assert (found.mean, found.error) == (2, pytest.approx(1 / math.sqrt(3)))
    assert str(found) == "+2.000 ± 0.577 (3.5)"


def test_changes_leave_a_subject_itself_out():
    within, across = np.ones((3, 3)), np.array([[9, 2, 1], [3, 9, 1], [3, 2, 9]], float)
    assert likeness.changes(within, across) == [2, 1, 0]


def test_scores_are_paired():
    def counts(found):
        return {"units": 4, "found": 5, "train": found, "loose": 3, "tight": 2, "firing": 0.9,
                "explained": 0.8}  # fmt: skip

    rows = scores.table([(counts(4), counts(3)), (counts(2), counts(2)), (counts(4), counts(2))])
    assert rows[2].startswith("| recall by train | 0.833 (0.236) | 0.583 (0.118) | -0.250 ± 0.144")
    assert rows[3].startswith("| precision by train | 0.667")


def test_full_recordings_are_kept(tmp_path, monkeypatch):
    made = SMALL.full(0, tmp_path)
    monkeypatch.setattr("benchmarks.quick.recordings.simulate", None)
    np.testing.assert_array_equal(SMALL.full(0, tmp_path), made)
    with pytest.raises(TypeError):  # of other doses, they are others
        Kind("small", SMALL.parameters, Doses(image=(64, 40))).full(0, tmp_path)


def test_a_quick_recording_shows_the_same_subject(tmp_path):
    silent = SMALL.silent
    full, recording = silent.full(1, tmp_path), silent.quick(1)
    assert agreement.explained(full, predicted(recording)) > 0.95
    np.testing.assert_allclose(silent.rendered(recording), predicted(recording), atol=1e-5)


@pytest.mark.parametrize("name", MOVING)
def test_what_moves_farther_does(name):
    more, less = limits.travel(moved(name, 10), 0), limits.travel(moved(name, 1), 0)
    assert less == pytest.approx(limits.travel(SHORT.silent, 0), rel=1e-6)
    assert (more > 1.2 * less) == (name != "motion across the plane")
    assert moved(name, 10).doses.thermal_noise.high == 0


def test_noise_and_doses_are_scaled():
    one, ten = (limits.noise_at_bottom(noisier(times), 0) for times in (1, 10))
    assert ten == pytest.approx(10 * one)
    assert scaled(Range(20, 300), 5) == Range(100, 1000)


def test_what_is_timed_is_the_recording(tmp_path, monkeypatch):
    np.testing.assert_array_equal(speed.make(SMALL, 1), SMALL.rendered(SMALL.quick(1)))
    monkeypatch.setattr(speed, "SEVEN", SMALL)
    line = speed.stored(tmp_path, 3)
    assert float(line.value) == pytest.approx(size_of(tmp_path / "quick.zarr") / 3e6, abs=0.005)


def test_limits_tell_what_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "TIMES", (1, 10_000))
    monkeypatch.setattr(limits, "MOVING", {"units": ("displacement",)})
    monkeypatch.setattr("benchmarks.quick.recordings.SHORT", SMALL)
    rows = list(limits.motion_table(1, tmp_path))
    assert float(rows[2].split("|")[4]) > 0.9
    assert rows[3] == "| units | 10000 | | refused |"
