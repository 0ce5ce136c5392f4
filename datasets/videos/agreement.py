"""What videos of one store have in common: their frame rate, samples a frame, and scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...simulator.errors import InputError
from ..images.cropping import Crop
from ..images.scale import PixelScale
from .finding import VideoEntry
from .reading import Video
from .signal_tables import Recorded
from .signals import samples_a_frame, whole_rate

SAME = 1e-6
"""By how much scales that are one differ, by rounding."""


@dataclass(frozen=True)
class Prepared:
    """What is known of a video before it is made a sequence of a store.

    Parameters
    ----------
    entry : VideoEntry
    video : Video
    crop : tuple of int
        First row and column, depth and width [px].
    signals : Recorded or None
        None if it has none.
    coloured : bool
        Whether there are annotations in colour.
    """

    entry: VideoEntry
    video: Video
    crop: Crop
    signals: Recorded | None
    coloured: bool


def frame_rate_of(prepared: Sequence[Prepared], given: float | None) -> float:
    """Return the frame rate that all videos have."""
    if given is not None:
        return given
    first = prepared[0].video
    for one in (each.video for each in prepared):
        if math.isnan(one.frame_rate):
            raise InputError(
                f"{one.path}: found no frame rate in it, wanted one; give `frame_rate`"
            )
        if one.uneven:
            raise InputError(
                f"{one.path}: {one.uneven}, wanted even ones, or signals would not belong to "
                "them; give `frame_rate` if they are"
            )
        # Over a video, frames of one rate stay within half a frame of those of the other.
        if abs(one.frame_rate / first.frame_rate - 1) * one.frames > 0.5:
            raise InputError(
                f"{one.path}: found {one.frame_rate:.6g} frames a second, wanted "
                f"{first.frame_rate:.6g} as {first.path.name} has; import them apart, or give "
                "`frame_rate`"
            )
    return first.frame_rate


def samples_of(prepared: Sequence[Prepared], frame_rate: float, resample: float | None) -> int:
    """Return the samples that signals have for each frame: as many in all videos."""
    if resample is not None:
        return whole_rate(resample, frame_rate)
    counts = {
        samples_a_frame(one.signals, frame_rate, one.video.frames): one.signals
        for one in prepared
        if one.signals is not None
    }
    if len(counts) > 1:
        (one, first), (_, other), *_ = counts.items()
        raise InputError(
            f"{other.path}: found {other.rate:g} samples a second, wanted {first.rate:g} as "
            f"{first.path.name} has; `resample={one * frame_rate:.10g}` brings all to one rate"
        )
    return next(iter(counts), 1)


def scale_of(prepared: Sequence[Prepared], given: tuple[float, float] | None) -> PixelScale:
    """Return the scale that all videos have, if none is given."""
    if given is not None:
        return PixelScale.of_millimetres(*given)
    first = prepared[0].video.scale or PixelScale()
    for one in (each.video for each in prepared):
        scale = one.scale or PixelScale()
        apart = (scale.depth_mm / first.depth_mm, scale.shape / first.shape)
        if scale.known != first.known or any(abs(n - 1) > SAME for n in apart):
            raise InputError(
                f"{one.path}: found pixels of {_told(scale)}, wanted {_told(first)} as "
                f"{prepared[0].video.path.name} has; import them apart, or give `pixel_size`"
            )
    return first


def _told(scale: PixelScale) -> str:
    if not scale.known:
        return "no known size"
    return f"{scale.depth_mm:.4g} x {scale.depth_mm * scale.shape:.4g} mm"
