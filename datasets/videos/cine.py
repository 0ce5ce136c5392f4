"""Reading DICOM of several frames, grey or in colours, plain or compressed, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..images.dicom import header, picture_of, scale_of
from ..images.reading import BmodeImage, grey_of
from ..importing.damage import damage
from ..importing.image_files import library
from .reading import Video, grey_levels, head_of

UNEVEN = 0.5
"""Frames whose instants are off by more than this, over the distance of frames, are not even."""


@dataclass(frozen=True)
class Cine(Video):
    """DICOM of several frames."""

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames one after the other, uint8 (depth, width), in grey."""
        return (grey_levels(picture) for picture in self._pictures())

    def first(self) -> BmodeImage:
        """Read the first frame, and how much of it is in colour."""
        return grey_of(next(self._pictures()), self.scale, self.region)

    def _pictures(self) -> Iterator[NDArray[np.uint8]]:
        data = header(self.path, cine=True)
        with damage(self.path), library("pydicom"):
            from pydicom.pixels.utils import iter_pixels

            for values in iter_pixels(self.path):
                yield picture_of(self.path, np.asarray(values), data)


def open_cine(path: Path) -> Cine:
    """Look at DICOM of several frames.

    Raises
    ------
    InputError
        If it is damaged, or has no frames, or one alone.
    """
    data = header(path, cine=True)
    frames = frames_of(data)
    if frames < 2:
        raise InputError(
            f"{path}: found one frame, wanted a video of 2 or more; import it as an image, "
            "with `images=True`"
        )
    rate, uneven = _rate_of(data, frames)
    cine = Cine(path, frames, (int(data.Rows), int(data.Columns)), rate, uneven, *scale_of(data))
    decoded = sum(1 for _ in cine.images())
    if decoded != frames:
        raise InputError(
            f"{path}: found {decoded} frames that can be decoded, wanted the {frames} that it "
            "tells; copy or export it again"
        )
    return cine


def is_cine(path: Path, *, any_bits: bool = False) -> bool:
    """Return whether a file is DICOM of several frames that are pictures.

    Parameters
    ----------
    path : path
    any_bits : bool
        Whether they may have more than 8 bits, as recordings have.
    """
    if head_of(path)[128:132] != b"DICM":
        return False
    try:
        data = header(path, cine=True)
    except InputError:
        return False  # whoever reads it says what is wrong
    bits = int(data.get("BitsAllocated") or 0)
    coloured = int(data.get("SamplesPerPixel") or 1) > 1
    return frames_of(data) > 1 and (any_bits or coloured or bits <= 8)


def frames_of(data: Any) -> int:
    """Return how many frames a header tells."""
    return int(data.get("NumberOfFrames") or 1)


def _rate_of(data: Any, frames: int) -> tuple[float, str]:
    """Return the frames a second, and what is wrong with frames that are not even."""
    step, steps = data.get("FrameTime"), data.get("FrameTimeVector")
    if step is not None and float(step) > 0:
        return 1000 / float(step), ""
    if steps is not None and np.size(steps) == frames:
        times = np.cumsum(np.asarray(steps, np.float64)) / 1000
        mean = float((times[-1] - times[0]) / (frames - 1))
        off = np.abs(times - times[0] - mean * np.arange(frames))
        if mean > 0:
            worst = int(off.argmax())
            uneven = f"found frame {worst} {off[worst]:.3g} s off even steps of {mean:.4g} s"
            return 1 / mean, uneven if off[worst] > UNEVEN * mean else ""
    for key in ("CineRate", "RecommendedDisplayFrameRate"):
        if data.get(key):
            return float(data.get(key)), ""
    return float("nan"), ""
