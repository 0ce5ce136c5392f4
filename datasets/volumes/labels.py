"""Stores of slices through scanned volumes of labels."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.resonance.parameters import Phantom
from ...simulator.resonance.scan import Scan
from ...simulator.seeds import check_seed
from ..importing.hashing import sha256_of
from ..layout import Layout
from ..location import Location
from ..origin import ScannedLabels
from ..parallel import Pool
from ..production import Input, Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .reading import read_volume
from .slices import PLANES, Slice, canvas_for, packed, slices_layout
from .slicing import NORMALS, check_half, half_of, picture, picture_size, pixel_size, positions
from .volume import Volume

MAT_VOXEL = 0.5
"""Edge of the voxels of KomaMRI's brain, mm: its file does not say it."""

MAT_STEP = 255 / 11
"""Its labels are this far apart."""

_MAT_AXES = {"axial": (1, 0), "coronal": (0, 1), "sagittal": (0, 1)}
"""How its slices, of rows and columns, are turned so that their axes run to the right, the front
and the head."""


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """Labels on a grid whose axes run to the right, the front and the head.

    Parameters
    ----------
    labels : uint8 array of shape (x, y, z)
    voxel_size : tuple of float
        mm.
    centre : tuple of float
        Of the volume, mm.
    planes : tuple of str
        Those that it has slices of: all, or one of a single layer.
    """

    labels: NDArray[np.uint8]
    voxel_size: tuple[float, float, float]
    centre: tuple[float, float, float]
    planes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ScannedVolume:
    """What a scanner made of labels.

    Parameters
    ----------
    image, image_b, tissue : Volume
        On one grid.
    planes : tuple of str
    """

    image: Volume
    image_b: Volume
    tissue: Volume
    planes: tuple[str, ...]

    def cut(self, plane: str, number: int) -> Slice:
        """Return one slice; its index is to be said."""
        return Slice(
            0, plane, float(positions(self.image, plane)[number]),
            picture(self.image.values, plane, number), picture(self.image_b.values, plane, number),
            pixel_size(self.image, plane),
            picture(self.tissue.values, plane, number).astype(np.uint8),
        )  # fmt: skip

    def half(self, side: str) -> "ScannedVolume | None":
        """Return one half from left to right; None of a single layer, which has none."""
        if self.image.shape[0] < 2:
            return None
        image, image_b, tissue = (
            half_of(each, side) for each in (self.image, self.image_b, self.tissue)
        )
        return ScannedVolume(image, image_b, tissue, self.planes)


def read_labels(path: str | Path) -> list[LabelVolume]:
    """Read labels of tissues.

    Parameters
    ----------
    path : path
        A NIfTI file or a folder of DICOM, of whole numbers; or a file as KomaMRI's ``brain2D.mat``,
        with one slice of each plane, 0.5 mm, and labels 255/11 apart.

    Raises
    ------
    InputError
        If it cannot be read, or its values are not labels.
    """
    path = Path(path)
    if path.suffix.lower() == ".mat":
        return _read_mat(path)
    volume = read_volume(path).volume
    labels = _as_labels(volume.values, str(path))
    middle = (np.array(volume.shape) - 1) / 2
    x, y, z = (volume.affine @ [*middle, 1.0])[:3].tolist()
    thin = [plane for plane in PLANES if volume.shape[NORMALS[plane]] == 1]
    return [LabelVolume(labels, volume.voxel_size, (x, y, z), tuple(thin) or PLANES)]


def _read_mat(path: Path) -> list[LabelVolume]:
    import zlib

    import scipy.io

    wanted = "wanted KomaMRI's brain2D.mat or one like it, with a slice of each plane in whole "
    try:
        # SciPy reads arrays alone; nothing in a file is run.
        found = scipy.io.loadmat(str(path), variable_names=PLANES)
    except (
        scipy.io.matlab.MatReadError, zlib.error, OSError, ValueError, TypeError, LookupError,
        NotImplementedError, MemoryError,
    ) as error:  # fmt: skip
        raise InputError(
            f"{path}: found a file that cannot be read ({type(error).__name__}), {wanted}numbers"
        ) from error
    volumes = []
    for plane in PLANES:
        if plane not in found:
            continue
        slices = np.asarray(found[plane])
        if slices.ndim != 2 or slices.dtype.kind not in "biuf" or 0 in slices.shape:
            raise InputError(f"{path}: found {plane} of shape {slices.shape}, {wanted}numbers")
        turned = slices.transpose(_MAT_AXES[plane]).astype(np.float64) / MAT_STEP
        # Labels that were rounded to whole grey levels come back within a twentieth.
        if np.abs(turned - np.round(turned)).max() > 0.05:
            raise InputError(
                f"{path}: found values of {plane} that are no multiples of 255/11, {wanted}numbers"
            )
        labels = np.expand_dims(_as_labels(np.round(turned), str(path)), NORMALS[plane])
        size = MAT_VOXEL, MAT_VOXEL, MAT_VOXEL
        volumes.append(LabelVolume(labels, size, (0.0, 0.0, 0.0), (plane,)))
    if not volumes:
        raise InputError(f"{path}: found no slice called {', '.join(PLANES)}, {wanted}numbers")
    return volumes


