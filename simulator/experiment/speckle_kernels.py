"""Loops of :mod:`musim.simulator.experiment.speckle`, innermost along width: vectors."""

import numpy as np

from ..acceleration import inline, kernel
from ..noise_kernels import write_noise_to_four_frames
from ..vectors import LANES, broadcast, fused_multiply_add, load, store

ROUND = np.float32(1.5 * 2**23)
"""Added to a float32 below 2**22 and taken off again, it leaves the nearest whole number."""

ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)

GROUP = 4
"""Frames that are made together: each value of a field is read once for them."""

PAIR = 2 * LANES
"""Values whose displacements are summed together, in eight registers for four frames."""


@inline
def sine_of_turn(x):
    """Return sin(2 pi x) for x in -0.5..0.5, within 1e-6.

    An odd polynomial in x (Taylor's to x^15, whose rest at 0.5 is below 1e-8 relative to 1; the
    error is that of float32).
    """
    s = x * x
    p = np.float32(-0.71812230177850051)
    p = fused_multiply_add(p, s, np.float32(3.8199525848482821))
    p = fused_multiply_add(p, s, np.float32(-15.094642576822984))
    p = fused_multiply_add(p, s, np.float32(42.058693944897634))
    p = fused_multiply_add(p, s, np.float32(-76.705859753061385))
    p = fused_multiply_add(p, s, np.float32(81.605249276075054))
    p = fused_multiply_add(p, s, np.float32(-41.341702240399755))
    p = fused_multiply_add(p, s, np.float32(6.2831853071795865))
    return p * x


@inline
def cosine_of_turn(x):
    """Return cos(2 pi x) for x in -0.5..0.5, within 1e-6 (Taylor's series to x^16)."""
    s = x * x
    p = np.float32(0.28200596845579096)
    p = fused_multiply_add(p, s, np.float32(-1.7143907110886715))
    p = fused_multiply_add(p, s, np.float32(7.9035363713184692))
    p = fused_multiply_add(p, s, np.float32(-26.426256783374399))
    p = fused_multiply_add(p, s, np.float32(60.244641371876661))
    p = fused_multiply_add(p, s, np.float32(-85.456817206693726))
    p = fused_multiply_add(p, s, np.float32(64.939394022668291))
    p = fused_multiply_add(p, s, np.float32(-19.739208802178717))
    return fused_multiply_add(p, s, np.float32(1.0))


