"""Loops of :mod:`.deconvolution`: draws of firings, twitch and rate from what a train allows."""

import math

import numpy as np

from ...simulator.acceleration import kernel
from .firing_density_kernels import (
    AMPLITUDE,
    CONTRACTION,
    HALF_LOG_TWO_PI,
    INTERVAL,
    INTERVAL_SD,
    MOST_ANEW,
    NOISE,
    OFFSET,
    PLACES,
    RATIO,
    VARIATION,
    accepted,
    add,
    fill_twitches,
    train_density,
)
from .firing_moves_kernels import draw_anew, move_one, move_some


@kernel
def shape_prior(state, usual):
    """Return the log prior of twitch and regularity."""
    total = 0.0
    for name in (CONTRACTION, INTERVAL_SD):
        total -= 0.5 * (math.log(state[name] / usual[0, name]) / usual[1, name]) ** 2
    ratio = (state[RATIO] - 1) / (usual[0, RATIO] - 1)
    return total - 0.5 * (math.log(ratio) / usual[1, RATIO]) ** 2


@kernel
def draw_amplitudes(random, train, left_over, amplitudes, count, variance, state, usual, cooled):
    """Draw the offset, the size of all twitches together, their mean and variation anew."""
    frames = train.size
    offset = left_over.mean()
    left_over -= offset
    state[OFFSET] += offset
    with_train, own = 0.0, 0.0
    for frame in range(frames):
        fitted = train[frame] - state[OFFSET] - left_over[frame]
        with_train += fitted * (train[frame] - state[OFFSET])
        own += fitted * fitted
    if own > 0:
        factor = with_train / own + random.standard_normal() * math.sqrt(variance / own)
        if 0.5 < factor < 2.0:
            state[AMPLITUDE] *= factor
            amplitudes[:count] *= factor
            for frame in range(frames):
                fitted = train[frame] - state[OFFSET] - left_over[frame]
                left_over[frame] += (1 - factor) * fitted
    sd = state[VARIATION] * state[AMPLITUDE] / math.sqrt(count)
    drawn = amplitudes[:count].mean() + sd * random.standard_normal()
    state[AMPLITUDE] = max(drawn, 1e-3 * state[AMPLITUDE])
    if cooled:
        # As after so many firings more, of the usual variation.
        more = usual[1, VARIATION]
        squares = more * usual[0, VARIATION] ** 2
        for each in range(count):
            squares += (amplitudes[each] / state[AMPLITUDE] - 1) ** 2
        drawn = math.sqrt(0.5 * squares / random.standard_gamma(0.5 * (count + more)))
        state[VARIATION] = min(max(drawn, 0.02), 0.4)


@kernel
def draw_intervals(random, firings, count, edges, logarithms, state, other, usual, cooled):
    """Draw the usual interval and its variation anew."""
    other[:] = state
    other[INTERVAL] *= math.exp(0.15 * random.standard_normal())
    if cooled:
        other[INTERVAL_SD] *= math.exp(0.2 * random.standard_normal())
    if 0.015 < other[INTERVAL] < 1.0 and 0.03 < other[INTERVAL_SD] < 0.6:
        gain = train_density(firings, count, edges, logarithms, other) + shape_prior(other, usual)
        gain -= train_density(firings, count, edges, logarithms, state) + shape_prior(state, usual)
        if accepted(random, gain):
            state[:] = other


