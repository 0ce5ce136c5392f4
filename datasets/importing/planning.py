"""What an import will do, decided before anything is written."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.chain import Chain, Imaging
from ..events import read_events
from ..layout import Layout, software
from ..schema import FLOAT_TYPES
from ..store import Store
from .description import Description
from .formats import open_file
from .hashing import sha256_of
from .imaging import imaging_of
from .recording import DescribedRecording
from .resolving import resolve

SOURCES = "musim_sources"
DESCRIPTIONS = "musim_descriptions"
CHAIN = "musim_chain"

BEFORE = 0.6
"""Firings are kept from this long before a sequence, s: by then a simulated twitch has passed."""

SAME = 1e-4
"""Relative difference up to which steps and rates are one: coordinates in float32 carry as much."""


@dataclass(frozen=True)
class Source:
    """A file, and what will come of it.

    Parameters
    ----------
    path : str
    sha256 : str
        Of the file, in hexadecimal.
    description : mapping of str to object
        What :meth:`.description.Description.parse` reads back.
    events : str
        Path of the table of known firings; empty without one.
    recordings : int
        Recordings in the file.
    windows : int
        Sequences that each recording makes, one after another.
    frames : int
        Frames that it has after the chain; those beyond the last whole sequence are left out.
    offset : float
        Time of the first of these after the recording's first one, s.
    """

    path: str
    sha256: str
    description: Mapping[str, Any]
    events: str
    recordings: int
    windows: int
    frames: int
    offset: float

    def start_of(self, window: int, layout_frames: int, frame_rate: float) -> float:
        """Return when a sequence begins, after the recording's first frame, s."""
        return self.offset + window * layout_frames / frame_rate


@dataclass(frozen=True)
class Import:
    """What an import will do.

    Parameters
    ----------
    layout : Layout
    sources : tuple of Source
    """

    layout: Layout
    sources: tuple[Source, ...]

    @property
    def left_out(self) -> dict[str, float]:
        """Seconds at the end of each file's recordings that fill no whole sequence."""
        layout = self.layout
        rest = {s.path: s.frames - s.windows * layout.shape[0] for s in self.sources}
        return {path: frames / layout.frame_rate for path, frames in rest.items() if frames}


