"""Loops of :mod:`musim.simulator.noise`: Threefry and Box-Muller as vector code."""

import numpy as np

from .acceleration import (
    bits_of_float32,
    float32_of_bits,
    fused_multiply_add,
    inline,
    kernel,
)

f32 = np.float32
i32 = np.int32
u32 = np.uint32

# Threefish key-schedule parity of the 32-bit version (Salmon et al. 2011).
PARITY = u32(0x1BD11BDA)

# -2 log(1 + x) = x * P(x) for x in [sqrt(1/2) - 1, sqrt(2) - 1]: minimax fit, relative error 6e-8.
LOG_0 = f32(-2.0)
LOG_1 = f32(0.9999995827674866)
LOG_2 = f32(-0.6666831970214844)
LOG_3 = f32(0.5000588893890381)
LOG_4 = f32(-0.39916831254959106)
LOG_5 = f32(0.33087489008903503)
LOG_6 = f32(-0.29834794998168945)
LOG_7 = f32(0.28964298963546753)
LOG_8 = f32(-0.17919623851776123)
MINUS_TWO_LOG_TWO = f32(-2.0 * np.log(2.0))

# sin(t) = t * S(t * t) and cos(t) = C(t * t) for t in [-pi/4, pi/4]: minimax fits, errors 3e-9,
# 3e-8.
SIN_0 = f32(0.9999999969265272)
SIN_1 = f32(-0.16666650699357113)
SIN_2 = f32(0.008332036877493959)
SIN_3 = f32(-0.00019504021970637758)
COS_0 = f32(0.9999999724249713)
COS_1 = f32(-0.4999985669722449)
COS_2 = f32(0.041655026904659324)
COS_3 = f32(-0.001358590847735831)
EIGHTH_TURN = f32(np.pi / 4 * 2.0**-31)

SQRT_HALF_BITS = i32(0x3F3504F3)
MANTISSA_BITS = i32(0x007FFFFF)
SIGN_BIT = i32(-0x80000000)
SECOND_BIT = i32(0x40000000)
HALF = f32(0.5)
ONE = f32(1.0)


@inline
def _add(a, b):
    return u32(a + b)


@inline
def _mix(a, b, rotation):
    """One Threefry mix: returns a + b and (b rotated left) ^ (a + b)."""
    total = u32(a + b)
    return total, u32(u32(u32(b << u32(rotation)) | u32(b >> u32(32 - rotation))) ^ total)


@inline
def threefry(c0, c1, k0, k1, k2, k3, k4):
    """Threefry-4x32 with 13 rounds of the counter (c0, c1, 0, 0); k4 is the keys' parity word."""
    x0 = _add(c0, k0)
    x1 = _add(c1, k1)
    x2 = k2
    x3 = k3
    x0, x1 = _mix(x0, x1, 10)
    x2, x3 = _mix(x2, x3, 26)
    x0, x3 = _mix(x0, x3, 11)
    x2, x1 = _mix(x2, x1, 21)
    x0, x1 = _mix(x0, x1, 13)
    x2, x3 = _mix(x2, x3, 27)
    x0, x3 = _mix(x0, x3, 23)
    x2, x1 = _mix(x2, x1, 5)
    x0 = _add(x0, k1)
    x1 = _add(x1, k2)
    x2 = _add(x2, k3)
    x3 = _add(x3, _add(k4, u32(1)))
    x0, x1 = _mix(x0, x1, 6)
    x2, x3 = _mix(x2, x3, 20)
    x0, x3 = _mix(x0, x3, 17)
    x2, x1 = _mix(x2, x1, 11)
    x0, x1 = _mix(x0, x1, 25)
    x2, x3 = _mix(x2, x3, 10)
    x0, x3 = _mix(x0, x3, 18)
    x2, x1 = _mix(x2, x1, 20)
    x0 = _add(x0, k2)
    x1 = _add(x1, k3)
    x2 = _add(x2, k4)
    x3 = _add(x3, _add(k0, u32(2)))
    x0, x1 = _mix(x0, x1, 10)
    x2, x3 = _mix(x2, x3, 26)
    x0, x3 = _mix(x0, x3, 11)
    x2, x1 = _mix(x2, x1, 21)
    x0, x1 = _mix(x0, x1, 13)
    x2, x3 = _mix(x2, x3, 27)
    x0, x3 = _mix(x0, x3, 23)
    x2, x1 = _mix(x2, x1, 5)
    x0 = _add(x0, k3)
    x1 = _add(x1, k4)
    x2 = _add(x2, k0)
    x3 = _add(x3, _add(k1, u32(3)))
    x0, x1 = _mix(x0, x1, 6)
    x2, x3 = _mix(x2, x3, 20)
    return x0, x1, x2, x3