@kernel
def draw_twitch(random, train, left_over, spare, twitches, fresh, firings, amplitudes, count,
                variance, edges, logarithms, state, other, usual, rate, together,
                frame_rate):  # fmt: skip
    """Draw the twitch anew; onsets move so that its largest velocity stays where it is."""
    other[:] = state
    wide = 0.03 if random.random() < 0.7 else 0.1
    other[CONTRACTION] *= math.exp(wide * random.standard_normal())
    other[RATIO] = 1 + (other[RATIO] - 1) * math.exp(wide * random.standard_normal())
    if not (0.02 < other[CONTRACTION] < 0.25 and 1.2 < other[RATIO] < 2.4):
        return
    fastest = [0.0, 0.0]
    for each, one in enumerate((state, other)):
        exponent = math.log(2.0) / (one[RATIO] - 1 - math.log(one[RATIO]))
        fastest[each] = one[CONTRACTION] * (1 - 1 / math.sqrt(exponent))
    by = -round((fastest[1] - fastest[0]) / math.exp(logarithms[1]))
    if firings[0] + by <= edges[0] or firings[count - 1] + by >= edges[1]:
        return
    fill_twitches(fresh, other[CONTRACTION], other[RATIO], rate, together, frame_rate)
    spare[:] = train - state[OFFSET]
    for each in range(count):
        add(spare, fresh, firings[each] + by, -amplitudes[each])
    offset = spare.mean()
    spare -= offset
    other[OFFSET] += offset
    gain = 0.5 * (left_over @ left_over - spare @ spare) / variance
    gain += shape_prior(other, usual) - shape_prior(state, usual)
    if accepted(random, gain):
        state[:] = other
        firings[:count] += by
        twitches[:] = fresh
        left_over[:] = spare


@kernel
def log_evidence(left_over, twitches, firings, amplitudes, count, edges, logarithms, state, usual):
    """Return the log evidence of a train for what is like a state, about its firings.

    Amplitudes are integrated out, and instants by Laplace's method: their density alone would
    favour many firings, each of which can be moved by little.
    """
    frames, step = left_over.size, math.exp(logarithms[1])
    variance = max(left_over @ left_over / frames, state[NOISE])
    courses, slopes = np.zeros((count, frames)), np.zeros((count, frames))
    total = -0.5 * (frames * math.log(variance) + left_over @ left_over / variance)
    for each in range(count):
        add(courses[each], twitches, firings[each], 1.0)
        courses[each] -= courses[each].mean()
        add(slopes[each], twitches, firings[each] + 1, 0.5 * state[AMPLITUDE] / step)
        add(slopes[each], twitches, firings[each] - 1, -0.5 * state[AMPLITUDE] / step)
        total -= 0.5 * ((amplitudes[each] / state[AMPLITUDE] - 1) / state[VARIATION]) ** 2
    spread = (state[VARIATION] * state[AMPLITUDE]) ** 2
    root = np.linalg.cholesky(np.eye(count) + courses @ courses.T * (spread / variance))
    bend = slopes @ slopes.T / variance
    for each in range(count + 1):
        stiff = 1 / (state[INTERVAL_SD] * state[INTERVAL]) ** 2
        if 0 < each < count:
            bend[each, each - 1] -= stiff
            bend[each - 1, each] -= stiff
        stiff = stiff if 0 < each < count else 0.1 * stiff
        if each < count:
            bend[each, each] += stiff
        if each > 0:
            bend[each - 1, each - 1] += stiff
    bends = np.linalg.cholesky(bend)
    for each in range(count):
        total -= math.log(root[each, each])
        total += usual[1, NOISE] * (HALF_LOG_TWO_PI - math.log(bends[each, each]))
    total += train_density(firings, count, edges, logarithms, state) + shape_prior(state, usual)
    return total - 0.5 * (state[VARIATION] / usual[0, VARIATION]) ** 2


