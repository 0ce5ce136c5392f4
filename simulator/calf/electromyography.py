"""The electromyogram of a drive, and its amplitude."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

BAND = (20.0, 450.0)
"""Frequencies of surface EMG, Hz (De Luca et al. 2010, doi:10.1016/j.jbiomech.2010.01.027)."""

ORDER = 2
"""Of Butterworth filters."""


def electromyogram(
    excitation: NDArray[np.float64],
    gain: float,
    noise: float,
    sample_rate: float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw the EMG of a drive: noise in a band, whose amplitude is in proportion to the drive.

    Parameters
    ----------
    excitation : float64 array of shape (sample,)
        Over that of a maximal contraction.
    gain : float
        Mean of the rectified EMG for a drive of 1, V.
    noise : float
        SD for a drive of 0, V.
    sample_rate : float
        Hz.
    random : numpy.random.Generator

    Returns
    -------
    float64 array of shape (sample,)
        V.
    """
    filtered = scipy.signal.butter(ORDER, BAND, "bandpass", fs=sample_rate, output="sos")
    impulse = np.zeros(round(sample_rate))
    impulse[0] = 1
    power = (scipy.signal.sosfilt(filtered, impulse) ** 2).sum()
    interference, relaxed = random.standard_normal((len(excitation), 2)).T
    interference = scipy.signal.sosfilt(filtered, interference) / math.sqrt(power)
    # The mean of a rectified normal number is sqrt(2 / pi) of its SD.
    return gain * math.sqrt(math.pi / 2) * excitation * interference + noise * relaxed


def amplitude(emg: NDArray[np.float64], cutoff: float, sample_rate: float) -> NDArray[np.float64]:
    """Return the amplitude of an EMG: rectified, and low-passed without delay.

    Parameters
    ----------
    emg : float64 array of shape (sample,)
    cutoff : float
        Where the two passes of the low-pass, forth and back, leave half of the amplitude, Hz.
    sample_rate : float
        Hz.
    """
    filtered = scipy.signal.butter(ORDER, cutoff, fs=sample_rate, output="sos")
    reach = min(len(emg) - 1, round(sample_rate / cutoff))
    # Mirrored, for the usual odd extension would pin both ends to a single rectified sample.
    return scipy.signal.sosfiltfilt(filtered, np.abs(emg), padtype="even", padlen=reach)
