"""Loops of :mod:`musim.simulator.section.moving`: scatterers at any place, to envelopes.

A frame's echoes lie in `total`, float32 (row, column, 8): real and imaginary parts of up to four
directions side by side, so that one vector holds two neighbouring columns.
"""

import numpy as np

from ..acceleration import inline, kernel
from ..experiment.speckle_kernels import ROUND, cosine_of_turn, sine_of_turn
from ..noise_kernels import write_noise_to_four_frames
from ..vectors import LANES, broadcast, fused_multiply_add, halves, load, store

PARTS = 8
"""Values of a place: real and imaginary part in four directions."""

ONE, HALF, THIRD, SIXTH = np.float32(1), np.float32(0.5), np.float32(1 / 3), np.float32(1 / 6)


@inline
def heard_at(off):
    """Return exp(-off^2 / 2), within 1e-4, of a vector: the 16th power of a reciprocal series."""
    t = off * off * np.float32(1 / 32)
    p = fused_multiply_add(t, np.float32(1 / 4), ONE)
    p = fused_multiply_add(p * t, THIRD, ONE)
    p = fused_multiply_add(p * t, HALF, ONE)
    p = fused_multiply_add(p, t, ONE)
    p = ONE / p
    p = p * p
    p = p * p
    p = p * p
    return p * p


@kernel
def mix(first, weight, planes, weights, out):
    """Add five planes to an array, each with its weight.

    Parameters
    ----------
    first : float32 array of shape (row, 2, padded column)
    weight : float32
    planes : tuple of five such arrays
    weights : float32 array of shape (5,)
    out : float32 array of that shape, filled
    """
    a, b, c, d, e = planes
    for x in range(0, first.size, LANES):
        total = load(first, x) * weight
        total = fused_multiply_add(load(a, x), weights[0], total)
        total = fused_multiply_add(load(b, x), weights[1], total)
        total = fused_multiply_add(load(c, x), weights[2], total)
        total = fused_multiply_add(load(d, x), weights[3], total)
        store(out, x, fused_multiply_add(load(e, x), weights[4], total))


@kernel
def turn_row(fields, small, at_rest, row, course, depth, carrier, directions, places, echoes):
    """Move the scatterers of a row, and turn their echoes' phases.

    Parameters
    ----------
    fields : float32 array of shape (row, mode, 4, padded column)
        For a course of 1: axial displacement towards the probe and lateral one, mm, that of the
        sheet's phase, mm, and how far sheets turn, rad.
    small : float32 array of shape (row, 2, padded column)
        Real and imaginary part of small scatterers.
    at_rest : float32 array of shape (row, 4, padded column)
        Their place across, mm, real and imaginary part of sheets, and these' direction, rad.
    row : int
    course : float32 array of shape (mode,)
    depth : float32
        Of the row, mm.
    carrier : float32 array of shape (2,)
        Turns a mm at the surface, and how much fewer they are for each mm of depth.
    directions : float32 array of shape (look, 3)
        Turns for a mm to the right; angle, and reciprocal SD of the angle at which sheets are
        heard, rad.
    places : float32 array of shape (2, padded column), filled
        Displacement, mm.
    echoes : float32 array of shape (PARTS, padded column), filled up to the number of looks
    """
    modes, _, padded = fields.shape[1:]
    rest = row * 4 * padded
    half_slope = carrier[1] * HALF
    at_row = carrier[0] - carrier[1] * depth
    for x in range(0, padded, LANES):
        axial = lateral = anchored = spin = broadcast(np.float32(0))
        for mode in range(modes):
            if course[mode] == 0:
                continue
            place = (row * modes + mode) * 4 * padded + x
            axial = fused_multiply_add(load(fields, place), course[mode], axial)
            lateral = fused_multiply_add(load(fields, place + padded), course[mode], lateral)
            anchored = fused_multiply_add(load(fields, place + 2 * padded), course[mode], anchored)
            spin = fused_multiply_add(load(fields, place + 3 * padded), course[mode], spin)
        store(places, x, axial)
        store(places, padded + x, lateral)
        # The integral of the turns a mm from where it is to where it was.
        small_turn = axial * fused_multiply_add(axial, half_slope, broadcast(at_row))
        sheet_turn = anchored * fused_multiply_add(anchored, half_slope, broadcast(at_row))
        small_real = load(small, 2 * row * padded + x)
        small_imaginary = load(small, (2 * row + 1) * padded + x)
        across = load(at_rest, rest + x) + lateral
        sheet_real = load(at_rest, rest + padded + x)
        sheet_imaginary = load(at_rest, rest + 2 * padded + x)
        tilt = load(at_rest, rest + 3 * padded + x) + spin
        for look in range(len(directions)):
            turn = fused_multiply_add(across, directions[look, 0], small_turn)
            phase = turn - ((turn + ROUND) - ROUND)
            sine, cosine = sine_of_turn(phase), cosine_of_turn(phase)
            real = small_real * cosine - small_imaginary * sine
            imaginary = small_real * sine + small_imaginary * cosine
            turn = fused_multiply_add(lateral, directions[look, 0], sheet_turn)
            phase = turn - ((turn + ROUND) - ROUND)
            heard = heard_at((tilt - directions[look, 1]) * directions[look, 2])
            sine, cosine = heard * sine_of_turn(phase), heard * cosine_of_turn(phase)
            real = real + (sheet_real * cosine - sheet_imaginary * sine)
            imaginary = imaginary + (sheet_real * sine + sheet_imaginary * cosine)
            store(echoes, 2 * look * padded + x, real)
            store(echoes, (2 * look + 1) * padded + x, imaginary)


