"""A run of ``musim train judge``: examples are drawn, networks are fitted, weights are measured.

Each example and each network is a file, and depends on settings and its number alone: what an
interruption leaves is gone on with, and ends in the same weights as what nobody interrupted.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....datasets.parallel import open_workers
from ....simulator.errors import InputError
from ...runs.folder import EXAMPLES, JUDGEMENT, MEASURES, OUTLINES, RUN, TRAINING, RunFolder
from ..methods.learned.judgement import Judgement, Layer
from .settings import JudgeSettings
from .traits import Trains, name_of, read_outlines, read_trains, write_example

TASK = "judge"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Judged:
    """What a run came to.

    Parameters
    ----------
    measures : dict
        ``learned`` and ``apart``: trains and share of units' (``trains``, ``true``);
        ``networks`` and ``logistic_regression``: see :class:`.measures.Measures`, of trains apart;
        ``outlines``: see :func:`.outline_fitting.measured`, of units apart.
    trained : bool
        Whether anything was left to do.
    """

    measures: Mapping[str, Mapping[str, float]]
    trained: bool


def plan(
    folder: str | Path, texts: Mapping[str, Any] | None = None, *, resume: bool = False
) -> JudgeSettings:
    """Return the settings of a run: of a new one, or one to resume.

    Parameters and errors are those of :func:`train_judge`.
    """
    if not resume:
        return JudgeSettings(**(texts or {}))
    return _resumed(RunFolder(folder), texts or {})


def train_judge(
    folder: str | Path,
    *,
    texts: Mapping[str, Any] | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_example: Progress = lambda done, total: None,
    on_network: Progress = lambda done, total: None,
) -> Judged:
    """Learn to judge what may be a unit, into a run folder.

    Parameters
    ----------
    folder : path
    texts : mapping of str to object, optional
        Settings that differ from the usual ones, as typed, or their values. With `resume`,
        ``examples`` alone: networks are then fitted anew.
    workers : int, optional
        Processes that draw examples; one a processor, if not given.
    resume, overwrite : bool
        Whether to go on with, or to replace, a run that is there; one that has weights stays until
        the new one is trained.
    on_example, on_network : callable
        Called with the numbers done and in all.

    Returns
    -------
    Judged

    Raises
    ------
    InputError
        If something cannot be used; of a new run nothing is then left.
    FailureError
        If the folder cannot be written, or a worker dies.
    """
    import torch  # noqa: F401 (where it is missing, that is told before examples are drawn)

    texts = texts or {}
    with RunFolder(folder).at_work(resume=resume, overwrite=overwrite) as run:
        settings = plan(run.path, texts, resume=resume)
        with open_workers(workers=workers) as work:
            if resume:
                run.sweep()
                _change(run, settings)
            else:
                run.create(
                    {"task": TASK, "model": "", "settings": settings.to_json(), "source": None,
                     "grid": None},
                    overwrite=overwrite,
                )  # fmt: skip
            if (run.path / JUDGEMENT).exists():
                return Judged(_read(run, MEASURES), trained=False)
            place = run.path / EXAMPLES
            lacking = [n for n in range(settings.examples) if not (place / name_of(n)).exists()]
            done = settings.examples - len(lacking)
            on_example(done, settings.examples)

            def drawn() -> None:
                nonlocal done
                done += 1
                on_example(done, settings.examples)

            work(write_example, [(str(place), index, settings) for index in lacking], drawn)
        return Judged(_fit(run, settings, on_network), trained=True)


def _fit(
    run: RunFolder, settings: JudgeSettings, on_network: Progress
) -> Mapping[str, Mapping[str, float]]:
    """Fit what networks lack, and write the weights of all and how good they are."""
    from .fitting import Scaling
    from .measures import logistic_regression

    place = run.path / EXAMPLES
    learned, apart = (read_trains(place, settings, apart=kept) for kept in (False, True))
    scaling = Scaling.of(learned.traits)
    networks: list[list[Layer]] = []
    epochs = 0
    on_network(0, settings.networks + 1)
    for number in range(settings.networks):
        layers, took = _network(run, number, epochs, (learned, apart, scaling), settings)
        networks.append(layers)
        epochs += took
        on_network(number + 1, settings.networks + 1)
    judgement = scaling.judgement(networks)
    plain = logistic_regression(learned, scaling)
    outlines = _outlines(run, settings, epochs)
    on_network(settings.networks + 1, settings.networks + 1)
    measures = {
        "learned": _counts(learned),
        "apart": _counts(apart),
        "networks": _measured(judgement, apart),
        "logistic_regression": _measured(plain, apart),
        "outlines": outlines,
    }
    run.write(MEASURES, json.dumps(measures, indent=1).encode() + b"\n")
    # Last: where there are weights, all is done.
    run.write(JUDGEMENT, json.dumps(judgement.to_json()).encode() + b"\n")
    return measures


def _outlines(run: RunFolder, settings: JudgeSettings, before: int) -> dict[str, float]:
    """Fit the network that outlines units, unless it was before, and return how good it is."""
    from ..methods.learned.outlines import Outliner
    from .outline_fitting import fit_outlines, measured

    place = run.path / EXAMPLES
    apart = read_outlines(place, settings, apart=True)
    if (run.path / OUTLINES).exists():
        return measured(Outliner.from_json(_read(run, OUTLINES)), apart)
    run.forget(before)
    learned = read_outlines(place, settings, apart=False)
    outliner = fit_outlines(learned, apart, settings, _Epochs(run, settings.networks, before))
    run.write(OUTLINES, json.dumps(outliner.to_json()).encode() + b"\n")
    return measured(outliner, apart)


@dataclass
class _Epochs:
    """Epochs of a network, written into the run's history as they end."""

    run: RunFolder
    number: int
    before: int
    count: int = 0

    def __call__(self, row: dict[str, float]) -> None:
        self.count += 1
        step = {"step": self.before + self.count, "network": self.number, "epoch": self.count}
        self.run.append(TRAINING, {**step, **row})


