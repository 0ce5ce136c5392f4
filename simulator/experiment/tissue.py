"""How tissue moves: each unit's motion spread, delayed, textured and layered, as a few fields.

Displacement is a sum of fields times courses: ``u(z, x, t) = sum_m field_m(z, x) course_m(t)``. A
unit has one field, or three where its motion travels: a delay tau is small against a twitch, so
``d(t - tau)`` is ``d - tau d' + tau^2 / 2 d''``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..seeds import Stream, generator

WALL = 0.5
"""Depth over which one layer goes over into the next, mm (SD of a Gaussian step)."""

SHEET = 5.0
"""Width over which an aponeurosis moves alike, mm."""

SHAKEN = 0.35
"""By how much the points that fascicles lie about are moved off a hexagonal grid, each way, in
sides of it (an assumption)."""


@dataclass(frozen=True)
class Tissue:
    """The mechanics of one subject.

    Parameters
    ----------
    doses : mapping of str to float
        As :meth:`.doses.Doses.draw` gives them.
    fat : float
        Thickness of skin and fat, mm.
    fascicles : int64 array of shape (depth, width)
        Number of the fascicle that each point belongs to.
    pixel_size : (float, float)
        Depth and width of a point of the grid, mm.
    seed, index : int
    """

    doses: Mapping[str, float]
    fat: float
    fascicles: NDArray[np.int64]
    pixel_size: tuple[float, float]
    seed: int
    index: int

    @property
    def depths(self) -> NDArray[np.float64]:
        """Depth of each row, mm."""
        rows = np.arange(len(self.fascicles), dtype=np.float64)
        return (rows + 0.5) * self.pixel_size[0]

    @property
    def follows(self) -> NDArray[np.float64]:
        """Share of the motion that each depth follows, 0..1, float64 of shape (depth,)."""
        if self.doses["layer"] == 0 or self.fat == 0:
            return np.ones(len(self.fascicles))
        inside = 0.5 * (1 + np.tanh((self.depths - self.fat) / WALL))
        return 1 - self.doses["layer"] * (1 - inside)

    @property
    def sheet(self) -> NDArray[np.float64]:
        """How much of an aponeurosis each depth is, 0..1, float64 of shape (depth,)."""
        return self.sheet_at(self.depths)

    def sheet_at(self, depths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much of an aponeurosis other depths (mm) are, of the same shape."""
        if self.fat == 0:
            return np.zeros_like(depths)
        return self.doses["aponeurosis"] * np.exp(-(((depths - self.fat) / WALL) ** 2) / 2)


def draw_fascicles(
    shape: tuple[int, int], pixel_size: tuple[float, float], size: float, seed: int, index: int
) -> NDArray[np.int64]:
    """Divide the section into fascicles: the Voronoi cells of points on a shaken hexagonal grid.

    Parameters
    ----------
    shape : (int, int)
        Points in depth and width.
    pixel_size : (float, float)
        mm.
    size : float
        Diameter of a disc of a cell's mean area, mm.
    seed, index : int

    Returns
    -------
    int64 array of shape `shape`
        The cell of each point.
    """
    from .tissue_kernels import nearest_points

    random = generator(seed, index, Stream.FASCICLES)
    side = size * np.sqrt(np.pi / (2 * np.sqrt(3)))  # of hexagons of the disc's area
    height = side * np.sqrt(3) / 2
    extent = np.array(shape) * pixel_size
    rows = np.arange(-1, int(extent[0] / height) + 3)
    columns = np.arange(-1, int(extent[1] / side) + 3)
    z, x = np.meshgrid(rows * height, columns * side, indexing="ij")
    x = x + (rows[:, None] % 2) * side / 2
    points = np.column_stack([z.ravel(), x.ravel()])
    points += random.uniform(-SHAKEN, SHAKEN, points.shape) * side
    cells = np.empty(shape, np.int64)
    places = [(np.arange(n) + 0.5) * step for n, step in zip(shape, pixel_size, strict=True)]
    nearest_points(points.reshape(*z.shape, 2), height, side, *places, cells)
    return cells


def unit_fields(tissue: Tissue, territory: NDArray[np.float32], unit: int) -> NDArray[np.float64]:
    """Return the fields of a unit's motion, axial and lateral.

    Parameters
    ----------
    tissue : Tissue
    territory : float32 array of shape (depth, width)
        Membership on the tissue's grid, 0..1.
    unit : int
        Its number, by which fascicles follow it more or less.

    Returns
    -------
    float64 array of shape (field, 2, depth, width)
        Displacement for a displacement of 1 of the unit: axial (towards the transducer) and
        lateral. Fields belong to the course, its first and its second derivative (s, s^2); only
        the first without delay. Weighted by membership, the axial field has in all what the
        territory itself, held by the layers above it, would have (over a hard territory that
        nothing holds, a mean of 1), unless tissue lets it move by less than a twentieth of that.
    """
    doses = tissue.doses
    source = spread(territory.astype(np.float64), tissue.pixel_size, doses["spread"])
    sources = [source]
    delays = wave_delays(tissue, territory)
    if delays is not None:
        blurred = (doses["wave_damping"] * delays) ** 2
        sources += [-source * delays, source * (delays**2 + blurred) / 2]
    gains = fascicle_gains(tissue, unit)
    fields = np.stack([
        layered(tissue, displacement_of(fascicled(tissue, s, gains), tissue)) for s in sources
    ])  # fmt: skip
    weight = territory * tissue.follows[:, None]
    total = float((weight * territory).sum())
    mean = float((fields[0, 0] * territory).sum())
    if total > 0 and mean > 0.05 * total:
        fields *= total / mean
    return fields


