import dataclasses
import hashlib
import itertools
import math
import threading
import time

import numpy as np
import pytest
from scipy import ndimage

from musim.simulator import InputError, Parameters, Range, draw, render
from musim.simulator.experiment.doses import EFFECTS, Doses
from musim.simulator.experiment.recording import (
    ahead,
    chain_of,
    check,
    images_needed,
    imaging_of,
    simulate,
)
from musim.simulator.experiment.speckle import Scanner
from musim.simulator.imaging.filtering import BandPass, band_pass, median_filter

SMALL = Parameters(
    units=Range(3, 3), snr=Range(math.inf, math.inf), pixels=(32, 32), size=(10.0, 10.0),
    diameter=Range(4, 6), frames=256, frame_rate=512.0, fat=Range(1.5, 1.5),
)  # fmt: skip
CLEAR = dataclasses.replace(SMALL, units=Range(2, 2), diameter=Range(6.5, 8), fat=Range(0, 0))
"""Large territories, of which much is far from an edge."""

IMAGE = (64, 32)
DOSES = Doses(image=IMAGE)
OFF = Doses.off(image=IMAGE)
KNOWN_ERROR = 0.12
"""SD of the estimator's error over that of velocity, where tissue moves as one."""

INNER = slice(60, -60)
"""Away from the ends, where filters have less to go by."""


def _simulate(doses, parameters=SMALL, seed=1, index=0, **others):
    truth = draw(parameters, doses=doses, seed=seed, index=index)
    return simulate(parameters, doses, truth, seed=seed, index=index, **others)


@pytest.fixture(scope="module")
def off():
    """What a scanner sees of the analytic sequence."""
    return _simulate(OFF)


@pytest.fixture(scope="module")
def clear():
    """What it sees of large territories."""
    return _simulate(OFF, CLEAR)


@pytest.fixture(scope="module")
def on():
    """What it sees with every dose."""
    return _simulate(DOSES)


def _filtered(velocity):
    """The chain's filters, on the analytic sequence's own grid."""
    passed = band_pass(velocity, BandPass(low=5, high=50, frame_rate=512.0))
    return median_filter(passed, (3, 3))


def _expected():
    return _filtered(render(draw(CLEAR, seed=1)))


def test_the_chain_is_the_paper_s():
    chain = chain_of(SMALL)
    assert (chain.band, chain.median, chain.order) == ((5, 50), 1, 4)
    assert (chain.pixels, chain.size, chain.frames) == ((32, 32), (10, 10), 256)
    assert (chain.gate, chain.ensemble, chain.estimator) == (1, 4, "2d-autocorrelation")
    imaging = imaging_of(SMALL, DOSES)
    depth, width = imaging.output_axes
    assert depth.step == width.step == 10 / 32
    assert (depth.start, width.start) == (0, 0)


def test_sequences_have_the_parameters_grid(on):
    assert on.shape == (256, 32, 32)
    assert on.dtype == np.float32
    assert np.isfinite(on).all()


@pytest.mark.parametrize("rate", [128.0, 400.0, 512.0, 777.0, 1000.0, 2000.0])
@pytest.mark.parametrize("frames", [200, 257])
def test_as_many_images_are_made_as_the_frames_need(rate, frames):
    parameters = dataclasses.replace(SMALL, frames=frames, frame_rate=rate)
    needed = images_needed(parameters, DOSES)
    imaging = imaging_of(parameters, DOSES)
    assert imaging.output_frames(needed) >= frames
    # Not many more: each costs.
    assert imaging.output_frames(needed - 3) < frames + 1


def test_without_doses_a_scanner_sees_the_analytic_sequence(clear):
    expected = _expected()[INNER]
    found = clear[INNER]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
    # Inside territories, a gate, a median and a point-spread function away from their edges, what
    # is left is the estimator's error.
    truth = draw(CLEAR, seed=1)
    pattern = np.tensordot(2.0 ** np.arange(2), truth.territory, 1)
    alike = ndimage.maximum_filter(pattern, (11, 11)) == ndimage.minimum_filter(pattern, (11, 11))
    core = alike & (pattern > 0)
    core[:3] = core[-3:] = core[:, :3] = core[:, -3:] = False
    assert core.sum() > 25
    slope = np.polyfit(expected[:, core].ravel(), found[:, core].ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.04)
    error = (found - expected)[:, core]
    assert error.std() < KNOWN_ERROR * expected[:, core].std()
    # And where no unit is near nothing moves.
    still = alike & (pattern == 0)
    assert still.sum() > 20
    assert found[:, still].std() < 0.02 * expected[:, core].std()


