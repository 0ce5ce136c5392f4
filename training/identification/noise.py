"""What a recording's noise is like, estimated from the recording itself.

The noise of a scanner is coloured in time, correlated in space and grows with depth. It is modelled
as separable: a spectrum over temporal frequencies times an SD for each pixel, with a correlation
over pixels. Neighbouring pixels lie mostly in the same units, so their difference is mostly noise:
its quantiles give the spectrum. Against it, the frequencies that hold least are those without
units: they give the SD of each pixel and the correlation.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from .units import Recording, check

HIGHEST_FREQUENCY = 100.0
"""No twitch moves tissue faster than this, Hz; what is beyond is not looked at."""

LOWEST_BAND = 15.0
"""Frequencies up to this one are always kept, Hz: a twitch that rises in 80 ms has most of its
velocity's energy below 10 Hz."""

FLOOR = 1e-3
"""Least noise, as a share of the recording's root mean square: a recording without noise is taken
to be known to 60 dB, far beyond its model."""

LOW = 0.2
"""Quantile of the frequencies' power that is noise alone."""

QUARTILE = 0.31863936396437515
"""First quartile of the absolute value of a standard normal variable."""

CORRELATION_REACH = 12
"""Noise further apart than this is taken as uncorrelated, px."""

SELECTIONS = 3
"""Times that the differences which are noise alone are chosen, by the covariance of the last."""

PAIRS = 8192
"""Pairs of neighbouring pixels whose differences give the covariance over time."""


