"""One training sample of a store: window, flips, noise level and crops, drawn by (index, epoch)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError
from ..simulator.ranges import Range
from ..simulator.rendering import render_arrays
from ..simulator.seeds import NOISE_KEY_WORDS
from ..simulator.sequence import noise_sd
from .quick_recordings import read_recording
from .quick_recordings import render as render_quick
from .store import Store

UNIT_PARAMETERS = (
    "centre_depth",
    "centre_width",
    "diameter",
    "firing_rate",
    "displacement",
    "contraction_time",
    "relaxation_ratio",
    "visible_share",
    "overlap",
)
"""Parameters of units that samples carry, each float32 of shape (unit,)."""

AXES = ("depth", "width")


@dataclass(frozen=True)
class Sampling:
    """How samples are taken from sequences.

    Parameters
    ----------
    window : int, optional
        Frames of a window in time, at a place drawn uniformly; whole sequences, if not given.
    flips : tuple of {"depth", "width"}
        Axes that are turned round with a chance of one half.
    snr : Range, optional
        Noise level in dB, drawn anew each epoch in place of the stored one.
    crop : (int, int), optional
        Depth and width, px, of crops about each unit's centre; whole images, if not given. Beyond
        the image a crop is 0.
    seed : int
        Choices for a sequence depend on (seed, epoch, index) alone.
    """

    window: int | None = None
    flips: tuple[str, ...] = ()
    snr: Range | None = None
    crop: tuple[int, int] | None = None
    seed: int = 0

    def check(self, store: Store) -> None:
        """Raise InputError unless samples of this kind can be taken from `store`."""
        frames = store.layout.shape[0]
        if self.window is not None and not 1 <= self.window <= frames:
            raise InputError(
                f"window: found {self.window} frames, wanted 1 to the {frames} of {store.location}"
            )
        if not set(self.flips) <= set(AXES):
            raise InputError(f"flips: found {self.flips}, wanted axes among {', '.join(AXES)}")
        if self.crop is not None and (len(self.crop) != 2 or min(self.crop) < 1):
            raise InputError(f"crop: found {self.crop}, wanted (depth, width) of 1 px or more")
        if self.crop is not None and not store.has_truth:
            raise InputError(f"crop: found no units in {store.location}, wanted a store with truth")
        if self.snr is None:
            return
        parameters = store.parameters
        if parameters is None or not store.has_truth:
            raise InputError(
                f"snr: found no simulated noise in {store.location}, wanted a simulated store to "
                "draw it for; leave it out"
            )
        if store.domain != "analytic" and not store.has_recordings:
            raise InputError(
                f"snr: found recordings of the virtual experiment in {store.location}, wanted an "
                "analytic store, or quick recordings that are rendered on read: voxels that are "
                "written have their noise"
            )
        if store.kind == "dense" and parameters.snr.low != np.inf:
            raise InputError(
                f"snr: found voxels with noise in {store.location}, wanted a rendered store, or a "
                "dense one made with `snr=inf`"
            )


@dataclass(frozen=True)
class Choice:
    """What was drawn for one sequence in one epoch.

    Parameters
    ----------
    start, stop : int
        First frame and one past the last.
    flips : tuple of str
        Axes that are turned round.
    snr : float
        dB; NaN where the stored noise is kept.
    key : uint32 array of shape (4,)
        Key of the noise that is drawn anew.
    """

    start: int
    stop: int
    flips: tuple[str, ...]
    snr: float
    key: NDArray[np.uint32]


def choose(sampling: Sampling, frames: int, index: int, epoch: int) -> Choice:
    """Draw what varies from epoch to epoch for a sequence of `frames` frames."""
    entropy = np.random.SeedSequence(sampling.seed, spawn_key=(epoch, index))
    random = np.random.Generator(np.random.PCG64(entropy))
    window = frames if sampling.window is None else sampling.window
    start = int(random.integers(frames - window, endpoint=True))
    turned = random.random(len(AXES)) < 0.5
    flips = tuple(
        axis for axis, on in zip(AXES, turned, strict=True) if on and axis in sampling.flips
    )
    snr = np.nan if sampling.snr is None else float(sampling.snr.draw(random, 1)[0])
    key = random.integers(2**32, size=NOISE_KEY_WORDS, dtype=np.uint32)
    return Choice(start, start + window, flips, snr, key)


def read_truth(store: Store, index: int, choice: Choice) -> dict[str, Any]:
    """Return all of a sample but its voxels: masks, trains, firings and what rendering needs.

    Masks and trains are those of the stored orientation: :func:`turn` turns them with the voxels.
    """
    if not store.has_truth:
        return {"index": index, "start": choice.start}
    count = int(store.read("unit_count", index))
    territory = store.read("territory", index)[:count].astype(np.float32, copy=False)
    trains = store.read("twitch_train", index)[:count]
    level, sd = float(store.read("snr", index)), float(store.read("noise_sd", index))
    key = store.read("noise_key", index)
    if not np.isnan(choice.snr):
        level, sd, key = choice.snr, noise_sd(territory, trains, choice.snr), choice.key
    truth: dict[str, Any] = {
        "index": index,
        "start": choice.start,
        "snr": level,
        "noise_sd": sd,
        "noise_key": key,
        "territory": territory,
        "whole_train": trains,
        "twitch_train": trains[:, choice.start : choice.stop],
        "firing": store.read("firing", index)[:count] - choice.start / store.layout.frame_rate,
    }
    for name in UNIT_PARAMETERS:
        truth[name] = store.read(name, index)[:count].astype(np.float32)
    if store.has_recordings:
        truth["recording"] = read_recording(store, index)
    return truth


def read_voxels(
    store: Store, truth: dict[str, Any], choice: Choice, out: NDArray[np.float32]
) -> None:
    """Fill `out`, float32 (time, depth, width), with a sample's voxels, read or rendered."""
    window = slice(choice.start, choice.stop)
    if store.has_recordings:
        render_quick(
            truth["recording"], store.colour, truth["noise_key"], truth["noise_sd"],
            noise=store.noise, time=window, out=out,
        )  # fmt: skip
    elif store.kind == "rendered" or not np.isnan(choice.snr):
        render_arrays(
            truth["territory"], truth["whole_train"], truth["noise_key"], truth["noise_sd"],
            noise=store.noise, time=window, out=out,
        )  # fmt: skip
    else:
        store.tvi(truth["index"], time=window, out=out)


