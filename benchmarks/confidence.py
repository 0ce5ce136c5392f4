"""How far confidence can be believed: units that methods found in recordings of several kinds.

    python -m benchmarks.confidence --folder FOLDER             # those that the model learned from
    python -m benchmarks.confidence --folder FOLDER --unseen    # seeds, and a maker, not looked at
    python -m benchmarks.confidence --folder FOLDER --fit       # learn the model's constants anew

A unit is true if its train is a true unit's (|r| above 0.7 within 20 ms, one to one). Beside the
joint confidence stands what the methods say themselves. What was found in a recording stays in
FOLDER, and is not looked for again; remove it when methods change.
"""

import argparse
import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.identification import experiment
from benchmarks.recordings import LOOKED_AT, MAKERS, UNSEEN_SEED, Made, Scene, make
from musim.simulator import Parameters, Range, draw, render
from musim.simulator.experiment import quick
from musim.simulator.experiment.doses import Doses
from musim.simulator.parameters import PRESETS
from musim.training.identification.confidence.model import SIGNS, joint, signs_of
from musim.training.identification.confidence.parts import Parts
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.calibration import area_under_curve, calibration_error
from musim.training.identification.reliability_figure import reliability_chart
from musim.training.identification.units import Recording

OTHERS = ("ica", "edges+refine", "stica", "velbss")
"""Methods that take turns beside the usual one; some make up units."""

STRENGTH = 1e-3
"""How much weights are held small."""

PICTURE = Path(__file__).with_name("confidence_reliability.png")


@dataclass(frozen=True)
class One:
    """A recording, and the methods that it is given to.

    Parameters
    ----------
    kind, name : str
    make : callable
    methods : tuple of str
    """

    kind: str
    name: str
    make: Callable[[], Made]
    methods: tuple[str, ...]


def analytic(seed: int, units: int, snr: float, rate: tuple[float, float]) -> Made:
    """Draw a sequence of the analytic model."""
    parameters = Parameters(
        units=Range(units, units), snr=Range(snr, snr), firing_rate=Range(*rate)
    )
    truth = draw(parameters, seed=seed)
    return Made(
        render(truth), parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(units), snr,
    )  # fmt: skip


def quick_experiment(seed: int, index: int, preset: str, *, small: bool) -> Made:
    """Draw a sequence of the quick experiment; a small one has 64 x 64 px and a second."""
    size = {"pixels": (64, 64), "frames": 512} if small else {}
    parameters, doses = Parameters(**PRESETS[preset] | size), Doses.from_texts({}, preset)
    truth = draw(parameters, doses=doses, seed=seed, index=index)
    recording = quick.draw_recording(parameters, doses, truth, seed=seed, index=index)
    tvi = quick.render_recording(recording, quick.colour(parameters, doses))
    return Made(
        tvi, parameters.frame_rate, parameters.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(truth.unit_count), np.inf,
    )  # fmt: skip


def recordings(unseen: bool) -> Iterator[One]:
    """Yield the recordings, those of all kinds in turns."""
    first, turn = UNSEEN_SEED if unseen else 0, 0
    for round_ in range(2):
        kinds: list[tuple[str, str, Callable[[], Made], bool]] = []
        for low, high in ((8, 13), (15, 20), (25, 35)):
            for snr in (10, 0, -5, -10):
                units, seed = (15, 25)[round_], first + 600 + round_
                kinds.append((f"analytic, {low}-{high} Hz", f"{snr}-dB-{units}",
                              partial(analytic, seed, units, snr, (low, high)), True))  # fmt: skip
        for preset in ("easy", "typical", "hard"):
            kinds += [
                (f"quick, {preset}{', 64 px' * small}", str(index),
                 partial(quick_experiment, seed, index, preset, small=small), small)
                for small, seed, count in ((True, first + 50, 4), (False, first + 51, 2))
                for index in range(count * round_, count * (round_ + 1))
            ]  # fmt: skip
        for maker in MAKERS if unseen else LOOKED_AT:
            apart = maker == "discs"
            for name, scene in (
                ("faint", Scene(unit_snr=(-10, 0), apart=apart)),
                ("artery", Scene(unit_snr=(0, 20), artery=True, breathing=True, apart=apart)),
            ):
                seed = first + 10 + round_
                kinds.append((maker, f"{name}-{seed}", partial(make, maker, seed, scene), False))
        for preset in ("easy", "typical", "hard"):
            seed = 800 if unseen else 900
            kinds.append((f"virtual, {preset}", str(round_),
                          partial(experiment, seed, round_, preset), False))  # fmt: skip
        for kind, name, maker_of, is_small in kinds:
            other = OTHERS[turn % len(OTHERS)]
            turn += 1
            # In large images stICA finds hundreds of components: more than a store has room for.
            other = "edges+refine" if other == "stica" and not is_small else other
            yield One(kind, name, maker_of, ("refine", other))


