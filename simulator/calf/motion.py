"""How the section of a calf moves: a few modes, each a fixed field times a course.

A place that lies at (depth, width) at 0 deg and at rest is displaced by the sum over modes of
``field(depth, width) course(t)``. Inside the muscle fields are linear in the place, so the muscle's
motion is an affine one, exact at any size: its area grows by ``(1 + stretch) (1 + bulging)``
everywhere, and straight fascicles stay straight. Who takes the fields at the place where something
has come to, instead of where it came from, is wrong by about the displacement times its gradient:
by 0.1 mm for 1 mm of sliding at a strain of 0.1, so for small motion only.

Skin is held by the probe. Motion grows from there through fat, in lines, to that of the superficial
aponeurosis, and fades below the deep one; it is continuous everywhere, its gradient is not across
aponeuroses.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..section.curves import Places
from .parameters import Participant

MODES = {
    "sliding": ("mm", "Of the muscle along the probe, towards the foot."),
    "stretch": ("", "Strain along the muscle, about the image's middle."),
    "shear": ("mm", "Of the deep aponeurosis against the superficial one, towards the knee."),
    "bulging": ("", "Strain across the muscle; the superficial aponeurosis stays."),
    "probe_shift": ("mm", "Of the probe along the skin, towards the foot."),
}
"""Unit and meaning of the course of each mode."""

FADING = 15.0
"""Depth over which motion fades e-fold below the muscle, mm (an assumption)."""


def fields(
    participant: Participant, depth: NDArray[np.float64], width: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where each mode moves what lies at a place of the image.

    Parameters
    ----------
    participant : Participant
    depth, width : float64 arrays that broadcast to one another
        Places at rest, mm.

    Returns
    -------
    float64 array of shape (mode, 2, ...)
        Axial displacement, towards the probe, and lateral displacement, to the right, for courses
        of 1 of :data:`MODES` in their order, mm.
    """
    depth, width = np.broadcast_arrays(depth, width)
    anatomy = participant.anatomy
    superficial, deep = anatomy.superficial.at(width), anatomy.deep.at(width)
    # What lies outside the muscle goes along with the aponeurosis above or below it.
    nearest = np.clip(depth, superficial, deep)
    down, right = nearest - _middle(participant), width - anatomy.superficial.middle
    cosine, sine = math.cos(participant.tilt), math.sin(participant.tilt)
    distal = participant.distal
    along = distal * (right * cosine + down * sine)
    across = down * cosine - right * sine  # 0 midway between the aponeuroses
    below = across + participant.thickness / 2
    turned = participant.drawn["pivot"] - below / participant.thickness
    nothing = np.zeros_like(along)
    moved = np.stack([  # along the muscle to the foot, and across it to the deep
        [np.ones_like(along), nothing],
        [along, nothing],
        [turned, nothing],
        [nothing, below],
    ])  # fmt: skip
    found = np.empty((len(MODES), 2, *depth.shape))
    found[:-1, 0] = -(distal * sine * moved[:, 0] + cosine * moved[:, 1])
    found[:-1, 1] = distal * cosine * moved[:, 0] - sine * moved[:, 1]
    fat = np.clip(depth / np.maximum(superficial, 1e-9), 0, 1)
    found[:-1] *= fat * np.exp(-np.maximum(depth - deep, 0) / FADING)
    found[-1] = np.stack([nothing, np.full_like(nothing, -distal)])
    return found


