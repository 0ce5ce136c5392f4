"""Rendering in memory, against plain NumPy and against filling the same memory."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.figures import GROUPS, Measured
from benchmarks.measure import in_turns
from benchmarks.plain_numpy import render_with_numpy
from musim.simulator import PRESETS, Parameters, draw, render

FIGURES = GROUPS["rendering"]

WORKERS = 2
SEQUENCES = 32
PARAMETERS = Parameters(**PRESETS["ali-2020"])


def figures(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure rendering; nothing is written to the folder."""
    truths = [draw(PARAMETERS, seed=1, index=i) for i in range(SEQUENCES)]
    shape = (PARAMETERS.frames, *PARAMETERS.pixels)
    memory = np.zeros((SEQUENCES, *shape), np.float32)
    buffers = [np.empty(shape, np.float32) for _ in range(WORKERS)]
    generators = [np.random.Generator(np.random.SFC64(i)) for i in range(WORKERS)]
    shares = [range(worker, SEQUENCES, WORKERS) for worker in range(WORKERS)]

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

        pairs = {
            "two-two": (two(musim), two(plain)),
            "two-one": (two(musim), alone(plain)),
            "one-one": (alone(musim), alone(plain)),
            "drawn": (two(musim_with_drawing), two(plain)),
            "filled": (two(musim), two(fill)),
        }
        for key, (first, second) in pairs.items():
            yield FIGURES[key].of(in_turns(first, second, rounds), SEQUENCES)
