"""Alternate between trains and territories until both agree with the recording."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from ....simulator.sequence import Truth
from ..noise import Features, features
from ..units import Recording, Units
from .edges import trains_of_edges
from .model import PRESENCE, Model, connected, units_of

ROUNDS = 12
SETTLED = 0.1
"""Memberships that change by less have settled."""

MOST_ADDED = 10

SAME = 0.5
"""Intersection over union of territories that may be one."""


def refined(start: Callable[[Features], Model] | None = None) -> Callable[..., Units]:
    """Return the method that refines the units of another, or those of edges alone.

    Parameters
    ----------
    start : callable, optional
        Turns features into a model, whose trains are taken up where they are needed.
    """

    def method(recording: Recording, truth: Truth | None = None) -> Units:
        found = features(recording)
        model = Model.of(found, trains_of_edges(found))
        settle(model)
        if start is not None and take_up(model, start(found).trains):
            settle(model)
        return units_of(recording, model, *model.support())

    return method


def settle(model: Model) -> None:
    """Fit trains and territories in turn, adding and dropping units, until nothing changes."""
    model.fit_memberships()
    prune(model)
    for turn in range(ROUNDS):
        before = model.membership.copy()
        model.fit_trains()
        model.rescale()
        if turn < ROUNDS - 2:
            model.add(trains_of_residual(model))
        model.fit_memberships()
        merge(model)
        prune(model)
        after = model.membership
        if before.shape == after.shape and np.abs(before - after).max(initial=0.0) < SETTLED:
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
    model.add(trains[chosen])
    return bool(chosen.any())


def prune(model: Model) -> None:
    """Drop units, the least supported first, until all that are left are needed."""
    while model.count:
        evidence, needed = model.support()
        small = (model.membership > 0.5).sum(axis=0) < 2
        ratio = np.where(small, -1.0, evidence / needed)
        worst = int(ratio.argmin())
        if ratio[worst] > 1:
            return
        # Those without any support go together; the others one by one, since each may stand in
        # for another.
        chosen = ratio > 0.05
        chosen[worst] = False
        model.keep(chosen)
        model.fit_memberships()


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
            one = Model(model.features, model.weight, model.membership.copy(), model.trains.copy())
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


def trains_of_residual(model: Model) -> NDArray[np.float64]:
    """Find trains in what is not explained yet, each in a connected group of pixels.

    Returns
    -------
    float64 array of shape (unit, component)
    """
    size = model.features.shape[1:]
    rest = model.residual()
    components = rest.shape[1]
    found: list[NDArray[np.float64]] = []
    tried = np.zeros(len(rest), bool)
    for _ in range(MOST_ADDED):
        energy = np.square(rest).sum(axis=1) * model.weight
        local = uniform_filter(energy.reshape(size), 3, mode="nearest").ravel()
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
