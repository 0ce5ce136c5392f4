"""Loops of :mod:`musim.simulator.firing`: moving firings onto those of other units."""

import math

import numpy as np

from .acceleration import kernel


@kernel
def follow(block, mean, deviation, last):
    """Turn excursions of intervals into the instants that follow the last ones.

    Parameters
    ----------
    block : float64 array of shape (unit, firing), changed in place
        Excursions, in units of the SD; then instants, s.
    mean, deviation, last : float64 arrays of shape (unit,)
        Mean and SD of the intervals, and the instants before, s.
    """
    units, firings = block.shape
    for unit in range(units):
        passed = 0.0
        for firing in range(firings):
            passed += mean[unit] + deviation[unit] * block[unit, firing]
            block[unit, firing] = last[unit] + passed


@kernel
def end_trains(times, duration):
    """Put NaN where firings come after the end; return the columns that are needed, 1 or more.

    Parameters
    ----------
    times : float64 array of shape (unit, firing), changed in place
        Instants, s, rising; NaN last.
    duration : float
        Of the sequence, s.
    """
    units, firings = times.shape
    columns = 1
    for unit in range(units):
        count = 0
        for firing in range(firings):
            if times[unit, firing] < duration:
                count += 1
            else:
                times[unit, firing] = math.nan
        columns = max(columns, count)
    return columns


@kernel
def share_inside(times, marked, duration, share):
    """Fill the share of each unit's firings within a sequence that are marked; 0 of none.

    Parameters
    ----------
    times : float64 array of shape (unit, firing)
        Instants, s; NaN is none.
    marked : bool array of shape (unit, firing)
    duration : float
        Of the sequence, s.
    share : float64 array of shape (unit,), filled
    """
    units, firings = times.shape
    for unit in range(units):
        count, both = 0, 0
        for firing in range(firings):
            if 0.0 <= times[unit, firing] < duration:
                count += 1
                if marked[unit, firing]:
                    both += 1
        share[unit] = both / max(count, 1)


@kernel
def move_onto_nearest(times, chosen, offset, targets, target_unit, refractory, moved):
    """Move the chosen firings onto the nearest target of another unit, where order allows it.

    Parameters
    ----------
    times : float64 array of shape (unit, firing), changed in place
        Instants, s, rising.
    chosen : bool array of shape (unit, firing)
    offset : float64 array of shape (unit, firing)
        What is added to the target, s.
    targets, target_unit : float64 and int64 arrays of shape (target,)
        Instants that stay, rising, and their units.
    refractory : float
        Shortest interval of a unit, s.
    moved : bool array of shape (unit, firing), changed in place
    """
    units, firings = times.shape
    for unit in range(units):
        stood = -math.inf
        before_it = -math.inf
        for firing in range(firings):
            # Where this one and the one before it stood before any was moved.
            stood, before_it = times[unit, firing], stood
            if not chosen[unit, firing]:
                continue
            instant = stood
            after = np.searchsorted(targets, instant)
            before = after - 1
            while after < targets.size and target_unit[after] == unit:
                after += 1
            while before >= 0 and target_unit[before] == unit:
                before -= 1
            gap_after = targets[after] - instant if after < targets.size else math.inf
            gap_before = instant - targets[before] if before >= 0 else math.inf
            if gap_after == math.inf and gap_before == math.inf:
                continue
            nearest = targets[after] if gap_after <= gap_before else targets[before]
            wanted = nearest + offset[unit, firing]
            # Nor before the place where the one before it stood at first: so at most one firing of
            # a unit can cross the end of a sequence, and rooms for firings can be bounded.
            if firing > 0 and wanted < max(times[unit, firing - 1], before_it) + refractory:
                continue
            if firing < firings - 1 and times[unit, firing + 1] - wanted < refractory:
                continue
            times[unit, firing] = wanted
            moved[unit, firing] = True
