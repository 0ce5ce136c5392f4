"""Small scatterers beside the image's plane, which tissue brings into it as it moves across.

Scatterers of planes side by side are weighed by the beam's profile, a Gaussian: so echoes that are
d apart agree by ``exp(-d^2 / (4 sd^2))`` in amplitude, wherever they are (Wagner et al. 1983,
doi:10.1109/T-SU.1983.31404). What is in the image's plane is given, and the rest drawn: the sum is
``r(d) (given - drawn(0)) + drawn(d)`` with that r.
"""

import math
import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from ..experiment.speckle import ELEVATION
from ..noise import FRAMES_PER_GROUP, standard_normal

ELEVATION_SD = ELEVATION / (2 * math.sqrt(2 * math.log(2)))
"""SD of the beam across the image's plane, of echoes' amplitude there and back, mm."""

DISTANCE = 1.25
"""Of planes, in SD of that beam."""

SEEN = 2
"""Planes to either side of the nearest one that are seen: others have less than 0.01."""

KEPT = 24
"""Planes that are held in memory; others are drawn again."""


class Planes:
    """Small scatterers in all planes.

    Parameters
    ----------
    given : float32 array of shape (row, 2, padded column)
        Real and imaginary part of what is seen in plane 0.
    strength : complex64 array of shape (row, column)
        What small scatterers of amplitude 1 are seen as.
    key : uint32 array of shape (4,)
        Planes are drawn by it and by their number.
    rows : slice, optional
        Those of `given` that are wanted; all, if not given.
    """

    def __init__(
        self,
        given: NDArray[np.float32],
        strength: NDArray[np.complex64],
        key: NDArray[np.uint32],
        rows: slice = slice(None),
    ) -> None:
        self.whole, self.strength, self.key, self.rows = given, strength, key, rows
        self.given = given[rows]
        self._kept: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._missing: NDArray[np.float32] | None = None
        self._lock = threading.Lock()

    def part(self, rows: slice) -> "Planes":
        """Return some rows of these alone, whose values are the same."""
        low, high, _ = self.rows.indices(len(self.whole))
        first, stop, _ = rows.indices(high - low)
        return Planes(self.whole, self.strength, self.key, slice(low + first, low + stop))

    def seen_at(self, across: float, out: NDArray[np.float32]) -> None:
        """Write what is seen after motion across, mm, into `out`, which is like `given`."""
        from .moving_kernels import mix

        if across == 0:
            out[:] = self.given
            return
        with self._lock:  # planes are drawn once, whoever asks
            if self._missing is None:
                missing = np.empty_like(self.given)
                planes, weights = self._drawn(0.0)
                mix(self.given, np.float32(1), planes, -weights, missing)
                self._missing = missing
            drawn = self._drawn(across)
        kept = math.exp(-((across / ELEVATION_SD) ** 2) / 4)
        mix(self._missing, np.float32(kept), *drawn, out)

    def _drawn(self, across: float) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32]]:
        """Return the planes that are seen at a place, and their amplitudes."""
        nearest = round(across / ELEVATION_SD / DISTANCE)
        numbers = range(nearest - SEEN, nearest + SEEN + 1)
        weights = np.exp(-((across / ELEVATION_SD - DISTANCE * np.array(numbers)) ** 2) / 2)
        weights /= math.sqrt(math.fsum(weights**2))
        return tuple(self._plane(number) for number in numbers), weights.astype(np.float32)

    def _plane(self, number: int) -> NDArray[np.float32]:
        """Return the echoes of a plane, float32 (row, 2, padded column)."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        rows, columns = self.strength.shape
        place = 2 * number if number >= 0 else -2 * number - 1
        real, imaginary = standard_normal(self.key, (2, rows, columns), FRAMES_PER_GROUP * place)
        real, imaginary = real[self.rows], imaginary[self.rows]
        drawn = (real + np.complex64(1j) * imaginary) * np.float32(math.sqrt(0.5))
        echoes = self.strength[self.rows] * drawn
        plane = np.zeros_like(self.given)
        plane[:, 0, :columns], plane[:, 1, :columns] = echoes.real, echoes.imag
        self._kept[number] = plane
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return plane