def turn(sample: dict[str, Any], choice: Choice, size: tuple[float, float]) -> None:
    """Turn a sample's masks, centres and (where it has them) voxels round the chosen axes.

    Parameters
    ----------
    sample : dict, changed in place
    choice : Choice
    size : (float, float)
        Depth and width of the image, mm.
    """
    for place, axis in enumerate(AXES):
        if axis not in choice.flips:
            continue
        for name in ("tvi", "territory"):
            if name in sample:
                sample[name] = np.flip(sample[name], axis=place + 1)
        if f"centre_{axis}" in sample:
            sample[f"centre_{axis}"] = np.float32(size[place]) - sample[f"centre_{axis}"]


def crop(
    images: NDArray[np.float32], row: int, column: int, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return a window of images, (..., depth, width), centred on a pixel; 0 beyond the image.

    Parameters
    ----------
    images : float32 array of shape (..., depth, width)
    row, column : int
        The pixel; it comes to lie at (size[0] // 2, size[1] // 2).
    size : (int, int)
        Depth and width of the window, px.
    """
    result = np.zeros((*images.shape[:-2], *size), np.float32)
    target, source = [], []
    for centre, length, limit in zip((row, column), size, images.shape[-2:], strict=True):
        first = centre - length // 2
        low, high = max(first, 0), min(first + length, limit)
        source.append(slice(low, max(high, low)))
        target.append(slice(low - first, max(high, low) - first))
    result[..., target[0], target[1]] = images[..., source[0], source[1]]
    return result
