"""Rows of all trials that a network is trained on, each made once: it takes longer than training.

They lie in memory, or in files of a folder, from which they are mapped. A file is named after all
that decides what is in it, so that runs share what they have in common, and what an interruption
left is gone on with.
"""

import hashlib
import io
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.location import Location
from ...datasets.parallel import open_workers
from ...simulator.errors import InputError
from .input_stages import InputStage
from .state_settings import StateSettings

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial

PIECE = 64
"""Pairs of frames whose images are in memory at a time."""

MEMORY = 6e9
"""Bytes of rows that are kept in memory, at the most."""

ROWS, COMPARED = ".npy", "-compared.npy"
"""What the names of files end in."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stretch:
    """Successive pairs of frames of a trial.

    Parameters
    ----------
    first : int
        Number of the first pair, and of its first frame.
    pairs : int
    """

    first: int
    pairs: int


def stretches(frames: int, index: int, settings: StateSettings, *, brief: bool) -> list[Stretch]:
    """Return which pairs of a trial's frames are taken.

    Trials differ in where their blocks begin, so that all parts of the signals are there.

    Parameters
    ----------
    frames : int
        Of the trial.
    index : int
        The trial's.
    settings : StateSettings
    brief : bool
        Whether the first alone is taken, and of that a few.
    """
    block, period = settings.block or frames, settings.period if settings.block else frames
    begin = block * (index % max(1, period // block))
    if begin + block >= frames:
        begin = 0
    found = [
        Stretch(first, min(block, frames - 1 - first))
        for first in range(begin, frames - 1, period)
    ]  # fmt: skip
    return [Stretch(begin, min(PIECE, found[0].pairs))] if brief and found else found


@dataclass(frozen=True)
class TrialRows:
    """What is kept of a trial.

    Parameters
    ----------
    rows : array of shape (row, ...)
        Of all stretches, one after the other.
    pairs : int64 array of shape (pair,)
        Numbers of pairs of frames.
    first : int64 array of shape (pair,)
        Row of each with which what tells of it begins.
    compared : float32 array of shape (row, value), optional
        What tells of each row by a frame at rest, where states are told.
    """

    rows: NDArray[Any]
    pairs: NDArray[np.int64]
    first: NDArray[np.int64]
    compared: NDArray[np.float32] | None = None


def gather(
    trials: "Sequence[MuscleTrial]",
    stage: InputStage,
    settings: StateSettings,
    *,
    folder: str = "",
    brief: bool = False,
) -> list[TrialRows]:
    """Return the rows of trials, made by all processors where they are not kept yet.

    Parameters
    ----------
    trials : sequence of MuscleTrial
    stage : InputStage
        That has learned.
    settings : StateSettings
    folder : str
        Where they are kept; empty: in memory.
    brief : bool
        See :func:`stretches`.

    Raises
    ------
    InputError
        If there is no room for them.
    FailureError
        If the folder cannot be written.
    """
    if brief:
        trials = trials[:1]
    taken = [stretches(trial.frames, trial.index, settings, brief=brief) for trial in trials]
    sizes = [_row_count(each, stage) for each in taken]
    compared = settings.target == "absolute"
    row_bytes = int(np.prod(stage.shape)) * np.dtype(stage.row_dtype).itemsize
    row_bytes += 4 * stage.compared if compared else 0
    kept: dict[int, TrialRows] = {}
    lacking = []
    for number, (trial, some) in enumerate(zip(trials, taken, strict=True)):
        place = _Place.of(folder, trial, stage, some) if folder else None
        if place is not None and place.has(compared=compared):
            kept[number] = _rows_in(place, some, stage, compared=compared)
        else:
            lacking.append((number, trial, some, place))
    made = sum(sizes[number] for number, *_ in lacking)
    _check_room(made * row_bytes, folder)
    if lacking and not brief:
        _log.info(
            "preparing %d frames of %d trial%s, %.2g GB in %s", made, len(lacking),
            "" if len(lacking) == 1 else "s", made * row_bytes / 1e9, folder or "memory",
        )  # fmt: skip
    began, done, lock = time.perf_counter(), 0, threading.Lock()

    def make(number: int, trial: "MuscleTrial", some: list[Stretch], place: _Place | None) -> None:
        if place is None:
            rows = rows_of_trial(trial, stage, some)
            values = _compared(trial, stage, rows) if compared else None
            found = TrialRows(rows, *_places(some, stage), values)
        else:
            if not place.has(compared=False):
                place.write(ROWS, rows_of_trial(trial, stage, some))
            if compared:
                whole = _rows_in(place, some, stage, compared=False)
                place.write(COMPARED, _compared(trial, stage, whole.rows))
            found = _rows_in(place, some, stage, compared=compared)
        with lock:
            kept[number] = found

    def on_done() -> None:
        nonlocal done
        done += 1
        if not brief and (10 * done // len(lacking)) > (10 * (done - 1) // len(lacking)):
            seconds = time.perf_counter() - began
            _log.info("prepared %d of %d (%.0f s)", done, len(lacking), seconds)

    if lacking:
        with open_workers(pool="threads") as run:
            run(make, lacking, on_done)
    return [kept[number] for number in range(len(trials))]


def rows_of_trial(
    trial: "MuscleTrial", stage: InputStage, taken: Sequence[Stretch]
) -> NDArray[Any]:
    """Return the rows of some pairs of a trial's frames, see :class:`TrialRows`."""
    rows = np.empty((_row_count(taken, stage), *stage.shape), stage.row_dtype)
    at = 0
    for stretch in taken:
        for begin in range(0, stretch.pairs, PIECE):
            pairs = min(PIECE, stretch.pairs - begin)
            first = stretch.first + begin
            made = stage.rows_of(trial.images(first, first + pairs + 1))
            # The last frame of a piece is the first of the next.
            last = begin + pairs == stretch.pairs
            count = pairs - 1 + stage.span if last else pairs
            rows[at : at + count] = made[:count]
            at += count
    return rows