def found_in(one: One, folder: Path) -> list[dict[str, object]]:
    """Return a row for each unit found in a recording: its kind, method, parts and whether true."""
    place = folder / f"{one.kind} {one.name}.json".replace(",", "").replace(" ", "-")
    if place.is_file():
        return json.loads(place.read_text())
    made = one.make()
    rows: list[dict[str, object]] = []
    for method in one.methods:
        units = identify(Recording(made.tvi, made.frame_rate, made.pixel_size), method)
        if not units.count or units.parts is None:
            continue
        matched = match_trains(units.train, made.train, made.frame_rate).predicted
        for unit in range(units.count):
            row = {
                field.name: float(getattr(units.parts, field.name)[unit])
                for field in dataclasses.fields(Parts)
            }
            known = {name: None if np.isnan(value) else value for name, value in row.items()}
            named = {"kind": one.kind, "recording": one.name, "method": method}
            rows.append({**named, "true": unit in matched, **known})
    place.write_text(json.dumps(rows))
    print(place.name, len(rows), flush=True)
    return rows


def parts_of(rows: list[dict[str, object]]) -> Parts:
    """Return the parts of units together."""
    names = [field.name for field in dataclasses.fields(Parts)]
    # Rows that were kept before a number was thought of lack it.
    return Parts(**{name: np.array([row.get(name) for row in rows], np.float64) for name in names})


def fitted(
    signs: NDArray[np.float64], true: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """Return the first and the other weights of a logistic regression, the others 0 or more."""
    from scipy.optimize import minimize

    centre, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    scaled, share = (signs - centre) / spread, 1 / len(true)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = values[0] + scaled @ values[1:]
        off = share * (1 / (1 + np.exp(-odds)) - true)
        size = np.logaddexp(0, np.where(true, -odds, odds)).mean()
        slope = np.r_[off.sum(), scaled.T @ off + 2 * STRENGTH * values[1:]]
        return float(size + STRENGTH * values[1:] @ values[1:]), slope

    count = signs.shape[1]
    bounds = [(None, None), *[(0, None)] * count]
    found = minimize(loss, np.zeros(count + 1), jac=True, bounds=bounds).x
    slopes = found[1:] / spread
    return float(found[0] - slopes @ centre), slopes


def fit(rows: list[dict[str, object]]) -> None:
    """Print the constants of :mod:`musim.training.identification.confidence.model`."""
    signs, true = np.nan_to_num(signs_of(parts_of(rows))), truth_of(rows)
    first, slopes = fitted(signs, true)
    print(f"FIRST = {first:.3f}")
    print("WEIGHTS =", tuple(round(float(value), 3) for value in slopes))
    print("USUAL =", tuple(round(float(value), 3) for value in np.median(signs[true], axis=0)))
    for sign, size in zip(SIGNS, slopes * signs.std(axis=0), strict=True):
        print(f"  {sign.part}: {size:.2f} log odds for one SD")


def truth_of(rows: list[dict[str, object]]) -> NDArray[np.bool_]:
    """Return which units are true."""
    return np.array([row["true"] for row in rows], bool)


HEADING = """| {} | units | true | mean confidence | calibration error | of methods | \
area under ROC | of methods |
|---|---:|---:|---:|---:|---:|---:|---:|"""


def line(name: str, rows: list[dict[str, object]]) -> str:
    """Return a row of Markdown."""
    parts, true = parts_of(rows), truth_of(rows)
    sure, own = joint(parts), np.clip(parts.method_confidence, 0, 1)
    numbers = [true.mean(), sure.mean()]
    for measure in (calibration_error, area_under_curve):
        numbers += [measure(sure, true), measure(own, true)]
    cells = ["–" if np.isnan(number) else f"{number:.2f}" for number in numbers]
    cells[2:4] = [f"{number:.3f}" for number in numbers[2:4]]
    return f"| {name} | {len(rows)} | {' | '.join(cells)} |"


def table(rows: list[dict[str, object]], by: str) -> None:
    """Print a row for each kind or method, and one for all."""
    groups: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        groups[str(row[by])].append(row)
    print("\n" + HEADING.format(by))
    for name, group in groups.items():
        print(line(name, group))
    print(line("all", rows))


def main() -> None:
    """Print the tables, or the constants."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="where what was found stays")
    parser.add_argument("--unseen", action="store_true", help="recordings that were not looked at")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--kinds", nargs="+", default=[""], help="kinds whose names begin so")
    parser.add_argument("--methods", nargs="+", help="count units of these methods alone")
    parser.add_argument("--made", action="store_true", help="use what is in the folder alone")
    parser.add_argument(
        "--picture", type=Path, help=f"write a reliability diagram ({PICTURE.name})"
    )
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    folder = arguments.folder / ("unseen" if arguments.unseen else "seen")
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.made:
        rows = [
            row for path in sorted(folder.glob("*.json")) for row in json.loads(path.read_text())
        ]
    else:
        chosen = [one for one in recordings(arguments.unseen)
                  if one.kind.startswith(tuple(arguments.kinds))]  # fmt: skip
        with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
            rows = [
                row for part in pool.map(partial(found_in, folder=folder), chosen) for row in part
            ]
    rows = [row for row in rows if str(row["kind"]).startswith(tuple(arguments.kinds))
            and (arguments.methods is None or row["method"] in arguments.methods)]  # fmt: skip
    if arguments.fit:
        fit(rows)
        return
    for by in ("kind", "method"):
        table(rows, by)
    if arguments.picture:
        chart = reliability_chart(joint(parts_of(rows)), truth_of(rows), "units found")
        chart.figure.savefig(arguments.picture)


if __name__ == "__main__":
    main()
