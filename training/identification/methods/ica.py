"""Independent component analysis of the image's gradients.

Where a unit's territory has an edge, neighbouring pixels differ by its train; elsewhere, the unit
does not show in their difference. So the differences of neighbours mix the same trains as the image
does, by weights that are far sparser than overlapping territories are, and more independent.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from ..noise import Whitened, whiten
from ..units import Recording, Units
from .candidates import unmixed
from .edges import distances, pairs
from .model import Model, connected, units_of
from .sharp import judged, plateau, why_untried, without_echoes
from .spread import spread_units, units_of_spread

MARGIN = 1.1
"""Components count whose singular value exceeds the largest of noise by this factor."""

MOST_COMPONENTS = 60

MOST_EDGES = 6000
"""Pairs across edges that are looked at, spread over the image where there are more."""

FLAT = 4
"""Differences of 0 that are added for each two across an edge."""

LEVEL = 0.5
"""Pixels belong to a unit where its map exceeds this share of the map's plateau."""

SMALLEST_PART = 0.2
"""Parts of a territory that are smaller than this share of its largest part are left out."""


def ica(recording: Recording) -> Units:
    """Find units by spatial independent component analysis.

    Raises
    ------
    InputError
        If units cannot be sought in the recording.
    """
    found = whiten(recording)
    spread = spread_units(recording, found)
    way = why_untried(found, spread)
    if way is None:
        model = ica_model(found)
        way = judged(found, spread, model)
        if way.together:
            units = units_of(recording, model, *without_echoes(model, *joint_support(model)))
            return dataclasses.replace(units, way=way)
    return dataclasses.replace(units_of_spread(recording, found, spread), way=way)


def ica_model(found: Whitened) -> Model:
    """Find units by spatial independent component analysis of a recording's whitened components."""
    model = Model.of(found, independent_trains(found))
    model.membership = territories(found, model.trains)
    # Weights without allowance for misfit: the trains are those of least squares.
    model.weight = 1 / np.square(found.noise.sd.ravel())
    model.keep((model.membership > 0).sum(axis=0) > 1)
    merge_duplicates(model)
    model.fit_trains()
    evidence, needed = joint_support(model)
    model.keep(evidence > needed)
    model.fit_trains()
    return model


def joint_support(model: Model) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each unit's evidence, and how much of it noise alone would give.

    The evidence is by how much the residual's energy grows when the unit is taken away and the
    trains of the others are fitted anew: the square of its train over the variance of one
    component of it.

    Returns
    -------
    evidence, needed : float64 arrays of shape (unit,)
    """
    gram = model.membership.T @ (model.membership * model.weight[:, None])
    variance = np.diag(np.linalg.pinv(gram, hermitian=True))
    evidence = np.square(model.trains).sum(axis=1) / np.maximum(variance, 1e-300)
    return evidence, model.needed((model.membership > 0.5).sum(axis=0).astype(np.float64))


def component_count(found: Whitened) -> tuple[int, NDArray[np.float64]]:
    """Count the components that stand out from noise.

    A component does if its singular value exceeds the largest of a matrix of noise, sqrt(pixels) +
    sqrt(components x area) for noise that is alike over `area` pixels (Davidson and Szarek 2001,
    doi:10.1016/S1874-5849(01)80010-3).

    Returns
    -------
    count : int
    directions : float64 array of shape (component, component)
        Rows of length 1, the strongest first.
    """
    alone = found.values / found.noise.sd.reshape(-1, 1).astype(np.float32)
    # In float64: of a recording without noise, the products' rounding would look like components.
    alone = alone.astype(np.float64)
    energy, vectors = np.linalg.eigh(alone.T @ alone)
    pixels, components = alone.shape
    largest = math.sqrt(pixels) + math.sqrt(components * found.noise.area)
    count = int((np.sqrt(np.maximum(energy, 0)) > MARGIN * largest).sum())
    return min(count, MOST_COMPONENTS), vectors[:, ::-1].T.copy()


def independent_trains(found: Whitened) -> NDArray[np.float64]:
    """Find trains whose weights in the image's gradients are independent.

    Returns
    -------
    float64 array of shape (unit, component)
        Of about the size of the unit's velocity, positive where its map is.
    """
    count, directions = component_count(found)
    if count == 0:
        return np.zeros((0, found.values.shape[1]))
    values = (found.values @ directions[:count].T.astype(np.float32)).astype(np.float64)
    if count == 1:
        trains = directions[:1]
    else:
        first, second = pairs(found.shape[1:], 1)
        variance = np.square(found.noise.sd.ravel())
        energy = distances(values, first, second) / (variance[first] + variance[second])
        seen = np.flatnonzero(energy > count + 4 * math.sqrt(2 * count) + 8)
        seen = seen[:: -(-len(seen) // MOST_EDGES) or 1]
        edges = values[first[seen]] - values[second[seen]]
        if len(edges) < 5 * count:
            edges = values
        # Most pixels lie across no edge: without them, few units would not be sparse.
        flat = np.zeros((FLAT * len(edges) // 2, count))
        trains = unmixed(np.concatenate([edges, flat]), "cube") @ directions[:count]
    maps = _maps(found, trains)
    sign = np.where((maps**3).sum(axis=0) < 0, -1.0, 1.0)
    levels = np.array([plateau(column) for column in (maps * sign).T])
    return trains * (sign * levels)[:, None]


def _maps(found: Whitened, trains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each pixel's least-squares weights, float64 (pixel, unit), of the trains."""
    return found.values.astype(np.float64) @ np.linalg.pinv(trains)


def territories(found: Whitened, trains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return territories, float64 (pixel, unit) of 0 and 1: maps by threshold and shape."""
    size = found.shape[1:]
    masks = np.zeros((len(found.values), len(trains)))
    if not len(trains):
        return masks
    for unit, column in enumerate(_maps(found, trains).T):
        parts = connected((column > LEVEL).reshape(size))
        sizes = np.bincount(parts.ravel(), minlength=2)
        sizes[0] = 0
        masks[:, unit] = (sizes >= max(SMALLEST_PART * sizes.max(), 2))[parts].ravel()
    return masks


def merge_duplicates(model: Model) -> None:
    """Drop each unit whose territory and train are those of one before it."""
    length = np.sqrt(np.square(model.trains).sum(axis=1))
    cosine = (model.trains @ model.trains.T) / np.maximum(np.outer(length, length), 1e-30)
    common = model.membership.T @ model.membership
    sizes = common.diagonal()
    overlap = common / np.maximum(sizes[:, None] + sizes - common, 1)
    same = np.tril((cosine > 0.9) & (overlap > 0.5), -1)
    model.keep(np.logical_not(np.any(same, axis=1)))
