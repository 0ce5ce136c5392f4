"""Filtering velocity images: zero-phase band-pass along time, median over the image."""

import functools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..errors import InputError
from .median_network import median_steps

TAIL = 1e-6
"""Blocks overlap until what is left of a filter's response is this share of its largest value."""

MOST_MEDIAN = 31
"""Pixels of a median's window along one axis, at most."""


@dataclass(frozen=True, kw_only=True)
class BandPass:
    """A Butterworth band-pass that runs forwards and backwards: without delay, twice the order.

    Parameters
    ----------
    low, high : float
        Corner frequencies, Hz: 3 dB in each direction, 6 dB in both.
    frame_rate : float
        Hz.
    order : int
        Order of the low-pass prototype, as ``scipy.signal.butter`` counts it.

    Raises
    ------
    InputError
        If the corners are not in order, or the frame rate is too low for them.
    """

    low: float
    high: float
    frame_rate: float
    order: int = 4

    def __post_init__(self) -> None:
        if not (0 < self.low < self.high < math.inf):
            raise InputError(
                f"band: found {self.low:g}-{self.high:g} Hz, wanted two frequencies above 0, the "
                "lower one first"
            )
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 2 * self.high):
            raise InputError(
                f"band: found {self.high:g} Hz in frames at {self.frame_rate:g} Hz, wanted a frame "
                f"rate above {2 * self.high:g} Hz or a lower band"
            )
        if self.order not in range(1, 11):
            raise InputError(f"order: found {self.order}, wanted a whole number from 1 to 10")

    @property
    def sections(self) -> NDArray[np.float64]:
        """Second-order sections of one direction, of shape (section, 6)."""
        return _designed(self.low, self.high, self.frame_rate, self.order)

    @property
    def padding(self) -> int:
        """Frames by which both ends are continued, oddly about them: as SciPy's default is."""
        sections = self.sections
        zeros = min(int((sections[:, 2] == 0).sum()), int((sections[:, 5] == 0).sum()))
        return 3 * (2 * len(sections) + 1 - zeros)

    @property
    def overlap(self) -> int:
        """Frames after which a direction has forgotten where it started."""
        return max(_tail(self.low, self.high, self.frame_rate, self.order), self.padding)


@functools.lru_cache(maxsize=64)
def _designed(low: float, high: float, frame_rate: float, order: int) -> NDArray[np.float64]:
    """Design a band-pass: it takes longer than filtering a few signals."""
    sections = scipy.signal.butter(order, (low, high), "bandpass", fs=frame_rate, output="sos")
    sections = np.asarray(sections)
    sections.setflags(write=False)
    return sections


@functools.lru_cache(maxsize=64)
def _steady(low: float, high: float, frame_rate: float, order: int) -> NDArray[np.float64]:
    """Return what a direction remembers of a signal that was 1 for ever."""
    steady = np.asarray(scipy.signal.sosfilt_zi(_designed(low, high, frame_rate, order)))
    steady.setflags(write=False)
    return steady


@functools.lru_cache(maxsize=64)
def _tail(low: float, high: float, frame_rate: float, order: int) -> int:
    """Return the frames after which a direction's response is over."""
    sections = _designed(low, high, frame_rate, order)
    slowest = max(np.abs(np.roots(section[3:])).max() for section in sections)
    return math.ceil(math.log(TAIL) / math.log(slowest))


def band_pass(velocity: NDArray[np.float32], settings: BandPass) -> NDArray[np.float32]:
    """Filter each pixel along time, forwards and backwards.

    Parameters
    ----------
    velocity : float32 array of shape (frame, depth, width)
    settings : BandPass

    Returns
    -------
    float32 array of the same shape
        What ``scipy.signal.sosfiltfilt`` makes of it in float64, rounded.

    Raises
    ------
    InputError
        If there are fewer frames than the filter's ends need.
    """
    return np.concatenate(list(band_pass_blocks([velocity], settings)))


