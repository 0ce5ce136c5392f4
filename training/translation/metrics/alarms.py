"""Alarms: contraction that comes out as relaxation, and checkerboards.

Both are known faults of such translations: Ali et al. 2022 (BioMedical Engineering OnLine) met
generators that turned the sign of the units' motion, and patterns that repeat in variance maps and
K-spaces. A score over pairs of sequences hardly notices either, so each is looked for by itself.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from .consistency import Consistency
from .features import moments

PERIOD = 8
"""Checkerboards repeat within as many pixels: two layers of stride 2 leave patterns of 2 and 4."""

FLOOR = 1e-3
"""Variance, over the sequence's, that is added before the logarithm: stillness has none."""

NEAR, FAR = 3, 8
"""Points of K-space from a peak, on its every side, between which its surroundings lie."""

QUANTILE = 0.9
"""Share of its surroundings that a peak's power is to exceed: of the median the flank of a smooth
spectrum is a multiple too."""

LEAST_MEAN = 0.01
"""SD of the mean over time, over the sequence's, from which a constant pattern is looked for."""

LEAST_PERIODS = 8
"""In a side of an image, without which K-space has no surroundings of such peaks."""

LEAST_PIXELS = LEAST_PERIODS * PERIOD
"""Side of an image without which none is looked for in sequences."""


@dataclass(frozen=True, kw_only=True)
class AlarmSettings:
    """When there is an alarm.

    Parameters
    ----------
    motion : float
        Variance of a pixel's input, over the mean of all pixels, from which it counts as moving.
    inverted : float
        Share of the moving pixels that may come out with the opposite sign.
    checkerboard : float
        Power of an isolated peak of K-space, over that of its surroundings, that is no alarm.
        White noise, filtered noise and the simulator's maps of 64 x 64 and 128 x 128 px stay below
        13, most of them below 3; 2 % of checkerboard in the velocity of a virtual recording of 128
        x 128 px give 75 or more.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    motion: float = 0.5
    inverted: float = 0.1
    checkerboard: float = 20.0

    def __post_init__(self) -> None:
        for name, high in (("motion", math.inf), ("inverted", 1.0), ("checkerboard", math.inf)):
            value = getattr(self, name)
            if not 0 < value < high:
                raise InputError(f"{name}: found {value}, wanted more than 0, less than {high:g}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values, of which the class is made again by keywords."""
        return dataclasses.asdict(self)

    def describe(self) -> str:
        """Return the settings as one sentence."""
        return (
            f"Inversion: alarm where more than {self.inverted:.0%} of the pixels that move "
            f"(variance above {self.motion:g} of the mean) correlate negatively at lag 0. "
            f"Checkerboard: alarm where a peak of K-space at a period of {PERIOD} px, or a part of "
            f"it, has more than {self.checkerboard:g} times the power around it, and more than any "
            f"sequence of both domains has; images below {LEAST_PIXELS} x {LEAST_PIXELS} px are "
            "too small to look for one."
        )


def inverted_share(found: Consistency, settings: AlarmSettings) -> float:
    """Return the share of moving pixels whose output goes against their input.

    Parameters
    ----------
    found : Consistency
    settings : AlarmSettings

    Returns
    -------
    float
        0..1; NaN where no pixel moves.
    """
    moving = (found.variance > settings.motion) & np.isfinite(found.at_once)
    return float((found.at_once[moving] < 0).mean()) if moving.any() else math.nan


@dataclass(frozen=True)
class Checkerboard:
    """The most isolated peak of K-space at a checkerboard's frequencies.

    Parameters
    ----------
    strength : float
        Its power over that of its surroundings; NaN where images are too small to tell.
    period : (float, float)
        Over depth and width, px; infinite where the pattern does not change along that axis.
    """

    strength: float
    period: tuple[float, float]


NONE = Checkerboard(0.0, (math.inf, math.inf))


def checkerboard(sequence: NDArray[Any]) -> Checkerboard:
    """Look for a checkerboard in a sequence: in its variance and in its mean over time.

    Transposed convolutions leave patterns that repeat every 2 or 4 pixels, as a factor of the
    motion, as motion of their own, or as a constant. The first two show in the logarithm of the
    variance, where a factor has one peak however the motion is spread; the third in the mean.

    Parameters
    ----------
    sequence : array of shape (time, depth, width)

    Returns
    -------
    Checkerboard

    Raises
    ------
    InputError
        If it is no sequence, or its values are not finite or all alike.
    """
    _, sd, means, variances = moments(sequence)
    return checkerboard_of(means / sd, variances / sd**2)


