"""When motor units fire: stationary renewal trains, doublets, and synchrony between units."""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from .parameters import INTERVAL_CLIP, Parameters
from .seeds import Stream, generator


@dataclass(frozen=True)
class Firings:
    """Firings of one sequence's units.

    Parameters
    ----------
    times : float64 array of shape (unit, firing)
        Instants, s, rising, from before the sequence's start; padded with NaN.
    firing_rate : float64 array of shape (unit,)
        Mean rate of the underlying train, without doublets, Hz.
    interval_variation : float64 array of shape (unit,)
        SD over mean of the intervals that was asked for.
    synchrony : float
        Share of firings that were to be moved onto other units' firings.
    synchronised : bool array of shape (unit, firing)
        Which firings were moved.
    """

    times: NDArray[np.float64]
    firing_rate: NDArray[np.float64]
    interval_variation: NDArray[np.float64]
    synchrony: float
    synchronised: NDArray[np.bool_]


def half_width(rate: NDArray[np.float64], variation: NDArray[np.float64], refractory: float):
    """Return how far, in s, an interval may lie from its mean: 3.9 SD, or down to `refractory` (s).

    The cut is symmetric, so that the mean interval, and with it the rate, stays exact.
    """
    mean = 1 / rate
    return np.minimum(INTERVAL_CLIP * variation * mean, mean - refractory)


def most_firings(parameters: Parameters, lead: float) -> int:
    """Return a number of firings that no train of `lead` plus the sequence's duration exceeds.

    Parameters
    ----------
    parameters : Parameters
    lead : float
        Time before the sequence's start in which firings still matter, s.
    """
    # The shortest interval shrinks as rate and variation grow, so the corner bounds all draws.
    rate = np.array([parameters.firing_rate.high])
    variation = np.array([parameters.interval_variation.high])
    cut = half_width(rate, variation, parameters.refractory_period / 1000)
    shortest = float((1 / rate - cut)[0])
    shortest = max(shortest, 1e-4)
    firings = math.ceil((lead + parameters.duration) / shortest) + 2
    return firings * 2 if parameters.doublets.high > 0 else firings


def draw_firings(parameters: Parameters, units: int, lead: float, seed: int, index: int) -> Firings:
    """Draw the firings of `units` units from `lead` seconds before the sequence to its end.

    Intervals are normal about 1 / rate with SD variation / rate (Ali et al. 2020, section IV.A),
    cut symmetrically at 3.9 SD and at the refractory period. The first firing is that of an
    equilibrium renewal process (Cox 1962, Renewal Theory), so that every instant of a sequence is
    like any other.

    Parameters
    ----------
    parameters : Parameters
    units : int
        Number of units.
    lead : float
        Time before the sequence in which firings still matter, s.
    seed, index : int
        The store's seed and the sequence's index.

    Returns
    -------
    Firings
    """
    from .firing_kernels import end_trains

    random = generator(seed, index, Stream.FIRING)
    rate = parameters.firing_rate.draw(random, units)
    variation = parameters.interval_variation.draw(random, units)
    times = _renewal_trains(
        rate, variation, parameters.refractory_period / 1000, lead + parameters.duration, random
    )
    times -= lead
    random = generator(seed, index, Stream.SYNCHRONY)
    synchrony = parameters.synchrony.draw_one(random)
    jitter = parameters.synchrony_jitter.draw_one(random) / 1000
    synchronised = np.zeros(times.shape, np.bool_)
    if synchrony > 0 and units > 1:
        times, synchronised = synchronise(
            times, synchrony, jitter, parameters.refractory_period / 1000, random
        )
    if parameters.doublets.high > 0:
        times, synchronised = _add_doublets(parameters, times, synchronised, seed, index)
    columns = end_trains(times, parameters.duration)
    return Firings(times[:, :columns], rate, variation, synchrony, synchronised[:, :columns])


