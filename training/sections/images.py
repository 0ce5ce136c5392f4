"""Reading B-mode images, and masks that were drawn on them: PNG, TIFF and JPEG.

A folder's masks lie in a folder of their own, by the same names, or beside the images, by names
that end in what :data:`MASK_ENDINGS` has.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
"""Endings of files that are read."""

MASK_FOLDERS = ("masks", "aponeuroses", "labels")
"""Folders in, or beside, that of the images which masks are looked for in."""

MASK_ENDINGS = ("", *(
    sign + word
    for word in ("mask", "masks", "aponeuroses", "aponeurosis", "apo", "seg", "label")
    for sign in "_-"
))  # fmt: skip
"""How a mask's name, without its suffix, goes on after the image's."""

LABELS = 16
"""Masks whose values are below are labels, any but 0 an aponeurosis; others are grey, half is."""

COLOURED = 40
"""By how much channels differ where there is colour: compression alone makes less."""


@dataclass(frozen=True)
class ImageEntry:
    """An image on the disk, and the mask drawn on it.

    Parameters
    ----------
    name : str
        Of the file, without its suffix if there is no other of that name.
    path : Path
    mask : Path or None
        None if there is none.
    """

    name: str
    path: Path
    mask: Path | None


@dataclass(frozen=True)
class BmodeImage:
    """An image that was read.

    Parameters
    ----------
    values : (depth, width) array of uint8
        Grey.
    coloured : float
        Share of pixels that have a colour: annotations of a scanner.
    """

    values: NDArray[np.uint8]
    coloured: float


def find_images(
    images: str | Path, masks: str | Path | None = None, *, needed: bool = True
) -> list[ImageEntry]:
    """Return the images of a folder in order of their names, each with its mask.

    Parameters
    ----------
    images : str or path
        A folder, or one image.
    masks : str or path, optional
        A folder, or with one image a file. Without it they are looked for in
        :data:`MASK_FOLDERS`, and beside the images.
    needed : bool
        Whether an image at least has to have one.

    Raises
    ------
    InputError
        If there are no images, or none has a mask that is needed, or a mask has another size than
        its image.
    """
    images = Path(images)
    files = _files(images)
    if masks is not None and not Path(masks).exists():
        raise InputError(f"{masks}: found nothing there, wanted masks of {images}")
    if masks is not None and Path(masks).is_file():
        if len(files) > 1:
            raise InputError(
                f"`masks`: found a file for {len(files)} images, wanted a folder of masks"
            )
        pairs = {files[0]: Path(masks)}
    else:
        folder = images if images.is_dir() else images.parent
        places = (
            [Path(masks)]
            if masks is not None
            else [
                place
                for above in (folder, folder.parent)
                for place in (above / name for name in MASK_FOLDERS)
                if place.is_dir() and place != folder
            ]
        )
        pairs = _paired(files, places, folder if masks is None else Path(masks))
    stems = [path.stem for path in pairs]
    entries = [
        ImageEntry(path.stem if stems.count(path.stem) == 1 else path.name, path, mask)
        for path, mask in pairs.items()
    ]
    if (needed or masks is not None) and not any(entry.mask for entry in entries):
        where = masks or f"{images} or in a folder {' or '.join(MASK_FOLDERS)}"
        raise InputError(
            f"{where}: found no mask of {entries[0].path.name}, wanted {entries[0].path.stem}.png, "
            f"or {entries[0].path.stem}_mask.png beside the images; say where with `masks`"
        )
    for entry in entries:
        _check_size(entry)
    return entries


def _files(images: Path) -> list[Path]:
    if images.is_file():
        return [images]
    if not images.is_dir():
        raise InputError(f"{images}: found nothing there, wanted a folder of images, or an image")
    files = _images_in(images)
    if not files:
        raise InputError(f"{images}: found no images, wanted files {' '.join(SUFFIXES)}")
    return files


def _images_in(folder: Path) -> list[Path]:
    """Return a folder's images; what an operating system hides among them is none."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]


def _paired(files: list[Path], places: list[Path], beside: Path) -> dict[Path, Path | None]:
    """Return the mask of each image; what is the mask of another one is no image."""
    known = {path.stem: path for place in reversed(places) for path in reversed(_images_in(place))}
    near = {path.stem: path for path in _images_in(beside)}
    pairs: dict[Path, Path | None] = {}
    for path in files:
        found = [known.get(path.stem + ending) for ending in MASK_ENDINGS]
        found += [near.get(path.stem + ending) for ending in MASK_ENDINGS if ending]
        pairs[path] = next((mask for mask in found if mask and mask != path), None)
    taken = set(pairs.values())
    return {path: mask for path, mask in pairs.items() if path not in taken}


def _check_size(entry: ImageEntry) -> None:
    if entry.mask is None:
        return
    with _opened(entry.path) as image, _opened(entry.mask) as mask:
        if image.size != mask.size:
            raise InputError(
                f"{entry.mask}: found a mask of {mask.width} x {mask.height} px, wanted "
                f"{image.width} x {image.height} px as {entry.path.name} has; draw it on the "
                "image, or resize it without smoothing"
            )


def read_image(path: str | Path) -> BmodeImage:
    """Read an image as grey values of 8 bit.

    Values of 16 bit are divided by 257; transparency is left out.

    Raises
    ------
    InputError
        If it cannot be read, is damaged, or holds several pages.
    """
    with _opened(Path(path)) as image:
        if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
            values = np.asarray(image)
            if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
                raise InputError(f"{path}: found {image.mode} values, wanted grey of 8 or 16 bit")
            return BmodeImage((values // 257).astype(np.uint8), 0.0)
        colours = np.asarray(image.convert("RGB")).astype(np.int16)
        grey = np.asarray(image.convert("RGB").convert("L")).copy()
    spread = colours.max(axis=2) - colours.min(axis=2)
    return BmodeImage(grey, float((spread > COLOURED).mean()))


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask: True where an aponeurosis was drawn.

    Masks may be black and white, labels (any but 0), or of one colour on black.

    Raises
    ------
    InputError
        If it cannot be read, is damaged, or holds several pages.
    """
    with _opened(Path(path)) as image:
        # Pixels of a palette are labels of their own.
        many = image.mode in {"RGB", "RGBA", "LA", "CMYK", "YCbCr"}
        values = np.asarray(image.convert("RGB") if many else image)
    if values.ndim == 3:
        values = values.max(axis=2)
    largest = values.max()
    return values > 0 if largest < LABELS else values > largest / 2


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "TIFF", "JPEG")) as image:
                pages = getattr(image, "n_frames", 1)
                if pages > 1:
                    raise InputError(f"{path}: found {pages} pages, wanted one image")
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{path}: found more pixels than an image has, wanted {Image.MAX_IMAGE_PIXELS} at most"
        ) from error
    except InputError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        unknown = isinstance(error, UnidentifiedImageError)
        found = "no image" if unknown else f"an image that cannot be read ({error})"
        raise InputError(f"{path}: found {found}, wanted PNG, TIFF or JPEG") from error
