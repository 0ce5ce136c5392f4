"""Images to learn from, in memory: grey levels, what is drawn on them, and which belong together.

Whether they were recorded, simulated or sampled, and lie in a store or a folder, is the same here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.finding import find_images
from ...datasets.images.groups import near_twins
from ...datasets.images.places import is_store
from ...datasets.images.resizing import SIZE, rescaled, resized, resized_mask
from ...datasets.images.scale import PixelScale
from ...datasets.images.sizes import grouping_of, read_sizes
from ...datasets.images.stored import groups_of, images_of
from ...datasets.store import Store, open_store
from ...simulator.errors import InputError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size.

    Parameters
    ----------
    names : tuple of str
    images : (images, depth, width) array of uint8
        Grey levels.
    masks : (images, depth, width) array of bool
        True where an aponeurosis is; False throughout an image that nobody drew on.
    has_mask : (images,) array of bool
    scales : tuple of PixelScale
    groups : (images,) array of int64
        Number of the group of images that are of one subject, or nearly the same: a split keeps
        them together.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    has_mask: NDArray[np.bool_]
    scales: tuple[PixelScale, ...]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> tuple[int, int]:
        """Depth and width of the images [px]."""
        return self.images.shape[1], self.images.shape[2]

    def take(self, which: Sequence[int] | NDArray[np.int64]) -> "ImageSet":
        """Return some of the images."""
        chosen = np.asarray(which, dtype=np.int64)
        return ImageSet(
            tuple(self.names[i] for i in chosen), self.images[chosen], self.masks[chosen],
            self.has_mask[chosen], tuple(self.scales[i] for i in chosen), self.groups[chosen],
        )  # fmt: skip

    def with_masks(self) -> "ImageSet":
        """Return the images that have a mask.

        Raises
        ------
        InputError
            If there is none.
        """
        if not self.has_mask.any():
            raise InputError(
                f"found no mask of any of {len(self)} images, wanted aponeuroses drawn on some; "
                "put masks beside the images"
            )
        return self.take(np.flatnonzero(self.has_mask))

    def resized(self, size: tuple[int, int]) -> "ImageSet":
        """Return the images in another size [px]; scales follow."""
        if size == self.size:
            return self
        scales = tuple(rescaled(scale, self.size, size) for scale in self.scales)
        images = np.stack([resized(image, size) for image in self.images])
        masks = np.stack([resized_mask(mask, size) for mask in self.masks])
        return replace(self, images=images, masks=masks, scales=scales)


def joined(sets: Sequence[ImageSet]) -> ImageSet:
    """Return images of several sets of one size; groups of different sets are different ones."""
    groups, begin = [], 0
    for one in sets:
        groups.append(one.groups + begin)
        begin += int(one.groups.max(initial=-1)) + 1
    return ImageSet(
        tuple(name for one in sets for name in one.names),
        np.concatenate([one.images for one in sets]),
        np.concatenate([one.masks for one in sets]),
        np.concatenate([one.has_mask for one in sets]),
        tuple(scale for one in sets for scale in one.scales),
        np.concatenate(groups),
    )


def read_image_set(
    place: str | Path | Store,
    *,
    masks: str | Path | None = None,
    sizes: str | Path | None = None,
    size: tuple[int, int] | None = None,
) -> ImageSet:
    """Read a store of images, or a folder of them.

    Parameters
    ----------
    place : str, path or Store
    masks : str or path, optional
        Of a folder of images, see :func:`.finding.find_images`.
    sizes : str or path, optional
        A table of the sizes of a folder's images, and of which belong together, see
        :func:`.sizes.read_sizes`.
    size : tuple of int, optional
        Depth and width to make all images [px]. Without it they stay as they are if they have one
        size, and become :data:`SIZE` if not.

    Raises
    ------
    InputError
        If there are no images, or they cannot be read.
    """
    if is_store(place):
        found = _of_store(open_store(place))
    else:
        found = _of_folder(Path(place), masks, sizes, size)  # type: ignore[arg-type]
    return found if size is None else found.resized(size)


def _of_store(store: Store) -> ImageSet:
    entries = images_of(store)
    images = np.stack([entry.read().values for entry in entries])
    nothing = np.zeros(images.shape[1:], bool)
    masks = [entry.read_mask() for entry in entries]
    return ImageSet(
        tuple(entry.name for entry in entries), images,
        np.stack([nothing if mask is None else mask for mask in masks]),
        np.array([mask is not None for mask in masks]), tuple(entry.scale for entry in entries),
        groups_of(store),
    )  # fmt: skip


def _of_folder(
    place: Path, masks: str | Path | None, sizes: str | Path | None, size: tuple[int, int] | None
) -> ImageSet:
    entries = find_images(place, masks, needed=False)
    told = {} if sizes is None else read_sizes(sizes)
    read = [entry.read() for entry in entries]
    if size is None:
        every = {image.values.shape for image in read}
        size = read[0].values.shape if len(every) == 1 else SIZE  # type: ignore[assignment]
    assert size is not None
    images, drawn, scales = [], [], []
    for entry, image in zip(entries, read, strict=True):
        before = (image.values.shape[0], image.values.shape[1])
        mask = entry.read_mask()
        scale = image.scale or PixelScale()
        if entry.path.stem in told and told[entry.path.stem].is_known:
            scale = told[entry.path.stem].scale(before)
        images.append(resized(image.values, size))
        drawn.append(np.zeros(size, bool) if mask is None else resized_mask(mask, size))
        scales.append(rescaled(scale, before, size))
    shown = np.stack(images)
    groups = grouping_of(told, [entry.path.stem for entry in entries])
    return ImageSet(
        tuple(entry.name for entry in entries), shown, np.stack(drawn),
        np.array([entry.mask is not None for entry in entries]), tuple(scales),
        near_twins(shown) if groups is None else groups,
    )  # fmt: skip
