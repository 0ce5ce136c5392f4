"""Put the methods of identification to recordings of several makers, ours among them.

    python -m benchmarks.identification             # recordings that methods were chosen on
    python -m benchmarks.identification --unseen    # seeds and a maker that were not looked at
    python -m benchmarks.identification --noise     # units found where nothing moves
    python -m benchmarks.identification --fit       # learn the constants of probabilities anew

Units are told by their trains first (|r| above 0.7 within 20 ms, one to one), by their firings,
then by their outlines (IoU above 0.3 and above 0.5). "Of seen" is recall by train of those units
that can be seen: whose train, read with what each unit moves where, is their own (|r| above 0.7).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.recordings import LOOKED_AT, MAKERS, UNSEEN_SEED, Made, Scene, make
from musim.simulator import Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.own_maps import OwnMaps, with_own_maps
from musim.simulator.experiment.recording import simulate
from musim.simulator.parameters import PRESETS
from musim.training.identification.methods import identify
from musim.training.identification.methods.blocks import blocks_of, signal_directions
from musim.training.identification.methods.candidates import candidates_of
from musim.training.identification.methods.evidence import WEIGHTS, signs_of
from musim.training.identification.methods.spread import MOST_SOUGHT, spread_units
from musim.training.identification.metrics import match_trains, score
from musim.training.identification.metrics.calibration import calibration_error
from musim.training.identification.metrics.trains import TRAIN_THRESHOLD
from musim.training.identification.noise import whiten
from musim.training.identification.reading import oracle_correlation
from musim.training.identification.units import Recording

METHODS = ("learned", "refine", "ica")

PURE = 0.8
"""Correlation with a true train from which a candidate is a unit when weights are learned."""

LARGE_UNIT_SNR = (0.0, 20.0)
"""dB; beside the 5 dB of the plain recordings."""


@dataclass(frozen=True)
class Set:
    """Recordings of one kind.

    Parameters
    ----------
    name : str
    recordings : tuple of callable
        Each makes one.
    """

    name: str
    recordings: tuple[Callable[[], Made], ...]


@dataclass(frozen=True)
class Simulated(Made):
    """A recording that musim's own simulator made.

    Parameters
    ----------
    own_maps : OwnMaps, optional
        What each unit moves where.
    """

    own_maps: OwnMaps | None = None


def analytic(seed: int, units: int, snr: float, blur: float = 0.0, drift: float = 0.0) -> Made:
    """Draw a sequence of the analytic model; blur in px before the noise, drift in mm/s at 1 Hz."""
    parameters = Parameters(units=Range(units, units), snr=Range(snr, snr))
    truth = draw(parameters, seed=seed)
    clean = render(truth, noise=False)
    noise = render(truth) - clean
    tvi = (gaussian_filter(clean, (0, blur, blur)) if blur else clean) + noise
    time = np.arange(parameters.frames) / parameters.frame_rate
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    tvi += (drift * np.sin(2 * np.pi * time + phase)).astype(np.float32)[:, None, None]
    return Made(
        tvi.astype(np.float32), parameters.frame_rate, parameters.pixel_size,
        truth.territory > 0.5, truth.twitch_train, truth.firing, np.zeros(units), snr,
    )  # fmt: skip


def experiment(seed: int, index: int, preset: str = "easy") -> Simulated:
    """Draw a sequence of the virtual experiment."""
    parameters, doses = Parameters(**PRESETS[preset]), Doses.from_texts({}, preset)
    truth = draw(parameters, doses=doses, seed=seed, index=index)
    tvi = simulate(parameters, doses, truth, seed=seed, index=index)
    return Simulated(
        tvi, parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(truth.unit_count), np.inf,
        with_own_maps(truth, parameters, doses, seed=seed, index=index).own_maps,
    )  # fmt: skip


def sets(unseen: bool, quick: bool) -> list[Set]:
    """Return the recordings that were looked at while methods were chosen, or others."""
    first = UNSEEN_SEED if unseen else 0
    many, some = (2, 1) if quick else (8, 6)
    made: list[Set] = []
    for maker in MAKERS if unseen else LOOKED_AT:
        apart = maker == "discs"
        plain = Scene(apart=apart)
        strong = Scene(unit_snr=None, apart=apart)
        made.append(Set(f"{maker}, 5 dB", tuple(
            partial(make, maker, first + seed, plain) for seed in range(many))))  # fmt: skip
        made.append(Set(f"{maker}, 0-20 dB, half with an artery, a third breathing", tuple(
            partial(make, maker, first + seed, Scene(
                unit_snr=LARGE_UNIT_SNR, artery=seed % 2 == 0, breathing=seed % 3 == 0,
                apart=apart))
            for seed in range(200, 200 + some))))  # fmt: skip
        made.append(Set(f"{maker}, 10 um", tuple(
            partial(make, maker, first + seed, strong)
            for seed in range(300, 300 + some))))  # fmt: skip
    rigid = (15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)
    made.append(Set("discs, 10 um, 15-60 dB of echoes", tuple(
        partial(make, "discs", first + 100 + seed,
                Scene(units=(4, 6), noise=(level, level), unit_snr=None, apart=True))
        for seed, level in enumerate(rigid[:: 3 if quick else 1]))))  # fmt: skip
    made.append(Set("virtual experiment", tuple(
        partial(experiment, 800 if unseen else 900, index)
        for index in range(2 if quick else 20 if unseen else 8))))  # fmt: skip
    count = 2 if quick else 10
    made += [
        Set(f"virtual experiment, {preset}",
            tuple(partial(experiment, 800, index, preset) for index in range(count)))
        for preset in ("typical", "hard") if unseen
    ]  # fmt: skip
    for name, units, snr, blur, drift in (
        ("25 units, 10 dB", 25, 10.0, 0.0, 0.0), ("15 units", 15, 20.0, 0.0, 0.0),
        ("15 units, blur 1 px", 15, 20.0, 1.0, 0.0), ("15 units, blur 1.5 px", 15, 20.0, 1.5, 0.0),
        ("15 units, drift", 15, 20.0, 0.0, 1.0),
    ):  # fmt: skip
        made.append(Set(f"analytic, {name}", tuple(
            partial(analytic, first + 600 + seed, units, snr, blur, drift)
            for seed in range(2 if quick else 10 if unseen else 4))))  # fmt: skip
    return made


Counts = dict[str, float]


def scored(recording: Callable[[], Made], methods: Iterable[str]) -> dict[str, Counts]:
    """Return what is counted of one recording, a method each."""
    made = recording()
    result: dict[str, Counts] = {}
    whole = Recording(made.tvi, made.frame_rate, made.pixel_size)
    own = made.own_maps if isinstance(made, Simulated) else None
    seen = oracle_correlation(whole, made.train, own) > TRAIN_THRESHOLD
    for method in methods:
        given = Recording(made.tvi, made.frame_rate, made.pixel_size)
        began = time.process_time()
        units = identify(given, method)
        seconds = time.process_time() - began
        marks = score(
            units.masks, units.train, units.firing, units.confidence, made.territory, made.train,
            made.firing, made.frame_rate,
        )  # fmt: skip
        trains = marks.trains
        assert trains is not None
        found = np.zeros(units.count, bool)
        found[trains.matching.predicted] = True
        firing = trains.to_row()
        result[method] = {
            "units": len(marks.visible), "seen": int(seen[marks.visible].sum()),
            "seen_found": int(seen[marks.visible][trains.matching.true].sum()),
            "found": units.count, "train": trains.matching.matches,
            "loose": marks.loose.matches, "tight": marks.matching.matches,
            "firing": firing["firing_agreement"], "firing_chance": firing["firing_chance"],
            "train_chance": firing["train_chance"], "seconds": seconds,
            "explained": units.explained_share,
            "together": float(units.way is not None and units.way.together),
            "confidence": units.confidence.tolist(), "true": found.tolist(),
        }  # fmt: skip
    return result


def table(kind: str, results: list[Counts]) -> str:
    """Return a row of Markdown."""

    def total(name: str) -> float:
        return float(sum(result[name] for result in results))

    def mean(name: str) -> float:
        values = [result[name] for result in results if not np.isnan(result[name])]
        return float(np.mean(values)) if values else float("nan")

    cells = []
    for name in ("train", "loose", "tight"):
        cells += [total(name) / max(total("units"), 1), total(name) / max(total("found"), 1)]
    cells.insert(1, total("seen_found") / max(total("seen"), 1))
    numbers = " | ".join(f"{cell:.2f}" for cell in cells)
    chance = f"{mean('firing'):.2f} ({mean('firing_chance'):.2f})"
    counts = f"{total('units'):.0f} | {total('seen'):.0f}"
    return f"| {kind} | {counts} | {numbers} | {chance} | {mean('seconds'):.1f} |"


HEADING = """
| {} | units | seen | by train: recall | of seen | precision | IoU > 0.3: recall | precision | \
IoU > 0.5: recall | precision | firings (wrong unit) | s |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""


