"""Frames that hold no image of their own: lost, repeated, or far out of those about them.

Where a recorder lost frames, a file holds empty ones or the last again; a trigger or a cable may
spoil one. A step to nothing and back is no motion, so such frames are filled in from those about
them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

from .blind_pixels import constant_pixels, noise_of
from .remarks import joined
from .units import Recording, Units

FAULTS = ("recorded", "lost", "repeated", "spoilt")
"""What a frame is, by its code in stores: add at the end, never reorder or remove."""

OF_FRAMES = {"lost": "frames-lost", "repeated": "frames-lost", "spoilt": "frames-spoilt"}
"""The remark on each fault."""

SPOILT = 100.0
"""A frame is spoilt whose energy is this many times what its surroundings have for longer than
:data:`BRIEF`, in most rows and in most columns of the image."""

SPOILT_AT_ALL = 10.0
"""The same, of what the recording ever has for longer."""

BRIEF = 0.01
"""Longest row of spoilt frames, s: twitches last several times as long."""

LASTING = 0.02
"""Time in which velocity forgets what it was, s: a quarter of a twitch's contraction."""

MOST_SPOILT = 0.1
"""A recording with a larger share of such frames is jerky throughout, and taken as it is."""

MOST_NAMED = 5
"""Spans of a fault that are named in words."""

PROBED = 97
"""Pixels of a frame that are compared first."""

AT_A_TIME = 32
"""Frames whose energy is worked out together: some fit into a processor's cache."""

CHANCE = 1e-6
"""Probability that a frame's values agree by chance, as coarse ones may, above which they say
nothing."""


@dataclass(frozen=True)
class Span:
    """Frames that follow one another and have the same fault.

    Parameters
    ----------
    fault : str
        One of :data:`FAULTS`, but the first.
    first, last : int
        Frames, from 0.
    """

    fault: str
    first: int
    last: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1


def spans_of(faults: NDArray[np.uint8]) -> tuple[Span, ...]:
    """Return the faults of frames, uint8 (time,), as spans; codes that a later musim sets are none.

    Examples
    --------
    >>> spans_of(np.array([0, 1, 1, 0, 3], np.uint8))
    (Span(fault='lost', first=1, last=2), Span(fault='spoilt', first=4, last=4))
    """
    edges = np.flatnonzero(np.diff(faults, prepend=0, append=0).astype(bool))
    return tuple(
        Span(FAULTS[faults[first]], int(first), int(end) - 1)
        for first, end in pairwise(edges)
        if 0 < faults[first] < len(FAULTS)
    )


def in_words(spans: Sequence[Span]) -> str:
    """Say how many frames have which fault, and where; nothing of none.

    Examples
    --------
    >>> in_words((Span("lost", 100, 159), Span("spoilt", 7, 7)))
    '60 frames lost (100-159), 1 frame spoilt (7)'
    """
    said = []
    for fault in FAULTS[1:]:
        own = [span for span in spans if span.fault == fault]
        if not own:
            continue
        frames = sum(span.frames for span in own)
        places = [
            f"{one.first}-{one.last}" if one.last > one.first else f"{one.first}" for one in own
        ]
        where = ", ".join(places[:MOST_NAMED])
        if len(places) > MOST_NAMED:
            where += f" and {len(places) - MOST_NAMED} more"
        said.append(f"{frames} frame{'s' if frames > 1 else ''} {fault} ({where})")
    return ", ".join(said)


def frame_faults(recording: Recording) -> NDArray[np.uint8]:
    """Return what each frame is, uint8 (time,), by its place in :data:`FAULTS`.

    A frame is lost in which all pixels that ever change have the same value; repeated where it is
    the one before again, value for value; spoilt where it stands far out for a moment. Without any
    noise tissue at rest looks lost, and only spoilt frames are told.

    Parameters
    ----------
    recording : Recording
        Finite, and not the same in all frames.
    """
    tvi = recording.tvi
    faults = np.zeros(len(tvi), np.uint8)
    seen = ~constant_pixels(tvi)
    uniform, same = _without_image(tvi.reshape(len(tvi), -1), np.flatnonzero(seen))
    if (uniform | same).any() and noise_of(tvi, seen) is not None:
        faults[same] = FAULTS.index("repeated")
        faults[uniform] = FAULTS.index("lost")
    recorded = np.flatnonzero(faults == 0)
    faults[recorded[_spoilt(tvi, recorded, recording.frame_rate)]] = FAULTS.index("spoilt")
    return faults


