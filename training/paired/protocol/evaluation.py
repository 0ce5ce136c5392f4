"""Runs on pairs put to the test on slices they have not seen, as by Grant-Jacob et al. 2021."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.location import Location
from ....datasets.origin import software_versions
from ....datasets.store import open_slices
from ....datasets.volumes.slices import Slice, slices_of
from ...evaluations import EvaluationFolder
from ...resumable import evaluation_in_parts
from ...translation.metrics.table import plain
from ..grid import LIMIT, is_alarm
from .files import FILES, NAME, PLANES, PROFILE, SLICES, TABLE
from .predictions import ACTUAL, BASELINES, Block, PairedRun, blocks_of, runs_of, score_part
from .profiles import Profile, profile_of
from .scoring import COLUMNS, slice_rows
from .survey import Survey, survey_of
from .tables import ALL, BASELINE, NETWORK, best_of, table_rows

Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What one translation made of all slices.

    Parameters
    ----------
    scores : float64 array of shape (slice, column)
        By :data:`.scoring.COLUMNS`.
    joint : int64 array of shape (256, 256)
        Pixels by levels of the images given and made.
    power : float64 array of shape (depth, width)
        Mean power spectrum, the mean in the middle.
    examples : dict of int to float32 array of shape (depth, width)
        Generated images, in levels, by their slice.
    """

    scores: NDArray[np.float64]
    joint: NDArray[np.int64]
    power: NDArray[np.float64]
    examples: dict[int, NDArray[np.float32]]


@dataclass(frozen=True)
class PairedEvaluation:
    """What came of an evaluation.

    Parameters
    ----------
    runs : tuple of PairedRun
    store : str
        Address.
    survey : Survey
        Of its slices.
    slices : dict of int to Slice
        Examples, by number.
    made : dict of str to Made
        By the translation's name: runs, what is made without a network, and the actual images.
    rows : dict of str to list of dict
        A row for each slice, by the translation's name, see :func:`.scoring.slice_rows`.
    table : list of dict
        See :func:`.tables.table_rows`.
    grid_limit : float
        Strength of a grid that is no alarm here.
    profile : Profile
    """

    runs: tuple[PairedRun, ...]
    store: str
    survey: Survey
    slices: dict[int, Slice]
    made: dict[str, Made]
    rows: dict[str, list[Row]]
    table: list[Row]
    grid_limit: float
    profile: Profile

    @property
    def best(self) -> str:
        """The network of the least NRMSE."""
        return best_of(self.table)

    def summary(self) -> dict[str, Any]:
        """Return tables as plain values, as JSON knows them."""
        return plain({
            "table": self.table,
            "grid_limit": self.grid_limit,
            "best": self.best,
            "examples": [
                {"slice": one.index, "plane": one.plane, "position": one.position}
                for one in self.slices.values()
            ],
        })  # fmt: skip


