"""The quick experiment: a recording of the virtual experiment, without making its images.

A recording is ``sum_m map_m(z, x) course_m(t)`` plus noise of the colour that the chain leaves it
(see :mod:`.maps` and :mod:`.residual`). Both come from the tissue, the doses, the scatterers and
the seeds of the full experiment, which shows the same subject.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..parameters import Parameters
from ..rendering import WHOLE, bounds
from ..seeds import Stream, noise_key
from ..sequence import Truth
from .doses import Doses
from .maps import recorded_courses, recorded_maps, still_image
from .motion import draw_motion
from .recording import check, images_needed, imaging_of
from .residual import Colour, chosen_noise, colour_of, noise_maps
from .speckle import Scanner, check_motion, draw_speckle

GROUP = 4
"""Points of the grid of noise that one counter gives, and frames that are rendered together."""

END_GROUPS = 2**31
"""Counter of the noise of both ends: beyond that of any grid."""


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
    check(parameters, doses)
    images = images_needed(parameters, doses)
    motion = draw_motion(parameters, doses, truth, seed, index, images, lateral=False)
    attenuation = motion.tissue.doses["attenuation"]
    scanner = Scanner(doses, parameters.size, attenuation)
    check_motion(scanner, motion)
    imaging = imaging_of(parameters, doses, attenuation)
    speckle = draw_speckle(scanner, motion.tissue, seed, index)
    still = still_image(scanner, imaging, speckle)
    colour = colour_of(imaging, parameters.frames)
    maps = recorded_maps(motion.fields[:, 0], motion.pixel_size, still, imaging)
    courses = recorded_courses(motion.courses, imaging, parameters.frames)
    noise = noise_maps(still, speckle.noise, imaging, colour)
    return Recording(
        motion_map=maps,
        motion_course=courses,
        noise_map=chosen_noise(noise, maps, courses, colour),
        noise_key=noise_key(seed, index, Stream.THERMAL),
    )


def colour(parameters: Parameters, doses: Doses) -> Colour:
    """Return how the noise of recordings is coloured: the same for all subjects."""
    return colour_of(imaging_of(parameters, doses), parameters.frames)


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
    t0, t1 = bounds("time", time, frames)
    z0, z1 = bounds("depth", depth, rows)
    x0, x1 = bounds("width", width, columns)
    shape = (t1 - t0, z1 - z0, x1 - x0)
    if out is None:
        out = np.empty(shape, np.float32)
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
    noisy = bool(recording.noise_map.any())
    grid = np.zeros((0, rows, columns), np.float32)
    if noisy:
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
    ends = noise_grid(recording.noise_key, colour, END_GROUPS, END_GROUPS + 2, (rows, columns))
    ends = (ends * recording.noise_map[0])[window]
    length = colour.ends.shape[1]
    for frame in range(t0, min(t1, length) if noisy else t0):
        out[frame - t0] += colour.ends[0, frame] * ends[0]
    for frame in range(max(t0, frames - length) if noisy else t1, t1):
        out[frame - t0] += colour.ends[1, frames - 1 - frame] * ends[1]
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
