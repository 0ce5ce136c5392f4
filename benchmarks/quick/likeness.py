"""Whether quick recordings are as like full ones as these are like one another, by Ali 2022.

The scores are those of :mod:`benchmarks.domains`, between recordings of different subjects.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.domains import SETTINGS, comparison
from benchmarks.quick.differences import Difference
from benchmarks.quick.recordings import Kind
from musim.training.translation.metrics import Features, measure


def features(kind: Kind, count: int, folder: Path) -> tuple[list[Features], list[Features]]:
    """Return what is kept of full and of quick recordings of the first subjects."""
    rate = kind.parameters.frame_rate
    full = [measure(kind.full(index, folder), rate, SETTINGS) for index in range(count)]
    quick = [
        measure(kind.rendered(kind.quick(index)), rate, SETTINGS) for index in range(count)
    ]  # fmt: skip
    return full, quick


def changes(within: NDArray[np.float64], across: NDArray[np.float64]) -> list[float]:
    """Return by how much scores change as a subject's full recording gives way to its quick one.

    Parameters
    ----------
    within, across : float64 arrays of shape (subject, subject)
        Scores of full recordings against full ones, and against quick ones.

    Returns
    -------
    list of float
        Of each subject, the mean over the others.
    """
    others = ~np.eye(len(within), dtype=bool)
    change = np.where(others, across - within, 0)
    return [float(each) for each in change.sum(axis=0) / (len(within) - 1)]


def table(full: Sequence[Features], quick: Sequence[Features]) -> list[str]:
    """Return a table of all scores: means (SD) over pairs of subjects, and the paired change."""
    others = ~np.eye(len(full), dtype=bool)
    within, across, among = (
        comparison(full, full), comparison(full, quick), comparison(quick, quick),
    )  # fmt: skip
    rows = [
        f"| {len(full)} subjects | full, full | full, quick | quick, quick "
        "| change ± standard error (of these) |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in within:
        scores = (each[name][others] for each in (within, across, among))
        cells = " | ".join(f"{np.mean(each):.3f} ({np.std(each):.3f})" for each in scores)
        change = Difference.of(changes(within[name], across[name]))
        rows.append(f"| {name} | {cells} | {change} |")
    return rows