def band_pass_blocks(
    blocks: Iterable[NDArray[np.float32]], settings: BandPass
) -> Iterator[NDArray[np.float32]]:
    """Filter consecutive blocks of frames, in memory of twice the filter's overlap.

    The forward direction carries its state from block to block and is exact. The backward one
    starts a whole overlap late, where a millionth of its response is left; the blocks that it works
    in are counted from the recording's first frame, so the result does not depend on how the frames
    come in, bit for bit.

    Parameters
    ----------
    blocks : iterable of float32 arrays of shape (frame, depth, width)
    settings : BandPass

    Yields
    ------
    float32 array of shape (frame, depth, width)
    """
    from .filtering_kernels import filter_frames

    sections, overlap = settings.sections, settings.overlap
    steady = _steady(settings.low, settings.high, settings.frame_rate, settings.order)
    state: NDArray[np.float64] | None = None
    held: list[NDArray[np.float32]] = []  # filtered forwards, cut where an overlap ends
    room = overlap  # frames until the next cut
    skip = settings.padding  # frames of the continued start that are still to come out

    def run(frames: NDArray[np.float32], state: NDArray[np.float64], *, reverse: bool) -> None:
        filter_frames(frames.reshape(len(frames), -1), sections, state, reverse)

    def start(frame: NDArray[np.float32]) -> NDArray[np.float64]:
        # As after a constant signal of this frame's values.
        return np.ascontiguousarray(steady[:, :, None] * frame.reshape(-1).astype(np.float64))

    for raw in _continued(blocks, settings):
        state = start(raw[0]) if state is None else state
        position = 0
        while position < len(raw):
            piece = raw[position : position + room].copy()
            run(piece, state, reverse=False)
            held.append(piece)
            position += len(piece)
            room = room - len(piece) or overlap
            if sum(map(len, held)) < 2 * overlap:
                continue
            # Only the first half is finished: for the second, what follows is not known yet.
            count = int(np.searchsorted(np.cumsum([len(p) for p in held]), overlap)) + 1
            back = start(held[-1][-1])
            for ahead in reversed(held[count:]):
                run(ahead.copy(), back, reverse=True)
            ready, held = held[:count], held[count:]
            for done in reversed(ready):
                run(done, back, reverse=True)
            ready[0], skip = ready[0][skip:], max(skip - len(ready[0]), 0)
            yield from _drain(ready)
    back = start(held[-1][-1])
    for done in reversed(held):
        run(done, back, reverse=True)
    yield from _cut(held, skip, settings.padding)


def _continued(
    blocks: Iterable[NDArray[np.float32]], settings: BandPass
) -> Iterator[NDArray[np.float32]]:
    """Continue a recording oddly at both ends: values beyond are twice the end's less those inside.

    The continued start comes out as one block, before the first of the recording.
    """
    padding = settings.padding
    first: list[NDArray[np.float32]] = []  # until there are enough to continue them
    tail: NDArray[np.float32] | None = None
    for block in blocks:
        raw = np.ascontiguousarray(block, np.float32)
        if not len(raw):
            continue
        if tail is None:
            first.append(raw)
            if sum(map(len, first)) <= padding:
                continue
            raw = np.concatenate(first) if len(first) > 1 else raw
            yield 2 * raw[0] - raw[padding:0:-1]
            tail = raw[:0]
        tail = np.concatenate([tail, raw[-padding - 1 :]])[-padding - 1 :]
        yield raw
    if tail is None:
        raise InputError(
            f"band: found {sum(map(len, first))} frames, wanted more than {padding} for a filter "
            f"of order {settings.order}; record longer, or leave the band-pass out"
        )
    yield 2 * tail[-1] - tail[-2::-1]


def _cut(pieces: list[NDArray[np.float32]], first: int, last: int) -> Iterator[NDArray[np.float32]]:
    """Hand pieces out without some frames at the start and at the end."""
    end = sum(map(len, pieces)) - last
    ends = np.cumsum([len(piece) for piece in pieces])
    kept = [
        piece[max(first - int(stop) + len(piece), 0) : max(end - int(stop) + len(piece), 0)]
        for piece, stop in zip(pieces, ends, strict=True)
    ]
    pieces.clear()
    return _drain([piece for piece in kept if len(piece)])


def _drain(pieces: list[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Hand pieces out, letting each go."""
    pieces.reverse()
    while pieces:
        yield pieces.pop()


def median_size(length: float, pixel: float) -> int:
    """Return the odd number of pixels nearest to a length.

    Parameters
    ----------
    length, pixel : float
        mm.

    Raises
    ------
    InputError
        If it is too many.
    """
    size = 2 * int(length / pixel / 2) + 1
    if size > MOST_MEDIAN:
        raise InputError(
            f"median: found {length:g} mm of pixels of {pixel:g} mm ({size}), wanted up to "
            f"{MOST_MEDIAN} pixels"
        )
    return size


def median_filter(velocity: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Replace each pixel by the median of those about it.

    Parameters
    ----------
    velocity : float32 array of shape (frame, depth, width)
        Without NaN.
    size : (int, int)
        Odd numbers of pixels in depth and width. Beyond the image its edge goes on, as with
        ``scipy.ndimage.median_filter(mode="nearest")``.

    Returns
    -------
    float32 array of the same shape

    Raises
    ------
    InputError
        If a size is even or too large.
    """
    from .filtering_kernels import median_frames

    for name, n in zip(("depth", "width"), size, strict=True):
        if not (1 <= n <= MOST_MEDIAN and n % 2):
            raise InputError(
                f"median: found {n} pixels in {name}, wanted an odd number up to {MOST_MEDIAN}"
            )
    frames = np.ascontiguousarray(velocity, np.float32)
    if size == (1, 1):
        return frames
    steps = median_steps(*size)
    out = np.empty_like(frames)
    median_frames(
        frames, *size, steps.places, steps.sorting, steps.merging, steps.middle, steps.lines, out
    )
    return out
