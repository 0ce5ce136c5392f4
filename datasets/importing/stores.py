"""From files to a store: each recording runs through the imaging chain, block by block."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.chain import Chain, run
from ..layout import Layout
from ..location import Location
from ..origin import Imported
from ..parallel import Pool
from ..production import Input, Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .description import Description
from .formats import open_file
from .imaging import blocks_of, imaging_of, raw_blocks
from .planning import Import, SourceFile, plan
from .resolving import resolve


def import_recordings(
    files: Sequence[str | Path] | str | Path,
    out: Any,
    description: Description | Sequence[Description],
    chain: Chain,
    *,
    events: Sequence[str | Path] = (),
    dtype: str = "float32",
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of recordings: every sequence through the imaging chain, without truth.

    Parameters
    ----------
    files : sequence of path
        MATLAB 5 and 7.3, HDF5, NetCDF, NumPy, or Zarr; a file may be given alone.
    out : str or path
        A path or an fsspec URL.
    description, chain, events, dtype
        See :func:`.planning.plan`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`. Recordings are worked on side by side in threads;
        each takes some 0.5 to 1 GB.

    Returns
    -------
    Store
        The finished store, opened. Its :class:`origin <musim.datasets.origin.Imported>` tells of
        each sequence the file, its SHA-256, and where in it the sequence begins.

    Raises
    ------
    InputError
        If a recording cannot be used. Nothing is left behind.
    FailureError
        If the store cannot be written. What is written can be resumed.
    """
    return carry_out(plan(files, description, chain, events=events, dtype=dtype), out, Work(**work))


def carry_out(planned: Import, out: Any, work: Work) -> Store:
    """Do what was planned; see :func:`import_recordings`."""
    return produce(RecordingImport(layout=planned.layout, sources=planned.sources), out, work)


class Reading(NamedTuple):
    """A recording that is to be read: which one of which file, and the parts that it makes.

    Parameters
    ----------
    source : SourceFile
    recording : int
        Which one of the file's.
    first : int
        The part of its first sequence.
    parts : tuple of int
        Those that are still missing.
    """

    source: SourceFile
    recording: int
    first: int
    parts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RecordingImport(Maker[Reading]):
    """Runs recordings through the imaging chain: each makes the parts of all its sequences.

    Parameters
    ----------
    layout : Layout
    sources : tuple of SourceFile
    """

    less: ClassVar[str] = "`dtype='float16'`, fewer files"

    sources: tuple[SourceFile, ...]

    @property
    def pool(self) -> Pool:
        """Threads: the chain's kernels release the interpreter."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The files, and the tables of known firings."""
        files = [("the recording", one.path) for one in self.sources]
        tables = [("the events", one.events) for one in self.sources if one.events]
        return [Input(what, Location(path)) for what, path in (*files, *tables)]

    def read_through(self) -> None:
        """Raise InputError if a file holds samples that no sequence can be made of."""
        for source in self.sources:
            _read_through(source)

    def tasks(self, parts: list[int]) -> list[Reading]:
        """Return the recordings that parts are missing of."""
        wanted, tasks, first = set(parts), [], 0
        for source in self.sources:
            for recording in range(source.recordings):
                missing = [one for one in range(first, first + source.windows) if one in wanted]
                if missing:
                    tasks.append(Reading(source, recording, first, tuple(missing)))
                first += source.windows
        return tasks

    def make(self, task: Reading) -> Iterator[Part]:
        """Run one recording through the chain; its sequences come out one after the other."""
        source, layout = task.source, self.layout
        description = Description.parse(source.description, source.path)
        with _naming(source), open_file(source.path) as file:
            described = resolve(description, file)
            imaging = imaging_of(described, layout.origin_as(Imported).chain)
            blocks = run(imaging, blocks_of(described, file, task.recording, imaging))
            for number, voxels in enumerate(_sequences(blocks, layout.shape[0], source.windows)):
                if task.first + number in task.parts:
                    _check_range(voxels, layout.dtype, source)
                    arrays = _known_firings(source, layout, number)
                    yield Part(task.first + number, arrays, [voxels])


def _read_through(source: SourceFile) -> None:
    description = Description.parse(source.description, source.path)
    with open_file(source.path) as file:
        described = resolve(description, file)
        for recording in range(source.recordings):
            for _ in raw_blocks(described, file, recording):
                pass


@contextmanager
def _naming(source: SourceFile) -> Iterator[None]:
    """Name the file in what the chain says of its samples."""
    try:
        yield
    except InputError as error:
        if source.path in str(error):
            raise
        raise InputError(f"{source.path}: {error}") from error


def _check_range(voxels: NDArray[np.float32], dtype: str, source: SourceFile) -> None:
    largest = float(np.abs(voxels).max())  # NaN if one is
    if not largest <= float(np.finfo(dtype).max):
        raise InputError(
            f"{source.path}: found velocities up to {largest:g} mm/s, wanted no more than {dtype} "
            "holds; check velocity_unit and the size of the samples"
        )


def _sequences(
    blocks: Iterator[NDArray[np.float32]], frames: int, count: int
) -> Iterator[NDArray[np.float32]]:
    """Cut the chain's frames into sequences; all blocks are taken, so that all are checked."""
    buffer: NDArray[np.float32] | None = None
    filled = made = 0
    for block in blocks:
        position = 0
        while position < len(block) and made < count:
            if buffer is None:
                buffer = np.empty((frames, *block.shape[1:]), np.float32)
                filled = 0
            taken = min(frames - filled, len(block) - position)
            buffer[filled : filled + taken] = block[position : position + taken]
            filled, position = filled + taken, position + taken
            if filled == frames:
                yield buffer
                buffer, made = None, made + 1


def _known_firings(source: SourceFile, layout: Layout, window: int) -> dict[str, NDArray[Any]]:
    if "firing" not in layout.variables:
        return {}
    duration = layout.shape[0] / layout.frame_rate
    firing = np.full((1, layout.sizes["unit"], layout.sizes["pulse"]), np.nan)
    rate = np.full((1, layout.sizes["unit"]), np.nan)
    count = 0
    if source.known is not None:
        found = source.known.within(source.start_of(window, layout.grid), duration)
        count = len(found)
        firing[0, :count, : found.shape[1]] = found
        rate[0, :count] = ((found >= 0) & (found < duration)).sum(axis=1) / duration
    return {"firing": firing, "unit_count": np.array([count], np.int32), "firing_rate": rate}