def noise_alone(recordings: int) -> None:
    """Print how many units are found where nothing moves."""
    kinds = {"white": None, "1.5 frames, 1 px": (1.5, 1, 1), "4 frames, 2.5 px": (4, 2.5, 2.5)}
    for kind, blur in kinds.items():
        counts: dict[str, list[int]] = {method: [] for method in METHODS}
        for seed in range(recordings):
            noise = np.random.default_rng(UNSEEN_SEED + seed).standard_normal((400, 64, 64))
            if blur:
                noise = gaussian_filter(noise, blur) * np.linspace(1, 4, 64)[:, None]
            for method, found in counts.items():
                given = Recording(noise.astype(np.float32), 400.0, (0.625, 0.625))
                found.append(identify(given, method).count)
        said = [f"{method} {sum(found)} in {len(found)}" for method, found in counts.items()]
        print(f"noise alone, {kind}: {', '.join(said)}", flush=True)


def signs(recording: Callable[[], Made]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the signs of all candidates of a recording, and which are units'."""
    made = recording()
    given = Recording(made.tvi, made.frame_rate, made.pixel_size)
    found = whiten(given)
    blocks = blocks_of(found, made.pixel_size)
    directions, noise = signal_directions(blocks)
    candidates = candidates_of(found, blocks, directions[:MOST_SOUGHT])
    courses = found.trains(candidates.trains)
    best = np.zeros(len(courses))
    for place, course in enumerate(courses):
        matching = match_trains(course[None], made.train, made.frame_rate)
        best[place] = np.abs(matching.correlations).max()
    return signs_of(candidates, noise, blocks.size), best > PURE


def certainties(recording: Callable[[], Made]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the log odds of units found, and which are true by train."""
    made = recording()
    given = Recording(made.tvi, made.frame_rate, made.pixel_size)
    spread = spread_units(given, whiten(given))
    odds = WEIGHTS[0] + spread.signs @ np.array(WEIGHTS[1:])
    if not len(odds):
        return odds, np.zeros(0, bool)
    courses = whiten(given).trains(spread.trains)
    matching = match_trains(courses, made.train, made.frame_rate)
    true = np.zeros(len(odds), bool)
    true[matching.predicted] = True
    return odds, true


def fit(recordings: list[Callable[[], Made]], pool: ProcessPoolExecutor) -> None:
    """Print the weights of the signs, each recording with the same weight, and what follows.

    The certainty of chosen candidates rests on the weights in the code: put new ones there, and run
    once more.
    """
    from sklearn.linear_model import LogisticRegression

    parts = [part for part in pool.map(signs, recordings) if len(part[1])]
    values = np.concatenate([part[0] for part in parts])
    true = np.concatenate([part[1] for part in parts])
    weight = np.concatenate([np.full(len(part[1]), 1000 / len(part[1])) for part in parts])
    centre, spread = values.mean(axis=0), values.std(axis=0)
    model = LogisticRegression(C=10.0).fit((values - centre) / spread, true, sample_weight=weight)
    slopes = model.coef_[0] / spread
    first = float(model.intercept_[0] - slopes @ centre)
    print("WEIGHTS =", tuple(round(float(value), 3) for value in (first, *slopes)))
    calibrate(recordings, pool)


def calibrate(recordings: list[Callable[[], Made]], pool: ProcessPoolExecutor) -> None:
    """Print how certain units are that were chosen."""
    from sklearn.linear_model import LogisticRegression

    columns = zip(*pool.map(certainties, recordings), strict=True)
    odds, true = (np.concatenate(column) for column in columns)
    model = LogisticRegression(C=10.0).fit(odds[:, None], true)
    pair = (float(model.intercept_[0]), float(model.coef_[0, 0]))
    print("CERTAINTY =", tuple(round(value, 3) for value in pair),
          f"({true.mean():.3f} of {len(true)})")  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--unseen", action="store_true", help="recordings that were not looked at")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a few recordings of each kind")
    parser.add_argument("--noise", type=int, nargs="?", const=100, help="recordings of noise alone")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--kinds", nargs="+", default=[""], help="kinds whose names begin so")
    arguments = parser.parse_args()
    if arguments.noise:
        noise_alone(arguments.noise)
        return
    kinds = [one for one in sets(arguments.unseen, arguments.quick)
             if one.name.startswith(tuple(arguments.kinds))]  # fmt: skip
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        if arguments.fit:
            fit([recording for one in kinds for recording in one.recordings], pool)
            return
        results: dict[str, dict[str, list[Counts]]] = {method: {} for method in arguments.methods}
        for one in kinds:
            work = partial(scored, methods=tuple(arguments.methods))
            for result in pool.map(work, one.recordings):
                for method, counts in result.items():
                    results[method].setdefault(one.name, []).append(counts)
    for method, rows in results.items():
        print(HEADING.format(f"`{method}`"))
        everything: list[Counts] = []
        for kind, counts in rows.items():
            print(table(kind, counts), flush=True)
            everything += counts
        sure = np.concatenate([np.array(one["confidence"], float) for one in everything])
        true = np.concatenate([np.array(one["true"], bool) for one in everything])
        print(f"\nConfidence: expected calibration error {calibration_error(sure, true):.3f} over "
              f"{len(sure)} units found, {true.mean():.2f} of them true by train.")  # fmt: skip


if __name__ == "__main__":
    main()
