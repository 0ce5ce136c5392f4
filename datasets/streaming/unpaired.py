"""Unpaired batches of two domains, for translation between them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...simulator.errors import InputError
from .collate import Batch
from .loader import SequenceLoader


class UnpairedLoader:
    """Pairs of batches of two stores that have nothing to do with one another.

    An epoch is one of the longer loader; the shorter one goes through as many epochs of its own as
    that takes, shuffled anew each time.

    Parameters
    ----------
    a, b : SequenceLoader
        The domains. Their windows and images must be of one size, their frame rates and pixels too.

    Raises
    ------
    InputError
        If the domains do not fit together.
    """

    def __init__(self, a: SequenceLoader, b: SequenceLoader) -> None:
        for what, found in {
            "frames, depth and width": [_shape(loader) for loader in (a, b)],
            "frame rates (Hz)": [loader.store.layout.frame_rate for loader in (a, b)],
            "pixel sizes (mm)": [loader.store.layout.pixel_size for loader in (a, b)],
            "batch sizes": [loader.plan.batch_size for loader in (a, b)],
        }.items():
            if found[0] != found[1]:
                raise InputError(
                    f"domains: found {what} of {found[0]} in {a.store.location} and {found[1]} in "
                    f"{b.store.location}, wanted the same"
                )
        self.a, self.b = a, b

    def __len__(self) -> int:
        """Return the number of pairs of batches in an epoch."""
        return max(len(self.a), len(self.b))

    def __iter__(self) -> Iterator[dict[str, Batch]]:
        """Yield ``{"a": batch, "b": batch}`` for (the rest of) an epoch of the longer domain."""
        longer, shorter = ("a", "b") if len(self.a) >= len(self.b) else ("b", "a")
        endless = _again_and_again(getattr(self, shorter))
        for batch in getattr(self, longer):
            pair = {longer: batch, shorter: next(endless)}
            if pair["a"]["index"].shape != pair["b"]["index"].shape:
                # Batches differ by one where a store does not divide: both give as many.
                size = min(len(pair["a"]["index"]), len(pair["b"]["index"]))
                pair = {k: {n: v[:size] for n, v in one.items()} for k, one in pair.items()}
            yield pair

    def state_dict(self) -> dict[str, Any]:
        """Return the position in both domains."""
        return {"a": self.a.state_dict(), "b": self.b.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.a.load_state_dict(state["a"])
        self.b.load_state_dict(state["b"])


def _again_and_again(loader: SequenceLoader) -> Iterator[Batch]:
    while True:
        yield from loader


def _shape(loader: SequenceLoader) -> tuple[int, ...]:
    frames, depth, width = loader.store.layout.shape
    return (loader.sampling.window or frames, *(loader.sampling.crop or (depth, width)))
