"""From files to a store: each recording runs through the imaging chain, block by block."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.chain import Chain, run
from .. import writer
from ..layout import ROOT, Layout
from ..location import Location
from ..production import produce
from ..store import Store
from .description import Description
from .formats import open_file
from .imaging import blocks_of, imaging_of, raw_blocks
from .planning import CHAIN, Import, Source, events_of, plan
from .resolving import resolve


def import_recordings(
    files: Sequence[str | Path],
    out: Any,
    description: Description | Sequence[Description],
    chain: Chain,
    *,
    events: Sequence[str | Path] = (),
    dtype: str = "float32",
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Make a store of recordings: every sequence through the imaging chain, without truth.

    Parameters
    ----------
    files : sequence of path
        MATLAB 5 and 7.3, HDF5, NetCDF, NumPy, or Zarr.
    out : str or path
        A path or an fsspec URL.
    description, chain, events, dtype
        See :func:`.planning.plan`.
    workers : int, optional
        Recordings that are worked on side by side, in threads; each takes some 0.5 to 1 GB.
    resume, overwrite, on_progress
        See :func:`musim.datasets.production.produce`.

    Returns
    -------
    Store
        The finished store, opened. Its attribute ``musim_sources`` (JSON) tells of each sequence
        the file, its SHA-256, and where in it the sequence begins, s.

    Raises
    ------
    InputError
        If a recording cannot be used. Nothing is left behind.
    FailureError
        If the store cannot be written. What is written can be resumed.
    """
    planned = plan(files, description, chain, events=events, dtype=dtype)
    return carry_out(
        planned, out, workers=workers, resume=resume, overwrite=overwrite, on_progress=on_progress
    )


def carry_out(
    planned: Import,
    out: Any,
    *,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Do what was planned; see :func:`import_recordings`."""
    starts = np.cumsum([0, *(s.recordings * s.windows for s in planned.sources)])

    def tasks(missing: list[int]) -> list[tuple[Any, ...]]:
        wanted, calls = set(missing), []
        for source, first in zip(planned.sources, starts[:-1], strict=True):
            for recording in range(source.recordings):
                low = int(first) + recording * source.windows
                parts = [part for part in range(low, low + source.windows) if part in wanted]
                if parts:
                    calls.append((source, recording, low, parts))
        return calls

    location = Location(out)
    _check_apart(location, planned.sources)
    if overwrite and location.exists(ROOT):
        # What is replaced is lost once the work begins: so what may be wrong is looked for first.
        for source in planned.sources:
            _read_through(source)
    return produce(
        location,
        planned.layout,
        make_parts,
        tasks,
        workers=workers,
        pool="threads",
        resume=resume,
        overwrite=overwrite,
        on_progress=on_progress,
    )


def _check_apart(location: Location, sources: Sequence[Source]) -> None:
    """Raise InputError if a store would replace or change the files that it is made of."""
    if not location.is_local:
        return
    target = location.path.resolve()
    for path in (path for source in sources for path in (source.path, source.events) if path):
        file = Path(path).resolve()
        if file.is_relative_to(target) or target.is_relative_to(file):
            raise InputError(
                f"{location}: found {path} at this place, wanted one apart from the recordings; "
                "choose another"
            )


def _read_through(source: Source) -> None:
    """Raise InputError if a file holds samples that no sequence can be made of."""
    description = Description.parse(source.description, source.path)
    with open_file(source.path) as file:
        described = resolve(description, file)
        for recording in range(source.recordings):
            for _ in raw_blocks(described, file, recording):
                pass


def make_parts(
    url: str, layout: Layout, source: Source, recording: int, first: int, parts: Sequence[int]
) -> None:
    """Run one recording through the chain and write its sequences.

    Parameters
    ----------
    url : str
        Of the store.
    layout : Layout
    source : Source
    recording : int
        Which one of the file's.
    first : int
        The part of the recording's first sequence.
    parts : sequence of int
        Those that are still missing.
    """
    chain = Chain.from_json(json.loads(str(layout.attributes[CHAIN])))
    location, frames = Location(url), layout.shape[0]
    description = Description.parse(source.description, source.path)
    with _naming(source), open_file(source.path) as file:
        described = resolve(description, file)
        imaging = imaging_of(described, chain)
        blocks = blocks_of(described, file, recording, imaging)
        for number, voxels in enumerate(_sequences(run(imaging, blocks), frames, source.windows)):
            part = first + number
            if part in parts:
                _check_range(voxels, layout.dtype, source)
                arrays = _known_firings(source, layout, number)
                writer.write_part(location, layout, part, arrays, [voxels])


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Name the file in what the chain says of its samples."""
    try:
        yield
    except InputError as error:
        if source.path in str(error):
            raise
        raise InputError(f"{source.path}: {error}") from error


def _check_range(voxels: NDArray[np.float32], dtype: str, source: Source) -> None:
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


def _known_firings(source: Source, layout: Layout, window: int) -> dict[str, NDArray[Any]]:
    if "firing" not in layout.variables:
        return {}
    duration = layout.shape[0] / layout.frame_rate
    firing = np.full((1, layout.sizes["unit"], layout.sizes["pulse"]), np.nan)
    rate = np.full((1, layout.sizes["unit"]), np.nan)
    count = 0
    if source.events:
        start = source.start_of(window, layout.shape[0], layout.frame_rate)
        _, found = events_of(source, start, duration)
        count = len(found)
        firing[0, :count, : found.shape[1]] = found
        rate[0, :count] = ((found >= 0) & (found < duration)).sum(axis=1) / duration
    return {"firing": firing, "unit_count": np.array([count], np.int32), "firing_rate": rate}
