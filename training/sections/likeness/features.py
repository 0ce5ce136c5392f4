"""What images are compared by as sets: a few numbers of each, from filters or from a network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError

PERIODS = (4.0, 8.0, 16.0, 32.0)
"""Periods to which filters are tuned [px]: speckle, sheaths, fascicles, aponeuroses."""

ORIENTATIONS = 6
"""Directions to which filters are tuned, evenly over half a turn."""

BANDWIDTH = 0.65
"""SD of a filter's logarithmic frequency, as the ratio that its exponential is: an octave and a
half at half height (Field 1987, doi:10.1364/JOSAA.4.002379, log-Gabor functions)."""

STRIPS = 8
"""Strips of depth whose mean grey level is taken."""

FLOOR = 1e-2
"""Variance [squared grey levels] added before the logarithm: an even image has none."""


@dataclass(frozen=True)
class FeatureExtractor:
    """What makes features of images.

    Parameters
    ----------
    name : str
        Which features these are, to stand beside every number that depends on them.
    function : callable
        Of images, uint8 of shape (images, depth, width), to features, float64 of shape
        (images, features).
    """

    name: str
    function: Callable[[NDArray[np.uint8]], NDArray[np.float64]]

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the features of images.

        Raises
        ------
        InputError
            If they are no finite numbers, so many of each image.
        """
        found = np.asarray(self.function(images), dtype=np.float64)
        if found.ndim != 2 or len(found) != len(images) or not np.isfinite(found).all():
            raise InputError(
                f"features of {self.name}: found an array of shape {found.shape}, wanted finite "
                f"numbers of shape ({len(images)}, features)"
            )
        return found


def filter_bank() -> FeatureExtractor:
    """Return features without weights: energies of oriented filters, and brightness by depth.

    Log-Gabor filters (Field 1987, doi:10.1364/JOSAA.4.002379) of :data:`PERIODS` and
    :data:`ORIENTATIONS` give the logarithm of their variance over the image, which fades out at
    its edges as Hann's window does; :data:`STRIPS` strips give their mean grey level. They tell
    texture, how it is oriented and how bright the image is by depth, and nothing of where a
    structure lies.
    """
    count = len(PERIODS) * ORIENTATIONS + STRIPS
    return FeatureExtractor(
        f"{count} filters (log-Gabor energies of {len(PERIODS)} periods from {PERIODS[0]:g} to "
        f"{PERIODS[-1]:g} px in {ORIENTATIONS} directions, and grey levels of {STRIPS} strips)",
        _filtered,
    )


def _filtered(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    depth, width = images.shape[1:]
    if min(depth, width) < PERIODS[-1]:
        raise InputError(
            f"found images of {depth} x {width} px, wanted {PERIODS[-1]:g} x {PERIODS[-1]:g} or "
            "more for filters of that period; take larger images"
        )
    gains = _gains(depth, width) ** 2
    window = np.outer(*(_fading(side) for side in (depth, width)))
    scale = 1 / (window**2).sum() / (depth * width)
    edges = np.linspace(0, depth, STRIPS + 1).round().astype(int)
    rows = []
    for image in images:
        values = image.astype(np.float64)
        values -= (values * window).sum() / window.sum()
        power = np.abs(np.fft.fft2(values * window)) ** 2
        energies = np.tensordot(gains, power, axes=2) * scale  # of the filtered image (Parseval)
        strips = np.add.reduceat(image.mean(axis=1), edges[:-1]) / np.diff(edges)
        rows.append(np.concatenate([np.log(FLOOR + energies), strips]))
    return np.stack(rows)


def _fading(side: int) -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(side) + 0.5) / side)


def _gains(depth: int, width: int) -> NDArray[np.float64]:
    """Return the gains of all filters, of shape (filter, depth, width), periods before angles."""
    down, across = np.meshgrid(np.fft.fftfreq(depth), np.fft.fftfreq(width), indexing="ij")
    frequency = np.hypot(down, across)
    logarithm = np.log(np.where(frequency > 0, frequency, 1.0))
    angle = np.arctan2(down, across)
    spread = np.pi / ORIENTATIONS / 1.5
    found = []
    for period in PERIODS:
        radial = np.exp(-((logarithm + np.log(period)) ** 2) / (2 * np.log(BANDWIDTH) ** 2))
        radial[0, 0] = 0.0
        for number in range(ORIENTATIONS):
            # Waves of either direction are the same: angles differ by a quarter turn at most.
            off = angle - number * np.pi / ORIENTATIONS
            off = (off + np.pi / 2) % np.pi - np.pi / 2
            found.append(radial * np.exp(-(off**2) / (2 * spread**2)))
    return np.stack(found)


def standardised(
    real: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both sets' features less the real set's mean, over its SD.

    What does not vary among real images stays as it is, but for the mean.
    """
    mean, sd = real.mean(axis=0), real.std(axis=0)
    sd = np.where(sd > 1e-9 * np.abs(mean).max(initial=1.0), sd, 1.0)
    return (real - mean) / sd, (other - mean) / sd


def principal_components(
    features: NDArray[np.float64], count: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first principal components of features, and the share of variance they explain.

    Parameters
    ----------
    features : (images, features) array of float64
    count : int

    Returns
    -------
    scores : (images, count) array of float64
        Signs are such that the feature that weighs most weighs positively; 0 beyond what there is.
    explained : (count,) array of float64
    """
    centred = features - features.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    found = min(count, len(values))
    signs = np.sign(right[np.arange(found), np.abs(right[:found]).argmax(axis=1)])
    scores, explained = np.zeros((len(features), count)), np.zeros(count)
    scores[:, :found] = left[:, :found] * values[:found] * np.where(signs == 0, 1, signs)
    total = float((values**2).sum())
    if total > 0:
        explained[:found] = values[:found] ** 2 / total
    return scores, explained
