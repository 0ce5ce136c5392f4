"""What the trials of a store of videos are together."""

import math
from dataclasses import dataclass

import numpy as np

from ..store import Store
from .trials import STATES, trials_of


@dataclass(frozen=True)
class StateSummary:
    """One state in all trials of a task.

    Parameters
    ----------
    task : str
        Empty where it is not known.
    state : str
        One of :data:`.trials.STATES`.
    trials : int
        Those in which it is known.
    mean, sd, minimum, maximum : float
        At the instants of images, V, N m or deg; NaN where it is not known.
    change_sd : float
        Root mean square of its change from image to image.
    """

    task: str
    state: str
    trials: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    change_sd: float


@dataclass(frozen=True)
class VideosCard:
    """The trials of a store.

    Parameters
    ----------
    participants, trials : int
    seconds : float
        Of all videos.
    states : tuple of StateSummary
        Of each task and state.
    """

    participants: int
    trials: int
    seconds: float
    states: tuple[StateSummary, ...]


def videos_card(store: Store) -> VideosCard:
    """Read the signals of a store's trials, one after the other, and sum them up.

    Raises
    ------
    InputError
        If it holds something else.
    FailureError
        If it is damaged.
    """
    trials = trials_of(store)
    sums: dict[tuple[str, str], list[tuple[int, float, float, float, float, int, float]]] = {}
    for trial in trials:
        for state, course in zip(STATES, trial.states().T.astype(np.float64), strict=True):
            known, changes = course[~np.isnan(course)], np.diff(course)
            changes = changes[~np.isnan(changes)]
            sums.setdefault((trial.task, state), []).append((
                len(known), known.sum(), (known**2).sum(), known.min(initial=math.inf),
                known.max(initial=-math.inf), len(changes), (changes**2).sum(),
            ))  # fmt: skip
    return VideosCard(
        participants=len({trial.participant for trial in trials}),
        trials=len(trials),
        seconds=sum(trial.frames / trial.frame_rate for trial in trials),
        states=tuple(_summary(*names, rows) for names, rows in sums.items()),
    )


def _summary(
    task: str, state: str, rows: list[tuple[int, float, float, float, float, int, float]]
) -> StateSummary:
    counts, sums, squares, lowest, highest, changes, moved = map(np.array, zip(*rows, strict=True))
    count, change = counts.sum(), changes.sum()
    mean = sums.sum() / count if count else math.nan
    known = count > 0
    return StateSummary(
        task=task,
        state=state,
        trials=int((counts > 0).sum()),
        mean=float(mean),
        sd=math.sqrt(max(squares.sum() / count - mean**2, 0)) if known else math.nan,
        minimum=float(lowest.min()) if known else math.nan,
        maximum=float(highest.max()) if known else math.nan,
        change_sd=math.sqrt(moved.sum() / change) if change else math.nan,
    )
