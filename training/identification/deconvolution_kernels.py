"""Loops of :mod:`.deconvolution`: draws of firings, twitch and rate from what a train allows.

Instants are whole numbers of places: :data:`PLACES` to a frame. A twitch that begins between two
frames has a row of its own in `twitches`, so that none is computed twice.
"""

import math

import numpy as np

from ...simulator.acceleration import kernel

PLACES = 32
"""Places of an onset in each frame: 1 ms at 125 Hz."""

BROAD = 0.05
"""Share of intervals that do not follow the usual one: synchronised firings, pauses, doublets."""

BROAD_SD = 0.7
"""SD of their logarithm."""

JITTER = 0.25
"""SD of firings that are drawn anew about even places, in intervals."""

MOST_ANEW = 4
"""Neighbouring firings that are drawn anew at once."""

LEAST_AMPLITUDE = 0.05
"""No firing has less than this share of the mean amplitude."""

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)

# What a state holds beside firings.
CONTRACTION, RATIO, INTERVAL, INTERVAL_SD, VARIATION, AMPLITUDE, NOISE, OFFSET = range(8)


@kernel
def fill_twitches(twitches, contraction, ratio, rate, together, frame_rate):
    """Fill rows with the velocity of a twitch that began a part of a frame before frame 0.

    Rows have the mean square length 1.

    Parameters
    ----------
    twitches : float64 array of shape (place, time), changed in place
    contraction : float
        Time from onset to peak displacement, s.
    ratio : float
        Half-relaxation time over contraction time.
    rate, frame_rate : float
        Of the rows and of the recording, Hz.
    together : int
        Frames of the recording that are averaged to one.
    """
    places, length = twitches.shape
    exponent = math.log(2.0) / (ratio - 1 - math.log(ratio))
    size = 0.0
    for place in range(places):
        for frame in range(length):
            middle = (frame + place / places) / rate
            total = 0.0
            for each in range(together):
                x = (middle + (each - (together - 1) / 2) / frame_rate) / contraction
                if x > 0:
                    total += (1 - x) * math.exp((exponent - 1) * math.log(x) + exponent * (1 - x))
            twitches[place, frame] = total
            size += total * total
    twitches /= math.sqrt(size / places)