def place(
    participant: Participant, share: Places, along: Places
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return depth and width, mm, of places of the muscle at rest.

    Parameters
    ----------
    participant : Participant
    share : float or float64 array
        Depth between the aponeuroses' middle lines: 0 superficial, 1 deep.
    along : float or float64 array
        Along the line midway between them, from the image's middle towards the foot, mm; that line
        is taken for straight.
    """
    anatomy = participant.anatomy
    right = participant.distal * math.cos(participant.tilt) * np.asarray(along)
    width = anatomy.superficial.middle + right
    above, below = anatomy.superficial.at(width), anatomy.deep.at(width)
    return above + np.asarray(share) * (below - above), width


def displacement(
    participant: Participant, share: Places, along: Places, courses: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return how far places of the muscle have moved.

    Parameters
    ----------
    participant : Participant
    share, along : float or float64 array of shape (place,)
        As :func:`place` takes them.
    courses : float array of shape (mode, frame)
        Of :data:`MODES`.

    Returns
    -------
    float64 array of shape (2, place, frame)
        Axially towards the probe, and laterally to the right, mm; one place has no axis.
    """
    found = fields(participant, *place(participant, share, along))
    return np.tensordot(found, np.asarray(courses, np.float64), (0, 0))


def active_motion(
    participant: Participant, torque: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what active torque (N m) does at 0 deg: courses of stretch, shear and bulging.

    Fascicles shorten as their tendon gives way, less and less: by ``shortening`` at maximal torque,
    and no more above it. With them the muscle gets thicker, and its area is kept to the share of
    ``incompressibility``. The shear is what follows: the deep ends of fascicles so shortened, in a
    muscle so thick, lie there.
    """
    drawn, length = participant.drawn, participant.fascicle_length
    relative = np.minimum(torque / drawn["maximal_torque"], 1)
    toe = drawn["tendon_toe"]
    shorter = drawn["shortening"] / length * np.expm1(-relative / toe) / math.expm1(-1 / toe)
    bulging = drawn["bulging"] * shorter
    stretch = (1 + bulging) ** -drawn["incompressibility"] - 1
    thick = participant.thickness * (1 + bulging)
    run = np.sqrt((length * (1 - shorter)) ** 2 - thick**2)
    shear = length * math.cos(participant.pennation) * (1 + stretch) - run
    return {"stretch": stretch, "shear": shear, "bulging": bulging}


def passive_motion(
    participant: Participant, angle: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what the angle (deg) does at rest: courses of sliding, stretch, shear and bulging.

    Fascicles take a share of what the rotation lengthens, as far as they are not slack, by stretch
    and by shear; the area is kept to the share of ``incompressibility``.
    """
    drawn = participant.drawn
    taut = np.maximum(angle, drawn["slack"]) - max(0.0, drawn["slack"])
    longer = drawn["fascicle_share"] * drawn["moment_arm"] * np.radians(taut)
    run = longer / math.cos(participant.pennation)
    rest = participant.fascicle_length * math.cos(participant.pennation)
    stretch = (1 - drawn["passive_shear"]) * run / rest
    return {
        "sliding": drawn["sliding"] * angle,
        "stretch": stretch,
        "shear": -drawn["passive_shear"] * run,
        "bulging": (1 + stretch) ** -drawn["incompressibility"] - 1,
    }


def joined(
    active: Mapping[str, NDArray[np.float64]],
    passive: Mapping[str, NDArray[np.float64]],
    probe_shift: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the courses of :data:`MODES` of both at once, float64 (mode, sample).

    Strains follow one another, so that what keeps the area in each keeps it in both.
    """
    courses = {
        "sliding": passive["sliding"],
        "shear": active["shear"] + passive["shear"],
        "probe_shift": probe_shift,
    }
    for name in ("stretch", "bulging"):
        courses[name] = (1 + active[name]) * (1 + passive[name]) - 1
    return np.stack([courses[name] for name in MODES])


def fascicle(
    participant: Participant, courses: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return length (mm) and pennation (deg) of a straight fascicle that is moved by courses.

    Parameters
    ----------
    participant : Participant
    courses : float array of shape (mode, sample)
    """
    named = dict(zip(MODES, np.asarray(courses, np.float64), strict=True))
    rest = participant.fascicle_length * math.cos(participant.pennation)
    run = rest * (1 + named["stretch"]) - named["shear"]
    thick = participant.thickness * (1 + named["bulging"])
    return np.hypot(run, thick), np.degrees(np.arctan2(thick, run))


def _middle(participant: Participant) -> float:
    """Return the depth midway between the aponeuroses in the image's middle, mm."""
    return (participant.anatomy.superficial.depth + participant.anatomy.deep.depth) / 2
