"""Measure what the default method reaches on recordings of all kinds, each kind with its aim.

    python -m benchmarks.reach                        # seeds that may be looked at
    python -m benchmarks.reach --unseen -n 6          # seeds, and a maker, that were not
    python -m benchmarks.reach --kinds analytic noise # kinds whose names begin so

Units are told by their trains (|r| above 0.7 within 20 ms, one to one), then by their outlines (IoU
above 0.5). Where nothing moves, or nothing that is a unit, what counts is how many units are found.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.identification import Counts, analytic, scored
from benchmarks.reach_recordings import (
    NOISES,
    SHAPES,
    artery_alone,
    body_alone,
    drift_alone,
    experiment,
    noise_alone,
    shaped,
)
from benchmarks.recordings import LOOKED_AT, MAKERS, Made, Scene, make
from musim.training.identification.methods import USUAL

SEED, UNSEEN_SEED = 61000, 62000
"""First seeds of recordings that may be looked at while a method is chosen, and of those that may
not. No other command uses either."""

MOST = 0.05
"""Units a recording below which is aimed where there is none."""

CHEAP = 4
"""Times as many recordings as of other kinds are taken of noise, which costs little."""


@dataclass(frozen=True)
class Kind:
    """Recordings of one kind.

    Parameters
    ----------
    name : str
    make : callable
        Takes a seed and returns a recording and its truth.
    by_train : (float, float), optional
        Recall and precision by train that are aimed at.
    by_outline : (float, float), optional
        Recall and precision by IoU above 0.5 that are aimed at.
    most : float, optional
        Units a recording below which is aimed, where there is none.
    times : int
        Recordings for each one of other kinds.
    """

    name: str
    make: Callable[[int], Made]
    by_train: tuple[float, float] | None = None
    by_outline: tuple[float, float] | None = None
    most: float | None = None
    times: int = 1


def kinds(unseen: bool) -> list[Kind]:
    """Return what is measured; the maker sheet among what was not looked at alone."""
    few, many = (0.9, 0.9), (0.8, 0.8)
    made: list[Kind] = []
    for way, quick in (("quick", True), ("full", False)):
        made += [
            Kind(f"{way} experiment, 4-10 units", partial(experiment, "easy", (4, 10), quick),
                 by_outline=few),
            Kind(f"{way} experiment, 20-25 units", partial(experiment, "easy", (20, 25), quick),
                 by_outline=many),
            Kind(f"{way} experiment, typical", partial(experiment, "typical", None, quick)),
            Kind(f"{way} experiment, hard", partial(experiment, "hard", None, quick)),
        ]  # fmt: skip
    sharp = (0.95, 0.95)
    made.append(Kind("analytic, 25 units", partial(analytic, units=25, snr=10.0),
                     (0.99, 0.99), (0.99, 0.99)))  # fmt: skip
    made += [
        Kind(f"analytic, 15 units, {name}", partial(shaped, name, 15, 20.0), sharp, sharp)
        for name in SHAPES
    ]
    made.append(Kind("analytic, 15 units, blur 1.5 px",
                     partial(analytic, units=15, snr=20.0, blur=1.5), sharp, sharp))  # fmt: skip
    made += [
        Kind(f"{maker}, 5 dB", partial(_maker, maker), by_train=(0.9, 0.9))
        for maker in (MAKERS if unseen else LOOKED_AT)
    ]
    made += [
        Kind(f"noise alone, {name}", partial(noise_alone, name), most=MOST, times=CHEAP)
        for name in NOISES
    ]
    for name, alone in (("artery", artery_alone), ("drift", drift_alone), ("body", body_alone)):
        made.append(Kind(f"{name} alone", alone, most=MOST))
    return made


def _maker(maker: str, seed: int) -> Made:
    """Return a recording of another maker, in which the median unit is at 5 dB."""
    return make(maker, seed, Scene(apart=maker == "discs"))


def measured(one: tuple[Kind, int]) -> Counts:
    """Return what is counted of one recording, see :func:`.identification.scored`."""
    kind, seed = one
    return scored(partial(kind.make, seed), (USUAL,))[USUAL]


def table(results: list[tuple[Kind, list[Counts]]]) -> str:
    """Return the table of recordings that hold units, as Markdown."""
    lines = [
        "| recordings | units | seen | by train: recall | precision | aim | IoU > 0.5: recall | "
        "precision | aim | together | s |",
        "|---|" + "---:|" * 10,
    ]
    for kind, counts in results:
        if kind.most is not None:
            continue
        units, seen, found = (_total(counts, name) for name in ("units", "seen", "found"))
        cells = [f"{kind.name} ({len(counts)})", f"{units:.0f}", f"{seen / max(units, 1):.2f}"]
        for name, aim in (("train", kind.by_train), ("tight", kind.by_outline)):
            reached = _total(counts, name) / max(units, 1), _total(counts, name) / max(found, 1)
            cells += [f"{one:.2f}" for one in reached]
            cells.append("" if aim is None else _aim(aim, reached))
        cells.append(f"{_total(counts, 'together'):.0f}")
        cells.append(f"{np.mean([one['seconds'] for one in counts]):.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_none(results: list[tuple[Kind, list[Counts]]]) -> str:
    """Return the table of recordings that hold no unit, as Markdown."""
    lines = ["| recordings | units found | a recording | aim |", "|---|---:|---:|---:|"]
    for kind, counts in results:
        if kind.most is None:
            continue
        found = _total(counts, "found")
        each = found / max(len(counts), 1)
        missed = "" if each < kind.most else ", missed"
        lines.append(
            f"| {kind.name} ({len(counts)}) | {found:.0f} | {each:.2f} | < {kind.most:g}{missed} |"
        )
    return "\n".join(lines)


def _total(counts: list[Counts], name: str) -> float:
    return float(sum(one[name] for one in counts))


def _aim(aim: tuple[float, float], reached: tuple[float, float]) -> str:
    """Say an aim, and whether it was missed."""
    # What is aimed at has two decimals, as what the table says of what was reached.
    short = any(round(have, 2) < want for have, want in zip(reached, aim, strict=True))
    return f"{aim[0]:.2f} / {aim[1]:.2f}" + (", missed" if short else "")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--unseen", action="store_true", help="recordings that were not looked at")
    parser.add_argument("-n", "--recordings", type=int, default=4, help="of each kind, default 4")
    parser.add_argument("--kinds", nargs="+", default=[""], help="kinds whose names begin so")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    chosen = [one for one in kinds(given.unseen) if one.name.startswith(tuple(given.kinds))]
    first = UNSEEN_SEED if given.unseen else SEED
    results: list[tuple[Kind, list[Counts]]] = []
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        for kind in chosen:
            seeds = range(first, first + given.recordings * kind.times)
            results.append((kind, list(pool.map(measured, [(kind, seed) for seed in seeds]))))
            told = table if kind.most is None else table_of_none
            print(told(results[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    for one in (table(results), table_of_none(results)):
        if one.count("\n") > 1:
            print(one, end="\n\n")


if __name__ == "__main__":
    main()
