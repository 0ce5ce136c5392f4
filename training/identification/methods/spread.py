"""Units whose motion may spread: independent trains first, then an outline for each.

Nothing is assumed of the tissue. Trains are independent components whose maps stand in both halves
of the recording; a map is what of a train each place holds; and outlines are learned
(:mod:`.learned.outlines`).
"""

import dataclasses
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
from .interpolation import linear_weights
from .learned.outlines import (
    IMAGE,
    Outliner,
    expected_overlap,
    pixels_of,
    views_of,
)
from .learned.weights import learned_of
from .pulsation import is_pulse
from .repeats import are_beside, chosen

MOST_SOUGHT = 40
"""Independent components that are sought, the strongest."""

LEAST = 0.5
"""Least probability of a unit."""


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
    outliner : Outliner, optional
        Gives units their outlines; that which comes with musim, if none is given.
    """

    blocks: Blocks
    directions: NDArray[np.float64]
    trains: NDArray[np.float64]
    maps: NDArray[np.float64]
    confidence: NDArray[np.float64]
    signs: NDArray[np.float64]
    remarks: tuple[str, ...]
    pulses: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    outliner: Outliner | None = None


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
    outliner = spread.outliner or learned_of().outliner
    seen = views_of(spread.blocks, spread.trains, spread.maps)
    odds = outliner.odds(seen.views)
    expected = expected_overlap(odds, seen.views[:, IMAGE])
    shape = recording.tvi.shape[1:]
    territory = np.array([
        pixels_of(one, centre, shape, recording.pixel_size)
        for one, centre in zip(odds, seen.centres, strict=True)
    ])  # fmt: skip
    return territory.astype(np.float32), outliner.confidence(expected)


def enlarged(
    image: NDArray[np.float64],
    shape: tuple[int, ...],
    pixel_size: tuple[float, float],
    size: tuple[float, float],
) -> NDArray[np.float64]:
    """Interpolate an image on blocks to pixels, linearly; beyond the outer centres it is flat."""
    weights = []
    for blocks, pixels, fine, coarse in zip(image.shape, shape, pixel_size, size, strict=True):
        places = (np.arange(pixels) + 0.5) * fine / coarse - 0.5
        weights.append(linear_weights(places, blocks))
    return weights[0] @ image @ weights[1].T
