"""What each part of learned judgement gains: the same recordings without it.

    python -m benchmarks.ablations --folder FOLDER              # 260 examples; resumable
    python -m benchmarks.ablations --folder FOLDER --quick      # a recording of each kind

Compared are the networks; a logistic regression of the same traits; the judgement by hand with
which `refine` begins; networks of whole images, without windows, there and among their examples;
and networks whose examples are easy, typical and analytic without faults alone, so that no dose
goes beyond what is plausible. Trains are those found before anything is refined. The loss is that
of all candidates; by hand and of whole images, these are others than those of windows.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import LOOKED_AT, make
from musim.datasets.parallel import open_workers
from musim.simulator import Parameters, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.parameters import PRESETS
from musim.training.identification.learning.fitting import Scaling, fit_network
from musim.training.identification.learning.measures import logistic_regression
from musim.training.identification.learning.settings import JudgeSettings
from musim.training.identification.learning.traits import read_trains, write_example
from musim.training.identification.methods.blocks import blocks_of, signal_directions
from musim.training.identification.methods.candidates import (
    View,
    candidates_of,
    gradients,
    middle_scales,
)
from musim.training.identification.methods.evidence import probability, signs_of
from musim.training.identification.methods.learned.judged import seen_in, units_among
from musim.training.identification.methods.learned.judgement import Judgement
from musim.training.identification.methods.learned.windows import KINDS, Windows
from musim.training.identification.methods.spread import MOST_SOUGHT, spread_units
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.calibration import log_loss
from musim.training.identification.metrics.trains import TRAIN_THRESHOLD
from musim.training.identification.noise import whiten
from musim.training.identification.slow_motion import without_slow_motion
from musim.training.identification.units import Recording

SEED = 53001
"""Of recordings. No other command uses it."""

WHOLE = 1e3
"""Width of a window that holds every image, mm."""

WHOLE_IMAGES = (
    Windows(WHOLE, WHOLE, MOST_SOUGHT, View(middle_scales, "logcosh")),
    Windows(WHOLE, WHOLE, MOST_SOUGHT, View(gradients, "cube")),
    Windows(WHOLE, WHOLE, MOST_SOUGHT, None),
)
"""The ways to look at windows, each at the whole image instead."""

PLAIN = {"kinds": "easy,typical,analytic", "faults": False}
"""Settings of examples without doses and faults beyond the plausible."""

Example = tuple[Recording, NDArray[np.float32]]
"""A recording and its units' trains."""

VARIANTS = ("networks", "logistic regression", "by hand", "whole images", "plain examples")

QUICK: dict[str, tuple[str, tuple[int, int] | None]] = {
    "easy": ("easy", None), "20-25 units": ("easy", (20, 25)), "typical": ("typical", None),
    "hard": ("hard", None),
}  # fmt: skip
"""Presets of quick recordings, and their numbers of units if others."""


@dataclass(frozen=True)
class Row:
    """What a variant made of a recording.

    Parameters
    ----------
    kind, variant : str
    units, found, matches : int
        True units, those found, and pairs of both whose trains are alike.
    sure : float64 array of shape (candidate,)
    true : bool array of shape (candidate,)
        Whether the candidate's train is a unit's.
    """

    kind: str
    variant: str
    units: int
    found: int
    matches: int
    sure: NDArray[np.float64]
    true: NDArray[np.bool_]


def recordings(count: int) -> dict[str, list[Callable[[], Example]]]:
    """Return what makes the recordings of each kind, with their units' trains."""
    made: dict[str, list[Callable[[], Example]]] = {}
    for maker in LOOKED_AT:
        made[maker] = [partial(of_maker, maker, SEED + n) for n in range(count)]
    for kind in QUICK:
        made[f"quick, {kind}"] = [partial(quick, kind, n) for n in range(count)]
    return made


def of_maker(maker: str, seed: int) -> Example:
    """Return a recording that musim's simulator did not make."""
    made = make(maker, seed)
    return Recording(made.tvi, made.frame_rate, made.pixel_size), made.train


def quick(kind: str, index: int) -> Example:
    """Return a quick recording of the virtual experiment, and its units' trains."""
    preset, units = QUICK[kind]
    given = {**PRESETS[preset], "pixels": (64, 64)} | ({} if units is None else {"units": units})
    parameters, doses = Parameters(**given), Doses.from_texts({}, preset)
    truth = draw(parameters, doses=doses, seed=SEED, index=index)
    drawn = draw_recording(parameters, doses, truth, seed=SEED, index=index)
    tvi = render_recording(drawn, colour(parameters, doses))
    return Recording(tvi, parameters.frame_rate, parameters.pixel_size), truth.twitch_train


