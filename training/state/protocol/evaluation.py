"""Runs of musim train state put to the test, as Cunningham et al. 2017 do and beyond."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.location import Location
from ....datasets.origin import software_versions
from ...evaluations import EvaluationFolder
from ...resumable import evaluation_in_parts
from ...translation.metrics.table import plain
from ..coherence import Coherence
from ..scoring import PredictedTrial
from .files import CHANGES, COHERENCE, DATA, DOSES, FILES, NAME, SERIES, STATES, TESTS
from .predictions import (
    Prediction,
    StateRun,
    held_out_trials,
    predict_part,
    predicted_trial,
    predictions_of,
    runs_of,
    stores_of,
)
from .tables import (
    Row,
    change_rows,
    coherence_rows,
    coherences,
    dose_rows,
    overall_row,
    series_rows,
    state_rows,
)


@dataclass(frozen=True)
class StateEvaluation:
    """What came of an evaluation.

    Parameters
    ----------
    runs : tuple of StateRun
    stores : dict of str
        Addresses by name; first that of all tables but the doses'.
    trials : dict of list of PredictedTrial
        Predicted trials of the first store, by run.
    tests, changes, states, doses : list of dict
        Rows of Table 1; of Tables 2 to 4; about states and their drift; about all stores. See
        :mod:`.tables`.
    coherences : dict of dict of Coherence
        By run and signal.
    """

    runs: tuple[StateRun, ...]
    stores: dict[str, str]
    trials: dict[str, list[PredictedTrial]]
    tests: list[Row]
    changes: list[Row]
    states: list[Row]
    doses: list[Row]
    coherences: dict[str, dict[str, Coherence]]

    @property
    def held_out(self) -> int:
        """Number of the participant who was predicted."""
        return self.runs[0].held_out

    def summary(self) -> dict[str, Any]:
        """Return rows as plain values, as JSON knows them."""
        return plain({"tests": self.tests, "changes": self.changes, "states": self.states,
                      "doses": self.doses})  # fmt: skip


def evaluate_state(
    runs: Sequence[str],
    out: str | Path,
    *,
    data: str | None = None,
    doses: Mapping[str, str] | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> StateEvaluation:
    """Predict the participant that runs held out, and tell how near that comes to the truth.

    Changes of EMG, torque and angle are scored as in Tables 1 to 4 and Fig. 6 of Cunningham et al.
    2017 (doi:10.1101/157479); then states, added up of changes or predicted, and how they drift.

    Parameters
    ----------
    runs : sequence of str
        Folders of ``musim train state``, which held out the same participant.
    out : path
        A local folder for tables and figures. Predictions are kept in it, so that runs and doses
        can join an evaluation that is there.
    data : str, optional
        Store with trials of that participant; that which runs were trained on, if not given.
    doses : mapping of str to str
        Other stores with trials of that participant, such as with other doses, by their names.
    workers : int, optional
        Processes; one a processor, if not given.
    resume, overwrite : bool
        Whether to go on with, or to replace, an evaluation that is there.
    on_progress : callable
        Called with the number of frames predicted and in all.

    Returns
    -------
    StateEvaluation

    Raises
    ------
    InputError
        If runs, stores and participants do not fit one another, or something is at `out` already.
    FailureError
        If a store is damaged, the folder cannot be written, or a worker dies.
    """
    chosen = runs_of([str(run) for run in runs])
    stores = stores_of(chosen, data, doses or {})
    folder = EvaluationFolder(out, FILES)
    trials = {name: held_out_trials(store, chosen) for name, store in stores.items()}
    todo = predictions_of(chosen, trials)
    tasks = {
        each.part: (each.run.folder, stores[each.store], each.trial.index, each.part)
        for each in todo
    }
    settings = {
        "protocol": NAME,
        "version": FILES.version,
        "data": stores[DATA],
        "held_out": chosen[0].held_out,
        "runs": [run.to_json() for run in chosen],
        "doses": {name: store for name, store in stores.items() if name != DATA},
    }
    total = sum(each.trial.frames for each in todo)
    software = software_versions()
    with evaluation_in_parts(
        folder, settings, software, tasks, predict_part, total, workers=workers, resume=resume,
        overwrite=overwrite, on_progress=on_progress,
    ) as (place, parts):  # fmt: skip
        by_name = dict(zip(tasks, parts, strict=True))
        found = _scored(chosen, stores, [(each, by_name[each.part]) for each in todo])
        _write(place, {**settings, "software": software}, found)
    return found


def _scored(
    runs: tuple[StateRun, ...],
    stores: dict[str, str],
    predicted: Sequence[tuple[Prediction, Mapping[str, NDArray[Any]]]],
) -> StateEvaluation:
    found = StateEvaluation(runs, stores, {}, [], [], [], [], {})
    for run in runs:
        for store in stores:
            own = [(each, part) for each, part in predicted
                   if each.run is run and each.store == store]  # fmt: skip
            trials = [predicted_trial(each, part) for each, part in own]
            changes = change_rows(run, trials, np.asarray(own[0][1]["scale"], np.float64))
            states = state_rows(run, trials)
            found.doses.extend(dose_rows(store, changes, states))
            if store != DATA:
                continue
            found.trials[run.name] = trials
            found.tests.append(overall_row(run, changes))
            found.changes.extend(changes)
            found.states.extend(states)
            found.coherences[run.name] = coherences(trials)
    return found


def _write(place: EvaluationFolder, settings: dict[str, Any], found: StateEvaluation) -> None:
    from .figures import charts  # matplotlib is imported where something is drawn

    place.write_charts(charts(found))
    place.write_table(CHANGES, found.changes)
    place.write_table(STATES, found.states)
    spectra = [row for run in found.runs for row in coherence_rows(run, found.coherences[run.name])]
    place.write_table(COHERENCE, spectra)
    place.write_table(SERIES, list(series_rows(found.trials)))
    place.write_table(DOSES, found.doses)
    place.write_settings({**settings, "found": found.summary()})
    place.write_table(TESTS, found.tests)


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
