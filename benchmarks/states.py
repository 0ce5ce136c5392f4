"""Frames a second of videos of a simulated calf, and of what tells its state from them.

    python -m benchmarks.states trials.zarr cnn klt absolute

Frames are rendered by one thread and by two side by side, each in a participant of its own. Then
each run tells the states of frames that are in memory already, one after the other as while
someone looks on, on one core. Times are of the wall: nothing else should run.
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import click
import numpy as np
import torch
from numpy.typing import NDArray

from musim.datasets.videos.trials import MuscleTrial, trials_of
from musim.training.state.predicting import StatePredictor

SIDE_BY_SIDE = 2
"""Threads that render."""


@dataclass(frozen=True)
class HeldTrial(MuscleTrial):
    """A trial whose images are in memory."""

    held: NDArray[np.uint8]

    def images(self, first=0, stop=None):
        """Return images without reading or rendering any."""
        return self.held[first:stop]


def held(trial, frames):
    """Return the beginning of a trial, with its images in memory."""
    values = {one.name: getattr(trial, one.name) for one in fields(MuscleTrial)}
    return HeldTrial(**{**values, "frames": frames}, held=trial.images(0, frames))


def rendering(trials, frames, first):
    """Return frames a second of threads that render a trial each."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(trials)) as pool:
        list(pool.map(lambda trial: trial.images(first, first + frames), trials))
    return len(trials) * frames / (time.perf_counter() - began)


def telling(run, trial):
    """Return frames a second of a run that tells the states of a trial."""
    began = time.perf_counter()
    run.predict(trial)
    return trial.frames / (time.perf_counter() - began)


def text(rates):
    """Return the median of rates with their range."""
    return f"{statistics.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f}) frames/s"


@click.command(help=__doc__)
@click.argument("store")
@click.argument("runs", nargs=-1)
@click.option("--frames", default=500, show_default=True, help="Frames of a round.")
@click.option("--rounds", default=5, show_default=True)
def main(store, runs, frames, rounds):
    """Print frames a second."""
    torch.set_num_threads(1)
    trials = {one.participant: one for one in trials_of(store)}
    chosen = list(trials.values())[:SIDE_BY_SIDE]
    if len(chosen) < SIDE_BY_SIDE:
        raise click.ClickException(f"{store}: found one participant, wanted {SIDE_BY_SIDE}")
    rendering(chosen, 2, 0)  # participants are prepared, kernels compiled
    by_threads = {1: [], SIDE_BY_SIDE: []}
    for turn in range(rounds):
        for threads, rates in by_threads.items():
            rates.append(rendering(chosen[:threads], frames // threads, turn * frames))
    for threads, rates in by_threads.items():
        print(f"rendering, {threads} thread{'s' * (threads > 1)}: {text(rates)}", flush=True)
    trial = held(chosen[0], frames)
    for run in runs:
        opened = StatePredictor.of_run(run)
        telling(opened, trial)
        print(f"{run}: {text([telling(opened, trial) for _ in range(rounds)])}", flush=True)


if __name__ == "__main__":
    main()
