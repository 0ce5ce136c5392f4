"""Reading B-mode videos, whatever their files: how long and large they are, and their frames."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..images.reading import DICOM, BmodeImage
from ..images.scale import PixelScale
from ..importing.content import HEAD

FILMS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg")
"""Endings of films; DICOM has its own, and is a video if it has several frames."""

BLOCK_BYTES = 8 * 2**20
"""Frames are read in blocks of this many bytes, or of one frame."""


@dataclass(frozen=True)
class Video(ABC):
    """A video in a file, whose frames have not been read.

    Parameters
    ----------
    path : Path
    frames : int
        As many as can be read.
    size : tuple of int
        Depth and width of its frames [px].
    frame_rate : float
        Hz; NaN where the file does not tell.
    uneven : str
        What is wrong with the instants of its frames; empty where they are even.
    scale : PixelScale, optional
        How large its pixels are; None where the file does not say.
    region : tuple of int, optional
        Where on the scanner's screen the image is: first row and column, depth and width [px].
    """

    path: Path
    frames: int
    size: tuple[int, int]
    frame_rate: float
    uneven: str = ""
    scale: PixelScale | None = None
    region: tuple[int, int, int, int] | None = None

    @abstractmethod
    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames one after the other, uint8 (depth, width), in grey."""

    @abstractmethod
    def first(self) -> BmodeImage:
        """Read the first frame, and how much of it is in colour."""

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames in blocks, uint8 (frame, depth, width); one is in memory at a time.

        Raises
        ------
        InputError
            If there are fewer frames, or more, than were counted.
        """
        length = max(1, BLOCK_BYTES // (self.size[0] * self.size[1]))
        block = np.empty((min(length, self.frames), *self.size), np.uint8)
        filled = read = 0
        for image in self.images():
            read += 1
            if read > self.frames:
                break
            block[filled] = image
            filled += 1
            if filled == len(block):
                yield block
                block, filled = np.empty_like(block), 0
        if read != self.frames:
            raise InputError(
                f"{self.path}: found {'more' if read > self.frames else read} frames as it was "
                f"read, wanted the {self.frames} that were counted before; leave it as it is "
                "while it is imported"
            )
        if filled:
            yield block[:filled]


def open_video(path: str | Path) -> Video:
    """Look at a video: a film that ffmpeg reads (MP4, AVI, ...), or DICOM of several frames.

    A film is read through once, so that what cannot be decoded is found here.

    Parameters
    ----------
    path : path

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: found no such file, wanted a video; check the path")
    if head_of(path)[128:132] == b"DICM" or path.suffix.lower() in DICOM:
        from .cine import open_cine

        return open_cine(path)
    from .films import open_film

    return open_film(path)


def is_film(path: Path) -> bool:
    """Return whether a file is a film by its first bytes, or at least by its name."""
    head = head_of(path)
    by_content = (
        (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"}
        or head.startswith(b"\x1a\x45\xdf\xa3")  # Matroska and WebM
    )
    return by_content or path.suffix.lower() in FILMS


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a video"
        ) from error


def grey_levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture in grey, (depth, width), of one in grey or in red, green and blue."""
    if values.ndim == 2:
        return values
    from PIL import Image

    return np.asarray(Image.fromarray(values).convert("L"))