def _as_labels(values: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if (values < 0).any() or (values > 255).any() or (values != np.round(values)).any():
        low, high = float(values.min()), float(values.max())
        raise InputError(
            f"{where}: found values from {low:g} to {high:g}, wanted labels, whole numbers from 0 "
            "to 255; is it a picture?"
        )
    return values.astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class LabelScanning(Maker[int]):
    """Takes slices of scanned labels, which are in memory: a part is a task.

    Parameters
    ----------
    path : Path
    scanned : tuple of ScannedVolume
    kept : tuple of (int, str, int)
        Of each slice the volume's number, the plane, and its number along the normal.
    """

    path: Path
    scanned: tuple[ScannedVolume, ...]
    kept: tuple[tuple[int, str, int], ...]

    @property
    def pool(self) -> Pool:
        """Threads, which share the volumes."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The labels."""
        return [Input("the labels", Location(self.path))]

    def make(self, task: int) -> Iterator[Part]:
        """Take the slices of one part."""
        chosen = (self.kept[index] for index in self.layout.sequences_of(task))
        slices = [self.scanned[volume].cut(plane, number) for volume, plane, number in chosen]
        yield Part(task, packed(slices, self.layout))


def plan_labels(
    path: str | Path,
    scan: Scan | None = None,
    *,
    tissues: str = "brain",
    seed: int = 0,
    half: str | None = None,
    part_size: int | None = None,
    own_voxel: bool = True,
) -> LabelScanning:
    """Read and scan labels, and decide what a store of their slices will hold.

    Parameters
    ----------
    path : path
        See :func:`read_labels`.
    scan : Scan, optional
        That of Grant-Jacob et al. 2021, if not given.
    tissues : {"brain", "hand"}
        What labels stand for, see :data:`musim.simulator.resonance.labels.TISSUES`.
    seed : int
    half : {"left", "right"}, optional
        Of the patient: what slices are taken of; all, if not given.
    part_size : int, optional
        Slices in a part.
    own_voxel : bool
        Whether voxels are as small as those of the labels, and not those of `scan`.

    Raises
    ------
    InputError
        If labels cannot be read or stand for nothing, or all slices are constant.
    """
    path, seed = Path(path), check_seed(seed)
    check_half(half)
    volumes = read_labels(path)
    scan = scan or Phantom().scan
    if own_voxel:
        finest = min(
            size for volume in volumes
            for size, count in zip(volume.voxel_size, volume.labels.shape, strict=True) if count > 1
        )  # fmt: skip
        scan = dataclasses.replace(scan, voxel=finest)
    scanned = [_scanned(volume, tissues, scan, seed, index) for index, volume in enumerate(volumes)]
    if half is not None:
        scanned = [part for each in scanned if (part := each.half(half)) is not None]
    every = [
        (volume, plane, number)
        for volume, each in enumerate(scanned)
        for plane in each.planes
        for number in range(each.image.shape[NORMALS[plane]])
    ]
    kept = tuple(one for one in every if not scanned[one[0]].cut(*one[1:]).is_constant)
    if not kept:
        raise InputError(
            f"{path}: found {len(every)} slices, all of one value, wanted some with tissue; look "
            "at the labels"
        )
    left_out = Counter(plane for _, plane, _ in every) - Counter(plane for _, plane, _ in kept)
    origin = ScannedLabels(
        scan=scan, seed=seed, file=path.name, sha256=sha256_of(path), tissues=tissues,
        half=half or "", left_out=dict(left_out),
    )  # fmt: skip
    layout: Layout = slices_layout(
        origin, sequences=len(kept),
        canvas=canvas_for(picture_size(scanned[v].image.shape, plane) for v, plane, _ in kept),
        pixel_sizes=[(scan.voxel, scan.voxel)], part_size=part_size, tissue=True,
    )  # fmt: skip
    return LabelScanning(layout=layout, path=path, scanned=tuple(scanned), kept=kept)


def _scanned(volume: LabelVolume, tissues: str, scan: Scan, seed: int, index: int) -> ScannedVolume:
    from ...simulator.resonance.labels import scan_labels  # brings Numba

    found = scan_labels(volume.labels, volume.voxel_size, tissues, scan, seed=seed, index=index)
    affine = np.diag([scan.voxel, scan.voxel, scan.voxel, 1.0])
    affine[:3, 3] = volume.centre - scan.voxel * (np.array(found.image.shape) - 1) / 2
    tissue = Volume(found.tissue.astype(np.float32), affine)
    return ScannedVolume(
        Volume(found.image, affine), Volume(found.image_b, affine), tissue, volume.planes
    )


def generate_labels(
    path: str | Path,
    out: Any = "musim.zarr",
    scan: Scan | None = None,
    *,
    tissues: str = "brain",
    seed: int = 0,
    half: str | None = None,
    part_size: int | None = None,
    own_voxel: bool = True,
    **work: Unpack[WorkOptions],
) -> Store:
    """Scan a file of labels with two sequences, and store the slices with their tissues.

    Parameters
    ----------
    path, scan, tissues, seed, half, part_size, own_voxel
        See :func:`plan_labels`.
    out : str or path
        A path or an fsspec URL.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened.

    Raises
    ------
    InputError
        As of :func:`plan_labels`, or if something is at `out` already.
    FailureError
        If the store cannot be written.
    """
    maker = plan_labels(
        path,
        scan,
        tissues=tissues,
        seed=seed,
        half=half,
        part_size=part_size,
        own_voxel=own_voxel,
    )
    return produce(maker, out, Work(**work))
