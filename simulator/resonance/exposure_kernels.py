"""Loops of :mod:`.exposure` over voxels."""

import math

import numpy as np

from ..acceleration import kernel
from .grain_kernels import grain

u32 = np.uint32

FINE, COARSE = 1.6, 5.0
"""Ways between the lattice's points of what densities are like from place to place, mm."""

EVEN_OUT = 2.05
"""Of the sum of both fields, each with weight 1/sqrt(2): its SD, sqrt((26/35)^3 / 3) = 0.37, is
then 0.76."""


@kernel
def granular(x, y, z, key):
    """Return a random field of mean 0 and SD 0.76, fine and coarse."""
    fine = grain(x / FINE, y / FINE, z / FINE, key)
    coarse = grain(x / COARSE, y / COARSE, z / COARSE, key ^ u32(0x5BD1E995))
    return (fine + coarse) * 0.7071067811865476 * EVEN_OUT


@kernel
def field_offset(x, y, z, terms):
    """Return how far the field is off at a place in units of the volume's half edges, Hz."""
    return (
        terms[0] * x + terms[1] * y + terms[2] * z + terms[3] * x * y + terms[4] * y * z
        + terms[5] * x * z + terms[6] * (x * x - z * z) + terms[7] * (z * z - 1 / 3)
    )  # fmt: skip


@kernel
def gather(labels, samples, i, j, k, points):
    """Write the labels of a voxel's points in a row, and return whether there is more than air."""
    number = 0
    seen = 0
    for a in range(i * samples, (i + 1) * samples):
        for b in range(j * samples, (j + 1) * samples):
            for c in range(k * samples, (k + 1) * samples):
                points[number] = labels[a, b, c]
                seen |= points[number]
                number += 1
    return seen != 0


@kernel
def commonest(points, counts):
    """Return the commonest of labels, the lowest of equals; counts are set to 0 again."""
    best = 255
    for label in points:
        more = counts[label] > counts[best]
        if more or (counts[label] == counts[best] and label < best):
            best = label
    for label in points:
        counts[label] = 0
    return best


@kernel
def look_gradient(
    labels, samples, water, fat, grains, terms, first, step, half, own, key,
    out_water, out_fat, tissue,
):  # fmt: skip
    """Sum the gradient echo over the points of each voxel of a slab; keep the commonest label.

    ``out_water`` (z, y, x), and ``out_fat`` with its phase.
    """
    share = 1.0 / (samples * samples * samples)
    points = np.empty(samples**3, np.uint8)
    counts = np.zeros(256, np.int64)
    bins = water.shape[1]
    for i in range(out_water.shape[0]):
        for j in range(out_water.shape[1]):
            for k in range(out_water.shape[2]):
                if not gather(labels, samples, i, j, k, points):
                    tissue[i, j, k] = 0
                    continue
                x, y, z = first[0] + k * step, first[1] + j * step, first[2] + i * step
                off = field_offset(x / half[0], y / half[1], z / half[2], terms)
                place = min(max((off + 200.0) / 5.0, 0.0), bins - 1.000001)
                at = int(place)
                rest = place - at
                across = own[0, 0] * x + own[0, 1] * y + own[0, 2] * z + own[0, 3]
                through = own[1, 0] * x + own[1, 1] * y + own[1, 2] * z + own[1, 3]
                along = own[2, 0] * x + own[2, 1] * y + own[2, 2] * z + own[2, 3]
                dense = granular(across, through, along, key)
                total = 0.0
                lipid = 0.0 + 0.0j
                for label in points:
                    counts[label] += 1
                    factor = max(1.0 + grains[label] * dense, 0.0)
                    total += factor * (water[label, at] * (1 - rest) + water[label, at + 1] * rest)
                    lipid += factor * (fat[label, at] * (1 - rest) + fat[label, at + 1] * rest)
                tissue[i, j, k] = commonest(points, counts)
                out_water[i, j, k] = total * share
                out_fat[i, j, k] = lipid * share


