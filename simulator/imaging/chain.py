"""The imaging chain: from IQ or velocity images to the frames of a tissue-velocity sequence."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..annotations import Given
from ..declarations import FINITE, POSITIVE, Declared, declare
from ..errors import InputError
from .filtering import BandPass, band_pass_blocks, median_filter, median_size
from .resampling import Resampler, resample_images, resample_time_blocks
from .velocimetry import Estimator, Velocimetry, velocity_blocks

SLACK = 0.05
"""An image that is smaller than asked for by up to this share is taken whole: papers call the 38 mm
of a linear array 40 mm. The result's pixels say how large it is."""

BLOCK_BYTES = 16 * 2**20
"""Frames of about this size are worked on together."""


@dataclass(frozen=True)
class Axis:
    """Evenly spaced positions along an image axis.

    Parameters
    ----------
    first, step : float
        Centre of the first pixel and distance of two, mm.
    count : int
    """

    first: float
    step: float
    count: int

    def __post_init__(self) -> None:
        sound = math.isfinite(self.first) and math.isfinite(self.step) and self.step > 0
        if not sound or self.count < 1:
            raise InputError(
                f"axis: found {self.count} pixels of {self.step:g} mm from {self.first:g} mm, "
                "wanted some of a size above 0"
            )

    @property
    def start(self) -> float:
        """Upper or left edge of the first pixel, mm."""
        return self.first - self.step / 2

    @property
    def length(self) -> float:
        """From the first pixel's edge to the last one's, mm."""
        return self.step * self.count

    @property
    def positions(self) -> NDArray[np.float64]:
        """Centres of the pixels, float64 of shape (count,), mm."""
        return self.first + self.step * np.arange(self.count, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Chain(Declared):
    """What is done with a recording. Each step can be left out.

    Parameters
    ----------
    gate, ensemble, estimator
        See :class:`~musim.simulator.imaging.velocimetry.Velocimetry`.
    band : (float, float), optional
        Corners of the zero-phase Butterworth band-pass, Hz.
    order : int
        Its order, as ``scipy.signal.butter`` counts it.
    median : float, optional
        Side of the square over which the median is taken, mm.
    pixels : (int, int), optional
        Pixels of the result in depth and width.
    size : (float, float), optional
        Depth and width of the result, mm, about the middle of the width. The whole image, if not
        given.
    top : float, optional
        Depth at which the result begins, mm; where the image does, if not given.
    frame_rate : float, optional
        Of the result, Hz.
    frames : int, optional
        Frames of a sequence: a longer recording makes several. The whole recording, if not given.

    Raises
    ------
    InputError
        If a name is unknown, or a value is out of its bounds.
    """

    noun: ClassVar[str] = "chain"

    gate: float = declare(1.0, "Depth over which a velocity is estimated.", "mm", POSITIVE)
    ensemble: int = declare(4, "Frames over which it is estimated, an even number.")
    estimator: Estimator = declare("2d-autocorrelation", "How it is estimated.")
    band: Given[tuple[float, float] | None] = declare(
        None, "Zero-phase Butterworth band-pass of each pixel.", "Hz", FINITE, separator="-"
    )
    order: int = declare(4, "Order of the band-pass.")
    median: float | None = declare(
        None, "Side of the square of the median of each image.", "mm", POSITIVE
    )
    pixels: Given[tuple[int, int] | None] = declare(
        None, "Pixels of the result.", bounds=(1, math.inf)
    )
    size: Given[tuple[float, float] | None] = declare(
        None, "Depth and width of the result.", "mm", POSITIVE
    )
    top: float | None = declare(None, "Depth at which it begins.", "mm", FINITE)
    frame_rate: float | None = declare(None, "Frames a second of the result.", "Hz", POSITIVE)
    frames: int | None = declare(
        None, "Frames of a sequence; a longer recording makes several.", bounds=(1, math.inf)
    )

    @property
    def revision(self) -> int:
        """Which revision of its steps the chain is made of: another one gives other values."""
        return FIRST_REVISION if self.band is None else BAND_PASS_REVISION


PRESETS = {
    "ali-2022": Chain(
        band=(5.0, 50.0),
        order=4,
        median=1.0,
        pixels=(128, 128),
        size=(40.0, 40.0),
        frame_rate=512.0,
        frames=1024,
    )
}
"""Chains that papers describe. Ali et al. 2022, BioMedical Engineering OnLine, "Modelling
intra-muscular contraction dynamics using in silico to in vivo domain translation", section
"Experimental dataset"."""

FIRST_REVISION = 1

BAND_PASS_REVISION = 2
"""Of a chain that filters along time. 1: recordings were continued oddly about their outermost
frame, by 27 frames; 2: by straight lines, for ever."""


@dataclass(frozen=True)
class Imaging:
    """A chain fitted to a recording: everything checked, nothing left open.

    Parameters
    ----------
    chain : Chain
    depth, width : Axis
        Of the images that come in.
    frame_rate : float
        Of those, Hz.
    velocimetry : Velocimetry, optional
        How IQ images are turned into velocity; not given if velocity comes in.

    Raises
    ------
    InputError
        If the chain asks for what the recording does not hold.
    """

    chain: Chain
    depth: Axis
    width: Axis
    frame_rate: float
    velocimetry: Velocimetry | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise InputError(f"frame_rate: found {self.frame_rate} Hz, wanted more than 0")
        if self.velocimetry is not None:
            for name, wanted, found in (
                ("frame_rate", self.frame_rate, self.velocimetry.frame_rate),
                ("depth_step", self.depth.step, self.velocimetry.depth_step),
            ):
                if not math.isclose(found, wanted, rel_tol=1e-6):
                    raise InputError(
                        f"{name}: found {found:g} for velocimetry, wanted that of the images, "
                        f"{wanted:g}"
                    )
        _ = self.band_pass, self.median, self.output_axes  # each checks what it needs

    @property
    def band_pass(self) -> BandPass | None:
        """The filter along time."""
        if self.chain.band is None:
            return None
        low, high = self.chain.band
        return BandPass(low=low, high=high, frame_rate=self.frame_rate, order=self.chain.order)

    @property
    def median(self) -> tuple[int, int]:
        """Window of the median, pixels."""
        if self.chain.median is None:
            return 1, 1
        length = self.chain.median
        return median_size(length, self.depth.step), median_size(length, self.width.step)

    @property
    def output_axes(self) -> tuple[Axis, Axis]:
        """Depth and width of the result; the images' own where nothing else is asked for."""
        chain = self.chain
        if chain.pixels is None and chain.size is None and chain.top is None:
            return self.depth, self.width
        end = self.depth.start + self.depth.length
        top = self.depth.start if chain.top is None else chain.top
        steps = (self.depth.step, self.width.step)
        if not self.depth.start - steps[0] <= top <= end - steps[0]:
            raise InputError(
                f"top: found {top:g} mm, wanted a depth inside the image, {self.depth.start:.4g} "
                f"to {end:.4g} mm"
            )
        found = (end - top, self.width.length)
        wanted = chain.size or found
        if any(have < want * (1 - SLACK) for have, want in zip(found, wanted, strict=True)):
            raise InputError(
                f"size: found an image of {found[0]:.4g} x {found[1]:.4g} mm, wanted "
                f"{wanted[0]:g} x {wanted[1]:g} mm or more; ask for less with `chain.size`"
            )
        size = tuple(min(have, want) for have, want in zip(found, wanted, strict=True))
        pixels = self.chain.pixels or tuple(
            max(1, round(length / step)) for length, step in zip(size, steps, strict=True)
        )
        starts = (top, self.width.start + (found[1] - size[1]) / 2)
        depth, width = (
            Axis(start + length / count / 2, length / count, count)
            for start, length, count in zip(starts, size, pixels, strict=True)
        )
        return depth, width

    @property
    def output_rate(self) -> float:
        """Frames a second of the result, Hz."""
        return self.chain.frame_rate or self.frame_rate

    @property
    def offset(self) -> float:
        """Time of the result's first frame after the recording's first one, s."""
        # A velocity belongs midway between the two images that it comes from.
        return 0.5 / self.frame_rate if self.velocimetry else 0.0

    def output_frames(self, frames: int) -> int:
        """Return how many frames come of a recording of some length.

        Parameters
        ----------
        frames : int
            IQ or velocity images.

        Raises
        ------
        InputError
            If it is too short for the chain.
        """
        usable = frames - 1 if self.velocimetry else frames
        least = self.velocimetry.ensemble - 1 if self.velocimetry else 1
        if usable < least:
            what = "one ensemble" if self.velocimetry else "a recording"
            raise InputError(
                f"frames: found {frames}, wanted {least + frames - usable} or more for {what}"
            )
        if self.chain.frame_rate is None or self.chain.frame_rate == self.frame_rate:
            return usable
        ratio = self.frame_rate / self.chain.frame_rate
        return math.floor((usable - 1) / ratio * (1 + 1e-12)) + 1


def block_length(frame_bytes: int) -> int:
    """Return how many frames of some size to work on together."""
    return max(2, BLOCK_BYTES // max(frame_bytes, 1))


def run(imaging: Imaging, blocks: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
    """Run a chain over consecutive blocks of a recording, in bounded memory.

    Parameters
    ----------
    imaging : Imaging
    blocks : iterable of arrays of shape (frame, depth, width)
        complex64 IQ, or float32 velocity in mm/s.

    Yields
    ------
    float32 array of shape (frame, depth, width)
        Velocity, mm/s, positive towards the transducer. The frames do not depend on how the
        recording is cut into blocks.
    """
    blocks = _checked(imaging, blocks)
    if imaging.velocimetry is not None:
        blocks = velocity_blocks(blocks, imaging.velocimetry)
    if imaging.band_pass is not None:
        blocks = band_pass_blocks(blocks, imaging.band_pass)
    if imaging.median != (1, 1):
        size = imaging.median
        blocks = (median_filter(block, size) for block in _pieces(blocks))
    depth, width = imaging.output_axes
    if imaging.output_rate != imaging.frame_rate:
        blocks = resample_time_blocks(blocks, imaging.frame_rate, imaging.output_rate)
    if (depth, width) != (imaging.depth, imaging.width):
        maps = tuple(
            Resampler.cubic(found.first, found.step, wanted.positions)
            for found, wanted in ((imaging.depth, depth), (imaging.width, width))
        )
        blocks = (resample_images(block, *maps) for block in blocks)
    yield from blocks


def _checked(imaging: Imaging, blocks: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Hand blocks on as complex64 or float32, if they are what the chain was fitted to."""
    wanted = (imaging.depth.count, imaging.width.count)
    kind = "c" if imaging.velocimetry else "iuf"
    for block in blocks:
        if block.ndim != 3 or block.shape[1:] != wanted or block.dtype.kind not in kind:
            what = "complex IQ images" if imaging.velocimetry else "real velocity images"
            raise InputError(
                f"images: found {block.dtype} of shape {block.shape}, wanted {what} of "
                f"(frames, {wanted[0]}, {wanted[1]})"
            )
        yield block.astype(np.complex64 if imaging.velocimetry else np.float32, copy=False)


def _pieces(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Cut blocks into pieces of a bounded size: the band-pass hands out long ones."""
    for block in blocks:
        length = block_length(block[0].nbytes) if len(block) else 1
        for first in range(0, len(block), length):
            yield block[first : first + length]