def checkerboard_of(means: NDArray[np.float64], variances: NDArray[np.float64]) -> Checkerboard:
    """Look for a checkerboard in mean and variance of a standardised sequence's pixels.

    Parameters
    ----------
    means, variances : float64 arrays of shape (depth, width)
    """
    found = [isolated_peak(np.log(FLOOR + variances))]
    # A mean that is nothing beside the motion is rounding, or what a filter left.
    if means.std() > LEAST_MEAN:
        found.append(isolated_peak(means))
    return max(found, key=lambda each: each.strength)


def isolated_peak(image: NDArray[np.float64], period: int = PERIOD) -> Checkerboard:
    """Return the most isolated peak of an image's K-space at a period and parts of it.

    The image is cut to a multiple of the period, and tapered so that its edges leave no cross in
    K-space. A peak is compared with the points a few away from it that are near none of the other
    frequencies looked at: with the power that a tenth of them exceeds. On the axes kz = 0 and
    kx = 0, where layers of tissue gather power, it has to stand out of those of the axis too.

    Parameters
    ----------
    image : float64 array of shape (depth, width)
    period : int
        The longest that is looked for, px; even.

    Returns
    -------
    Checkerboard
        Its strength is NaN if a side of the image has less than eight periods.
    """
    depth, width = (side - side % period for side in image.shape)
    if min(depth, width) < LEAST_PERIODS * period:
        return Checkerboard(math.nan, (math.inf, math.inf))
    cut = image[:depth, :width]
    if np.ptp(cut) == 0:
        return NONE
    taper = np.outer(_taper(depth), _taper(width))
    level = float((cut * taper).sum() / taper.sum())
    power = np.abs(np.fft.fft2((cut - level) * taper)) ** 2
    power = np.maximum(power, 1e-24 * power.max())  # rounding is no peak
    steps = depth // period, width // period
    best = NONE
    # Half of the plane: the rest mirrors it.
    for z in range(period // 2 + 1):
        for x in range(period if z not in (0, period // 2) else period // 2 + 1):
            if (z, x) == (0, 0):
                continue
            place = z * steps[0], x * steps[1]
            strength = float(power[place] / _power_around(power, place, steps))
            if strength > best.strength:
                found = tuple(period / min(k, period - k) if k else math.inf for k in (z, x))
                best = Checkerboard(strength, found)  # type: ignore[arg-type]
    return best


def _taper(count: int) -> NDArray[np.float64]:
    """Return Hann's window over a whole period: it spreads a peak by one point to either side."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(count) + 0.5) / count)


def _power_around(
    power: NDArray[np.float64], place: tuple[int, int], steps: tuple[int, int]
) -> float:
    """Return the power that a tenth of the points around one exceed."""
    on_axis = [each == 0 for each in place]
    away = np.arange(-FAR, FAR + 1)
    shifts = np.meshgrid(away, away, indexing="ij")
    points = [(p + s) % n for p, s, n in zip(place, shifts, power.shape, strict=True)]
    kept = np.maximum(*map(np.abs, shifts)) >= NEAR
    # The distance to the nearest frequency that is looked at.
    gaps = [np.minimum(p % step, step - p % step) for p, step in zip(points, steps, strict=True)]
    kept &= np.maximum(*gaps) >= NEAR
    off = kept & (points[0] != 0) & (points[1] != 0)
    around = [off]
    for shift, here in zip(shifts, on_axis, strict=True):
        if here:
            around.append(kept & (shift == 0))
    return max(
        float(np.quantile(power[points[0][each], points[1][each]], QUANTILE, method="higher"))
        for each in around
    )


def alarm_lines(
    sequences: Sequence[Mapping[str, Any]], settings: AlarmSettings, limit: float
) -> tuple[str, ...]:
    """Return a line for each alarm that some translated sequences raise.

    Parameters
    ----------
    sequences : sequence of mapping
        One a sequence, with ``inverted``, ``checkerboard``, ``checkerboard_period``, and with
        ``inversion_alarm`` and ``checkerboard_alarm``, whether they raise one.
    settings : AlarmSettings
    limit : float
        Strength of a checkerboard that is no alarm here: the settings', or the domains' own.
    """
    lines = []
    inverted = [row["inverted"] for row in sequences if row["inversion_alarm"]]
    if inverted:
        lines.append(
            f"contraction comes out as relaxation in {len(inverted)} of {len(sequences)} sequences,"
            f" in up to {max(inverted):.0%} of the pixels that move (alarm above "
            f"{settings.inverted:.0%})"
        )
    alarmed = [row for row in sequences if row["checkerboard_alarm"] == 1]
    if alarmed:
        worst = max(alarmed, key=lambda row: row["checkerboard"])
        lines.append(
            f"checkerboard in {len(alarmed)} of {len(sequences)} sequences, with a period of "
            f"{worst['checkerboard_period']} px and up to {worst['checkerboard']:.0f} times the "
            f"power around it (alarm above {limit:.0f})"
        )
    return tuple(lines)