def plan(
    files: Sequence[str | Path],
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
    sources: list[Source] = []
    first: tuple[Imaging, int] | None = None
    for number, (path, one) in enumerate(zip(files, descriptions, strict=True)):
        imaging, recording = _look(path, one, chain)
        made = imaging.output_frames(recording.lengths["time"])
        frames = chain.frames or made
        if made < frames:
            raise InputError(
                f"{path}: found {made} frames after the chain ({made / imaging.output_rate:.3g} s),"
                f" wanted {frames}; ask for fewer with --frames"
            )
        if first is None:
            first = imaging, frames
        _check_same_grid(path, (imaging, frames), first, files[0])
        sources.append(
            Source(
                path=str(Path(path).absolute()),
                sha256=sha256_of(path, on_bytes),
                description=one.to_values(),
                events=str(Path(events[number]).absolute()) if events else "",
                recordings=recording.lengths["sequence"],
                windows=made // frames,
                frames=made,
                offset=imaging.offset,
            )
        )
    assert first is not None
    return Import(_layout(sources, *first, chain, dtype), tuple(sources))


def _look(path: str | Path, description: Description, chain: Chain) -> tuple[Imaging, DescribedRecording]:
    with open_file(path) as file:
        recording = resolve(description, file)
    try:
        imaging = imaging_of(recording, chain)
        imaging.output_frames(recording.lengths["time"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return imaging, recording


def _check_same_grid(
    path: str | Path,
    found: tuple[Imaging, int],
    wanted: tuple[Imaging, int],
    first: str | Path,
) -> None:
    def grid(imaging: Imaging, frames: int) -> tuple[float, ...]:
        depth, width = imaging.output_axes
        return frames, depth.count, width.count, depth.step, width.step, imaging.output_rate

    grids = grid(*found), grid(*wanted)
    alike = [math.isclose(a, b, rel_tol=SAME) for a, b in zip(*grids, strict=True)]
    if grids[0][:3] != grids[1][:3] or not all(alike):
        shown = [
            f"{g[0]} frames of {g[1]} x {g[2]} px of {g[3]:.6g} x {g[4]:.6g} mm at {g[5]:.6g} Hz"
            for g in grids
        ]
        raise InputError(
            f"{path}: found {shown[0]}, wanted {shown[1]} as in {first}; give --frames, --pixels, "
            "--size and --resample, or import it into a store of its own"
        )


def _layout(
    sources: Sequence[Source], imaging: Imaging, frames: int, chain: Chain, dtype: str
) -> Layout:
    depth, width = imaging.output_axes
    sizes = {"time": frames, "depth": depth.count, "width": width.count}
    listed: list[dict[str, Any]] = []
    variables: tuple[str, ...] = ("tvi",)
    most_units = most_pulses = 1
    for source in sources:
        labels: list[str] = []
        kept = 0
        for recording in range(source.recordings):
            for window in range(source.windows):
                start = source.start_of(window, frames, imaging.output_rate)
                entry = {
                    "file": Path(source.path).name,
                    "sha256": source.sha256,
                    "recording": recording,
                    "start": start,
                }
                if source.events:
                    labels, firing = events_of(source, start, frames / imaging.output_rate)
                    entry["events"] = Path(source.events).name
                    entry["events_sha256"] = sha256_of(source.events)
                    entry["units"] = labels
                    most_pulses = max(most_pulses, firing.shape[1])
                    kept += np.count_nonzero(~np.isnan(firing))
                listed.append(entry)
        if labels and not kept:
            raise InputError(
                f"{source.events}: found no onset within {source.path}, wanted seconds after its "
                "first frame; change the onsets"
            )
        most_units = max(most_units, len(labels))
    if any(source.events for source in sources):
        variables += ("firing", "unit_count", "firing_rate")
        sizes |= {"unit": most_units, "pulse": most_pulses}
    return Layout(
        kind="dense",
        variables=variables,
        sizes={"sequence": len(listed), **sizes},
        # A part is written when its last frame comes out of the chain: so a part is a sequence.
        part_size=1,
        dtypes={"tvi": dtype},
        frame_rate=imaging.output_rate,
        pixel_size=(depth.step, width.step),
        attributes={
            SOURCES: json.dumps(listed),
            DESCRIPTIONS: json.dumps(
                [{"file": Path(s.path).name, **s.description} for s in sources], sort_keys=True
            ),
            CHAIN: json.dumps(chain.to_json(), sort_keys=True),
            "musim_software": software(),
        },
    )


def events_of(
    source: Source, start: float, duration: float
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the units of a source's events, and their firings in a span of time, from its start.

    Firings up to :data:`BEFORE` the span are kept, at times below 0.
    """
    labels, firing = read_events(source.events)
    firing = firing - start
    firing[(firing < -BEFORE) | (firing >= duration)] = np.nan
    firing = np.sort(firing, axis=1)  # NaN last
    most = int((~np.isnan(firing)).sum(axis=1).max(initial=0))
    return labels, firing[:, : max(most, 1)]


def sources_of(store: Store) -> list[dict[str, Any]]:
    """Return what an imported store knows of each sequence's source; empty if it has none."""
    text = store.layout.attributes.get(SOURCES)
    found = [] if text is None else json.loads(str(text))
    return [entry for entry in found if "sha256" in entry]


def chain_of(store: Store) -> Chain | None:
    """Return the chain of an imported store; None of any other."""
    text = store.layout.attributes.get(CHAIN)
    return None if text is None else Chain.from_json(json.loads(str(text)))
