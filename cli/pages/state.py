"""The page about an evaluation of predicted states of muscle."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ...datasets.location import Location
from ...simulator.errors import FailureError
from ...training.state.protocol.files import CAPTIONS, DATA, SETTINGS
from .document import document, section
from .markup import UNKNOWN, element, fixed, join
from .tables import Cell, Column, RowHead, definitions, table
from .translation import embedded_figure

Rows = Sequence[Mapping[str, Any]]

TITLE = "What is told of a muscle's state"

SIGNALS = {"emg": "EMG (Table 2)", "torque": "Torque (Table 3)", "angle": "Angle (Table 4)"}

MEASURES = {"mse": "MSE", "nrmse": "NRMSE", "rmse": "RMSE", "r2": "R²"}

WHAT = (
    "Changes from frame to frame. MSE is of changes over their standard deviation in training; "
    "NRMSE is 1 less RMSE over the standard deviation of what was measured, as in the paper: 1 is "
    "perfect, 0 is what the mean reaches. NRMSE and R² are left out where a task does not change "
    "a signal."
)
DOSES = {"changes": "r2", "changes added up": "integrated_r2", "states": "absolute_r2"}

STATES = (
    "States that predicted changes add up to from the first measured state on, and states that "
    "are predicted from frames themselves. Drift is the slope of their error, and at the end it "
    "is taken over the last 10 s."
)


def state_page(folder: Location) -> str:
    """Return the page about an evaluation of states.

    Parameters
    ----------
    folder : Location
        What ``musim evaluate state`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    try:
        settings = json.loads(folder.read(SETTINGS))
        figures = json.loads(folder.read(CAPTIONS))
        return _page(folder, settings, settings["found"], figures)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{folder}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate state; evaluate again with --overwrite"
        ) from error


def _page(
    folder: Location,
    settings: Mapping[str, Any],
    found: Mapping[str, Rows],
    figures: Sequence[dict[str, str]],
) -> str:
    runs = ", ".join(run["name"] for run in settings["runs"])
    origin = [
        ("Videos", settings["data"]),
        *((f"Dose: {name}", store) for name, store in settings["doses"].items()),
        *((f"Run: {run['name']}", f"{run['folder']} ({run['method']}, {run['target']})")
          for run in settings["runs"]),
        ("Evaluation", str(folder)),
        ("Software", ", ".join(f"{k} {v}" for k, v in sorted(settings["software"].items()))),
    ]  # fmt: skip
    shown = {figure["name"]: embedded_figure(folder, figure) for figure in figures}
    body = [
        element(
            "header",
            element("p", "Evaluation of predicted states of muscle", class_="kind"),
            element("h1", f"{TITLE}: {runs}"),
            element("p", f"Participant {settings['held_out']}, whom no run was trained on.",
                    class_="summary"),
        ),
        element(
            "main",
            element("p", "The headings of tables sort them.", class_="help", hidden=True),
            _section("test", "Test error (Table 1)", _tests(found["tests"])),
            shown["state-r2"],
            *(_section(signal, title, _changes(found["changes"], signal),
                       element("p", WHAT) if signal == "emg" else None)
              for signal, title in SIGNALS.items()),
            *(shown[f"state-{name}"] for name in ("series", "zoom", "coherence", "drift")),
            _section("states", "States", _states(found["states"]), element("p", STATES)),
            *((shown["state-doses"], _section("doses", "Doses by task", _doses(found["doses"])))
              if settings["doses"] else ()),
            _section("origin", "Where this comes from", definitions(origin)),
        ),
    ]  # fmt: skip
    return document(f"{TITLE}: {runs}", join(*body))


def _section(name: str, title: str, *content: Markup | None) -> Markup:
    return section(f"part-{name}", title, *content)


def _tests(rows: Rows) -> Markup:
    columns = [
        Column("Method", [(row["method"], row["method"]) for row in rows]),
        Column("Told", [(row["target"], row["target"]) for row in rows]),
        Column("Test MSE", _cells(rows, "test_mse")),
        Column("Test MSE, paper", _cells(rows, "paper_test_mse")),
    ]
    caption = "Mean of the MSEs of all signals and tasks; beside it the paper's best model"
    return table("tests", caption, "Run", _heads(rows), columns)


def _changes(rows: Rows, signal: str) -> Markup:
    shown = _in_turn([row for row in rows if row["signal"] == signal])
    unit = shown[0]["unit"]
    columns = [_words("Task", shown, "task")]
    for name, heading in MEASURES.items():
        show = _small if name == "rmse" else _three
        title = f"{heading} ({unit})" if name == "rmse" else heading
        columns.append(Column(title, _cells(shown, name, show)))
        columns.append(Column(f"{title}, paper", _cells(shown, f"paper_{name}", show)))
    caption = "Beside each what Cunningham et al. 2017 report of the same method and task"
    return table(f"changes-{signal}", caption, "Run", _heads(shown), columns)


def _states(rows: Rows) -> Markup:
    rows = _in_turn(rows)
    columns = [
        _words("Signal", rows, "signal"),
        _words("Task", rows, "task"),
        _words("States", rows, "how"),
        Column("R²", _cells(rows, "r2")),
        Column("NRMSE", _cells(rows, "nrmse")),
        *(Column(heading, [_with_unit(row[name], row["unit"]) for row in rows])
          for name, heading in (("rmse", "RMSE"), ("slope", "Drift a second"),
                                ("end", "RMSE at the end"))),
    ]  # fmt: skip
    caption = "Of the whole of each task"
    return table("states", caption, "Run", _heads(rows), columns)


def _doses(rows: Rows) -> Markup:
    names = list(dict.fromkeys(row["dose"] for row in rows))
    # A store may lack tasks that another has.
    unlike = {(row["run"], row["signal"], row["task"]): row for row in reversed(rows)}
    lines = []
    for row in _in_turn([row for row in rows if any(row is one for one in unlike.values())]):
        same = [each for each in rows
                if all(each[key] == row[key] for key in ("run", "signal", "task"))]  # fmt: skip
        for what, key in DOSES.items():
            values = {each["dose"]: each[key] for each in same}
            if any(value is not None for value in values.values()):
                lines.append({**row, "what": what, **{f"dose {k}": values.get(k) for k in names}})
    columns = [
        _words("Signal", lines, "signal"),
        _words("Task", lines, "task"),
        _words("Of", lines, "what"),
        *(Column("as given" if name == DATA else name, _cells(lines, f"dose {name}"))
          for name in names),
    ]  # fmt: skip
    caption = "R² of the same participant and runs, by the store that was predicted"
    return table("doses", caption, "Run", _heads(lines), columns)


def _in_turn(rows: Rows) -> Rows:
    """Return rows by signal and task, so that those of runs that are compared follow another."""
    order = list(dict.fromkeys((row["signal"], row["task"]) for row in rows))
    return sorted(rows, key=lambda row: order.index((row["signal"], row["task"])))


def _heads(rows: Rows) -> list[RowHead]:
    return [RowHead(place, row["run"]) for place, row in enumerate(rows)]


def _words(heading: str, rows: Rows, name: str) -> Column:
    return Column(heading, [(row[name], row[name] or UNKNOWN) for row in rows])


def _cells(rows: Rows, name: str, show: Any = None) -> list[Cell]:
    values = [math.nan if row[name] is None else float(row[name]) for row in rows]
    return [(value, (show or _three)(value)) for value in values]


def _three(value: float) -> str:
    return fixed(value, 3)


def _small(value: float) -> str:
    """Return a value with three digits, however small it is."""
    return UNKNOWN if math.isnan(value) else f"{value:.3g}".replace("-", "−")


def _with_unit(value: float | None, unit: str) -> Cell:
    number = math.nan if value is None else float(value)
    return number, UNKNOWN if math.isnan(number) else f"{_small(number)} {unit}"