@kernel
def pair_row(echoes, parts, paired):
    """Lay a row's echoes twice side by side: as a vector adds them to two columns.

    Parameters
    ----------
    echoes : float32 array of shape (PARTS, padded column)
    parts : int
        How many of them are used.
    paired : float32 array of shape (column, 2 * PARTS), filled up to `parts`
    """
    for x in range(len(paired)):
        for part in range(parts):
            value = echoes[part, x]
            paired[x, part] = value
            paired[x, PARTS + part] = value


@kernel
def lay_row(places, paired, first_row, first_column, per_mm, total):
    """Add a row's echoes to where they have come to, as cubic B-splines.

    Parameters
    ----------
    places : float32 array of shape (2, padded column)
    paired : float32 array of shape (column, 2 * PARTS)
    first_row, first_column : int
        Where the first scatterer of the row is at rest; others follow to the right.
    per_mm : float32 array of shape (3,)
        Rows and columns of `total` a mm, and columns from a scatterer to the next.
    total : float32 array of shape (row, column, PARTS), changed
    """
    rows, columns = total.shape[:2]
    for x in range(len(paired)):
        down = -places[0, x] * per_mm[0]
        right = places[1, x] * per_mm[1]
        low, left = np.floor(down), np.floor(right)
        row = first_row + int(low) - 1
        column = first_column + x * int(per_mm[2]) + int(left) - 1
        if row < 0 or column < 0 or row + 4 > rows or column + 4 > columns:
            continue
        f = right - left
        g = ONE - f
        w0 = g * g * g * SIXTH
        w3 = f * f * f * SIXTH
        w1 = np.float32(2 / 3) - f * f * (ONE - f * HALF)
        w2 = ONE - w0 - w1 - w3
        value = load(paired, x * 2 * PARTS)
        first = value * halves(w0, w1)
        second = value * halves(w2, w3)
        f = down - low
        g = ONE - f
        v0 = g * g * g * SIXTH
        v3 = f * f * f * SIXTH
        v1 = np.float32(2 / 3) - f * f * (ONE - f * HALF)
        v2 = ONE - v0 - v1 - v3
        step = columns * PARTS
        place = row * step + column * PARTS
        store(total, place, fused_multiply_add(first, v0, load(total, place)))
        store(total, place + LANES, fused_multiply_add(second, v0, load(total, place + LANES)))
        place += step
        store(total, place, fused_multiply_add(first, v1, load(total, place)))
        store(total, place + LANES, fused_multiply_add(second, v1, load(total, place + LANES)))
        place += step
        store(total, place, fused_multiply_add(first, v2, load(total, place)))
        store(total, place + LANES, fused_multiply_add(second, v2, load(total, place + LANES)))
        place += step
        store(total, place, fused_multiply_add(first, v3, load(total, place)))
        store(total, place + LANES, fused_multiply_add(second, v3, load(total, place + LANES)))


