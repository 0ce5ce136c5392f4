"""What the benchmark of reach makes and says: its own kinds of recordings, and its tables."""

import numpy as np
import pytest
import scipy

from benchmarks.reach import MOST, Kind, kinds, table, table_of_none
from benchmarks.reach_recordings import NOISES, noise_alone, shaped, soft, uneven
from benchmarks.recordings import MAKERS

COUNTS = {
    "units": 10,
    "seen": 9,
    "found": 12,
    "train": 9,
    "tight": 6,
    "together": 1.0,
    "seconds": 2.5,
}


def test_what_is_measured_has_aims():
    named = {kind.name: kind for kind in kinds(unseen=True)}
    assert len(named) == len(kinds(unseen=True))
    assert {f"{maker}, 5 dB" for maker in MAKERS} <= set(named)
    assert set(named) - {kind.name for kind in kinds(unseen=False)} == {"sheet, 5 dB"}
    assert named["analytic, 25 units"].by_train == (0.99, 0.99)
    assert named["full experiment, 20-25 units"].by_outline == (0.8, 0.8)
    assert {name for name, kind in named.items() if kind.most == MOST} == {
        *(f"noise alone, {name}" for name in NOISES), "artery alone", "drift alone", "body alone",
    }  # fmt: skip


def test_a_row_says_what_was_reached_and_what_was_missed():
    def never(seed):
        raise AssertionError

    kind = Kind("some", never, by_train=(0.9, 0.75), by_outline=(0.9, 0.9))
    rows = table([(kind, [COUNTS, COUNTS | {"train": 10, "together": 0.0, "seconds": 3.5}]),
                  (Kind("none", never, most=0.05), [COUNTS])]).splitlines()  # fmt: skip
    assert rows[2:] == [
        "| some (2) | 20 | 0.90 | 0.95 | 0.79 | 0.90 / 0.75 | 0.60 | 0.50 | 0.90 / 0.90, missed | "
        "1 | 3.0 |"
    ]
    empty = [COUNTS | {"found": 0}] * 20
    assert table_of_none([(kind, [COUNTS]), (Kind("a", never, most=0.05), empty)]).splitlines()[
        2:
    ] == ["| a (20) | 0 | 0.00 | < 0.05 |"]
    one = [*empty[:19], COUNTS | {"found": 1}]
    assert table_of_none([(Kind("a", never, most=0.05), one)]).endswith(
        "| 1 | 0.05 | < 0.05, missed |"
    )


def test_soft_territories_rise_over_1_to_2_mm():
    half = np.zeros((8, 40, 40))
    half[:, :, 20:] = 1
    edges = soft(half, 0.25, np.random.default_rng(0))[:, 20]
    across = [
        0.25 * (np.interp(0.9, one, np.arange(40)) - np.interp(0.1, one, np.arange(40)))
        for one in edges
    ]
    assert min(across) > 0.9
    assert max(across) < 2.1
    assert max(across) - min(across) > 0.3


def test_gain_varies_inside_uneven_territories_alone():
    disc = np.zeros((2, 64, 64))
    disc[:, 10:50, 10:50] = 1
    changed = uneven(disc, 0.625, np.random.default_rng(0))
    assert (changed[disc == 0] == 0).all()
    inside = np.log(changed[:, 10:50, 10:50])
    assert 0.25 < inside.std() < 0.5
    steps = np.diff(inside, axis=2).std()
    assert steps < 0.5 * inside.std()


@pytest.mark.parametrize("name", ["soft edges", "uneven"])
def test_what_is_changed_of_a_sequence_is_its_territories(name):
    from musim.simulator import Parameters, Range, draw, render

    made = shaped(name, 3, 10.0, 5)
    truth = draw(Parameters(units=Range(3, 3), snr=Range(10, 10)), seed=5)
    noise = render(truth) - render(truth, noise=False)
    changed = made.tvi - noise
    # Each pixel moves by the trains alone, and where no territory comes near not at all.
    weights, left, *_ = np.linalg.lstsq(made.train.T, changed.reshape(len(changed), -1), rcond=None)
    assert left.max() < 1e-6 * np.square(changed).sum()
    near = scipy.ndimage.binary_dilation(made.territory.any(axis=0), iterations=8).ravel()
    assert np.abs(weights[:, ~near]).max() < 0.01
    assert np.abs(weights[:, near]).max() > 0.9


def test_noise_is_as_it_is_called():
    white, pixels, frames, band = (noise_alone(name, 1).tvi for name in NOISES)
    for one in (white, pixels, frames, band):
        assert one.std() == pytest.approx(1.0, abs=0.01)
    assert [_likeness(one, 2) for one in (white, pixels, frames)] == pytest.approx(
        [0, np.exp(-1 / (4 * 1.5**2)), 0], abs=0.02
    )
    assert [_likeness(one, 0) for one in (white, pixels, frames)] == pytest.approx(
        [0, 0, np.exp(-1 / (4 * 3**2))], abs=0.02
    )
    power = np.square(np.abs(scipy.fft.rfft(band, axis=0))).mean(axis=(1, 2))
    frequencies = scipy.fft.rfftfreq(400, 1 / 400.0)
    within = (frequencies > 4) & (frequencies < 28)
    assert power[within].sum() > 0.95 * power.sum()


def _likeness(values, axis):
    first, second = (np.take(values, range(*ends), axis) for ends in ((0, 63), (1, 64)))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
