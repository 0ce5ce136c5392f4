"""Bones of the hand, wrist and forearm's end, and the lines that soft tissue follows.

Everything is of a right hand, palm towards +y and thumb towards -x, in mm; the wrist lies at z = 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .body import FINGERS, Body
from .solids import Chain

METACARPALS = (46.2, 68.1, 64.6, 58.0, 53.7)
"""Lengths, mm (Buryanov and Kotiuk 2010, Int. J. Morphol. 28, 755); the next three likewise."""

PROXIMAL = (31.6, 39.8, 44.6, 41.4, 32.7)
MIDDLE = (0.0, 22.4, 26.3, 25.7, 18.1)
DISTAL = (21.7, 15.8, 17.4, 17.3, 16.0)

BASES = ((-23.0, 6.0, 25.5), (-12.5, -1.5, 32.5), (-2.0, -2.0, 34.0), (7.5, -1.5, 32.0),
         (16.0, 0.0, 29.0))  # fmt: skip
"""Of the metacarpals."""

HEADINGS = ((-0.57, 0.13, 0.81), (-0.145, 0.02, 0.99), (0.0, 0.015, 1.0), (0.115, 0.025, 0.99),
            (0.235, 0.04, 0.97))  # fmt: skip
"""Their directions."""

ABDUCTIONS = (-18.0, -7.0, 0.0, 6.5, 14.0)
"""Of the first phalanges from z, deg; negative towards the thumb."""

WIDTHS = (1.05, 1.0, 1.04, 0.95, 0.84)
"""Of the bones of each finger, over the second's."""

CARPALS = {
    "scaphoid": ((-12.0, 1.5, 10.5), (-0.55, 0.3, 0.78), (6.8, 6.8), 6.0),
    "lunate": ((0.0, 0.0, 8.0), (0.0, 0.9, 0.3), (7.6, 6.4), 2.5),
    "triquetrum": ((11.0, -0.5, 12.5), (-0.6, 0.0, 0.8), (6.6, 6.8), 2.0),
    "pisiform": ((14.0, 9.5, 13.0), (0.0, 0.0, 1.0), (4.6, 4.0), 1.5),
    "trapezium": ((-20.5, 4.5, 21.5), (-0.5, 0.2, 0.8), (6.6, 7.4), 2.0),
    "trapezoid": ((-11.5, -1.0, 25.0), (0.0, 0.5, 0.8), (5.4, 6.4), 2.0),
    "capitate": ((-1.0, -1.0, 22.5), (0.0, 0.0, 1.0), (6.8, 7.8), 5.5),
    "hamate": ((10.5, -0.5, 23.0), (0.25, 0.0, 0.95), (7.2, 7.6), 3.0),
}
"""Centre, long axis, half-axes across it, and half of the way between the ends' centres, mm."""

HOOK = ((10.5, 4.0, 24.0), (11.5, 11.0, 25.0))
"""Of the hamate."""


@dataclass(frozen=True)
class Ray:
    """A finger's bones as straight lines.

    Parameters
    ----------
    joints : float64 array of shape (bone + 1, 3)
        Ends of its bones from the wrist on; the last one is the tip.
    palmar : float64 array of shape (bone, 3)
        Direction from each bone to the palm.
    lateral : float64 array of shape (bone, 3)
        Direction across each bone.
    width : float
        Of its bones over those of the second finger of the mean hand.
    """

    joints: NDArray[np.float64]
    palmar: NDArray[np.float64]
    lateral: NDArray[np.float64]
    width: float

    def at(self, bone: int, share: float, across: float = 0.0, above: float = 0.0) -> list[float]:
        """Return a place beside a bone: `share` of its length on, mm across and to the palm."""
        start, end = self.joints[bone], self.joints[bone + 1]
        place = start + share * (end - start)
        return (place + across * self.lateral[bone] + above * self.palmar[bone]).tolist()


def rays_of(body: Body) -> list[Ray]:
    """Return the lines of all five fingers."""
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    found = []
    for finger in range(FINGERS):
        joints = [np.array(BASES[finger]) * scale]
        heading = np.array(HEADINGS[finger], np.float64)
        bent = np.zeros(4)
        yaw = ABDUCTIONS[finger] + body.spread * (finger - 2) if finger else ABDUCTIONS[0]
        if finger == 0:
            turn = np.radians(body.thumb)
            heading[0], heading[2] = (
                heading[0] * np.cos(turn) - heading[2] * np.sin(turn),
                heading[2] * np.cos(turn) + heading[0] * np.sin(turn),
            )
        heading /= np.linalg.norm(heading)
        headings = [heading]
        bent[1:] = np.cumsum(body.flexion[finger])
        bones = (METACARPALS, PROXIMAL, DISTAL) if finger == 0 else (
            METACARPALS, PROXIMAL, MIDDLE, DISTAL)  # fmt: skip
        for number in range(1, len(bones)):
            angle = yaw + (7.0 * (number - 1) if finger == 0 else 0.0)
            side, up = np.radians(angle), np.radians(bent[number] * (0.5 if finger == 0 else 1.0))
            headings.append(
                np.array([np.sin(side) * np.cos(up), np.sin(up), np.cos(side) * np.cos(up)])
            )
        for bone, way in zip(bones, headings, strict=True):
            joints.append(joints[-1] + bone[finger] * body.size * way)
        # The thumb's nail looks away from the palm's middle.
        toward = np.array([0.55, 0.83, 0.0]) if finger == 0 else np.array([0.0, 1.0, 0.0])
        palmar = [toward - (toward @ way) * way for way in headings]
        palmar = np.array([each / np.linalg.norm(each) for each in palmar])
        lateral = np.cross(palmar, np.array(headings))
        found.append(Ray(np.array(joints), palmar, lateral, WIDTHS[finger] * body.size))
    return found


