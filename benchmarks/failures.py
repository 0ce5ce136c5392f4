"""What units methods miss and invent in quick recordings, by what is known of each.

    python -m benchmarks.failures                          # tables, and failures.png
    python -m benchmarks.failures --methods refine --subjects 2 --out /tmp/failures.png

A unit is found if a train correlates with its own by more than 0.7 within 20 ms, one to one. It can
be seen if the train that is read with what each unit moves where does so, too.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from musim.simulator import PRESETS, Parameters, Range, Truth, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.own_maps import OwnMaps, with_own_maps
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.trains import TRAIN_THRESHOLD, correlate_all
from musim.training.identification.noise import whiten
from musim.training.identification.reading import oracle_correlation
from musim.training.identification.units import Recording

SEED = 52001
"""Of the subjects."""

KINDS: dict[str, tuple[str, Range | None]] = {
    "easy, 20-25 units": ("easy", Range(20, 25)),
    "typical": ("typical", None),
    "hard": ("hard", None),
}
"""Kinds of recordings: a preset, and how many units instead of its own."""

PROPERTIES = {
    "strength": "strength, um",
    "snr": "SNR of its place, dB",
    "own_share": "own share of motion at its place",
    "diameter": "diameter, mm",
    "depth": "depth, mm",
    "overlap": "overlap",
    "artery": "distance to artery, mm",
    "fat": "skin and fat, mm",
}
"""What is known of a true unit, and what it is called."""

FATES = ("found", "joined", "missed", "unseen")
"""What becomes of a true unit: found; a train holds more of it than of others, and not enough;
nothing is like it; it cannot be seen, and was not found."""

INVENTIONS = ("copy", "joined", "body", "other")
"""What a train is that is no unit's: another one's once more; a sum of units'; an artery's or other
motion of the body; none of these."""

HALF = 0.5
"""Correlation from which a train that matches none is like a unit's, and share of its energy from
which it is a sum of units'."""

Row = dict[str, float | str]


def rows_of(kind: str, methods: tuple[str, ...], index: int) -> tuple[list[Row], list[Row]]:
    """Return a row for each true unit and method, and one for each train that is no unit's."""
    preset, units = KINDS[kind]
    given = {**PRESETS[preset], "pixels": (64, 64)} | ({} if units is None else {"units": units})
    parameters, doses = Parameters(**given), Doses.from_texts({}, preset)
    truth = draw(parameters, doses=doses, seed=SEED, index=index)
    truth = with_own_maps(truth, parameters, doses, seed=SEED, index=index)
    drawn = draw_recording(parameters, doses, truth, seed=SEED, index=index)
    tvi = render_recording(drawn, colour(parameters, doses))
    recording = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
    assert truth.own_maps is not None
    known = properties_of(recording, truth, truth.own_maps)
    reached = oracle_correlation(recording, truth.twitch_train, truth.own_maps)
    shown = np.flatnonzero((truth.territory > 0.5).any(axis=(1, 2)))
    body = truth.own_maps.courses[sum(truth.own_maps.counts) :]
    true: list[Row] = []
    invented: list[Row] = []
    for method in methods:
        alone = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
        found = identify(alone, method, firings="grid")  # the quickest: only trains are looked at
        matching = match_trains(found.train, truth.twitch_train[shown], parameters.frame_rate)
        likeness = np.abs(matching.correlations)
        for place, unit in enumerate(shown.tolist()):
            nearest = likeness[matching.false, place].max(initial=0.0)
            fate = "unseen" if reached[unit] <= TRAIN_THRESHOLD else "missed"
            fate = "joined" if nearest > HALF and fate == "missed" else fate
            fate = "found" if place in matching.true else fate
            numbers = {name: float(values[unit]) for name, values in known.items()}
            true.append({"kind": kind, "method": method, "fate": fate,
                         "seen": float(reached[unit] > TRAIN_THRESHOLD), **numbers})  # fmt: skip
        for one in matching.false:
            train = found.train[one]
            what = invention(train, truth.twitch_train[shown], body, parameters.frame_rate)
            invented.append({"kind": kind, "method": method, "what": what})
    return true, invented


def properties_of(
    recording: Recording, truth: Truth, own: OwnMaps
) -> dict[str, NDArray[np.float64]]:
    """Return what is known of each unit, float64 (unit,), by the names of :data:`PROPERTIES`."""
    known = whiten(recording)
    energy = np.square(known.values_of(own.courses)).mean(axis=1)
    power = np.square(own.maps.astype(np.float64)) * energy[:, None, None]
    ends = np.cumsum(own.counts)
    noise = np.square(known.noise.sd)
    share, snr = np.full((2, truth.unit_count), np.nan)
    for unit, place in enumerate(truth.territory > 0.5):
        if place.any():
            mine = power[ends[unit] - own.counts[unit] : ends[unit], place].sum()
            share[unit] = mine / max(float(power[:, place].sum()), 1e-300)
            snr[unit] = 10 * np.log10(max(float(mine / noise[place].sum()), 1e-30))
    across = truth.centre_width - truth.artery_width
    artery = np.hypot(truth.centre_depth - truth.artery_depth, across)
    return {
        "strength": truth.displacement, "snr": snr, "own_share": share,
        "diameter": truth.diameter, "depth": truth.centre_depth, "overlap": truth.overlap,
        "artery": artery - truth.artery_radius, "fat": np.full(truth.unit_count, truth.fat),
    }  # fmt: skip


