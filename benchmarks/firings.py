"""How many firings are found, by firing rate, method and way, beside those of an oracle.

    python -m benchmarks.firings                       # table and figure of benchmarks/README.md
    python -m benchmarks.firings --sequences 2 --rates 25-35 --figure ""

Analytic sequences of 15 units at 10 dB, 64 x 64 px and 400 frames at 400 Hz, and quick recordings
of the virtual experiment (preset `easy`, 2 s at 512 Hz, 64 x 64 px). Firings agree within 10 ms
after the best constant lag of each train that matches; agreement is matched / (matched + missed +
false). The oracle's trains are the true ones with the noise that least squares leave in them where
territories are known. Seeds from 1000 on were not looked at while ways were chosen. The figure
shows units by their own rates, of sequences that mix them.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from musim.datasets.origin import Simulated
from musim.simulator import Parameters, Range, Truth, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.imaging.filtering import BandPass
from musim.simulator.parameters import PRESETS
from musim.training.colours import COLOURS, GREY
from musim.training.identification.firing import firings as on_grid
from musim.training.identification.firing_oracle import oracle_units
from musim.training.identification.firings import FIRINGS, USUAL_FIRINGS
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.firing import (
    FINE_TOLERANCE,
    firings_within,
    match_instants,
    score_all_at_best_lag,
)
from musim.training.identification.results import band_of
from musim.training.identification.units import Recording

UNSEEN_SEED = 1000

FIGURE = Path(__file__).parent / "firings.png"

RATES = ("8-13", "15-20", "25-35")

EXPERIMENT_RATES = ("8-13", "20-30")

MIXED_RATES, BINS = "6-40", np.arange(6, 42, 4)
"""Of the sequences that the figure is made of, and its bins, Hz."""


def waveform() -> tuple[tuple[float, float], ...]:
    """Return a velocity that is not of the family: a rise by half a cosine, and a Gaussian fall."""
    times = np.arange(0, 0.4, 0.001)
    rise, fall = 0.07, 0.06
    displacement = np.where(
        times < rise,
        0.5 - 0.5 * np.cos(np.pi * times / rise),
        np.exp(-np.square((times - rise) / fall) / 2),
    )
    velocity = np.gradient(displacement, times)
    velocity[0] = 0.0
    return tuple(zip(times.tolist(), velocity.tolist(), strict=True))


def kinds() -> dict[str, dict[str, object]]:
    """Return what differs from plain sequences, by its name."""
    varied = Range(0.2, 0.2)
    return {
        "plain": {},
        "twitches vary by 20 %": {"amplitude_variation": varied, "duration_variation": varied},
        "another waveform": {"waveform": waveform()},
    }


def trains_of(truth: Truth, parameters: Parameters, method: str) -> NDArray[np.float32]:
    """Return the trains that a method finds in a sequence, or the oracle's."""
    recording = Recording(render(truth), parameters.frame_rate, parameters.pixel_size)
    if method == "oracle":
        return oracle_units(recording, truth, "grid").train
    return identify(recording, method, firings="grid").train


@dataclass
class Scores:
    """What one way found in trains.

    Parameters
    ----------
    rate : list of float
        Of each true unit that a train matches, Hz.
    agreement, chance : list of float
        Of its firings, and of those of another unit in the middle, 0..1.
    lag, bias : list of float
        The best constant lag, and the mean of found less true instants that match, s.
    seconds : list of float
        Of the processor, of each sequence.
    matched : list of float
        Share of each sequence's units that a train matches.
    """

    rate: list[float] = field(default_factory=list)
    agreement: list[float] = field(default_factory=list)
    chance: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    matched: list[float] = field(default_factory=list)

    def add(self, firing: Any, trains: Any, truth: Truth, rate: float, seconds: float) -> None:
        """Add what was found in the trains of one sequence."""
        matching = match_trains(trains, truth.twitch_train, rate)
        window = (0.0, trains.shape[1] / rate)
        ours = [firing[unit] for unit in matching.predicted]
        rows = score_all_at_best_lag(ours, truth.firing, window, bound=0.05)
        for row, unsorted, unit in zip(rows, ours, matching.true, strict=True):
            true = firings_within(truth.firing[unit], window)
            self.rate.append(1 / float(np.diff(true).mean()))
            self.agreement.append(row[unit].agreement)
            others = [one.agreement for place, one in enumerate(row) if place != unit]
            self.chance.append(float(np.mean(others)))
            self.lag.append(row[unit].lag)
            found = firings_within(unsorted, window)
            of_found, of_true = match_instants(found - row[unit].lag, true, FINE_TOLERANCE)
            if len(of_found):
                self.bias.append(float((found[of_found] - true[of_true]).mean()))
        self.seconds.append(seconds)
        self.matched.append(len(ours) / truth.unit_count)

    def __str__(self) -> str:
        """Return the cell of the table."""
        bias, lag = 1000 * np.array(self.bias), 1000 * np.array(self.lag)
        return (
            f"{np.mean(self.agreement):.2f} ({bias.mean():+.1f} ms, {lag.std():.1f}, "
            f"{np.mean(self.seconds):.2f} s)"
        )


Found = dict[str, Scores]
"""What each way found."""