def _compared(trial: "MuscleTrial", stage: InputStage, rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return what tells of rows by the first frame of their trial, which begins at rest."""
    return stage.compare(stage.rows_of(trial.images(0, 1))[0], rows)


def _places(
    taken: Sequence[Stretch], stage: InputStage
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of pairs, and where rows of each begin."""
    pairs, rows, at = [], [], 0
    for stretch in taken:
        pairs.append(np.arange(stretch.first, stretch.first + stretch.pairs))
        rows.append(np.arange(at, at + stretch.pairs))
        at += stretch.pairs - 1 + stage.span
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(pairs), np.concatenate(rows)


def _row_count(taken: Sequence[Stretch], stage: InputStage) -> int:
    return sum(each.pairs - 1 + stage.span for each in taken)


def _check_room(size: int, folder: str) -> None:
    if not folder and size > MEMORY:
        raise InputError(
            f"found {size / 1e9:.3g} GB of frames to be kept, wanted {MEMORY / 1e9:.3g} GB in "
            "memory at the most; name a folder on a disk with room for them, `source.frames`, or "
            "take fewer of them, with `settings.block`"
        )
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        free = Location(folder).free_bytes()
        if size > free:
            raise InputError(
                f"{folder}: found {free / 1e9:.3g} GB of room, wanted {size / 1e9:.3g} GB for "
                "frames; name a folder elsewhere, or take fewer, with `settings.block`"
            )


@dataclass(frozen=True)
class _Place:
    """Where what is kept of a trial lies, by its name in a folder."""

    folder: str
    name: str

    @classmethod
    def of(
        cls, folder: str, trial: "MuscleTrial", stage: InputStage, taken: Sequence[Stretch]
    ) -> "_Place":
        """Return the place, named after whatever decides what lies there."""
        state = hashlib.sha256()
        for name, value in sorted(stage.state_dict().items()):
            state.update(name.encode() + value.cpu().numpy().tobytes())
        about = {
            "store": trial.store.location.address,
            "attributes": trial.store.layout.attributes,
            "trial": trial.index,
            "stage": [type(stage).__name__, stage.describe(), state.hexdigest()],
            "stretches": [[each.first, each.pairs] for each in taken],
        }
        text = json.dumps(about, sort_keys=True, default=str)
        return cls(folder, f"{trial.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}")

    def file(self, what: str) -> Path:
        """Return one of its files."""
        return Path(self.folder) / f"{self.name}{what}"

    def has(self, *, compared: bool) -> bool:
        """Return whether rows are there, and what tells of them by a frame at rest if it is due."""
        return self.file(ROWS).is_file() and (not compared or self.file(COMPARED).is_file())

    def write(self, what: str, values: NDArray[Any]) -> None:
        """Write a file aside and rename it into place."""
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        Location(self.folder).write(f"{self.name}{what}", buffer.getbuffer())

    def read(self, what: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Map a file into memory; raise InputError if it is not what was written."""
        try:
            values = np.load(self.file(what), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):
            values = None
        if values is None or values.shape != shape or values.dtype != np.dtype(dtype):
            raise InputError(
                f"{self.file(what)}: found a file that is damaged, wanted the frames that it kept; "
                "remove it"
            )
        return values


def _rows_in(
    place: _Place, taken: Sequence[Stretch], stage: InputStage, *, compared: bool
) -> TrialRows:
    count = _row_count(taken, stage)
    rows = place.read(ROWS, (count, *stage.shape), stage.row_dtype)
    values = place.read(COMPARED, (count, stage.compared), "float32") if compared else None
    return TrialRows(rows, *_places(taken, stage), values)
