"""The share of motion that units explain: closed forms, a slow version, and noise alone."""

import math

import numpy as np
import pytest
from scipy.fft import idct
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw
from musim.simulator.rendering import render
from musim.training.identification.explanation import (
    explain,
    explained,
    shared_energy,
    steps_of,
)
from musim.training.identification.methods import METHODS, Method, identify
from musim.training.identification.noise import Noise, Whitened, whiten
from musim.training.identification.units import Recording, Units

FRAMES, DEPTH, WIDTH, RATE = 400, 24, 20, 400.0


def courses(*frequencies):
    """Sines of whole periods, so orthogonal to one another and of mean 0; SD 1."""
    t = np.arange(FRAMES) / FRAMES
    return math.sqrt(2) * np.sin(2 * np.pi * np.array(frequencies)[:, None] * t)


def discs():
    """Two maps that overlap, one of them of either sign."""
    z, x = np.mgrid[:DEPTH, :WIDTH]
    one = (z - 9) ** 2 + (x - 8) ** 2 < 40.0
    other = np.where((z - 14) ** 2 + (x - 11) ** 2 < 30, np.where(x > 11, 1.0, -0.5), 0.0)
    return np.stack([one.astype(float), other])


def recording(parts, noise=0.0, seed=0):
    """A recording of (SD, map, course) and white noise of an SD, mm/s."""
    tvi = noise * np.random.default_rng(seed).standard_normal((FRAMES, DEPTH, WIDTH))
    for size, plane, course in parts:
        tvi = tvi + size * course[:, None, None] * plane
    return Recording(tvi.astype(np.float32), RATE, (0.5, 0.5))


def units_of(trains, territory=None, remarks=()):
    count = len(trains)
    if territory is None:
        territory = np.zeros((count, DEPTH, WIDTH), np.float32)
    return Units(
        territory, np.asarray(trains, np.float32), np.zeros((count, 0)), np.ones(count),
        remarks=remarks,
    )  # fmt: skip


def energy(plane, steps):
    """The mean product of each pixel of a map with those some steps away, pixel by pixel."""
    result = np.zeros(plane.shape)
    for z in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            near = [
                plane[k, j]
                for k, j in ((z - steps[0], x), (z + steps[0], x), (z, x - steps[1]),
                             (z, x + steps[1]))
                if 0 <= k < plane.shape[0] and 0 <= j < plane.shape[1]
            ]  # fmt: skip
            result[z, x] = plane[z, x] * np.mean(near)
    return result


def steps(moving):
    return steps_of(whiten(moving).noise.area, moving.pixel_size, moving.tvi.shape[1:])


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("sizes", [(2.0, 1.0), (1.0, 2.0)])
def test_the_share_of_a_known_mixture(sizes, noise):
    (one, other), (a, b) = courses(9, 14), discs()
    moving = recording([(sizes[0], a, one), (sizes[1], b, other)], noise)
    ours, theirs = (
        energy(size * plane, steps(moving)) for size, plane in zip(sizes, (a, b), strict=True)
    )
    share = ours.sum() / (ours.sum() + theirs.sum())
    found = explained(moving, units_of([one]))
    assert found.explained_share == pytest.approx(share, abs=0.003 + 0.02 * noise)
    assert ("motion-unexplained" in found.remarks) == (share < 0.5)
    left = found.residual_sd
    assert (left.dtype, left.shape) == (np.float32, (DEPTH, WIDTH))
    smooth = np.sqrt(np.maximum(gaussian_filter(theirs, 1.75, mode="nearest"), 0))
    np.testing.assert_allclose(left, smooth, atol=0.02 + 0.15 * noise)


def test_noise_of_ten_times_the_energy_leaves_the_share_as_it_is():
    (one, other), (a, b) = courses(9, 14), discs()
    moving = recording([(2.0, a, one), (1.0, b, other)], 3.0)
    ours, theirs = (energy(part, steps(moving)).sum() for part in (2 * a, b))
    share = explained(moving, units_of([one])).explained_share
    assert share == pytest.approx(ours / (ours + theirs), abs=0.05)


