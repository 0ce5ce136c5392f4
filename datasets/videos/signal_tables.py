"""Tables of signals that were recorded with a video: EMG, torque and angle at their own rate."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.calf.electromyography import amplitude
from ...simulator.calf.tasks import Protocol
from ...simulator.errors import InputError

TIME = "time"

SIGNALS = ("emg", "emg_amplitude", "torque", "angle")
"""Columns of a table beside :data:`TIME`, and variables of a store."""

EMG_CUTOFF = Protocol().emg_cutoff
"""Of the low-pass of rectified EMG, Hz, if nothing else is asked for."""

UNITS: Mapping[str, Mapping[str, float]] = {
    TIME: {"s": 1, "ms": 1e-3},
    "emg": {"v": 1, "mv": 1e-3, "uv": 1e-6},
    "emg_amplitude": {"v": 1, "mv": 1e-3, "uv": 1e-6},
    "torque": {"nm": 1, "mnm": 1e-3},
    "angle": {"deg": 1, "°": 1, "rad": 180 / math.pi},
}
"""Units that may stand behind a column's name, and what they are worth in the store's, the first.
Marks within them are left out: N m, N*m and N.m are one."""

WRITTEN: Mapping[str, str] = {
    TIME: "s or ms",
    "emg": "V, mV or uV",
    "emg_amplitude": "V, mV or uV",
    "torque": "N m or mN m",
    "angle": "deg or rad",
}
"""The same as people write them."""

EVEN = 0.5
"""Rows may be off even steps by this much of a step: more, and one is missing or there twice."""


@dataclass(frozen=True)
class Recorded:
    """Signals of a table, in the store's units.

    Parameters
    ----------
    path : Path
    rate : float
        Hz.
    first : float
        When the first sample was taken, s after the first frame.
    values : mapping of str to float64 array of shape (sample,)
        Of those of :data:`SIGNALS` that the table has.
    """

    path: Path
    rate: float
    first: float
    values: Mapping[str, NDArray[np.float64]]

    @property
    def samples(self) -> int:
        """How many there are."""
        return len(next(iter(self.values.values())))

    def with_amplitude(self, cutoff: float) -> "Recorded":
        """Return them with the amplitude of the EMG, if there is EMG and no amplitude.

        Raises
        ------
        InputError
            If the low-pass cannot be had at this rate.
        """
        if "emg" not in self.values or "emg_amplitude" in self.values:
            return self
        if not 0 < cutoff < self.rate / 2:
            raise InputError(
                f"`emg_cutoff`: found {cutoff:g} Hz, wanted it above 0 and below half of the "
                f"{self.rate:g} Hz of {self.path.name}"
            )
        found = amplitude(self.values["emg"], cutoff, self.rate)
        return Recorded(self.path, self.rate, self.first, {**self.values, "emg_amplitude": found})


def read_signals(path: str | Path, sample_rate: float | None = None) -> Recorded:
    """Read signals from a table.

    Parameters
    ----------
    path : path
        CSV in UTF-8 with a heading: ``time`` (s after the first frame), ``emg`` (V, raw),
        ``emg_amplitude`` (V, rectified and smoothed), ``torque`` (N m, of plantarflexion) and
        ``angle`` (deg, positive in dorsiflexion), or some of them. Other units stand behind a name
        (``emg [mV]``, see :data:`UNITS`). Columns may be parted by commas, semicolons or tabs;
        lines that begin with ``#`` are passed over.
    sample_rate : float, optional
        Hz, of a table without ``time``, whose first row is of the first frame.

    Raises
    ------
    InputError
        If it cannot be read, has unknown columns, or none, or something in it is no number, or
        times are not even.
    """
    path = Path(path)
    names, scales, rows, lines = _table(path)
    if TIME in names and sample_rate is not None:
        raise InputError(
            f"{path}: found a column {TIME} and `sample_rate`, wanted one of them; leave out the "
            "other"
        )
    if TIME not in names and sample_rate is None:
        raise InputError(
            f"{path}: found columns {', '.join(names)}, wanted {TIME} (s after the first frame) "
            "among them; or give `sample_rate`"
        )
    if sample_rate is not None and not (math.isfinite(sample_rate) and sample_rate > 0):
        raise InputError(f"`sample_rate`: found {sample_rate:g} Hz, wanted more than 0")
    if len(rows) < 2:
        raise InputError(f"{path}: found {len(rows)} rows, wanted 2 samples or more")
    columns = _numbers(path, names, rows, lines).T * np.array(scales)[:, None]
    values = dict(zip(names, columns, strict=True))
    rate, first = float(sample_rate or 0), 0.0
    if TIME in values:
        rate, first = _evenness(path, values.pop(TIME), lines)
    return Recorded(path, rate, first, values)


def _table(path: Path) -> tuple[list[str], list[float], list[list[str]], list[int]]:
    """Return names of columns, what their units are worth, rows, and the rows' lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a CSV file of signals"
        ) from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1)
             if line.strip() and not line.startswith("#")]  # fmt: skip
    if not lines:
        raise InputError(f"{path}: found nothing in it, wanted a CSV file of signals")
    heading = lines[0][1]
    mark = max(",;\t", key=heading.count)
    fields = [field.strip() for field in next(csv.reader([heading], delimiter=mark))]
    known = [_column(path, field) for field in fields]
    names = [name for name, _ in known]
    again = next((name for name in names if names.count(name) > 1), None)
    if again is not None:
        raise InputError(f"{path}: found two columns {again}, wanted one; leave out the other")
    if not set(names) & set(SIGNALS):
        raise InputError(
            f"{path}: found columns {', '.join(fields)}, wanted signals: {', '.join(SIGNALS)}, or "
            "some of them"
        )
    rows = list(csv.reader((line for _, line in lines[1:]), delimiter=mark))
    if mark != ",":
        rows = [[cell.replace(",", ".") for cell in row] for row in rows]
    return names, [scale for _, scale in known], rows, [number for number, _ in lines[1:]]


