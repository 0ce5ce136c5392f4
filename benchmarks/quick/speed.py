"""How fast quick recordings are drawn and rendered.

Ratios are of processor seconds, in turns in one run; rates are of two processes.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.measure import in_turns, size_of
from benchmarks.quick.recordings import SEED, SHORT, Kind
from musim.datasets.generation import generate
from musim.datasets.streaming.endless import EndlessLoader
from musim.simulator import Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate

SEVEN = Kind("seven", replace(SHORT.parameters, units=Range(7, 7)), Doses())
"""Seven units, 64 x 64 pixels, 400 frames."""

LARGE = Kind("large", replace(SEVEN.parameters, pixels=(128, 128), frames=1024), Doses())

WORKERS = 2

STEP_SECONDS = 0.05

WARM_UP = 10
"""Batches before waiting is measured: the first subjects, and kernels."""


@dataclass(frozen=True)
class Line:
    """A figure, and what is aimed at."""

    name: str
    value: str
    aim: str = ""

    def __str__(self) -> str:
        """Return a row of a table."""
        return f"| {self.name} | {self.value} | {self.aim} |"


HEAD = "| 64 x 64 px, 400 frames, 7 units | | aim |\n|---|---:|---:|"


def make(kind: Kind, index: int, out: np.ndarray | None = None) -> np.ndarray:
    """Draw truth and recording of a subject, and render it."""
    truth = draw(kind.parameters, doses=kind.doses, seed=SEED, index=index)
    recording = draw_recording(kind.parameters, kind.doses, truth, seed=SEED, index=index)
    return render_recording(recording, colour(kind.parameters, kind.doses), out=out)


def ratios(rounds: int) -> Iterator[Line]:
    """Compare processor time with the full experiment, analytic rendering and filling memory."""
    kind, numbers = SEVEN, iter(range(10**9))
    out = np.empty((kind.parameters.frames, *kind.parameters.pixels), np.float32)
    analytic = replace(kind.parameters, fat=Range(0, 0))

    def full() -> None:
        index = next(numbers)
        truth = draw(kind.parameters, doses=kind.doses, seed=SEED, index=index)
        simulate(kind.parameters, kind.doses, truth, seed=SEED, index=index, out=out)

    def drawn() -> None:
        render(draw(analytic, seed=SEED, index=next(numbers)), out=out)

    def quick() -> None:
        make(kind, next(numbers), out)

    def times(other: Callable[[], object], many: int) -> str:
        found = in_turns(quick, other, many, clock=time.process_time).ratios
        return f"{np.median(found):.2f} ({min(found):.2f}-{max(found):.2f})"

    yield Line("a full recording over a quick one, processor time", times(full, rounds))
    yield Line(
        "an analytic sequence, drawn and rendered, over a quick one", times(drawn, 10 * rounds)
    )
    recording, shade = kind.quick(0), colour(kind.parameters, kind.doses)
    found = in_turns(
        lambda: render_recording(recording, shade, out=out), lambda: out.fill(1), 20 * rounds,
        clock=time.process_time,
    )  # fmt: skip
    yield Line("rendering, as a share of filling its memory", f"{np.median(found.ratios):.4f}")


def _many(kind: Kind, first: int, count: int) -> float:
    """Make recordings; return the processor seconds."""
    began = time.process_time()
    out = np.empty((kind.parameters.frames, *kind.parameters.pixels), np.float32)
    for index in range(first, first + count):
        make(kind, index, out)
    return time.process_time() - began


def rate(pool: ProcessPoolExecutor, kind: Kind, count: int) -> str:
    """Return recordings a second of both processes, and by processor time of one."""
    list(pool.map(_many, [kind] * WORKERS, range(WORKERS), [1] * WORKERS))  # compiled
    began = time.perf_counter()
    firsts = range(0, WORKERS * count, count)
    used = sum(pool.map(_many, [kind] * WORKERS, firsts, [count] * WORKERS))
    wall = time.perf_counter() - began
    return f"{WORKERS * count / wall:.1f} ({WORKERS**2 * count / used:.1f} by processor time)"


def rates(count: int) -> Iterator[Line]:
    """Measure recordings a second: of new subjects, and of ten trials each."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        yield Line("new subjects a second, 2 processes", rate(pool, SEVEN, count), "40")
        ten = replace(SEVEN, parameters=replace(SEVEN.parameters, trials=10))
        yield Line("trials a second, ten a subject", rate(pool, ten, 5 * count // 10 * 10), "150")
        large = replace(LARGE, parameters=replace(LARGE.parameters, trials=10))
        yield Line("the same, 128 x 128 px, 1,024 frames", rate(pool, large, 10), "10")


def stored(folder: Path, count: int) -> Line:
    """Measure what a subject takes in a store of maps and courses."""
    out = folder / "quick.zarr"
    generate(
        SEVEN.parameters, out, sequences=count, seed=SEED, doses=SEVEN.doses, domain="quick",
        kind="rendered", overwrite=True,
    )  # fmt: skip
    return Line("stored, MB a subject", f"{size_of(out) / count / 1e6:.2f}", "< 1")


def waiting(steps: int) -> Line:
    """Measure for which share of its time a training step of 50 ms waits for a batch of 8."""
    parameters = replace(SEVEN.parameters, trials=10)
    batches = iter(EndlessLoader(parameters, doses=SEVEN.doses, batch_size=8, seed=SEED))
    for _ in range(WARM_UP):
        next(batches)
    waited, began = 0.0, time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        next(batches)
        waited += time.perf_counter() - asked
        # A step on an accelerator leaves the processors to the loader.
        time.sleep(STEP_SECONDS)
    share = waited / (time.perf_counter() - began)
    return Line(
        "waiting of a 50-ms step for 8 endless trials, ten a subject", f"{share:.1%}", "< 5 %"
    )


def lines(rounds: int, folder: Path) -> Iterator[Line]:
    """Measure all of it."""
    yield from ratios(rounds)
    yield from rates(60 * rounds)
    folder.mkdir(parents=True, exist_ok=True)
    yield stored(folder, 20)
    yield waiting(20 * rounds)
