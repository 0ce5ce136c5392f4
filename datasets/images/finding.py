"""Images of a folder, each with the mask that was drawn on it.

A folder's masks lie in a folder of their own, by the same names, or beside the images, by names
that end in what :data:`MASK_ENDINGS` has.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .reading import SUFFIXES, BmodeImage, read_image, read_mask, size_of

MASK_FOLDERS = ("masks", "aponeuroses", "labels")
"""Folders in, or beside, that of the images which masks are looked for in."""

MASK_ENDINGS = ("", *(
    sign + word
    for word in ("mask", "masks", "aponeuroses", "aponeurosis", "apo", "seg", "label")
    for sign in "_-"
))  # fmt: skip
"""How a mask's name, without its suffix, goes on after the image's."""


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

    @property
    def stem(self) -> str:
        """Its name in a table of sizes."""
        return self.path.stem

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return str(self.path)

    @property
    def has_mask(self) -> bool:
        """Whether aponeuroses were drawn on it."""
        return self.mask is not None

    @property
    def files(self) -> list[Path]:
        """The files that it is read from."""
        return [self.path] if self.mask is None else [self.path, self.mask]

    @property
    def truth(self) -> dict[str, float]:
        """What is known to be true of it: nothing."""
        return {}

    def read(self) -> BmodeImage:
        """Read the image."""
        return read_image(self.path)

    def read_mask(self) -> NDArray[np.bool_] | None:
        """Read the mask: True where an aponeurosis was drawn; None if there is none."""
        return None if self.mask is None else read_mask(self.mask)


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
    image, mask = size_of(entry.path), size_of(entry.mask)
    if image != mask:
        raise InputError(
            f"{entry.mask}: found a mask of {mask[1]} x {mask[0]} px, wanted {image[1]} x "
            f"{image[0]} px as {entry.path.name} has; draw it on the image, or resize it without "
            "smoothing"
        )
