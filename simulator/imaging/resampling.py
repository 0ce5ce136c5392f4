"""Resampling in space and time, without aliasing: banded linear maps along one axis at a time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

SINC_PERIODS = 16
"""Half the length of the kernel in time, in periods of the lower of the two rates."""

KAISER_BETA = 8.0
"""Shape of its window: side lobes 80 dB down (Kaiser 1974; beta = 0.1102 (80 - 8.7))."""

CUTOFF = 0.42
"""Its half-amplitude frequency over the lower rate: the band above 0.5 is stopped, that below 0.34
passes."""


@dataclass(frozen=True)
class Resampler:
    """A linear map along one axis: output i is a weighted sum of a few consecutive inputs.

    Parameters
    ----------
    starts : int64 array of shape (output,)
        First input of each output, before the axis' ends are continued.
    weights : float32 array of shape (output, tap)
    """

    starts: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def cubic(cls, first: float, step: float, output: NDArray[np.float64]) -> Self:
        """Return bicubic resampling along one axis of an image.

        Parameters
        ----------
        first, step : float
            Position of its first sample and their distance, mm.
        output : float64 array of shape (output,)
            Positions that are asked for, evenly spaced, mm.

        Returns
        -------
        Resampler
            With Keys' kernel (a = -0.5, [1]_), widened where the output is coarser than the input,
            so that details too fine for it are averaged rather than aliased.

        References
        ----------
        .. [1] Keys 1981, doi:10.1109/TASSP.1981.1163711, equation 15.
        """
        apart = float(output[1] - output[0]) if len(output) > 1 else step
        return cls(*_band((output - first) / step, max(apart / step, 1.0), 2.0, _keys))

    @classmethod
    def windowed_sinc(cls, rate: float, output_rate: float, output: NDArray[np.float64]) -> Self:
        """Return resampling in time, for an axis of any length.

        Parameters
        ----------
        rate, output_rate : float
            Hz.
        output : float64 array of shape (output,)
            Positions that are asked for, in input frames.
        """
        return cls(*_band(output, max(rate / output_rate, 1.0), SINC_PERIODS, _sinc))

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample the first axis of a float32 array."""
        from .resampling_kernels import resample

        flat = np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
        out = np.empty((len(self.starts), flat.shape[1]), np.float32)
        resample(flat, self.starts, self.weights, out)
        return out.reshape(len(out), *values.shape[1:])


def _band(
    positions: NDArray[np.float64], widening: float, support: float, kernel
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:  # fmt: skip
    """Return first inputs and weights of a kernel that stands at each position."""
    reach = support * widening
    taps = math.floor(2 * reach) + 1
    starts = np.ceil(positions - reach).astype(np.int64)
    distance = starts[:, None] + np.arange(taps) - positions[:, None]
    weights = kernel(distance / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    return starts, weights.astype(np.float32)


def _keys(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = 1 - (x / SINC_PERIODS) ** 2
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(inside, 0, None)))
    return np.where(inside < 0, 0.0, np.sinc(2 * CUTOFF * x) * window)


def resample_images(
    frames: NDArray[np.float32], depth: Resampler, width: Resampler
) -> NDArray[np.float32]:
    """Resample images along depth and width.

    Parameters
    ----------
    frames : float32 array of shape (frame, depth, width)
    depth, width : Resampler

    Returns
    -------
    float32 array of shape (frame, new depth, new width)
    """
    from .resampling_kernels import resample_planes

    frames = np.ascontiguousarray(frames, np.float32)
    out = np.empty((len(frames), len(depth.starts), len(width.starts)), np.float32)
    resample_planes(frames, depth.starts, depth.weights, width.starts, width.weights, out)
    return out


def resample_time_blocks(
    blocks: Iterable[NDArray[np.float32]], rate: float, output_rate: float
) -> Iterator[NDArray[np.float32]]:
    """Resample consecutive blocks of frames in time.

    Output frame k stands at time k / `output_rate` after the first input frame; there are as many
    as lie between the first and the last input.

    Parameters
    ----------
    blocks : iterable of float32 arrays of shape (frame, depth, width)
    rate, output_rate : float
        Frames a second before and after, Hz.

    Yields
    ------
    float32 array of shape (frame, depth, width)
        The same frames, bit for bit, however the input is cut into blocks.

    Raises
    ------
    InputError
        If a rate is not above 0.
    """
    from .resampling_kernels import add_resampled

    for name, value in (("frame_rate", rate), ("output frame_rate", output_rate)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}: found {value:g} Hz, wanted more than 0")
    ratio = rate / output_rate
    reach = math.ceil(SINC_PERIODS * max(ratio, 1.0)) + 1
    sums = np.empty((0, 0), np.float32)  # of the outputs under way (output, pixel)
    end: NDArray[np.float32] | None = None  # the last frame
    known = done = 0  # inputs, and outputs that were yielded

    def add(frames: NDArray[np.float32], first: int, *, last: bool) -> None:
        positions = np.arange(done, done + len(sums), dtype=np.float64) * ratio
        part = Resampler.windowed_sinc(rate, output_rate, positions)
        taps = part.weights.shape[1]
        # The recording's ends go on: its first frame is there from the first tap on.
        begins = np.clip(first - part.starts, 0, taps) if first else np.zeros_like(part.starts)
        ends = np.full_like(begins, taps) if last else first + len(frames) - part.starts
        ends = np.clip(ends, 0, taps)
        flat = frames.reshape(len(frames), -1)
        add_resampled(flat, part.starts - first, part.weights, begins, ends, sums)

    for block in blocks:
        frames = np.ascontiguousarray(block, np.float32)
        if not len(frames):
            continue
        shape = frames.shape[1:]
        end = frames[-1:].copy()
        # All that have begun, and more for rounding: the taps of these are still to come.
        under_way = math.floor((known + len(frames) + reach) / ratio) + 2 - done
        before, sums = sums, np.zeros((under_way, math.prod(shape)), np.float32)
        sums[: len(before)] = before.reshape(len(before), sums.shape[1])
        add(frames, known, last=False)
        known += len(frames)
        ready = math.floor((known - 1 - reach) / ratio) + 1 - done
        if ready > 0:
            made, sums = sums[:ready], sums[ready:]
            done += ready
            yield made.reshape(ready, *shape)
    if end is not None:
        # A rounding error must not lose the frame that falls on the last one.
        rest = math.floor((known - 1) / ratio * (1 + 1e-12)) + 1 - done
        if rest > 0:
            sums = sums[:rest]
            add(end, known, last=True)
            yield sums.reshape(rest, *end.shape[1:])
