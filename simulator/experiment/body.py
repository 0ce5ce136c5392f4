"""What moves besides units: an artery, breathing, the probe, tremor and the muscle as a whole.

Where no source is named, a value is an assumption.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .anatomy import Artery, draw_artery
from .doses import Doses
from .tissue import Tissue

PULSE = (0.12, 2.2)
"""Time to the peak of an artery's pulse, s, and its half-relaxation over that: a fast rise and a
slow fall (shape of ``twitch``)."""

DRIFT_BAND = (0.05, 0.6)
"""Frequencies of a hand-held probe's drift, Hz."""

BREATHS = (0.2, 0.33)
"""Breaths a second (12 to 20 a minute)."""

TREMOR_BAND = (8.0, 12.0)
"""Frequencies of physiological tremor, Hz: its peak lies between 6 and 12 Hz (Lakie et al. 2015,
doi:10.1113/JP270464), that of its neural part between 8 and 12."""

MUSCLE_BAND = (3.0, 15.0)
"""Frequencies at which the whole muscle moves, Hz: from below the 5 Hz at which the imaging chain
begins up to those of twitches."""

WAVES = 12
"""Sines of which motion in a band is made: enough for its amplitude to come and go."""

MICROMETRE = 1e-3
"""mm."""


def body_fields(tissue: Tissue) -> list[NDArray[np.float64]]:
    """Return where what moves besides units does so; each is left out at a dose of 0.

    Parameters
    ----------
    tissue : Tissue

    Returns
    -------
    list of float64 arrays of shape (2, depth, width)
        Axial and lateral displacement for a course of 1: the artery's pulse, drift, breathing,
        tremor, the whole muscle.
    """
    subject, drawn, found = _draw(tissue, tissue.index), tissue.doses, []
    depth, width = (axis[None] for axis in np.broadcast_arrays(*_positions(tissue)))
    extent = depth.max(), width.max()
    across = 2 * width / extent[1] - 1
    if drawn["artery"] > 0:
        artery = subject.artery
        dz, dx = depth[0] - artery.depth, width[0] - artery.width
        distance = np.maximum(np.hypot(dz, dx), 1e-9)
        # A tube that widens in tissue that keeps its volume moves it as 1 / distance.
        radius = artery.radius
        outwards = np.where(distance < radius, distance / radius, radius / distance)
        field = np.stack([-dz, dx]) / distance * outwards
        found.append(field * tissue.follows[:, None])
    if drawn["drift"] > 0:
        found.append(_axial(1 + 0.3 * subject.tilt * across))
    if drawn["breathing"] > 0:
        found.append(_axial(depth / extent[0]))
    if drawn["tremor"] > 0:
        # The limb shakes under a probe that goes along in part: what is deep moves most.
        deep = 0.5 + 0.5 * depth / extent[0]
        found.append(_axial(deep * (1 + 0.3 * subject.tremor_tilt * across)))
    if drawn["muscle_motion"] > 0:
        # The muscle bulges below fat that holds it back, more on one side and in the middle.
        side, bulge = subject.muscle_shape
        shape = 1 + 0.5 * side * across + 0.5 * bulge * (1 - across**2)
        found.append(_axial(tissue.follows[:, None] * shape))
    return found


def body_courses(
    tissue: Tissue, doses: Doses, frames: int, index: int
) -> list[NDArray[np.float64]]:
    """Return when what moves besides units does so in sequence `index`.

    Parameters
    ----------
    tissue : Tissue
    doses : Doses
    frames : int
    index : int
        The sequence's: where things are belongs to the subject, when they move to the sequence.

    Returns
    -------
    list of float64 arrays of shape (frame,)
        Of the fields of :func:`body_fields`, in their order, mm.
    """
    moving, drawn, found = _draw(tissue, index), tissue.doses, []
    times = np.arange(frames) / doses.pulse_repetition

    def add(name: str, course: NDArray[np.float64]) -> None:
        found.append(drawn[name] * MICROMETRE * course)

    if drawn["artery"] > 0:
        add("artery", _pulse(times, drawn["heart_rate"], moving.first, moving.jitter))
    if drawn["drift"] > 0:
        add("drift", _course(times, moving.drift))
    if drawn["breathing"] > 0:
        add("breathing", np.sin(2 * np.pi * (moving.breath[0] * times + moving.breath[1])))
    if drawn["tremor"] > 0:
        add("tremor", _course(times, moving.tremor))
    if drawn["muscle_motion"] > 0:
        add("muscle_motion", _course(times, moving.muscle))
    return found


@dataclass(frozen=True)
class _Drawn:
    """All random numbers of what moves besides units: places first, then times."""

    artery: Artery
    tilt: float
    tremor_tilt: float
    muscle_shape: NDArray[np.float64]
    first: float
    jitter: NDArray[np.float64]
    drift: "Waves"
    breath: tuple[float, float]
    tremor: "Waves"
    muscle: "Waves"


def _draw(tissue: Tissue, index: int) -> _Drawn:
    """Draw all numbers, whatever the doses, so that one dose does not change another effect."""
    random = generator(tissue.seed, index, Stream.BODY)
    artery = draw_artery(tissue.fascicles.shape, tissue.pixel_size, random)
    first, jitter = random.random(), random.standard_normal(4096)
    drift = random.uniform(*DRIFT_BAND, 4), random.random(4), random.standard_normal(4)
    tilt = random.uniform(-1, 1)
    breath = random.uniform(*BREATHS), random.random()
    random = generator(tissue.seed, index, Stream.MUSCLE)
    tremor, tremor_tilt = _draw_waves(random, TREMOR_BAND), random.uniform(-1, 1)
    muscle, muscle_shape = _draw_waves(random, MUSCLE_BAND), random.uniform(-1, 1, 2)
    return _Drawn(
        artery, tilt, tremor_tilt, muscle_shape, first, jitter, drift, breath, tremor, muscle
    )


Waves = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Frequencies (Hz), phases (turns) and weights of sines, float64 (wave,)."""


def _draw_waves(random: np.random.Generator, band: tuple[float, float]) -> Waves:
    return random.uniform(*band, WAVES), random.random(WAVES), random.standard_normal(WAVES)


def _course(times: NDArray[np.float64], waves: Waves) -> NDArray[np.float64]:
    """Return a sum of sines with an SD of 1."""
    frequency, phase, weight = waves
    sines = np.sin(2 * np.pi * (frequency[:, None] * times + phase[:, None]))
    return weight @ sines / np.sqrt((weight**2).sum() / 2)


def _axial(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return axial and lateral displacement, (2, depth, width), of an axial one."""
    return np.concatenate([field, np.zeros_like(field)])


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
