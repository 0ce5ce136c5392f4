"""Finding out what a run has learned about the mechanics of muscle, with figures in a folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....datasets.location import Location
from ....datasets.origin import software_versions
from ....simulator.errors import InputError
from ....simulator.seeds import check_seed
from ...evaluations import EvaluationFolder
from ...runs.folder import RunFolder
from ...tasks import digest_of
from ...translation.metrics.table import plain
from ..even_frames import even_frames
from ..predicting import StatePredictor
from ..state_networks import SIGNALS
from ..state_source import StateSource
from ..tracking.features import Tracker
from .explanation import OUTPUTS, Explanation, filter_rows, motion_rows, tuning_rows
from .files import FILES, FILTERS, MOTION, TUNING
from .filters import maximised_filters
from .imposing import tuning
from .maximising import Ascent
from .outputs import maximised_outputs
from .trial_motion import motion_in_trials

if TYPE_CHECKING:
    from ....datasets.videos.trials import MuscleTrial

AMOUNTS = np.linspace(-2, 2, 9)
"""Of imposed motion, px; as much as moves from frame to frame in trials."""

PUBLISHED = Ascent()
STEADY = Ascent(scaled=True)


def explain_run(
    run: str | Path,
    out: str | Path | None = None,
    *,
    data: Any = "",
    starts: int = 8,
    filters: int = 8,
    frames: int = 24,
    pairs: int = 240,
    seed: int = 0,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Explanation:
    """Tell what a network of states responds to, and to which motion.

    Parameters
    ----------
    run : path
        Of ``musim train state``.
    out : path, optional
        A local folder for tables and figures; without it nothing is written.
    data : Store, str or path
        Trials whose frames motion is imposed on; if not given, the run's own, of the participant
        that it was not trained on. Where there are none, that is left out.
    starts : int
        Of noise, from each of which every output is raised.
    filters : int
        Of each convolution that are shown; 0: none.
    frames : int
        That motion is imposed on.
    pairs : int
        Of frames of trials, whose motion tells what was to be learned.
    seed : int
        Of which filters are shown, 0 or more.
    overwrite : bool
        Whether to replace an explanation that is there.
    on_progress : callable
        Called with the numbers of steps done and in all.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If there is no such run, its libraries or trials are lacking, or something is at `out`.
    """
    check_seed(seed)
    for name, number, least in (("starts", starts, 1), ("filters", filters, 0),
                                ("frames", frames, 1), ("pairs", pairs, 1)):  # fmt: skip
        if number < least:
            raise InputError(f"`{name}`: found {number}, wanted {least} or more")
    folder = None if out is None else EvaluationFolder(out, FILES)
    if folder is not None:
        folder.check(overwrite=overwrite)
    predictor = StatePredictor.of_run(run)
    trials, remarks = trials_for(predictor, data)
    steps = iter(range(1, 5))

    def done() -> None:
        on_progress(next(steps), 4)

    found = _explain(predictor, trials, starts, filters, frames, pairs, seed, done)
    found = replace(found, remarks=remarks)
    if folder is not None:
        from .figures import draw_charts  # matplotlib is imported where something is drawn

        with folder.at_work(overwrite=overwrite) as place:
            place.write_settings(
                {
                    "run": Location(str(run)).address,
                    "weights": digest_of(run),
                    "trials": [f"{trial.name}" for trial in trials],
                    "seed": seed,
                    "explanation": summary(found),
                    "software": software_versions(),
                }
            )
            place.write_charts(draw_charts(found))
            place.write_table(FILTERS, filter_rows(found))
            place.write_table(TUNING, tuning_rows(found))
            place.write_table(MOTION, motion_rows(found))
    return found


def trials_for(predictor: StatePredictor, data: Any) -> "tuple[list[MuscleTrial], tuple[str, ...]]":
    """Return the trials whose frames are looked at, and why there are none.

    Raises
    ------
    InputError
        If trials were named and cannot be used.
    """
    from ....datasets.videos.trials import trials_of

    if data:
        trials = trials_of(data)
        held_out = trials
    else:
        source = StateSource.from_json(RunFolder(predictor.run).describe("state")["source"])
        try:
            held_out = source.tested
        except InputError as error:
            return [], (f"no trials were looked at: {error}",)
    for trial in held_out:
        predictor.check(trial.store.layout.grid, trial.name)
    return list(held_out), ()


def summary(found: Explanation) -> dict[str, Any]:
    """Return all numbers as plain values, as JSON knows them.

    Returns
    -------
    dict
        ``method``; ``starts`` and ``frames`` that were taken; ``motion``, the rows of
        :func:`.explanation.motion_rows`; ``scales``, SDs of changes; ``remarks``.
    """
    return plain(
        {
            "method": found.method,
            "starts": found.starts,
            "frames": found.frames,
            "pixel_size": list(found.pixel_size),
            "scales": dict(zip(OUTPUTS, found.scales.tolist(), strict=True)),
            "motion": motion_rows(found),
            "filters": len(filter_rows(found)),
            "remarks": list(found.remarks),
        }
    )


def _explain(
    predictor: StatePredictor, trials: "list[MuscleTrial]", starts: int, filters: int, frames: int,
    pairs: int, seed: int, done: Callable[[], None],
) -> Explanation:  # fmt: skip
    networks, settings = predictor.task.networks, predictor.task.settings
    for weights in networks.parameters():
        weights.requires_grad_(False)
    _, depth, width = predictor.grid.shape
    outputs = maximised_outputs(networks, OUTPUTS, STEADY, starts, (depth, width))
    done()
    shown = maximised_filters(networks, PUBLISHED, filters, seed) if filters else []
    done()
    scales = networks.label_sd[:SIGNALS].numpy().astype(np.float64)
    motion, told, count = None, None, 0
    if trials:
        motion = motion_in_trials(trials, scales, pairs, Tracker(window=settings.window))
        done()
        told, count = _tuning(predictor, trials, frames)
    else:
        done()
    done()
    return Explanation(
        settings.method, (depth, width), predictor.grid.pixel_size, starts, outputs, shown, scales,
        count, AMOUNTS, told, motion,
    )  # fmt: skip


@torch.no_grad()
def _tuning(
    predictor: StatePredictor, trials: "list[MuscleTrial]", count: int
) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Return what is told of some frames of trials, moved, and how many frames they are."""
    networks, stage = predictor.task.networks, predictor.task.networks.stage
    chosen = even_frames(trials, count)
    found = []
    for trial, at in chosen:
        rest = None
        if networks.outputs > SIGNALS:
            rest = stage.rows_of(trial.images(0, 1))[0]

        def tell(frames: NDArray[np.uint8], rest: Any = rest) -> NDArray[np.float32]:
            rows = stage.rows_of(frames)
            batch = {"rows": torch.from_numpy(rows)[None]}
            if rest is not None:
                batch["compared"] = torch.from_numpy(stage.compare(rest, rows[-1:]))
            return networks.tell(batch)[0, :SIGNALS].numpy()

        found.append(tuning(tell, trial.images(at, at + 1), AMOUNTS))
    return {
        motion: np.concatenate([each[motion] for each in found], axis=1) for motion in found[0]
    }, len(chosen)  # fmt: skip
