"""Layers of a recording: what its pixels show, frame by frame or once for all frames."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ...simulator.errors import InputError
from ...simulator.rendering import render_arrays
from ...simulator.seeds import NOISE_KEY_WORDS
from ...training.identification.stored import shown_velocity_sd
from .signals import Check, blocks

SAMPLED, SAMPLED_BLOCKS = 24, 4
"""Frames, evenly apart, by which the scale of a whole sequence is chosen; written ones are of some
blocks alone, for a block is read whole, even for a frame of it."""

KEPT_BLOCKS = 8
"""Blocks of written frames, of some 8 MB, that are kept: pages ask for a few frames at once."""

MOST_FIRINGS = 200
"""About which velocity is averaged."""

SHARE = 99.8
"""Per cent of the values of those frames that lie within the scale."""


@dataclass(frozen=True)
class Layer:
    """A layer of a kind of store.

    Parameters
    ----------
    name : str
    label : str
    colours : {"velocity", "deviation", "grey"}
    unit : str
    moves : bool
        Whether it has frames; else there is one map of the whole sequence.
    needs_units : bool
        Whether it is made of units.
    needs_unit : bool
        Whether it is made of one of them.
    """

    name: str
    label: str
    colours: str
    unit: str
    moves: bool = True
    needs_units: bool = False
    needs_unit: bool = False


VELOCITY = (
    Layer("velocity", "Velocity", "velocity", "mm/s"),
    Layer("sd", "SD", "deviation", "mm/s", moves=False),
    Layer("reconstruction", "Reconstruction", "velocity", "mm/s", needs_units=True),
    Layer("residual", "Residual", "velocity", "mm/s", needs_units=True),
    Layer(
        "about",
        "About firings",
        "deviation",
        "mm/s",
        moves=False,
        needs_units=True,
        needs_unit=True,
    ),
)
IMAGES = (Layer("bmode", "B-mode", "grey", ""),)
PAIRS = (
    Layer("image", "First", "grey", ""),
    Layer("image_b", "Second", "grey", ""),
    Layer("difference", "Second − first", "velocity", ""),
)


def layers_of(store: Store, *, units: bool, firings: bool) -> list[Layer]:
    """Return the layers of a store, the first of which is seen first.

    Parameters
    ----------
    store : Store
    units, firings : bool
        Whether territories and trains of units are known, and whether their firings are.
    """
    if store.is_slices:
        return list(PAIRS)
    if store.is_section or store.is_video:
        return list(IMAGES)
    if store.kind == "identified":  # their recording is not to be had
        return [layer for layer in VELOCITY if layer.name in {"reconstruction", "sd"}]
    return [
        layer
        for layer in VELOCITY
        if not layer.needs_units or (firings if layer.needs_unit else units)
    ]


def frames_of(
    store: Store,
    index: int,
    layer: str,
    window: slice,
    units: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> NDArray[Any]:
    """Return frames of a layer.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    layer : str
        One that moves.
    window : slice
        The frames.
    units : (float32 array (unit, depth, width), float32 array (unit, time)), optional
        Territories and trains of which layers that need units are made.

    Returns
    -------
    float32 or uint8 array of shape (time, depth, width)

    Raises
    ------
    InputError
        If the store has no such layer.
    FailureError
        If it is damaged.
    """
    if layer == "bmode":
        return _read(store, index, window)
    if layer in {"image", "image_b", "difference"} and store.is_slices:
        first, second = (store.read(name, index)[window] for name in ("image", "image_b"))
        return {"image": first, "image_b": second, "difference": second - first}[layer]
    if layer == "velocity":
        return _read(store, index, window).astype(np.float32, copy=False)
    if layer not in {"reconstruction", "residual"} or units is None:
        raise InputError(f"layer: found {layer!r}, wanted a layer that moves")
    made = reconstruction(*units, window)
    if layer == "reconstruction":
        return made
    return _read(store, index, window).astype(np.float32, copy=False) - made


def _read(store: Store, index: int, window: slice) -> NDArray[Any]:
    """Return frames of the recording; those that are written come from blocks that are kept."""
    if store.layout.is_rendered:
        return (store.bmode if store.is_video else store.tvi)(index, time=window)
    step = store.layout.frames_of_chunk
    parts = []
    for span in blocks(store, window, step):
        first = span.start // step * step
        parts.append(_block(store, index, first)[span.start - first : span.stop - first])
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@functools.lru_cache(maxsize=KEPT_BLOCKS)
def _block(store: Store, index: int, first: int) -> NDArray[Any]:
    """Return a block of frames as it is written."""
    if store.is_section:
        return store.bmode(index)
    window = slice(first, min(first + store.layout.frames_of_chunk, store.layout.shape[0]))
    return (store.bmode if store.is_video else store.tvi)(index, time=window)


def reconstruction(
    territory: NDArray[np.float32], train: NDArray[np.float32], window: slice
) -> NDArray[np.float32]:
    """Return the sum of territories times trains in some frames, without noise, mm/s."""
    silent = np.zeros(NOISE_KEY_WORDS, np.uint32)
    return render_arrays(territory, train, silent, 0.0, time=window)


def velocity_limit(store: Store, index: int, frames: int) -> float:
    """Return the velocity at the ends of a sequence's scale of colours, mm/s, above 0.

    Few of the voxels of some frames, evenly apart, lie beyond it; it stays for all frames.
    """
    if store.layout.is_rendered:
        sampled = [store.tvi(index, time=slice(n, n + 1)) for n in _evenly(frames, SAMPLED)]
    else:
        step = store.layout.frames_of_chunk
        starts = [n * step for n in _evenly(-(-frames // step), SAMPLED_BLOCKS)]
        every = max(min(step, frames) * len(starts) // SAMPLED, 1)
        sampled = [_block(store, index, start)[::every] for start in starts]
    return _limit(sampled)


def _evenly(count: int, most: int) -> list[int]:
    """Return at most so many numbers below a count, the first and the last among them."""
    return sorted({n * (count - 1) // max(most - 1, 1) for n in range(most)})


def _limit(frames: Sequence[NDArray[Any]]) -> float:
    values = np.abs(np.concatenate([frame.ravel() for frame in frames]).astype(np.float32))
    values = values[np.isfinite(values)]
    if not values.any():
        return 1.0
    return float(np.percentile(values, SHARE)) or float(values.max())


def range_of(store: Store, index: int, layer: Layer, frames: int) -> tuple[float, float]:
    """Return the ends of a layer's scale of colours in one sequence."""
    if layer.colours == "grey":
        if layer.name == "bmode":
            return 0.0, 255.0
        return 0.0, _limit([store.read(layer.name, index)])
    if layer.name == "difference":
        limit = _limit([frames_of(store, index, layer.name, slice(0, frames))])
    else:
        limit = velocity_limit(store, index, frames)
    return -limit, limit


