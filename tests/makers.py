"""A maker for tests: whatever a function gives becomes a store."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musim.datasets import Store
from musim.datasets.layout import Layout
from musim.datasets.location import Location
from musim.datasets.origin import Cut, Imported, Translated, to_attributes
from musim.datasets.parallel import Pool
from musim.datasets.production import Maker, Part, Work, produce
from musim.simulator.imaging.chain import Chain

Given = Callable[[int], tuple[Mapping[str, np.ndarray], Any]]
"""Returns a part's arrays, and its voxels, given its number."""


@dataclass(frozen=True, kw_only=True)
class GivenMaker(Maker[int]):
    """Makes each part of what a function returns."""

    given: Given

    @property
    def pool(self) -> Pool:
        """Threads: functions of tests are not found by other processes."""
        return "threads"

    def make(self, task: int) -> Iterator[Part]:
        """Ask the function for one part."""
        arrays, voxels = self.given(task)
        yield Part(task, arrays, voxels)


def imported(sequences: int) -> dict[str, Any]:
    """Return the attributes of sequences that were imported from one file without any steps."""
    cuts = [Cut(file="a.npy", sha256="0" * 64, recording=i, start=0.0) for i in range(sequences)]
    return to_attributes(Imported(cuts=tuple(cuts), descriptions=(), chain=Chain()))


def translated(source: str | Path, sequences: int) -> dict[str, Any]:
    """Return the attributes of a translation of a store."""
    return to_attributes(
        Translated(store=str(source), sequences=sequences, run="r", checkpoint="", settings={})
    )


def store_of(path: str | Path | Location, layout: Layout, given: Given) -> Store:
    """Make a store of what a function gives for each part, recordings if nothing else is said."""
    if not layout.attributes:
        layout = dataclasses.replace(layout, attributes=imported(layout.sequences))
    return produce(GivenMaker(layout=layout, given=given), path, Work(workers=1))
