"""From components of windows to units: what moves alike in neighbouring windows is one unit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...firing import firings
from ...units import Recording, Units, none
from ..model import connected
from ..sharp import plateau

Floats = NDArray[np.float32] | NDArray[np.float64]

LEVEL = 0.5
"""Pixels belong to a unit where its map exceeds this share of the map's plateau."""

SMALLEST_PART = 0.2
"""Parts of a territory that are smaller than this share of its largest part are left out."""

FEWEST_PIXELS = 4
"""A smaller territory is a speck: 4 px are 1.6 mm^2 at Ali 2020's 0.625 mm, a third of the smallest
unit's."""


@dataclass(frozen=True)
class Component:
    """What a method found in one window.

    Parameters
    ----------
    window : (slice, slice)
        Rows and columns of the image.
    image : float array of shape (depth, width)
        Weights of the window's pixels.
    course : float array of shape (time,)
        In the method's band of frequencies, mm/s where the weight is 1.
    velocity : float array of shape (time,)
        What the same weights make of the recording as it is.
    certainty : float
        0..1.
    """

    window: tuple[slice, slice]
    image: Floats
    course: Floats
    velocity: Floats
    certainty: float


def upright(image: Floats, course: Floats, velocity: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a component positive where its unit is, with a map whose plateau is 1."""
    sign = -1.0 if (image.astype(np.float64) ** 3).sum() < 0 else 1.0
    level = sign * plateau(image.ravel().astype(np.float64) * sign)
    return image / level, course * level, velocity * level


def pooled(
    recording: Recording,
    components: list[Component],
    agreement: float,
    repeats: int,
    places: list[tuple[slice, slice]],
) -> Units:
    """Join components of neighbouring windows to units.

    The strongest component that is left begins a unit, which grows over windows that overlap its
    own by components that move as the first one does.

    Parameters
    ----------
    recording : Recording
    components : list of Component
    agreement : float
        Least correlation of courses, 0..1.
    repeats : int
        Windows that have to hold a unit, of as many as there are at its place.
    places : list of (slice, slice)
        All windows.

    Returns
    -------
    Units
        The most certain first.
    """
    size = recording.tvi.shape[1:]
    if not components:
        return none(recording)
    courses = np.array([one.course for one in components], np.float64)
    courses -= courses.mean(axis=1)[:, None]
    length = np.sqrt(np.square(courses).sum(axis=1))
    weight = np.array([np.sqrt(np.square(one.image).sum()) for one in components])
    courses /= np.maximum(length, 1e-30)[:, None]
    free = np.ones(len(components), bool)
    maps, trains, certainties = [], [], []
    for seed in np.argsort(-length * weight, kind="stable"):
        if not free[seed]:
            continue
        members = _members(components, courses @ courses[seed], free, seed, agreement)
        free[members] = False
        held = {components[one].window[0].start * size[1] + components[one].window[1].start
                for one in members}  # fmt: skip
        image, train = _joined([components[one] for one in members], length[members], size)
        row, column = np.unravel_index(np.abs(image).argmax(), size)
        there = sum(_holds(window, row, column) for window in places)
        if len(held) < min(repeats, there):
            continue
        maps.append(image)
        trains.append(train)
        certainties.append(float(np.mean([components[one].certainty for one in members])))
    return units_from(recording, np.array(maps), np.array(trains), np.array(certainties))


def _members(
    components: list[Component],
    likeness: NDArray[np.float64],
    free: NDArray[np.bool_],
    seed: int,
    agreement: float,
) -> list[int]:
    """Return the components of a unit that begins with one, over windows that overlap."""
    alike = [int(one) for one in np.flatnonzero(free & (np.abs(likeness) > agreement))]
    members, edge = [int(seed)], [int(seed)]
    rest = [one for one in alike if one != seed]
    while edge:
        beside = components[edge.pop()].window
        near = [one for one in rest if _overlap(components[one].window, beside)]
        rest = [one for one in rest if one not in near]
        members += near
        edge += near
    return members


def _overlap(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def _holds(window: tuple[slice, slice], row: np.intp, column: np.intp) -> bool:
    rows, columns = window
    return rows.start <= row < rows.stop and columns.start <= column < columns.stop


def _joined(
    members: list[Component], length: NDArray[np.float64], size: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a unit's map and velocity: the mean of its components, each as it moves."""
    first = members[0]
    whole, count = np.zeros(size), np.zeros(size)
    velocity, weights = np.zeros(len(first.course)), 0.0
    for one, norm in zip(members, length, strict=True):
        # What of the component moves as the first one does, in units of the first one's course.
        share = float(one.course @ first.course) / float(first.course @ first.course)
        whole[one.window] += one.image * share
        count[one.window] += 1
        weight = float(np.square(one.image).sum())
        scale = share * float(first.course @ first.course) / max(norm**2, 1e-30)
        velocity += weight * one.velocity * scale
        weights += weight
    return whole / np.maximum(count, 1), velocity / weights


def units_from(
    recording: Recording,
    maps: NDArray[np.float64],
    trains: NDArray[np.float64],
    confidence: NDArray[np.float64],
) -> Units:
    """Return units by their maps and velocities, the most certain first; specks are left out.

    Parameters
    ----------
    recording : Recording
    maps : float64 array of shape (unit, depth, width)
        Of any sign and scale; the velocity is the train times the map.
    trains : float64 array of shape (unit, time)
    confidence : float64 array of shape (unit,)
    """
    territories, courses, kept = [], [], []
    for unit, image in enumerate(maps):
        upright_map, train, _ = upright(image, trains[unit], trains[unit])
        mask = without_specks(upright_map > LEVEL)
        if mask.sum() < FEWEST_PIXELS:
            continue
        territories.append(np.where(mask, np.clip(upright_map, 0, 1), 0))
        courses.append(train - train.mean())
        kept.append(unit)
    if not kept:
        return none(recording)
    order = np.argsort(-confidence[kept], kind="stable")
    train = np.array(courses, np.float32)[order]
    return Units(
        territory=np.array(territories, np.float32)[order],
        train=train,
        firing=firings(train, recording.frame_rate),
        confidence=np.clip(confidence[kept][order], 0, 1),
    )


def without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without its parts that are far smaller than the largest."""
    parts = connected(mask)
    sizes = np.bincount(parts.ravel(), minlength=2)
    sizes[0] = 0
    return (sizes >= max(SMALLEST_PART * sizes.max(), 1))[parts]
