"""How many firings are found, by firing rate, method and way, beside those of an oracle.

    python -m benchmarks.firings                       # the table of benchmarks/README.md
    python -m benchmarks.firings --sequences 2 --rates 25-35

Analytic sequences of 15 units at 10 dB, 64 x 64 px and 400 frames at 400 Hz. Firings agree within
10 ms after the best constant lag of each train that matches; agreement is matched / (matched +
missed + false). The oracle's trains are the true ones with the noise that least squares leave in
them where territories are known. Seeds from 1000 on were not looked at while ways were chosen.
"""

import argparse
import os
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from musim.simulator import Parameters, Range, Truth, draw, render
from musim.training.identification.firing import firings as on_grid
from musim.training.identification.firings import FIRINGS
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.firing import score_all_at_best_lag
from musim.training.identification.units import Recording

UNSEEN_SEED = 1000

RATES = ("8-13", "15-20", "25-35")


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
    tvi = render(truth)
    if method == "oracle":
        noise = (tvi - render(truth, noise=False)).reshape(len(tvi), -1).T
        territory = truth.territory.reshape(truth.unit_count, -1).T.astype(np.float64)
        return (truth.twitch_train + np.linalg.pinv(territory) @ noise).astype(np.float32)
    recording = Recording(tvi, parameters.frame_rate, parameters.pixel_size)
    return identify(recording, method, firings="grid").train


Scores = dict[str, tuple[list[float], list[float], float]]
"""Agreements, lags (s) and seconds of each way."""


def scored(parameters: Parameters, seed: int, method: str) -> Scores:
    """Return what each way finds in the trains of a method."""
    truth = draw(parameters, seed=seed)
    trains = trains_of(truth, parameters, method)
    rate, duration = parameters.frame_rate, parameters.duration
    matching = match_trains(trains, truth.twitch_train, rate)
    found: Scores = {}
    for name, way in FIRINGS.items():
        began = time.process_time()
        firing = on_grid(trains, rate)
        if way.find is not None:
            firing = way.find(trains, rate, firing, None)
        seconds = time.process_time() - began
        rows = score_all_at_best_lag(
            firing[matching.predicted], truth.firing, (0.0, duration), bound=0.05
        )
        own = [row[unit] for row, unit in zip(rows, matching.true, strict=True)]
        found[name] = [one.agreement for one in own], [one.lag for one in own], seconds
    return found


def rows(methods: list[str], rates: list[str], sequences: int, first: int) -> Iterator[str]:
    """Yield the rows of the table."""
    for kind, more in kinds().items():
        for rate in rates:
            for method in methods:
                given: dict[str, Any] = {"units": 15, "snr": 10, "firing_rate": rate, **more}
                every = [
                    scored(Parameters(**given), seed, method)
                    for seed in range(first, first + sequences)
                ]
                cells = [kind, rate, method]
                for name in FIRINGS:
                    agreement = np.concatenate([one[name][0] for one in every])
                    lag = np.concatenate([one[name][1] for one in every])
                    seconds = np.mean([one[name][2] for one in every])
                    late = f"{1000 * lag.mean():+.1f} ms, {seconds:.2f} s"
                    cells.append(f"{agreement.mean():.2f} ({late})")
                yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=["oracle", "refine", "ica"])
    parser.add_argument("--rates", nargs="+", default=list(RATES))
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--first", type=int, default=UNSEEN_SEED, help="first seed")
    arguments = parser.parse_args()
    ways = " | ".join(FIRINGS)
    print(f"| sequences | Hz | method | {ways} |")
    print(f"|---|---|---|{'---:|' * len(FIRINGS)}")
    for row in rows(arguments.methods, arguments.rates, arguments.sequences, arguments.first):
        print(row, flush=True)


if __name__ == "__main__":
    main()
