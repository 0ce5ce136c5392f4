"""Loops of :mod:`.deconvolution`: firings of a train are moved, born and removed."""

import math

from ...simulator.acceleration import kernel
from .firing_density_kernels import (
    AMPLITUDE,
    JITTER,
    LEAST_AMPLITUDE,
    MOST_ANEW,
    PLACES,
    VARIATION,
    accepted,
    add,
    neighbours,
    product,
    room,
    stretch_density,
)


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
