"""Features of a sequence: against obvious versions, by hand, and what has no influence."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import welch

from musim.simulator import InputError
from musim.training.translation.metrics import FeatureSettings, features, measure
from musim.training.translation.metrics.features import histogram, k_space, log_variance, moments

RATE = 400.0
SETTINGS = FeatureSettings(segment=0.1)


def sequence(seed=0, shape=(60, 9, 7)):
    random = np.random.default_rng(seed)
    return random.normal(0.3, random.uniform(0.5, 2, shape[1:]), shape).astype(np.float32)


@given(st.integers(0, 99), st.integers(40, 70), st.integers(2, 9), st.integers(2, 9))
def test_features_are_those_of_the_standardised_sequence(seed, frames, depth, width):
    given_ = sequence(seed, (frames, depth, width))
    standard = (given_ - given_.mean(dtype=float)) / given_.std(dtype=float)
    frequency, spectrum = welch(standard.astype(float), fs=RATE, nperseg=40, axis=0)
    found = measure(given_, RATE, SETTINGS)
    assert found.variance.dtype == np.float32
    np.testing.assert_allclose(found.variance, standard.var(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(found.frequency, frequency)
    np.testing.assert_allclose(found.spectrum, spectrum.mean(axis=(1, 2)), rtol=1e-5)


def test_scale_and_level_have_no_influence():
    found, other = measure(sequence(), RATE), measure(sequence() * 3e-3 - 0.5, RATE)
    np.testing.assert_allclose(other.variance, found.variance, rtol=1e-3)
    np.testing.assert_allclose(other.spectrum, found.spectrum, rtol=1e-3)
    assert found.variance.mean() == pytest.approx(1, abs=0.02)


def test_blocks_are_the_whole(monkeypatch):
    whole = measure(sequence(), RATE), moments(sequence())
    monkeypatch.setattr(features, "BLOCK_VALUES", 60 * 7 * 2)
    assert len(list(features.pixel_blocks((60, 9, 7)))) == 5
    parts = measure(sequence(), RATE), moments(sequence())
    np.testing.assert_array_equal(parts[0].variance, whole[0].variance)
    np.testing.assert_allclose(parts[0].spectrum, whole[0].spectrum, rtol=1e-12)
    for found, wanted in zip(parts[1], whole[1], strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_moments_are_numpys():
    mean, sd, means, variances = moments(sequence())
    given_ = sequence().astype(float)
    assert (mean, sd) == pytest.approx((given_.mean(), given_.std()))
    np.testing.assert_allclose(means, given_.mean(axis=0))
    np.testing.assert_allclose(variances, given_.var(axis=0))


def test_histogram_by_hand():
    # log(1 + v) of 0, 0.5, 1.5 and 9: in bins of 1 from 0 to 3 the last one is beyond.
    variance = np.expm1([[0.0, 0.5], [1.5, 9.0]])
    settings = FeatureSettings(bins=3)
    assert histogram(variance, settings).tolist() == [0.5, 0.25, 0.25]
    # A border belongs to the bin above; the upper end to the last; what is below, to the first.
    settings = FeatureSettings(bins=2, span=(-1.0, 1.0), offset=0.5)
    variance = np.exp([[-2.0, 0.0], [1.0, -0.1]]) - 0.5
    np.testing.assert_allclose(log_variance(variance, settings), [[-2, 0], [1, -0.1]], atol=1e-12)
    assert histogram(variance, settings).tolist() in ([0.5, 0.5], [0.75, 0.25])  # 0 by rounding
    assert histogram(np.full((4, 4), 1.0), FeatureSettings()).sum() == 1


def slow_k_space(image):
    """Amplitudes of the Fourier sum at each positive frequency below Nyquist's."""
    depth, width = image.shape
    z, x = np.mgrid[:depth, :width]
    rows = []
    for kz in [k for k in range(1, depth) if 2 * k < depth]:
        row = []
        for kx in [k for k in range(1, width) if 2 * k < width]:
            wave = np.exp(-2j * np.pi * (kz * z / depth + kx * x / width))
            row.append(abs((image * wave).sum()) / np.sqrt(image.size))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("shape", [(8, 8), (9, 7), (10, 5)])
def test_k_space_is_the_fourier_sum(shape):
    variance = np.random.default_rng(3).uniform(0, 4, shape)
    amplitude = slow_k_space(np.log(1 + variance))
    found = k_space(variance, FeatureSettings(scaling="linear"))
    np.testing.assert_allclose(found, amplitude / amplitude.max(), rtol=1e-9)
    found = k_space(variance, FeatureSettings())
    logarithm = np.log(1 + amplitude)
    np.testing.assert_allclose(found, logarithm / logarithm.max(), rtol=1e-9)


def test_k_space_of_a_wave_is_a_point():
    z, x = np.mgrid[:16, :16]
    wave = np.expm1(1 + 0.5 * np.cos(2 * np.pi * (3 * z + 5 * x) / 16))
    found = k_space(wave, FeatureSettings())
    assert found[2, 4] == 1
    assert np.sort(found.ravel())[-2] < 1e-9
    assert not k_space(np.zeros((16, 16)), FeatureSettings()).any()


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (np.zeros((60, 5)), "found shape"),
        (np.zeros((1, 5, 5)), "found shape"),
        (np.full((60, 5, 5), np.nan), "wanted finite"),
        (np.where(np.arange(1500).reshape(60, 5, 5) == 7, np.inf, 1.0), "wanted finite"),
        (np.ones((60, 5, 5)), "variance 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_what_is_no_sequence_is_refused(given_, words, refused):
    for function in (lambda: measure(given_, RATE), lambda: moments(given_)):
        with refused(words):
            function()


def test_spectra_need_frequencies_inside_the_band(refused):
    with refused("found 2 frequencies from 5 to 50 Hz in 20 frames"):
        measure(sequence(shape=(20, 4, 4)), RATE)
    assert measure(sequence(shape=(30, 4, 4)), RATE).frequency.size == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": 0.0}, {"offset": float("nan")}, {"bins": 1}, {"span": (3.0, 3.0)},
        {"scaling": "root"}, {"window": 6}, {"window": 1}, {"band": (50.0, 5.0)},
        {"segment": 0.0}, {"lag": -0.1}, {"lag": float("inf")},
    ],
)  # fmt: skip
def test_settings_out_of_bounds_are_refused(changes):
    with pytest.raises(InputError, match=next(iter(changes))) as caught:
        FeatureSettings(**changes)
    assert len(str(caught.value).splitlines()) == 1


def test_settings_tell_themselves():
    settings = FeatureSettings(
        offset=0.25, bins=33, span=(-1.5, 2.5), scaling="linear", window=9, band=(6.0, 45.0),
        segment=0.75, lag=0.08,
    )  # fmt: skip
    text = settings.describe()
    for words in ("log(0.25 + variance)", "33 bins from -1.5 to 2.5", "are amplitude", "9 x 9",
                  "6 to 45 Hz", "0.75 s", "80 ms"):  # fmt: skip
        assert words in text
    assert "log(1 + amplitude)" in FeatureSettings().describe()
    again = settings.to_json()
    assert set(again) == {field.name for field in dataclasses.fields(settings)}
    pairs = {name: tuple(value) for name, value in again.items() if isinstance(value, list)}
    assert FeatureSettings(**{**again, **pairs}) == settings