def spread(
    territory: NDArray[np.float64], pixel_size: tuple[float, float], length: float
) -> NDArray[np.float64]:
    """Spread motion beyond its source: the response of a sheet that holds to what is around it.

    With shear stiffness between neighbours and an elastic bed, a force at a point moves its
    surroundings as ``1 / (1 + k^2 length^2)`` of the wave number k.

    Parameters
    ----------
    territory : float64 array of shape (depth, width)
    pixel_size : (float, float)
        mm.
    length : float
        mm; 0 leaves it as it is.
    """
    if length == 0:
        return territory
    kz, kx, _ = _wave_numbers(territory.shape, pixel_size)
    return _filtered(territory, 1 / (1 + (kz**2 + kx**2) * length**2))


def wave_delays(tissue: Tissue, territory: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return how long a unit's motion takes to each point, s; None if it takes no time."""
    dose = tissue.doses["wave"]
    if dose == 0 or not (territory > 0.5).any():
        return None
    distance = scipy.ndimage.distance_transform_edt(territory <= 0.5, sampling=tissue.pixel_size)
    return dose * np.asarray(distance, np.float64) / (1000 * tissue.doses["wave_speed"])


def fascicle_gains(tissue: Tissue, unit: int) -> NDArray[np.float64]:
    """Return how much each fascicle follows a unit, about 1, float64 of shape (fascicle,).

    Half of the spread (in variance) is the fascicle's own, half that of the unit's fibres in it.
    """
    count = int(tissue.fascicles.max()) + 1
    random = generator(tissue.seed, tissue.index, Stream.FASCICLE_GAINS)
    own = random.standard_normal(count)
    # The unit's own numbers come after those of the units before it.
    fibres = random.standard_normal((unit + 1, count))[unit]
    # Means are 1: exp(s n - s^2 / 2).
    sigma = tissue.doses["fascicle"] / np.sqrt(2)
    return np.exp(sigma * (own + fibres) - sigma**2)


def fascicled(
    tissue: Tissue, field: NDArray[np.float64], gains: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Make motion alike inside fascicles, and unlike across their walls."""
    dose = tissue.doses["fascicle"]
    if dose == 0:
        return field
    cells = tissue.fascicles.ravel()
    sizes = np.maximum(np.bincount(cells, minlength=len(gains)), 1)
    means = np.bincount(cells, field.ravel(), minlength=len(gains)) / sizes
    inside = ((1 - dose) * field.ravel() + dose * means[cells]) * gains[cells]
    return inside.reshape(field.shape)


def displacement_of(force: NDArray[np.float64], tissue: Tissue) -> NDArray[np.float64]:
    """Return the displacement, axial and lateral, that an axial one becomes in tissue.

    Tissue that keeps its volume takes from each wave the part along its wave number k: with share
    c of that, axial motion a becomes ``a (1 - c kz^2 / k^2)``, and lateral motion is
    ``a c kz kx / k^2`` (depth is counted downwards, axial motion upwards). What is beside a unit
    moves the other way.

    Returns
    -------
    float64 array of shape (2, depth, width)
    """
    share = tissue.doses["incompressibility"]
    if share == 0:
        return np.stack([force, np.zeros_like(force)])
    kz, kx, square = _wave_numbers(force.shape, tissue.pixel_size)
    along = kz**2 / square
    along[0, 0] = 0.5  # the mean of all directions
    axial = _filtered(force, 1 - share * along)
    lateral = _filtered(force, share * kz * kx / square)
    return np.stack([axial, lateral])


def layered(tissue: Tissue, field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hold skin and fat back, and let the aponeurosis move as a sheet.

    Both scale axial motion, by depth; lateral motion is scaled alike.
    """
    sheet = tissue.sheet[:, None]
    if (sheet > 0).any():
        width = max(int(SHEET / tissue.pixel_size[1]), 1)
        alike = scipy.ndimage.uniform_filter1d(field, width, axis=-1, mode="nearest")
        field = (1 - sheet) * field + sheet * alike
    return field * tissue.follows[:, None]


def _wave_numbers(
    shape: tuple[int, ...], pixel_size: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return wave numbers (rad/mm) of twice the grid, which keeps its ends apart, and k^2."""
    kz = np.float64(2 * np.pi) * np.fft.fftfreq(2 * shape[0], pixel_size[0])[:, None]
    kx = np.float64(2 * np.pi) * np.fft.rfftfreq(2 * shape[1], pixel_size[1])[None]
    square = kz**2 + kx**2
    square[0, 0] = 1.0
    return kz, kx, square


def _filtered(field: NDArray[np.float64], response: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter a field by a response over the wave numbers of twice its grid."""
    depth, width = field.shape
    top, left = depth // 2, width // 2
    # Mirrored, so that a territory that the image cuts is none that ends there.
    padded = np.pad(field, ((top, depth - top), (left, width - left)), mode="symmetric")
    spectrum = np.asarray(scipy.fft.rfft2(padded)) * response
    result = np.asarray(scipy.fft.irfft2(spectrum, padded.shape))
    return result[top : top + depth, left : left + width]