def _network(
    run: RunFolder, number: int, before: int, given: tuple[Trains, Trains, Any],
    settings: JudgeSettings,
) -> tuple[list[Layer], int]:  # fmt: skip
    """Return the layers of a network and how many epochs it took, fitted unless it was before."""
    from .fitting import fit_network

    name = f"network-{number}.json"
    if (run.path / name).exists():
        return _layers(run, name)
    run.forget(before)
    epochs = _Epochs(run, number, before)
    layers = fit_network(number, *given, settings, epochs)
    kept = {
        "epochs": epochs.count,
        "layers": [{"weight": weight.tolist(), "bias": bias.tolist()} for weight, bias in layers],
    }
    run.write(name, json.dumps(kept).encode() + b"\n")
    return layers, epochs.count


def _layers(run: RunFolder, name: str) -> tuple[list[Layer], int]:
    found = _read(run, name)
    try:
        layers = [
            (np.array(one["weight"], np.float64), np.array(one["bias"], np.float64))
            for one in found["layers"]
        ]
        return layers, int(found["epochs"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _damaged(run, name) from None


def _measured(judgement: Judgement, apart: Trains) -> dict[str, float]:
    from .measures import Measures

    return Measures.of(judgement.probability(apart.traits), apart.true).to_json()


def _counts(trains: Trains) -> dict[str, float]:
    return {"trains": len(trains.true), "true": float(trains.true.mean())}


def _read(run: RunFolder, name: str) -> Any:
    try:
        return json.loads((run.path / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        raise _damaged(run, name) from None


def _damaged(run: RunFolder, name: str) -> InputError:
    return InputError(
        f"{run.path / name}: found it missing or damaged, wanted what musim train judge wrote; "
        f"remove it and {JUDGEMENT} beside it, and add `resume=True`"
    )


def _resumed(run: RunFolder, texts: Mapping[str, Any]) -> JudgeSettings:
    stored = run.describe(TASK)["settings"]
    other = [name for name in texts if name != "examples"]
    if other:
        raise InputError(
            f"{run}: found {other[0]} changed with `resume=True`, wanted the run's own; only "
            "examples may be: begin another run for the rest"
        )
    try:
        settings = JudgeSettings.from_json(stored)
    except InputError as error:
        raise InputError(f"{run}: found {RUN} changed ({error}); restore it") from None
    except (TypeError, ValueError, AttributeError):
        raise InputError(
            f"{run}: found {RUN} damaged at settings, wanted it whole; restore it"
        ) from None
    return JudgeSettings(**{**settings.__dict__, **texts})


def _change(run: RunFolder, settings: JudgeSettings) -> None:
    """Write another number of examples down; what was fitted to the number before goes."""
    if run.describe()["settings"] == settings.to_json():
        return
    # The weights first: where there are weights, they are those of the settings.
    for name in (JUDGEMENT, MEASURES, OUTLINES, TRAINING, "network-*.json"):
        for file in run.path.glob(name):
            file.unlink()
    run.change_settings(settings.to_json())
