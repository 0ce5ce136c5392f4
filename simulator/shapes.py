"""Shapes of territories: each is a class, and a line in the table of all."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .parameters import Parameters


class Shape:
    """A shape of territories; as it stands, a disc. Others change what differs.

    An outline is that of an ellipse: depth and width of its centre and the semi-axes, mm, and the
    angle of the first one to the depth axis, rad. The muscle's edges are its first and last depth,
    first and last width, mm from the image's upper left corner.
    """

    has_axis_ratio = False
    """Whether parameter `axis_ratio` says something about it."""

    def longest(self, parameters: "Parameters") -> float:
        """Return the greatest length of a territory that can be drawn, mm."""
        return parameters.diameter.high

    def outlines(
        self, parameters: "Parameters", discs: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the outlines of units, float64 (unit, 5), from discs of their areas."""
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
        outline : float64 array of shape (5,)
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


SHAPES: dict[str, Shape] = {"disc": Shape(), "ellipse": Ellipse(), "fibres": Fibres()}
"""Shapes by the names that parameter `territory` has for them."""
