"""Units whose motion may spread: independent trains first, then an outline for each.

Nothing is assumed of the tissue. Trains are independent components whose maps stand in both halves
of the recording; a map is what of a train each place holds; and an outline lies between what is
seen (the map above half its peak) and what explains it (the disc whose response, in the form that
fits the recording best, is most like the map).
"""

import dataclasses
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..firing import firings
from ..noise import Whitened
from ..other_motion import OtherMotion, marked
from ..units import Recording, Units, none
from .blocks import Blocks, blocks_of, signal_directions
from .candidates import VIEWS, Candidates, candidates_of, stability_of
from .evidence import (
    CORE,
    UNIT_RADII,
    certainty,
    place_of,
    places_of,
    probability,
    signs_of,
    smoothed,
    upright,
)
from .pulsation import is_pulse
from .repeats import are_beside, chosen
from .responses import Fit, fit

MOST_SOUGHT = 40
"""Independent components that are sought, the strongest."""

LEAST = 0.5
"""Least probability of a unit."""

OUTLINE = (-1.723, 6.401)
"""Of 1 and of the intersection over union of what is seen and what explains it: log odds that the
outline is right (IoU above 0.5 with the true one)."""


@dataclass(frozen=True)
class Spread:
    """What is found in a recording without any assumption on territories.

    Parameters
    ----------
    blocks : Blocks
    directions : float64 array of shape (direction, component)
        In which the recording holds more than noise.
    trains : float64 array of shape (unit, component)
        Positive where the map is, and 1 there times the unit's velocity.
    maps : float64 array of shape (unit, depth, width)
        On the blocks; 1 or so where the unit is.
    confidence : float64 array of shape (unit,)
    signs : float64 array of shape (unit, sign)
        See :func:`.evidence.signs_of`.
    remarks : tuple of str
    pulses : float64 array of shape (pulse, depth, width)
        Maps of what moves as the heart beats, and is left out; on the blocks.
    """

    blocks: Blocks
    directions: NDArray[np.float64]
    trains: NDArray[np.float64]
    maps: NDArray[np.float64]
    confidence: NDArray[np.float64]
    signs: NDArray[np.float64]
    remarks: tuple[str, ...]
    pulses: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))


def spread_units(recording: Recording, found: Whitened) -> Spread:
    """Find trains and their maps."""
    blocks = blocks_of(found, recording.pixel_size)
    directions, noise = signal_directions(blocks)
    remarks: list[str] = []
    sought = directions[:MOST_SOUGHT]
    candidates = candidates_of(found, blocks, sought)
    signs = signs_of(candidates, noise, blocks.size)
    sure = probability(signs)
    # What is surely no unit need not be looked at in time.
    likely = np.flatnonzero(sure >= LEAST)
    centres, radii = places_of(candidates.maps[likely], blocks.size)
    fitting = (radii >= UNIT_RADII[0]) & (radii <= UNIT_RADII[1])
    likely, beside = likely[fitting], are_beside(centres[fitting], radii[fitting])
    courses = found.trains(candidates.trains[likely])
    view = candidates.view[likely]
    taken, copies = _of_best_view(sure[likely], courses, view, beside, recording.frame_rate)
    pulses = [unit for unit in taken if is_pulse(courses[unit], recording.frame_rate)]
    taken = [unit for unit in taken if unit not in pulses]
    if pulses:
        remarks.append("pulsation-left-out")
    kept = likely[taken]
    if _are_elsewhere(candidates, likely[copies], kept, blocks.size):
        remarks.append("copies-left-out")
    trains = candidates.trains[kept]
    maps = maps_of(blocks, trains)
    return Spread(
        blocks, directions, trains, maps, certainty(signs[kept]), signs[kept], tuple(remarks),
        candidates.maps[likely[pulses]],
    )  # fmt: skip


def with_trains(recording: Recording, found: Whitened, trains: NDArray[np.float64]) -> Spread:
    """Return maps and certainties of given trains, float64 (unit, component).

    Only what of them stands out from noise is looked at: what a filter took from the recording is
    not in it.
    """
    blocks = blocks_of(found, recording.pixel_size)
    directions, noise = signal_directions(blocks)
    trains = trains @ directions.T @ directions
    trains = trains[np.square(trains).sum(axis=1) > 0]
    maps = maps_of(blocks, trains)
    stability = stability_of(found, blocks, maps, len(directions[:MOST_SOUGHT]))
    signs = signs_of(
        Candidates(trains, maps, stability, np.zeros(len(trains), np.int64)), noise, blocks.size
    )
    return Spread(blocks, directions, trains, maps, certainty(signs), signs, ())


