"""Alternate between trains and territories until both agree with the recording."""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from ..noise import Whitened, whiten
from ..units import Recording, Units
from .edges import trains_of_edges
from .ica import ica_model
from .learned.judged import judged_units
from .learned.weights import Learned
from .model import PRESENCE, Model, connected, units_of
from .sharp import judged, reduced, why_untried, without_echoes, worth_reducing
from .spread import Spread, spread_units, units_of_spread, with_trains

ROUNDS = 12
"""Most times that trains and territories are fitted in turn."""

SETTLED = 0.1
"""Memberships that change by less have settled."""

MOST_ADDED = 10
"""Most units that are added in a round."""

SUM = 0.75
"""A train holds another's if it loses more than the rest of its energy without that."""

RAGGED = 300.0
"""Energy that a territory twice as ragged has to explain more, as much as a few pixels do."""

ROUNDER = 0.1
"""By how much less ragged a territory gets that another's was cut out of."""

SAME = 0.5
"""Intersection over union of territories that may be one."""


def refine(recording: Recording, units: Units) -> Units:
    """Refine the units that any method found.

    Their trains and those seen across edges are both fitted to the recording, and the better
    explanation takes up from the other what it lacks.

    Parameters
    ----------
    recording : Recording
    units : Units
        Only their trains are looked at.

    Returns
    -------
    Units

    Raises
    ------
    InputError
        If units cannot be sought in the recording.
    """
    found = whiten(recording)
    trains = found.values_of(units.train)
    spread = with_trains(recording, found, trains)

    def start(given: Whitened) -> NDArray[np.float64]:
        return trains if given is found else trains @ spread.directions.T

    return _better(recording, found, spread, start)


def ica_and_refine(recording: Recording) -> Units:
    """Refine what independent component analysis finds."""
    return _refined(recording, spread_units)


def judged_and_refine(recording: Recording, learned: Learned | None = None) -> Units:
    """Refine what learned judgement takes for units: that of musim, or another."""
    return _refined(recording, functools.partial(judged_units, learned=learned))


def _refined(recording: Recording, units: Callable[[Recording, Whitened], Spread]) -> Units:
    """Refine what is found without an assumption on territories."""
    found = whiten(recording)
    spread = units(recording, found)
    return _better(recording, found, spread, lambda given: ica_model(given).trains)


def edges_and_refine(recording: Recording) -> Units:
    """Refine the trains that are seen across edges."""
    found = whiten(recording)
    model = _explained(found, [trains_of_edges(found)])
    return units_of(recording, model, *model.support())


def _better(
    recording: Recording,
    found: Whitened,
    spread: Spread,
    other: Callable[[Whitened], NDArray[np.float64]],
) -> Units:
    """Return units that move as they are, if they explain the recording, or else what is found.

    Of a long recording of few units, only the directions that hold signal are looked at.

    Parameters
    ----------
    recording : Recording
    found : Whitened
    spread : Spread
        What is found without an assumption on territories.
    other : callable
        Gives trains to start from besides those across edges.
    """
    way = why_untried(found, spread)
    if way is None:
        few = worth_reducing(found, spread)
        given = reduced(found, spread.directions) if few else found
        model = _explained(given, [trains_of_edges(given), other(given)])
        support = model.support()
        if few:
            model.whitened, model.trains = found, model.trains @ spread.directions
        way = judged(found, spread, model)
        if way.together:
            support = without_echoes(model, *support)
            return dataclasses.replace(units_of(recording, model, *support), way=way)
    return dataclasses.replace(units_of_spread(recording, found, spread), way=way)


def _explained(given: Whitened, starts: list[NDArray[np.float64]]) -> Model:
    """Return the best explanation that starts from any of some sets of trains."""
    models = [Model.of(given, trains) for trains in starts]
    for model in models:
        settle(model)
    best = min(models, key=badness)
    rest = [trains for trains, model in zip(starts, models, strict=True) if model is not best]
    if rest and take_up(best, np.concatenate(rest)):
        settle(best)
    return best


def badness(model: Model) -> float:
    """Return what tells the better of two explanations: the lower, the better.

    That is the energy left, and for each unit the number of its train's components and a multiple
    of its territory's raggedness: explanations that mistake a sum of units for one may fit as well,
    but cut their territories to pieces.
    """
    components, size = model.trains.shape[1], model.whitened.shape[1:]
    ragged = sum(raggedness(column > 0.5, size) for column in model.membership.T)
    return float(model.energy().sum()) + components * model.count + RAGGED * ragged


def settle(model: Model) -> None:
    """Fit trains and territories in turn, adding and dropping units, until nothing changes."""
    model.fit_memberships()
    prune(model)
    for turn in range(ROUNDS):
        before = model.membership.copy()
        model.fit_trains()
        model.rescale()
        added = turn < ROUNDS - 2 and model.add(trains_of_residual(model))
        model.fit_memberships()
        merge(model)
        separate(model)
        after, count = model.membership, model.count
        settled = before.shape == after.shape and np.abs(before - after).max(initial=0) < SETTLED
        if settled or added or turn == ROUNDS - 1:
            prune(model)
        if settled and model.count == count:
            break
    model.fit_trains()
    model.rescale()


def take_up(model: Model, trains: NDArray[np.float64]) -> bool:
    """Add those trains, float64 (unit, component), that explain what the model leaves over.

    Returns
    -------
    bool
        Whether there were any.
    """
    rest = model.residual().astype(np.float64)
    energy = np.square(trains).sum(axis=1)
    gain = (2 * (rest @ trains.T) - energy) * model.weight[:, None]
    pixels = gain > 2 * PRESENCE
    evidence = np.where(pixels, gain, 0.0).sum(axis=0)
    chosen = evidence > model.needed(pixels.sum(axis=0).astype(np.float64))
    return model.add(trains[chosen])


