"""All that moves in one sequence: units, an artery, breathing and the probe, as fields and courses.

Displacement is ``sum_m field_m(z, x) course_m(t)``, in mm, positive towards the transducer.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..parameters import Parameters
from ..seeds import Stream, generator
from ..sequence import Truth
from ..twitch import Twitches, twitch_length, twitch_trains
from .doses import Doses
from .tissue import Tissue, axial_fields, draw_fascicles, unit_fields

FINEST = 0.35
"""Points of the tissue's grid are at most this far apart, mm: fascicles are some 1.5 mm."""

ARTERY_RADIUS = (0.8, 1.6)
"""Of the brachial artery's branches, mm (an assumption)."""

PULSE = (0.12, 2.2)
"""Time to the peak of an artery's pulse, s, and its half-relaxation over that: a fast rise and a
slow fall (shape of ``twitch``; an assumption)."""

DRIFT_BAND = (0.05, 0.6)
"""Frequencies of a hand-held probe's drift, Hz (an assumption)."""

BREATHS = (0.2, 0.33)
"""Breaths a second (12 to 20 a minute)."""

MICROMETRE = 1e-3
"""mm."""


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
    """

    fields: NDArray[np.float64]
    courses: NDArray[np.float64]
    pixel_size: tuple[float, float]
    tissue: Tissue

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
    tissue = draw_tissue(parameters, drawn, truth.fat, seed, index)
    factors = _factors(parameters)
    courses = unit_courses(parameters, doses, drawn["crowding"], truth, frames)
    all_fields: list[NDArray[np.float64]] = []
    all_courses: list[NDArray[np.float64]] = []
    for unit in range(truth.unit_count):
        territory = truth.territory[unit].repeat(factors[0], 0).repeat(factors[1], 1)
        if lateral:
            fields = unit_fields(tissue, territory, unit)
        else:
            fields = axial_fields(tissue, territory, unit)[:, None]
        all_fields.append(fields)
        all_courses.append(courses[unit, : len(fields)])
    for field, course in body_motion(tissue, doses, frames):
        all_fields.append(field[None] if lateral else field[None, :1])
        all_courses.append(course[None])
    return Motion(
        np.concatenate(all_fields), np.concatenate(all_courses), tissue.pixel_size, tissue
    )


def _factors(parameters: Parameters) -> tuple[int, int]:
    """Return into how many points of the tissue's grid a pixel is divided, each way."""
    depth, width = parameters.pixel_size
    return math.ceil(depth / FINEST), math.ceil(width / FINEST)


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
    seed, index : int
    """
    factors = _factors(parameters)
    shape = (parameters.pixels[0] * factors[0], parameters.pixels[1] * factors[1])
    step = parameters.size[0] / shape[0], parameters.size[1] / shape[1]
    return Tissue(
        doses=drawn,
        fat=fat,
        fascicles=draw_fascicles(shape, step, drawn["fascicle_size"], seed, index),
        pixel_size=step,
        seed=seed,
        index=index,
    )


def unit_courses(
    parameters: Parameters, doses: Doses, crowding: float, truth: Truth, frames: int
) -> NDArray[np.float64]:
    """Return each unit's displacement and its first two derivatives, at the scanner's rate.

    Amplitudes fall as others are active: a unit's displacement is divided by 1 + `crowding` times
    the sum of the others' displacements, each over its own peak.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    crowding : float
    truth : Truth
    frames : int

    Returns
    -------
    float64 array of shape (unit, 3, frame)
        mm, mm/s, mm/s2.
    """
    rate = doses.pulse_repetition
    # Motion is summed up from rest, so it begins before the twitches that are under way at 0.
    before = math.ceil(twitch_length(parameters) * rate) + 1
    # Its pixels do not matter here, and may be too many for as many frames.
    finer = dataclasses.replace(parameters, frames=before + frames, frame_rate=rate, pixels=(1, 1))
    twitches = Twitches(truth.displacement, truth.contraction_time, truth.relaxation_ratio)
    times = truth.firing + (before + 0.5) / rate
    velocity = twitch_trains(finer, twitches, times, truth.variation).astype(np.float64)
    # Trapezoids by hand: scipy.integrate.cumulative_trapezoid multiplies by the interval where this
    # divides by the rate, which changes last bits, and rarely stored ones.
    steps = (velocity[:, 1:] + velocity[:, :-1]) / (2 * rate)
    displacement = np.zeros_like(velocity)
    np.cumsum(steps, axis=1, out=displacement[:, 1:])
    if crowding > 0:
        activity = np.abs(displacement) / (truth.displacement[:, None] * MICROMETRE)
        displacement = displacement / (1 + crowding * (activity.sum(axis=0) - activity))
        velocity = np.gradient(displacement, 1 / rate, axis=1)
    acceleration = np.gradient(velocity, 1 / rate, axis=1)
    return np.stack([displacement, velocity, acceleration], axis=1)[:, :, before:]


def body_motion(
    tissue: Tissue, doses: Doses, frames: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return fields and courses of what moves besides units; each is left out at a dose of 0.

    Parameters
    ----------
    tissue : Tissue
    doses : Doses
    frames : int

    Returns
    -------
    list of (float64 array of shape (2, depth, width), float64 array of shape (frame,))
        The artery's pulse, drift, breathing; mm.
    """
    random = generator(tissue.seed, tissue.index, Stream.BODY)
    # All numbers are drawn, whatever the doses, so that one dose does not change another effect.
    place, radius = random.random(2), random.uniform(*ARTERY_RADIUS)
    first, jitter = random.random(), random.standard_normal(4096)
    drift = random.uniform(*DRIFT_BAND, 4), random.random(4), random.standard_normal(4)
    tilt = random.uniform(-1, 1)
    breath = random.uniform(*BREATHS), random.random()

    times = np.arange(frames) / doses.pulse_repetition
    drawn, found = tissue.doses, []
    depth, width = (axis[None] for axis in np.broadcast_arrays(*_positions(tissue)))
    extent = depth.max(), width.max()
    if drawn["artery"] > 0:
        # In the deeper half, away from the edges.
        centre = (0.5 + 0.4 * place[0]) * extent[0], (0.15 + 0.7 * place[1]) * extent[1]
        dz, dx = depth[0] - centre[0], width[0] - centre[1]
        distance = np.maximum(np.hypot(dz, dx), 1e-9)
        # A tube that widens in tissue that keeps its volume moves it as 1 / distance.
        outwards = np.where(distance < radius, distance / radius, radius / distance)
        field = np.stack([-dz, dx]) / distance * outwards
        course = drawn["artery"] * MICROMETRE * _pulse(times, drawn["heart_rate"], first, jitter)
        found.append((field * tissue.follows[:, None], course))
    if drawn["drift"] > 0:
        frequency, phase, weight = drift
        waves = np.sin(2 * np.pi * (frequency[:, None] * times + phase[:, None]))
        course = weight @ waves / np.sqrt((weight**2).sum() / 2)
        axial = 1 + 0.3 * tilt * (2 * width / extent[1] - 1)
        field = np.concatenate([axial, np.zeros_like(axial)])
        found.append((field, drawn["drift"] * MICROMETRE * course))
    if drawn["breathing"] > 0:
        axial = depth / extent[0]
        field = np.concatenate([axial, np.zeros_like(axial)])
        course = np.sin(2 * np.pi * (breath[0] * times + breath[1]))
        found.append((field, drawn["breathing"] * MICROMETRE * course))
    return found


def _positions(tissue: Tissue) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return depth and width of each point, mm, as arrays that broadcast to the grid."""
    columns = np.arange(tissue.fascicles.shape[1], dtype=np.float64)
    return tissue.depths[:, None], ((columns + 0.5) * tissue.pixel_size[1])[None]


def _pulse(
    times: NDArray[np.float64], heart_rate: float, first: float, jitter: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the displacement of an artery's wall over its peak: a pulse a beat."""
    from ..twitch import shape_exponent

    beat = 60 / heart_rate
    peak, relaxation = PULSE
    exponent = float(shape_exponent(relaxation))
    course = np.zeros_like(times)
    # Intervals vary by 3 %; pulses before the start are still under way.
    onset = -first * beat - 4 * beat
    for number in range(4 + int(times[-1] / beat) + 3):
        x = np.maximum(times - onset, 0) / peak
        with np.errstate(divide="ignore", under="ignore"):
            course += np.exp(exponent * (np.log(x) + 1 - x))
        onset += beat * (1 + 0.03 * jitter[number % len(jitter)])
    return course