def evaluate_pairs(
    runs: Sequence[str],
    out: str | Path,
    *,
    data: str,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> PairedEvaluation:
    """Make the other images of slices, and tell how near they come to the actual ones.

    Scores are those of Tables 1 and 2 of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8),
    with the usual ones beside them, and with what can be had without a network: the images given
    as they are, and one-to-one maps of levels.

    Parameters
    ----------
    runs : sequence of str
        Folders of ``musim train translate`` on pairs.
    out : path
        A local folder for tables and figures. What runs make is scored in parts that are kept in
        it, so that others can join an evaluation that is there.
    data : str
        Store of paired slices that the runs have not seen.
    workers : int, optional
        Processes; one a processor, if not given.
    resume, overwrite : bool
        Whether to go on with, or to replace, an evaluation that is there.
    on_progress : callable
        Called with the number of slices made and in all.

    Returns
    -------
    PairedEvaluation

    Raises
    ------
    InputError
        If runs and store do not fit one another, or something is at `out` already.
    FailureError
        If the store is damaged, the folder cannot be written, or a worker dies.
    """
    chosen = runs_of([str(run) for run in runs])
    opened = open_slices(data)
    store = opened.location.address
    folder = EvaluationFolder(out, FILES)
    survey = survey_of(opened)
    levels = [survey.first.low, survey.first.high, survey.second.low, survey.second.high]
    blocks = blocks_of(chosen, opened, survey)
    tasks = {
        each.part: (store, each.first, each.last, each.how, levels, survey.examples, each.part)
        for each in blocks
    }
    settings = {
        "protocol": NAME,
        "version": FILES.version,
        "data": store,
        "runs": [run.to_json() for run in chosen],
        "levels": levels,
    }
    total = sum(each.last - each.first for each in blocks)
    software = software_versions()
    with evaluation_in_parts(
        folder, settings, software, tasks, score_part, total, workers=workers, resume=resume,
        overwrite=overwrite, on_progress=on_progress,
    ) as (place, parts):  # fmt: skip
        found = _scored(chosen, store, survey, blocks, dict(zip(tasks, parts, strict=True)))
        _write(place, {**settings, "software": software}, found)
    return found


def _scored(
    runs: tuple[PairedRun, ...],
    store: str,
    survey: Survey,
    blocks: Sequence[Block],
    parts: Mapping[str, Mapping[str, NDArray[Any]]],
) -> PairedEvaluation:
    made = {
        name: _joined(
            [parts[each.part] for each in blocks if each.name == name], len(survey.planes)
        )
        for name in dict.fromkeys(each.name for each in blocks)
    }
    strength = COLUMNS.index("grid")
    actual = made[ACTUAL].scores[:, strength]
    known = actual[~np.isnan(actual)]
    greatest = float(known.max()) if len(known) else float("nan")
    slices = slices_of(store)
    rows = {
        name: slice_rows(
            name, survey, one.scores,
            np.array([is_alarm(each, greatest) for each in one.scores[:, strength]]),
        )
        for name, one in made.items()
        if name != ACTUAL
    }  # fmt: skip
    kinds = {name: BASELINE if name in BASELINES else NETWORK for name in rows}
    table = table_rows(kinds, rows, {run.name: run.architecture for run in runs})
    examples = {index: slices[index] for index in survey.examples}
    shown = {name: one.examples for name, one in made.items() if name in kinds}
    profile = profile_of(examples[survey.examples[0]], survey, shown)
    return PairedEvaluation(
        runs, store, survey, examples, made, rows, table,
        max(LIMIT, greatest) if len(known) else LIMIT, profile,
    )  # fmt: skip


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]], slices: int) -> Made:
    return Made(
        np.concatenate([part["scores"] for part in parts]),
        np.sum([part["joint"] for part in parts], axis=0),
        np.stack([part["power"] for part in parts]).sum(axis=0, dtype=np.float64) / slices,
        {
            int(index): image
            for part in parts
            for index, image in zip(part["examples"], part["generated"], strict=True)
        },
    )


def _write(place: EvaluationFolder, settings: dict[str, Any], found: PairedEvaluation) -> None:
    from .figures import charts  # matplotlib is imported where something is drawn

    place.write_charts(charts(found))
    place.write_table(SLICES, [row for rows in found.rows.values() for row in rows])
    place.write_table(PLANES, [row for row in found.table if row["plane"] != ALL])
    place.write_table(PROFILE, found.profile.rows())
    place.write_settings({**settings, "found": found.summary()})
    place.write_table(TABLE, [row for row in found.table if row["plane"] == ALL])


def evaluation_at(folder: str | Path) -> dict[str, Any]:
    """Return the settings of a finished evaluation, with what was ``found``.

    Raises
    ------
    InputError
        If there is none, or it is not finished.
    """
    place = EvaluationFolder(Location(folder).path, FILES)
    settings = place.settings()
    place.check_finished()
    return settings