def invention(
    train: NDArray[np.float32],
    units: NDArray[np.float32],
    body: NDArray[np.float32],
    frame_rate: float,
) -> str:
    """Return what a train is that is no unit's, one of :data:`INVENTIONS`."""
    if np.abs(correlate_all(train[None], units, frame_rate)[0]).max(initial=0) > TRAIN_THRESHOLD:
        return "copy"
    if np.abs(correlate_all(train[None], body, frame_rate)[0]).max(initial=0) > HALF:
        return "body"
    centred = units - units.mean(axis=1, keepdims=True)
    course = train - train.mean()
    weights = np.linalg.lstsq(centred.T.astype(np.float64), course, rcond=None)[0]
    explained = 1 - np.square(course - weights @ centred).sum() / max(
        np.square(course).sum(), 1e-30
    )
    return "joined" if explained > HALF else "other"


def fates(true: list[Row], invented: list[Row]) -> str:
    """Return a table of what becomes of units, and of what is invented, as Markdown."""
    lines = [
        "| recordings | method | units | recall | seen | of seen | joined | missed | unseen, "
        "missed | precision | invented: copies | joined | body | other |",
        "|---|---|" + "---:|" * 12,
    ]
    for kind in dict.fromkeys(row["kind"] for row in true):
        for method in dict.fromkeys(row["method"] for row in true):
            ours = [r for r in true if r["kind"] == kind and r["method"] == method]
            false = [r["what"] for r in invented if r["kind"] == kind and r["method"] == method]
            count = {fate: sum(row["fate"] == fate for row in ours) for fate in FATES}
            seen = [row for row in ours if row["seen"]]
            of_seen = np.mean([row["fate"] == "found" for row in seen]) if seen else np.nan
            precision = count["found"] / max(count["found"] + len(false), 1)
            cells = [
                len(ours), f"{count['found'] / len(ours):.2f}", f"{len(seen) / len(ours):.2f}",
                f"{of_seen:.2f}", *(count[name] for name in FATES[1:]), f"{precision:.2f}",
                *(false.count(name) for name in INVENTIONS),
            ]  # fmt: skip
            lines.append(f"| {kind} | `{method}` | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def thirds(true: list[Row], name: str) -> tuple[NDArray[np.float64], list[NDArray[np.bool_]]]:
    """Return the middles of three parts of the units that can be seen, and who is in each."""
    values = np.array([row[name] for row in true], np.float64)
    known = np.isfinite(values) & np.array([bool(row["seen"]) for row in true])
    edges = np.quantile(values[known], [0, 1 / 3, 2 / 3, 1])
    edges[-1] = np.nextafter(edges[-1], np.inf)
    parts = [known & (values >= low) & (values < high) for low, high in pairwise(edges)]
    return np.array([np.median(values[one]) if one.any() else np.nan for one in parts]), parts


def share_of(found: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share that was found, and its standard error; NaN of none."""
    if not found.size:
        return np.nan, np.nan
    share = float(found.mean())
    return share, float(np.sqrt(share * (1 - share) / found.size))


def by_property(true: list[Row]) -> str:
    """Return recall of units that can be seen, by thirds of what is known of them, as Markdown."""
    methods = list(dict.fromkeys(str(row["method"]) for row in true))
    found = np.array([row["fate"] == "found" for row in true])
    of_method = {name: np.array([row["method"] == name for row in true]) for name in methods}
    lines = [
        "| units that can be seen, in thirds by | medians | "
        + " | ".join(f"`{one}`" for one in methods) + " |",
        "|---|---|" + "---|" * len(methods),
    ]  # fmt: skip
    for name, words in PROPERTIES.items():
        middles, parts = thirds(true, name)
        cells = [", ".join(f"{middle:.3g}" for middle in middles)]
        cells += [
            ", ".join(f"{share_of(found[part & mine])[0]:.2f}" for part in parts)
            for mine in of_method.values()
        ]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(true: list[Row], place: Path) -> None:
    """Draw recall of units that can be seen against what is known of them."""
    methods = list(dict.fromkeys(str(row["method"]) for row in true))
    found = np.array([row["fate"] == "found" for row in true])
    figure = Figure(figsize=(11, 5.2), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 4, sharey=True)
    for axes, (name, words) in zip(panels.flat, PROPERTIES.items(), strict=True):
        middles, parts = thirds(true, name)
        for method in methods:
            mine = np.array([row["method"] == method for row in true])
            shares, error = np.transpose([share_of(found[part & mine]) for part in parts])
            axes.errorbar(middles, shares, error, marker="o", capsize=2, label=method)
        axes.set_xlabel(words)
        axes.set_ylim(0, 1.03)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("recall of units that can be seen")
    panels[0, 0].legend(frameon=False, fontsize=8)
    figure.suptitle("Quick recordings of all kinds, thirds of units (standard error)", fontsize=10)
    figure.savefig(place)


def main() -> None:
    """Print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=["refine", "learned"])
    parser.add_argument("--subjects", type=int, default=8, help="of each kind")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("failures.png"))
    arguments = parser.parse_args()
    true: list[Row] = []
    invented: list[Row] = []
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for kind in KINDS:
            work = partial(rows_of, kind, tuple(arguments.methods))
            for units, others in pool.map(work, range(arguments.subjects)):
                true += units
                invented += others
    print(fates(true, invented), by_property(true), sep="\n\n")
    picture(true, arguments.out)


if __name__ == "__main__":
    main()
