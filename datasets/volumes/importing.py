"""From two volumes of one anatomy to a store of paired slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from ..location import Location
from ..parallel import Pool
from ..production import Input, Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .planning import VolumeImport, plan_volumes
from .slices import PLANES, packed


def import_volumes(
    first: str | Path,
    second: str | Path,
    out: Any,
    *,
    planes: str | Sequence[str] = PLANES,
    half: str | None = None,
    resample: bool = False,
    voxel: tuple[float, float, float] | None = None,
    stacked: str = "axial",
    part_size: int | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of paired slices through two volumes of one anatomy, such as T1 and T2.

    Intensities are stored as the files have them: there is no window, and nothing is normalised.

    Parameters
    ----------
    first, second : path
        NIfTI files; folders of DICOM, PNG or TIFF; TIFF of many pages.
    out : str or path
        A path or an fsspec URL.
    planes, half, resample, voxel, stacked, part_size
        See :func:`.planning.plan_volumes`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened; each slice is a sequence. Its :class:`origin
        <musim.datasets.origin.ImportedVolumes>` tells the files with their SHA-256, and how many
        constant slices were left out.

    Raises
    ------
    InputError
        If a volume cannot be read, or they do not go together. Nothing is left behind.
    FailureError
        If the store cannot be written. What is written can be resumed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import tifffile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for number, name in enumerate(("t1.tif", "t2.tif")):
    ...     volume = np.random.default_rng(number).integers(0, 4000, (20, 40, 30), np.uint16)
    ...     tifffile.imwrite(folder / name, volume, photometric="minisblack")
    >>> store = import_volumes(
    ...     folder / "t1.tif", folder / "t2.tif", "memory://left.zarr", half="left",
    ...     voxel=(0.6, 0.6, 0.6),
    ... )
    >>> len(store), store[0].image.shape  # 20 axial, 40 coronal and 15 sagittal ones
    (75, (1, 64, 64))
    """
    planned = plan_volumes(
        first, second, planes=planes, half=half, resample=resample, voxel=voxel, stacked=stacked,
        part_size=part_size,
    )  # fmt: skip
    return carry_out(planned, out, Work(**work))


def carry_out(planned: VolumeImport, out: Any, work: Work) -> Store:
    """Do what was planned; see :func:`import_volumes`."""
    return produce(VolumeImporting(layout=planned.layout, planned=planned), out, work)


@dataclass(frozen=True, kw_only=True)
class VolumeImporting(Maker[int]):
    """Makes slices of two volumes, which are in memory: a part is a task.

    Parameters
    ----------
    layout : Layout
    planned : VolumeImport
    """

    planned: VolumeImport

    @property
    def pool(self) -> Pool:
        """Threads, which share the volumes."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The two volumes."""
        return [Input("the volume", Location(path)) for path in self.planned.paths]

    def make(self, task: int) -> Iterator[Part]:
        """Take the slices of one part."""
        indices = self.layout.sequences_of(task)
        numbers = self.planned.kept[indices.start : indices.stop]
        yield Part(task, packed(self.planned.slicer.slices(numbers), self.layout))
