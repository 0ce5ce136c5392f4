"""Sheaths of connective tissue: the bright streaks between fascicles, and those in fat.

They are laid side by side in a table over the fascicle's number and the way along it, and the image
looks up what it has at each place: so they follow fascicles wherever these run. All courses are
assumptions: a sheath is wavy, is more and less bright along its length, and has gaps.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

ROW = 0.05
"""Step of the table across sheaths, mm."""

STEP = 0.4
"""Step of the table along sheaths, mm."""

PROFILE = 0.08
"""SD of a sheath's profile, mm: thinner than a pulse is long."""

ROUGH = 0.8
"""Amplitude of what a sheath scatters, over what it reflects."""

STRENGTHS = 0.9
"""SD of the natural logarithm of the strength of sheaths."""


@dataclass(frozen=True)
class Sheaths:
    """How sheaths are laid.

    Parameters
    ----------
    distance : float
        Between neighbours, mm.
    gaps : float
        Share of their length that is not seen, 0..1.
    echo : float
        Amplitude of their echoes in the mean, over that of muscle's scatterers.
    length : float
        Over which they change along themselves, mm.
    wave : float
        SD of their way off a straight one, mm.
    """

    distance: float
    gaps: float
    echo: float
    length: float = 5.0
    wave: float = 0.12

    def seen_at(
        self,
        number: NDArray[np.float64],
        along: NDArray[np.float64],
        random: np.random.Generator,
    ) -> NDArray[np.complex128]:
        """Draw sheaths and return their echoes at some places.

        Parameters
        ----------
        number, along : float64 arrays of shape (place,)
            Across fascicles and along them, mm.
        random : numpy.random.Generator

        Returns
        -------
        complex128 array of shape (place,)
        """
        from .sheaths_kernels import look_up

        if number.size == 0:
            return np.zeros(0, np.complex128)
        origin, start = number.min() - 1.0, along.min() - STEP
        rows = math.ceil((number.max() - origin + 1.0) / ROW) + 2
        steps = math.ceil((along.max() - start) / STEP) + 3
        table = self._table(rows, steps, random)
        out = np.empty((2, number.size), np.float32)
        look_up(table, (number - origin) / ROW, (along - start) / STEP, out)
        return out[0] + 1j * out[1].astype(np.float64)

    def _table(self, rows: int, steps: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Draw the echoes over number and way, float32 (2, row, step)."""
        from .sheaths_kernels import lay_sheaths

        count = math.ceil(1.2 * rows * ROW / self.distance) + 5
        # Distances vary as those of a gamma process of shape 2: crowded here, sparse there.
        first = np.cumsum(random.standard_gamma(2.0, count) / 2) * self.distance / ROW
        strength = np.exp(STRENGTHS * random.standard_normal((count, 1)))

        def course(length: float) -> NDArray[np.float64]:
            white = random.standard_normal((count, steps))
            smooth = scipy.ndimage.gaussian_filter1d(white, length / STEP, axis=1, mode="wrap")
            # Of variance 1 again: a Gaussian of SD s keeps 1 / (2 sqrt(pi) s) of it.
            return smooth * math.sqrt(2 * math.sqrt(math.pi) * length / STEP)

        bright, wavy, uneven = course(self.length / 2), course(self.length), course(0.8)
        phase = math.pi * course(self.length / 4)
        # What is below the share of gaps in a normal distribution is not seen; edges are soft.
        edge = float(scipy.special.ndtri(np.clip(self.gaps, 1e-6, 1 - 1e-6)))
        seen = np.clip((bright - edge) / 0.8, 0, 2) ** 1.5
        amplitude = self.echo * strength * seen * np.exp(0.4 * uneven)
        table = np.zeros((2, rows, steps), np.float32)
        rough = ROUGH * random.standard_normal((2, count, steps)) / math.sqrt(2)
        echo = amplitude * (np.stack([np.cos(phase), np.sin(phase)]) + rough)
        lay_sheaths(first, wavy * self.wave / ROW, echo, PROFILE / ROW, table)
        return table
