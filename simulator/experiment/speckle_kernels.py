"""Loops of :mod:`musim.simulator.experiment.speckle`, innermost along width: vectors."""

import numpy as np

from ..acceleration import fused_multiply_add, inline, kernel
from ..noise_kernels import write_noise_to_four_frames

ROUND = np.float32(1.5 * 2**23)
"""Added to a float32 below 2**22 and taken off again, it leaves the nearest whole number."""

GROUP = 4


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
def add_echoes(fields, courses, scatterers, exchange, shift, total):
    """Sum the echoes of each pixel's cells, a row of pixels at a time.

    Parameters
    ----------
    fields : float32 array of shape (field, depth, cell, width)
    courses : float32 array of shape (frame, field)
    scatterers : float32 array of shape (4, depth, cell, width)
    exchange, shift : float32 arrays of shape (depth,)
    total : float32 array of shape (frame, 4, depth, width), filled
        Real and imaginary parts of echoes in place, and of those beside it.
    """
    count, depths, cells, widths = fields.shape
    turns = np.empty(widths, np.float32)
    for z in range(depths):
        mixing = exchange[z]
        moving = shift[z]
        for frame in range(len(courses)):
            real = total[frame, 0, z]
            imaginary = total[frame, 1, z]
            beside_real = total[frame, 2, z]
            beside_imaginary = total[frame, 3, z]
            total[frame, :, z] = np.float32(0)
            for cell in range(cells):
                turns[:] = np.float32(0)
                # Two fields at a time: half the loads and stores of the sum.
                whole = count // 2 * 2
                for number in range(0, whole, 2):
                    first = fields[number, z, cell]
                    second = fields[number + 1, z, cell]
                    a = courses[frame, number]
                    b = courses[frame, number + 1]
                    for x in range(widths):
                        turns[x] = fused_multiply_add(
                            second[x], b, fused_multiply_add(first[x], a, turns[x])
                        )
                if whole < count:
                    first = fields[whole, z, cell]
                    a = courses[frame, whole]
                    for x in range(widths):
                        turns[x] = fused_multiply_add(first[x], a, turns[x])
                seen_real = scatterers[0, z, cell]
                seen_imaginary = scatterers[1, z, cell]
                next_real = scatterers[2, z, cell]
                next_imaginary = scatterers[3, z, cell]
                for x in range(widths):
                    turn = turns[x]
                    phase = turn - ((turn + ROUND) - ROUND)
                    sine = sine_of_turn(phase)
                    cosine = cosine_of_turn(phase)
                    # A rotation by twice the arctangent of t, which keeps the power.
                    t = mixing * turn
                    scale = np.float32(1) / (np.float32(1) + t * t)
                    keep = (np.float32(1) - t * t) * scale
                    take = np.float32(2) * t * scale
                    re = keep * seen_real[x] + take * next_real[x]
                    im = keep * seen_imaginary[x] + take * next_imaginary[x]
                    turned_re = re * cosine - im * sine
                    turned_im = re * sine + im * cosine
                    # The same rotation, from the pulse in place to its slope.
                    t = moving * turn
                    scale = np.float32(1) / (np.float32(1) + t * t)
                    keep = (np.float32(1) - t * t) * scale
                    take = np.float32(2) * t * scale
                    real[x] += keep * turned_re
                    imaginary[x] += keep * turned_im
                    beside_real[x] += take * turned_re
                    beside_imaginary[x] += take * turned_im


@kernel
def render_frames(
    fields, courses, scatterers, exchange, shift, axial, lateral, noise, key, first_frame, out
):
    """Render IQ images.

    Parameters
    ----------
    fields, courses, scatterers, exchange, shift
        See :func:`add_echoes`.
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
    total = np.empty((frames, 4, depths, widths), np.float32)
    add_echoes(fields, courses, scatterers, exchange, shift, total)
    half_axial = axial.shape[2] // 2
    half_lateral = lateral.shape[1] // 2
    pulsed = np.zeros((2, widths + 2 * half_lateral), np.float32)
    made = np.empty((2, widths), np.float32)
    noisy = False
    for z in range(depths):
        noisy |= noise[z] > 0
    random = np.zeros((GROUP, depths * widths), np.float32)
    for frame in range(frames):
        if noisy and frame % 2 == 0:
            # Four numbers of a counter: real and imaginary parts of two frames.
            write_noise_to_four_frames(
                random[0],
                random[1],
                random[2],
                random[3],
                np.uint32(0),
                np.uint32((first_frame + frame) // 2),
                key,
                np.float32(1),
            )
        for z in range(depths):
            pulsed[:] = np.float32(0)
            row_real = pulsed[0, half_lateral : half_lateral + widths]
            row_imaginary = pulsed[1, half_lateral : half_lateral + widths]
            for tap in range(axial.shape[2]):
                source = z + tap - half_axial
                if source < 0 or source >= depths:
                    continue
                for kind in range(2):
                    re = axial[kind, z, tap, 0]
                    im = axial[kind, z, tap, 1]
                    echo_real = total[frame, 2 * kind, source]
                    echo_imaginary = total[frame, 2 * kind + 1, source]
                    for x in range(widths):
                        row_real[x] += re * echo_real[x] - im * echo_imaginary[x]
                        row_imaginary[x] += re * echo_imaginary[x] + im * echo_real[x]
            for part in range(2):
                made[part] = np.float32(0)
                for tap in range(lateral.shape[1]):
                    weight = lateral[z, tap]
                    shifted = pulsed[part, tap : tap + widths]
                    for x in range(widths):
                        made[part, x] += weight * shifted[x]
            sd = noise[z]
            place = z * widths
            offset = 2 * (frame % 2)
            for x in range(widths):
                out[frame, z, x, 0] = made[0, x] + sd * random[offset, place + x]
                out[frame, z, x, 1] = made[1, x] + sd * random[offset + 1, place + x]