def _column(path: Path, field: str) -> tuple[str, float]:
    """Return a column's name and what its unit is worth."""
    name, _, rest = field.replace("(", "[").partition("[")
    name = name.strip().lower().replace(" ", "_")
    if name not in UNITS:
        raise InputError(
            f"{path}: found a column {field or 'without a name'}, wanted {TIME}, "
            f"{', '.join(SIGNALS)}; leave it out, or give it one of these names"
        )
    unit = rest.rstrip(")] ").strip()
    plain = unit.lower().replace("µ", "u").replace("μ", "u")
    plain = "".join(c for c in plain if c not in " *.·")
    if plain and plain not in UNITS[name]:
        raise InputError(f"{path}: found {name} in {unit}, wanted it in {WRITTEN[name]}")
    return name, UNITS[name].get(plain, 1)


def _numbers(
    path: Path, names: list[str], rows: list[list[str]], lines: list[int]
) -> NDArray[np.float64]:
    """Return rows as numbers, float64 (row, column)."""
    try:
        values = np.array(rows, np.float64)
        if values.shape == (len(rows), len(names)) and np.isfinite(values).all():
            return values
    except ValueError:
        pass  # said below, with its line
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(names):
            raise InputError(
                f"{path}, line {line}: found {len(row)} cells, wanted {len(names)}, one for each "
                "column"
            )
        for name, cell in zip(names, row, strict=True):
            try:
                good = math.isfinite(float(cell))
            except ValueError:
                good = False
            if not good:
                raise InputError(
                    f"{path}, line {line}: found {name} {cell.strip()!r}, wanted a number; fill "
                    "gaps, or leave the column out"
                )
    raise AssertionError("numbers that are none")


def _evenness(
    path: Path, times: NDArray[np.float64], lines: list[int]
) -> tuple[float, float]:  # fmt: skip
    """Return the samples a second of even times, and the first time."""
    step = float((times[-1] - times[0]) / (len(times) - 1))
    if step <= 0:
        raise InputError(
            f"{path}: found times from {times[0]:g} to {times[-1]:g} s, wanted them to rise"
        )
    # Times that were rounded, or recorded with some delay, lie about a line; one that is missing
    # moves all that follow.
    usual = float(np.median(np.diff(times)))
    worst = int(np.argmax(np.abs(np.diff(times) - usual)))
    even = times[0] + step * np.arange(len(times))
    if np.abs(times - even).max() > EVEN * step:
        gap = float(times[worst + 1] - times[worst])
        raise InputError(
            f"{path}, line {lines[worst + 1]}: found a step of {gap:.6g} s, wanted even ones of "
            f"{usual:.6g} s; fill gaps, or give `sample_rate` in place of the column"
        )
    rate, exact = 1 / step, round(1 / step)
    # A whole number of samples a second is meant where the last one would not show it.
    if exact and abs(exact - rate) / rate * len(times) < EVEN:
        rate = float(exact)
    return rate, float(times[0])
