"""Signals on frames: a whole number of samples for each, as they are or interpolated."""

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.resampling import Resampler
from .signal_tables import Recorded

HALF = 0.5
"""Samples by which those of a video may be off their frames, at the most."""


def samples_a_frame(recorded: Recorded, frame_rate: float, frames: int) -> int:
    """Return how many samples there are for each frame.

    Raises
    ------
    InputError
        If that is no whole number: over the video, samples would be half of one off.
    """
    ratio = recorded.rate / frame_rate
    whole = round(ratio)
    if whole < 1 or abs(whole - ratio) * frames >= HALF:
        better = max(1, whole) * frame_rate
        raise InputError(
            f"{recorded.path}: found {recorded.rate:g} samples a second and {frame_rate:g} frames, "
            "wanted a whole number of samples for each frame; `resample` has them interpolated: "
            f"`resample={better:.10g}` makes it {max(1, whole)}"
        )
    return whole


def on_frames(
    recorded: Recorded, frame_rate: float, frames: int, resample: float | None = None
) -> dict[str, NDArray[np.float32]]:
    """Return signals at a whole number of samples for each frame, the first one at a frame.

    Parameters
    ----------
    recorded : Recorded
    frame_rate : float
        Hz.
    frames : int
    resample : float, optional
        Hz, a multiple of the frame rate. Signals are brought to it by a windowed sinc, which takes
        out what a lower rate cannot hold; without, samples stay as they are, and those nearest to
        the first frame begin.

    Returns
    -------
    dict of float32 arrays of shape (frames * samples a frame,)
        NaN beyond the last sample that was taken.

    Raises
    ------
    InputError
        If rates do not divide, or the signals do not cover all frames.
    """
    _check_cover(recorded, frame_rate, frames)
    if resample is not None:
        count = frames * whole_rate(resample, frame_rate)
        at = (np.arange(count) / resample - recorded.first) * recorded.rate
        inside = (at >= -HALF) & (at <= recorded.samples - 1 + HALF)
        resampler = Resampler.windowed_sinc(recorded.rate, resample, at)
        return {
            name: np.where(inside, resampler(values.astype(np.float32)[:, None])[:, 0], np.nan)
            .astype(np.float32)
            for name, values in recorded.values.items()
        }  # fmt: skip
    count = frames * samples_a_frame(recorded, frame_rate, frames)
    begin = max(0, round(-recorded.first * recorded.rate))
    found = {}
    for name, values in recorded.values.items():
        kept = values[begin : begin + count]
        found[name] = np.full(count, np.nan, np.float32)
        found[name][: len(kept)] = kept
    return found


def whole_rate(resample: float, frame_rate: float) -> int:
    """Return how many samples a frame has at a rate that is asked for.

    Raises
    ------
    InputError
        If that is no whole number.
    """
    ratio = resample / frame_rate
    if round(ratio) < 1 or abs(round(ratio) - ratio) > 1e-6:
        raise InputError(
            f"`resample`: found {resample:g} Hz for {frame_rate:g} frames a second, wanted a "
            f"multiple of that, as {max(1, round(ratio)) * frame_rate:.10g}"
        )
    return round(ratio)


def _check_cover(recorded: Recorded, frame_rate: float, frames: int) -> None:
    """Raise InputError unless samples were taken from the first frame to the last."""
    step = 1 / recorded.rate
    last, wanted = recorded.first + (recorded.samples - 1) * step, (frames - 1) / frame_rate
    if recorded.first > HALF * step or last < wanted - HALF * step:
        raise InputError(
            f"{recorded.path}: found signals from {recorded.first:.4g} to {last:.4g} s, wanted "
            f"them from the first frame, 0 s, to the last, {wanted:.4g} s; cut the video, or give "
            "all of the signals"
        )
