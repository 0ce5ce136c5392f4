"""What is kept of a sequence to compare it with others: its variance map and its spectrum.

Ali et al. 2022 ("Modelling intra-muscular contraction dynamics using in silico to in vivo domain
translation", BioMedical Engineering OnLine) compare domains by the variance maps of standardised
sequences, their histograms and K-spaces, and by mean power spectra. The paper leaves open how maps
are offset and binned and how K-spaces are scaled; :class:`FeatureSettings` states what is taken.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError

SCALINGS = ("log", "linear")
BLOCK_VALUES = 2**19
"""Values of a block of pixels that is worked on at a time: 4 MiB in double precision."""

LEAST_FREQUENCIES = 3
"""Frequencies inside the band without which spectra cannot be correlated."""


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """What the paper leaves open; it stands beside every table and figure.

    Parameters
    ----------
    offset : float
        Maps are log(offset + variance), of sequences standardised to mean 0 and SD 1.
    bins : int
        Bins of the histogram of a map.
    span : (float, float)
        Lower and upper end of the histogram, of log variance; what lies beyond counts in the first
        and in the last bin.
    scaling : {"log", "linear"}
        K-spaces are log(1 + amplitude) or the amplitude, over their greatest value.
    window : int
        Side of the windows of structural similarity, points of K-space, odd.
    band : (float, float)
        Frequencies whose spectra are compared, Hz: what the imaging chain of the paper keeps.
    segment : float
        Length of a segment of Welch's estimate, s; the whole sequence, if that is shorter.
    lag : float
        Largest lag of the cross-correlation either way, s. At 8 Hz, the paper's slowest firing
        rate, 0.125 s are one interval: at a longer lag another firing would be met.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    offset: float = 1.0
    bins: int = 64
    span: tuple[float, float] = (0.0, 3.0)
    scaling: str = "log"
    window: int = 7
    band: tuple[float, float] = (5.0, 50.0)
    segment: float = 1.0
    lag: float = 0.125

    def __post_init__(self) -> None:
        for name, low in (("offset", 0), ("segment", 0), ("lag", 0)):
            value = getattr(self, name)
            if not low < value < math.inf:
                raise InputError(f"{name}: found {value}, wanted a positive number")
        for name, least in (("bins", 2), ("window", 3)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: found {getattr(self, name)}, wanted {least} or more")
        if self.window % 2 == 0:
            raise InputError(f"window: found {self.window}, wanted an odd number")
        for name in ("span", "band"):
            low, high = getattr(self, name)
            if not -math.inf < low < high < math.inf:
                raise InputError(f"{name}: found {low} to {high}, wanted rising numbers")
        if self.scaling not in SCALINGS:
            raise InputError(
                f"scaling: found {self.scaling!r}, wanted one of {', '.join(SCALINGS)}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, of which the class is made again by keywords."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    def describe(self) -> str:
        """Return the settings as one sentence, to stand beside a table or figure."""
        k_space = "log(1 + amplitude)" if self.scaling == "log" else "amplitude"
        return (
            f"Maps are log({self.offset:g} + variance) of standardised sequences; histograms have "
            f"{self.bins} bins from {self.span[0]:g} to {self.span[1]:g}; K-spaces are {k_space} "
            f"over the greatest value, kz > 0 and kx > 0, compared in windows of {self.window} x "
            f"{self.window}; spectra are compared from {self.band[0]:g} to {self.band[1]:g} Hz, "
            f"from segments of {self.segment:g} s; lags are at most {1000 * self.lag:g} ms."
        )


@dataclass(frozen=True)
class Features:
    """What is kept of a sequence.

    Parameters
    ----------
    variance : float32 array of shape (depth, width)
        Of each pixel's signal, of the sequence standardised to mean 0 and SD 1.
    frequency : float64 array of shape (frequency,)
        Hz.
    spectrum : float64 array of shape (frequency,)
        Mean over pixels of Welch's power spectral density of the standardised sequence, 1/Hz.
    """

    variance: NDArray[np.float32]
    frequency: NDArray[np.float64]
    spectrum: NDArray[np.float64]


def pixel_blocks(shape: tuple[int, int, int]) -> Iterator[slice]:
    """Give runs of depths of which some 4 MiB of pixels' signals are worked on at a time."""
    frames, depth, width = shape
    rows = max(1, BLOCK_VALUES // (frames * width))
    for first in range(0, depth, rows):
        yield slice(first, min(first + rows, depth))


def signals(sequence: NDArray[Any], rows: slice) -> NDArray[np.float64]:
    """Return the signals of the pixels of some depths, float64 of shape (pixel, time)."""
    frames = len(sequence)
    return np.ascontiguousarray(sequence[:, rows].reshape(frames, -1).T, np.float64)


def moments(
    sequence: NDArray[Any],
) -> tuple[float, float, NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and SD of a sequence, and mean and variance of its pixels' signals.

    Parameters
    ----------
    sequence : array of shape (time, depth, width)

    Returns
    -------
    mean, sd : float
    means, variances : float64 arrays of shape (depth, width)

    Raises
    ------
    InputError
        If it is no sequence, or its values are not finite or all alike.
    """
    check_sequence(sequence)
    means, variances = np.empty(sequence.shape[1:]), np.empty(sequence.shape[1:])
    for rows in pixel_blocks(sequence.shape):  # type: ignore[arg-type]
        block = signals(sequence, rows)
        means[rows] = block.mean(axis=1).reshape(-1, sequence.shape[2])
        variances[rows] = block.var(axis=1).reshape(-1, sequence.shape[2])
    return *check_moments(means, variances), means, variances


def check_sequence(sequence: NDArray[Any]) -> None:
    """Raise InputError unless an array is a sequence of images."""
    if sequence.ndim != 3 or min(sequence.shape) < 2:
        raise InputError(
            f"sequence: found shape {sequence.shape}, wanted frames, depth and width of 2 or more"
        )


def check_moments(
    means: NDArray[np.float64], variances: NDArray[np.float64]
) -> tuple[float, float]:
    """Return mean and SD of a sequence of its pixels' means and variances, if it has any spread.

    Raises
    ------
    InputError
        If they are not finite, or the sequence is constant.
    """
    mean, variance = float(means.mean()), float(variances.mean() + means.var())
    if not (math.isfinite(mean) and math.isfinite(variance) and variance > 0):
        raise InputError(
            f"sequence: found values of mean {mean:.3g} and variance {variance:.3g}, wanted finite "
            "ones that differ"
        )
    return mean, math.sqrt(variance)


def measure(
    sequence: NDArray[Any], frame_rate: float, settings: FeatureSettings | None = None
) -> Features:
    """Measure a sequence in one pass.

    The signals' means do not matter to variance or spectrum, and a factor scales both with its
    square: so the raw sequence is measured, and what comes out is divided by its variance, as
    though it had been standardised.

    Parameters
    ----------
    sequence : array of shape (time, depth, width)
        Tissue velocity, mm/s; the unit has no influence.
    frame_rate : float
        Hz.
    settings : FeatureSettings, optional

    Returns
    -------
    Features

    Raises
    ------
    InputError
        If it is no sequence, its values are not finite or all alike, or its spectrum has fewer than
        three frequencies in the band.
    """
    from scipy.signal import welch

    settings = settings or FeatureSettings()
    check_sequence(sequence)
    frames, _, width = sequence.shape
    frequency = check_band(frames, frame_rate, settings)
    length = segment_frames(frames, frame_rate, settings)
    means, variances = np.empty(sequence.shape[1:]), np.empty(sequence.shape[1:])
    spectrum = np.zeros(frequency.size)
    for rows in pixel_blocks(sequence.shape):  # type: ignore[arg-type]
        block = signals(sequence, rows)
        means[rows] = block.mean(axis=1).reshape(-1, width)
        variances[rows] = block.var(axis=1).reshape(-1, width)
        spectrum += welch(block, fs=frame_rate, nperseg=length, axis=-1)[1].sum(axis=0)
    _, sd = check_moments(means, variances)
    return Features((variances / sd**2).astype(np.float32), frequency,
                    spectrum / (variances.size * sd**2))  # fmt: skip


def segment_frames(frames: int, frame_rate: float, settings: FeatureSettings) -> int:
    """Return the frames of a segment of Welch's estimate."""
    return max(min(round(settings.segment * frame_rate), frames), 1)


def check_band(frames: int, frame_rate: float, settings: FeatureSettings) -> NDArray[np.float64]:
    """Return the frequencies of a sequence's spectrum, Hz, if enough of them are in the band.

    Raises
    ------
    InputError
        If fewer than three are.
    """
    length = segment_frames(frames, frame_rate, settings)
    frequency = np.asarray(np.fft.rfftfreq(length, 1 / frame_rate), np.float64)
    inside = int(in_band(frequency, settings).sum())
    if inside < LEAST_FREQUENCIES:
        raise InputError(
            f"spectrum: found {inside} frequencies from {settings.band[0]:g} to "
            f"{settings.band[1]:g} Hz in {frames} frames at {frame_rate:g} Hz, wanted "
            f"{LEAST_FREQUENCIES} or more; take longer sequences"
        )
    return frequency


def in_band(frequency: NDArray[np.float64], settings: FeatureSettings) -> NDArray[np.bool_]:
    """Return which frequencies, Hz, are compared, as bool array of their shape."""
    low, high = settings.band
    return (frequency >= low) & (frequency <= high)


def log_variance(
    variance: NDArray[np.floating[Any]], settings: FeatureSettings
) -> NDArray[np.float64]:
    """Return a map of log(offset + variance), float64 of the shape of the variances."""
    values = variance.astype(np.float64)
    return np.log1p(values) if settings.offset == 1 else np.log(settings.offset + values)


def histogram(
    variance: NDArray[np.floating[Any]], settings: FeatureSettings
) -> NDArray[np.float64]:
    """Return the share of a map's pixels in each bin, float64 of shape (bin,).

    Parameters
    ----------
    variance : array of shape (depth, width)
    settings : FeatureSettings
    """
    low, high = settings.span
    values = np.clip(log_variance(variance, settings), low, np.nextafter(high, low))
    return np.histogram(values, settings.bins, (low, high))[0] / values.size


def k_space(variance: NDArray[np.floating[Any]], settings: FeatureSettings) -> NDArray[np.float64]:
    """Return a map's K-space, kz > 0 and kx > 0 alone, from 0 to 1.

    Amplitudes of the unitary Fourier transform of the map of log variance, scaled as the settings
    say, over their greatest value. Neither the axes nor the Nyquist frequency are in it.

    Parameters
    ----------
    variance : array of shape (depth, width)
    settings : FeatureSettings

    Returns
    -------
    float64 array of shape ((depth - 1) // 2, (width - 1) // 2)
    """
    depth, width = variance.shape
    spectrum = np.abs(np.fft.fft2(log_variance(variance, settings), norm="ortho"))
    amplitude = spectrum[1 : (depth + 1) // 2, 1 : (width + 1) // 2]
    scaled = np.log1p(amplitude) if settings.scaling == "log" else amplitude
    greatest = scaled.max(initial=0.0)
    return scaled / greatest if greatest > 0 else scaled
