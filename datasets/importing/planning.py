"""What an import will do, decided before anything is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...simulator.errors import InputError
from ...simulator.imaging.chain import Chain, Imaging
from ..event_tables import EventTable, check_rates, read_events
from ..grid import Grid
from ..layout import Layout
from ..origin import Cut, Imported, to_attributes
from ..schema import FLOAT_TYPES
from .description import Description
from .formats import open_file
from .hashing import sha256_of
from .imaging import imaging_of
from .recording import DescribedRecording
from .resolving import resolve


@dataclass(frozen=True)
class SourceFile:
    """A file of recordings, and what will come of it.

    Parameters
    ----------
    path : str
    sha256 : str
        Of the file, in hexadecimal.
    description : mapping of str to object
        What :meth:`.description.Description.parse` reads back.
    events : str
        Path of the table of known firings; empty without one.
    known : EventTable, optional
        What the table says.
    recordings : int
        Recordings in the file.
    windows : int
        Sequences that each recording makes, one after another.
    frames : int
        Frames that it has after the chain; those beyond the last whole sequence are left out.
    offset : float
        Time of the first of these after the recording's first one, s.
    remarks : tuple of str
        What in the file does not fit together; see :class:`.recording.DescribedRecording`.
    """

    path: str
    sha256: str
    description: Mapping[str, Any]
    events: str
    known: EventTable | None
    recordings: int
    windows: int
    frames: int
    offset: float
    remarks: tuple[str, ...] = ()

    def start_of(self, window: int, grid: Grid) -> float:
        """Return when a sequence begins, after the recording's first frame, s."""
        return self.offset + window * grid.shape[0] / grid.frame_rate


@dataclass(frozen=True)
class Import:
    """What an import will do.

    Parameters
    ----------
    layout : Layout
    sources : tuple of SourceFile
    """

    layout: Layout
    sources: tuple[SourceFile, ...]

    @property
    def left_out(self) -> dict[str, float]:
        """Seconds at the end of each file's recordings that fill no whole sequence."""
        layout = self.layout
        rest = {s.path: s.frames - s.windows * layout.shape[0] for s in self.sources}
        return {path: frames / layout.frame_rate for path, frames in rest.items() if frames}

    @property
    def remarks(self) -> list[str]:
        """What in files and tables of events does not fit, and what was made of it, a line each."""
        found: list[str] = []
        for source in self.sources:
            found += [f"{source.path}: {text}" for text in source.remarks]
            if source.known is not None:
                found += [f"{source.events}: {text}" for text in source.known.remarks]
                found += _outside(source, source.known, self.layout.grid)
        return found


def _outside(source: SourceFile, known: EventTable, grid: Grid) -> list[str]:
    """Return a line about the onsets that lie in no sequence, if there are any."""
    last = source.start_of(source.windows, grid)
    outside, onsets = known.outside(source.start_of(0, grid), last)
    if not outside:
        return []
    return [
        f"{source.events}: {outside} of {onsets} onsets lie outside the sequences of "
        f"{source.path}, which end at {last:.3g} s, and are left out; onsets are in seconds after "
        "its first frame"
    ]


