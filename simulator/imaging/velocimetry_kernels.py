"""Loops of :mod:`musim.simulator.imaging.velocimetry`, innermost along width: vectors."""

import math

import numpy as np

from ..acceleration import inline, kernel

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
    high = a if a > b else b
    low = b if a > b else a
    ratio = low / (high if high > np.float32(0) else np.float32(1))
    u = ratio * ratio
    p = np.float32(0.0028498885)
    p = p * u + np.float32(-0.016068625)
    p = p * u + np.float32(0.042691514)
    p = p * u + np.float32(-0.07504294)
    p = p * u + np.float32(0.10640934)
    p = p * u + np.float32(-0.14203644)
    p = p * u + np.float32(0.1999262)
    p = p * u + np.float32(-0.33333072)
    p = p * u + np.float32(1.0)
    angle = ratio * p
    angle = HALF_PI - angle if b > a else angle
    angle = PI - angle if x < np.float32(0) else angle
    return -angle if y < np.float32(0) else angle


@kernel
def correlate(iq, half_gate, both, out):
    """Correlate neighbouring samples in slow time and, if asked, in depth; sum over the gate.

    Parameters
    ----------
    iq : float32 array of shape (frame, depth, width, 2)
        Real and imaginary parts.
    half_gate : int
        Samples of the gate above and below its centre; those beyond the image are left out.
    both : bool
        Whether depth is correlated too.
    out : float32 array of shape (2 or 4, frame - 1, depth, width), filled
        Real and imaginary part of R(0, 1) and, if asked, of R(1, 0), of each pair of frames.
    """
    pairs, depths, widths = out.shape[1:]
    product = np.zeros((4, depths, widths), np.float32)
    for pair in range(pairs):
        for z in range(depths):
            now = iq[pair, z]
            after = iq[pair + 1, z]
            real = product[0, z]
            imaginary = product[1, z]
            for x in range(widths):
                real[x] = after[x, 0] * now[x, 0] + after[x, 1] * now[x, 1]
                imaginary[x] = after[x, 1] * now[x, 0] - after[x, 0] * now[x, 1]
        if both:
            for z in range(depths - 1):
                # Both frames of the pair, so that the estimate is symmetric in time.
                now = iq[pair, z]
                after = iq[pair + 1, z]
                now_below = iq[pair, z + 1]
                after_below = iq[pair + 1, z + 1]
                real = product[2, z]
                imaginary = product[3, z]
                for x in range(widths):
                    real[x] = (
                        now_below[x, 0] * now[x, 0]
                        + now_below[x, 1] * now[x, 1]
                        + after_below[x, 0] * after[x, 0]
                        + after_below[x, 1] * after[x, 1]
                    )
                    imaginary[x] = (
                        now_below[x, 1] * now[x, 0]
                        - now_below[x, 0] * now[x, 1]
                        + after_below[x, 1] * after[x, 0]
                        - after_below[x, 0] * after[x, 1]
                    )
        for plane in range(len(out)):
            # A product over depth belongs midway between two samples, so its gate has one less.
            lag = plane // 2
            for z in range(depths):
                top = max(z - half_gate, 0)
                bottom = min(z + half_gate + 1 - lag, depths - lag)
                if bottom <= top:  # a gate of one sample: take the nearest product
                    top = min(z, depths - 1 - lag)
                    bottom = top + 1
                total = out[plane, pair, z]
                total[:] = product[plane, top]
                for row in range(top + 1, bottom):
                    source = product[plane, row]
                    for x in range(widths):
                        total[x] += source[x]


@kernel
def sum_and_turn(kept, first, half, constants, velocity):
    """Sum correlations over the ensemble and turn their phases into velocity.

    Parameters
    ----------
    kept : float32 array of shape (2 or 4, pair, depth, width)
        What :func:`correlate` made.
    first : int
        The pair of the first velocity.
    half : int
        Pairs of the ensemble before and after its centre; those that are not there are left out.
    constants : float32 array of shape (4,)
        Velocity for a radian at the centre frequency; cosine and sine of the phase that the centre
        frequency leaves from depth sample to depth sample; share of the centre frequency that a
        radian between depth samples adds.
    velocity : float32 array of shape (frame, depth, width), filled
    """
    frames, depths, widths = velocity.shape
    planes, pairs = kept.shape[:2]
    scale, cosine, sine, share = constants
    total = np.empty((4, widths), np.float32)
    for frame in range(frames):
        low = max(first + frame - half, 0)
        high = min(first + frame + half + 1, pairs)
        for z in range(depths):
            for plane in range(planes):
                target = total[plane]
                target[:] = kept[plane, low, z]
                for pair in range(low + 1, high):
                    source = kept[plane, pair, z]
                    for x in range(widths):
                        target[x] += source[x]
            row = velocity[frame, z]
            if planes == 4:
                for x in range(widths):
                    real = total[2, x] * cosine + total[3, x] * sine
                    imaginary = total[3, x] * cosine - total[2, x] * sine
                    relative = np.float32(1) + share * arctan2(imaginary, real)
                    relative = LOWEST if relative < LOWEST else relative
                    relative = HIGHEST if relative > HIGHEST else relative
                    row[x] = scale * arctan2(total[1, x], total[0, x]) / relative
            else:
                for x in range(widths):
                    row[x] = scale * arctan2(total[1, x], total[0, x])