def maps_of(blocks: Blocks, trains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each train each block holds, by least squares.

    Parameters
    ----------
    blocks : Blocks
    trains : float64 array of shape (unit, component), changed in place
        Turned and scaled so that a map is 1 or so where it is largest.

    Returns
    -------
    float64 array of shape (unit, depth, width)
    """
    maps = blocks.images((blocks.values @ np.linalg.pinv(trains)).T) if len(trains) else (
        np.zeros((0, *blocks.shape))
    )  # fmt: skip
    for unit, image in enumerate(maps):
        sign = upright(smoothed(image, blocks.size))
        place = place_of(smoothed(sign * image, blocks.size), CORE)
        scale = sign * max(float(np.median((sign * image)[place])), 1e-30)
        maps[unit] = image / scale
        trains[unit] *= scale
    return maps


def _of_best_view(
    sure: NDArray[np.float64],
    courses: NDArray[np.float32],
    view: NDArray[np.int64],
    beside: NDArray[np.bool_],
    frame_rate: float,
) -> tuple[list[int], list[int]]:
    """Choose candidates of the view that holds most units, then what other views add.

    Components of one view are unmixed together: taking from each what looks best would take units
    and mixtures of them.
    """
    best = np.zeros(0, np.int64)
    value = -1.0
    for number in range(len(VIEWS)):
        own = np.flatnonzero(view == number)
        units, _ = chosen(
            sure[own], courses[own], frame_rate, LEAST, beside=beside[np.ix_(own, own)]
        )
        worth = float(sure[own][units].sum())
        if worth > value:
            best, value = own[units], worth
    return chosen(sure, courses, frame_rate, LEAST, best, beside)


def _are_elsewhere(
    candidates: Candidates,
    copies: NDArray[np.int64],
    kept: NDArray[np.int64],
    size: tuple[float, float],
) -> bool:
    """Tell whether a copy lies beside all units: the same place in another view is no copy."""
    places = [_place(candidates.maps[unit], size) for unit in kept]
    for copy in copies:
        place = _place(candidates.maps[copy], size)
        if not any((place & other).sum() > 0.2 * place.sum() for other in places):
            return True
    return False


def _place(image: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.bool_]:
    smooth = smoothed(image, size)
    return place_of(smooth * upright(smooth), CORE)


def outlines(
    maps: NDArray[np.float64], found: Fit, size: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return outlines between what is seen and what explains it, and how far these agree.

    A map above half its peak is too wide where motion spreads; the disc whose response explains it
    is too narrow or too wide where the form is not quite the tissue's, and too round. The outline
    is the level of the map that has the geometric mean of both areas.

    Parameters
    ----------
    maps : float64 array of shape (unit, depth, width)
    found : Fit
        Of the maps.
    size : (float, float)
        Of a block, mm.

    Returns
    -------
    outlines : float64 array of shape (unit, depth, width)
        Above 0 inside.
    agreement : float64 array of shape (unit,)
        Intersection over union of the map above half its peak and the disc.
    """
    levels = np.empty(maps.shape)
    agreement = np.empty(len(maps))
    rows = (np.arange(maps.shape[1]) + 0.5)[:, None] * size[0]
    columns = (np.arange(maps.shape[2]) + 0.5)[None] * size[1]
    for unit, (image, place) in enumerate(zip(maps, found.places, strict=True)):
        smooth = smoothed(image, size)
        seen = place_of(smooth, CORE)
        away = np.hypot(rows - place[0], columns - place[1])
        disc = np.clip((place[2] - away) / math.sqrt(math.prod(size)) + 0.5, 0.0, 1.0)
        inside = disc > 0.5
        agreement[unit] = (seen & inside).sum() / max(int((seen | inside).sum()), 1)
        area = max(round(math.sqrt(float(seen.sum()) * max(float(disc.sum()), 1.0))), 1)
        level = float(np.sort(smooth.ravel())[::-1][min(area, smooth.size - 1)])
        part = place_of(smooth, level / max(float(smooth.max()), 1e-30))
        # Another place above the level is no part of the unit.
        levels[unit] = np.where((smooth > level) & ~part, level - smooth, smooth - level)
    return levels, agreement


def units_of_spread(recording: Recording, found: Whitened, spread: Spread) -> Units:
    """Return what was found in the recording's terms, the most certain first."""
    count = len(spread.trains)
    other = pulses_of(recording, spread)
    if count == 0:
        return dataclasses.replace(none(recording, spread.remarks), other_motion=other)
    territory, outline = territories_of(recording, spread)
    order = np.argsort(-spread.confidence, kind="stable")
    trains = found.trains(spread.trains[order])
    return Units(
        territory=territory[order],
        train=trains,
        firing=firings(trains, recording.frame_rate),
        confidence=spread.confidence[order],
        outline_confidence=outline[order],
        remarks=spread.remarks,
        other_motion=other,
    )


def pulses_of(recording: Recording, spread: Spread) -> NDArray[np.uint8] | None:
    """Return where on the recording's pixels arteries move, see :mod:`..other_motion`."""
    if not len(spread.pulses):
        return None
    shape, size = recording.tvi.shape[1:], spread.blocks.size
    found = []
    for image in spread.pulses:
        fine = enlarged(smoothed(image, size), shape, recording.pixel_size, size)
        found.append(OtherMotion("artery", place_of(fine * upright(fine), CORE)))
    return marked(None, found, shape)


def territories_of(
    recording: Recording, spread: Spread
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return territories on the recording's pixels, 0 or 1, and how sure their outlines are."""
    size = spread.blocks.size
    form = fit(spread.maps, size)
    levels, agreement = outlines(spread.maps, form, size)
    shape = recording.tvi.shape[1:]
    fine = np.array([enlarged(level, shape, recording.pixel_size, size) for level in levels])
    outline = 1 / (1 + np.exp(-(OUTLINE[0] + OUTLINE[1] * agreement)))
    return (fine > 0).astype(np.float32), outline


def enlarged(
    image: NDArray[np.float64],
    shape: tuple[int, ...],
    pixel_size: tuple[float, float],
    size: tuple[float, float],
) -> NDArray[np.float64]:
    """Interpolate an image on blocks to pixels, linearly; beyond the outer centres it is flat."""
    weights = []
    for blocks, pixels, fine, coarse in zip(image.shape, shape, pixel_size, size, strict=True):
        place = np.clip((np.arange(pixels) + 0.5) * fine / coarse - 0.5, 0, blocks - 1)
        low = np.minimum(place.astype(int), max(blocks - 2, 0))
        high = np.minimum(low + 1, blocks - 1)
        matrix = np.zeros((pixels, blocks))
        matrix[np.arange(pixels), low] += 1 - (place - low)
        matrix[np.arange(pixels), high] += place - low
        weights.append(matrix)
    return weights[0] @ image @ weights[1].T