def learned(
    folder: Path, settings: JudgeSettings, workers: int, ways: Sequence[Windows] = KINDS
) -> tuple[Judgement, Judgement]:
    """Return networks and a logistic regression of examples, drawn unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_workers(workers=workers) as run:
        tasks = [(str(folder), index, settings, ways) for index in range(settings.examples)]
        run(write_example, tasks, lambda: None)
    given, apart = (read_trains(folder, settings, apart=kept) for kept in (False, True))
    scaling = Scaling.of(given.traits)
    networks = [
        fit_network(number, given, apart, scaling, settings) for number in range(settings.networks)
    ]
    return scaling.judgement(networks), logistic_regression(given, scaling)


def judgements(folder: Path, settings: JudgeSettings, workers: int) -> dict[str, Judgement | None]:
    """Return what was learned, by the names of :data:`VARIANTS`."""
    plain = JudgeSettings(**{**settings.__dict__, **PLAIN})
    networks, regression = learned(folder / "windows", settings, workers)
    whole, _ = learned(folder / "whole", settings, workers, WHOLE_IMAGES)
    narrow, _ = learned(folder / "plain", plain, workers)
    return dict(zip(VARIANTS, (networks, regression, None, whole, narrow), strict=True))


def judged(
    kind: str, maker: Callable[[], Example], known: dict[str, Judgement | None]
) -> list[Row]:
    """Return for each variant what it found in a recording, and how it judged its candidates."""
    given, truth = maker()
    recording, _ = without_slow_motion(given)
    found = whiten(recording)
    seen = {ways: seen_in(recording, found, ways) for ways in (KINDS, WHOLE_IMAGES)}
    rows: list[Row] = []
    for variant, judgement in known.items():
        if judgement is None:
            spread = spread_units(recording, found)
            blocks = blocks_of(found, recording.pixel_size)
            directions, noise = signal_directions(blocks)
            candidates = candidates_of(found, blocks, directions[:MOST_SOUGHT])
            courses = found.trains(candidates.trains)
            sure = probability(signs_of(candidates, noise, blocks.size))
        else:
            of_ways = seen[WHOLE_IMAGES if variant == "whole images" else KINDS]
            spread = units_among(recording, *of_ways, judgement)
            courses = of_ways[0].courses
            sure = judgement.probability(of_ways[0].traits)
        likeness = match_trains(courses, truth, recording.frame_rate).correlations
        true = np.abs(likeness).max(axis=1, initial=0) > TRAIN_THRESHOLD
        matching = match_trains(found.trains(spread.trains), truth, recording.frame_rate)
        found_here, matched = len(spread.trains), matching.matches
        rows.append(Row(kind, variant, len(truth), found_here, matched, sure, true))
    return rows


def table(rows: list[Row]) -> str:
    """Return recall / precision by train of each kind, and the loss of all judgements."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    lines = [f"| kind | units | {' | '.join(variants)} |",
             f"|---|---:|{'---|' * len(variants)}"]  # fmt: skip
    kinds = list(dict.fromkeys(row.kind for row in rows))
    for kind in [*kinds, "all"]:
        of_kind = [row for row in rows if kind in (row.kind, "all")]
        cells = []
        for variant in variants:
            own = [row for row in of_kind if row.variant == variant]
            matches = sum(row.matches for row in own)
            recall = _share(matches, sum(row.units for row in own))
            cells.append(f"{recall} / {_share(matches, sum(row.found for row in own))}")
        count = sum(row.units for row in of_kind) // len(variants)
        lines.append(f"| {kind} | {count} | {' | '.join(cells)} |")
    losses = []
    for variant in variants:
        own = [row for row in rows if row.variant == variant]
        sure = np.concatenate([row.sure for row in own])
        true = np.concatenate([row.true for row in own])
        losses.append(f"{log_loss(sure, true):.3f} ({len(true)})")
    return "\n".join([*lines, f"| log loss (candidates) | | {' | '.join(losses)} |"])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


def main() -> None:
    """Learn what lacks, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of examples")
    parser.add_argument("-n", type=int, default=260, help="examples of each set")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a recording of each kind")
    given = parser.parse_args()
    known = judgements(given.folder, JudgeSettings(examples=given.n), given.workers)
    rows: list[Row] = []
    for kind, makers in recordings(1 if given.quick else 8).items():
        for maker in makers:
            rows += judged(kind, maker, known)
            print(".", end="", flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
