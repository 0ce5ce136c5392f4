"""Twins: two stores of sequences that show the same truth, such as a simulation and its recording.

A virtual experiment writes them, quick or full, if it is asked for pairs.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...datasets.splits import split
from ...datasets.statistics import standardisation
from ...datasets.store import Store, check_velocity
from ...simulator.errors import InputError

if TYPE_CHECKING:
    from .paired_settings import PairedSettings


VALIDATED_FRAMES = 64
"""Frames of a sequence that a validation looks at, from its beginning on."""


class Twins:
    """Pairs of sequences, of which images or clips are drawn.

    Parameters
    ----------
    store, other : Store
        Of images of kind A, and of B.

    Raises
    ------
    InputError
        If they do not hold sequences of the same truth.
    """

    def __init__(self, store: Store, other: Store) -> None:
        self.store, self.other = store, other
        for one in (store, other):
            check_velocity(one)
        _check_twins(store, other)

    def trained(self, held_out: bool) -> list[int]:
        """Return which sequences are trained on; those that validate never are."""
        return self._share("train")

    @property
    def validated(self) -> list[int]:
        """Which sequences validate."""
        return self._share("validation")

    def _share(self, name: str) -> list[int]:
        try:
            return split(len(self.store), name, trials=self.store.trials).tolist()
        except InputError:  # of an empty share
            return []

    def check(self, settings: "PairedSettings") -> None:
        """Raise InputError unless there are sequences, long enough, on both sides of the split."""
        for share in ("train", "validation"):
            if not self._share(share):
                raise InputError(
                    f"{self.store.location}: found 0 of {len(self.store)} sequences for {share}, "
                    "wanted 1 or more; make stores of more sequences"
                )
        frames = self.store.layout.shape[0]
        if settings.frames > frames:
            raise InputError(
                f"frames: found {settings.frames}, wanted at most the {frames} of "
                f"{self.store.location}; choose fewer"
            )

    @functools.cached_property
    def scales(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """One SD below and above the mean of either store [mm/s]: what -1 and 1 stand for."""
        found = []
        for store in (self.store, self.other):
            mean, sd = standardisation(store)
            found.append((mean - sd, mean + sd))
        return found[0], found[1]

    def has_sides(self, index: int) -> bool:
        """Return whether the columns of a sequence run from left to right: always."""
        return True

    def image(
        self, kind: str, index: int, settings: "PairedSettings", key: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Return frames of a sequence from a place that `key` draws: (T, depth, width)."""
        frames = self.store.layout.shape[0]
        seed, *purpose = key
        random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(purpose)))
        first = int(random.integers(frames - settings.frames + 1))
        return self._read(kind, index, first, settings.frames)

    def pair(
        self, index: int, settings: "PairedSettings"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the first frames of both sequences, (T, depth, width), to validate by."""
        frames = min(self.store.layout.shape[0], max(VALIDATED_FRAMES, settings.frames))
        return self._read("a", index, 0, frames), self._read("b", index, 0, frames)

    def _read(self, kind: str, index: int, first: int, frames: int) -> NDArray[np.float32]:
        store = self.store if kind == "a" else self.other
        found = store.tvi(index, time=slice(first, first + frames))
        return np.ascontiguousarray(found, np.float32)


def _check_twins(store: Store, other: Store) -> None:
    """Raise InputError unless sequence i of both shows the same units, firing at the same time."""
    advice = "twins of musim generate --paired; of others a translator learns without pairs"
    if len(store) != len(other):
        raise InputError(
            f"{other.location}: found {len(other)} sequences, wanted the {len(store)} of "
            f"{store.location}; name {advice}"
        )
    if not other.layout.grid.fits(store.layout.grid):
        raise InputError(
            f"{other.location}: found {other.layout.grid}, wanted {store.layout.grid} as in "
            f"{store.location}; name {advice}"
        )
    for one in (store, other):
        if not one.has_truth:
            raise InputError(
                f"{one.location}: found no truth, by which pairs are told, wanted {advice}"
            )
    for index in sorted({0, len(store) // 2, len(store) - 1}):
        for name in ("territory", "firing"):
            one, two = (np.asarray(each.read(name, index)) for each in (store, other))
            if one.shape != two.shape or not np.array_equal(one, two, equal_nan=True):
                raise InputError(
                    f"{other.location}: found another {name} in sequence {index} than in "
                    f"{store.location}, wanted the same truth; name {advice}"
                )