def test_without_doses_edges_are_blurred_by_gate_and_point_spread_function(clear):
    scanner = Scanner(OFF, SMALL.size, 0.0)
    step = SMALL.pixel_size
    raw = render(draw(CLEAR, seed=1))
    # Velocity is weighted with the echoes' power: with the point-spread function squared.
    sds = (
        0.0,
        scanner.axial_sd / math.sqrt(2) / step[0],
        float(scanner.lateral_width.mean()) / 2.355 / math.sqrt(2) / step[1],
    )
    blurred = ndimage.gaussian_filter(raw, sds, mode="nearest")
    fine = ndimage.zoom(blurred, (1, 4, 1), order=1, mode="nearest", grid_mode=True)
    gate = round(1.0 / step[0] * 4) | 1
    fine = ndimage.uniform_filter1d(fine, gate, axis=1, mode="nearest")
    blurred = fine.reshape(len(raw), 32, 4, 32).mean(axis=2)
    expected = _filtered(blurred)[INNER]
    found = clear[INNER]
    sharp = _expected()[INNER]
    # The interior, where both sides of an edge are seen.
    inside = np.s_[:, 3:-3, 3:-3]
    correlation = np.corrcoef(found[inside].ravel(), expected[inside].ravel())[0, 1]
    assert correlation > 0.98
    assert correlation > np.corrcoef(found[inside].ravel(), sharp[inside].ravel())[0, 1] + 0.01
    slope = np.polyfit(expected[inside].ravel(), found[inside].ravel(), 1)[0]
    assert slope == pytest.approx(1, abs=0.04)


def test_the_scale_of_effects_without_dose_does_not_matter(off):
    # How fast waves are, how large fascicles, how often hearts beat.
    others = {"wave_speed": Range(1, 2), "fascicle_size": Range(3, 4), "heart_rate": Range(99, 120)}
    np.testing.assert_array_equal(_simulate(dataclasses.replace(OFF, **others)), off)


@pytest.mark.parametrize("name", [name for name in EFFECTS if name != "wave_damping"])
def test_every_effect_is_seen(name, off):
    dose = {"attenuation": 0.5, "artery": 200.0, "drift": 300.0, "breathing": 500.0}.get(name, 0.9)
    base = OFF
    if name in ("wave", "layer"):
        # Seen where motion spreads to: units lie below fat, and their fibres begin at once.
        base = dataclasses.replace(OFF, spread=Range(2, 2))
        off = _simulate(base)
    elif name == "side_lobes":
        # What leaks are the echoes of an aponeurosis.
        base = dataclasses.replace(OFF, aponeurosis=Range(0.9, 0.9))
        off = _simulate(base)
    found = _simulate(dataclasses.replace(base, **{name: Range(dose, dose)}))
    assert np.abs(found - off)[INNER].max() > 0.01 * off.std()


def test_the_same_seed_gives_the_same_bytes_and_another_sequence_other_ones(on):
    assert _simulate(DOSES).tobytes() == on.tobytes()
    assert abs(np.corrcoef(_simulate(DOSES, index=1).ravel(), on.ravel())[0, 1]) < 0.3


def test_recordings_are_those_of_every_version_of_this_revision(on):
    # Stores hold what was made, and are made again to be proved: no speed is worth another byte.
    # What is (an end that was spoilt) raises the imaging chain's revision, which stores hold.
    found = hashlib.blake2b(on.tobytes(), digest_size=16).hexdigest()
    assert found == "0b21aba8547a42fac5f5e7128988a67a"


def test_frames_are_written_where_one_asks(on):
    into = np.full((258, 32, 32), np.nan, np.float32)
    assert _simulate(DOSES, out=into[1:-1]).base is into
    np.testing.assert_array_equal(into[1:-1], on)
    assert np.isnan(into[[0, -1]]).all()


