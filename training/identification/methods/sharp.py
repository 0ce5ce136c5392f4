"""Whether units move alike all over their territories and nothing else, and what follows from it.

Of such recordings - the analytic model's are - far more can be known: velocity steps by a unit's
train where its territory ends. Whether one is of that kind is seen from the units found without
that assumption: memberships of 0 and 1 then explain what their trains explain with any map.
"""

import dataclasses
import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ..noise import Noise, Whitened
from ..ways import Way
from .model import Model
from .spread import Spread

SHARP = 0.97
"""Share of what trains explain that memberships of 0 and 1 must explain. Units in speckle that move
as they are reach 0.95-0.97, a blur of 1 px of 0.625 mm 0.92, fibres that slide 0.90, motion that
spreads 0.72-0.88 (``python -m benchmarks.identification``: discs, analytic, fibres, others)."""

TRIED = 0.85
"""Share from which the assumption is tried where that costs little: missed units lower it."""

SPARE_UNITS = 1.6
"""There are as many units as directions that hold signal; a model of more than this many times
those has made some up."""

SAME = 0.8
"""Cosine, without its sign, of trains that are one unit's. Of different units of 25 and 30 in one
image it was 0.68 at most."""

REPEATS = 0.1
"""Share of a model's units that may have the train of one before: motion that fades out is
explained by discs inside rings, which all have the train of one unit."""

ECHO = 0.8
"""Cosine of a train with the best sum of those of stronger units about it, from which it is these
once more: of territories that move unevenly, a spot that moves more. In 25 analytic recordings of
15 or 25 units (``python -m benchmarks.reach``: blurred, soft, uneven, of fibres) of 409 true units
one had 0.79 and the others 0.68 at most, of six that were none five had 0.82 or more."""

PLATEAU = 0.3
"""Share of a map's top above which it is taken to be on its plateau."""

SPARE = 1.5
"""Components that are fewer than this many times those with signal are kept as they are."""


def plateau(values: NDArray[np.float64]) -> float:
    """Return the level of a map (pixel,) where its unit is."""
    top = float(np.quantile(values, 0.999))
    inside = values[values > PLATEAU * top]
    return float(np.median(inside)) if top > 0 and inside.size else 1.0


def sharpness(found: Whitened, trains: NDArray[np.float64]) -> float:
    """Return what share of what trains explain memberships of 0 and 1 explain.

    Only motion in the trains' directions counts: memberships of few units that cover much of an
    image would be given credit for whatever else moves there.

    Parameters
    ----------
    found : Whitened
    trains : float64 array of shape (unit, component)
        Positive where the unit's map is.

    Returns
    -------
    float
        0 without trains.
    """
    if not len(trains):
        return 0.0
    values = found.values.astype(np.float64)
    maps = values @ np.linalg.pinv(trains)
    maps /= np.array([plateau(column) for column in maps.T])
    membership = np.clip(np.round(maps), 0.0, 1.0)
    basis, _ = np.linalg.qr(trains.T)
    noise = len(trains) * float(np.square(found.noise.sd).sum())
    own = values @ basis
    whole = float(np.square(own).sum()) - noise
    gram = membership.T @ membership + 1e-9 * np.eye(len(trains))
    products = membership.T @ own
    explained = float((products * np.linalg.solve(gram, products)).sum())
    return explained / whole if whole > 0 else 0.0


def why_untried(found: Whitened, spread: Spread) -> Way | None:
    """Return why a recording is not tried as one of units that move as they are; None if it is.

    On pixels as coarse as blocks, where it takes a fraction of a second, doubt is enough.
    """
    if not len(spread.trains):
        return None
    share = sharpness(found, spread.trains)
    coarse = len(found.values) == math.prod(spread.blocks.shape)
    wanted = TRIED if coarse else SHARP
    return None if share >= wanted else Way("spread", share, wanted)


def judged(found: Whitened, spread: Spread, model: Model) -> Way:
    """Return whether a model of units that move as they are explains a recording, and why not.

    It does if it explains what the directions with signal hold, with no more units than those, its
    trains' maps are memberships of 0 and 1, and hardly any of them moves as another does; whether
    units were found without it is no matter: where there is none, an artery or the body is what
    moves.

    Parameters
    ----------
    found : Whitened
    spread : Spread
        What was found without the assumption.
    model : Model
        In the components of `found`.

    Returns
    -------
    Way
        ``together`` if it does.
    """
    if not len(spread.directions):
        return Way("unseen")
    most = SPARE_UNITS * len(spread.directions) + 1
    if model.count > most:
        return Way("too-many", model.count, most)
    # Where signal is weak, memberships are fitted to noise as well, and explain more than there is.
    own = sharpness(found, model.trains)
    if own < TRIED:
        return Way("spread", own, TRIED)
    length = np.sqrt(np.square(model.trains).sum(axis=1))
    cosine = (model.trains @ model.trains.T) / np.maximum(np.outer(length, length), 1e-30)
    repeats = np.tril(np.abs(cosine) > SAME, -1).any(axis=1).sum()
    if repeats > REPEATS * model.count:
        return Way("repeated", float(repeats / model.count), REPEATS)
    noise = float(np.square(found.noise.sd).sum())
    values = found.values.astype(np.float64)
    signal = float(np.square(values @ spread.directions.T).sum())
    signal -= len(spread.directions) * noise
    left = values - model.membership @ model.trains
    explained = float(np.square(values).sum()) - float(np.square(left).sum())
    share = explained / signal if signal > 0 else 1.0
    return Way("sharp" if explained >= SHARP * signal else "spread", share, SHARP)


def without_echoes(
    model: Model, evidence: NDArray[np.float64], needed: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Drop units whose trains are made of those of the units about them, and stronger than them.

    Parameters
    ----------
    model : Model
        Its units are dropped.
    evidence, needed : float64 arrays of shape (unit,)
        See :meth:`.model.Model.support`.

    Returns
    -------
    evidence, needed : float64 arrays of shape (unit,)
        Of the units that are left.
    """
    size = model.whitened.shape[1:]
    masks = (model.membership > 0.5).T.reshape(-1, *size)
    kept = np.ones(model.count, np.bool_)
    for unit in np.argsort(evidence, kind="stable"):
        around = scipy.ndimage.binary_dilation(masks[unit], iterations=1)
        beside = kept & (masks & around).any(axis=(1, 2)) & (evidence > evidence[unit])
        if beside.any():
            basis, _ = np.linalg.qr(model.trains[beside].T)
            train = model.trains[unit]
            length = float(np.linalg.norm(train))
            kept[unit] = np.linalg.norm(train @ basis) <= ECHO * length
    model.keep(kept)
    return evidence[kept], needed[kept]


def reduced(found: Whitened, directions: NDArray[np.float64]) -> Whitened:
    """Return the components in the directions that hold signal, float64 (direction, component).

    Their trains have to be turned back, ``trains @ directions``, before they are looked at in time.
    """
    values = np.ascontiguousarray(found.values @ directions.T.astype(np.float32))
    whitening = found.noise.whitening @ directions.T
    noise = Noise(whitening, found.noise.sd, found.noise.area)
    return dataclasses.replace(found, values=values, noise=noise)


def worth_reducing(found: Whitened, spread: Spread) -> bool:
    """Tell whether few enough of the components hold signal.

    Where no unit was found what stands out may be noise, chosen from all components.
    """
    few = SPARE * len(spread.directions) + 10 < found.values.shape[1]
    return few and len(spread.trains) > 0
