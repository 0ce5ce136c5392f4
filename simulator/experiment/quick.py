"""The quick experiment: a recording of the virtual experiment, without making its images.

A recording is ``sum_m map_m(z, x) course_m(t)`` plus noise of the colour that the chain leaves it
(see :mod:`.maps` and :mod:`.residual`). Both come from the tissue, the doses, the scatterers and
the seeds of the full experiment, which shows the same subject.
"""

import functools
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..declarations import declarations
from ..errors import InputError
from ..imaging.chain import Imaging
from ..parameters import Parameters
from ..rendering import WHOLE, bounds, room_for
from ..seeds import Stream, noise_key
from ..sequence import Truth, draw
from .body import MICROMETRE
from .doses import BODY, EFFECTS, Doses
from .maps import recorded_courses, recorded_maps, still_image
from .motion import draw_courses, draw_motion
from .recording import check, images_needed, imaging_of
from .residual import Colour, chosen_noise, colour_of, noise_maps
from .speckle import Scanner, check_motion, draw_speckle
from .tissue import Tissue

GROUP = 4
"""Points of the grid of noise that one counter gives, and frames that are rendered together."""

MOST_KEPT = 16
"""Subjects that are kept for their next sequence: of each some MB."""

_KEPT: dict[tuple[Parameters, Doses, int, int], "Subject"] = {}
_LOCK = threading.Lock()

MOST_NOISE = 1.0
"""Of noise over echoes, in amplitude, at the bottom of the image: its power is within a tenth of
that of the full experiment up to 0.8, and 1.4 times as large at 2.6."""

MOST_ACROSS = 2.0
"""SD of the motion of all tissue across the image plane, mm. Beyond it other scatterers are seen
than those that maps are made of: without noise 0.99 of the energy is explained up to 2 mm, 0.92 at
5 mm."""


@dataclass(frozen=True)
class Recording:
    """All that the voxels of a recording depend on.

    Parameters
    ----------
    motion_map : float32 array of shape (component, depth, width)
        Velocity that is shown for a velocity of 1.
    motion_course : float32 array of shape (component, time)
        mm/s.
    noise_map : float32 array of shape (2, depth, width)
        SD of noise in displacement (mm) and in velocity (mm/s).
    noise_key : uint32 array of shape (4,)
    """

    motion_map: NDArray[np.float32]
    motion_course: NDArray[np.float32]
    noise_map: NDArray[np.float32]
    noise_key: NDArray[np.uint32]


def draw_recording(
    parameters: Parameters, doses: Doses, truth: Truth, *, seed: int = 0, index: int = 0
) -> Recording:
    """Draw the recording of a sequence whose truth is drawn.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    truth : Truth
        ``draw(parameters, doses=doses, seed=seed, index=index)``.
    seed, index : int

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        If parameters and doses do not go together, or the truth was drawn without doses.
    """
    subject = draw_subject(parameters, doses, truth, seed, index)
    return recording_of(subject, parameters, doses, truth, seed=seed, index=index)


def recording_of(
    subject: "Subject",
    parameters: Parameters,
    doses: Doses,
    truth: Truth,
    *,
    seed: int = 0,
    index: int = 0,
) -> Recording:
    """Draw the recording of a sequence whose truth and subject are drawn; see draw_recording."""
    moved = subject.first_courses
    if index != subject.first:
        images = images_needed(parameters, doses)
        moved = draw_courses(
            parameters, doses, truth, subject.tissue, index, images, subject.counts
        )
    check_motion(subject.scanner, subject.largest, moved)
    courses = recorded_courses(moved, subject.imaging, parameters.frames)
    colour = colour_of(subject.imaging)
    return Recording(
        motion_map=subject.motion_map,
        motion_course=courses,
        noise_map=chosen_noise(subject.noise_map, subject.motion_map, courses, colour),
        noise_key=noise_key(seed, index, Stream.THERMAL),
    )