@kernel
def spread_row(total, row, axial, lateral, pulsed, made):
    """Filter a row by the point-spread function.

    Parameters
    ----------
    total : float32 array of shape (row, column, PARTS)
    row : int
    axial : float32 array of shape (tap,)
    lateral : float32 array of shape (tap,)
    pulsed : float32 array of shape (column, PARTS), changed
    made : float32 array of shape (column, PARTS), filled but for as many columns as taps at its end
    """
    length = total.shape[1] * PARTS
    first = (row - len(axial) // 2) * length
    for x in range(0, length, 4 * LANES):
        a = b = c = d = broadcast(np.float32(0))
        for tap in range(len(axial)):
            place = first + tap * length + x
            weight = axial[tap]
            a = fused_multiply_add(load(total, place), weight, a)
            b = fused_multiply_add(load(total, place + LANES), weight, b)
            c = fused_multiply_add(load(total, place + 2 * LANES), weight, c)
            d = fused_multiply_add(load(total, place + 3 * LANES), weight, d)
        store(pulsed, x, a)
        store(pulsed, x + LANES, b)
        store(pulsed, x + 2 * LANES, c)
        store(pulsed, x + 3 * LANES, d)
    for x in range(0, made.shape[0] * PARTS, 4 * LANES):
        a = b = c = d = broadcast(np.float32(0))
        for tap in range(len(lateral)):
            place = x + tap * PARTS
            weight = lateral[tap]
            a = fused_multiply_add(load(pulsed, place), weight, a)
            b = fused_multiply_add(load(pulsed, place + LANES), weight, b)
            c = fused_multiply_add(load(pulsed, place + 2 * LANES), weight, c)
            d = fused_multiply_add(load(pulsed, place + 3 * LANES), weight, d)
        store(made, x, a)
        store(made, x + LANES, b)
        store(made, x + 2 * LANES, c)
        store(made, x + 3 * LANES, d)


@kernel
def add_envelope(made, look, every, noise, random, share, out):
    """Add a direction's share of the envelope to a row.

    Parameters
    ----------
    made : float32 array of shape (column, PARTS)
    look, every : int
        The direction's place in `made`, and columns of it from one of the image to the next.
    noise : float32
        SD of the noise in each part.
    random : float32 array of shape (2, width)
    share : float32
    out : float32 array of shape (width,), changed
    """
    for x in range(len(out)):
        real = made[x * every, 2 * look] + noise * random[0, x]
        imaginary = made[x * every, 2 * look + 1] + noise * random[1, x]
        out[x] += share * np.sqrt(real * real + imaginary * imaginary)


@kernel
def weigh(total, held):
    """Multiply all echoes of a place, float32 (row, column, PARTS), by its gain (row, column)."""
    rows, columns = held.shape
    for row in range(rows):
        for column in range(columns):
            for part in range(PARTS):
                total[row, column, part] *= held[row, column]


@kernel
def render_frame(
    fields, small, at_rest, course, depths, carrier, directions, origin, columns, every, per_mm,
    held, axial, lateral, noise, first_pixel, key, first_noise, share, out,
):  # fmt: skip
    """Add what up to four directions see of moved scatterers to one frame.

    Parameters
    ----------
    fields, small, at_rest, course, carrier, directions, per_mm
        As :func:`turn_row` and :func:`lay_row` take them.
    depths : float32 array of shape (row,)
        Of scatterers at rest, mm.
    origin : (int, int, int)
        In the grid that echoes are laid on: row and column of the first scatterer at rest, and the
        row of the image's first one. The image's first column comes half the beam's taps after the
        grid's.
    columns : int
        Scatterers in a row.
    every : (int, int)
        Rows and columns of that grid in one of the image's.
    held : float32 array of shape (row, column)
        Gain of that grid's places.
    axial : float32 array of shape (tap,)
    lateral : float32 array of shape (depth, tap)
    noise : float32 array of shape (depth,)
    first_pixel : int
        Number of the first one in the whole image: noise is drawn by it.
    key : uint32 array of shape (4,)
    first_noise : int
        Number of the first direction's noise.
    share : float32
        By which envelopes are multiplied.
    out : float32 array of shape (depth, width), changed
    """
    rows, padded, looks = len(depths), at_rest.shape[2], len(directions)
    echoes = np.empty((PARTS, padded), np.float32)
    places = np.empty((2, padded), np.float32)
    paired = np.zeros((columns, 2 * PARTS), np.float32)
    total = np.zeros((held.shape[0], held.shape[1], PARTS), np.float32)
    for row in range(rows):
        turn_row(
            fields, small, at_rest, row, course, depths[row], carrier, directions, places, echoes
        )
        pair_row(echoes, 2 * looks, paired)
        lay_row(places, paired, origin[0] + row * every[0], origin[1], per_mm, total)
    weigh(total, held)
    margin = lateral.shape[1] // 2
    pulsed = np.zeros((held.shape[1] + 8 * margin + 8, PARTS), np.float32)
    wanted = (out.shape[1] * every[1] + 7) // 8 * 8
    made = np.empty((wanted, PARTS), np.float32)
    random = np.zeros((4, out.shape[1]), np.float32)
    noisy = noise.max() > 0
    for z in range(len(out)):
        spread_row(total, origin[2] + z * every[0], axial, lateral[z], pulsed, made)
        for look in range(looks):
            if noisy:
                write_noise_to_four_frames(
                    random[0], random[1], random[2], random[3],
                    np.uint32(first_pixel + z * out.shape[1]), np.uint32(first_noise + look),
                    key, ONE,
                )  # fmt: skip
            add_envelope(made, look, every[1], noise[z], random, share, out[z])
