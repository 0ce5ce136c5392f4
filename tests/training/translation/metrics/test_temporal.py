"""Likeness of spectra: by hand, what has no influence, and what cannot be compared."""

import numpy as np
import pytest

from musim.training.translation.metrics import Features, FeatureSettings
from musim.training.translation.metrics.temporal import log_spectra, spectrum_correlations

FREQUENCY = np.arange(0.0, 101.0, 5.0)
SETTINGS = FeatureSettings()


def features(spectrum, frequency=FREQUENCY):
    return Features(np.ones((2, 2), np.float32), frequency, np.asarray(spectrum, float))


def spectra(seed, count):
    random = np.random.default_rng(seed)
    return [features(random.lognormal(size=FREQUENCY.size)) for _ in range(count)]


def test_logarithms_inside_the_band_are_correlated():
    first, second = spectra(1, 3), spectra(2, 2)
    found = spectrum_correlations(first, second, SETTINGS)
    assert found.shape == (3, 2)
    inside = slice(1, 11)  # 5 to 50 Hz, both ends included
    assert log_spectra(first, SETTINGS).shape == (3, 10)
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            wanted = np.corrcoef(np.log(one.spectrum[inside]), np.log(other.spectrum[inside]))
            assert found[row, column] == pytest.approx(wanted[0, 1])


def test_powers_of_a_spectrum_correlate_fully():
    (one,) = spectra(1, 1)
    others = [features(7 * one.spectrum), features(one.spectrum**2), features(1 / one.spectrum)]
    np.testing.assert_allclose(spectrum_correlations([one], others, SETTINGS), [[1, 1, -1]])


def test_what_is_outside_of_the_band_has_no_influence():
    one, other = spectra(1, 2)
    changed = one.spectrum.copy()
    changed[[0, 11, 20]] *= 1e6
    found = spectrum_correlations([features(changed)], [other], SETTINGS)
    assert found == spectrum_correlations([one], [other], SETTINGS)
    changed[10] *= 1e6
    assert spectrum_correlations([features(changed)], [other], SETTINGS) != found


def test_no_power_at_a_frequency_is_no_infinity():
    spectrum = np.ones(FREQUENCY.size)
    spectrum[4] = 0
    found = spectrum_correlations([features(spectrum)], [features(spectrum)], SETTINGS)
    assert found == pytest.approx(1)


def test_other_frequencies_are_refused(refused):
    with refused("found frequencies 4 and 5 Hz apart"):
        spectrum_correlations(spectra(1, 1), [features(np.ones(21), FREQUENCY * 0.8)], SETTINGS)