def plan(
    files: Sequence[str | Path] | str | Path,
    description: Description | Sequence[Description],
    chain: Chain,
    *,
    events: Sequence[str | Path] = (),
    dtype: str = "float32",
    on_bytes: Callable[[int], None] | None = None,
) -> Import:
    """Look at all files, and decide what a store of their recordings will hold.

    Parameters
    ----------
    files : sequence of path
        A file may be given alone.
    description : Description, or one for each file
    chain : Chain
    events : sequence of path
        Tables of known firings, one for each file; none, if not given.
    dtype : {"float32", "float16"}
        Type of the voxels.
    on_bytes : callable, optional
        Called with the number of bytes that were hashed since the last call.

    Returns
    -------
    Import

    Raises
    ------
    InputError
        If a file cannot be read, does not fit its description or the chain, or makes sequences of
        another grid than the first one.
    """
    files = [files] if isinstance(files, str | Path) else files
    if not files:
        raise InputError("files: found none, wanted one or more recordings")
    if dtype not in FLOAT_TYPES:
        raise InputError(f"dtype: found {dtype!r}, wanted one of {', '.join(FLOAT_TYPES)}")
    if events and len(events) != len(files):
        raise InputError(
            f"events: found {len(events)} tables for {len(files)} files, wanted one for each"
        )
    descriptions = (
        [description] * len(files) if isinstance(description, Description) else description
    )
    if len(descriptions) != len(files):
        raise InputError(
            f"description: found {len(descriptions)} for {len(files)} files, wanted one for each"
        )
    sources: list[SourceFile] = []
    first: Grid | None = None
    for number, (path, one) in enumerate(zip(files, descriptions, strict=True)):
        imaging, recording, paths = _look(path, one, chain)
        made = imaging.output_frames(recording.lengths["time"])
        frames = chain.frames or made
        if made < frames:
            raise InputError(
                f"{path}: found {made} frames after the chain ({made / imaging.output_rate:.3g} s),"
                f" wanted {frames}; ask for fewer with `chain.frames`"
            )
        grid = _grid(imaging, frames)
        if first is None:
            first = grid
        if not grid.fits(first):
            raise InputError(
                f"{path}: found {grid}, wanted {first} as in {files[0]}; give `chain.frames`, "
                "`chain.pixels`, `chain.size` and `chain.frame_rate`, or import it into a store of "
                "its own"
            )
        known = read_events(Path(events[number]).absolute()) if events else None
        if known is not None:
            check_rates(str(events[number]), known.labels, known.firing, imaging.output_rate)
        sources.append(
            SourceFile(
                path=str(Path(path).absolute()),
                sha256=sha256_of(paths, on_bytes),
                description=one.to_values(),
                events=str(Path(events[number]).absolute()) if events else "",
                known=known,
                recordings=recording.lengths["sequence"],
                windows=made // frames,
                frames=made,
                offset=imaging.offset,
                remarks=recording.remarks,
            )
        )
    assert first is not None
    return Import(_layout(sources, first, chain, dtype), tuple(sources))


def _look(
    path: str | Path, description: Description, chain: Chain
) -> tuple[Imaging, DescribedRecording, tuple[Path, ...]]:
    with open_file(path) as file:
        recording, paths = resolve(description, file), file.paths
    try:
        imaging = imaging_of(recording, chain)
        imaging.output_frames(recording.lengths["time"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return imaging, recording, paths


def _grid(imaging: Imaging, frames: int) -> Grid:
    depth, width = imaging.output_axes
    return Grid((frames, depth.count, width.count), imaging.output_rate, (depth.step, width.step))


def _layout(sources: Sequence[SourceFile], grid: Grid, chain: Chain, dtype: str) -> Layout:
    frames, depth, width = grid.shape
    sizes = {"time": frames, "depth": depth, "width": width}
    cuts: list[Cut] = []
    variables: tuple[str, ...] = ("tvi",)
    most_units = most_pulses = 1
    for source in sources:
        known, kept, told = source.known, 0, {}
        if known is not None:
            most_units = max(most_units, len(known.labels))
            told = {
                "events": Path(source.events).name,
                "events_sha256": sha256_of(source.events),
                "units": tuple(known.labels),
            }
        for recording in range(source.recordings):
            for window in range(source.windows):
                start = source.start_of(window, grid)
                if known is not None:
                    firing = known.within(start, frames / grid.frame_rate)
                    most_pulses = max(most_pulses, firing.shape[1])
                    kept += np.count_nonzero(~np.isnan(firing))
                cuts.append(
                    Cut(
                        file=Path(source.path).name,
                        sha256=source.sha256,
                        recording=recording,
                        start=start,
                        **told,
                    )
                )
        if known is not None and known.labels and not kept:
            raise InputError(
                f"{source.events}: found no onset within {source.path}, wanted seconds after its "
                "first frame; change the onsets"
            )
    if any(source.events for source in sources):
        variables += ("firing", "unit_count", "firing_rate")
        sizes |= {"unit": most_units, "pulse": most_pulses}
    return Layout(
        kind="dense",
        variables=variables,
        sizes={"sequence": len(cuts), **sizes},
        # A part is written when its last frame comes out of the chain: so a part is a sequence.
        part_size=1,
        dtypes={"tvi": dtype},
        frame_rate=grid.frame_rate,
        pixel_size=grid.pixel_size,
        attributes=to_attributes(
            Imported(
                cuts=tuple(cuts),
                descriptions=tuple(
                    {"file": Path(one.path).name, **one.description} for one in sources
                ),
                chain=chain,
            )
        ),
    )
