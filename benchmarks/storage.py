"""Writing and reading stores, against raw files of the same bytes.

The limit of writing is one file of as many bytes, brought to the disk (fsync). What one would write
by hand is a file a sequence, each brought to the disk, so that none is lost. What was there is
removed before, and that is not timed: to free as many files takes a disk a while.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import GROUPS, Measured
from benchmarks.measure import Comparison, in_turns
from musim.datasets.generation import generate
from musim.simulator import PRESETS, Parameters, draw, render

FIGURES = GROUPS["storage"]

SEQUENCES = 96
RENDERED = 1000
PARAMETERS = Parameters(**PRESETS["ali-2020"])

WRITTEN = {
    "float32-2": ("float32", 2),
    "float32-1": ("float32", 1),
    "float16-2": ("float16", 2),
    "float16-1": ("float16", 1),
}
"""Stores of voxels, against one file: type and workers."""


def figures(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure writing, then reading, below a folder on the disk that is meant."""
    voxels = render(draw(PARAMETERS, seed=1, index=0))
    for key, (dtype, workers) in WRITTEN.items():
        one = _raw(folder, voxels.astype(dtype), one_file=True)
        yield FIGURES[key].of(_turns(folder, one, rounds, workers, dtype=dtype), SEQUENCES)
    each = _raw(folder, voxels, one_file=False)
    yield FIGURES["files"].of(_turns(folder, each, rounds, 2), SEQUENCES)
    yield from _rendered(folder, rounds)
    yield from _reading(folder, rounds)


def _writing(folder: Path, workers: int, **options) -> Callable[[], object]:
    """Return what writes a store."""
    given = {"sequences": SEQUENCES, **options}
    return lambda: generate(PARAMETERS, folder / "store.zarr", workers=workers, **given)


def _raw(folder: Path, voxels: NDArray[np.floating], *, one_file: bool) -> Callable[[], None]:
    """Return what writes as many sequences raw."""
    parts = 1 if one_file else SEQUENCES

    def write() -> None:
        for part in range(parts):
            with (folder / f"{part}.raw").open("wb") as file:
                for _ in range(SEQUENCES // parts):
                    voxels.tofile(file)
                file.flush()
                os.fsync(file.fileno())

    return write


def _turns(
    folder: Path, against: Callable[[], None], rounds: int, workers: int, **options
) -> Comparison:
    """Write a store in turns with something else, each into an empty folder on a quiet disk."""

    def empty() -> None:
        shutil.rmtree(folder)
        folder.mkdir()
        os.sync()

    return in_turns(_writing(folder, workers, **options), against, rounds, before=empty)


def _rendered(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure stores that hold the truth alone, against drawing it."""

    def drawing() -> None:
        for index in range(RENDERED):
            draw(PARAMETERS, seed=0, index=index)

    for workers in (2, 1):
        # With starting and ending the processes, as a command has it.
        times = _turns(folder, drawing, rounds, workers, kind="rendered", sequences=RENDERED)
        yield FIGURES[f"truth-{workers}"].of(times, RENDERED)


def _reading(folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure reading all sequences of a store, against copying them out of a mapped file."""
    stores = {}
    for kind in ("dense", "rendered"):
        place = folder / f"{kind}.zarr"
        stores[kind] = generate(PARAMETERS, place, sequences=SEQUENCES, kind=kind)
    out = np.empty((PARAMETERS.frames, *PARAMETERS.pixels), np.float32)
    _raw(folder, out, one_file=True)()
    mapped = np.memmap(folder / "0.raw", np.float32, "r", shape=(SEQUENCES, *out.shape))

    def copying() -> None:
        for index in range(SEQUENCES):
            out[...] = mapped[index]

    for kind, store in stores.items():

        def reading(store=store) -> None:
            for index in range(SEQUENCES):
                store.tvi(index, out=out)

        yield FIGURES[f"read-{kind}"].of(in_turns(reading, copying, rounds), SEQUENCES)
