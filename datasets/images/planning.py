"""What a store of images from files will hold: their crops, scale, masks and groups."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..grid import MILLIMETRES, PIXELS
from ..importing.hashing import sha256_of
from ..layout import Layout
from ..origin import ImportedImage, ImportedImages, to_attributes
from ..schema import SECTION
from ..sections import FRAME_RATE, PART
from .cropping import AUTO, Crop, check_crop, cropped, find_image, whole
from .finding import ImageEntry, find_images
from .groups import linked, thumbnails
from .reading import BmodeImage
from .resizing import SIZE, rescaled
from .scale import PixelScale
from .sizes import ImageSize, grouping_of, read_sizes

LIKENESS = "likeness"
"""What tells which images belong together, where no table does."""

TABLE = "the table"
"""What does, where one does."""

COLOURED = 0.001
"""Share of pixels with a colour above which an image has annotations in it."""

SAME = 1e-6
"""By how much scales of images that have one in common differ, by rounding."""


class Prepared(NamedTuple):
    """What is known of an image before it is made one of a store.

    Parameters
    ----------
    entry : ImageEntry
    crop : tuple of int
        First row and column, depth and width [px].
    scale : PixelScale
        Of the store's image.
    """

    entry: ImageEntry
    crop: Crop
    scale: PixelScale


@dataclass(frozen=True)
class Cuts:
    """What was left of images when the screens around them were cut off.

    Parameters
    ----------
    cropped : tuple of str
        Images that something was cut from.
    crops : dict of int
        How many images have each crop, those of most images first.
    not_found : tuple of str
        Images that were left whole, as nothing like an image was found on them.
    lost : tuple of str
        Images that drawn aponeuroses were cut from.
    """

    cropped: tuple[str, ...]
    crops: dict[Crop, int]
    not_found: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True)
class ImageImport:
    """What a store of images will hold.

    Parameters
    ----------
    layout : Layout
    prepared : tuple of Prepared
    groups : (images,) array of int64
    cuts : Cuts
    coloured : tuple of str
        Images with annotations in colour.
    unknown : tuple of str
        Images whose scale is not known.
    """

    layout: Layout
    prepared: tuple[Prepared, ...]
    groups: NDArray[np.int64]
    cuts: Cuts
    coloured: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def drawn(self) -> int:
        """How many images have a mask."""
        return sum(one.entry.mask is not None for one in self.prepared)


def plan_images(
    places: Sequence[str | Path] | str | Path,
    *,
    masks: str | Path | None = None,
    pixels: tuple[int, int] = SIZE,
    pixel_size: tuple[float, float] | None = None,
    sizes: str | Path | None = None,
    crop: Crop | str | None = None,
    part_size: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImageImport:
    """Look at files, and decide what a store of their images will hold.

    Parameters
    ----------
    places : sequence of path
        Folders, and single images.
    masks : path, optional
        A folder, or a file of a single image, see :func:`.finding.find_images`.
    pixels : tuple of int
        Depth and width that all images are made, by averaging over what a pixel covers [px].
    pixel_size : tuple of float, optional
        Depth and width of all files' pixels [mm].
    sizes : path, optional
        A table of the files' sizes, and of which belong together (:func:`.sizes.read_sizes`).
        Without either, what DICOM says holds.
    crop : tuple of int or "auto", optional
        First row and column, depth and width of what is taken of each file [px]; or that it is to
        be found: by the region that DICOM tells, or by :func:`.cropping.find_image`.
    part_size : int, optional
        Images in a part.
    on_progress : callable
        Called with the numbers of images looked at and in all.

    Raises
    ------
    InputError
        If there are no images, or one cannot be used.
    """
    if min(pixels) < 8:
        raise InputError(f"`pixels`: found {pixels[0]}x{pixels[1]}, wanted 8x8 or more")
    told = {} if sizes is None else read_sizes(sizes)
    if pixel_size is not None and _says_sizes(told):
        raise InputError(
            f"{sizes}: found sizes of images in it, and `pixel_size`; wanted one of them"
        )
    entries = _entries(places, masks)
    prepared, sources, small, coloured = [], [], [], []
    not_found, lost = [], []
    for number, entry in enumerate(entries):
        image = entry.read()
        before = (image.values.shape[0], image.values.shape[1])
        found = _crop_of(image, crop, entry)
        if found is None:
            not_found.append(entry.name)
        taken = whole(before) if found is None else found
        scale = _scale_of(entry, image, pixel_size, told)
        prepared.append(Prepared(entry, taken, rescaled(scale, taken[2:], pixels)))
        small.append(thumbnails(cropped(image.values, taken)[None]))
        if image.coloured > COLOURED:
            coloured.append(entry.name)
        if _loses(entry, taken, before):
            lost.append(entry.name)
        sources.append(
            ImportedImage(
                name=entry.name, file=entry.path.name, sha256=sha256_of(entry.path), size=before,
                crop=taken,
                mask=None if entry.mask is None else entry.mask.name,
                mask_sha256=None if entry.mask is None else sha256_of(entry.mask),
            )
        )  # fmt: skip
        on_progress(number + 1, len(entries))
    groups = grouping_of(told, [entry.path.stem for entry in entries])
    origin = ImportedImages(images=tuple(sources), grouped_by=LIKENESS if groups is None else TABLE)
    crops = Counter(one.crop for one in sources if one.crop != whole(one.size))
    return ImageImport(
        layout=_layout(origin, [one.scale for one in prepared], pixels, part_size),
        prepared=tuple(prepared),
        groups=linked(np.concatenate(small)) if groups is None else groups,
        cuts=Cuts(
            tuple(one.name for one in sources if one.crop != whole(one.size)),
            dict(crops.most_common()), tuple(not_found), tuple(lost),
        ),
        coloured=tuple(coloured),
        unknown=tuple(one.entry.name for one in prepared if not one.scale.known),
    )  # fmt: skip


def _entries(places: Sequence[str | Path] | str | Path, masks: Any) -> list[ImageEntry]:
    several = [places] if isinstance(places, str | Path) else [*places]
    found = [entry for place in several for entry in find_images(place, masks, needed=False)]
    stems = Counter(entry.name for entry in found)
    again = next((name for name, count in stems.items() if count > 1), None)
    if again is not None:
        raise InputError(
            f"found two images of the name {again}, wanted names of their own; rename one of them"
        )
    return found


def _says_sizes(told: dict[str, ImageSize]) -> bool:
    return any(one.is_known for one in told.values())


def _crop_of(image: BmodeImage, crop: Crop | str | None, entry: ImageEntry) -> Crop | None:
    """Return what is taken of an image; None if it was to be found, and was not."""
    size = (image.values.shape[0], image.values.shape[1])
    if crop is None:
        return whole(size)
    if crop == AUTO:
        return image.region or find_image(image.values)
    assert not isinstance(crop, str)
    check_crop(crop, size, str(entry.path))
    return crop


def _loses(entry: ImageEntry, crop: Crop, size: tuple[int, int]) -> bool:
    """Return whether more of a mask is cut off than a hundredth, as pixels at an edge are."""
    mask = None if crop == whole(size) else entry.read_mask()
    if mask is None:
        return False
    return bool(cropped(mask, crop).sum() < 0.99 * mask.sum())


def _scale_of(
    entry: ImageEntry, image: BmodeImage, pixel_size: tuple[float, float] | None,
    told: dict[str, ImageSize],
) -> PixelScale:  # fmt: skip
    if pixel_size is not None:
        return PixelScale.of_millimetres(*pixel_size)
    if not _says_sizes(told):
        return image.scale or PixelScale()
    if entry.path.stem not in told:
        raise InputError(
            f"`sizes`: found no row of {entry.path.name}, wanted one for each image; add it"
        )
    return told[entry.path.stem].scale((image.values.shape[0], image.values.shape[1]))


def _layout(
    origin: ImportedImages, scales: Sequence[PixelScale], size: tuple[int, int],
    part_size: int | None,
) -> Layout:  # fmt: skip
    drawn = any(one.mask is not None for one in origin.images)
    first = scales[0]
    # NaN, of what is not known, is near nothing.
    same = all(
        abs(one.depth_mm - first.depth_mm) <= SAME * first.depth_mm
        and abs(one.shape - first.shape) <= SAME * first.shape
        for one in scales
    )
    part_size = PART if part_size is None else int(part_size)
    if part_size < 1:
        raise InputError(f"part_size: found {part_size}, wanted 1 or more")
    masks = ("aponeurosis_mask",) if drawn else ()
    return Layout(
        kind=SECTION,
        variables=(
            "bmode", *masks, "aponeurosis_drawn", "pixel_depth", "pixel_shape", "image_group",
        ),
        sizes={
            "sequence": len(origin.images), "time": 1, "depth": size[0], "width": size[1],
            **({"aponeurosis": 1} if drawn else {}),
        },
        part_size=min(part_size, len(origin.images)),
        dtypes={},
        frame_rate=FRAME_RATE,
        pixel_size=(first.depth_mm, first.depth_mm * first.shape) if same else (1.0, 1.0),
        pixel_unit=MILLIMETRES if same else PIXELS,
        attributes=to_attributes(origin),
    )  # fmt: skip
