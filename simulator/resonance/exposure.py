"""Two sequences of whatever has labels of tissue: from labels at points to pictures of voxels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..noise import standard_normal
from ..seeds import Stream, generator, noise_key
from .contrast import Contrast, contrast_of, reference_signals
from .scan import Scan
from .signals import MAIN_PEAK, shift_of
from .tissues import Tissue

SLAB = 6
"""Voxels along the hand that are looked at in one go: what is in memory at once."""

GAIN, GAIN_B = 300.0, 800.0
"""Of muscle in T1, and of fat in T2, where the array is as sensitive as on average: receivers have
gains of their own, and these give numbers as scanners do."""

Placed = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A rotation or reflection, and the shift after it, mm."""

Labels = Callable[[NDArray[np.float64], float, tuple[int, int, int], Placed], NDArray[np.uint8]]
"""Gives the labels on a grid, uint8 (z, y, x), from its first point (x, y, z; mm), the way between
points (mm), its shape, and where the scanned thing has moved."""


@dataclass(frozen=True)
class Exposure:
    """What a scanner makes of one volume.

    Parameters
    ----------
    image, image_b : float32 array of shape (x, y, z)
        Of T1 and of T2.
    tissue : uint8 array of shape (x, y, z)
        The commonest label in each voxel, where T1 was taken.
    motion : (float64 array of shape (3, 3), float64 array of shape (3,))
        Between the two: rotation about the volume's middle, and shift, mm.
    """

    image: NDArray[np.float32]
    image_b: NDArray[np.float32]
    tissue: NDArray[np.uint8]
    motion: Placed


@dataclass(frozen=True)
class Settings:
    """What is drawn of a scan.

    Parameters
    ----------
    motion : (rotation, shift)
        Between the two sequences.
    terms : float64 array of shape (8,)
        Of the field's offset, Hz, by products of places.
    coils : float64 array of shape (coil, 3)
        Places of the array's elements, mm.
    shading : float
    snr, snr_b : float
    """

    motion: Placed
    terms: NDArray[np.float64]
    coils: NDArray[np.float64]
    shading: float
    snr: float
    snr_b: float


def rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix of turns about x, then y, then z, rad."""
    (a, b, c), (d, e, f) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, a, -d], [0, d, a]])
    about_y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    about_z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def draw_settings(scan: Scan, half: NDArray[np.float64], seed: int, index: int) -> Settings:
    """Draw what is drawn of a scan.

    Parameters
    ----------
    scan : Scan
    half : float64 array of shape (3,)
        Half edges of the volume, mm.
    seed, index : int
    """
    random = generator(seed, index, Stream.SCAN)

    def either_way(size: float) -> NDArray[np.float64]:
        return size * random.uniform(-1, 1, 3)

    turn, shift = scan.turn.draw_one(random), scan.shift.draw_one(random)
    motion = rotation(np.radians(either_way(turn))), either_way(shift)
    # Off most along the hand, where its ends are far from the magnet's middle. Each product's
    # variance over the volume makes it weigh as it should.
    weights = np.array([0.5, 0.2, 0.5, 0.3, 0.3, 0.5, 0.6, 1.0])
    variances = np.array([1 / 3, 1 / 3, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 8 / 45, 4 / 45])
    terms = weights * random.standard_normal(8)
    size = np.sqrt(np.sum(terms**2 * variances))
    terms *= scan.inhomogeneity.draw_one(random) / max(float(size), 1e-12)
    places = (np.arange(scan.coils) + 0.5) / scan.coils
    angles = np.pi * (2 * np.arange(scan.coils) + random.uniform(0, 1)) / max(scan.coils / 2, 1)
    away = scan.coil_radius * 0.7
    coils = np.column_stack([
        (half[0] + away) * np.cos(angles) * 0.8, (half[1] + away) * np.sin(angles),
        half[2] * (2 * places - 1),
    ]) + 0.05 * scan.coil_radius * random.standard_normal((scan.coils, 3))  # fmt: skip
    return Settings(
        motion, terms, coils, scan.shading.draw_one(random), scan.snr.draw_one(random),
        scan.snr_b.draw_one(random),
    )  # fmt: skip


def expose(
    labels: Labels, tissues: Sequence[Tissue], scan: Scan, shape: tuple[int, int, int], seed: int,
    index: int,
) -> Exposure:  # fmt: skip
    """Scan something twice.

    Parameters
    ----------
    labels : callable
        See :data:`Labels`; places are counted from the volume's middle.
    tissues : sequence of Tissue
        What the labels stand for.
    scan : Scan
    shape : (x, y, z)
        Voxels of the volume.
    seed, index : int
    """
    from . import exposure_kernels as kernels

    size = np.array(shape, np.float64) * scan.voxel
    settings = draw_settings(scan, size / 2, seed, index)
    contrast = contrast_of(scan, tissues)
    still = np.eye(3), np.zeros(3)
    key = int(noise_key(seed, index, Stream.SCAN)[0])
    first = -(size - scan.voxel) / 2
    whole = shape[::-1]
    tissue = np.zeros(whole, np.uint8)
    water, fat = np.zeros(whole, np.float32), np.zeros(whole, np.complex64)
    water_b, fat_b = np.zeros(whole, np.float32), np.zeros(whole, np.float32)
    for begin in range(0, whole[0], SLAB):
        slab = slice(begin, min(begin + SLAB, whole[0]))
        corner = first + np.array([0.0, 0.0, begin * scan.voxel])
        points, at = _points(corner, scan, (slab.stop - begin, whole[1], whole[2]))
        kernels.look_gradient(
            labels(*at, points, still), scan.samples, contrast.water, contrast.fat, contrast.grain,
            settings.terms, corner, scan.voxel, size / 2, _back(still), np.uint32(key),
            water[slab], fat[slab], tissue[slab],
        )  # fmt: skip
        kernels.look_spin(
            labels(*at, points, settings.motion), scan.samples, contrast.water_b, contrast.fat_b,
            contrast.grain, contrast.t2_grain, corner, scan.voxel, _back(settings.motion),
            np.uint32(key), water_b[slab], fat_b[slab],
        )  # fmt: skip
    images = _images(scan, settings, contrast, (water, water_b), (fat, fat_b), seed, index)
    image, image_b = (np.ascontiguousarray(each.transpose(2, 1, 0)) for each in images)
    return Exposure(
        image, image_b, np.ascontiguousarray(tissue.transpose(2, 1, 0)), settings.motion
    )


def _points(
    corner: NDArray[np.float64], scan: Scan, shape: tuple[int, int, int]
) -> tuple[tuple[int, int, int], tuple[NDArray[np.float64], float]]:
    """Return how many points lie in a slab of voxels, where the first one is and their distance."""
    step = scan.voxel / scan.samples
    origin = corner - (scan.voxel - step) / 2
    depth, rows, columns = (each * scan.samples for each in shape)
    return (depth, rows, columns), (origin, step)


def _back(motion: Placed) -> NDArray[np.float64]:
    """Return what leads from a place after a motion to that before, float64 (3, 4)."""
    inverse = np.asarray(np.linalg.inv(motion[0]), np.float64)
    return np.column_stack([inverse, -inverse @ motion[1]])


def _images(
    scan: Scan, settings: Settings, contrast: Contrast, waters: tuple, fats: tuple, seed: int,
    index: int,
) -> list[NDArray[np.float32]]:  # fmt: skip
    """Return both pictures: fat shifted, received, with noise."""
    from . import exposure_kernels as kernels

    whole = waters[0].shape
    size = np.array(whole[::-1], np.float64) * scan.voxel
    radius = scan.coil_radius
    mean = kernels.mean_sensitivity(settings.coils, radius, size / 2, 12)
    key = noise_key(seed, index, Stream.RESONANCE)
    images = []
    for number, (snr, reference, gain, bandwidth) in enumerate(
        zip(
            (settings.snr, settings.snr_b), reference_signals(scan), (GAIN, GAIN_B),
            (scan.bandwidth, scan.bandwidth_b), strict=True,
        )
    ):  # fmt: skip
        noise = np.zeros((2, *whole), np.float32)
        if np.isfinite(snr):
            shape = (whole[0], whole[1], whole[2])
            noise = np.stack(
                [standard_normal(key, shape, (2 * number + part) * whole[0]) for part in (0, 1)]
            )
        shift = float(shift_of(MAIN_PEAK, scan.field)) / bandwidth
        image = np.empty(whole, np.float32)
        kernels.expose(
            image, waters[number].astype(np.complex64), fats[number].astype(np.complex64), shift,
            settings.coils, radius, settings.shading, mean, -(size - scan.voxel) / 2, scan.voxel,
            noise, reference / snr, gain / reference,
        )  # fmt: skip
        images.append(image)
    return images
