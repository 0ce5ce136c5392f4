"""Whether the usual method of identification scores alike on quick and on full recordings."""

from pathlib import Path

import numpy as np

from benchmarks.identification import Counts, scored
from benchmarks.quick.differences import Difference
from benchmarks.quick.recordings import Kind, Voxels
from benchmarks.recordings import Made
from musim.training.identification.methods import USUAL

SCORES = {
    "recall by train": lambda found: found["train"] / found["units"],
    "precision by train": lambda found: found["train"] / max(found["found"], 1),
    "recall at IoU > 0.3": lambda found: found["loose"] / found["units"],
    "recall at IoU > 0.5": lambda found: found["tight"] / found["units"],
    "agreement of firings": lambda found: found["firing"],
    "energy explained": lambda found: found["explained"],
}
"""What is compared of a recording, of what is counted of it."""


def both(kind: Kind, index: int, folder: Path) -> tuple[Counts, Counts]:
    """Return what is counted of the full and of the quick recording of a subject."""
    truth, parameters = kind.truth(index), kind.parameters

    def counted(voxels: Voxels) -> Counts:
        made = Made(
            voxels, parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
            truth.twitch_train, truth.firing, np.zeros(truth.unit_count), np.inf,
        )  # fmt: skip
        return scored(lambda: made, [USUAL])[USUAL]

    return counted(kind.full(index, folder)), counted(kind.rendered(kind.quick(index)))


def table(found: list[tuple[Counts, Counts]]) -> list[str]:
    """Return a table of means (SD) over recordings, and of paired differences."""
    rows = [
        f"| {len(found)} subjects | full | quick | difference ± standard error (of these) |",
        "|---|---:|---:|---:|",
    ]
    for name, of in SCORES.items():
        values = np.array([[of(counts) for counts in pair] for pair in found], np.float64)
        cells = " | ".join(f"{np.nanmean(each):.3f} ({np.nanstd(each):.3f})" for each in values.T)
        rows.append(f"| {name} | {cells} | {Difference.of(values[:, 1] - values[:, 0])} |")
    return rows