@kernel
def pack_row(fields, scatterers, z, field_row, scatterer_row):
    """Copy a row of pixels' cells so that the loops over frames read them one after the other.

    Parameters
    ----------
    fields : float32 array of shape (field, depth, cell, width)
    scatterers : float32 array of shape (4, depth, cell, width)
    z : int
    field_row : float32 array of shape (pair of vectors, field, 2 * LANES), filled
        A row's vectors are those of its first cell, then of its second one, and so on.
    scatterer_row : float32 array of shape (4, cell, padded width), filled
    """
    count, depths, cells, widths = fields.shape
    padded = scatterer_row.shape[2]
    whole = widths // LANES * LANES
    for cell in range(cells):
        for number in range(count):
            source = ((number * depths + z) * cells + cell) * widths
            for x in range(0, whole, LANES):
                place = cell * padded + x
                target = (place // PAIR * count + number) * PAIR + place % PAIR
                store(field_row, target, load(fields, source + x))
            for x in range(whole, widths):
                place = cell * padded + x
                field_row[place // PAIR, number, place % PAIR] = fields[number, z, cell, x]
        for part in range(4):
            for x in range(widths):
                scatterer_row[part, cell, x] = scatterers[part, z, cell, x]


@kernel
def turn_cells(field_row, courses, turns):
    """Sum the displacements of a row's cells over the fields, in four frames.

    Parameters
    ----------
    field_row : float32 array of shape (pair of vectors, field, 2 * LANES)
    courses : float32 array of shape (field, 4)
    turns : float32 array of shape (4, value), filled
        In turns of the echo's phase.
    """
    pairs, count = field_row.shape[:2]
    row = turns.shape[1]
    for pair in range(pairs):
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = broadcast(ZERO)
        for number in range(count):
            left = load(field_row, (pair * count + number) * PAIR)
            right = load(field_row, (pair * count + number) * PAIR + LANES)
            a0 = fused_multiply_add(left, courses[number, 0], a0)
            a1 = fused_multiply_add(right, courses[number, 0], a1)
            b0 = fused_multiply_add(left, courses[number, 1], b0)
            b1 = fused_multiply_add(right, courses[number, 1], b1)
            c0 = fused_multiply_add(left, courses[number, 2], c0)
            c1 = fused_multiply_add(right, courses[number, 2], c1)
            d0 = fused_multiply_add(left, courses[number, 3], d0)
            d1 = fused_multiply_add(right, courses[number, 3], d1)
        place = pair * PAIR
        store(turns, place, a0)
        store(turns, place + LANES, a1)
        store(turns, row + place, b0)
        store(turns, row + place + LANES, b1)
        store(turns, 2 * row + place, c0)
        store(turns, 2 * row + place + LANES, c1)
        store(turns, 3 * row + place, d0)
        store(turns, 3 * row + place + LANES, d1)


@kernel
def add_cells(turns, first, scatterer_row, mixing, moving, total, target):
    """Sum the echoes of each pixel's cells, in a row of pixels of one frame.

    Parameters
    ----------
    turns : float32 array of shape (value,)
    first : int
        The row's first value.
    scatterer_row : float32 array of shape (4, cell, padded width)
    mixing, moving : float32
        Half the angles by which scatterers are exchanged, and the pulse and its slope mixed, for a
        turn, rad.
    total : float32 array of any shape, filled
        Real and imaginary parts of echoes in place, and of those beside it: four rows, one after
        the other from the value `target` on.
    """
    cells, padded = scatterer_row.shape[1:]
    part = cells * padded
    for x in range(0, padded, LANES):
        real = imaginary = beside_real = beside_imaginary = broadcast(ZERO)
        for cell in range(cells):
            place = cell * padded + x
            turn = load(turns, first + place)
            phase = turn - ((turn + ROUND) - ROUND)
            sine = sine_of_turn(phase)
            cosine = cosine_of_turn(phase)
            # A rotation by twice the arctangent of t, which keeps the power.
            t = mixing * turn
            scale = ONE / (ONE + t * t)
            keep = (ONE - t * t) * scale
            take = TWO * t * scale
            re = keep * load(scatterer_row, place) + take * load(scatterer_row, 2 * part + place)
            im = keep * load(scatterer_row, part + place) + take * load(
                scatterer_row, 3 * part + place
            )
            turned_re = re * cosine - im * sine
            turned_im = re * sine + im * cosine
            # The same rotation, from the pulse in place to its slope.
            t = moving * turn
            scale = ONE / (ONE + t * t)
            keep = (ONE - t * t) * scale
            take = TWO * t * scale
            real = real + keep * turned_re
            imaginary = imaginary + keep * turned_im
            beside_real = beside_real + take * turned_re
            beside_imaginary = beside_imaginary + take * turned_im
        store(total, target + x, real)
        store(total, target + padded + x, imaginary)
        store(total, target + 2 * padded + x, beside_real)
        store(total, target + 3 * padded + x, beside_imaginary)


@kernel
def spread_row(total, frame, z, depths, axial, lateral, pulsed, made):
    """Turn the echoes of two frames into a row of their images by the point-spread function.

    Parameters
    ----------
    total : float32 array of shape (frame, kept row, 4, padded width)
        Echoes of the rows from `z` less half a pulse to `z` plus half a pulse, row z in place
        z modulo the number of rows that are kept.
    frame, z, depths : int
        The first frame, the row, and how many rows an image has.
    axial : float32 array of shape (2, depth, tap, 2)
    lateral : float32 array of shape (depth, tap)
    pulsed : float32 array of shape (4, padded width + tap - 1), changed
        Zero at its ends.
    made : float32 array of shape (4, padded width), filled
        Real and imaginary part of the first frame and of the second one.
    """
    kept, _, padded = total.shape[1:]
    half_axial = axial.shape[2] // 2
    half_lateral = lateral.shape[1] // 2
    begin = max(half_axial - z, 0)
    end = min(axial.shape[2], depths - z + half_axial)
    first = (z + begin - half_axial) % kept
    later = kept * 4 * padded
    length = pulsed.shape[1]
    for x in range(0, padded, LANES):
        real = imaginary = next_real = next_imaginary = broadcast(ZERO)
        row = first
        for tap in range(begin, end):
            for kind in range(2):
                re = broadcast(axial[kind, z, tap, 0])
                im = broadcast(axial[kind, z, tap, 1])
                place = ((frame * kept + row) * 4 + 2 * kind) * padded + x
                echo_real = load(total, place)
                echo_imaginary = load(total, place + padded)
                real = real + (re * echo_real - im * echo_imaginary)
                imaginary = imaginary + (re * echo_imaginary + im * echo_real)
                echo_real = load(total, place + later)
                echo_imaginary = load(total, place + later + padded)
                next_real = next_real + (re * echo_real - im * echo_imaginary)
                next_imaginary = next_imaginary + (re * echo_imaginary + im * echo_real)
            row = row + 1 if row + 1 < kept else 0
        store(pulsed, half_lateral + x, real)
        store(pulsed, length + half_lateral + x, imaginary)
        store(pulsed, 2 * length + half_lateral + x, next_real)
        store(pulsed, 3 * length + half_lateral + x, next_imaginary)
    for x in range(0, padded, LANES):
        real = imaginary = next_real = next_imaginary = broadcast(ZERO)
        for tap in range(lateral.shape[1]):
            weight = broadcast(lateral[z, tap])
            real = real + weight * load(pulsed, tap + x)
            imaginary = imaginary + weight * load(pulsed, length + tap + x)
            next_real = next_real + weight * load(pulsed, 2 * length + tap + x)
            next_imaginary = next_imaginary + weight * load(pulsed, 3 * length + tap + x)
        store(made, x, real)
        store(made, padded + x, imaginary)
        store(made, 2 * padded + x, next_real)
        store(made, 3 * padded + x, next_imaginary)


@kernel
def write_row(made, random, part, sd, row):
    """Write a row of an image with its noise.

    Parameters
    ----------
    made, random : float32 arrays of shape (4, width)
    part : int
        Where the frame's real part is, which its imaginary one follows.
    sd : float32
    row : float32 array of shape (width, 2), filled
    """
    for x in range(len(row)):
        row[x, 0] = made[part, x] + sd * random[part, x]
        row[x, 1] = made[part + 1, x] + sd * random[part + 1, x]


@kernel
def render_frames(
    fields, courses, scatterers, exchange, shift, axial, lateral, noise, key, first_frame, out
):
    """Render IQ images.

    A row of pixels is taken through all frames before the next one: the fields at its cells are
    read once, and echoes wait in the cache until all rows are there that a pulse reaches.

    Parameters
    ----------
    fields : float32 array of shape (field, depth, cell, width)
    courses : float32 array of shape (frame, field)
    scatterers : float32 array of shape (4, depth, cell, width)
    exchange, shift : float32 arrays of shape (depth,)
    axial : float32 array of shape (2, depth, tap, 2)
        The pulse at each depth, and what it becomes beside its place.
    lateral : float32 array of shape (depth, tap)
        The beam at each depth.
    noise : float32 array of shape (depth,)
        SD of the noise in the real and in the imaginary part.
    key : uint32 array of shape (4,)
        Of the noise.
    first_frame : int
        Number of the first frame in the recording, even: noise is counted from the first.
    out : float32 array of shape (frame, depth, width, 2), filled
    """
    frames, depths, widths = out.shape[:3]
    count, _, cells, _ = fields.shape
    groups = (frames + GROUP - 1) // GROUP
    padded = (widths + LANES - 1) // LANES * LANES
    pairs = (cells * padded + PAIR - 1) // PAIR
    # What is beyond a row's end, or after the last frame, is computed with zeros and not used.
    grouped = np.zeros((groups, count, GROUP), np.float32)
    for frame in range(frames):
        for number in range(count):
            grouped[frame // GROUP, number, frame % GROUP] = courses[frame, number]
    field_row = np.zeros((pairs, count, PAIR), np.float32)
    scatterer_row = np.zeros((4, cells, padded), np.float32)
    turns = np.empty((GROUP, pairs * PAIR), np.float32)
    kept = axial.shape[2]
    half = kept // 2
    total = np.empty((groups * GROUP, kept, 4, padded), np.float32)
    pulsed = np.zeros((4, padded + lateral.shape[1] - 1), np.float32)
    made = np.empty((4, padded), np.float32)
    random = np.zeros((4, widths), np.float32)
    noisy = noise.max() > 0
    for below in range(depths + half):
        z = below - half
        if below < depths:
            pack_row(fields, scatterers, below, field_row, scatterer_row)
        for group in range(groups):
            first = group * GROUP
            if below < depths:
                turn_cells(field_row, grouped[group], turns)
                for number in range(GROUP):
                    add_cells(
                        turns,
                        number * turns.shape[1],
                        scatterer_row,
                        exchange[below],
                        shift[below],
                        total,
                        ((first + number) * kept + below % kept) * 4 * padded,
                    )
            if z < 0:
                continue
            for frame in range(first, min(first + GROUP, frames), 2):
                if noisy:
                    # Four numbers of a counter: real and imaginary parts of two frames.
                    write_noise_to_four_frames(
                        random[0],
                        random[1],
                        random[2],
                        random[3],
                        np.uint32(z * widths),
                        np.uint32((first_frame + frame) // 2),
                        key,
                        ONE,
                    )
                spread_row(total, frame, z, depths, axial, lateral, pulsed, made)
                for later in range(min(2, frames - frame)):
                    write_row(made, random, 2 * later, noise[z], out[frame + later, z])
