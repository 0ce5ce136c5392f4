"""What each method finds in a recording, and how that is scored; kept in a folder."""

import json
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.methods.kept import slug, written
from benchmarks.methods.recordings import Kind, analytic
from benchmarks.recordings import Made
from musim.simulator import Truth
from musim.simulator.errors import InputError
from musim.training.identification.firings import with_firings
from musim.training.identification.methods import METHODS, identify
from musim.training.identification.metrics import score
from musim.training.identification.units import Recording, Units

WARM_UP_SEED = 7
"""Of the sequence in which each process finds units once before it is timed."""


@dataclass(frozen=True)
class Column:
    """A method as it is put to recordings.

    Parameters
    ----------
    method : str
    settings : mapping of str to object
        Over the method's own.
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)


COLUMNS = {
    **{name: Column(name) for name in ("ica", "refine", "edges+refine", "learned", "network")},
    **{name: Column(name) for name in ("stica", "velbss")},
    "cbss of trains": Column("cbss"),
    "cbss of velocity": Column("cbss", {"source": "velocity"}),
    **{name: Column(name) for name in ("nmf", "sta")},
    **{f"oracle-{what}": Column(f"oracle-{what}") for what in ("territories", "maps", "trains")},
}
"""All methods by the names of the table's rows; `sta` is given the true firings."""


@dataclass(frozen=True)
class Known:
    """What methods that are given the truth look at of it; maps are fitted to the true trains."""

    territory: NDArray[np.float32]
    twitch_train: NDArray[np.float32]
    firing: NDArray[np.float64]
    own_maps: None = None

    @property
    def unit_count(self) -> int:
        """Number of units."""
        return len(self.territory)


Row = dict[str, float | str]


def rows_of(
    work: tuple[Kind, int],
    columns: tuple[str, ...],
    folder: Path,
    again: Set[str],
    anew: bool,
    kept: bool = False,
) -> list[Row]:
    """Return a row for each method that takes such a recording.

    Parameters
    ----------
    work : (Kind, int)
        The recording's kind and seed.
    columns : tuple of str
        Names of :data:`COLUMNS`.
    folder : Path
        What was found in it before is not looked for again.
    again : set of str
        Columns whose units are found again.
    anew : bool
        Whether firings are found and scores counted again, of units found before.
    kept : bool
        Whether only units that were found before are looked at.
    """
    kind, seed = work
    made: Made | None = None
    found = []
    for name in columns:
        path = folder / slug(name) / f"{slug(kind.name)}-{seed}"
        units_path, row_path = path.with_suffix(".npz"), path.with_suffix(".json")
        if name in again:
            units_path.unlink(missing_ok=True)
        if kept and not units_path.exists():
            continue
        if anew or not units_path.exists() or not row_path.exists():
            made = made or kind.recording(seed, folder)
            if not units_path.exists():
                _warm_up(COLUMNS[name])
                try:
                    _find(COLUMNS[name], made, units_path)
                except InputError:  # a network that was trained for other frames
                    continue
            counts = _scored(COLUMNS[name], made, *_read(units_path))
            with written(row_path) as file:
                file.write(json.dumps(counts).encode())
        found.append({"kind": kind.name, "seed": seed, "column": name,
                      **json.loads(row_path.read_text())})  # fmt: skip
    return found


def _given(made: Made) -> Recording:
    return Recording(made.tvi, made.frame_rate, made.pixel_size)


def _identified(column: Column, made: Made, firings: str | None) -> Units:
    known = Known(made.territory.astype(np.float32), made.train, made.firing)
    needed = METHODS[column.method].truth != "unused"
    return identify(
        _given(made), column.method, settings=column.settings, firings=firings,
        truth=cast("Truth", known) if needed else None,
    )  # fmt: skip


_WARM: set[str] = set()


def _warm_up(column: Column) -> None:
    """Let a method import and compile what it needs before it is timed."""
    if column.method not in _WARM:
        _WARM.add(column.method)
        _identified(column, analytic((8, 13), WARM_UP_SEED), None)


def _find(column: Column, made: Made, path: Path) -> None:
    """Find units with a method's own firings, and keep them."""
    began = time.process_time()
    units = _identified(column, made, "grid")
    seconds = time.process_time() - began
    with written(path) as file:
        np.savez(
            file, territory=units.territory, train=units.train, firing=units.firing,
            confidence=units.confidence, seconds=seconds,
        )  # fmt: skip


def _read(path: Path) -> tuple[Units, float]:
    with np.load(path) as kept:
        arrays = dict(kept)
    seconds = float(arrays.pop("seconds"))
    return Units(**arrays), seconds


def _scored(column: Column, made: Made, units: Units, seconds: float) -> dict[str, float]:
    """Return what is counted of units, with the firings that they have by default."""
    if METHODS[column.method].firings_of_trains:
        began = time.process_time()
        units = with_firings(_given(made), units)
        seconds += time.process_time() - began
    marks = score(
        units.masks, units.train, units.firing, units.confidence, made.territory, made.train,
        made.firing, made.frame_rate,
    )  # fmt: skip
    trains = marks.trains
    assert trains is not None
    row = trains.to_row()
    return {
        "units": len(marks.visible),
        "found": units.count,
        "by_train": trains.matching.matches,
        "by_outline": marks.matching.matches,
        "correlation": row["train_match_correlation"],
        "firings": row["firing_agreement"],
        "firings_chance": row["firing_chance"],
        "seconds": seconds,
    }
