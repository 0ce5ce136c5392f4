"""How a filter that runs forwards and backwards begins and ends.

Beyond its ends a recording is not known. It is taken to go on in a straight line for ever: the one
fitted to its first frames and the one fitted to its last. Of a line a filter remembers the same
multiples of its value and its slope at any time, so that the forward direction begins as if it had
seen the line for ever. Beyond the last frame the forward direction's output is that of the line and
a decay, of which the backward direction remembers a linear map of the forward one's memory. Nothing
is computed beyond the ends.

What is continued decides what the ends show. Continued oddly about one frame, as
``scipy.signal.filtfilt`` does by default, the noise of that frame becomes a step; mirrored, a slope
becomes a kink; and either way what is random inside is random beyond, and adds up. A line keeps
slow motion from ringing, and the means that it is fitted to keep noise out. Another way is
Gustafsson 1996 (doi:10.1109/78.492552): initial states by which both orders of the two directions
agree. On simulated motion whose course beyond the ends was known it erred most of all (``python -m
benchmarks.filter_ends``).
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE = 1e-20
"""A decay is over when no state is passed on by more than this."""


@dataclass(frozen=True)
class Memory:
    """What a cascade of second-order sections remembers, in transposed direct form II.

    Parameters
    ----------
    value, slope : float64 arrays of shape (section, 2)
        The state before time 0 of a signal that is 1, or the time in frames, for ever.
    shown : float
        What the filter shows of a signal that is the time, at time 0.
    decay : float64 array of shape (state, state)
        What the backward direction remembers of the forward one's output after the end, by the
        state there.
    """

    value: NDArray[np.float64]
    slope: NDArray[np.float64]
    shown: float
    decay: NDArray[np.float64]

    def of_line(
        self, value: NDArray[np.float64], slope: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the states before a frame of lines that have been there for ever.

        Parameters
        ----------
        value, slope : float64 arrays of shape (pixel,)
            At that frame, and a frame.

        Returns
        -------
        float64 array of shape (section, 2, pixel)
        """
        return self.value[:, :, None] * value + self.slope[:, :, None] * slope

    def turned(
        self,
        state: NDArray[np.float64],
        value: NDArray[np.float64],
        slope: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the states that the backward direction has when it comes to the last frame.

        Parameters
        ----------
        state : float64 array of shape (section, 2, pixel)
            Of the forward direction after that frame.
        value, slope : float64 arrays of shape (pixel,)
            Of the line that follows, at its first frame and a frame.

        Returns
        -------
        float64 array of shape (section, 2, pixel)
        """
        fading = (state - self.of_line(value, slope)).reshape(len(self.decay), -1)
        found = self.value[:, :, None] * (self.shown * slope)
        rows = found.reshape(fading.shape)
        # One term after the other: a pixel's bits depend on nothing but itself.
        for column, part in zip(self.decay.T, fading, strict=True):
            rows += column[:, None] * part
        return found


def fitted_line(
    blocks: list[NDArray[np.float32]], first: int, count: int, *, at: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit lines to some frames of consecutive blocks.

    Parameters
    ----------
    blocks : list of float32 arrays of shape (frame, depth, width)
    first, count : int
        The frames.
    at : int

    Returns
    -------
    value, slope : float64 arrays of shape (pixel,)
        The lines' values at frame `at` after the first one, and their slopes a frame.
    """
    from .filtering_kernels import add_moments

    moments = np.zeros((2, blocks[0][0].size))
    middle = (count - 1) / 2
    position = -first
    for block in blocks:
        inside = block[max(-position, 0) : max(count - position, 0)]
        add_moments(inside.reshape(len(inside), -1), max(position, 0) - middle, moments)
        position += len(block)
    slope = moments[1] / (count * (count**2 - 1) / 12 or 1)  # 0 of a single frame
    return moments[0] / count + (at - middle) * slope, slope


def memory_of(sections: NDArray[np.float64]) -> Memory:
    """Return what a cascade remembers, of whose signal a constant is no part.

    Parameters
    ----------
    sections : float64 array of shape (section, 6)
        b0, b1, b2, 1, a1, a2 of each: a stable band-pass or high-pass.
    """
    return _memory_of(tuple(tuple(map(float, section)) for section in sections))


@functools.lru_cache(maxsize=64)
def _memory_of(sections: tuple[tuple[float, ...], ...]) -> Memory:
    count = 2 * len(sections)
    value, slope = np.zeros(count), np.zeros(count)
    pass_on, feed, show, through = np.zeros((count, count)), np.zeros(count), np.zeros(count), 1.0
    level, offset, rise = 1.0, 0.0, 1.0  # of a signal of 1; of the time, at time 0 and a frame
    for place, (b0, b1, b2, _, a1, a2) in zip(range(0, count, 2), sections, strict=True):
        own = slice(place, place + 2)
        # y = b0 x + s0; what is kept: b1 x - a1 y + s1 and b2 x - a2 y.
        fed = np.array([b1 - a1 * b0, b2 - a2 * b0])
        step = _steady(a1, a2, fed)
        ramp = -_steady(a1, a2, step)
        gain = b0 + step[0]
        value[own] = step * level
        slope[own] = step * offset + ramp * rise
        level, offset, rise = gain * level, gain * offset + ramp[0] * rise, gain * rise
        pass_on[own, :place] = fed[:, None] * show[:place]
        pass_on[own, own] = [[-a1, 1], [-a2, 0]]
        feed[own] = fed * through
        show *= b0
        show[place] = 1
        through *= b0
    # The sum of pass_on^k (feed show) pass_on^k over all k, doubled at each turn.
    decay = feed[:, None] * show
    while np.abs(pass_on).max() > NEGLIGIBLE:
        decay = decay + _product(_product(pass_on, decay), pass_on)
        pass_on = _product(pass_on, pass_on)
    return Memory(value.reshape(-1, 2), slope.reshape(-1, 2), offset, decay)


def _steady(a1: float, a2: float, fed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the state that is fed as much as it loses."""
    return np.array([fed[0] + fed[1], (1 + a1) * fed[1] - a2 * fed[0]]) / (1 + a1 + a2)


def _product(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply matrices, term after term: the same bits on every processor."""
    return (one[:, :, None] * other).sum(axis=1)