def found_in(
    found: Found, trains: NDArray[np.float32], truth: Truth, rate: float,
    band: BandPass | None = None,
) -> None:  # fmt: skip
    """Add what each way finds in trains."""
    for name, way in FIRINGS.items():
        began = time.process_time()
        firing = on_grid(trains, rate)
        if way.find is not None:
            firing = way.find(trains, rate, firing, band)
        found[name].add(firing, trains, truth, rate, time.process_time() - began)


def analytic(method: str, sequences: range, **given: Any) -> Found:
    """Return what each way finds in the trains of a method in analytic sequences."""
    parameters = Parameters(units=15, snr=10, **given)
    found = {name: Scores() for name in FIRINGS}
    for seed in sequences:
        truth = draw(parameters, seed=seed)
        trains = trains_of(truth, parameters, method)
        found_in(found, trains, truth, parameters.frame_rate)
    return found


def experiment(method: str, sequences: range, firing_rate: str) -> Found:
    """Return the same in quick recordings of the virtual experiment."""
    given = {**PRESETS["easy"], "firing_rate": firing_rate, "pixels": (64, 64)}
    parameters, doses = Parameters(**given), Doses.from_texts({}, "easy")
    band = band_of(Simulated(parameters=parameters, seed=0, doses=doses), parameters.frame_rate)
    found = {name: Scores() for name in FIRINGS}
    for seed in sequences:
        truth = draw(parameters, doses=doses, seed=seed)
        recorded = draw_recording(parameters, doses, truth, seed=seed)
        tvi = render_recording(recorded, colour(parameters, doses))
        recording = Recording(tvi, parameters.frame_rate, parameters.pixel_size, band)
        trains = identify(recording, method, firings="grid").train
        found_in(found, trains, truth, parameters.frame_rate, band)
    return found


def row(cells: list[str], found: Found) -> str:
    """Return a row of the table."""
    first = next(iter(found.values()))
    cells = [*cells, f"{np.mean(first.matched):.2f}", *(str(one) for one in found.values())]
    cells.append(f"{np.mean(first.chance):.2f}")
    return f"| {' | '.join(cells)} |"


def rows(methods: list[str], rates: list[str], sequences: range) -> Iterator[str]:
    """Yield the rows of the table."""
    for kind, more in kinds().items():
        for rate in rates:
            for method in methods:
                found = analytic(method, sequences, firing_rate=rate, **more)
                yield row([kind, rate, method], found)
    for rate in EXPERIMENT_RATES:
        for method in methods:
            if method != "oracle":
                found = experiment(method, sequences, rate)
                yield row(["virtual experiment", rate, method], found)


def figure(path: Path, method: str, sequences: range) -> None:
    """Draw agreement by units' own rates: all ways, the oracle, and another unit's firings."""
    found = analytic(method, sequences, firing_rate=MIXED_RATES)
    oracle = analytic("oracle", sequences, firing_rate=MIXED_RATES)
    usual = found[USUAL_FIRINGS]
    # Ways that agree lie over one another: a ring about a point.
    lines = [(name, one.rate, one.agreement, style) for (name, one), style in zip(
        found.items(), ("o-", "o--", "s-"), strict=True)]  # fmt: skip
    best = oracle[USUAL_FIRINGS]
    lines.append((f"{USUAL_FIRINGS}, the oracle's trains", best.rate, best.agreement, "--"))
    lines.append(("another unit's firings", usual.rate, usual.chance, ":"))
    drawn = Figure(figsize=(7.6, 3.4), dpi=150, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots()
    middles = (BINS[1:] + BINS[:-1]) / 2
    for place, (label, rate, agreement, style) in enumerate(lines):
        inside = np.digitize(rate, BINS)
        means = [
            float(np.mean(np.array(agreement)[inside == one])) if (inside == one).any() else np.nan
            for one in range(1, len(BINS))
        ]
        colour_of_line = COLOURS[place] if place < len(found) else GREY
        ring = "o--" in style
        axes.plot(middles, means, style, color=colour_of_line, label=label, linewidth=1.2,
                  markersize=8 if ring else 4, fillstyle="none" if ring else "full")  # fmt: skip
    axes.set_xlabel("Firing rate of the true unit (Hz)")
    axes.set_ylabel("Agreement of firings, 10 ms")
    axes.set_ylim(0, 1.02)
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    drawn.legend(fontsize=7, frameon=False, loc="outside right center")
    axes.set_title(f"Analytic sequences of 15 units, 10 dB, trains of {method}", fontsize=9)
    drawn.savefig(path)


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=["oracle", "refine"])
    parser.add_argument("--rates", nargs="*", default=list(RATES))
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--first", type=int, default=UNSEEN_SEED, help="first seed")
    parser.add_argument("--figure", default=str(FIGURE), help="where; empty for none")
    arguments = parser.parse_args()
    sequences = range(arguments.first, arguments.first + arguments.sequences)
    analytic("oracle", range(1), firing_rate="8-13")  # compiled
    ways = " | ".join(FIRINGS)
    print(f"| sequences | Hz | trains of | matched | {ways} | wrong unit |")
    print(f"|---|---|---|---:|{'---:|' * len(FIRINGS)}---:|")
    for one in rows(arguments.methods, arguments.rates, sequences):
        print(one, flush=True)
    if arguments.figure:
        figure(Path(arguments.figure), "refine", range(sequences.start, sequences.stop + 2))


if __name__ == "__main__":
    main()