_METACARPAL = (((0.0, 7.6, 7.4), (0.12, 7.0, 7.0), (0.3, 4.6, 5.0), (0.55, 4.0, 4.5),
                (0.78, 5.0, 5.3), (0.9, 7.0, 7.2), (1.0, 6.4, 7.2)), 1.9)  # fmt: skip
_PROXIMAL = (((0.0, 7.4, 5.8), (0.14, 7.0, 5.5), (0.35, 5.0, 4.0), (0.65, 4.4, 3.5),
              (0.86, 5.3, 3.9), (1.0, 5.6, 4.0)), 1.5)  # fmt: skip
_MIDDLE = (((0.0, 6.4, 4.7), (0.16, 5.8, 4.4), (0.45, 4.0, 3.1), (0.68, 3.7, 2.8),
            (0.88, 4.6, 3.2), (1.0, 4.7, 3.2)), 1.3)  # fmt: skip
_DISTAL = (((0.0, 5.2, 3.7), (0.2, 4.6, 3.2), (0.5, 2.9, 2.2), (0.75, 2.9, 1.9),
            (0.92, 3.8, 1.9), (1.0, 3.2, 1.6)), 1.0)  # fmt: skip
"""Along a bone: share of its length, half-axes across it and through it, mm; and the thickness of
its shaft's cortex, mm."""

_ENDS = 0.65
"""Thickness of cortex at the ends of bones, mm."""


def _long_bone(ray: Ray, number: int, profile: tuple, body: Body) -> Chain:
    """Return one bone of a finger; its ends reach the joints."""
    stations, shaft = profile
    start, end = ray.joints[number], ray.joints[number + 1]
    length = float(np.linalg.norm(end - start))
    half = np.array([station[1:] for station in stations]) * ray.width
    shares = np.array([station[0] for station in stations])
    # Caps reach a little over the joint, so that neighbours meet in it.
    inset = 0.45 * np.minimum(half[0], half[-1]).min() - 0.4
    places = inset + shares * (length - 2 * inset)
    nodes = start + places[:, None] * (end - start) / length
    middle = np.clip(np.minimum(shares, 1 - shares) / 0.35, 0, 1)
    crust = (_ENDS + (shaft * ray.width - _ENDS) * middle**1.5) * body.cortex
    return Chain(nodes, half, 0, tuple(ray.lateral[number].tolist()), crust, 0.45)


def bones_of(body: Body, rays: list[Ray]) -> list[Chain]:
    """Return all bones: of the fingers, the wrist and the forearm."""
    profiles = (_METACARPAL, _PROXIMAL, _MIDDLE, _DISTAL)
    found = []
    for finger, ray in enumerate(rays):
        own = (_METACARPAL, _PROXIMAL, _DISTAL) if finger == 0 else profiles
        found += [_long_bone(ray, number, profile, body) for number, profile in enumerate(own)]
    scale = body.size * np.array([body.breadth, 1.0, 1.0])
    for centre, axis, half, way in CARPALS.values():
        along = np.array(axis) / np.linalg.norm(axis)
        middle = np.array(centre) * scale
        nodes = middle + np.array([[-1.0], [1.0]]) * way * body.size * along
        widths = np.full((2, 2), half) * body.size
        found.append(Chain(nodes, widths, 0, crust=np.full(2, _ENDS * body.cortex), cap=0.85))
    hook = np.array(HOOK) * scale
    widths = np.array([[2.6, 4.0], [1.8, 3.2]]) * body.size
    found.append(Chain(hook, widths, 0, crust=np.full(2, 0.6 * body.cortex), cap=0.8))
    return [*found, *_forearm(body, scale)]


def _forearm(body: Body, scale: NDArray[np.float64]) -> list[Chain]:
    """Return radius and ulna."""
    radius = np.array([
        [-13.0, 1.0, -125, 6.5, 6.0, 2.6], [-12.5, 0.5, -60, 6.4, 5.8, 2.5],
        [-12.0, 0.0, -38, 7.0, 6.2, 2.0], [-11.0, -0.5, -20, 10.0, 7.8, 1.2],
        [-9.5, -0.5, -9, 13.5, 9.4, 0.8], [-9.0, -0.5, -3, 13.6, 9.2, 0.8],
    ])  # fmt: skip
    ulna = np.array([
        [15.0, -2.0, -125, 6.2, 6.2, 2.5], [14.5, -3.0, -60, 5.2, 5.2, 2.2],
        [14.5, -3.5, -30, 4.8, 4.8, 1.7], [14.5, -4.0, -15, 5.6, 5.6, 1.0],
        [14.5, -4.0, -6, 7.4, 6.8, 0.7],
    ])  # fmt: skip
    return [
        Chain(
            bone[:, :3] * scale, bone[:, 3:5] * body.size, 0,
            crust=bone[:, 5] * body.size * body.cortex, cap=0.4,
        )
        for bone in (radius, ulna)
    ]  # fmt: skip