@dataclass(frozen=True)
class Subject:
    """What all recordings of a subject share.

    Parameters
    ----------
    motion_map : float32 array of shape (component, depth, width)
    noise_map : float32 array of shape (2, depth, width)
        As :func:`.residual.noise_maps` gives it.
    tissue : Tissue
    scanner : Scanner
    imaging : Imaging
    counts : tuple of int
        Components of each unit: its motion, and delays of it.
    largest : float64 array of shape (component,)
        Largest displacement of each field.
    first : int
        The subject's first sequence.
    first_courses : float64 array of shape (component, image)
        Of that one, mm.
    """

    motion_map: NDArray[np.float32]
    noise_map: NDArray[np.float32]
    tissue: Tissue
    scanner: Scanner
    imaging: Imaging
    counts: tuple[int, ...]
    largest: NDArray[np.float64]
    first: int
    first_courses: NDArray[np.float64]


def draw_subject(
    parameters: Parameters, doses: Doses, truth: Truth, seed: int, index: int
) -> Subject:
    """Draw the subject of sequence `index`; the last few that several sequences share are kept.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    truth : Truth
        Of the sequence, or of another one of the subject.
    seed, index : int

    Returns
    -------
    Subject
    """
    if parameters.trials == 1:
        return _draw_subject(parameters, doses, truth, seed, index)
    key = parameters, doses, seed, parameters.subject(index)
    with _LOCK:
        found = _KEPT.pop(key, None)
    if found is None:
        found = _draw_subject(parameters, doses, truth, seed, index)
    with _LOCK:
        _KEPT[key] = found
        while len(_KEPT) > MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
    return found


def _draw_subject(
    parameters: Parameters, doses: Doses, truth: Truth, seed: int, index: int
) -> Subject:
    imaging = _imaging(parameters, doses)
    first = parameters.subject(index) * parameters.trials
    if first != index:
        truth = draw(parameters, doses=doses, seed=seed, index=first)
    images = images_needed(parameters, doses)
    motion = draw_motion(parameters, doses, truth, seed, first, images, lateral=False)
    # Tissue is looked at where it is in the mean of the subject's first sequence.
    displacement = np.tensordot(motion.courses.mean(axis=1), motion.fields[:, 0], 1)
    scanner = Scanner(doses, parameters.size, motion.tissue.doses["attenuation"])
    speckle = draw_speckle(scanner, motion.tissue, seed, parameters.subject(index))
    still = still_image(scanner, imaging, speckle, displacement, motion.pixel_size)
    colour = colour_of(imaging)
    return Subject(
        motion_map=recorded_maps(motion.fields[:, 0], motion.pixel_size, still, imaging),
        noise_map=noise_maps(still, speckle.noise, imaging, colour),
        tissue=motion.tissue,
        scanner=scanner,
        imaging=imaging,
        counts=motion.counts,
        largest=motion.largest,
        first=first,
        first_courses=motion.courses,
    )


@functools.lru_cache(maxsize=16)
def _imaging(parameters: Parameters, doses: Doses) -> Imaging:
    """Return the chain of parameters and doses that go together: the same for all subjects."""
    check(parameters, doses)
    return imaging_of(parameters, doses)


def colour(parameters: Parameters, doses: Doses) -> Colour:
    """Return how the noise of recordings is coloured: the same for all subjects."""
    return colour_of(_imaging(parameters, doses))