def test_noise_that_is_uneven_is_no_motion_left():
    # Velocity is estimated worst where speckle is dark: few pixels have most of the noise.
    (one, _), (a, _) = courses(9, 14), discs()
    random = np.random.default_rng(7)
    uneven = np.where(random.random((DEPTH, WIDTH)) < 0.05, 3.0, 0.3)
    noise = uneven * random.standard_normal((FRAMES, DEPTH, WIDTH))
    still = recording([(1.0, a, one)]).tvi
    moving = Recording((still + noise).astype(np.float32), RATE, (0.5, 0.5))
    assert explained(moving, units_of([one])).explained_share > 0.9


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_nothing_and_everything(noise):
    (one, other), (a, b) = courses(9, 14), discs()
    moving = recording([(2.0, a, one), (1.0, b, other)], noise)
    nothing = explained(moving, units_of(np.zeros((0, FRAMES))))
    assert nothing.explained_share == 0
    assert nothing.remarks == ("motion-unexplained",)
    everything = explained(moving, units_of([one, other]))
    assert everything.explained_share == pytest.approx(1, abs=0.001 + 0.02 * noise)
    assert everything.remarks == ()
    assert np.sqrt(np.mean(everything.residual_sd**2)) < 0.01 + 0.12 * noise
    assert np.sqrt(np.mean(nothing.residual_sd**2)) > 0.5


def test_maps_are_free_and_trains_of_any_size_kind_and_number():
    (one, other), (a, b) = courses(9, 14), discs()
    moving = recording([(2.0, a, one), (1.0, b, other)], 0.3)
    alone = explain(whiten(moving), np.array([one], np.float32), (0.5, 0.5))
    again = np.array([1e-3 * one, -one, np.zeros(FRAMES), one + 7], np.float32)
    same = explain(whiten(moving), again, (0.5, 0.5))
    assert same.share == pytest.approx(alone.share, rel=1e-5)
    np.testing.assert_allclose(same.residual_sd, alone.residual_sd, atol=1e-4)
    mixed = explain(
        whiten(moving), np.array([one + other, one - 2 * other], np.float32), (0.5, 0.5)
    )
    assert mixed.share == pytest.approx(1, abs=0.005)


def noise_alone(kind, seed):
    random = np.random.default_rng(seed)
    tvi = random.standard_normal((FRAMES, 32, 32))
    if kind == "smooth":
        tvi = gaussian_filter(tvi, (0, 1.5, 1.5))
    elif kind == "slow":
        spectrum = np.fft.rfft(tvi, axis=0)
        tvi = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(len(spectrum)))[:, None, None], axis=0)
    elif kind == "deep":
        tvi *= np.linspace(0.5, 2, 32)[:, None]
    return Recording(np.ascontiguousarray(tvi, np.float32), RATE, (0.5, 0.5))


@pytest.mark.parametrize("kind", ["white", "smooth", "slow", "deep"])
@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_has_no_share(kind, seed):
    still = noise_alone(kind, seed)
    found = explained(still, Units(
        np.zeros((0, 32, 32), np.float32), np.zeros((0, FRAMES), np.float32), np.zeros((0, 0)),
        np.zeros(0),
    ))  # fmt: skip
    assert math.isnan(found.explained_share)
    assert found.remarks == ("no-motion",)
    assert np.sqrt(np.mean(found.residual_sd**2)) < 0.35 * still.tvi.std()
    # Who found units there is not told that nothing moves, but no share either.
    told = explained(still, Units(
        np.ones((1, 32, 32), np.float32), courses(11).astype(np.float32), np.zeros((1, 0)),
        np.ones(1),
    ))  # fmt: skip
    assert math.isnan(told.explained_share)
    assert told.remarks == ()


