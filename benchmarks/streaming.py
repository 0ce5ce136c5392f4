"""Measure the streaming loader; ``python -m benchmarks.streaming`` prints README.md's tables."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure import in_turns
from musim.datasets import Store, generate
from musim.datasets.streaming import EndlessLoader, SequenceLoader
from musim.simulator import Parameters

BATCH = 8
PARAMETERS = Parameters()
STEP_SECONDS = 0.05


def drain(batches: Iterator[Any]) -> None:
    """Go through an epoch, touching every batch."""
    for batch in batches:
        float(batch["tvi"][0, 0, 0, 0])


def from_arrays(voxels: Any, sequences: int) -> Iterator[dict[str, torch.Tensor]]:
    """Yield shuffled batches of an array in memory or on disk, as a user would by hand."""
    order = np.random.default_rng(0).permutation(sequences)
    for low in range(0, sequences, BATCH):
        yield {"tvi": torch.from_numpy(np.ascontiguousarray(voxels[order[low : low + BATCH]]))}


def compare(dense: Store, rendered: Store, folder: Path, rounds: int) -> list[str]:
    """Return rows of batches a second from each source, against one another."""
    count = len(dense)
    memory = np.stack([dense.tvi(index) for index in range(count)])
    memory.tofile(folder / "voxels.raw")
    mapped = np.memmap(folder / "voxels.raw", np.float32, "r", shape=memory.shape)
    loaders = {
        "dense store": SequenceLoader(dense, batch_size=BATCH),
        "rendered store": SequenceLoader(rendered, batch_size=BATCH),
    }

    def epoch(name: str) -> Callable[[], None]:
        return lambda: drain(iter(loaders[name]))

    def arrays(voxels: Any) -> Callable[[], None]:
        return lambda: drain(from_arrays(voxels, count))

    pairs = [
        ("dense store", "arrays in memory", epoch("dense store"), arrays(memory)),
        ("dense store", "numpy.memmap", epoch("dense store"), arrays(mapped)),
        ("rendered store", "dense store", epoch("rendered store"), epoch("dense store")),
        ("rendered store", "arrays in memory", epoch("rendered store"), arrays(memory)),
    ]
    rows = []
    for first, second, one, other in pairs:
        result = in_turns(one, other, rounds)
        rates = [count / statistics.median(times) for times in result.times]
        rows.append(f"| {first} | {rates[0]:.0f} | {second} | {rates[1]:.0f} | {result.text()} |")
    return rows


def waiting(store: Store, steps: int) -> str:
    """Return the share of its time that a training step of 50 ms waits for its batch."""
    batches = iter(EndlessOver(store))
    next(batches)
    waited = 0.0
    began = time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        next(batches)
        waited += time.perf_counter() - asked
        # A step on an accelerator leaves the processors to the loader.
        time.sleep(STEP_SECONDS)
    return f"{100 * waited / (time.perf_counter() - began):.2f} %"


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
        [sys.executable, "-m", "benchmarks.streaming", "--first-batch", str(store)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = (float(value) for value in done.stdout.split())
    return seconds - began, peak


def in_this_process(store: Path) -> None:
    """Print when the first batch came, and the peak memory after a whole epoch."""
    loader = SequenceLoader(store, batch_size=BATCH)
    batches = iter(loader)
    next(batches)
    came = time.perf_counter()
    drain(batches)
    # Not from getrusage, which counts the process that started this one too.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(came, int(peak.split()[1]) / 1024)


def main() -> None:
    """Run the measurements and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller stores, fewer rounds")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are written")
    parser.add_argument("--first-batch", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_batch:
        in_this_process(options.first_batch)
        return
    count, rounds, steps, large = (32, 2, 20, 64) if options.quick else (160, 5, 100, 1600)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        dense = generate(PARAMETERS, folder / "dense.zarr", sequences=count)
        rendered = generate(PARAMETERS, folder / "rendered.zarr", sequences=count, kind="rendered")
        many = generate(PARAMETERS, folder / "large.zarr", sequences=large, kind="rendered")
        print("| sequences/s from | | against | | ratio, median (range) |\n|---|---:|---|---:|---|")
        for row in compare(dense, rendered, folder, rounds):
            print(row, flush=True)
        endless = iter(EndlessLoader(PARAMETERS, batch_size=BATCH))
        next(endless)
        began = time.perf_counter()
        for _ in range(steps // 4):
            next(endless)
        rate = BATCH * (steps // 4) / (time.perf_counter() - began)
        print(
            f"\n| | |\n|---|---:|\n| endless truth, drawn and rendered, sequences/s | {rate:.0f} |"
        )
        print(f"| waiting of a step of 50 ms (batches of {BATCH}) | {waiting(many, steps)} |")
        for label, store in (("rendered", "rendered.zarr"), ("large", "large.zarr")):
            seconds, peak = first_batch(folder / store)
            sequences = count if label == "rendered" else large
            print(f"| first batch after, {sequences} sequences, s | {seconds:.1f} |")
            print(
                f"| peak memory of an epoch, {sequences} sequences, MiB | {peak:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
