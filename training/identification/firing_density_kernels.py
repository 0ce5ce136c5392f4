"""Loops of :mod:`.deconvolution`: twitches on places of frames, and what intervals are likely.

Instants are whole numbers of places: :data:`PLACES` to a frame. A twitch that begins between two
frames has a row of its own in `twitches`, so that none is computed twice.
"""

import math

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
