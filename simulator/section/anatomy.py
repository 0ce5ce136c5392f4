"""What lies where in a longitudinal section, and the truth of it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..seeds import Stream, generator
from .curves import Curve, between, thickness
from .fascicles import Fascicle, Fascicles, measure
from .parameters import SIDES, SectionParameters

SMALLEST = 1.0
"""Two aponeuroses are at least this far apart anywhere in the image, mm."""

ATTEMPTS = 100
"""Drawings of an anatomy, of which the first that fits into the image is taken."""


@dataclass(frozen=True)
class Anatomy:
    """One subject's section.

    Parameters
    ----------
    superficial, deep : Curve
        Middle lines of the muscle's aponeuroses.
    central : Curve, optional
        That of the aponeurosis in the muscle's middle.
    sheet : float
        Thickness of aponeuroses, mm.
    skin : float
        Thickness of the skin, mm.
    bone : Curve
        Surface of the bone; it may lie below the image.
    fascicles : tuple of Fascicles
        Of each compartment, the superficial one first.
    beneath : Fascicles
        Of the muscle below.
    """

    superficial: Curve
    deep: Curve
    central: Curve | None
    sheet: float
    skin: float
    bone: Curve
    fascicles: tuple[Fascicles, ...]
    beneath: Fascicles

    @property
    def thickness(self) -> float:
        """Mean of five perpendicular chords between the middle lines, mm."""
        return thickness(self.superficial, self.deep)

    @property
    def fascicle(self) -> Fascicle:
        """The fascicle in the middle of the superficial compartment."""
        return measure(self.fascicles[0], self.superficial)

    def masks(self, pixels: tuple[int, int], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
        """Return which pixels have their centre in an aponeurosis.

        Parameters
        ----------
        pixels : (int, int)
            Depth and width of the image.
        pixel_size : (float, float)
            mm.

        Returns
        -------
        bool array of shape (2, depth, width)
            The superficial one and the deep one. In each column both have one pixel at least where
            they lie in the image.
        """
        depth, width = (
            (np.arange(n) + 0.5) * step for n, step in zip(pixels, pixel_size, strict=True)
        )
        masks = np.empty((2, *pixels), bool)
        for mask, curve in zip(masks, (self.superficial, self.deep), strict=True):
            # Thinner ones than a pixel would be lost between two centres.
            down = self.sheet * np.hypot(1, curve.slope_at(width))
            half = np.maximum(down, pixel_size[0]) / 2
            offset = depth[:, None] - curve.at(width)
            mask[:] = (offset >= -half) & (offset < half)
        return masks


def draw_anatomy(parameters: SectionParameters, seed: int, index: int) -> Anatomy:
    """Draw the section of subject `index`: again, until its aponeuroses have place in the image.

    Raises
    ------
    InputError
        If they have none in :data:`ATTEMPTS` drawings.
    """
    random = generator(seed, index, Stream.SECTION)
    for _ in range(ATTEMPTS - 1):
        try:
            return _draw(parameters, random)
        except InputError:
            continue
    return _draw(parameters, random)


def _draw(parameters: SectionParameters, random: np.random.Generator) -> Anatomy:
    """Draw a section once; raise InputError if it has no place in the image."""
    names = ("thickness", "pennation", "fascicle_bow", "fat", "skin", "tilt", "taper",
             "aponeurosis", "bone")  # fmt: skip
    drawn = {name: getattr(parameters, name).draw_one(random) for name in names}
    bows = parameters.bow.draw(random, 2)
    ways = random.integers(0, 2, 4) * 2 - 1
    shares = random.random(4)
    middle = half = parameters.size[1] / 2
    tilt = math.radians(drawn["tilt"]) * ways[0]
    superficial = Curve(drawn["fat"], math.tan(tilt), bows[0], middle, half)
    steep = math.tan(tilt + math.radians(drawn["taper"]) * ways[1])
    deep = Curve(drawn["fat"] + drawn["thickness"], steep, bows[1], middle, half)
    check_place(superficial, deep, parameters.size[0])
    central = between(superficial, deep) if parameters.compartments == 2 else None
    angle, side = math.radians(drawn["pennation"]), int(ways[2])
    side = SIDES.get(parameters.fascicles_rise, side)
    height = drawn["thickness"] / parameters.compartments
    feet = deep if central is None else central
    fascicles = [Fascicles(feet, angle, side, drawn["fascicle_bow"], height)]
    if central is not None:
        fascicles.append(Fascicles(feet, angle, side, drawn["fascicle_bow"], height, True))
    # What is below is another muscle, whose fascicles leave the same aponeurosis the other way.
    below = math.radians(2 + 18 * shares[0])
    bone = Curve(deep.depth + drawn["bone"], deep.slope * shares[1], 2 * (shares[2] - 0.5), middle,
                 half)  # fmt: skip
    return Anatomy(
        superficial=superficial,
        deep=deep,
        central=central,
        sheet=drawn["aponeurosis"],
        skin=drawn["skin"],
        bone=bone,
        fascicles=tuple(fascicles),
        beneath=Fascicles(deep, below, int(ways[3]), 0.0, 20.0, True),
    )


def check_place(superficial: Curve, deep: Curve, depth: float) -> None:
    """Raise InputError if two aponeuroses of an image of `depth` mm have no place in it."""
    across = superficial.middle + superficial.half * np.linspace(-1, 1, 101)
    apart = float((deep.at(across) - superficial.at(across)).min())
    if apart < SMALLEST:
        raise InputError(
            f"thickness: found aponeuroses {apart:.3g} mm apart at a side of the image, wanted "
            f"{SMALLEST:g} mm or more; use more thickness, or less taper or bow"
        )
    if float(superficial.at(across).min()) < 0:
        raise InputError(
            "fat: found a superficial aponeurosis above the skin at a side of the image, wanted it "
            "below; use more fat, or less tilt or bow"
        )
    lowest = float(deep.at(across).max())
    if lowest > depth:
        raise InputError(
            f"size: found a deep aponeurosis at {lowest:.3g} mm, wanted it in the image's "
            f"{depth:g} mm; use a deeper image, or less fat or thickness"
        )
