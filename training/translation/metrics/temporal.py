"""Temporal likeness of sequences: the correlation of their mean spectra, for all pairs at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from .features import Features, FeatureSettings, in_band
from .spatial import correlations


def log_spectra(found: Sequence[Features], settings: FeatureSettings) -> NDArray[np.float64]:
    """Return the logarithms of spectra inside the band, float64 of shape (sequence, frequency).

    Raises
    ------
    InputError
        If the sequences' spectra have different frequencies.
    """
    frequency = found[0].frequency
    for features in found:
        if not np.array_equal(features.frequency, frequency):
            raise InputError(
                f"spectra: found frequencies {features.frequency[1]:g} and {frequency[1]:g} Hz "
                "apart, wanted the same; take sequences of one frame rate and length"
            )
    spectra = np.stack([features.spectrum for features in found])[:, in_band(frequency, settings)]
    return np.log(np.maximum(spectra, np.finfo(np.float64).tiny))  # of nothing at all


def spectrum_correlations(
    first: Sequence[Features], second: Sequence[Features], settings: FeatureSettings
) -> NDArray[np.float64]:
    """Return the correlations of the log mean spectra of all pairs (Ali et al. 2022, Corr Psd).

    Parameters
    ----------
    first, second : sequences of Features
    settings : FeatureSettings
        Its band is what is compared.

    Returns
    -------
    float64 array of shape (first, second)

    Raises
    ------
    InputError
        If the sequences' spectra have different frequencies.
    """
    rows = log_spectra([*first, *second], settings)
    return correlations(rows[: len(first)], rows[len(first) :])
