"""What runs predict of trials of the participant that was held out, kept as parts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ....datasets.grid import Grid
from ....datasets.location import Location
from ....datasets.store import open_videos
from ....datasets.store_files import SEAL
from ....datasets.videos.trials import MuscleTrial, trials_of
from ....simulator.errors import InputError
from ...evaluations import EvaluationFolder
from ...runs.folder import RunFolder
from ...tasks import digest_of
from ..scoring import PredictedTrial
from .files import DATA, FILES

TASK = "state"
"""The task of training whose runs are evaluated."""


@dataclass(frozen=True)
class StateRun:
    """A run of ``musim train state``, as it says of itself.

    Parameters
    ----------
    name : str
        Tells it from the others.
    folder : str
    method : {"cnn", "klt"}
    target : {"changes", "absolute"}
    data : str
        Store that it was trained on.
    held_out : int
        Number of the participant that it never saw.
    grid : Grid
        Of what it takes.
    """

    name: str
    folder: str
    method: str
    target: str
    data: str
    held_out: int
    grid: Grid

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "grid": self.grid.to_json()}


def runs_of(folders: Sequence[str]) -> tuple[StateRun, ...]:
    """Read what runs say of themselves.

    Parameters
    ----------
    folders : sequence of str
        Folders of runs; one or more.

    Raises
    ------
    InputError
        If there is none, one is there twice, or is no run of states; or if they held out different
        participants.
    """
    if not folders:
        raise InputError("runs: found none, wanted one or more folders of musim train state")
    places = [str(Path(folder).resolve()) for folder in folders]
    twice = next((one for one, place in zip(folders, places, strict=True)
                  if places.count(place) > 1), None)  # fmt: skip
    if twice is not None:
        raise InputError(f"{twice}: found this run twice, wanted each once; leave one out")
    short = [Path(place).name for place in places]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in folders]
    found = tuple(_read(name, place) for name, place in zip(names, places, strict=True))
    for run in found[1:]:
        if run.held_out != found[0].held_out:
            raise InputError(
                f"{run.folder}: found participant {run.held_out} held out for test, wanted "
                f"participant {found[0].held_out} as in {found[0].folder}; evaluate them apart"
            )
    return found


def _read(name: str, folder: str) -> StateRun:
    described = RunFolder(folder).describe(TASK)
    try:
        settings, source = described["settings"], described["source"]
        return StateRun(
            name, folder, str(settings["method"]), str(settings["target"]), str(source["store"]),
            int(source["test"]), Grid.from_json(described["grid"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{folder}: found run.json damaged, wanted what musim train wrote; restore it, or use "
            "another run"
        ) from None


def stores_of(
    runs: Sequence[StateRun], data: str | None, doses: Mapping[str, Any]
) -> dict[str, str]:
    """Return the addresses of the stores that are predicted, by name; first that of all tables.

    Parameters
    ----------
    runs : sequence of StateRun
    data : str, optional
        That which runs were trained on, if not given.
    doses : mapping of str to str
        Other stores by their names.

    Raises
    ------
    InputError
        If runs were trained on different stores and none is named, or a dose has the name of it.
    """
    if DATA in doses:
        raise InputError(f"dose: found the name {DATA}, which `data` has; choose another")
    trained = list(dict.fromkeys(run.data for run in runs))
    if data is None and len(trained) > 1:
        raise InputError(
            f"runs: found some trained on {trained[0]} and some on {trained[1]}, wanted one store "
            "to evaluate on; name it, `data`"
        )
    places = {DATA: trained[0] if data is None else data, **doses}
    return {name: Location(place).address for name, place in places.items()}


def held_out_trials(store: str, runs: Sequence[StateRun]) -> list[MuscleTrial]:
    """Return the trials of the participant that runs held out.

    Raises
    ------
    InputError
        If the store lacks them, or its videos are not such as the runs take.
    FailureError
        If it is damaged.
    """
    opened = open_videos(store)
    for run in runs:
        if not run.grid.fits(opened.layout.grid, frames=False):
            raise InputError(
                f"{store}: found videos of {opened.layout.grid.image} at "
                f"{opened.layout.frame_rate:g} Hz, wanted {run.grid.image} at "
                f"{run.grid.frame_rate:g} Hz as {run.name} was trained on; name another store"
            )
    trials = trials_of(opened)
    held_out = runs[0].held_out
    found = [trial for trial in trials if trial.participant == held_out]
    if not found:
        there = sorted({trial.participant for trial in trials})
        raise InputError(
            f"{store}: found no participant {held_out}, who was held out for test, wanted trials "
            f"of that one (there are {', '.join(map(str, there))}); name another store"
        )
    short = next((trial for trial in found if trial.frames < 2), None)
    if short is not None:
        raise InputError(
            f"{store}: found {short.frames} frames in trial {short.name}, wanted two or more"
        )
    return found


@dataclass(frozen=True)
class Prediction:
    """One run and one trial that are to be put together.

    Parameters
    ----------
    run : StateRun
    store : str
        Name of the store.
    trial : MuscleTrial
    part : str
        Name of the part that holds it.
    """

    run: StateRun
    store: str
    trial: MuscleTrial
    part: str


def predictions_of(
    runs: Sequence[StateRun], trials: Mapping[str, Sequence[MuscleTrial]]
) -> list[Prediction]:
    """Return all that is to be predicted: every run on every trial of every store.

    A part is named after weights, store and trial: whatever else is evaluated, it stays the same.

    Raises
    ------
    InputError
        If a run has no weights.
    """
    weights = {run.name: digest_of(run.folder) for run in runs}
    return [
        Prediction(run, store, trial, _part(weights[run.name], trial))
        for run in runs
        for store, some in trials.items()
        for trial in some
    ]


def _part(weights: str, trial: MuscleTrial) -> str:
    seal = trial.store.location.read(SEAL).decode()
    about = json.dumps([weights, seal, trial.index, FILES.version])
    return f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.npz"


def predict_part(folder: str, run: str, store: str, index: int, name: str) -> None:
    """Predict a trial, and write it with what was measured as a part of an evaluation.

    Parameters
    ----------
    folder : str
        Of the evaluation.
    run, store : str
        Their places.
    index : int
        Of the trial in its store.
    name : str
        Of the part.
    """
    from ..predicting import StatePredictor  # which brings torch
    from ..state_networks import SIGNALS

    trial = next(each for each in trials_of(store) if each.index == index)
    predictor = StatePredictor.of_run(run)
    found = predictor.predict(trial)
    # By what changes were standardised in training.
    scale = predictor.task.networks.label_sd[:SIGNALS].double().numpy()
    content = {"true": trial.states(), "changes": found.changes, "scale": scale}
    if found.states is not None:
        content["states"] = found.states
    EvaluationFolder(folder, FILES).write_part(name, content)


def predicted_trial(prediction: Prediction, part: Mapping[str, NDArray[Any]]) -> PredictedTrial:
    """Return a trial with what was predicted of it, of what :func:`predict_part` wrote."""
    return PredictedTrial(
        prediction.run.name, prediction.trial.task, prediction.trial.frame_rate, part["true"],
        part["changes"], part.get("states"),
    )  # fmt: skip