def coloured(seed=3, frequencies=12):
    """A recording's components whose noise differs between frequencies, correlated, and pixels."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(frequencies, frequencies)) + 3 * np.eye(frequencies)
    scale = np.geomspace(20, 0.2, frequencies)
    whitening = np.linalg.inv(mixing * scale)
    sd = random.uniform(0.01, 0.02, (5, 4))
    coefficients = random.normal(size=(20, frequencies)) * scale  # mm/s
    values = (coefficients @ whitening).astype(np.float32)
    return Whitened(values, Noise(whitening, sd, 1.0), (64, 5, 4)), coefficients


def test_it_is_the_slow_versions():
    known, coefficients = coloured()
    trains = np.random.default_rng(4).normal(size=(3, 64)).astype(np.float32)
    answer = explain(known, trains, (1.0, 0.9))
    shapes = np.array([
        [sum(train[n] * math.cos(math.pi * (n + 0.5) * k / 64) for n in range(64))
         for k in range(1, 13)]
        for train in trains.astype(float)
    ]).T  # fmt: skip
    rest = np.array([
        one - shapes @ np.linalg.lstsq(shapes, one, rcond=None)[0] for one in coefficients
    ])  # fmt: skip
    away = steps_of(1.0, (1.0, 0.9), (5, 4))
    assert away == (2, 2)
    whole, left = (
        sum(energy(part[:, k].reshape(5, 4), away) for k in range(12))
        for part in (coefficients, rest)
    )
    share = min(max(1 - left.sum() / whole.sum(), 0), 1)
    assert answer.moving == (answer.share == answer.share)
    if answer.moving:
        assert answer.share == pytest.approx(share, rel=1e-4)
    np.testing.assert_allclose(
        shared_energy(rest, (5, 4), away), left, atol=1e-6 * np.abs(left).max()
    )
    local = np.maximum(gaussian_filter(left, (0.875, 0.875 / 0.9), mode="nearest"), 0)
    np.testing.assert_allclose(answer.residual_sd, np.sqrt(local / 64), rtol=1e-3, atol=1e-4)


def test_pixels_that_are_multiplied_lie_beyond_the_reach_of_noise():
    assert steps_of(1.0, (0.5, 0.25), (100, 100)) == (4, 7)
    assert steps_of(50.0, (0.3, 0.3), (100, 100)) == (8, 8)  # twice the radius of 50 px
    assert steps_of(5000.0, (0.5, 0.5), (100, 100)) == (8, 8)  # no more than 4 mm
    assert steps_of(1.0, (0.5, 0.5), (3, 2)) == (1, 1)  # every pixel has a neighbour


def test_the_share_is_of_velocity_not_of_what_is_whitened():
    # Where noise is large, whitened components are small: a share of those would be another.
    frequencies = 12
    scale = np.geomspace(20, 0.2, frequencies)
    whitening = np.diag(1 / scale)
    coefficients = np.zeros((20, frequencies))
    coefficients[:, 0], coefficients[:, 11] = math.sqrt(3), 1.0
    values = (coefficients @ whitening).astype(np.float32)
    known = Whitened(values, Noise(whitening, np.full((5, 4), 1e-5), 1.0), (64, 5, 4))
    first = np.zeros((1, 64))
    first[0, 1] = 1
    train = np.asarray(idct(first, norm="ortho", axis=1)).astype(np.float32)
    answer = explain(known, train, (0.5, 0.5))
    assert answer.share == pytest.approx(0.75, abs=1e-4)
    np.testing.assert_allclose(answer.residual_sd, 1 / math.sqrt(64), rtol=0.02)


@pytest.mark.parametrize("snr", [math.inf, 10.0, 0.0])
def test_half_of_a_simulated_sequences_units(snr):
    parameters = Parameters(units=Range(8, 8), snr=Range(snr, snr))
    truth = draw(parameters, seed=1, index=0)
    clean = render(truth, noise=False).reshape(parameters.frames, -1).astype(float)
    clean -= clean.mean(axis=0)
    known = whiten(Recording(render(truth).astype(np.float32), RATE, (0.625, 0.625)))
    some = truth.twitch_train[:4].astype(float)
    basis, _ = np.linalg.qr((some - some.mean(axis=1, keepdims=True)).T)
    away = steps_of(known.noise.area, (0.625, 0.625), (64, 64))
    whole, left = (
        shared_energy(part.T, (64, 64), away).sum()
        for part in (clean, clean - basis @ (basis.T @ clean))
    )
    half = explain(known, truth.twitch_train[:4], (0.625, 0.625)).share
    assert half == pytest.approx(1 - left / whole, abs=0.015)
    whole = explain(known, truth.twitch_train, (0.625, 0.625)).share
    assert whole == pytest.approx(1, abs=0.015)


def test_every_method_is_explained_and_keeps_what_it_said(monkeypatch):
    (one, other), (a, b) = courses(9, 14), discs()
    moving = recording([(1.0, a, one), (4.0, b, other)], 0.1)
    territory = a[None].astype(np.float32)

    def method(recording):
        return units_of([one], territory, remarks=("copies-left-out", "slow-motion-removed"))

    monkeypatch.setitem(METHODS, "stub", Method("stub", "", method))
    found = identify(moving, "stub")
    assert found.remarks == ("slow-motion-removed", "motion-unexplained", "copies-left-out")
    assert 0.05 < found.explained_share < 0.5
    np.testing.assert_array_equal(found.territory, territory)
    again = explained(moving, found)
    assert (again.remarks, again.explained_share) == (found.remarks, found.explained_share)


def test_a_recording_in_which_nothing_can_be_found_is_refused(refused):
    still = Recording(np.ones((FRAMES, 4, 4), np.float32), RATE, (0.5, 0.5))
    with refused("the same value"):
        explained(still, units_of(np.zeros((0, FRAMES))))
