"""Loops of :mod:`musim.simulator.imaging.velocimetry`, innermost along width: vectors."""

import math

import numpy as np

from ..acceleration import inline, kernel
from ..vectors import LANES, broadcast, load, load_pairs, store, where_less

ZERO, ONE = np.float32(0), np.float32(1)
HALF_PI = np.float32(math.pi / 2)
PI = np.float32(math.pi)

# Where there is noise alone the measured frequency can be anything, and velocity has it in its
# denominator. No probe's echoes lie outside these shares of its centre frequency.
LOWEST = np.float32(0.5)
HIGHEST = np.float32(1.5)


@inline
def arctan2(y, x):
    """Return the angle of (x, y) in float32, within 3e-7 of the exact one relative to it.

    ``math.atan2`` is a call for each pixel; this is a polynomial, which the compiler makes a vector
    operation of. The coefficients are a minimax fit of atan(x) / x over x in 0..1 in powers of x
    squared (largest relative error 1.5e-8 before rounding).
    """
    a = abs(x)
    b = abs(y)
    high = where_less(b, a, a, b)
    low = where_less(b, a, b, a)
    ratio = low / where_less(ZERO, high, high, ONE)
    u = ratio * ratio
    p = np.float32(0.0028498885)
    p = p * u + np.float32(-0.016068625)
    p = p * u + np.float32(0.042691514)
    p = p * u + np.float32(-0.07504294)
    p = p * u + np.float32(0.10640934)
    p = p * u + np.float32(-0.14203644)
    p = p * u + np.float32(0.1999262)
    p = p * u + np.float32(-0.33333072)
    p = p * u + ONE
    angle = ratio * p
    angle = where_less(a, b, HALF_PI - angle, angle)
    angle = where_less(x, ZERO, PI - angle, angle)
    return where_less(y, ZERO, -angle, angle)


@kernel
def take_strip(frame, first, strip):
    """Take sixteen columns of an image, its real and imaginary parts apart.

    Parameters
    ----------
    frame : float32 array of shape (depth, width, 2)
    first : int
        The first column.
    strip : float32 array of shape (depth, 2, LANES), filled
        Zero beyond the image's edge.
    """
    depths, widths = frame.shape[:2]
    if first + LANES <= widths:
        for z in range(depths):
            real, imaginary = load_pairs(frame, (z * widths + first) * 2)
            store(strip, 2 * z * LANES, real)
            store(strip, (2 * z + 1) * LANES, imaginary)
        return
    for z in range(depths):
        for x in range(LANES):
            for part in range(2):
                inside = first + x < widths
                strip[z, part, x] = frame[z, first + x, part] if inside else ZERO


@kernel
def gate_sum(product, plane, z, half_gate):
    """Sum a plane of products over the gate about a row.

    Parameters
    ----------
    product : float32 array of shape (depth, 4, LANES)
    plane, z : int
    half_gate : int
        Samples of the gate above and below its centre; those beyond the image are left out.

    Returns
    -------
    vector
    """
    # A product over depth belongs midway between two samples, so its gate has one less.
    depths, lag = len(product), plane // 2
    top = max(z - half_gate, 0)
    bottom = min(z + half_gate + 1 - lag, depths - lag)
    if bottom <= top:  # a gate of one sample: take the nearest product
        top = min(z, depths - 1 - lag)
        bottom = top + 1
    total = load(product, (4 * top + plane) * LANES)
    for row in range(top + 1, bottom):
        total = total + load(product, (4 * row + plane) * LANES)
    return total


@kernel
def correlate(now, after, half_gate, planes, product, kept, target):
    """Correlate neighbouring samples in slow time and, if asked, in depth; sum over the gate.

    Parameters
    ----------
    now, after : float32 arrays of shape (depth, 2, LANES)
        Real and imaginary parts of a pair of frames.
    half_gate : int
    planes : int
        4, or 2 if depth is not correlated.
    product : float32 array of shape (depth, 4, LANES), changed
    kept : float32 array of any shape, filled
        From `target` on (depth, plane, LANES): real and imaginary part of R(0, 1) and, if asked, of
        R(1, 0).
    target : int
    """
    depths = len(now)
    # Sums follow as soon as their products are there, and find them in the nearest cache.
    behind = max(half_gate, 1)
    above_re = above_im = above_after_re = above_after_im = broadcast(ZERO)
    for z in range(depths + behind):
        if z < depths:
            place, row = 2 * z * LANES, 4 * z * LANES
            re, im = load(now, place), load(now, place + LANES)
            after_re, after_im = load(after, place), load(after, place + LANES)
            store(product, row, after_re * re + after_im * im)
            store(product, row + LANES, after_im * re - after_re * im)
            if planes == 4 and z > 0:
                # Both frames of the pair, so that the estimate is symmetric in time.
                real = (
                    re * above_re
                    + im * above_im
                    + after_re * above_after_re
                    + after_im * above_after_im
                )
                imaginary = (
                    im * above_re
                    - re * above_im
                    + after_im * above_after_re
                    - after_re * above_after_im
                )
                store(product, row - 2 * LANES, real)
                store(product, row - LANES, imaginary)
            above_re, above_im = re, im
            above_after_re, above_after_im = after_re, after_im
        centre = z - behind
        if centre >= 0:
            for plane in range(planes):
                total = gate_sum(product, plane, centre, half_gate)
                store(kept, target + (centre * planes + plane) * LANES, total)


