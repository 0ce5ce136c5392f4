"""Where fascicles run, and how long and how steep the one in the image's middle is."""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from .curves import Curve


@dataclass(frozen=True)
class Fascicles:
    """Fascicles between two aponeuroses: one beside the other, alike, each a piece of a parabola.

    They leave the line that touches the aponeurosis of their feet in the image's middle, at one
    angle. With p along that line and q away from it, into the muscle, a fascicle is where
    ``side p sin(angle) - q (cos(angle) + 4 bow q / height)`` is the same: its number, in mm.

    Parameters
    ----------
    feet : Curve
        The aponeurosis that they leave.
    angle : float
        Rad, more than 0.
    side : {-1, 1}
        Whether they leave to the left or to the right.
    bow : float
        Sagitta of a fascicle, across its chord in direction of its number, over the height.
    height : float
        From the aponeurosis of their feet to the other one in the image's middle, mm.
    downwards : bool
        Whether they leave their feet to the deep.
    """

    feet: Curve
    angle: float
    side: int
    bow: float
    height: float
    downwards: bool = False

    def line(
        self, depth: NDArray[np.float64], width: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return p and q of places, mm."""
        tilt = math.atan(self.feet.slope)
        across, down = width - self.feet.middle, depth - self.feet.depth
        p = across * math.cos(tilt) + down * math.sin(tilt)
        q = across * math.sin(tilt) - down * math.cos(tilt)
        return p, -q if self.downwards else q

    def place(
        self, p: NDArray[np.float64], q: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return depth and width of places on the line and away from it, mm."""
        tilt = math.atan(self.feet.slope)
        q = -q if self.downwards else q
        down = p * math.sin(tilt) - q * math.cos(tilt)
        return self.feet.depth + down, self.feet.middle + p * math.cos(tilt) + q * math.sin(tilt)

    def coordinates(
        self, depth: NDArray[np.float64], width: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the number of the fascicle at each place, and how far along it that lies, mm."""
        p, q = self.line(depth, width)
        sine, cosine = math.sin(self.angle), math.cos(self.angle)
        number = self.side * p * sine - q * (cosine + 4 * self.bow / self.height * q)
        return number, self.side * p * cosine + q * sine

    def crossing(
        self, number: NDArray[np.float64], q: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return depth and width, mm, where fascicles are q mm away from the line of their feet."""
        bent = q * (math.cos(self.angle) + 4 * self.bow / self.height * q)
        p = self.side * (number + bent) / math.sin(self.angle)
        return self.place(p, np.full_like(p, q))

    def tilt(self, depth: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the direction of fascicles in the image: depth over width."""
        q = self.line(depth, width)[1]
        return self._slope(q)

    def _slope(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        p_step = self.side * self._run(q)
        q_step = -np.ones_like(q) if self.downwards else np.ones_like(q)
        tilt = math.atan(self.feet.slope)
        return (p_step * math.sin(tilt) - q_step * math.cos(tilt)) / (
            p_step * math.cos(tilt) + q_step * math.sin(tilt)
        )

    def _run(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much p grows for a step of q."""
        return (math.cos(self.angle) + 8 * self.bow / self.height * q) / math.sin(self.angle)


@dataclass(frozen=True)
class Fascicle:
    """One fascicle, as it is measured in an image.

    Parameters
    ----------
    pennation : float
        Angle between it, as a straight line, and the aponeurosis of its feet, as a straight line
        through the image, rad.
    length : float
        From aponeurosis to aponeurosis, mm; NaN where it does not meet both within the image and
        its width to either side.
    """

    pennation: float
    length: float


def measure(fascicles: Fascicles, other: Curve) -> Fascicle:
    """Measure the fascicle that crosses the muscle's middle in the image's middle.

    Beyond the image's sides aponeuroses go on straight, as they are taken to where fascicles are
    longer than the image.

    Pennation is the angle where a fascicle inserts, but of straight lines: so observers draw both,
    and so do tools that extrapolate what an image shows [1]_. Where fascicles or aponeuroses are
    bent, a tangent at the insertion, which is often beyond the image, differs by degrees.

    Parameters
    ----------
    fascicles : Fascicles
    other : Curve
        The aponeurosis that they go to.

    Returns
    -------
    Fascicle

    References
    ----------
    .. [1] Cronin et al. 2020, arXiv:2009.04790, who carry pieces of fascicles on, straight, to the
       aponeuroses.
    """
    feet, middle = fascicles.feet, fascicles.feet.middle
    start = np.array((feet.depth + other.depth) / 2)
    number = float(fascicles.coordinates(start, np.array(middle))[0])
    half = float(fascicles.line(start, np.array(middle))[1])
    sine, cosine = math.sin(fascicles.angle), math.cos(fascicles.angle)

    def at(q: float) -> tuple[float, float]:
        bent = q * (cosine + 4 * fascicles.bow / fascicles.height * q)
        p = fascicles.side * (number + bent) / sine
        depth, width = fascicles.place(np.array(p), np.array(q))
        return float(depth), float(width)

    def ends(curve: Curve, far: float) -> float:
        """Return q where the fascicle meets a curve, seen from the middle; NaN if too far."""

        def gap(q: float) -> float:
            depth, width = at(q)
            return depth - float(curve.at(width))

        if gap(half) * gap(far) > 0:
            return math.nan
        found = float(scipy.optimize.brentq(gap, half, far, xtol=1e-10))
        return found if abs(at(found)[1] - middle) <= 3 * feet.half else math.nan

    low, high = ends(feet, -fascicles.height), ends(other, 2 * fascicles.height)
    # A parabola has half-way the direction of its chord; and that through an arc of an aponeurosis,
    # alike on both sides of the image's middle, is as steep as the arc is there.
    slope = float(fascicles._slope(np.array(half)))
    pennation = abs(math.atan(slope) - math.atan(feet.slope))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    steps = np.hypot(1, fascicles._run(low + (nodes + 1) / 2 * (high - low)))
    return Fascicle(min(pennation, math.pi - pennation), float((high - low) / 2 * weights @ steps))
