"""Signals over time as a page draws them: a window of frames, reduced to what is seen of it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store

Check = Callable[[], None]

MOST_FRAMES = 256
"""That are read at once, so that reading may end between them."""


def reduced(
    signals: NDArray[np.float32], first: int, points: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reduce signals to the lowest and highest value of equal spans, if they are too long.

    Parameters
    ----------
    signals : float32 array of shape (row, time)
    first : int
        The frame with which they begin.
    points : int
        Values to a row, at most; 4 or more.

    Returns
    -------
    frames : float32 array of shape (point,)
        Where the values stand: frames, or the beginnings and middles of spans.
    values : float32 array of shape (row, point)
        A span's lowest value, then its highest; NaN where nothing is known.
    """
    count = signals.shape[1]
    if count <= points:
        return np.arange(first, first + count, dtype=np.float32), signals
    spans = points // 2
    edges = np.arange(spans) * count // spans
    ends = np.append(edges[1:], count)
    frames = np.stack([edges, (edges + ends) / 2], axis=1).ravel() + first
    low, high = (part.reduceat(signals, edges, axis=1) for part in (np.fmin, np.fmax))
    values = np.stack([low, high], axis=2).reshape(len(signals), 2 * spans)
    return frames.astype(np.float32), values.astype(np.float32, copy=False)


def region_signal(
    store: Store, index: int, weights: NDArray[np.float32], frames: slice, check: Check
) -> NDArray[np.float32]:
    """Return what some pixels show over time, by weight, read block by block.

    Parameters
    ----------
    store : Store
        Of tissue velocity, or of videos.
    index : int
        The sequence.
    weights : float32 array of shape (depth, width)
        Of pixels; not all 0.
    frames : slice
    check : callable
        Called before each block; what it raises ends the reading.

    Returns
    -------
    float32 array of shape (time,)
        mm/s, or grey levels; pixels that are not finite count for nothing.
    """
    rows, columns = (np.flatnonzero(weights.any(axis=axis)) for axis in (1, 0))
    depth, width = (slice(int(n[0]), int(n[-1]) + 1) for n in (rows, columns))
    own = weights[depth, width] / weights.sum()
    read = store.bmode if store.is_video else store.tvi
    signal = []
    for span in blocks(store, frames):
        check()
        window = read(index, time=span, depth=depth, width=width).astype(np.float32, copy=False)
        signal.append(np.nan_to_num(window).reshape(len(window), -1) @ own.ravel())
    return np.concatenate(signal).astype(np.float32, copy=False)


def blocks(store: Store, frames: slice, step: int | None = None) -> Iterator[slice]:
    """Yield spans of frames as they are stored, at most :data:`MOST_FRAMES` or `step` at once."""
    step = step or min(store.layout.frames_of_chunk, MOST_FRAMES)
    start = frames.start
    while start < frames.stop:
        stop = min((start // step + 1) * step, frames.stop)
        yield slice(start, stop)
        start = stop


def mean_about(
    firings: NDArray[np.float64],
    signal: NDArray[np.float32],
    frame_rate: float,
    span: tuple[float, float],
) -> dict[str, Any]:
    """Return the mean course of a signal about firings.

    Parameters
    ----------
    firings : float64 array of shape (firing,)
        Instants, s; those whose span does not lie within the signal are left out.
    signal : float32 array of shape (time,)
        From 0 s on.
    frame_rate : float
        Hz.
    span : (float, float)
        Seconds before (below 0) and after a firing.

    Returns
    -------
    dict
        ``time`` (s), ``mean`` and ``sd`` over firings, lists of one length; ``count`` of firings.
    """
    times = np.arange(round(span[0] * frame_rate), round(span[1] * frame_rate) + 1) / frame_rate
    last = (len(signal) - 1) / frame_rate
    inside = firings[(firings + times[0] >= 0) & (firings + times[-1] <= last)]
    # Firings lie between frames: the signal is read there, in straight lines.
    places = (inside[:, None] + times) * frame_rate
    courses = np.interp(places.ravel(), np.arange(len(signal)), signal).reshape(places.shape)
    unknown = np.full(len(times), np.nan)
    return {
        "time": times.tolist(),
        "mean": (courses.mean(axis=0) if len(inside) else unknown).tolist(),
        "sd": (courses.std(axis=0) if len(inside) else unknown).tolist(),
        "count": len(inside),
    }
