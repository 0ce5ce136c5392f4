"""All that moves in one sequence, units and the body about them, as fields and courses.

Displacement is ``sum_m field_m(z, x) course_m(t)``, in mm, positive towards the transducer.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..parameters import Parameters
from ..sequence import Truth
from ..twitch import Twitches, twitch_length, twitch_trains
from .anatomy import grid_of
from .axial import axial_fields
from .body import MICROMETRE, body_courses, body_fields
from .contact import draw_contact, warped
from .doses import Doses
from .tissue import Tissue, draw_fascicles, unit_fields


@dataclass(frozen=True)
class Motion:
    """What moves in a sequence, in the frames of the scanner.

    Parameters
    ----------
    fields : float64 array of shape (field, 2 or 1, depth, width)
        Axial displacement for a course of 1, and lateral displacement where it was asked for.
    courses : float64 array of shape (field, frame)
        mm, or mm s and mm s^2 for the fields of delays.
    pixel_size : (float, float)
        Depth and width of a point of the fields' grid, mm.
    tissue : Tissue
        Whose layers and fascicles it goes through.
    counts : tuple of int
        Fields of each unit, which come first: its motion, and delays of it.
    """

    fields: NDArray[np.float64]
    courses: NDArray[np.float64]
    pixel_size: tuple[float, float]
    tissue: Tissue
    counts: tuple[int, ...] = ()

    @property
    def largest(self) -> NDArray[np.float64]:
        """Largest axial displacement of each field, float64 (field,)."""
        return np.abs(self.fields[:, 0]).max(axis=(1, 2))

    def displacement(self, frame: int) -> NDArray[np.float64]:
        """Return the displacement at a frame, mm, float64 (2 or 1, depth, width)."""
        return np.tensordot(self.courses[:, frame], self.fields, 1)


def draw_motion(
    parameters: Parameters,
    doses: Doses,
    truth: Truth,
    seed: int,
    index: int,
    frames: int,
    *,
    lateral: bool = True,
) -> Motion:
    """Draw the motion of sequence `index`.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    truth : Truth
        Of the same sequence, drawn with the doses.
    seed, index : int
    frames : int
        IQ images; the first one half an interval before the sequence's start, so that the first
        velocity, midway between two images, stands at time 0.
    lateral : bool
        Whether lateral displacement is wanted, which ultrasound does not measure.

    Returns
    -------
    Motion

    Raises
    ------
    InputError
        If the truth was drawn without doses.
    """
    drawn = truth.doses
    if drawn is None:
        raise InputError(
            "truth: found one without drawn doses, wanted that of a virtual experiment; draw it "
            "with doses"
        )
    tissue = draw_tissue(parameters, drawn, truth.fat, seed, parameters.subject(index))
    divisions = grid_of(parameters).divisions
    territories = truth.territory.repeat(divisions[0], 1).repeat(divisions[1], 2)
    # Where things are is the subject's, whatever the sequence.
    still = body_fields(tissue)
    if lateral:
        units = [unit_fields(tissue, each, unit) for unit, each in enumerate(territories)]
        fields = [*units, *(field[None] for field in still)]
    else:
        units = list(axial_fields(tissue, territories))
        fields = [each[:, None] for each in units] + [field[None, :1] for field in still]
    counts = [len(each) for each in units]
    if drawn["warp"] > 0:
        contact = draw_contact(tissue)
        fields = [warped(field, tissue.pixel_size, contact) for field in fields]
    shown = np.concatenate(fields)
    courses = draw_courses(parameters, doses, truth, tissue, index, frames, counts)
    return Motion(shown, courses, tissue.pixel_size, tissue, tuple(counts))


def draw_courses(
    parameters: Parameters,
    doses: Doses,
    truth: Truth,
    tissue: Tissue,
    index: int,
    frames: int,
    counts: Sequence[int],
) -> NDArray[np.float64]:
    """Draw the courses of sequence `index`, of a subject whose tissue is drawn.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    truth : Truth
        Of the sequence, drawn with the doses.
    tissue : Tissue
    index, frames : int
    counts : sequence of int
        Fields of each unit: its motion, and delays of it.

    Returns
    -------
    float64 array of shape (field, frame)
        mm, or mm s and mm s^2 for the fields of delays.
    """
    crowding, fusion = tissue.doses["crowding"], tissue.doses["fusion"]
    units = unit_courses(parameters, doses, crowding, truth, frames, fusion=fusion)
    courses = [unit[:count] for unit, count in zip(units, counts, strict=True)]
    courses += [course[None] for course in body_courses(tissue, doses, frames, index)]
    return np.concatenate(courses)


def draw_tissue(
    parameters: Parameters, drawn: Mapping[str, float], fat: float, seed: int, index: int
) -> Tissue:
    """Draw a subject's anatomy.

    Parameters
    ----------
    parameters : Parameters
    drawn : mapping of str to float
        As :meth:`.doses.Doses.draw` gives them.
    fat : float
        Thickness of skin and fat, mm.
    seed : int
    index : int
        The subject's number.
    """
    grid = grid_of(parameters)
    return Tissue(
        doses=drawn,
        fat=fat,
        fascicles=draw_fascicles(grid.shape, grid.step, drawn["fascicle_size"], seed, index),
        pixel_size=grid.step,
        seed=seed,
        index=index,
    )


def unit_courses(
    parameters: Parameters,
    doses: Doses,
    crowding: float,
    truth: Truth,
    frames: int,
    *,
    fusion: float = 0.0,
) -> NDArray[np.float64]:
    """Return each unit's displacement and its first two derivatives, at the scanner's rate.

    Where a unit's twitches fuse, what they have in all beyond the peak of one is compressed: x
    peaks become 1 + (x - 1) / (1 + `fusion` (x - 1)), 1 + 1 / `fusion` at most. So a lone twitch
    is as it was drawn, and a tetanus is smooth.

    Amplitudes fall as others are active: a unit's displacement is divided by 1 + `crowding` times
    the sum of the others' displacements, each over its own peak.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    crowding : float
    truth : Truth
    frames : int
    fusion : float

    Returns
    -------
    float64 array of shape (unit, 3, frame)
        mm, mm/s, mm/s2.
    """
    rate = doses.pulse_repetition
    # Motion is summed up from rest, so it begins before the twitches that are under way at 0.
    before = math.ceil(twitch_length(parameters) * rate) + 1
    finer = _finer(parameters, before + frames, rate)
    twitches = Twitches(truth.displacement, truth.contraction_time, truth.relaxation_ratio)
    times = truth.firing + (before + 0.5) / rate
    velocity = twitch_trains(finer, twitches, times, truth.variation).astype(np.float64)
    # Trapezoids by hand: scipy.integrate.cumulative_trapezoid multiplies by the interval where this
    # divides by the rate, which changes last bits, and rarely stored ones.
    steps = (velocity[:, 1:] + velocity[:, :-1]) / (2 * rate)
    displacement = np.zeros_like(velocity)
    np.cumsum(steps, axis=1, out=displacement[:, 1:])
    peaks = truth.displacement[:, None] * MICROMETRE
    if fusion > 0:
        beyond = np.maximum(np.abs(displacement) / peaks - 1, 0)
        compressed = 1 + beyond / (1 + fusion * beyond)
        displacement = displacement * compressed / (1 + beyond)
    if crowding > 0:
        activity = np.abs(displacement) / peaks
        displacement = displacement / (1 + crowding * (activity.sum(axis=0) - activity))
    if fusion > 0 or crowding > 0:
        velocity = np.gradient(displacement, 1 / rate, axis=1)
    acceleration = np.gradient(velocity, 1 / rate, axis=1)
    return np.stack([displacement, velocity, acceleration], axis=1)[:, :, before:]


@functools.lru_cache(maxsize=16)
def _finer(parameters: Parameters, frames: int, rate: float) -> Parameters:
    """Return parameters of as many frames at another rate: checking them takes a while."""
    # Pixels do not matter here, and may be too many for as many frames.
    return dataclasses.replace(parameters, frames=frames, frame_rate=rate, pixels=(1, 1))
