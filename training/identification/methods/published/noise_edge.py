"""How strong a direction of noise alone is, in a band of frequencies and a window of the image.

The noise of scanners is coloured in time, alike over neighbouring pixels, and grows with depth; a
filter colours it further. Taken for white, it would pass for hundreds of units.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ...noise import correlation_area

MARGIN = 1.2
"""A component counts if it is this many times as strong as the strongest direction of noise:
components that are not at right angles are somewhat stronger than the directions they mix."""

FLOOR = 1e-3
"""Share of a window's root energy that counts in a recording without noise."""

MOST = 60
"""Directions that may be more than noise, or a third of all."""

FIELDS = 48
"""Directions of noise whose images tell over how many pixels it is alike."""

SMOOTH = 5
"""Neighbouring frequencies of which the median is looked at."""

ROUNDS = 7
"""Times that fewer directions are looked at, each half as many, until all of MOST are noise."""


@dataclass(frozen=True)
class BandNoise:
    """Noise of a recording in a band of frequencies.

    Parameters
    ----------
    power : float64 array of shape (depth, width)
        Of each pixel, over the mean.
    area : float
        Pixels over which noise is alike: the sum of its spatial correlation.
    spectrum : float64 array of shape (frequency,)
        Mean square of the coefficients of the orthonormal discrete cosine transform over time,
        (mm/s)^2.
    """

    power: NDArray[np.float64]
    area: float
    spectrum: NDArray[np.float64]

    def strongest(self, window: tuple[slice, slice]) -> float:
        """Return the largest singular value that noise has in a window, (pixel, time) in mm/s.

        Of noise with covariance A over pixels and B over time it is sqrt(|A| tr B) + sqrt(|B| tr A)
        at most, and next to it, with |.| the largest eigenvalue (Chevet's inequality; of white
        noise that is sqrt(pixels) + sqrt(frames), Davidson and Szarek 2001,
        doi:10.1016/S1874-5849(01)80010-3).
        """
        power = self.power[window]
        whole = float(power.sum())
        largest = min(self.area * float(power.mean()), whole)
        # The mean over few pixels varies from one frequency to the next.
        peak = float(scipy.ndimage.median_filter(self.spectrum, SMOOTH, mode="nearest").max())
        return math.sqrt(largest * float(self.spectrum.sum())) + math.sqrt(whole * peak)


def band_noise(
    velocity: NDArray[np.float32], known: tuple[NDArray[np.float64], NDArray[np.float32]]
) -> BandNoise:
    """Estimate the noise of a recording whose band was cut out.

    It is what is left without the directions that are stronger than noise; these are chosen by the
    noise that is left.

    Parameters
    ----------
    velocity : float32 array of shape (time, depth, width)
        mm/s; each pixel of mean 0.
    known : (energy, courses)
        Its :func:`directions`.
    """
    shape = velocity.shape[1:]
    flat = velocity.reshape(len(velocity), -1)
    energy, courses = known
    rank = int((energy > 1e-9 * max(float(energy[0]), 1e-300)).sum())
    spectra = np.square(scipy.fft.dct(courses[:, :rank], norm="ortho", axis=0)) * energy[:rank]
    images = (courses[:, :rank].T @ flat).reshape(rank, *shape)
    everywhere = (slice(0, shape[0]), slice(0, shape[1]))
    most = min(MOST, rank // 3)
    kept = BandNoise(np.ones(shape), 1.0, np.zeros(len(flat)))
    for _ in range(ROUNDS):
        area = _area(images[most:], energy[most:rank])
        count, before = most, -1
        while count != before:
            power = np.square(images[count:], dtype=np.float64).sum(axis=0)
            mean = float(power.mean())
            if not mean > 0:
                return kept
            spectrum = spectra[:, count:].sum(axis=1) / power.size
            kept = BandNoise(power / mean, area, spectrum)
            least = MARGIN * kept.strongest(everywhere)
            before, count = count, min(int((np.sqrt(energy) > least).sum()), count)
        # Noise that few directions hold: what is left without so many is not like it.
        if count < most or not most:
            break
        most //= 2
    return kept


def _area(images: NDArray[np.float32], energy: NDArray[np.float64]) -> float:
    """Return over how many pixels noise is alike, by images of directions of noise alone."""
    share = np.cumsum(energy) / max(float(energy.sum()), 1e-300)
    # Each as often as there is energy at its place.
    places = np.unique(np.searchsorted(share, (np.arange(FIELDS) + 0.5) / FIELDS))
    fields = images[places[places < len(images)]]
    power = scipy.ndimage.gaussian_filter(np.square(fields).mean(axis=0), 2.0, mode="nearest")
    if not fields.size or not float(power.max()) > 0:
        return 1.0
    return correlation_area(fields / np.sqrt(np.maximum(power, 1e-6 * power.max())))


def directions(flat: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the squared singular values of velocity (time, pixel), falling, and their courses.

    They come from the products of the fewer of frames and pixels, which is what takes less time
    than singular values.

    Returns
    -------
    energy : float64 array of shape (direction,)
    courses : float32 array of shape (time, direction)
        Of length 1.
    """
    if len(flat) <= flat.shape[1]:
        energy, courses = np.linalg.eigh((flat @ flat.T).astype(np.float64))
        return np.maximum(energy[::-1], 0), courses[:, ::-1].astype(np.float32)
    energy, images = np.linalg.eigh((flat.T @ flat).astype(np.float64))
    energy = np.maximum(energy[::-1], 0)
    courses = flat @ images[:, ::-1].astype(np.float32)
    return energy, courses / np.maximum(np.sqrt(energy), 1e-30).astype(np.float32)
