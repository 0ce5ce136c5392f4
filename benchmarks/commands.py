"""Seconds of commands, against a Python that imports what they cannot do without."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import GROUPS, Measured
from benchmarks.starting import COMMANDS, compare, prepare

FIGURES = GROUPS["commands"]
MOST_ROUNDS = 3
"""They take half of all the time, and vary little."""


def figures(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure commands on a store of ten sequences."""
    places = prepare(folder)
    for arguments, imports in COMMANDS.items():
        times = compare(arguments, imports, places, min(rounds, MOST_ROUNDS))
        yield FIGURES[" ".join(arguments)].of(times)
