"""Measure the streaming loader; ``python -m benchmarks.streaming`` prints README.md's tables."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import GROUPS, HEAD, Measured
from benchmarks.first_batch import BATCH
from benchmarks.measure import Comparison, in_turns
from musim.datasets import Store, generate
from musim.datasets.streaming import EndlessLoader, SequenceLoader
from musim.simulator import Parameters, draw, render

FIGURES = GROUPS["streaming"]
PARAMETERS = Parameters()
STEP_SECONDS = 0.05
ENDLESS_BATCHES = 10
MOST_PROCESSES = 3
"""Rounds of whole processes, which take seconds each."""

Epoch = Callable[[], None]


def drain(batches: Iterator[Any]) -> None:
    """Go through an epoch, touching every batch."""
    for batch in batches:
        float(batch["tvi"][0, 0, 0, 0])


def from_arrays(voxels: Any, sequences: int) -> Iterator[dict[str, torch.Tensor]]:
    """Yield shuffled batches of an array in memory or on disk, as a user would by hand."""
    order = np.random.default_rng(0).permutation(sequences)
    for low in range(0, sequences, BATCH):
        yield {"tvi": torch.from_numpy(np.ascontiguousarray(voxels[order[low : low + BATCH]]))}


def pairs(dense: Store, rendered: Store, folder: Path) -> dict[str, tuple[Epoch, Epoch]]:
    """Return epochs that are compared with one another, by the names of their figures."""
    memory = np.stack([dense.tvi(index) for index in range(len(dense))])
    memory.tofile(folder / "voxels.raw")
    mapped = np.memmap(folder / "voxels.raw", np.float32, "r", shape=memory.shape)

    def store(store: Store) -> Epoch:
        loader = SequenceLoader(store, batch_size=BATCH)
        return lambda: drain(iter(loader))

    def arrays(voxels: Any) -> Epoch:
        return lambda: drain(from_arrays(voxels, len(dense)))

    return {
        "dense-memory": (store(dense), arrays(memory)),
        "dense-mapped": (store(dense), arrays(mapped)),
        "rendered-dense": (store(rendered), store(dense)),
        "rendered-memory": (store(rendered), arrays(memory)),
    }


def endless(rounds: int) -> Measured:
    """Measure batches of endless truth, against drawing and rendering as much by one worker."""
    batches = iter(EndlessLoader(PARAMETERS, batch_size=BATCH))
    out = np.empty((PARAMETERS.frames, *PARAMETERS.pixels), np.float32)

    def loader() -> None:
        for _ in range(ENDLESS_BATCHES):
            next(batches)

    def alone() -> None:
        for index in range(ENDLESS_BATCHES * BATCH):
            render(draw(PARAMETERS, seed=0, index=index), out=out)

    return FIGURES["endless"].of(in_turns(loader, alone, rounds), ENDLESS_BATCHES * BATCH)


def waiting(store: Store, steps: int, rounds: int) -> Measured:
    """Measure for how long a training step of 50 ms waits for its batch."""
    batches = iter(EndlessOver(store))
    next(batches)
    waits, worked = [], []
    for _ in range(rounds):
        waited, began = 0.0, time.perf_counter()
        for _ in range(steps):
            asked = time.perf_counter()
            next(batches)
            waited += time.perf_counter() - asked
            # A step on an accelerator leaves the processors to the loader.
            time.sleep(STEP_SECONDS)
        waits.append(waited)
        worked.append(time.perf_counter() - began - waited)
    return FIGURES["waiting"].of(Comparison(waits, worked), steps)


def pause(store: Store, rounds: int) -> Measured:
    """Measure for how long the first batch of an epoch is waited for, right after the one before.

    Against it stands the mean time of the epoch's other batches. Nothing is done with any of them.
    """
    loader = SequenceLoader(store, batch_size=BATCH)
    drain(iter(loader))
    firsts, others = [], []
    for _ in range(rounds):
        times = [time.perf_counter()]
        for batch in loader:
            float(batch["tvi"][0, 0, 0, 0])
            times.append(time.perf_counter())
        firsts.append(times[1] - times[0])
        others.append((times[-1] - times[1]) / (len(times) - 2))
    return FIGURES["pause"].of(Comparison(firsts, others))


class EndlessOver:
    """Epoch after epoch of a store."""

    def __init__(self, store: Store) -> None:
        self.loader = SequenceLoader(store, batch_size=BATCH, standardise=True)

    def __iter__(self) -> Iterator[Any]:
        """Yield batches for ever."""
        while True:
            yield from self.loader


def first_batch(store: Path) -> tuple[float, float]:
    """Return seconds from a process's start to its first batch, and its peak memory in MiB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_batch", str(store)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = (float(value) for value in done.stdout.split())
    return seconds - began, peak


def figures(folder: Path, rounds: int, count: int = 96, steps: int = 40) -> Iterator[Measured]:
    """Measure all figures, on stores of some sequences that are made below a folder."""
    dense = generate(PARAMETERS, folder / "dense.zarr", sequences=count)
    rendered = generate(PARAMETERS, folder / "rendered.zarr", sequences=count, kind="rendered")
    for key, (first, second) in pairs(dense, rendered, folder).items():
        yield FIGURES[key].of(in_turns(first, second, rounds), count)
    yield endless(rounds)
    yield waiting(rendered, steps, rounds)
    yield pause(dense, rounds)

    def process() -> None:
        first_batch(folder / "rendered.zarr")

    def imports() -> None:
        subprocess.run([sys.executable, "-c", "import torch, zarr, numba"], check=True)

    yield FIGURES["first"].of(in_turns(process, imports, min(rounds, MOST_PROCESSES)))


def main() -> None:
    """Run the measurements and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller stores, fewer rounds")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are written")
    options = parser.parse_args()
    count, rounds, steps, large = (32, 2, 20, 64) if options.quick else (160, 5, 40, 1600)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(HEAD, flush=True)
        for each in figures(folder, rounds, count, steps):
            print(each.row(), flush=True)
        generate(PARAMETERS, folder / "large.zarr", sequences=large, kind="rendered")
        print("\n| sequences | first batch after, s | peak memory of an epoch, MiB |")
        print("|---:|---:|---:|")
        for sequences, store in ((count, "rendered.zarr"), (large, "large.zarr")):
            seconds, peak = first_batch(folder / store)
            print(f"| {sequences} | {seconds:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
