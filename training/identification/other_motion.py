"""Motion that is no unit's: arteries, which move as the heart beats, and whole muscles.

Whatever finds sources finds these too. They are told by their course and by how far they reach,
left out of the units of every method, and kept as places, so that a page can mark them.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from .confidence.places import places_of
from .doubts import WIDEST
from .units import Recording, Units

if TYPE_CHECKING:
    from .noise import Whitened

COVERS = 0.4
"""Part of the image over which a whole muscle's motion is spread: (mean of its power)^2 / mean of
its power^2 over pixels. In 12 subjects each of the presets, units cover 0.07 at most, an artery
0.08, tremor 0.54 or more and the muscle's own motion, drift and breathing more; what tilts about an
oblique axis through the middle covers 0.42, noise alone a third."""

WHOLE = 101
"""Values from here on are whole muscles', those from 1 on arteries'."""

Kind = Literal["artery", "whole muscle"]

LEFT_OUT: dict[Kind, str] = {
    "artery": "pulsation-left-out",
    "whole muscle": "whole-motion-left-out",
}
"""The remarks on them."""


@dataclass(frozen=True)
class OtherMotion:
    """Motion that was left out.

    Parameters
    ----------
    kind : {"artery", "whole muscle"}
    mask : bool array of shape (depth, width)
        Where it is strongest.
    """

    kind: Kind
    mask: NDArray[np.bool_]


def without_other_motion(recording: Recording, units: Units) -> Units:
    """Return units without those that are arteries or whole muscles, which are marked.

    Parameters
    ----------
    recording : Recording
        In which they were found.
    units : Units

    Returns
    -------
    Units
        With ``other_motion``, and with the remarks ``pulsation-left-out`` and
        ``whole-motion-left-out`` where there is some.
    """
    from .methods.pulsation import is_pulse  # these bring SciPy; who reads a store does without
    from .noise import whiten

    if not units.count:
        return units
    pulses = np.array([is_pulse(train, recording.frame_rate) for train in units.train], np.bool_)
    maps = maps_of(whiten(recording), units.train)
    wide = are_wide(units.masks, recording.pixel_size)
    whole = ~pulses & (wide | are_whole(maps, recording.pixel_size))
    if not (pulses | whole).any():
        return units
    places = places_of(units.territory)
    far = places_of(np.abs(maps).astype(np.float32))
    found = [
        *(OtherMotion("whole muscle", place) for place in far[whole]),
        *(OtherMotion("artery", place) for place in places[pulses]),
    ]
    remarks = dict.fromkeys(LEFT_OUT[one.kind] for one in found)
    return dataclasses.replace(
        units.taken(~(pulses | whole)),
        other_motion=marked(units.other_motion, found, units.territory.shape[1:]),
        remarks=(*units.remarks, *remarks),
    )


def maps_of(known: "Whitened", trains: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how much of each train each pixel holds, largest 1 in size, (unit, depth, width).

    Parameters
    ----------
    known : Whitened
    trains : float array of shape (unit, time)
        mm/s.
    """
    courses = known.values_of(np.asarray(trains, np.float32))
    maps = (courses @ known.values.T.astype(np.float64)).reshape(-1, *known.shape[1:])
    largest = np.abs(maps).max(axis=(1, 2), initial=0, keepdims=True)
    return maps / np.where(largest > 0, largest, 1.0)


def are_whole(maps: NDArray[np.float64], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
    """Tell which maps cover more of the image than a motor unit can, bool (unit,).

    Parameters
    ----------
    maps : float64 array of shape (unit, depth, width)
    pixel_size : (float, float)
        mm.
    """
    power = np.square(maps)
    fourth = np.square(power).mean(axis=(1, 2))
    cover = np.square(power.mean(axis=(1, 2))) / np.where(fourth > 0, fourth, 1.0)
    image = maps[0].size * math.prod(pixel_size) if len(maps) else 0.0
    return (cover > COVERS) & (cover * image > WIDEST)


def are_wide(masks: NDArray[np.bool_], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
    """Tell which outlines hold more of the image than a motor unit can, bool (unit,).

    What moves one way at one side and less or the other way at the other covers less as a map.

    Parameters
    ----------
    masks : bool array of shape (unit, depth, width)
    pixel_size : (float, float)
        mm.
    """
    pixels = masks.sum(axis=(1, 2))
    image = math.prod(masks.shape[1:])
    return (pixels > COVERS * image) & (pixels * math.prod(pixel_size) > WIDEST)


def marked(
    before: NDArray[np.uint8] | None, found: Sequence[OtherMotion], shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Return a map of motion that was left out, uint8 (depth, width), with some more of it.

    Each has a value of its own: arteries from 1 on, whole muscles from 101 on; 0 is none. What is
    added later, and arteries, lie above.
    """
    image = np.zeros(shape, np.uint8) if before is None else before.copy()
    for kind, first in (("whole muscle", WHOLE), ("artery", 1)):
        last = int(image[(image >= first) & (image < first + WHOLE - 1)].max(initial=first - 1))
        for number, one in enumerate(each for each in found if each.kind == kind):
            above = (image == 0) | (image >= WHOLE) | (kind == "artery")
            image[one.mask & above] = min(last + 1 + number, first + WHOLE - 2)
    return image


def other_motion_in(image: NDArray[np.uint8] | None) -> tuple[OtherMotion, ...]:
    """Return the motion that was left out, by its map; nothing where there is none."""
    if image is None:
        return ()
    return tuple(
        OtherMotion("artery" if value < WHOLE else "whole muscle", image == value)
        for value in np.unique(image[image > 0]).tolist()
    )


def in_words(found: Sequence[OtherMotion], pixel_size: tuple[float, float]) -> str:
    """Say where motion lies that was left out: ``artery at 12.5 mm deep, 20.1 mm across``.

    Parameters
    ----------
    found : sequence of OtherMotion
    pixel_size : (float, float)
        mm.
    """
    parts = []
    for one in found:
        if one.kind == "artery":
            depth, width = (
                (float(places.mean()) + 0.5) * step
                for places, step in zip(np.nonzero(one.mask), pixel_size, strict=True)
            )
            parts.append(f"artery at {depth:.1f} mm deep, {width:.1f} mm across")
    whole = sum(one.kind == "whole muscle" for one in found)
    if whole:
        parts.append(f"whole muscle{'' if whole == 1 else f' ({whole})'}")
    return "; ".join(parts)
