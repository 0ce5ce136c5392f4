"""A recording in which units are sought, and the units found in it."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.filtering import BandPass
from .confidence.parts import Parts
from .ways import Way

FEWEST_FRAMES = 8
"""Fewer frames tell no train from another."""

SHORTEST = 0.05
"""Less than this shows no twitch, s. Of 10 recordings of five makers, 8 units were made up from 12
frames at 400 Hz, one from 25 and none from 50."""

UNCERTAIN_OUTLINE = 0.5
"""Outlines of less confidence are uncertain."""


@dataclass(frozen=True)
class Recording:
    """A tissue-velocity image sequence.

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
        Tissue velocity, mm/s, positive towards the transducer.
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        Depth and width of a pixel, mm.
    band : BandPass, optional
        What was done to each pixel along time, forwards and backwards: twitches show it.
    """

    tvi: NDArray[np.float32]
    frame_rate: float
    pixel_size: tuple[float, float]
    band: BandPass | None = None


@dataclass(frozen=True)
class Units:
    """Units found in a recording, the most certain first.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
        Membership of each pixel, 0..1.
    train : float32 array of shape (unit, time)
        The unit's velocity signal where its membership is 1, mm/s.
    firing : float64 array of shape (unit, pulse)
        Firing instants, s, rising; padded with NaN.
    confidence : float64 array of shape (unit,)
        0..1, falling.
    outline_confidence : float64 array of shape (unit,)
        Certainty of the territory alone, 0..1; 1 throughout if left out. Below
        :data:`UNCERTAIN_OUTLINE` the unit's train is sure and its outline is not.
    remarks : tuple of str
        Names of what is worth a word, see :data:`.remarks.REMARKS`.
    explained_share : float
        Share of the energy of the velocity above noise that the units explain, 0..1; NaN where it
        is not known, see :func:`.explanation.explained`.
    residual_sd : float32 array of shape (depth, width), optional
        SD over time of the velocity that the units leave unexplained, noise taken off, mm/s.
    frame_fault : uint8 array of shape (time,), optional
        What each frame is, by its place in :data:`.frame_faults.FAULTS`; left out, all hold an
        image of their own.
    other_motion : uint8 array of shape (depth, width), optional
        Where motion lies that is no unit's and was left out, see :mod:`.other_motion`; None where
        there is none.
    parts : Parts, optional
        The numbers that tell how far each unit may be believed, see :mod:`.confidence`.
    cut : int
        Units that were found and left out because they were less certain than was asked for.
    way : Way, optional
        Which of its ways the method took, and why; None where it has one alone.
    """

    territory: NDArray[np.float32]
    train: NDArray[np.float32]
    firing: NDArray[np.float64]
    confidence: NDArray[np.float64]
    # Never None once made: see __post_init__.
    outline_confidence: NDArray[np.float64] = None  # pyright: ignore[reportAssignmentType]
    remarks: tuple[str, ...] = ()
    explained_share: float = math.nan
    residual_sd: NDArray[np.float32] | None = None
    frame_fault: NDArray[np.uint8] | None = None
    parts: Parts | None = None
    cut: int = 0
    other_motion: NDArray[np.uint8] | None = None
    way: Way | None = None

    def __post_init__(self) -> None:
        if self.outline_confidence is None:
            object.__setattr__(self, "outline_confidence", np.ones(len(self.territory)))

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.territory)

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Units whose outline is uncertain, bool (unit,)."""
        return self.outline_confidence < UNCERTAIN_OUTLINE

    @property
    def masks(self) -> NDArray[np.bool_]:
        """Pixels of which more than half belongs to the unit, bool (unit, depth, width)."""
        return self.territory > 0.5

    def taken(self, places: NDArray[np.integer] | NDArray[np.bool_]) -> "Units":
        """Return some of the units, by their places or by whether each is taken."""
        return dataclasses.replace(
            self,
            territory=self.territory[places],
            train=self.train[places],
            firing=self.firing[places],
            confidence=self.confidence[places],
            outline_confidence=self.outline_confidence[places],
            parts=None if self.parts is None else self.parts.taken(places),
        )


def none(recording: Recording, remarks: tuple[str, ...] = ()) -> Units:
    """Return the answer that there is no unit."""
    frames, depth, width = recording.tvi.shape
    return Units(
        territory=np.zeros((0, depth, width), np.float32),
        train=np.zeros((0, frames), np.float32),
        firing=np.zeros((0, 0)),
        confidence=np.zeros(0),
        remarks=remarks,
    )


def is_still(recording: Recording) -> bool:
    """Return whether all frames are the same, so that nothing was recorded."""
    tvi = recording.tvi
    return not any((frame != tvi[0]).any() for frame in tvi[1:])


def check(recording: Recording, *, still: bool = False) -> None:
    """Raise InputError unless units can be sought in the recording.

    Parameters
    ----------
    recording : Recording
    still : bool
        Whether all its frames may be the same.
    """
    tvi = recording.tvi
    if not isinstance(tvi, np.ndarray) or tvi.ndim != 3:
        shape = getattr(tvi, "shape", type(tvi).__name__)
        raise InputError(f"recording: found {shape}, wanted an array of (time, depth, width)")
    if tvi.dtype != np.float32:
        raise InputError(f"recording: found {tvi.dtype}, wanted float32; convert it")
    frames, depth, width = tvi.shape
    if frames < FEWEST_FRAMES:
        raise InputError(
            f"recording: found {frames} frames, wanted {FEWEST_FRAMES} or more; give a longer one"
        )
    if min(depth, width) < 2:
        raise InputError(
            f"recording: found {depth} x {width} px, wanted 2 x 2 or more; give whole images"
        )
    for name, value in (
        ("frame rate", recording.frame_rate),
        ("pixel depth", recording.pixel_size[0]),
        ("pixel width", recording.pixel_size[1]),
    ):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name}: found {value}, wanted a positive number")
    # One pass, and no array of the recording's size.
    if not math.isfinite(float(tvi.min()) - float(tvi.max())):
        raise InputError(
            "recording: found values that are not finite, wanted none; fill in or cut them away"
        )
    if not still and is_still(recording):
        raise InputError(
            "recording: found the same value in every frame, wanted tissue that moves; check "
            "what it was read from"
        )