@kernel
def look_spin(
    labels, samples, water, fat, grains, t2_grains, first, step, own, key, out_water, out_fat
):
    """Sum the fast spin echo over the points of each voxel of a slab."""
    share = 1.0 / (samples * samples * samples)
    points = np.empty(samples**3, np.uint8)
    for i in range(out_water.shape[0]):
        for j in range(out_water.shape[1]):
            for k in range(out_water.shape[2]):
                if not gather(labels, samples, i, j, k, points):
                    continue
                x, y, z = first[0] + k * step, first[1] + j * step, first[2] + i * step
                across = own[0, 0] * x + own[0, 1] * y + own[0, 2] * z + own[0, 3]
                through = own[1, 0] * x + own[1, 1] * y + own[1, 2] * z + own[1, 3]
                along = own[2, 0] * x + own[2, 1] * y + own[2, 2] * z + own[2, 3]
                dense = granular(across, through, along, key)
                slow = granular(across, through, along, key ^ u32(0x27D4EB2F))
                total, lipid = 0.0, 0.0
                for label in points:
                    factor = max(1.0 + grains[label] * dense, 0.0) * max(
                        1.0 + t2_grains[label] * slow, 0.0
                    )
                    total += factor * water[label]
                    lipid += factor * fat[label]
                out_water[i, j, k] = total * share
                out_fat[i, j, k] = lipid * share


@kernel
def expose(image, water, fat, shift, coils, radius, shading, mean, first, step, noise, sd, gain):
    """Write the magnitude of water and shifted fat under the array's sensitivity, with noise.

    Parameters
    ----------
    image : float32 array of shape (z, y, x)
        Written.
    water, fat : complex64 arrays of that shape
    shift : float
        Of fat along z, voxels.
    coils : float64 array of shape (coil, 3)
        Places, mm.
    noise : float32 array of shape (2, z, y, x)
        Standard normal.
    sd : float
        Of noise in either channel where sensitivity is as on average, `mean`.
    gain : float
        Of all.
    """
    depth = image.shape[0]
    whole = math.floor(shift)
    rest = shift - whole
    for i in range(depth):
        z = first[2] + i * step
        near, far = i - whole, i - whole - 1
        for j in range(image.shape[1]):
            y = first[1] + j * step
            for k in range(image.shape[2]):
                x = first[0] + k * step
                total = 0.0
                for coil in range(len(coils)):
                    away = (
                        (x - coils[coil, 0]) ** 2 + (y - coils[coil, 1]) ** 2
                        + (z - coils[coil, 2]) ** 2
                    )  # fmt: skip
                    total += (1.0 + away / (radius * radius)) ** -3
                sensitivity = math.sqrt(total) / mean
                echo = water[i, j, k] + 0.0j
                if 0 <= near < depth:
                    echo += (1 - rest) * fat[near, j, k]
                if 0 <= far < depth:
                    echo += rest * fat[far, j, k]
                real = sensitivity * echo.real + sd * noise[0, i, j, k]
                imaginary = sensitivity * echo.imag + sd * noise[1, i, j, k]
                left = sensitivity ** (shading - 1.0)
                image[i, j, k] = gain * left * math.sqrt(real * real + imaginary * imaginary)


@kernel
def mean_sensitivity(coils, radius, half, points):
    """Return the mean of the array's sensitivity over a volume, by a grid of points."""
    total = 0.0
    for a in range(points):
        for b in range(points):
            for c in range(points):
                x = half[0] * (2 * (a + 0.5) / points - 1)
                y = half[1] * (2 * (b + 0.5) / points - 1)
                z = half[2] * (2 * (c + 0.5) / points - 1)
                sum_of_squares = 0.0
                for coil in range(len(coils)):
                    away = (
                        (x - coils[coil, 0]) ** 2 + (y - coils[coil, 1]) ** 2
                        + (z - coils[coil, 2]) ** 2
                    )  # fmt: skip
                    sum_of_squares += (1.0 + away / (radius * radius)) ** -3
                total += math.sqrt(sum_of_squares)
    return total / points**3