@inline
def normal_pair(radius_word, angle_word):
    """Two independent standard normals from two uniform words (Box and Muller 1958)."""
    # Radius: -2 log(u), u = (word + 1/2) / 2**32, with the mantissa moved to [sqrt(1/2), sqrt(2)).
    bits = i32(bits_of_float32(f32(radius_word) + HALF) - SQRT_HALF_BITS)
    exponent = f32(i32((bits >> i32(23)) - i32(32)))
    x = float32_of_bits(i32((bits & MANTISSA_BITS) + SQRT_HALF_BITS)) - ONE
    p = fused_multiply_add(LOG_8, x, LOG_7)
    p = fused_multiply_add(p, x, LOG_6)
    p = fused_multiply_add(p, x, LOG_5)
    p = fused_multiply_add(p, x, LOG_4)
    p = fused_multiply_add(p, x, LOG_3)
    p = fused_multiply_add(p, x, LOG_2)
    p = fused_multiply_add(p, x, LOG_1)
    p = fused_multiply_add(p, x, LOG_0)
    radius = np.sqrt(fused_multiply_add(p, x, exponent * MINUS_TWO_LOG_TWO))
    # Angle: the upper two bits choose the quarter turn, the other thirty the place in it.
    angle = i32(angle_word)
    t = f32(i32(angle << i32(2))) * EIGHTH_TURN
    z = t * t
    sine = fused_multiply_add(SIN_3, z, SIN_2)
    sine = fused_multiply_add(sine, z, SIN_1)
    sine = fused_multiply_add(sine, z, SIN_0) * t
    cosine = fused_multiply_add(COS_3, z, COS_2)
    cosine = fused_multiply_add(cosine, z, COS_1)
    cosine = fused_multiply_add(cosine, z, COS_0)
    odd = (angle & SECOND_BIT) != i32(0)
    first = sine if odd else cosine
    second = cosine if odd else sine
    second_sign = i32(angle & SIGN_BIT)
    first_sign = i32(second_sign ^ i32(i32(angle << i32(1)) & SIGN_BIT))
    return (
        float32_of_bits(i32(bits_of_float32(radius * first) ^ first_sign)),
        float32_of_bits(i32(bits_of_float32(radius * second) ^ second_sign)),
    )


@kernel
def write_noise_to_four_frames(frame0, frame1, frame2, frame3, first_pixel, group, key, scale):
    """Write ``scale`` times the noise of pixels `first_pixel`... of frames 4 * group ... + 3.

    A function of its own, with four plain arrays as arguments, because only so does the compiler
    see that the frames do not overlap and turn the loop into vector instructions (9 times faster).

    Parameters
    ----------
    frame0, frame1, frame2, frame3 : float32 arrays of shape (pixels,), filled
    first_pixel : uint32
        Row-major index of the first pixel in the whole grid.
    group : uint32
        Index of the group of four frames.
    key : uint32 array of shape (4,)
    scale : float32
        Standard deviation, mm/s.
    """
    k0, k1, k2, k3 = key[0], key[1], key[2], key[3]
    k4 = u32(k0 ^ k1 ^ k2 ^ k3 ^ PARITY)
    for pixel in range(frame0.size):
        w0, w1, w2, w3 = threefry(_add(first_pixel, u32(pixel)), group, k0, k1, k2, k3, k4)
        n0, n1 = normal_pair(w0, w1)
        n2, n3 = normal_pair(w2, w3)
        frame0[pixel] = scale * n0
        frame1[pixel] = scale * n1
        frame2[pixel] = scale * n2
        frame3[pixel] = scale * n3


@kernel
def threefry_words(first_counter, second_counter, key, words):
    """Write the four Threefry words of each counter pair into `words`, uint32 (n, 4)."""
    k0, k1, k2, k3 = key[0], key[1], key[2], key[3]
    k4 = u32(k0 ^ k1 ^ k2 ^ k3 ^ PARITY)
    for i in range(first_counter.size):
        w0, w1, w2, w3 = threefry(first_counter[i], second_counter[i], k0, k1, k2, k3, k4)
        words[i, 0] = w0
        words[i, 1] = w1
        words[i, 2] = w2
        words[i, 3] = w3
