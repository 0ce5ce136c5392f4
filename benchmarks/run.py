"""Measure musim; ``python -m benchmarks.run`` prints the tables of README.md."""

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# One BLAS thread a worker: workers, not BLAS, share out the cores, for both sides alike.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.measure import Comparison, in_turns, musim_process, size_of
from benchmarks.plain_numpy import render_with_numpy
from musim.datasets.generation import generate
from musim.simulator import PRESETS, Parameters, Range, draw, render

WORKERS = 2
PARAMETERS = Parameters(**PRESETS["ali-2020"])


def in_memory(sequences: int, rounds: int) -> list[str]:
    """(a) and (b): rendering against plain NumPy, and against filling the same memory."""
    truths = [draw(PARAMETERS, seed=1, index=i) for i in range(sequences)]
    shape = (PARAMETERS.frames, *PARAMETERS.pixels)
    memory = np.zeros((sequences, *shape), np.float32)
    buffers = [np.empty(shape, np.float32) for _ in range(WORKERS)]
    generators = [np.random.Generator(np.random.SFC64(i)) for i in range(WORKERS)]
    shares = [range(worker, sequences, WORKERS) for worker in range(WORKERS)]

    def musim(worker: int) -> None:
        for i in shares[worker]:
            render(truths[i], out=memory[i])

    def musim_with_drawing(worker: int) -> None:
        for i in shares[worker]:
            render(draw(PARAMETERS, seed=1, index=i), out=memory[i])

    def plain(worker: int) -> None:
        for i in shares[worker]:
            render_with_numpy(truths[i], generators[worker], buffers[worker], memory[i])

    def fill(worker: int) -> None:
        for i in shares[worker]:
            memory[i].fill(1.0)

    with ThreadPoolExecutor(WORKERS) as threads:

        def two(function):
            return lambda: list(threads.map(function, range(WORKERS)))

        def alone(function):
            return lambda: [function(worker) for worker in range(WORKERS)]

        both = in_turns(two(musim), two(plain), rounds)
        against_one = in_turns(two(musim), alone(plain), rounds)
        single = in_turns(alone(musim), alone(plain), rounds)
        drawn = in_turns(two(musim_with_drawing), two(plain), rounds)
        filled = in_turns(two(musim), two(fill), rounds)

    def line(what: str, against: str, compared: Comparison) -> str:
        first, second = (sequences / statistics.median(times) for times in compared.times)
        return row(what, first, against, second, compared.text())

    gigabytes = [memory.nbytes / statistics.median(times) / 1e9 for times in filled.times]
    share = filled.text()
    two_workers, one_worker = (
        "in memory, 2 workers, sequences/s",
        "in memory, 1 worker, sequences/s",
    )
    return [
        line(f"(a) {two_workers}", "NumPy, 1 worker", against_one),
        line(f"(a) {two_workers}", "NumPy, 2 workers", both),
        line(f"(a) {one_worker}", "NumPy, 1 worker", single),
        line(
            "(a) the same with drawing the truth, 2 workers", "NumPy, 2 workers, truth given", drawn
        ),
        row(
            "(b) rendered, 2 workers, GB/s", gigabytes[0], "filling the memory", gigabytes[1], share
        ),
    ]


def on_disk(folder: Path, sequences: int, rounds: int) -> list[str]:
    """(c): storing against writing the same bytes raw."""
    truth = draw(PARAMETERS, seed=1, index=0)
    voxels = render(truth)
    store, raw = folder / "store.zarr", folder / "raw"

    def musim() -> None:
        shutil.rmtree(store, ignore_errors=True)
        generate(PARAMETERS, store, sequences=sequences, workers=WORKERS)

    def write_raw() -> None:
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir()
        for i in range(sequences):
            with (raw / f"{i}.raw").open("wb") as file:
                voxels.tofile(file)
                file.flush()
                os.fsync(file.fileno())

    compared = in_turns(musim, write_raw, rounds)
    rate, raw_rate = (sequences / statistics.median(times) for times in compared.times)
    stored = "(c) stored dense, 2 workers, sequences/s"
    rows = [row(stored, rate, "tofile + fsync", raw_rate, compared.text())]
    many = 10 * sequences
    seconds = []
    for _ in range(rounds):
        shutil.rmtree(store, ignore_errors=True)
        began = time.perf_counter()
        generate(PARAMETERS, store, sequences=many, kind="rendered", workers=WORKERS)
        seconds.append(time.perf_counter() - began)
    kilobytes = size_of(store) / many / 1000
    stored = "(c) stored rendered, 2 workers, sequences/s"
    rows.append(row(stored, many / statistics.median(seconds), "kB a sequence", kilobytes, ""))
    shutil.rmtree(store, ignore_errors=True)
    shutil.rmtree(raw, ignore_errors=True)
    return rows


def growth(folder: Path, largest: int) -> list[str]:
    """(d): time and peak memory against the number of sequences and of units."""
    rows = [
        "| sequences (rendered store) | seconds | peak memory of a process, MiB |",
        "|---:|---:|---:|",
    ]
    store = folder / "growth.zarr"
    for sequences in (10, 100, 1000, 10_000):
        if sequences > largest:
            break
        arguments = ("generate", "-n", str(sequences), "--render", "on-read", "--overwrite")
        seconds, memory = musim_process(*arguments, "--workers", str(WORKERS), "--out", str(store))
        rows.append(f"| {sequences} | {seconds:.1f} | {memory:.0f} |")
    shutil.rmtree(store, ignore_errors=True)
    rows += ["", "| units | draw, ms | render, ms |", "|---:|---:|---:|"]
    out = np.empty((PARAMETERS.frames, *PARAMETERS.pixels), np.float32)
    for units in (1, 5, 10, 15, 20, 25, 30):
        parameters = Parameters(units=Range(units, units))
        times = []
        for index in range(20):
            began = time.perf_counter()
            truth = draw(parameters, seed=1, index=index)
            drawn = time.perf_counter()
            render(truth, out=out)
            times.append((drawn - began, time.perf_counter() - drawn))
        draw_ms, render_ms = (1000 * statistics.median(t) for t in zip(*times, strict=True))
        rows.append(f"| {units} | {draw_ms:.2f} | {render_ms:.2f} |")
    return rows


def row(what: str, value: float, against: str, other: float, ratio: str) -> str:
    """Return a line of the table."""
    return f"| {what} | {value:.4g} | {against} | {other:.4g} | {ratio} |"


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sets")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are written")
    options = parser.parse_args()
    rounds, sequences, stored, largest = (2, 16, 32, 100) if options.quick else (7, 64, 320, 10_000)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
          f"NumPy {np.__version__}\n")  # fmt: skip
    render(draw(PARAMETERS, seed=0, index=0))  # compiles
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print("| musim | | against | | ratio, median (range) |\n|---|---:|---|---:|---|")
        for line in in_memory(sequences, rounds):
            print(line, flush=True)
        for line in on_disk(folder, stored, max(2, rounds // 2)):
            print(line, flush=True)
        print()
        for line in growth(folder, largest):
            print(line, flush=True)


if __name__ == "__main__":
    main()
