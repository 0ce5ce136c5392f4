"""What is learned from pairs: slices of one store, or sequences of two that show the same truth."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...datasets.grid import Grid
from ...datasets.location import Location
from ...datasets.store import Store, open_store
from ...simulator.errors import InputError
from .slice_pairs import SlicePairs
from .twins import Twins

if TYPE_CHECKING:
    from .paired_settings import PairedSettings


@dataclass(frozen=True)
class Pairs:
    """Pairs of images to train on: of a store of slices, or of two stores of sequences.

    Parameters
    ----------
    a : str
        A store of paired slices, or one of sequences.
    b : str
        The store of sequences of the same truth; empty of slices.

    Raises
    ------
    InputError
        If a store cannot be opened, or holds nothing that is paired.
    """

    a: str
    b: str = ""

    def __post_init__(self) -> None:
        """Keep absolute addresses: a run is resumed from whatever folder."""
        for name in ("a", "b"):
            if getattr(self, name):
                object.__setattr__(self, name, Location(getattr(self, name)).address)

    @classmethod
    def of(cls, given: Any) -> "Pairs":
        """Return pairs of a store, of its place, or of two."""
        if isinstance(given, cls):
            return given
        several = given if isinstance(given, list | tuple) else [given]
        if not 1 <= len(several) <= 2:
            raise InputError(f"source: found {len(several)} stores, wanted one or two")
        return cls(*(one.location.address if isinstance(one, Store) else str(one)
                     for one in several))  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {"a": self.a, "b": self.b}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Pairs":
        """Read what :meth:`to_json` made."""
        return cls(plain["a"], plain["b"])

    def __getstate__(self) -> dict[str, Any]:
        """Leave open stores and what was read behind: each process reads for itself."""
        return self.to_json()

    @functools.cached_property
    def examples_of(self) -> "SlicePairs | Twins":
        """The pairs, opened.

        Raises
        ------
        InputError
            If these stores hold none.
        """
        store = open_store(self.a)
        if self.b:
            return Twins(store, open_store(self.b))
        if not store.is_slices:
            raise InputError(
                f"{store.location}: found a store without pairs, wanted one of paired slices, or "
                "two of sequences that show the same (musim generate --paired)"
            )
        return SlicePairs(store)

    @property
    def is_slices(self) -> bool:
        """Whether they are slices, and not sequences."""
        return isinstance(self.examples_of, SlicePairs)

    @property
    def grid(self) -> Grid:
        """Frames, image, frame rate and pixel of images of kind A."""
        return self.examples_of.store.layout.grid

    def examples(self, settings: "PairedSettings") -> int:
        """Return the number of pairs that are trained on in an epoch."""
        return len(self.examples_of.trained(settings.held_out))

    def batches(
        self, step: int, settings: "PairedSettings", *, unpaired: bool, rank: int, ranks: int
    ) -> Iterator[dict[str, Tensor]]:
        """Yield this process's share of batches from step `step` on, for ever.

        Parameters
        ----------
        step : int
            Batch j is the same whichever step is begun with.
        settings : PairedSettings
        unpaired : bool
            Whether images of B come in an order of their own: nothing then belongs together.
        rank, ranks : int

        Yields
        ------
        dict of float32 tensors of shape (B, 1, (T,) H, W)
            ``a`` and ``b``, in the stores' own intensities.
        """
        pairs = self.examples_of
        indices = np.asarray(pairs.trained(settings.held_out))
        size, whole = settings.batch_size // ranks, settings.batch_size
        while True:
            begin = step * whole + rank * size
            places = range(begin, begin + size)
            found: dict[str, list[NDArray[np.float32]]] = {"a": [], "b": []}
            for kind, stream in (("a", 0), ("b", 1 if unpaired else 0)):
                for place in places:
                    epoch, within = divmod(place, len(indices))
                    index = indices[order_of(len(indices), settings.seed, stream, epoch)[within]]
                    # Where in time, for both the same if they belong together.
                    key = (settings.seed, 2 + stream, place)
                    image = pairs.image(kind, int(index), settings, key)
                    if settings.flips and pairs.has_sides(int(index)):
                        coin = np.random.SeedSequence(settings.seed, spawn_key=(4 + stream, place))
                        if np.random.Generator(np.random.PCG64(coin)).random() < 0.5:
                            image = image[..., ::-1]
                    found[kind].append(image)
            # (B, (T,) H, W), or of frames of sequences (B, T, H, W): each an image then.
            a, b = (torch.from_numpy(np.stack(found[kind])) for kind in "ab")
            if settings.dimensions == 2:
                a, b = (one.flatten(0, 1) for one in (a, b))
            yield {"a": a[:, None], "b": b[:, None]}
            step += 1


@functools.lru_cache(maxsize=8)
def order_of(count: int, seed: int, stream: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch; each stream has orders of its own."""
    sequence = np.random.SeedSequence(seed, spawn_key=(stream, epoch))
    return np.random.Generator(np.random.PCG64(sequence)).permutation(count)
