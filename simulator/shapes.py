"""Shapes of territories: each is a class, and a line in the table of all."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .parameters import Parameters


BEND = (0.8, 1.6)
"""How far crescents are bent, in shorter semi-axes (an assumption): from 0.5 on they are hollow."""

GAP = (0.15, 0.4)
"""Half the gap of split territories, in longer semi-axes (an assumption)."""

CRESCENTS, SPLIT_ONES = 0.45, 0.1
"""Shares of mixed territories: most of 31 were elliptical or crescent shaped, and few were split
(Birkbeck et al. 2020, doi:10.1016/j.clinph.2020.02.004, who give no numbers)."""


class Shape:
    """A shape of territories; as it stands, a disc. Others change what differs.

    An outline is that of an ellipse: depth and width of its centre and the semi-axes, mm, and the
    angle of the first one to the depth axis, rad. Two more numbers bend and split it
    (:func:`.territory_kernels.cover_bent`), which leaves its area and its centre as they are.
    The muscle's edges are its first and last depth, first and last width, mm from the image's
    upper left corner.
    """

    has_axis_ratio = False
    """Whether parameter `axis_ratio` says something about it."""

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest length of a territory that can be drawn, mm."""
        return parameters.diameter.high

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the outlines of units, float64 (unit, 5 or 7), from discs of their areas."""
        return discs

    def membership(
        self,
        parameters: "Parameters",
        edges: NDArray[np.float64],
        outline: NDArray[np.float64],
        covered: NDArray[np.float32],
        random: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Return how far pixels belong to a unit, 0..1.

        Parameters
        ----------
        parameters : Parameters
        edges : float64 array of shape (4,)
            The muscle's.
        outline : float64 array of shape (5,) or (7,)
        covered : float32 array of shape (depth, width)
            What the outline covers of each pixel inside the muscle; 0 or 1 with hard masks.
        random : numpy.random.Generator
            For this purpose alone.

        Returns
        -------
        float32 array of shape (depth, width)
        """
        return covered


class Ellipse(Shape):
    """An ellipse of any direction, with the area of its disc."""

    has_axis_ratio = True

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest long axis."""
        return parameters.diameter.high * math.sqrt(parameters.axis_ratio.high)

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Stretch and turn discs."""
        outlines, units = discs.copy(), len(discs)
        stretch = np.sqrt(parameters.axis_ratio.draw(random, units))
        outlines[:, 2] *= stretch
        outlines[:, 3] /= stretch
        outlines[:, 4] = random.random(units) * math.pi
        return outlines


class Crescent(Ellipse):
    """An ellipse that is bent to either side."""

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest length of what is bent: its ends', or across, if it is round."""
        ratio = parameters.axis_ratio
        return parameters.diameter.high * max(math.sqrt(ratio.high), 1.4 / math.sqrt(ratio.low))

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Bend ellipses."""
        ellipses, units = super().outlines(parameters, discs, random), len(discs)
        bends = random.uniform(*BEND, units) * np.where(random.random(units) < 0.5, 1, -1)
        return np.column_stack([ellipses, bends, np.zeros(units)])


class Split(Ellipse):
    """An ellipse in two halves that lie apart."""

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest length of both halves and the gap."""
        return super().longest(parameters) * (1 + GAP[1])

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Split ellipses."""
        ellipses, units = super().outlines(parameters, discs, random), len(discs)
        return np.column_stack([ellipses, np.zeros(units), random.uniform(*GAP, units)])


class Mixed(Ellipse):
    """Ellipses, crescents and, now and then, split ones, each unit for itself."""

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest length of any."""
        return max(Crescent().longest(parameters), Split().longest(parameters))

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Bend some ellipses, and split others."""
        ellipses, units = super().outlines(parameters, discs, random), len(discs)
        kind = random.random(units)
        bends = random.uniform(*BEND, units) * np.where(random.random(units) < 0.5, 1, -1)
        gaps = random.uniform(*GAP, units)
        return np.column_stack([
            ellipses,
            np.where(kind < CRESCENTS, bends, 0),
            np.where(kind > 1 - SPLIT_ONES, gaps, 0),
        ])  # fmt: skip


class Fibres(Shape):
    """Fibres scattered uniformly in a disc; their local density over the nominal.

    The number of fibres is Poisson with mean density x area. The density map is smoothed by a
    Gaussian and limited to 1; with hard masks it is 1 where it is at least a half.
    """

    def membership(
        self,
        parameters: "Parameters",
        edges: NDArray[np.float64],
        outline: NDArray[np.float64],
        covered: NDArray[np.float32],
        random: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Scatter fibres and return their density."""
        from scipy.ndimage import gaussian_filter

        radius = outline[2]
        fibres = random.poisson(parameters.fibre_density * math.pi * radius**2)
        distance = radius * np.sqrt(random.random(fibres))
        angle = 2 * math.pi * random.random(fibres)
        dz, dx = parameters.pixel_size
        rows = np.floor((outline[0] + distance * np.cos(angle)) / dz).astype(int)
        columns = np.floor((outline[1] + distance * np.sin(angle)) / dx).astype(int)
        shown = (
            (rows >= 0)
            & (rows < parameters.pixels[0])
            & (columns >= 0)
            & (columns < parameters.pixels[1])
        )
        count = np.zeros(parameters.pixels)
        np.add.at(count, (rows[shown], columns[shown]), 1.0)
        sigma = (parameters.fibre_smoothing / dz, parameters.fibre_smoothing / dx)
        # "nearest" keeps the density level at the image's edge, beyond which fibres go on.
        density = gaussian_filter(count, sigma, mode="nearest", truncate=4) / (dz * dx)
        share = np.minimum(density / parameters.fibre_density, 1.0)
        # The smoothing's far tails are no fibres.
        share[share < 1e-3] = 0.0
        if parameters.mask == "hard":
            share = (share >= 0.5).astype(float)
        top, bottom, left, right = edges
        z = (np.arange(parameters.pixels[0]) + 0.5) * dz
        x = (np.arange(parameters.pixels[1]) + 0.5) * dx
        in_muscle = ((z >= top) & (z <= bottom))[:, None] & ((x >= left) & (x <= right))
        return np.where(in_muscle, share, 0.0).astype(np.float32)


SHAPES: dict[str, Shape] = {
    "disc": Shape(), "ellipse": Ellipse(), "crescent": Crescent(), "split": Split(),
    "mixed": Mixed(), "fibres": Fibres(),
}  # fmt: skip
"""Shapes by the names that parameter `territory` has for them."""