def deviation(store: Store, index: int, check: Check) -> NDArray[np.float32]:
    """Return each pixel's SD of velocity over time, float32 (depth, width), mm/s.

    The sequence is read block by block, with a call of `check` before each. Voxels that are not
    finite are left out; NaN without any. Of units without their recording it is that of the
    recording all the same, which they have kept.
    """
    if store.kind == "identified":
        return shown_velocity_sd(store, index)
    frames, depth, width = store.layout.shape
    count, total, squares = (np.zeros((depth, width)) for _ in range(3))
    about = None
    for span in blocks(store, slice(0, frames)):
        check()
        block = store.tvi(index, time=span).astype(np.float64)
        finite = np.isfinite(block)
        # About the first frame, so that a large offset does not swallow a small deviation.
        about = np.nan_to_num(block[0]) if about is None else about
        values = np.where(finite, block - about, 0.0)
        count += finite.sum(axis=0)
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
    seen = np.maximum(count, 1)
    variance = np.maximum(squares / seen - np.square(total / seen), 0)
    return np.where(count, np.sqrt(variance), np.nan).astype(np.float32)


def motion_about(
    store: Store,
    index: int,
    firings: NDArray[np.float64],
    frames: slice,
    span: tuple[float, float],
    check: Check,
) -> NDArray[np.float32]:
    """Return where tissue moves as a unit fires, float32 (depth, width), mm/s.

    The velocity is averaged about the firings (as in spike-triggered averaging): what does not go
    with them averages out. The map is the SD of that average over the span.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    firings : float64 array of shape (firing,)
        Instants, s.
    frames : slice
        Of the sequence; firings whose span does not lie within are left out.
    span : (float, float)
        Seconds before (below 0) and after a firing.
    check : callable
        Called before each firing is read; what it raises ends the reading.

    Returns
    -------
    float32 array of shape (depth, width)
        NaN without firings, and where values are not finite.
    """
    rate = store.layout.frame_rate
    before, after = (round(bound * rate) for bound in span)
    nearest = np.round(firings * rate).astype(int)
    inside = nearest[(nearest + before >= frames.start) & (nearest + after < frames.stop)]
    # Of a long recording some firings, evenly apart, tell as much.
    chosen = inside[
        np.unique(np.linspace(0, len(inside) - 1, min(len(inside), MOST_FIRINGS)).astype(int))
    ]
    if not len(chosen):
        return np.full(store.layout.shape[1:], np.nan, np.float32)
    total = np.zeros((after - before + 1, *store.layout.shape[1:]))
    for frame in chosen.tolist():
        check()
        total += store.tvi(index, time=slice(frame + before, frame + after + 1))
    return (total / len(chosen)).std(axis=0).astype(np.float32)