@kernel
def turn(kept, strip, low, high, constants, column, velocity):
    """Sum correlations over the ensemble and turn their phases into velocity.

    Parameters
    ----------
    kept : float32 array of shape (pair, strip, depth, plane, LANES)
        Pair n in place n modulo their number.
    strip : int
    low, high : int
        The first pair and that after the last one.
    constants : float32 array of shape (4,)
        Velocity for a radian at the centre frequency; cosine and sine of the phase that the centre
        frequency leaves from depth sample to depth sample; share of the centre frequency that a
        radian between depth samples adds.
    column : float32 array of shape (LANES,), changed
    velocity : float32 array of shape (depth, width), filled in the strip's columns
    """
    places, strips, depths, planes = kept.shape[:4]
    widths = velocity.shape[1]
    scale, cosine, sine, share = constants
    first = strip * LANES
    pair_size = strips * depths * planes * LANES
    for z in range(depths):
        place = (strip * depths + z) * planes * LANES
        source = place + low % places * pair_size
        real, imaginary = load(kept, source), load(kept, source + LANES)
        along = across = broadcast(ZERO)
        if planes == 4:
            along, across = load(kept, source + 2 * LANES), load(kept, source + 3 * LANES)
        for pair in range(low + 1, high):
            source = place + pair % places * pair_size
            real = real + load(kept, source)
            imaginary = imaginary + load(kept, source + LANES)
            if planes == 4:
                along = along + load(kept, source + 2 * LANES)
                across = across + load(kept, source + 3 * LANES)
        value = scale * arctan2(imaginary, real)
        if planes == 4:
            expected = along * cosine + across * sine
            beside = across * cosine - along * sine
            relative = ONE + share * arctan2(beside, expected)
            relative = where_less(relative, LOWEST, LOWEST, relative)
            relative = where_less(HIGHEST, relative, HIGHEST, relative)
            value = value / relative
        if first + LANES <= widths:
            store(velocity, z * widths + first, value)
        else:
            store(column, 0, value)
            for x in range(widths - first):
                velocity[z, first + x] = column[x]


@kernel
def follow(before, frames, kept, known, done, half, half_gate, constants, velocity):
    """Estimate the velocities that new frames make known.

    Sixteen columns are followed through all frames before the next ones: what waits for later
    frames stays in the cache.

    Parameters
    ----------
    before : float32 array of shape (depth, width, 2)
        The frame before the new ones.
    frames : float32 array of shape (frame, depth, width, 2)
    kept : float32 array of shape (pair, strip, depth, 2 or 4, LANES), changed
        Correlations of the last pairs, as many as an ensemble has; pair n in place n modulo their
        number.
    known, done : int
        Pairs before the new ones, and velocities that were estimated.
    half : int
        Pairs of the ensemble before and after its centre; those that are not there are left out.
    half_gate : int
    constants : float32 array of shape (4,)
        See :func:`turn`.
    velocity : float32 array of shape (frame, depth, width), filled
        As many as are known; those for which pairs after the last new one are missing too, if it is
        as long.
    """
    depths = len(before)
    strips, planes = kept.shape[1], kept.shape[3]
    now = np.empty((depths, 2, LANES), np.float32)
    after = np.empty((depths, 2, LANES), np.float32)
    product = np.empty((depths, 4, LANES), np.float32)
    column = np.empty(LANES, np.float32)
    last = known + len(frames)
    for strip in range(strips):
        take_strip(before, strip * LANES, now)
        centre = done
        for pair in range(known, last):
            take_strip(frames[pair - known], strip * LANES, after)
            target = (pair % len(kept) * strips + strip) * depths * planes * LANES
            correlate(now, after, half_gate, planes, product, kept, target)
            now, after = after, now
            if centre + half <= pair:
                low = max(centre - half, 0)
                turn(kept, strip, low, pair + 1, constants, column, velocity[centre - done])
                centre += 1
        for rest in range(centre, done + len(velocity)):
            turn(kept, strip, max(rest - half, 0), last, constants, column, velocity[rest - done])
