"""What a store of two volumes' slices will hold: whether their grids agree, which slices."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...simulator.errors import InputError
from ..layout import Layout
from ..origin import ImportedVolumes
from .reading import ReadVolume, read_volume
from .slices import PLANES, Slice, canvas_for, slices_layout
from .slicing import (
    NORMALS,
    check_half,
    half_of,
    parse_planes,
    picture,
    picture_size,
    pixel_size,
    positions,
)
from .volume import Volume, distance, resampled

AGREE = 0.05
"""By how much grids may lie apart that are taken for the same, of a voxel's shortest side."""


@dataclass(frozen=True, eq=False)
class Slicer:
    """Takes slices of two volumes on one grid.

    Parameters
    ----------
    first, second : Volume
    planes : tuple of str
    """

    first: Volume
    second: Volume
    planes: tuple[str, ...]

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """Plane of each slice, and its number along the plane's normal."""
        shape = self.first.shape
        return [(plane, n) for plane in self.planes for n in range(shape[NORMALS[plane]])]

    @property
    def canvas(self) -> int:
        """Side of the smallest canvas for all planes [px]."""
        return canvas_for(picture_size(self.first.shape, plane) for plane in self.planes)

    def slices(self, numbers: Sequence[tuple[str, int]]) -> list[Slice]:
        """Take some slices."""
        where = {plane: positions(self.first, plane) for plane, _ in numbers}
        return [
            Slice(
                index,
                plane,
                float(where[plane][number]),
                picture(self.first.values, plane, number),
                picture(self.second.values, plane, number),
                pixel_size(self.first, plane),
            )
            for index, (plane, number) in enumerate(numbers)
        ]


@dataclass(frozen=True, eq=False)
class VolumeImport:
    """What a store of slices will hold.

    Parameters
    ----------
    layout : Layout
    slicer : Slicer
    kept : tuple of (str, int)
        Plane and number of each slice of the store.
    paths : tuple of Path
        Of the two volumes.
    left_out : dict of int
        How many slices of each plane are constant in either volume.
    remarks : tuple of str
        What is worth a word.
    """

    layout: Layout
    slicer: Slicer
    kept: tuple[tuple[str, int], ...]
    paths: tuple[Path, Path]
    left_out: dict[str, int]
    remarks: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many slices of each plane there are."""
        return dict(Counter(plane for plane, _ in self.kept))


def plan_volumes(
    first: str | Path,
    second: str | Path,
    *,
    planes: str | Sequence[str] = PLANES,
    half: str | None = None,
    resample: bool = False,
    voxel: tuple[float, float, float] | None = None,
    stacked: str = "axial",
    part_size: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> VolumeImport:
    """Read two volumes, and decide what a store of their slices will hold.

    Parameters
    ----------
    first, second : path
        Volumes of one anatomy, see :func:`.reading.read_volume`.
    planes : str or sequence of str
        Some of :data:`.slices.PLANES`; slices of one plane follow those of the other, in that
        order.
    half : {"left", "right"}, optional
        Of the patient: what slices are taken of; all, if not given.
    resample : bool
        Whether the second volume is brought onto the grid of the first where theirs differ, see
        :func:`.volume.resampled`. Nothing is changed where they agree.
    voxel, stacked
        See :func:`.reading.read_volume`.
    part_size : int, optional
        Slices in a part.
    on_progress : callable
        Called with the numbers of volumes read and in all.

    Raises
    ------
    InputError
        If a volume cannot be read, the grids do not agree, or all slices are constant.
    """
    wanted = parse_planes(planes)
    check_half(half)
    read = []
    for number, path in enumerate((first, second)):
        on_progress(number, 2)
        read.append(read_volume(path, voxel=voxel, stacked=stacked))
    on_progress(2, 2)
    a, b = read
    if voxel is not None and not (a.is_stack or b.is_stack):
        raise InputError(
            f"`voxel`: found a size of voxels for {a.source.format}, which says its own; leave it "
            "out"
        )
    remarks = [*a.remarks, *b.remarks]
    other, moved = _on_one_grid(a, b, resample, remarks)
    one = a.volume
    if half is not None:
        one, other = half_of(one, half), half_of(other, half)
        if a.volume.shape[0] % 2:
            remarks.append("the middle column of voxels, from left to right, is in neither half")
    slicer = Slicer(one, other, wanted)
    kept = [each for each in slicer.numbers if not slicer.slices([each])[0].is_constant]
    left_out = Counter(plane for plane, _ in {*slicer.numbers} - {*kept})
    if not kept:
        raise InputError(
            f"{first}: found {left_out.total()} slices, all of one value in it or in {second}, "
            "wanted some with a picture; look at the volumes"
        )
    origin = ImportedVolumes(
        first=a.source,
        second=b.source,
        planes=wanted,
        half=half or "",
        resampled=moved,
        left_out={plane: left_out[plane] for plane in wanted if left_out[plane]},
    )
    layout = slices_layout(
        origin,
        sequences=len(kept),
        canvas=slicer.canvas,
        pixel_sizes=[pixel_size(a.volume, plane) for plane in wanted],
        part_size=part_size,
    )
    return VolumeImport(
        layout, slicer, tuple(kept), (a.path, b.path), dict(origin.left_out), tuple(remarks)
    )


def _on_one_grid(
    a: ReadVolume, b: ReadVolume, resample: bool, remarks: list[str]
) -> tuple[Volume, bool]:
    """Return the second volume on the grid of the first, and whether it had to be resampled."""
    same, most = a.volume.shape == b.volume.shape, AGREE * min(a.volume.voxel_size)
    apart = distance(a.volume, b.volume) if same else 0.0
    if same and apart <= most:
        if resample:
            remarks.append("the grids of both volumes agree: nothing was resampled")
        return b.volume, False
    if not resample:
        advice = "add `resample=True` to bring it onto that grid"
        if not same:
            raise InputError(
                f"{b.path}: found {b.volume.grid}, wanted {a.volume.grid} as {a.path} has; {advice}"
            )
        raise InputError(
            f"{b.path}: found voxels that lie up to {apart:.3g} mm off those of {a.path}, wanted "
            f"{most:.3g} mm at most; {advice}"
        )
    moved, outside = resampled(b.volume, a.volume)
    if outside == 1:
        raise InputError(
            f"{b.path}: found no voxel where {a.path} has any, wanted volumes of one anatomy; look "
            "at their orientation and origin"
        )
    remarks.append(f"{b.path.name} was resampled onto the grid of {a.path.name}: {a.volume.grid}")
    if outside:
        remarks.append(
            f"{b.path.name} does not reach {max(outside, 1e-4):.2%} of the voxels of "
            f"{a.path.name}: it is 0 there"
        )
    return moved, True
