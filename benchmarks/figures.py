"""The speed figures of the project, each of them a ratio.

A figure is measured against what one would use instead, or against a physical limit, in turns in
one run: so it is a ratio, which another day's machine changes little.
"""

import statistics
from dataclasses import dataclass
from typing import Literal, NamedTuple

from benchmarks.measure import Comparison
from benchmarks.starting import COMMANDS


@dataclass(frozen=True)
class Figure:
    """What is measured, and against what.

    Parameters
    ----------
    name, against : str
        Together they name the ratio.
    unit : str
        Of both values.
    better : {"more", "less"}
        Which ratio of the first value to the second is the better one.
    """

    name: str
    against: str
    unit: str
    better: Literal["more", "less"]

    def of(self, times: Comparison, amount: float = 1, other: float | None = None) -> "Measured":
        """Return the figure from times that were taken in turns.

        Parameters
        ----------
        times : Comparison
        amount, other : float
            What each call of the first and of the second did, in the unit's terms; the same if no
            other is given.
        """
        amounts = (amount, amount if other is None else other)
        values = [
            [done / time if self.better == "more" else time / done for time in each]
            for each, done in zip(times.times, amounts, strict=True)
        ]
        ratios = tuple(first / second for first, second in zip(*values, strict=True))
        return Measured(self, *(statistics.median(each) for each in values), ratios)


@dataclass(frozen=True)
class Measured:
    """A figure as one run has it.

    Parameters
    ----------
    figure : Figure
    value, other : float
        Medians, in the figure's unit.
    ratios : tuple of float
        The first to the second, round by round.
    """

    figure: Figure
    value: float
    other: float
    ratios: tuple[float, ...]

    def row(self) -> str:
        """Return its row of a table that begins with :data:`HEAD`."""
        figure = self.figure
        return (
            f"| {figure.name}, {figure.unit} | {self.value:.4g} | {figure.against} "
            f"| {self.other:.4g} | {self.range} |"
        )

    @property
    def range(self) -> "Range":
        """The least, the median and the greatest of the ratios."""
        return Range(min(self.ratios), statistics.median(self.ratios), max(self.ratios))


class Range(NamedTuple):
    """Ratios of the rounds of a run."""

    least: float
    median: float
    greatest: float

    def __str__(self) -> str:
        """Return the median, and in brackets the range."""
        return f"{_digits(self.median)} ({_digits(self.least)}-{_digits(self.greatest)})"


def _digits(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


SPEED, SECONDS = ("sequences/s", "more"), ("s", "less")
ARITHMETIC, SUMS, SAMPLES = ("operations/s", "more"), ("sums/s", "more"), ("samples/s", "more")
HEAD = "| figure | | against | | ratio (range) |\n|---|---:|---|---:|---:|"
"""Of a table of rows that measured figures have."""

ONE_FILE = "one file of its bytes, fsync"

GROUPS = {
    "rendering": {
        "two-two": Figure("rendered in memory, 2 workers", "NumPy, 2 workers", *SPEED),
        "two-one": Figure("rendered in memory, 2 workers", "NumPy, 1 worker", *SPEED),
        "one-one": Figure("rendered in memory, 1 worker", "NumPy, 1 worker", *SPEED),
        "drawn": Figure("drawn and rendered, 2 workers", "NumPy, 2 workers, truth given", *SPEED),
        "filled": Figure("rendered in memory, 2 workers", "filling the memory, 2 workers", *SPEED),
    },
    "storage": {
        "float32-2": Figure("dense store, 2 workers", ONE_FILE, *SPEED),
        "float32-1": Figure("dense store, 1 worker", ONE_FILE, *SPEED),
        "float16-2": Figure("float16 store, 2 workers", ONE_FILE, *SPEED),
        "float16-1": Figure("float16 store, 1 worker", ONE_FILE, *SPEED),
        "files": Figure("dense store, 2 workers", "a file a sequence, fsync", *SPEED),
        "truth-2": Figure("rendered store, 2 workers", "drawing the truth, 1 worker", *SPEED),
        "truth-1": Figure("rendered store, 1 worker", "drawing the truth, 1 worker", *SPEED),
        "read-dense": Figure("dense store read", "numpy.memmap copied", *SPEED),
        "read-rendered": Figure("rendered store read", "numpy.memmap copied", *SPEED),
    },
    "commands": {
        " ".join(arguments): Figure(
            f"`musim {' '.join(arguments)}`", f"`import {imports}`", *SECONDS
        )
        for arguments, imports in COMMANDS.items()
    },
    "streaming": {
        "dense-memory": Figure("batches of a dense store", "arrays in memory", *SPEED),
        "dense-mapped": Figure("batches of a dense store", "numpy.memmap", *SPEED),
        "rendered-dense": Figure("batches of a rendered store", "of a dense store", *SPEED),
        "rendered-memory": Figure("batches of a rendered store", "arrays in memory", *SPEED),
        "endless": Figure("endless batches", "drawing and rendering, 1 worker", *SPEED),
        "waiting": Figure("waiting for a batch of 8", "a step of 50 ms", *SECONDS),
        "pause": Figure("first batch of the next epoch", "any other batch of it", *SECONDS),
        "first": Figure("first batch of a process", "`import torch, zarr, numba`", *SECONDS),
    },
    "finding": {
        "refine": Figure("units of a sequence found", "scikit-learn's FastICA", *SECONDS),
    },
    "experiment": {
        "echoes": Figure("IQ images, 1 core", "multiply-adds in registers", *ARITHMETIC),
    },
    "beamforming": {
        "sums": Figure("beamforming, 1 core", "an echo read from memory for each", *SUMS),
        "demodulation": Figure("demodulation, 1 core", "copying the samples", *SAMPLES),
    },
}
"""All of them, by the module that measures them."""
