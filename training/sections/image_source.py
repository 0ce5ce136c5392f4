"""What networks of images are trained on: images of which a share is held out, and more beside."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.grid import Grid
from ...datasets.images.groups import split_groups
from ...datasets.images.resizing import SIZE
from ...datasets.location import Location
from ...datasets.store import Store
from ...simulator.errors import InputError
from .image_sets import ImageSet, joined, read_image_set

SHARES = (0.4, 0.2, 0.4)
"""Training, validation and test in Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027,
section 2.3.3)."""


@dataclass(frozen=True)
class ImageSource:
    """Images to train on.

    Parameters
    ----------
    images : tuple of str
        Stores and folders of images that are split into training, validation and test.
    also : tuple of str
        Stores and folders of images that are trained on, all of them, beside: simulated ones, or
        sampled ones. Nothing is validated on them, unless there are no others.
    masks, sizes : str
        Of a folder among `images`, see :func:`.image_sets.read_image_set`; empty: where they
        usually lie, and not known.
    shares : tuple of float
        Of training, validation and test, by groups of images that belong together; there need be
        no test.
    kept : float
        Share of the training share that is trained on, the first of its order; the rest is left
        out.
    seed : int
        Of the split.
    without : tuple of str
        Names of images that are left out, after the split: it is the same with them.
    size : tuple of int
        Depth and width of all images [px].

    Raises
    ------
    InputError
        If there are no images, or nothing of them is kept.
    """

    images: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    masks: str = ""
    sizes: str = ""
    shares: tuple[float, float, float] = SHARES
    kept: float = 1.0
    seed: int = 0
    without: tuple[str, ...] = ()
    size: tuple[int, int] = SIZE

    def __post_init__(self) -> None:
        """Check that there is something to train on."""
        if not 0 < self.kept <= 1:
            raise InputError(f"kept: found {self.kept:g}, wanted a share above 0, up to 1")
        if not (self.images or self.also):
            raise InputError("found no images, wanted a store or a folder of them to train on")

    @classmethod
    def of(cls, given: Any) -> "ImageSource":
        """Return a source, perhaps from a store or its place, or from several."""
        if isinstance(given, cls):
            return given
        several = isinstance(given, Sequence) and not isinstance(given, str)
        return cls(images=tuple(_address(each) for each in (given if several else [given])))

    @property
    def grid(self) -> Grid:
        """Image and pixel; there is one frame."""
        return Grid((1, *self.size), 1.0, (1.0, 1.0))

    @functools.cached_property
    def _split(self) -> tuple[ImageSet, ImageSet, ImageSet]:
        whole = self._read(self.images or self.also)
        train, validation, test = self.shares
        shares = [train * self.kept, train * (1 - self.kept), validation, test]
        drawn = iter(split_groups(whole.groups, [one for one in shares if one], self.seed))
        known = set(whole.names)
        unknown = [name for name in self.without if name not in known]
        if unknown:
            raise InputError(
                f"`without`: found {unknown[0]}, wanted names of images that are there, as in "
                f"{whole.names[0]}"
            )
        left = np.array([name in self.without for name in whole.names])
        parts = [next(drawn) if one else np.empty(0, np.int64) for one in shares]
        split = [whole.take(part[~left[part]]) for part in parts]
        return split[0], split[-2], split[-1]

    @functools.cached_property
    def beside(self) -> ImageSet | None:
        """Images that are trained on beside those that are split, all of them; None of none."""
        return self._read(self.also) if self.images and self.also else None

    def _read(self, places: Sequence[str]) -> ImageSet:
        given = {"masks": self.masks or None, "sizes": self.sizes or None}
        return joined([
            read_image_set(place, size=self.size, **(given if place in self.images else {}))
            for place in places
        ])  # fmt: skip

    @property
    def own(self) -> ImageSet:
        """The share of the images that are split which is trained on."""
        return self._split[0]

    @functools.cached_property
    def train(self) -> ImageSet:
        """All images to train on."""
        return self.own if self.beside is None else joined([self.own, self.beside])

    @property
    def validation(self) -> ImageSet:
        """Images by which the best weights are chosen."""
        return self._split[1]

    @property
    def test(self) -> ImageSet:
        """Images that training never sees."""
        return self._split[2]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back, from whatever folder."""
        plain = asdict(self)
        for name in ("images", "also"):
            plain[name] = [_address(place) for place in plain[name]]
        for name in ("masks", "sizes"):
            plain[name] = str(Path(plain[name]).resolve()) if plain[name] else ""
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "ImageSource":
        """Read what :meth:`to_json` made."""
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()
        }
        return cls(**values)


def _address(place: Any) -> str:
    return place.location.address if isinstance(place, Store) else Location(str(place)).address
