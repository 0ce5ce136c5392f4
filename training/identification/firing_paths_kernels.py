"""Loops of :mod:`.deconvolution`: the likeliest firings of a train, found frame by frame.

Many histories of a train are followed from frame to frame. Each goes on without a firing or with
one at any place of the frame, and those are kept that explain best what was seen so far (the
M-algorithm, Anderson and Mohan 1984, doi:10.1109/TCOM.1984.1096023). How a firing's twitch differs
from the usual one is a sum of a few courses with normal sizes; those of the last firings are
integrated out by a Kalman filter in each history.
"""

import math

import numpy as np

from ...simulator.acceleration import kernel
from .selection_kernels import choose

PLACES = 4
"""Places of an onset in each frame: 2.5 ms at 100 Hz."""

NONE = -(1 << 30)
"""No place."""


@kernel
def first_frame(place):
    """Return the first frame at or after a place, and the row of the twitch that begins there."""
    first = -((-place) // PLACES)
    return first, first * PLACES - place


@kernel
def draw_histories(random, densities, refractory, twitch, ahead, last):
    """Draw what went before the first frame, from what intervals are likely.

    Parameters
    ----------
    random : numpy.random.Generator
    densities : float64 array of shape (interval,)
        Log probability of an interval of so many places.
    refractory : int
        Shortest interval, places.
    twitch : float64 array of shape (place, time)
    ahead : float64 array of shape (history, time), changed in place
        What firings before the first frame still do: at first 0.
    last : int64 array of shape (history,), changed in place
        Places of the last firings.
    """
    length = twitch.shape[1]
    whole = np.zeros(densities.size)
    total, mean = 0.0, 0.0
    for interval in range(refractory, densities.size):
        total += math.exp(densities[interval])
        mean += interval * math.exp(densities[interval])
        whole[interval] = total
    mean /= total
    for history in range(last.size):
        place = -length * PLACES - int(random.random() * mean)
        while True:
            interval = np.searchsorted(whole, random.random() * total)
            if place + interval > -PLACES:
                break
            place += interval
            first, row = first_frame(place)
            for frame in range(max(-first, 0), length):
                ahead[history, (first + frame) % length] += twitch[row, frame]
        last[history] = place


@kernel
def add_ahead(ahead, course, start, slot, size):
    """Add a course from one of its frames on to what lies ahead, a ring, from a slot of it on."""
    length = ahead.size
    # Two stretches, as remainders take long.
    turn = min(length, start + length - slot)
    for since in range(start, turn):
        ahead[slot + since - start] += size * course[since]
    for since in range(turn, length):
        ahead[since - turn] += size * course[since]


@kernel
def observe(left, variance, frame, bases, active, sizes, spread, slopes, gains):
    """Take in one frame of a history; return the log density of what is seen there.

    Parameters
    ----------
    left : float
        What firings of the usual twitch leave of the frame.
    variance : float
        Of its noise.
    frame : int
    bases : float64 array of shape (basis, place, time)
        How twitches differ.
    active : int64 array of shape (firing,)
        Places of the last firings.
    sizes : float64 array of shape (size,), changed in place
        Of how their twitches differ: means, firing by firing.
    spread : float64 array of shape (size, size), changed in place
        Covariance of these.
    slopes, gains : float64 arrays of shape (size,)
        To work in.
    """
    rank, length = len(bases), bases.shape[2]
    for each in range(active.size):
        first, row = first_frame(active[each])
        since = frame - first
        for basis in range(rank):
            seen = active[each] > NONE and 0 <= since < length
            slopes[each * rank + basis] = bases[basis, row, since] if seen else 0.0
    gains[:] = 0.0
    for one in range(sizes.size):  # the inner loop adds nothing up: processors do it at once
        for other in range(sizes.size):
            gains[other] += spread[one, other] * slopes[one]
        left -= slopes[one] * sizes[one]
    for one in range(sizes.size):
        variance += slopes[one] * gains[one]
    for one in range(sizes.size):
        share = gains[one] / variance
        sizes[one] += share * left
        for other in range(sizes.size):
            spread[one, other] -= share * gains[other]
    return -0.5 * (left * left / variance + math.log(variance))


@kernel
def fire(place, frame, twitch, bases, variances, ahead, active, sizes, spread):
    """Let a history fire: the oldest of its last firings becomes what it is thought to be."""
    length, rank, slot = twitch.shape[1], len(bases), (frame + 1) % twitch.shape[1]
    _, row = first_frame(place)
    add_ahead(ahead, twitch[row], 1, slot, 1.0)
    if rank == 0:
        return
    first, row = first_frame(active[0])
    if active[0] > NONE and frame + 1 - first < length:
        for basis in range(rank):
            add_ahead(ahead, bases[basis, row], frame + 1 - first, slot, sizes[basis])
    kept = sizes.size - rank
    active[:-1] = active[1:]
    active[-1] = place
    for one in range(kept):
        sizes[one] = sizes[one + rank]
        for other in range(kept):
            spread[one, other] = spread[one + rank, other + rank]
    for one in range(kept, sizes.size):
        sizes[one] = 0.0
        spread[one, :] = 0.0
        spread[:, one] = 0.0
        spread[one, one] = variances[one - kept]


@kernel
def begun(width, length, following, size):
    """Return room for histories: ahead, last, active, sizes, spread, score."""
    return (
        np.zeros((width, length)), np.zeros(width, np.int64), np.full((width, following), NONE),
        np.zeros((width, size)), np.zeros((width, size, size)), np.zeros(width),
    )  # fmt: skip


@kernel
def go_on(histories, living, left, noise, frame, bases, densities, survivals, refractory, rank, own,
          parent, chosen, slopes, gains):  # fmt: skip
    """List what histories may do in a frame; return how much there is.

    `rank` counts that none was seen since, `own` does not: only so may firings be added.
    """
    _, last, active, sizes, spread, score = histories
    now, longest, count = frame * PLACES, densities.size - 1, 0
    for one in range(living):
        if sizes.shape[1]:
            seen = score[one] + observe(left[one], noise, frame, bases, active[one], sizes[one],
                                        spread[one], slopes, gains)  # fmt: skip
        else:
            seen = score[one] - 0.5 * (left[one] * left[one] / noise + math.log(noise))
        interval = now - last[one]
        if interval <= longest:
            own[count], rank[count] = seen, seen + survivals[interval]
            parent[count], chosen[count] = one, NONE
            count += 1
        for back in range(PLACES):
            interval = now - back - last[one]
            if refractory <= interval <= longest:
                own[count] = seen + densities[interval]
                rank[count] = own[count] + survivals[back]
                parent[count], chosen[count] = one, now - back
                count += 1
    return count


@kernel
def copy_history(old, before, new, one, slot):
    """Make a history one that was before, a frame later.

    In loops: views of rows would take longer than what they hold.
    """
    ahead, last, active, sizes, spread, _ = old
    new_ahead, new_last, new_active, new_sizes, new_spread, _ = new
    for since in range(ahead.shape[1]):
        new_ahead[one, since] = ahead[before, since]
    new_ahead[one, slot] = 0.0
    new_last[one] = last[before]
    for each in range(sizes.shape[1]):
        new_sizes[one, each] = sizes[before, each]
        for other in range(sizes.shape[1]):
            new_spread[one, each, other] = spread[before, each, other]
    for each in range(active.shape[1]):
        new_active[one, each] = active[before, each]


@kernel
def places_of(parents, fired, one):
    """Return the places of all firings of the history that is `one` in the last frame, rising."""
    frames = len(fired)
    places, count = np.empty(frames, np.int64), 0
    for frame in range(frames - 1, -1, -1):
        if fired[frame, one] > NONE:
            places[count] = fired[frame, one]
            count += 1
        one = parents[frame, one]
    return places[:count][::-1].copy()


@kernel
def likeliest_firings(random, train, noise, twitch, bases, variances, following, densities,
                      survivals, refractory, width):  # fmt: skip
    """Return the places of the likeliest firings, and the log evidence.

    Parameters
    ----------
    random : numpy.random.Generator
    train : float64 array of shape (time,)
    noise : float64 array of shape (time,)
        Variance in each frame.
    twitch : float64 array of shape (place, time)
        The usual twitch: row r began r places before frame 0, in which it does not move yet.
    bases : float64 array of shape (basis, place, time)
        How twitches differ from it.
    variances : float64 array of shape (basis,)
        Of how much.
    following : int
        Last firings whose twitches are still looked at.
    densities, survivals : float64 arrays of shape (interval,)
        Log probability of an interval of so many places, and of one of more.
    refractory : int
        Shortest interval, places, 1 or more.
    width : int
        Histories that are followed.

    Returns
    -------
    places : int64 array of shape (firing,)
        Rising; frame f begins at place f times :data:`PLACES`.
    evidence : float
        Of the histories that are left.
    """
    frames, length, longest = train.size, twitch.shape[1], densities.size - 1
    size, most = following * len(bases), width * (PLACES + 1)
    histories, after = begun(width, length, following, size), begun(width, length, following, size)
    parents, fired = np.zeros((frames, width), np.int32), np.zeros((frames, width), np.int64)
    rank, own, slopes, gains = np.empty(most), np.empty(most), np.zeros(size), np.zeros(size)
    parent, chosen = np.empty(most, np.int64), np.empty(most, np.int64)
    order = np.empty(most, np.int64)
    draw_histories(random, densities, refractory, twitch, histories[0], histories[1])
    living = width
    for frame in range(frames):
        slot = frame % length
        count = go_on(histories, living, train[frame] - histories[0][:, slot], noise[frame], frame,
                      bases, densities, survivals, refractory, rank, own, parent, chosen, slopes,
                      gains)  # fmt: skip
        living = min(count, width)
        choose(rank, count, living, order)
        for one in range(living):
            child = order[one]
            copy_history(histories, parent[child], after, one, slot)
            if chosen[child] > NONE:
                fire(chosen[child], frame, twitch, bases, variances, after[0][one], after[2][one],
                     after[3][one], after[4][one])  # fmt: skip
                after[1][one] = chosen[child]
            after[5][one] = own[child]
            parents[frame, one], fired[frame, one] = parent[child], chosen[child]
        histories, after = after, histories
    score = histories[5][:living]
    for one in range(living):
        score[one] += survivals[min(frames * PLACES - histories[1][one], longest)]
    best = np.argmax(score)
    evidence = score[best] + math.log(np.exp(score - score[best]).sum())
    return places_of(parents, fired, best), evidence
