"""Smooth random fields that are a function of place: what tissue is like from place to place."""

import math

import numpy as np

from ..acceleration import kernel

u32 = np.uint32


@kernel
def _lattice(i, j, k, key):
    """Return a number in [-1, 1) of a point of the lattice."""
    word = u32(i) * u32(0x8DA6B343) ^ u32(j) * u32(0xD8163841) ^ u32(k) * u32(0xCB1AB31F) ^ key
    # Finaliser of MurmurHash3 (Appleby), which spreads each bit over all.
    word ^= word >> u32(16)
    word = u32(word * u32(0x85EBCA6B))
    word ^= word >> u32(13)
    word = u32(word * u32(0xC2B2AE35))
    word ^= word >> u32(16)
    return word * (2.0 / 4294967296.0) - 1.0


@kernel
def grain(x, y, z, key):
    """Return a smooth random number of a place in units of the lattice, -1 to 1, SD 0.3 to 0.6.

    Between the points of the lattice it is interpolated with the weights 3 t^2 - 2 t^3.
    """
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = np.int64(fx), np.int64(fy), np.int64(fz)
    x, y, z = x - fx, y - fy, z - fz
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    total = 0.0
    for a in range(2):
        across = x if a else 1 - x
        for b in range(2):
            through = y if b else 1 - y
            low, high = _lattice(i + a, j + b, k, key), _lattice(i + a, j + b, k + 1, key)
            total += across * through * (low * (1 - z) + high * z)
    return total
