"""Videos of a folder, each with the table of its signals, who takes part, and in which task."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...simulator.errors import InputError
from ..images.reading import DICOM
from .reading import FILMS

COLUMNS = ("name", "participant", "task", "signals")
"""Of a table of trials; the first is needed."""


@dataclass(frozen=True)
class VideoEntry:
    """A video on the disk, and what goes with it.

    Parameters
    ----------
    name : str
        Of the file, without its suffix.
    path : Path
    signals : Path, optional
        The table of its signals; None if there is none.
    participant, task : str
        Empty where they are not known.
    """

    name: str
    path: Path
    signals: Path | None = None
    participant: str = ""
    task: str = ""


def videos_in(folder: Path) -> list[Path]:
    """Return a folder's files that are named as videos are, in order; DICOM may be images."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (*FILMS, *DICOM)
        and not path.name.startswith(".")
        and path.is_file()
    ]


def find_videos(
    places: Sequence[str | Path] | str | Path,
    *,
    signals: str | Path | None = None,
    trials: str | Path | None = None,
    participant: str = "",
    task: str = "",
) -> list[VideoEntry]:
    """Return videos with what goes with them.

    Parameters
    ----------
    places : sequence of path
        Folders, and single videos.
    signals : path, optional
        A table of the signals of one video, or a folder of tables by the videos' names. Without it
        they are looked for beside the videos.
    trials : path, optional
        A table with a row for each video: columns in :data:`COLUMNS`, tables of signals by their
        names from where it lies.
    participant, task : str
        Of all videos that it says nothing else of.

    Raises
    ------
    InputError
        If there are no videos, or two of one name, or a table is missing or cannot be read.
    """
    several = [places] if isinstance(places, str | Path) else [*places]
    paths = [path for place in several for path in _videos_of(Path(place))]
    again = next((n for n, count in Counter(path.stem for path in paths).items() if count > 1), "")
    if again:
        raise InputError(
            f"found two videos of the name {again}, wanted names of their own; rename one of them"
        )
    told = {} if trials is None else _read_trials(Path(trials))
    entries = []
    for path in paths:
        row = told.pop(path.stem, {})
        if trials is not None and not row:
            raise InputError(
                f"{trials}: found no row of {path.name}, wanted one for each video; add it"
            )
        table = Path(row["signals"]) if row.get("signals") else _table_of(path, signals, len(paths))
        who, what = row.get("participant") or participant, row.get("task") or task
        entries.append(VideoEntry(path.stem, path, table, who, what))
    if told:
        raise InputError(
            f"{trials}: found a row of {next(iter(told))}, wanted a video of that name among those "
            "that are imported"
        )
    if signals is not None and not any(entry.signals for entry in entries):
        raise InputError(
            f"{signals}: found no signals of {paths[0].name}, wanted a table {paths[0].stem}.csv"
        )
    return entries


def _videos_of(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = videos_in(place)
    if not found:
        raise InputError(f"{place}: found no videos, wanted files {' '.join((*FILMS, *DICOM))}")
    return found


def _table_of(path: Path, signals: str | Path | None, videos: int) -> Path | None:
    """Return the table of a video's signals; None if there is none."""
    if signals is None:
        folder = path.parent
    elif Path(signals).is_dir():
        folder = Path(signals)
    elif videos > 1:
        raise InputError(
            f"`signals`: found a file for {videos} videos, wanted a folder of tables by the "
            "videos' names, or a column signals in the table of `trials`"
        )
    elif not Path(signals).is_file():
        raise InputError(f"{signals}: found nothing there, wanted signals; check the path")
    else:
        return Path(signals)
    found = folder / f"{path.stem}.csv"
    return found if found.is_file() else None


def _read_trials(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table of trials by the videos' names."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a CSV file of trials"
        ) from error
    reader = csv.DictReader(text.splitlines())
    fields = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = next((name for name in fields if name not in COLUMNS), None)
    if COLUMNS[0] not in fields or unknown is not None:
        raise InputError(
            f"{path}: found columns {', '.join(fields) or 'none'}; wanted {COLUMNS[0]}, and any of "
            f"{', '.join(COLUMNS[1:])}"
        )
    reader.fieldnames = fields
    rows: dict[str, dict[str, str]] = {}
    for number, row in enumerate(reader, start=2):
        cells = {name: (row.get(name) or "").strip() for name in fields}
        stem = Path(cells["name"]).stem
        if not stem or stem in rows:
            raise InputError(
                f"{path}, line {number}: found name {cells['name']!r}, wanted each video's once"
            )
        if cells.get("signals"):
            table = path.parent / cells["signals"]
            if not table.is_file():
                raise InputError(f"{path}, line {number}: found no file {table}, wanted signals")
            cells["signals"] = str(table)
        rows[stem] = cells
    return rows