@dataclass(frozen=True)
class Noise:
    """A recording's noise.

    Parameters
    ----------
    whitening : float64 array of shape (frequency, component)
        Turns coefficients of the orthonormal discrete cosine transform over time (DCT-II, in mm/s,
        from the first after the mean) into components in which noise is alike and uncorrelated.
    sd : float64 array of shape (depth, width)
        Each pixel's SD in these components, no unit.
    area : float
        Pixels over which noise is alike: the sum of its spatial correlation. 1 is white.
    """

    whitening: NDArray[np.float64]
    sd: NDArray[np.float64]
    area: float

    @functools.cached_property
    def _factors(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        # Trains of every window are turned back: decomposed once, that takes a tenth of the time.
        return scipy.linalg.lu_factor(self.whitening.T, check_finite=False)

    def coefficients(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what components (unit, component) are of, float64 (unit, frequency).

        These are coefficients of the cosine transform, from the first after the mean.
        """
        turned = scipy.linalg.lu_solve(self._factors, values.T, check_finite=False)
        return np.asarray(turned, np.float64).T

    def directions(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return directions of components whose products with them are those of what these are of.

        Parameters
        ----------
        coefficients : float64 array of shape (course, frequency)
            Of the cosine transform.

        Returns
        -------
        float64 array of shape (course, component)
        """
        turned = scipy.linalg.lu_solve(self._factors, coefficients.T, trans=1, check_finite=False)
        return np.asarray(turned, np.float64).T


@dataclass(frozen=True)
class Whitened:
    """A recording as whitened components over time.

    Parameters
    ----------
    values : float32 array of shape (pixel, component)
        The noise of pixel p has SD ``noise.sd[p]`` in each.
    noise : Noise
    shape : (time, depth, width)
        Of the recording.
    """

    values: NDArray[np.float32]
    noise: Noise
    shape: tuple[int, int, int]

    def trains(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the time courses, float32 (unit, time) in mm/s, of components (unit, component).

        What the kept frequencies do not span is left out, and so is the mean over time, which is 0
        for whole twitches.
        """
        coefficients = np.zeros((len(values), self.shape[0]))
        kept = len(self.noise.whitening)
        coefficients[:, 1 : kept + 1] = self.noise.coefficients(values)
        return np.asarray(scipy.fft.idct(coefficients, norm="ortho", axis=1)).astype(np.float32)

    def products(
        self, values: NDArray[np.float64], courses: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Return the products over time of components' courses with others, without making them.

        Parameters
        ----------
        values : float64 array of shape (pixel, component)
        courses : float array of shape (course, time)

        Returns
        -------
        float64 array of shape (pixel, course)
        """
        coefficients = scipy.fft.dct(np.asarray(courses, np.float64), norm="ortho", axis=1)
        kept = len(self.noise.whitening)
        return values @ self.noise.directions(np.asarray(coefficients)[:, 1 : kept + 1]).T

    def values_of(self, trains: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the components, float64 (unit, component), of time courses (unit, time)."""
        coefficients = np.asarray(
            scipy.fft.dct(np.asarray(trains, np.float64), norm="ortho", axis=1)
        )
        return coefficients[:, 1 : len(self.noise.whitening) + 1] @ self.noise.whitening


def whiten(recording: Recording) -> Whitened:
    """Estimate a recording's noise and express the recording in it.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    Whitened

    Raises
    ------
    InputError
        If nothing can be found in such a recording, see :func:`.units.check`.
    """
    known = recording.__dict__.get("_features")
    if known is None:
        known = _whiten(recording)
        # A recording is frozen; what was worked out once is kept with it.
        object.__setattr__(recording, "_features", known)
    return known


def _whiten(recording: Recording) -> Whitened:
    check(recording)
    frames, depth, width = recording.tvi.shape
    resolution = recording.frame_rate / (2 * frames)
    highest = min(max(math.ceil(HIGHEST_FREQUENCY / resolution), 24), frames - 1)
    # Row by row of the image: the transform of all is as large as the recording.
    coefficients = np.empty((highest, depth, width), np.float32)
    for row in range(depth):
        transform = scipy.fft.dct(recording.tvi[:, row], norm="ortho", axis=0)
        coefficients[:, row] = transform[1 : highest + 1]
    floor = FLOOR * math.sqrt(float(np.mean(np.square(coefficients), dtype=np.float64)))
    spectrum = np.maximum(spectrum_of(coefficients), floor)
    white = coefficients.reshape(highest, -1).T / spectrum.astype(np.float32)
    # Frequencies that a filter has emptied tell nothing of the noise.
    filled = spectrum > 2 * floor
    sd, area = np.ones((depth, width)), 1.0
    if filled.mean() > 0.1:
        sd, area = spatial_noise(white[:, filled], (depth, width))
        sd = np.maximum(sd, floor / np.median(spectrum))
    alone = white / sd.reshape(-1, 1).astype(np.float32)
    kept = _band(alone, LOWEST_BAND / resolution, len(white) / area)
    covariance = time_covariance(white[:, :kept].reshape(depth, width, kept))
    covariance += np.diag(np.square(floor / spectrum[:kept]))
    power, directions = np.linalg.eigh(covariance)
    turn = (directions / np.sqrt(power)) @ directions.T
    values = np.ascontiguousarray(white[:, :kept] @ turn.astype(np.float32), np.float32)
    return Whitened(values, Noise(turn / spectrum[:kept, None], sd, area), recording.tvi.shape)


def time_covariance(white: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the covariance of noise between frequencies, of mean variance 1 or none at all.

    Filters leave transients at a recording's ends, which are correlated over frequencies. The
    covariance is that of the half of the differences of neighbours which is least, so not of those
    across the edge of a territory.

    Parameters
    ----------
    white : float32 array of shape (depth, width, frequency)

    Returns
    -------
    float64 array of shape (frequency, frequency)
    """
    kept = white.shape[2]
    parts = [np.diff(white, axis=axis).reshape(-1, kept) for axis in (0, 1)]
    pairs = np.concatenate(parts)
    pairs = pairs[:: -(-len(pairs) // PAIRS)]
    covariance = np.eye(kept)
    for _ in range(SELECTIONS):
        energy = np.square(pairs @ np.linalg.cholesky(np.linalg.inv(covariance)))
        energy = energy.sum(axis=1)
        least = pairs[energy <= np.median(energy)]
        covariance = (least.T @ least).astype(np.float64) / len(least)
        # Few pairs for the number of frequencies know variances better than covariances.
        share = len(least) / (len(least) + 4.0 * kept)
        covariance *= share
        covariance[np.diag_indices(kept)] /= share
        if not covariance.diagonal().min() > 1e-9 * covariance.trace():
            break
    level = covariance.trace() / kept
    return covariance / level if level > 1e-12 else np.zeros((kept, kept))


def spectrum_of(coefficients: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the SD of the noise at each frequency, from the differences of neighbouring pixels.

    Spatially correlated noise comes out too low, by the same factor at all frequencies.

    Parameters
    ----------
    coefficients : float32 array of shape (frequency, depth, width)

    Returns
    -------
    float64 array of shape (frequency,)
    """
    from .noise_kernels import first_quartiles  # Numba, where noise is looked at

    quartile = np.empty(len(coefficients), np.float32)
    first_quartiles(coefficients, quartile)
    quartile = quartile.astype(np.float64)
    return scipy.ndimage.median_filter(quartile, 3, mode="nearest") / (QUARTILE * math.sqrt(2))


def spatial_noise(
    white: NDArray[np.float32], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], float]:
    """Return each pixel's SD and the area of correlation, from the frequencies without units.

    Parameters
    ----------
    white : float32 array of shape (pixel, frequency)
        Coefficients whose noise has the same SD at all frequencies.
    shape : (depth, width)

    Returns
    -------
    sd : float64 array of shape (depth, width)
        Smoothed over pixels.
    area : float
        Sum of the correlation over distances of up to 12 px, 1 or more.
    """
    mean = np.asarray(np.mean(np.square(white), axis=0, dtype=np.float64))
    level = float(np.quantile(mean, LOW))
    # Units add to what noise has at some frequencies; those with least are noise alone.
    alone = mean <= np.sort(mean)[min(max(len(mean) // 3, 7), len(mean) - 1)]
    fields = np.ascontiguousarray(white[:, alone].T).reshape(-1, *shape)
    power = np.asarray(np.mean(np.square(fields), axis=0, dtype=np.float64))
    power = scipy.ndimage.gaussian_filter(power, 2.0, mode="nearest")
    if level <= 0:
        return np.ones(shape), 1.0
    power = np.maximum(power, 1e-6 * level)
    area = correlation_area(fields / np.sqrt(power).astype(np.float32))
    # Where noise is alike over many pixels, the mean over the image varies between frequencies like
    # chi-squared over its degrees of freedom; the squared correlation extends over half the area.
    freedom = 2 * fields[0].size / area
    level /= 2 / freedom * float(scipy.special.gammaincinv(freedom / 2, LOW))
    return np.sqrt(power * (level / power.mean())), area


def correlation_area(fields: NDArray[np.float32]) -> float:
    """Return the sum of the spatial correlation of noise, px, over the distances where there is.

    Parameters
    ----------
    fields : float32 array of shape (field, depth, width)
        Independent draws of the noise, of equal SD everywhere.
    """
    depth, width = fields.shape[1:]
    padded = (2 * depth, 2 * width)
    power = np.square(np.abs(np.fft.rfft2(fields, padded))).mean(axis=0)
    pairs = np.fft.irfft2(np.square(np.abs(np.fft.rfft2(np.ones((depth, width)), padded))), padded)
    reach = [min(CORRELATION_REACH, size - 1) for size in (depth, width)]
    near = [np.r_[0 : r + 1, -r:0] if r else np.array([0]) for r in reach]
    correlation = (np.fft.irfft2(power, padded) / np.maximum(pairs, 1.0))[np.ix_(*near)]
    if correlation[0, 0] <= 0:
        return 1.0
    correlation /= correlation[0, 0]
    # What is left of the chance correlations, of SD 1 / sqrt(fields x pixels), is cut away.
    chance = 4 / math.sqrt(fields.size)
    return max(float(correlation[correlation > max(chance, 0.02)].sum()), 1.0)


def _band(white: NDArray[np.float32], lowest: float, independent: float) -> int:
    """Return how many frequencies to keep: up to the last that holds more than noise."""
    excess = np.asarray(np.mean(np.square(white), axis=0, dtype=np.float64)) - 1
    smooth = scipy.ndimage.median_filter(excess, 5, mode="nearest")
    signal = np.flatnonzero(smooth > 0.05 + 4 * math.sqrt(2 / independent))
    last = int(signal[-1]) + 1 if signal.size else 0
    share = np.cumsum(np.maximum(excess[:last], 0.0))
    if last and share[-1] > 0:
        last = min(last, int(np.searchsorted(share, (1 - 1e-5) * share[-1])) + 1)
    return min(max(last, math.ceil(lowest)), white.shape[1])
