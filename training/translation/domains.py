"""The two domains of a translation: stores of simulated (A) and of experimental sequences (B)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...datasets.grid import Grid
from ...datasets.location import Location
from ...datasets.splits import split
from ...datasets.store import Store, open_sequences
from ...datasets.streaming import SequenceLoader, UnpairedLoader
from ...simulator.errors import InputError

SAME = 1e-6
"""Relative difference up to which frame rates and pixels of both domains are one."""

MOST = 100
"""Sequences of which every split has some: none needs more to be told how many it lacks."""


@dataclass(frozen=True)
class Domains:
    """Two stores whose sequences have nothing to do with one another.

    Parameters
    ----------
    a, b : str
        Paths or URLs; kept as absolute addresses.

    Raises
    ------
    InputError
        If a store cannot be opened, holds units that were identified, or both are one.
    """

    a: str
    b: str

    def __post_init__(self) -> None:
        """Open both."""
        for name in ("a", "b"):
            object.__setattr__(self, name, Location(getattr(self, name)).address)
        if _place(self.a) == _place(self.b):
            raise InputError(
                f"{self.a}: found one store for both domains, wanted two; name another as `b`"
            )
        for store in self.stores:
            if store.kind == "identified":
                raise InputError(
                    f"{store.location}: found units that were identified, wanted simulated or "
                    "recorded sequences; name the store that they were found in"
                )

    @classmethod
    def of(cls, given: Any) -> "Domains":
        """Return two domains, perhaps from a pair of stores or of their places."""
        if isinstance(given, cls):
            return given
        if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
            raise InputError(f"source: found {given!r}, wanted two stores, simulated and recorded")
        a, b = (one.location.address if isinstance(one, Store) else str(one) for one in given)
        return cls(a, b)

    @cached_property
    def stores(self) -> tuple[Store, Store]:
        """Both stores, opened."""
        return open_sequences(self.a), open_sequences(self.b)

    @property
    def grid(self) -> Grid:
        """Frames, image, frame rate and pixel of domain A."""
        return self.stores[0].layout.grid

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {"a": self.a, "b": self.b}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Domains":
        """Read what :meth:`to_json` made."""
        return cls(plain["a"], plain["b"])

    def __getstate__(self) -> dict[str, Any]:
        """Leave open stores behind: each process opens its own."""
        return {"a": self.a, "b": self.b}

    def check_ready(self, ranks: int = 1) -> None:
        """Make sure that there is something to train on and something else to validate on.

        Parameters
        ----------
        ranks : int
            Processes that share the training sequences.

        Raises
        ------
        InputError
            If a store has too few sequences.
        """
        for store in self.stores:
            for share, count in (("train", ranks), ("validation", 1)):
                found = _share(len(store), share, store.trials)
                if len(found) < count:
                    wanted = next(n for n in range(1, MOST * (count + 1))
                                  if len(_share(n, share, store.trials)) >= count)  # fmt: skip
                    raise InputError(
                        f"{store.location}: found {len(found)} of {len(store)} sequences for "
                        f"{share}, wanted {count} or more; have a store of {wanted} or more "
                        "sequences"
                    )

    def check_clips(self, frames: int) -> None:
        """Make sure that clips of so many frames of both domains are of one kind.

        Raises
        ------
        InputError
            If images, pixels or frame rates differ, or a clip is longer than the sequences.
        """
        first, second = self.stores
        if not second.layout.grid.fits(first.layout.grid, frames=False):
            found, wanted = (
                f"{grid.image} at {grid.frame_rate:g} Hz"
                for grid in (second.layout.grid, first.layout.grid)
            )
            raise InputError(
                f"{second.location}: found {found}, wanted {wanted} as in {first.location}; "
                "generate or import it alike"
            )
        for store in self.stores:
            if frames > store.layout.shape[0]:
                raise InputError(
                    f"{store.location}: found sequences of {store.layout.shape[0]} frames, wanted "
                    f"{frames} or more for a clip; choose fewer with `settings.frames`"
                )

    def loader(self, *, frames: int, batch_size: int, seed: int, **options: Any) -> UnpairedLoader:
        """Return unpaired batches of standardised clips for training.

        Parameters
        ----------
        frames : int
            Of a clip, at a place in its sequence that is drawn anew each epoch.
        batch_size, seed, options
            See :class:`musim.datasets.streaming.SequenceLoader`.

        Raises
        ------
        InputError
            If the domains do not fit together, a clip is longer than their sequences, or a store
            has too few sequences or voxels that cannot be standardised.
        """
        ranks = int(options.get("ranks", 1))
        self.check_clips(frames)
        self.check_ready(ranks)
        available = (
            min(len(_share(len(store), "train", store.trials)) for store in self.stores) // ranks
        )
        # The other domain's seed differs: their windows and flips have nothing in common.
        a, b = (
            SequenceLoader(
                store, split="train", window=frames, batch_size=min(batch_size, available),
                seed=2 * seed + place, standardise=True, **options,
            )
            for place, store in enumerate(self.stores)
        )  # fmt: skip
        return UnpairedLoader(a, b)

    def held_out(self, domain: int, sequences: int) -> list[int]:
        """Return the first indices of a domain's share for validation."""
        store = self.stores[domain]
        return _share(len(store), "validation", store.trials)[:sequences]


def batches_from(loader: UnpairedLoader, step: int) -> Iterator[dict[str, Any]]:
    """Yield ``{"a": batch, "b": batch}`` from step number `step` on, for ever.

    Batch j is the same whichever step is begun with.
    """
    epoch, batch = divmod(step, len(loader))
    state = loader.state_dict()
    loader.load_state_dict(
        {name: {**state[name], "epoch": epoch, "batch": batch} for name in state}
    )
    while True:
        with closing(iter(loader)) as pairs:  # type: ignore[type-var]
            yield from pairs


def _share(sequences: int, name: str, trials: int) -> list[int]:
    try:
        return split(sequences, name, trials=trials).tolist()
    except InputError:  # of an empty share
        return []


def _place(address: str) -> str:
    location = Location(address)
    return str(Path(location.path).resolve()) if location.is_local else address