@kernel
def first_frame(place):
    """Return the first frame at or after a place, and the row of the twitch that begins there."""
    first = -((-place) // PLACES)
    return first, first * PLACES - place


@kernel
def add(course, twitches, place, amplitude):
    """Add a twitch to a course, float64 (time,)."""
    first, row = first_frame(place)
    for frame in range(max(first, 0), min(first + twitches.shape[1], course.size)):
        course[frame] += amplitude * twitches[row, frame - first]


@kernel
def product(course, twitches, place):
    """Return the products of a twitch with a course and with itself."""
    first, row = first_frame(place)
    with_course, with_itself = 0.0, 0.0
    for frame in range(max(first, 0), min(first + twitches.shape[1], course.size)):
        value = twitches[row, frame - first]
        with_course += value * course[frame]
        with_itself += value * value
    return with_course, with_itself


@kernel
def interval_density(places, logarithms, state):
    """Return the log density of an interval of some places: log-normal, a share of them broad."""
    away = logarithms[places] - math.log(state[INTERVAL])
    sd = state[INTERVAL_SD]
    narrow = math.log((1 - BROAD) / sd) - 0.5 * (away / sd) ** 2
    broad = math.log(BROAD / BROAD_SD) - 0.5 * (away / BROAD_SD) ** 2
    return max(narrow, broad) - logarithms[places] - HALF_LOG_TWO_PI


@kernel
def survival(places, logarithms, state):
    """Return the log probability of an interval of more than some places."""
    if places <= 0:
        return 0.0
    away = (logarithms[places] - math.log(state[INTERVAL])) / math.sqrt(2.0)
    narrow = (1 - BROAD) * math.erfc(away / state[INTERVAL_SD])
    return math.log(0.5 * (narrow + BROAD * math.erfc(away / BROAD_SD)) + 1e-300)


@kernel
def stretch_density(left, inner, count, right, edges, logarithms, state):
    """Return the log density of some firings between two others.

    Parameters
    ----------
    left, right : int
        Places of the firings on both sides; before the first and beyond the last, the edges'.
    inner : int64 array of shape (firing,)
    count : int
        How many of them there are.
    edges : (int, int)
    """
    total, last, begun = 0.0, left, left > edges[0]
    for each in range(count + 1):
        place = inner[each] if each < count else right
        if each == count and right >= edges[1]:
            total += survival(right - last, logarithms, state)
        elif begun:
            total += interval_density(max(place - last, 1), logarithms, state)
        else:
            # The first of all may stand anywhere.
            total -= math.log(state[INTERVAL])
        begun, last = True, place
    return total


@kernel
def train_density(firings, count, edges, logarithms, state):
    """Return the log density of all firings of a train."""
    return stretch_density(edges[0], firings, count, edges[1], edges, logarithms, state)


@kernel
def neighbours(firings, count, first, last, edges):
    """Return the places of the firings before one and after another, or the edges."""
    left = firings[first - 1] if first > 0 else edges[0]
    return left, firings[last + 1] if last < count - 1 else edges[1]


@kernel
def accepted(random, gain):
    """Tell whether a change whose log probability gains so much is made."""
    return gain >= 0 or math.log(random.random() + 1e-300) < gain


@kernel
def room(left, inner, count, right, gap, edges):
    """Tell whether firings between two others keep their order and the refractory period."""
    last, least = left, gap if left > edges[0] else 0
    for each in range(count):
        if inner[each] - last < least:
            return False
        last, least = inner[each], gap
    return right - last >= gap if right < edges[1] else last < right


@kernel
def width(random):
    """Draw how far firings are moved, s: the less noise and the more fused, the less."""
    return 0.0003 * math.exp(3.5 * random.random())


@kernel
def move_one(random, left_over, twitches, firings, amplitudes, count, variance, gap, edges,
             logarithms, state, scratch):  # fmt: skip
    """Move one firing, its amplitude integrated out, and draw that anew."""
    chosen = int(random.random() * count)
    old = firings[chosen]
    new = old + round(random.standard_normal() * width(random) / math.exp(logarithms[1]))
    left, right = neighbours(firings, count, chosen, chosen, edges)
    scratch[0] = new
    add(left_over, twitches, old, amplitudes[chosen])
    with_old, own_old = product(left_over, twitches, old)
    mean = state[AMPLITUDE]
    precision = variance / (state[VARIATION] * mean) ** 2
    if room(left, scratch, 1, right, gap, edges):
        with_new, own_new = product(left_over, twitches, new)
        gain = 0.5 * math.log((precision + own_old) / (precision + own_new))
        gain += (
            0.5
            / variance
            * (
                (with_new + precision * mean) ** 2 / (precision + own_new)
                - (with_old + precision * mean) ** 2 / (precision + own_old)
            )
        )
        gain += stretch_density(left, scratch, 1, right, edges, logarithms, state)
        scratch[0] = old
        gain -= stretch_density(left, scratch, 1, right, edges, logarithms, state)
        if accepted(random, gain):
            firings[chosen] = new
            with_old, own_old = with_new, own_new
    whole = precision + own_old
    drawn = (with_old + precision * mean) / whole
    drawn += random.standard_normal() * math.sqrt(variance / whole)
    amplitudes[chosen] = max(drawn, LEAST_AMPLITUDE * mean)
    add(left_over, twitches, firings[chosen], -amplitudes[chosen])


@kernel
def replace(firings, amplitudes, count, start, before, places, sizes, after):
    """Put some firings in the place of others, and move those that follow."""
    if after > before:
        for each in range(count - 1, start + before - 1, -1):
            firings[each + after - before] = firings[each]
            amplitudes[each + after - before] = amplitudes[each]
    elif after < before:
        for each in range(start + before, count):
            firings[each + after - before] = firings[each]
            amplitudes[each + after - before] = amplitudes[each]
    firings[start : start + after] = places[:after]
    amplitudes[start : start + after] = sizes[:after]


@kernel
def draw_anew(random, left_over, spare, twitches, firings, amplitudes, count, variance, gap, edges,
              logarithms, state, scratch, sizes):  # fmt: skip
    """Draw some neighbouring firings anew, one more or less or as many; return how many there are.

    The new ones stand about even places between those on both sides.
    """
    start = int(random.random() * (count + 1))
    before = int(random.random() * (MOST_ANEW + 1))
    after = before + int(random.random() * 3) - 1
    now = count + after - before
    if start + before > count or not 0 <= after <= MOST_ANEW or not 1 <= now < firings.size:
        return count
    left, right = neighbours(firings, count, start, start + before - 1, edges)
    step = math.exp(logarithms[1])
    gain = math.log((count + 1) / (now + 1))
    even = (right - left) / (before + 1)
    for each in range(before):
        away = (firings[start + each] - left - even * (each + 1)) / (JITTER * even)
        gain -= 0.5 * away * away + math.log(JITTER * even * step * math.sqrt(2 * math.pi))
    even = (right - left) / (after + 1)
    for each in range(after):
        away = random.standard_normal()
        scratch[each] = round(left + even * (each + 1) + JITTER * even * away)
        gain += 0.5 * away * away + math.log(JITTER * even * step * math.sqrt(2 * math.pi))
    if not room(left, scratch, after, right, gap, edges):
        return count
    low = max(left // PLACES, 0)
    high = min(right // PLACES + twitches.shape[1] + 1, left_over.size)
    energy = 0.0
    for frame in range(low, high):
        spare[frame] = left_over[frame]
        energy += left_over[frame] ** 2
    for each in range(before):
        add(left_over, twitches, firings[start + each], amplitudes[start + each])
    for each in range(after):
        size = 1 + state[VARIATION] * random.standard_normal()
        sizes[each] = state[AMPLITUDE] * max(size, LEAST_AMPLITUDE)
        add(left_over, twitches, scratch[each], -sizes[each])
    for frame in range(low, high):
        energy -= left_over[frame] ** 2
    gain += 0.5 * energy / variance
    gain += stretch_density(left, scratch, after, right, edges, logarithms, state)
    gain -= stretch_density(left, firings[start:], before, right, edges, logarithms, state)
    if not accepted(random, gain):
        left_over[low:high] = spare[low:high]
        return count
    replace(firings, amplitudes, count, start, before, scratch, sizes, after)
    return now


@kernel
def move_some(random, left_over, spare, twitches, firings, amplitudes, count, variance, gap, edges,
              logarithms, state, scratch):  # fmt: skip
    """Move two or three neighbours: alike, apart, or the outer ones against the middle one.

    Where twitches fuse, a train hardly tells what keeps the firings' centre and spread.
    """
    kind = int(random.random() * 3)
    many = 3 if kind == 2 else 2
    if count < many:
        return
    first = int(random.random() * (count - many + 1))
    by = random.standard_normal() * width(random) / math.exp(logarithms[1])
    left, right = neighbours(firings, count, first, first + many - 1, edges)
    for each in range(many):
        share = 1.0 if kind == 0 or each != 1 else -float(kind)
        scratch[each] = firings[first + each] + round(share * by)
    if not room(left, scratch, many, right, gap, edges):
        return
    low = max(min(firings[first], scratch[0]) // PLACES, 0)
    high = max(firings[first + many - 1], scratch[many - 1]) // PLACES
    high = min(high + twitches.shape[1] + 1, left_over.size)
    energy = 0.0
    for frame in range(low, high):
        spare[frame] = left_over[frame]
        energy += left_over[frame] ** 2
    for each in range(many):
        add(left_over, twitches, firings[first + each], amplitudes[first + each])
        add(left_over, twitches, scratch[each], -amplitudes[first + each])
    for frame in range(low, high):
        energy -= left_over[frame] ** 2
    gain = 0.5 * energy / variance
    gain += stretch_density(left, scratch, many, right, edges, logarithms, state)
    gain -= stretch_density(left, firings[first:], many, right, edges, logarithms, state)
    if accepted(random, gain):
        firings[first : first + many] = scratch[:many]
    else:
        left_over[low:high] = spare[low:high]


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