def _renewal_trains(
    rate: NDArray[np.float64],
    variation: NDArray[np.float64],
    refractory: float,
    duration: float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw trains from 0 to beyond `duration`, s, float64 (unit, firing)."""
    from .firing_kernels import follow

    mean = 1 / rate
    deviation = variation * mean
    cut = half_width(rate, variation, refractory)
    # In units of the SD; where there is none, the cut has no meaning and any number serves.
    limit = np.divide(cut, deviation, out=np.ones_like(cut), where=deviation > 0)
    lowest = scipy.special.ndtr(-limit)
    span = 1 - 2 * lowest

    def quantiles(columns: int) -> NDArray[np.float64]:
        """Draw excursions from the mean, in units of the SD."""
        share = random.random((rate.size, columns))
        share *= span[:, None]
        share += lowest[:, None]
        return scipy.special.ndtri(share, out=share)

    # The interval that the start falls into is drawn in proportion to its length: for a density
    # symmetric about the mean that is the excursion's sign, + with (1 + |excursion| / mean) / 2.
    size = np.abs(deviation * quantiles(1)[:, 0])
    sign = np.where(random.random(rate.size) < (1 + size / mean) / 2, 1.0, -1.0)
    first = (mean + sign * size) * random.random(rate.size)
    blocks = [first[:, None]]
    last = first
    while (last < duration).any():
        # Enough for nearly all trains at once; the loop runs again for the rest.
        columns = math.ceil(float(((duration - last) * rate).max()) * 1.25) + 4
        block = quantiles(columns)
        follow(block, mean, deviation, last)
        blocks.append(block)
        last = block[:, -1]
    return np.concatenate(blocks, axis=1)


def synchronise(
    times: NDArray[np.float64],
    share: float,
    jitter: float,
    refractory: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Move a share of each unit's firings onto the nearest firing of another unit.

    Each firing is chosen with probability `share`; the chosen ones move onto the nearest firing
    that was not chosen, of any other unit, plus a Gaussian jitter (after Yao, Fuglevand and Enoka
    2000, doi:10.1152/jn.2000.83.1.441). Firings stay as many and in order, so the mean rate is
    kept: one that would come closer than `refractory` to its own neighbours stays where it was.

    Parameters
    ----------
    times : float64 array of shape (unit, firing)
        Instants, s, rising, without NaN.
    share : float
        Probability of a firing to be moved, 0..0.5.
    jitter : float
        SD about the target, s.
    refractory : float
        Shortest interval of a unit, s.
    random : numpy.random.Generator

    Returns
    -------
    times : float64 array of shape (unit, firing)
    moved : bool array of shape (unit, firing)
    """
    from .firing_kernels import move_onto_nearest

    chosen = random.random(times.shape) < share
    # Nothing is drawn from this stream afterwards, so what has no effect need not be drawn.
    offset = random.standard_normal(times.shape) * jitter if jitter else np.zeros(times.shape)
    stays = np.flatnonzero(~chosen)
    targets = times.ravel()[stays]
    # Ties have no influence: instants are continuous.
    order = np.argsort(targets)
    moved_times = times.copy()
    moved = np.zeros(times.shape, np.bool_)
    move_onto_nearest(
        moved_times,
        chosen,
        offset,
        targets[order],
        stays[order] // times.shape[1],
        refractory,
        moved,
    )
    return moved_times, moved


def _add_doublets(
    parameters: Parameters,
    times: NDArray[np.float64],
    synchronised: NDArray[np.bool_],
    seed: int,
    index: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Follow a share of the firings by a second one, where it fits before the next firing."""
    random = generator(seed, index, Stream.DOUBLET)
    share = parameters.doublets.draw_one(random)
    second = times + parameters.doublet_interval / 1000
    chosen = random.random(times.shape) < share
    chosen[:, :-1] &= second[:, :-1] + parameters.refractory_period / 1000 < times[:, 1:]
    both = np.concatenate([times, np.where(chosen, second, np.nan)], axis=1)
    flags = np.concatenate([synchronised, np.zeros_like(synchronised)], axis=1)
    order = np.argsort(both, axis=1, kind="stable")  # NaN sorts last
    return np.take_along_axis(both, order, axis=1), np.take_along_axis(flags, order, axis=1)