def render_recording(
    recording: Recording,
    colour: Colour,
    *,
    time: slice = WHOLE,
    depth: slice = WHOLE,
    width: slice = WHOLE,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Render a recording, or a window of it, which equals that window of the whole bit for bit.

    Parameters
    ----------
    recording : Recording
    colour : Colour
    time, depth, width : slice
        The window, in frames and px, without steps.
    out : float32 array of the window's shape, optional
        Where to write, C-contiguous.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Estimated tissue velocity, mm/s, positive towards the transducer.

    Raises
    ------
    InputError
        If a slice has a step or is empty, or `out` does not fit.
    """
    from ..acceleration import PANEL
    from .quick_kernels import superpose

    frames, (rows, columns) = recording.motion_course.shape[1], recording.motion_map.shape[1:]
    ends_of_axes = ("time", time, frames), ("depth", depth, rows), ("width", width, columns)
    (t0, t1), (z0, z1), (x0, x1) = (bounds(*each) for each in ends_of_axes)
    shape = (t1 - t0, z1 - z0, x1 - x0)
    out = room_for(shape, out)
    window = (slice(None), slice(z0, z1), slice(x0, x1))

    room = -(-shape[1] * shape[2] // PANEL) * PANEL

    def flat(images: NDArray[np.float32]) -> NDArray[np.float32]:
        found = np.ascontiguousarray(images[window]).reshape(len(images), shape[1] * shape[2])
        if found.shape[1] == room:
            return found
        return np.pad(found, ((0, 0), (0, room - found.shape[1])))

    step, reach = colour.step, colour.reach
    # Points of the grid whose responses reach into the window; point j stands at frame
    # j * step - reach, so that they count from 0.
    first = t0 // step
    last = (t1 - 1 + 2 * reach) // step
    grid = np.zeros((0, rows, columns), np.float32)
    if recording.noise_map.any():
        grid = noise_grid(recording.noise_key, colour, first, last + 1, (rows, columns))
    superpose(
        flat(recording.motion_map),
        np.ascontiguousarray(recording.motion_course[:, t0:t1].T),
        flat(grid),
        colour.responses,
        colour.brief,
        flat(recording.noise_map),
        step,
        t0,
        first,
        out.reshape(len(out), -1),
    )
    return out


def noise_grid(
    key: NDArray[np.uint32], colour: Colour, first: int, last: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return noise that is white in time and coloured in space, of SD 1.

    Parameters
    ----------
    key : uint32 array of shape (4,)
    colour : Colour
    first, last : int
        First point of the grid in time, and one past the last.
    shape : (int, int)
        Depth and width, px.

    Returns
    -------
    float32 array of shape (last - first, depth, width)
    """
    from .quick_kernels import smooth_noise

    start, stop = first // GROUP, -(-last // GROUP)
    out = np.empty(((stop - start) * GROUP, *shape), np.float32)
    smooth_noise(key, start, colour.depth, colour.width, out)
    return out[first - start * GROUP : last - start * GROUP]


def most_components(parameters: Parameters, doses: Doses) -> int:
    """Return how many components of motion a recording has at most: of units, and of the body."""
    unit = 3 if doses.wave.high > 0 else 1
    body = [
        name
        for name, declared in declarations(Doses).items()
        if name in EFFECTS and declared.group == BODY and getattr(doses, name).high > 0
    ]
    return unit * int(parameters.units.high) + len(body)


def check_quick(parameters: Parameters, doses: Doses) -> None:
    """Raise InputError if parameters and doses do not go together, or quick ones cannot show them.

    Noise turns the phase of echoes in first and second order (see :mod:`.residual`): by little.
    Tissue may move in the image plane as fast as images can tell; across it, scatterers are to stay
    in part. Bounds were measured by ``python -m benchmarks.quick limits``.
    """
    check(parameters, doses)
    body = (doses.drift.high, doses.breathing.high / np.sqrt(2), doses.tremor.high,
            doses.muscle_motion.high)  # fmt: skip
    across = doses.out_of_plane.high * MICROMETRE * float(np.linalg.norm(body))
    if across > MOST_ACROSS:
        raise InputError(
            f"out_of_plane: found tissue that moves across the plane by up to {across:.3g} mm "
            f"(SD), wanted {MOST_ACROSS:g} mm or less in a quick recording; lower out_of_plane, "
            "drift or breathing, or use `domain='experiment'`"
        )
    scanner = Scanner(doses, parameters.size, doses.attenuation.high)
    noise = np.hypot(doses.thermal_noise.high * scanner.noise_gain[-1], doses.noise_at_depth.high)
    if noise > MOST_NOISE:
        raise InputError(
            f"thermal_noise: found noise of up to {noise:.3g} times the echoes at "
            f"{parameters.size[0]:g} mm, wanted {MOST_NOISE:g} or less in a quick recording; lower "
            "thermal_noise, noise_at_depth or attenuation, or use `domain='experiment'`"
        )
