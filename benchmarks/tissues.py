"""Tissues that are not musim's: what a contracting unit does to what is around it.

Each maker turns drawn units into maps of axial displacement times courses over time. None shares
code or constants with ``musim.simulator.experiment``: a method that was chosen on one tissue has to
hold on the others. All lengths are in mm, times in s, displacements in mm.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

SIZE = 40.0
"""Depth and width of the image, mm."""

CELLS = (160, 128)
"""Scatterer cells in depth and width."""

LATTICE = 64
"""Masses of the lattice and of the sheet along each side."""

Maps = list[tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Maps (depth, width) and the courses (time,) that they are multiplied by."""


@dataclass(frozen=True)
class Drawn:
    """Units before anything holds them back.

    Parameters
    ----------
    centres : float64 array of shape (unit, 2)
        Depth and width, mm.
    radii : float64 array of shape (unit, 2)
        Half axes in depth and width, mm.
    courses : float64 array of shape (unit, time)
        Displacement of a free unit, mm; positive towards the transducer.
    frame_rate : float
        Hz.
    """

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    courses: NDArray[np.float64]
    frame_rate: float

    def masks(self, cells: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the units' outlines on a grid over the image, bool (unit, depth, width)."""
        rows = (np.arange(cells[0]) + 0.5)[:, None] * SIZE / cells[0]
        columns = (np.arange(cells[1]) + 0.5)[None] * SIZE / cells[1]
        return np.array([
            np.square((rows - z) / a) + np.square((columns - x) / b) < 1
            for (z, x), (a, b) in zip(self.centres, self.radii, strict=True)
        ])  # fmt: skip


def rigid(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """Discs that move as they are, and tissue that does not move at all."""
    masks = drawn.masks(CELLS).astype(np.float64)
    return list(zip(masks, drawn.courses, strict=True))


def spreading(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """Motion that spreads as a Gaussian does, and as much flow back, spread wider, to all sides.

    Further from its unit, motion comes later, as by a wave of 1-3 m/s.
    """
    pixel = np.array([SIZE / CELLS[0], SIZE / CELLS[1]])
    near, far = generator.uniform(0.6, 1.6), generator.uniform(4.0, 7.0)
    back = generator.uniform(0.3, 0.9)
    speed = generator.uniform(1000.0, 3000.0)
    rows = (np.arange(CELLS[0]) + 0.5)[:, None] * pixel[0]
    columns = (np.arange(CELLS[1]) + 0.5)[None] * pixel[1]
    maps: Maps = []
    for mask, centre, radius, course in zip(
        drawn.masks(CELLS), drawn.centres, drawn.radii, drawn.courses, strict=True
    ):
        plain = mask.astype(np.float64)
        field = gaussian_filter(plain, near / pixel) - back * gaussian_filter(plain, far / pixel)
        away = np.hypot(rows - centre[0], columns - centre[1]) - radius.mean()
        delay = np.maximum(away, 0.0) / speed
        # The first two terms of the delayed course: delays are a few ms, courses slow.
        maps.append((field, course))
        maps.append((-field * delay, np.gradient(course) * drawn.frame_rate))
    return maps


def lattice(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """Masses on springs of uneven strength, damped, stiffer along depth or along width.

    Each mass holds to its four neighbours and, more weakly, to what lies before and behind the
    image. A sheet of fascia, some 30 times as stiff, crosses it at a slant.
    """
    cells = LATTICE
    step = SIZE / cells
    rows, columns = np.mgrid[:cells, :cells]
    stiffness = np.exp(0.5 * gaussian_filter(generator.standard_normal((cells, cells)), 1.5) * 4)
    slant = generator.uniform(-0.3, 0.3)
    middle = generator.uniform(0.1, 0.9) * cells
    fascia = np.abs(rows - middle - slant * (columns - cells / 2)) < 0.7
    stiffness[fascia] *= 30.0
    along, across = generator.uniform(0.6, 1.6), generator.uniform(0.6, 1.6)
    ground = np.square(step / generator.uniform(2.0, 5.0))
    size = cells * cells
    index = np.arange(size).reshape(cells, cells)
    matrix = diags(np.full(size, ground)).tocsc()
    for axis, strength in ((0, along), (1, across)):
        one, two = (np.take(index, part, axis).ravel() for part in
                    (range(cells - 1), range(1, cells)))  # fmt: skip
        spring = strength * np.sqrt(stiffness.ravel()[one] * stiffness.ravel()[two])
        ends = np.concatenate([one, two]), np.concatenate([two, one])
        off = coo_matrix((np.tile(-spring, 2), ends), (size, size)).tocsc()
        matrix = matrix + off - diags(np.asarray(off.sum(axis=0)).ravel())
    # A wave crosses a cell in about 0.4 ms (1.5 m/s); damping takes 3 ms.
    inertia, damping = np.square(0.0004), 0.003
    forces = np.array([
        gaussian_filter(mask.astype(np.float64), 0.7) for mask in drawn.masks((cells, cells))
    ])  # fmt: skip
    frequencies = np.array([0.0, 5.0, 10.0, 16.0, 24.0, 34.0, 50.0, 100.0])
    fields = []
    for frequency in frequencies:
        omega = 2 * np.pi * frequency
        dynamic = matrix * (1 + 1j * omega * damping) - diags(np.full(size, omega**2 * inertia))
        solved = splu(dynamic.tocsc()).solve(forces.reshape(len(forces), -1).T.astype(complex))
        fields.append(solved.T.reshape(forces.shape) * ground)
    maps = []
    for unit, fields_of_unit in enumerate(np.array(fields).transpose(1, 0, 2, 3)):
        response = fields_of_unit / np.abs(fields_of_unit[0]).max()
        maps += _courses_of(response, frequencies, drawn.courses[unit], drawn.frame_rate)
    return [(_on_cells(field), course) for field, course in maps]


def _courses_of(
    response: NDArray[np.complex128],
    frequencies: NDArray[np.float64],
    course: NDArray[np.float64],
    frame_rate: float,
) -> Maps:
    """Return maps and courses of a field that answers each frequency in its own way.

    The response (frequency, depth, width) is a sum of three maps times functions of frequency, to
    within a thousandth.
    """
    stacked = np.concatenate([response.real, response.imag]).reshape(2 * len(frequencies), -1)
    left, size, right = np.linalg.svd(stacked, full_matrices=False)
    spectrum = np.fft.rfft(course)
    at = np.minimum(np.fft.rfftfreq(len(course), 1 / frame_rate), frequencies[-1])
    maps = []
    for mode in range(3):
        real, imaginary = left[: len(frequencies), mode], left[len(frequencies) :, mode]
        gain = np.interp(at, frequencies, real) + 1j * np.interp(at, frequencies, imaginary)
        shape = response.shape[1:]
        moved = np.fft.irfft(spectrum * gain, len(course))
        maps.append(((size[mode] * right[mode]).reshape(shape), moved))
    return maps


def sliding(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """Fibres that slide against each other: those of a unit move, others are dragged along.

    Between 40 and 80 % of the bundles of fibres inside an outline belong to the unit, each with its
    own gain; every bundle follows the mean of its neighbours by the grip of each contact.
    """
    shape = CELLS
    share = generator.uniform(0.4, 0.8)
    grips = [np.where(generator.random(shape) < 0.75, generator.uniform(0.3, 1.0, shape), 0.02)
             for _ in range(2)]  # fmt: skip
    hold = generator.uniform(0.03, 0.12)  # by what does not move at all
    maps: Maps = []
    for mask, course in zip(drawn.masks(shape), drawn.courses, strict=True):
        # Bundles are two cells wide or so.
        coarse = generator.random((shape[0] // 2, shape[1] // 2)) < share
        active = np.kron(coarse, np.ones((2, 2), bool)) & mask
        gain = np.kron(generator.uniform(0.5, 1.5, (shape[0] // 2, shape[1] // 2)), np.ones((2, 2)))
        field = np.where(active, gain, 0.0)
        for _ in range(120):
            total, weight = np.zeros(shape), np.full(shape, hold)
            for axis, grip in enumerate(grips):
                for shift in (1, -1):
                    contact = grip if shift == 1 else np.roll(grip, -1, axis)
                    total += contact * np.roll(field, shift, axis)
                    weight += contact
            field = np.where(active, gain, total / weight)
        maps.append((field, course))
    return maps


def sheet(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """An elastic sheet that keeps its volume: what rises in a unit comes down beside it.

    Displacements are the curl of a stream function, found by finite differences between walls
    that hold the sheet all around; friction against what lies before and behind the image ends the
    motion some mm away.
    """
    cells = LATTICE
    step = SIZE / cells
    friction = np.square(1 / generator.uniform(2.0, 4.5))
    ones = np.ones(cells * cells)
    index = np.arange(cells * cells).reshape(cells, cells)
    laplace = diags(-4.0 * ones).tolil()
    for axis in (0, 1):
        one, two = (np.take(index, part, axis).ravel() for part in
                    (range(cells - 1), range(1, cells)))  # fmt: skip
        laplace[one, two] = 1.0
        laplace[two, one] = 1.0
    laplace = laplace.tocsc() / step**2
    solver = splu((laplace @ laplace - friction * laplace).tocsc())
    maps: Maps = []
    for mask, course in zip(drawn.masks((cells, cells)), drawn.courses, strict=True):
        force = gaussian_filter(mask.astype(np.float64), 0.6)
        curl = np.gradient(force, step, axis=1)
        stream = solver.solve(curl.ravel()).reshape(cells, cells)
        field = -np.gradient(stream, step, axis=1)
        field *= np.sign(field[mask].mean()) / np.abs(field).max()
        maps.append((_on_cells(field), course))
    return maps


def _on_cells(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate a field on the lattice to the scatterer cells, linearly."""
    places = [
        (np.arange(cells) + 0.5) * size / cells - 0.5
        for cells, size in zip(CELLS, field.shape, strict=True)
    ]
    grid = np.meshgrid(*places, indexing="ij")
    return np.asarray(map_coordinates(field, grid, order=1, mode="nearest"))


TISSUES: dict[str, Callable[[Drawn, np.random.Generator], Maps]] = {
    "discs": rigid,
    "spread": spreading,
    "lattice": lattice,
    "fibres": sliding,
    "sheet": sheet,
}
"""The makers' tissues by name."""


def pulse(drawn: Drawn, generator: np.random.Generator) -> Maps:
    """An artery: a vessel whose two walls part with every beat, at 0.9-1.4 Hz."""
    frames = drawn.courses.shape[1]
    times = np.arange(frames) / drawn.frame_rate
    rate = generator.uniform(0.9, 1.4)
    phase = (times * rate + generator.random()) % 1.0
    course = 0.03 * np.where(phase < 0.12, phase / 0.12, np.exp(-(phase - 0.12) / 0.25))
    course = gaussian_filter1d(course, 0.01 * drawn.frame_rate, mode="wrap")
    rows = (np.arange(CELLS[0]) + 0.5)[:, None] * SIZE / CELLS[0]
    columns = (np.arange(CELLS[1]) + 0.5)[None] * SIZE / CELLS[1]
    depth, width = generator.uniform(8.0, 32.0, 2)
    field = (
        (depth - rows)
        / 1.5
        * np.exp(-(np.square(rows - depth) + np.square(columns - width)) / (2 * 1.5**2))
    )
    return [(field, course)]