def without_faults(recording: Recording) -> tuple[Recording, NDArray[np.uint8]]:
    """Fill in frames that hold no image of their own from those about them.

    What is filled in is what is likeliest where velocities that are :data:`LASTING` apart are
    alike by 1 / e: in short gaps next to a line between the frames before and after; in long ones
    it goes back to each pixel's mean.

    Parameters
    ----------
    recording : Recording
        Finite, and not the same in all frames.

    Returns
    -------
    recording : Recording
        The same, if each frame has its own image.
    faults : uint8 array of shape (time,)
        See :func:`frame_faults`.

    Notes
    -----
    Compared on recordings of three makers with six kinds of loss (``python -m
    benchmarks.faulty_recordings``): a line across gaps of 0.15 s is motion that hides units; means
    alone, zeros that are left in, and frames that are cut out each make steps, by which firings in
    and beside short gaps are missed or made up.
    """
    faults = frame_faults(recording)
    recorded, away = np.flatnonzero(faults == 0), np.flatnonzero(faults)
    if not len(away) or not len(recorded):
        return recording, faults
    tvi, lasting = recording.tvi.copy(), LASTING * recording.frame_rate
    mean = _mean_of(tvi, recorded)
    after = np.searchsorted(recorded, away)
    for frame, place in zip(away, after, strict=True):
        tvi[frame] = mean
        near = recorded[max(place - 1, 0) : place + 1]
        weights = _weights(np.abs(near - frame) / lasting)
        for one, weight in zip(near, weights, strict=True):
            tvi[frame] += weight * (recording.tvi[one] - mean)
    return replace(recording, tvi=tvi), faults


def _weights(away: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the weights of the values before and after in a process that forgets exponentially.

    Parameters
    ----------
    away : float64 array of shape (value,)
        How far the values are, one or two; over the time in which likeness falls to 1 / e.
    """
    near = np.exp(-away)
    if len(away) < 2:
        return near.astype(np.float32)
    both = near[0] * near[1]  # the likeness of the two to one another
    return ((near - both * near[::-1]) / max(1 - both * both, 1e-12)).astype(np.float32)


def _mean_of(tvi: NDArray[np.float32], recorded: NDArray[np.int64]) -> NDArray[np.float32]:
    weight = np.zeros(len(tvi), np.float32)
    weight[recorded] = 1 / len(recorded)
    return np.tensordot(weight, tvi, 1)


def with_faults(units: Units, faults: NDArray[np.uint8]) -> Units:
    """Return units with what the frames are in which they were found, and a remark on it.

    Parameters
    ----------
    units : Units
    faults : uint8 array of shape (time,)
        See :func:`frame_faults`.
    """
    kinds = [FAULTS[code] for code in np.unique(faults) if code]
    remarks = joined(*units.remarks, *(OF_FRAMES[kind] for kind in kinds))
    return replace(units, frame_fault=faults, remarks=remarks)


def _without_image(
    flat: NDArray[np.float32], pixels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the frames (time, pixel) that have one value throughout, and those seen before."""
    # Some pixels tell nearly all frames; the others are looked at where these say nothing.
    some = flat[:, pixels[:: max(len(pixels) // PROBED, 1)]]
    one_value, again = some == some[:, :1], np.zeros(some.shape, bool)
    again[1:] = some[1:] == some[:-1]
    uniform, same = (np.asarray(agree.all(axis=1)) for agree in (one_value, again))
    # Where every frame is of one kind, nothing tells how often pixels agree by chance.
    chance = max(
        float(agree.mean()) if agree.size else 0.0
        for agree in (one_value[~uniform, 1:], again[~same])
    )
    if chance > 0 and len(pixels) * math.log(chance) > math.log(CHANCE):
        return np.zeros_like(uniform), np.zeros_like(same)
    for frame in np.flatnonzero(uniform):
        uniform[frame] = (flat[frame, pixels] == flat[frame, pixels[0]]).all()
    for frame in np.flatnonzero(same):
        same[frame] = (flat[frame, pixels] == flat[frame - 1, pixels]).all()
    return uniform, same


def _spoilt(
    tvi: NDArray[np.float32], recorded: NDArray[np.int64], frame_rate: float
) -> NDArray[np.bool_]:
    """Return which of the recorded frames stand far out for a moment."""
    none_spoilt = np.zeros(len(recorded), bool)
    length = max(int(BRIEF * frame_rate), 1)
    if len(recorded) < 4 * (length + 1):
        return none_spoilt
    mean = _mean_of(tvi, recorded)
    rows, columns = np.empty((2, len(recorded)))
    for start in range(0, len(recorded), AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        energy = tvi[recorded[part]] - mean
        energy *= energy
        # Noise of a few rows or columns is no fault of the frame.
        rows[part] = np.median(energy.mean(axis=2), axis=1)
        columns[part] = np.median(energy.mean(axis=1), axis=1)
    energy = np.minimum(rows, columns)
    around = scipy.ndimage.grey_opening(energy, size=length + 1, mode="mirror")
    spoilt = (energy > SPOILT * around) & (energy > SPOILT_AT_ALL * around.max()) & (around > 0)
    return spoilt if spoilt.mean() <= MOST_SPOILT else none_spoilt
