"""Time and peak memory of generation against the number of sequences and of units.

    python -m benchmarks.growth [--largest 1000]

A rendered store, made by two workers.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import musim_process
from musim.simulator import PRESETS, Parameters, Range, draw, render

WORKERS = 2
SEQUENCES = (10, 100, 1000, 10_000)
UNITS = (1, 5, 10, 15, 20, 25, 30)
PARAMETERS = Parameters(**PRESETS["ali-2020"])


def by_sequences(store: Path, largest: int) -> None:
    """Print a table of seconds and memory of whole processes."""
    print("| sequences (rendered store) | seconds | peak memory of a process, MiB |")
    print("|---:|---:|---:|")
    for sequences in SEQUENCES:
        if sequences > largest:
            break
        arguments = ("generate", "-n", str(sequences), "--render", "on-read", "--overwrite")
        seconds, memory = musim_process(*arguments, "--workers", str(WORKERS), "--out", str(store))
        print(f"| {sequences} | {seconds:.1f} | {memory:.0f} |", flush=True)
    shutil.rmtree(store, ignore_errors=True)


def by_units() -> None:
    """Print a table of milliseconds of drawing and of rendering a sequence."""
    print("| units | draw, ms | render, ms |\n|---:|---:|---:|")
    out = np.empty((PARAMETERS.frames, *PARAMETERS.pixels), np.float32)
    render(draw(PARAMETERS, seed=0, index=0), out=out)  # compiles
    for units in UNITS:
        parameters = Parameters(units=Range(units, units))
        times = []
        for index in range(20):
            began = time.perf_counter()
            truth = draw(parameters, seed=1, index=index)
            drawn = time.perf_counter()
            render(truth, out=out)
            times.append((drawn - began, time.perf_counter() - drawn))
        draw_ms, render_ms = (1000 * statistics.median(t) for t in zip(*times, strict=True))
        print(f"| {units} | {draw_ms:.2f} | {render_ms:.2f} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=SEQUENCES[-1], help="number of sequences")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        by_sequences(Path(name) / "growth.zarr", options.largest)
    print()
    by_units()


if __name__ == "__main__":
    main()
