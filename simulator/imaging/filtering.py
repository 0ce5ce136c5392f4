"""Filtering velocity images: zero-phase band-pass along time, median over the image.

Beyond its ends a recording is continued by straight lines; see :mod:`.filter_ends`.
"""

import functools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..errors import InputError
from .filter_ends import fitted_line, memory_of
from .median_network import median_steps

TAIL = 1e-6
"""Blocks overlap until what is left of a filter's response is this share of its largest value."""

FITTED = 1.5
"""Length of what a line is fitted to at each end, over a period of the band's lower corner: long
enough to leave out the band's own motion, short enough to follow drifts."""

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
    def fitted(self) -> int:
        """Frames at each end to which the line is fitted that goes on beyond it."""
        return math.ceil(FITTED / self.low * self.frame_rate)

    @property
    def overlap(self) -> int:
        """Frames after which a direction has forgotten where it started."""
        return _tail(self.low, self.high, self.frame_rate, self.order)


@functools.lru_cache(maxsize=64)
def _designed(low: float, high: float, frame_rate: float, order: int) -> NDArray[np.float64]:
    """Design a band-pass: it takes longer than filtering a few signals."""
    sections = scipy.signal.butter(order, (low, high), "bandpass", fs=frame_rate, output="sos")
    sections = np.asarray(sections)
    sections.setflags(write=False)
    return sections


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
        What both directions make, in float64, of the recording continued by straight lines for
        ever: those that are fitted to its first and to its last ``settings.fitted`` frames, or to
        all there are. It is rounded after each direction.

    Raises
    ------
    InputError
        If there is no frame.
    """
    return np.concatenate(list(band_pass_blocks([velocity], settings)))


def band_pass_blocks(
    blocks: Iterable[NDArray[np.float32]], settings: BandPass
) -> Iterator[NDArray[np.float32]]:
    """Filter consecutive blocks of frames, in memory of twice the filter's overlap and of one fit.

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

    Raises
    ------
    InputError
        If there is no frame.
    """
    from .filtering_kernels import filter_frames

    sections, overlap, fitted = settings.sections, settings.overlap, settings.fitted
    memory = memory_of(sections)
    state: NDArray[np.float64] | None = None
    held: list[NDArray[np.float32]] = []  # filtered forwards, cut where an overlap ends
    last: list[NDArray[np.float32]] = []  # as they came, at least as many as a line is fitted to
    room = overlap  # frames until the next cut

    def run(frames: NDArray[np.float32], state: NDArray[np.float64], *, reverse: bool) -> None:
        filter_frames(frames.reshape(len(frames), -1), sections, state, reverse)

    for raw in _gathered(blocks, fitted):
        if state is None:
            state = memory.of_line(*fitted_line([raw], 0, min(fitted, len(raw)), at=0))
        last.append(raw)
        while sum(map(len, last)) - len(last[0]) >= fitted:
            last.pop(0)
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
            back = np.zeros_like(state)
            for ahead in reversed(held[count:]):
                run(ahead.copy(), back, reverse=True)
            ready, held = held[:count], held[count:]
            for done in reversed(ready):
                run(done, back, reverse=True)
            yield from _drain(ready)
    if state is None:
        raise InputError("band: found 0 frames, wanted 1 or more to filter")
    count = sum(map(len, last))
    size = min(fitted, count)
    back = memory.turned(state, *fitted_line(last, count - size, size, at=size))
    for done in reversed(held):
        run(done, back, reverse=True)
    yield from _drain(held)


def _gathered(blocks: Iterable[NDArray[np.float32]], least: int) -> Iterator[NDArray[np.float32]]:
    """Copy blocks, the first of them joined until they have some frames, or all there are."""
    first: list[NDArray[np.float32]] | None = []
    for block in blocks:
        raw = np.array(block, np.float32, order="C")
        if not len(raw):
            continue
        if first is None:
            yield raw
            continue
        first.append(raw)
        if sum(map(len, first)) >= least:
            yield np.concatenate(first)
            first = None
    if first:
        yield np.concatenate(first)


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
