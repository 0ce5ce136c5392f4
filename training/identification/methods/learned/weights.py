"""What was learned: to judge what may be a unit, and to outline it.

It comes as text beside this module; ``musim train judge`` (:mod:`...learning`) learns others.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .....simulator.errors import InputError
from .judgement import Judgement
from .outlines import Outliner

OURS = Path(__file__).parent
"""The folder of what comes with musim."""

JUDGEMENT, OUTLINES = "judgement.json", "outlines.json"
"""Names of the files, here and in runs."""


@dataclass(frozen=True)
class Learned:
    """What was learned.

    Parameters
    ----------
    judgement : Judgement
    outliner : Outliner
    """

    judgement: Judgement
    outliner: Outliner


def resolve(runs: Sequence[str | Path]) -> list[str]:
    """Return the run whose weights are taken, by its absolute path; none, if none is given.

    Raises
    ------
    InputError
        If there are several, or it is no run of ``musim train judge`` that came to its end.
    """
    if len(runs) > 1:
        raise InputError(f"found {len(runs)} runs, wanted one of musim train judge")
    for run in runs:
        learned_of(run)
    return [str(Path(run).absolute()) for run in runs]


def learned_of(run: str | Path | None = None) -> Learned:
    """Return what a run of ``musim train judge`` learned, or what comes with musim.

    It is read as text: nothing that a run holds is executed.

    Parameters
    ----------
    run : path, optional
        What ``musim train judge`` wrote.

    Raises
    ------
    InputError
        If there is no such run, it is not finished, or its weights cannot be used.
    """
    if run is None:
        return Learned(_judgement(OURS / JUDGEMENT, 0), _outliner(OURS / OUTLINES, 0))
    from ....runs.folder import RunFolder

    RunFolder(run).describe("judge")
    folder = Path(run).absolute()
    changed = []
    # The judgement is written last: without it, that is what is said to be missing.
    for name in (JUDGEMENT, OUTLINES):
        try:
            changed.append((folder / name).stat().st_mtime_ns)
        except OSError:
            raise InputError(
                f"{run}: found no {name}, wanted a run that came to its end; go on with it by "
                "musim train judge with `resume=True`"
            ) from None
    return Learned(
        _judgement(folder / JUDGEMENT, changed[0]), _outliner(folder / OUTLINES, changed[1])
    )


@functools.lru_cache(maxsize=4)
def _judgement(path: Path, changed: int) -> Judgement:
    return _read(path, Judgement.from_json)


@functools.lru_cache(maxsize=4)
def _outliner(path: Path, changed: int) -> Outliner:
    return _read(path, Outliner.from_json)


def _read(path: Path, from_json: Any) -> Any:
    try:
        return from_json(json.loads(path.read_bytes()))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(
            f"{path}: found something that is not JSON, wanted the weights that musim train judge "
            "wrote; restore it, or train anew"
        ) from None
