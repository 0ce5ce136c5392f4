import dataclasses
import math

import numpy as np
import pytest
from scipy.fft import dct
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.noise import (
    correlation_area,
    spatial_noise,
    spectrum_of,
    time_covariance,
    whiten,
)
from musim.training.identification.noise_kernels import first_quartiles
from musim.training.identification.units import Recording


def _white(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _recording(tvi, frame_rate=400.0):
    return Recording(tvi, frame_rate, (0.625, 0.625))


def test_the_spectrum_is_that_of_the_noise_despite_territories():
    shape = np.linspace(1, 4, 50)
    coefficients = _white((50, 40, 40)) * shape[:, None, None].astype(np.float32)
    coefficients[:, 10:25, 10:25] += 100
    np.testing.assert_allclose(spectrum_of(coefficients), shape, rtol=0.15)


def test_each_pixels_sd_is_found_beside_units():
    # Two thirds of the frequencies hold noise alone, of an SD that grows with depth.
    depth = np.linspace(1, 4, 40)
    white = _white((90, 40, 40)) * depth[:, None].astype(np.float32)
    white[:30, 8:20, 8:20] += 30
    sd, area = spatial_noise(white.reshape(90, -1).T, (40, 40))
    assert area == pytest.approx(1, abs=0.2)
    profile = sd.mean(axis=1)
    np.testing.assert_allclose(profile / profile.mean(), depth / depth.mean(), rtol=0.12)
    assert profile.mean() == pytest.approx(math.sqrt(np.mean(depth**2)), rel=0.1)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.0])
def test_the_area_of_correlation_is_that_of_the_smoothing(sigma):
    # Noise smoothed by a Gaussian has a correlation of exp(-r^2 / 4 sigma^2), whose sum this is.
    fields = gaussian_filter(_white((60, 70, 70)), (0, sigma, sigma), mode="wrap")[:, 3:-3, 3:-3]
    fields = np.ascontiguousarray(fields)
    offsets = np.arange(-12, 13)
    kernel = gaussian_filter(np.eye(1, 41, 20)[0], sigma)
    line = np.correlate(kernel, kernel, "full")[40 + offsets] / (kernel @ kernel)
    assert correlation_area(fields) == pytest.approx(line.sum() ** 2, rel=0.1)


def test_white_noise_is_alike_in_one_pixel():
    assert correlation_area(_white((60, 30, 40))) == pytest.approx(1, abs=0.05)
    assert correlation_area(np.zeros((3, 5, 5), np.float32)) == 1


def test_the_covariance_over_time_is_of_noise_alone():
    mixing = np.eye(6) + 0.5 * np.eye(6, k=1)
    white = (_white((50, 50, 6)) @ mixing).astype(np.float32)
    white[10:20, 10:20] += 50
    expected = mixing.T @ mixing
    expected *= 6 / expected.trace()
    np.testing.assert_allclose(time_covariance(white), expected, atol=0.12)
    assert not time_covariance(np.zeros((5, 5, 3), np.float32)).any()


@pytest.mark.parametrize("coloured", [False, True])
def test_noise_is_white_in_the_features(coloured):
    tvi = _white((400, 48, 48), 3)
    if coloured:
        tvi = gaussian_filter(tvi, (1.5, 0.8, 0.8))
        tvi *= np.linspace(1, 3, 48)[:, None].astype(np.float32)
    found = whiten(_recording(tvi))
    values = found.values / found.noise.sd.reshape(-1, 1)
    covariance = values.T @ values / len(values)
    assert covariance.diagonal().mean() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=0.35)
    rows = np.square(values).mean(axis=1).reshape(48, 48).mean(axis=1)
    # Smoothing reflects noise at the image's edge, where its SD is higher.
    np.testing.assert_allclose(rows[2:-2], 1, atol=0.25)


def test_values_and_trains_are_each_others_inverse():
    found = whiten(_recording(_white((60, 10, 10))))
    # Slow courses without a mean lie in the frequencies that are kept.
    slow = np.array([np.cos(math.pi * (np.arange(60) + 0.5) * k / 60) for k in (1, 2, 3)])
    trains = (slow * [[1], [0.5], [3]]).astype(np.float32)
    back = found.trains(found.values_of(trains))
    assert back.dtype == np.float32
    assert back.shape == (3, 60)
    np.testing.assert_allclose(back, trains, atol=1e-5)


def test_the_features_of_a_pixel_are_those_of_its_course():
    recording = _recording(_white((60, 10, 10)))
    found = whiten(recording)
    courses = recording.tvi.reshape(60, -1).T
    np.testing.assert_allclose(found.values, found.values_of(courses), atol=1e-3)
    coefficients = dct(courses.astype(float), norm="ortho")[:, 1 : len(found.noise.whitening) + 1]
    np.testing.assert_allclose(found.values, coefficients @ found.noise.whitening, atol=1e-3)


def test_a_recording_without_noise_is_known_to_60_db():
    parameters = Parameters(units=Range(5, 5), snr=Range(math.inf, math.inf))
    tvi = render(draw(parameters, seed=1))
    found = whiten(_recording(tvi))
    assert found.noise.area == 1
    np.testing.assert_array_equal(found.noise.sd, 1)
    rest = np.sqrt(np.mean(np.square(tvi)))
    coefficients = 1 / np.abs(np.diagonal(found.noise.whitening))
    np.testing.assert_allclose(coefficients, 1e-3 * rest * math.sqrt(400 / 200), rtol=0.05)


def test_the_noise_of_a_simulated_recording_is_found():
    parameters = Parameters(units=Range(15, 15), snr=Range(10, 10))
    truth = draw(parameters, seed=1)
    found = whiten(_recording(render(truth)))
    sd = 1 / np.diagonal(found.noise.whitening) * found.noise.sd.mean()
    np.testing.assert_allclose(np.median(sd), truth.noise_sd, rtol=0.1)
    assert found.noise.area == pytest.approx(1, abs=0.1)


def test_features_do_not_depend_on_the_unit_of_velocity():
    parameters = Parameters(units=Range(5, 5), snr=Range(20, 20))
    truth = draw(dataclasses.replace(parameters, pixels=(20, 20)), seed=1)
    one, thousand = (whiten(_recording(render(truth) * np.float32(factor))) for factor in (1, 1024))
    np.testing.assert_allclose(one.values, thousand.values, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [(3, 7, 9), (2, 1, 6), (1, 2, 1)])
def test_quartiles_of_differences_are_those_of_sorted_ones(shape):
    images = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    images[0] *= 1e-3 * np.float32(np.pi)
    images[-1, 0] = 0.5  # equal neighbours
    found = np.empty(len(images), np.float32)
    first_quartiles(images, found)
    for image, quartile in zip(images, found, strict=True):
        parts = [np.abs(np.diff(image, axis=axis)).ravel() for axis in (0, 1)]
        together = np.sort(np.concatenate(parts))
        assert quartile == together[len(together) // 4]