@kernel
def draw_states(random, train, twitches, firings, amplitudes, count, state, usual, logarithms, gap,
                rate, together, frame_rate, is_free, heat, sweeps, samples, counts,
                shapes):  # fmt: skip
    """Draw states of a train, one after another, at first as if there were more noise.

    Parameters
    ----------
    random : numpy.random.Generator
    train : float64 array of shape (time,)
        Of mean 0 and mean square 1.
    twitches : float64 array of shape (place, time), changed in place
        As :func:`fill_twitches` fills it, or of any other form.
    firings : int64 array of shape (firing,), changed in place
        Places of firings, rising, the first `count` of them.
    amplitudes : float64 array of shape (firing,), changed in place
    count : int
        1 or more.
    state : float64 array of shape (8,), changed in place
    usual : float64 array of shape (2, 8)
        Usual values of a state, and how far they spread.
    logarithms : float64 array of shape (place,)
        Of so many places in s; of place 0 that of a tenth of one.
    gap : int
        Fewest places between two firings.
    rate, together, frame_rate
        As of :func:`fill_twitches`.
    is_free : bool
        Whether the twitch stays as it is.
    heat : float
        0..1; at 1, noise is at first as large as the train.
    sweeps : int
        Over two thirds of them the heat falls to 0.
    samples : int64 array of shape (sample, firing), changed in place
        The places of the last sweeps, one sweep each.
    counts : int64 array of shape (sample,), changed in place
    shapes : float64 array of shape (sample, 9), changed in place
        Their states, and the log density of each.

    Returns
    -------
    int
        Number of firings at the end.
    """
    frames = train.size
    edges = -twitches.shape[1] * PLACES, frames * PLACES
    fresh, spare, other = np.empty_like(twitches), np.empty(frames), np.empty_like(state)
    scratch, sizes = np.zeros(MOST_ANEW, np.int64), np.zeros(MOST_ANEW)
    left_over = train - state[OFFSET]
    for each in range(count):
        add(left_over, twitches, firings[each], -amplitudes[each])
    for sweep in range(sweeps):
        warm = heat * max(0.0, 1 - sweep / (0.67 * sweeps))
        variance = state[NOISE] ** (1 - warm)
        cooled = warm == 0
        if cooled:
            variance = max(left_over @ left_over / frames, state[NOISE])
        for _ in range(max(count, 4)):
            move_one(random, left_over, twitches, firings, amplitudes, count, variance, gap, edges,
                     logarithms, state, scratch)  # fmt: skip
            count = draw_anew(random, left_over, spare, twitches, firings, amplitudes, count,
                              variance, gap, edges, logarithms, state, scratch, sizes)  # fmt: skip
            if count > 1:
                move_some(random, left_over, spare, twitches, firings, amplitudes, count, variance,
                          gap, edges, logarithms, state, scratch)  # fmt: skip
        draw_amplitudes(random, train, left_over, amplitudes, count, variance, state, usual, cooled)
        draw_intervals(random, firings, count, edges, logarithms, state, other, usual, cooled)
        if not is_free and sweep % 5 == 0:
            draw_twitch(random, train, left_over, spare, twitches, fresh, firings, amplitudes,
                        count, variance, edges, logarithms, state, other, usual, rate, together,
                        frame_rate)  # fmt: skip
        kept = sweep - sweeps + len(samples)
        if kept >= 0:
            samples[kept] = firings
            counts[kept] = count
            shapes[kept, :-1] = state
            if kept % 5 == 0:
                shapes[kept, -1] = log_evidence(left_over, twitches, firings, amplitudes, count,
                                                edges, logarithms, state, usual)  # fmt: skip
    return count


@kernel
def shared(ours, our_count, theirs, their_count, low, high, reach):
    """Return the agreement, 0..1, of two rows of places in a window."""
    first, second = 0, 0
    while first < our_count and ours[first] < low:
        first += 1
    while second < their_count and theirs[second] < low:
        second += 1
    while our_count > first and ours[our_count - 1] >= high:
        our_count -= 1
    while their_count > second and theirs[their_count - 1] >= high:
        their_count -= 1
    whole, common = our_count - first + their_count - second, 0
    while first < our_count and second < their_count:
        away = ours[first] - theirs[second]
        if abs(away) <= reach:
            common, first, second = common + 1, first + 1, second + 1
        elif away < 0:
            first += 1
        else:
            second += 1
    return common / (whole - common) if whole > 0 else 1.0


@kernel
def most_agreeing(samples, counts, low, high, reach):
    """Return the sample that agrees best with all others in a window, and how well, 0..1."""
    best, chosen = -1.0, 0
    for one in range(len(counts)):
        total = 0.0
        for other in range(len(counts)):
            total += shared(samples[one], counts[one], samples[other], counts[other], low, high,
                            reach)  # fmt: skip
        if total > best:
            best, chosen = total, one
    return chosen, best / len(counts)