def prune(model: Model) -> None:
    """Drop units, the least supported first, until all that are left are needed."""
    evidence, needed = model.support()
    while model.count:
        small = (model.membership > 0.5).sum(axis=0) < 2
        ratio = np.where(small, -1.0, evidence / needed)
        worst = int(ratio.argmin())
        if ratio[worst] > 1:
            return
        # Those without any support go together; the others one by one, since each may stand in
        # for another.
        chosen = np.asarray(ratio > 0.05)
        chosen[worst] = False
        touched = np.any(model.membership[:, ~chosen] > 0, axis=1)
        model.keep(chosen)
        before = model.membership.copy()
        model.fit_memberships()
        # Units elsewhere have the support that they had.
        touched |= np.any(model.membership != before, axis=1)
        around = scipy.ndimage.binary_dilation(touched.reshape(model.whitened.shape[1:]))
        beside = np.asarray(around, np.bool_).ravel()
        again = np.asarray(np.any(model.membership[beside] > 0, axis=0))
        fresh, needed = model.support(again)
        evidence = np.where(again, fresh, evidence[chosen])


def merge(model: Model) -> None:
    """Make one unit of two that cover the same pixels, where that explains them as well."""
    while model.count > 1:
        masks = (model.membership > 0.5).astype(np.float64)
        common = masks.T @ masks
        sizes = common.diagonal()
        either = np.maximum(sizes[:, None] + sizes - common, 1.0)
        overlap = np.triu(common / either, 1)
        for first, second in zip(*np.nonzero(overlap > SAME), strict=True):
            pixels = np.asarray((model.membership[:, [first, second]] > 0).any(axis=1))
            one = model.copy()
            one.trains[first] += one.trains[second]
            one.membership[:, first] = one.membership[:, [first, second]].max(axis=1)
            one.keep(np.arange(model.count) != second)
            one.fit_memberships(pixels)
            loss = one.energy().sum() - model.energy().sum()
            if loss < model.needed(np.array([float(either[first, second])]))[0]:
                model.keep(np.arange(model.count) != second)
                model.membership, model.trains = one.membership, one.trains
                break
        else:
            return


def separate(model: Model) -> None:
    """Take one unit's train out of another's where that holds the sum of both.

    A unit inside another one's territory can as well be explained by a unit with the sum of both
    trains there and the rest of the outer territory. Trains of different units are hardly
    correlated, and what is left of a territory is not round, so the explanation with the smaller
    trains and the rounder territories is the right one.
    """
    size = model.whitened.shape[1:]
    for inner in range(model.count):
        for outer in range(model.count):
            train = model.trains[inner] - model.trains[outer]
            if inner == outer or train @ train > SUM * (model.trains[inner] @ model.trains[inner]):
                continue
            inside = model.membership[:, inner] > 0.5
            around = model.membership[:, outer] > 0.5
            if not inside.any() or around[inside].mean() > 0.2:
                continue
            if raggedness(around | inside, size) > raggedness(around, size) - ROUNDER:
                continue
            other = model.copy()
            other.trains[inner] = train
            other.membership[inside, outer] = 1.0
            other.fit_trains()
            other.fit_memberships(inside | (model.membership[:, outer] > 0))
            loss = other.energy().sum() - model.energy().sum()
            if loss < model.needed(np.array([float(inside.sum())]))[0] / 2:
                model.trains, model.membership = other.trains, other.membership


def raggedness(mask: NDArray[np.bool_], size: tuple[int, int]) -> float:
    """Return the edge of a mask, bool (pixel,), over that of a disc of its area.

    Where the mask ends at the image's edge does not count.
    """
    image = mask.reshape(size)
    edge = sum(int((np.diff(image, axis=axis)).sum()) for axis in (0, 1))
    return edge / math.sqrt(4 * math.pi * max(int(mask.sum()), 1))


def trains_of_residual(model: Model) -> NDArray[np.float64]:
    """Find trains in what is not explained yet, each in a connected group of pixels.

    Returns
    -------
    float64 array of shape (unit, component)
    """
    size = model.whitened.shape[1:]
    rest = model.residual()
    components = rest.shape[1]
    found: list[NDArray[np.float64]] = []
    tried = np.zeros(len(rest), bool)
    for _ in range(MOST_ADDED):
        energy = np.square(rest).sum(axis=1) * model.weight
        local = scipy.ndimage.uniform_filter(energy.reshape(size), 3, mode="nearest").ravel()
        local[tried] = 0
        seed = int(local.argmax())
        if local[seed] < components + 4 * math.sqrt(2 * components / 9) + 2:
            break
        group = _around(seed, size)
        train = rest[group].mean(axis=0, dtype=np.float64)
        for _ in range(6):
            share = (rest @ train.astype(np.float32)) / max(float(train @ train), 1e-30)
            groups = connected((share > 0.5).reshape(size)).ravel()
            if groups[seed] == 0:
                group = _around(seed, size)
                break
            group = groups == groups[seed]
            train = rest[group].mean(axis=0, dtype=np.float64)
        gain = 2 * (rest[group] @ train) - train @ train
        evidence = float((gain * model.weight[group]).sum())
        tried |= _around(seed, size)
        if group.sum() > 1 and evidence > model.needed(np.array([float(group.sum())]))[0]:
            found.append(train)
            tried |= group
            rest[group] -= train.astype(np.float32)
    return np.array(found).reshape(-1, components)


def _around(pixel: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixel and its eight neighbours, bool (pixel,)."""
    image = np.zeros(size, bool)
    row, column = divmod(pixel, size[1])
    image[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return image.ravel()
