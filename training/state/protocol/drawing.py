"""What the figures of an evaluation share: colours of runs, axes, legends."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..scoring import PredictedTrial, tasks_of

if TYPE_CHECKING:
    from .evaluation import StateEvaluation

RUN_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours of runs, which those who see no red or no green tell apart (Okabe and Ito 2008)."""

UNKNOWN = "unknown task"

NAMES = {"emg": "EMG", "torque": "Torque", "angle": "Angle"}

DRAWN_UNITS = ("mV", "N m", "deg")
FACTORS = (1000, 1, 1)
"""What is drawn over the unit of states: EMG is small."""


def new_figure(wide: float, tall: float) -> Figure:
    """Return an empty figure, sized in inches."""
    figure = Figure(figsize=(wide, tall), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def colour_of(found: "StateEvaluation", run: str) -> str:
    """Return the colour of a run."""
    places = [each.name for each in found.runs]
    return RUN_COLOURS[places.index(run) % len(RUN_COLOURS)]


def simplify(axes: Any) -> None:
    """Take what is not needed off some axes."""
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, axes: Iterable[Any]) -> None:
    """Name the lines of some axes, each once, above the figure."""
    named: dict[str, Any] = {}
    for one in axes:
        handles, labels = one.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    figure.legend(named.values(), named.keys(), loc="outside upper center",
                  ncols=min(len(named), 5), fontsize=8, frameon=False)  # fmt: skip


def first_trials(found: "StateEvaluation") -> dict[str, dict[str, PredictedTrial]]:
    """Return the first trial of each task, in the order of tables, by run."""
    return {
        run: {task: next(each for each in trials if each.task == task) for task in tasks_of(trials)}
        for run, trials in found.trials.items()
    }


def label_of(name: str) -> str:
    """Return a user's name as text that matplotlib draws as it stands."""
    # A dollar begins a formula, and what begins with an underscore is left out of legends.
    return name.replace("$", r"\$") if not name.startswith("_") else label_of(f" {name}")