def test_a_sequence_s_noise_is_the_analytic_sequence_s(off):
    noisy = dataclasses.replace(SMALL, snr=Range(10, 10))
    truth = draw(noisy, seed=1)
    clean = dataclasses.replace(truth, noise_sd=0.0, snr=math.inf)
    found = _simulate(OFF, noisy) - off
    np.testing.assert_allclose(found, render(truth) - render(clean), atol=1e-5)
    assert found.std() == pytest.approx(truth.noise_sd, rel=0.01)


def test_skin_and_fat_are_slow_and_units_are_seen_in_muscle(on):
    parameters = dataclasses.replace(SMALL, fat=Range(3, 3), diameter=Range(3, 5))
    found = _simulate(dataclasses.replace(DOSES, layer=Range(0.95, 0.95)), parameters)[INNER]
    depths = (np.arange(32) + 0.5) * 10 / 32
    assert found[:, depths < 2].std() < 0.3 * found[:, depths > 4].std()
    truth = draw(SMALL, seed=1)
    unit = truth.territory.sum(axis=0) > 0
    assert on[INNER][:, unit].std() > 1.4 * on[INNER][:, ~unit].std()


def _message(error):
    text = str(error.value)
    assert text
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(
    ("parameters", "doses", "beginning"),
    [
        ({"size": (60.0, 10.0)}, {}, "image: found pixels"),
        ({"size": (10.0, 40.0)}, {}, "image: found pixels"),
        ({"frames": 1}, {}, "frames: found"),
        ({}, {"pulse_repetition": 80.0}, ""),
        ({"size": (14.0, 10.0)}, {"attenuation": Range(0.5, 5.0)}, "attenuation: found echoes"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_made(
    parameters, doses, beginning, refused
):
    parameters = dataclasses.replace(SMALL, **parameters)
    doses = dataclasses.replace(DOSES, **doses)
    with refused() as error:
        check(parameters, doses)
    assert _message(error).startswith(beginning)
    with refused():
        _simulate(doses, parameters)


def test_what_goes_together_is_passed():
    check(SMALL, DOSES)
    check(Parameters(pixels=(128, 128), frames=1024, frame_rate=512.0), Doses())


def test_motion_beyond_the_nyquist_velocity_is_refused(refused):
    fast = dataclasses.replace(SMALL, displacement=Range(20_000, 20_000))
    with refused() as error:
        _simulate(OFF, fast)
    assert "the Nyquist velocity of 2000 images a second" in _message(error)
    assert _message(error).startswith("displacement: found")


def _threads():
    return [thread for thread in threading.enumerate() if thread.name == "musim-ahead"]


def test_items_come_in_their_order():
    assert list(ahead(range(50))) == list(range(50))
    assert list(ahead(iter(()))) == []
    assert not _threads()


def test_items_are_made_in_another_thread_a_few_ahead():
    made, names = [], set()

    def items():
        for number in range(20):
            made.append(number)
            names.add(threading.current_thread().name)
            yield number

    source = ahead(items(), 2)
    assert made == []
    assert next(source) == 0
    until = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    # One taken, two that wait, and one in hand.
    assert made == [0, 1, 2, 3]
    assert names == {"musim-ahead"}
    assert list(source) == list(range(1, 20))
    assert not _threads()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, InputError])
def test_an_exception_comes_where_its_item_would_have(error):
    def items():
        yield 1
        yield 2
        raise error("found 3, wanted nothing more")

    source = ahead(items())
    assert [next(source), next(source)] == [1, 2]
    with pytest.raises(error, match="found 3"):
        next(source)
    assert not _threads()


def test_whoever_stops_early_stops_the_thread():
    source = ahead(itertools.count(), 1)
    assert next(source) == 0
    assert len(_threads()) == 1
    source.close()  # type: ignore[attr-defined]
    assert not _threads()


def test_a_failure_of_the_chain_leaves_no_thread():
    def failing(blocks):
        for _ in blocks:
            raise RuntimeError("the chain failed")
        yield

    with pytest.raises(RuntimeError, match="the chain failed"):
        list(failing(ahead(itertools.count())))
    until = time.monotonic() + 5
    while _threads() and time.monotonic() < until:
        time.sleep(0.01)
    assert not _threads()


def test_simulating_leaves_no_thread(on):
    assert on is not None
    assert not _threads()
