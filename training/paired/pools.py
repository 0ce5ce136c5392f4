"""Pools of earlier translations, one for each size of image."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..translation.pool import ImagePool


class Pools:
    """What a discriminator is shown among the latest translations, of images of several sizes.

    Parameters
    ----------
    seed, place, size : int
        See :class:`..translation.pool.ImagePool`; each size of image has `size` of its own.
    """

    def __init__(self, seed: int, place: int, size: int) -> None:
        self.seed, self.place, self.size = seed, place, size
        self._pools: dict[str, ImagePool] = {}

    def query(self, images: Tensor, step: int) -> Tensor:
        """Return as many images (B, ...) to show, some of them earlier ones of their size."""
        if not self.size:
            return images
        pool = self._pool("x".join(str(side) for side in images.shape[1:]))
        # In the main memory, where a resumed run finds them too.
        return pool.query(images.cpu(), step).to(images.device)

    def _pool(self, name: str) -> ImagePool:
        return self._pools.setdefault(name, ImagePool(self.seed, self.place, self.size))

    def state_dict(self) -> dict[str, Any]:
        """Return what is kept, by size of image."""
        return {name: pool.state_dict() for name, pool in self._pools.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Keep the images of a state instead of one's own."""
        self._pools = {}
        for name, kept in state.items():
            self._pool(name).load_state_dict(kept)
