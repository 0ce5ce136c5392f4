"""The kernels' noise in torch: the same counter-based values on any device.

Threefry-4x32 with 13 rounds and two Box-Muller transforms, as in
:mod:`musim.simulator.noise_kernels`, whose constants these are. The uniform words are the same bit
for bit; torch rounds products and sums apart where the kernel fuses them, so normals agree to
within a few units in the last place.
"""

import math

import torch
from torch import Tensor

FRAMES_PER_GROUP = 4

_PARITY = 0x1BD11BDA
_ROTATIONS = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))
_ROUNDS = 13
_LOG = (
    -0.17919623851776123, 0.28964298963546753, -0.29834794998168945, 0.33087489008903503,
    -0.39916831254959106, 0.5000588893890381, -0.6666831970214844, 0.9999995827674866, -2.0,
)  # fmt: skip
_SIN = (-0.00019504021970637758, 0.008332036877493959, -0.16666650699357113, 0.9999999969265272)
_COS = (-0.001358590847735831, 0.041655026904659324, -0.4999985669722449, 0.9999999724249713)
_SQRT_HALF_BITS = 0x3F3504F3
_MANTISSA_BITS = 0x007FFFFF


def _rotate(x: Tensor, left: int) -> Tensor:
    # torch shifts int32 with the sign; the mask takes the copies of the sign bit away.
    return (x << left) | ((x >> (32 - left)) & ((1 << left) - 1))


def _add(a: Tensor, b: Tensor) -> Tensor:
    # int32 sums wrap round, as those of unsigned words do.
    return a + b


def threefry(first: Tensor, second: Tensor, key: Tensor) -> list[Tensor]:
    """Return the four words of the counters (first, second, 0, 0), as int32 bit patterns.

    Parameters
    ----------
    first, second : int32 tensors that broadcast with one another
    key : list of four int32 tensors that broadcast with them, as one tensor over its first axis
    """
    keys = list(key)
    keys.append(keys[0] ^ keys[1] ^ keys[2] ^ keys[3] ^ _PARITY)
    zero = torch.zeros_like(first + second + keys[0])
    x = [_add(first + zero, keys[0]), _add(second + zero, keys[1]), keys[2] + zero, keys[3] + zero]
    for number in range(_ROUNDS):
        a, b = _ROTATIONS[number % 8]
        one, three = (1, 3) if number % 2 == 0 else (3, 1)
        x[0] = _add(x[0], x[one])
        x[one] = _rotate(x[one], a) ^ x[0]
        x[2] = _add(x[2], x[three])
        x[three] = _rotate(x[three], b) ^ x[2]
        if number % 4 == 3:
            step = number // 4 + 1
            for word in range(4):
                x[word] = _add(x[word], keys[(step + word) % 5])
            x[3] = x[3] + step
    return x


def _polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    value = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def normal_pair(radius_word: Tensor, angle_word: Tensor) -> tuple[Tensor, Tensor]:
    """Return two independent standard normals, float32, from two words, int32 bit patterns."""
    uniform = (radius_word.to(torch.int64) & 0xFFFFFFFF).to(torch.float32) + 0.5
    bits = uniform.view(torch.int32) - _SQRT_HALF_BITS
    exponent = ((bits >> 23) - 32).to(torch.float32)
    x = ((bits & _MANTISSA_BITS) + _SQRT_HALF_BITS).view(torch.float32) - 1.0
    radius = torch.sqrt(_polynomial(_LOG, x) * x + exponent * (-2.0 * math.log(2.0)))
    t = (angle_word << 2).to(torch.float32) * (math.pi / 4 * 2.0**-31)
    z = t * t
    sine, cosine = _polynomial(_SIN, z) * t, _polynomial(_COS, z)
    odd = (angle_word & 0x40000000) != 0
    negative = angle_word < 0
    first = torch.where(odd, sine, cosine) * radius
    second = torch.where(odd, cosine, sine) * radius
    turned = negative ^ odd
    return torch.where(turned, -first, first), torch.where(negative, -second, second)


def standard_normal(keys: Tensor, frames: int, pixels: int, start: Tensor) -> Tensor:
    """Return the noise of windows of several sequences, float32 (batch, time, pixel).

    Parameters
    ----------
    keys : int64 tensor of shape (batch, 4)
        The sequences' noise keys, each word 0..2**32 - 1.
    frames, pixels : int
        Frames of a window, pixels of a whole image.
    start : int64 tensor of shape (batch,)
        First frame of each window.
    """
    device = keys.device
    groups = (frames + 2 * FRAMES_PER_GROUP - 2) // FRAMES_PER_GROUP
    words = keys.T[:, :, None, None]
    key = torch.where(words >= 2**31, words - 2**32, words).to(torch.int32)
    pixel = torch.arange(pixels, device=device, dtype=torch.int32)[None, None, :]
    offset = torch.arange(groups, device=device)[None, :]
    group = (start[:, None] // FRAMES_PER_GROUP + offset).to(torch.int32)[:, :, None]
    w0, w1, w2, w3 = threefry(pixel, group, key)
    four = torch.stack([*normal_pair(w0, w1), *normal_pair(w2, w3)], dim=2)
    noise = four.reshape(len(keys), groups * FRAMES_PER_GROUP, pixels)
    first = start % FRAMES_PER_GROUP
    rows = first[:, None] + torch.arange(frames, device=device)[None, :]
    return torch.gather(noise, 1, rows[:, :, None].expand(-1, -1, pixels))
