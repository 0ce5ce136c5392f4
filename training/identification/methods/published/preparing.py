"""What published methods do first: the band of twitches, and windows over the image."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from .....simulator.errors import InputError
from ...firing import TWITCH_LENGTH
from ...units import Recording, check

ORDER = 4
"""Of the Butterworth filter: of that with which recordings are made (Ali et al. 2022)."""

AT_ONCE = 2**22
"""Velocities that are filtered at once: the filter works in float64 and makes copies."""


def check_recording(recording: Recording) -> None:
    """Raise InputError unless units can be sought in a recording that holds a whole twitch."""
    check(recording)
    seconds = len(recording.tvi) / recording.frame_rate
    if seconds < TWITCH_LENGTH:
        raise InputError(
            f"recording: found {seconds:.3g} s, wanted {TWITCH_LENGTH:g} s or more, a whole "
            "twitch; give a longer one"
        )


def band_passed(recording: Recording, lowest: float, highest: float) -> NDArray[np.float32]:
    """Return a recording's velocity in a band of frequencies, forwards and backwards.

    Parameters
    ----------
    recording : Recording
    lowest, highest : float
        Hz. 0 leaves low frequencies as they are; what no frame rate tells needs no upper end.

    Returns
    -------
    float32 array of shape (time, depth, width)
        mm/s; each pixel of mean 0 over time.

    Raises
    ------
    InputError
        If there is no frequency in the band.
    """
    half = recording.frame_rate / 2
    if lowest >= min(highest, half):
        raise InputError(
            f"lowest: found {lowest:g} Hz, wanted less than {min(highest, half):g} Hz, the highest "
            f"that is kept at {recording.frame_rate:g} Hz; set another `settings.lowest`"
        )
    frames = len(recording.tvi)
    flat = recording.tvi.reshape(frames, -1)
    filtered = np.empty_like(flat)
    ends = [lowest] * (lowest > 0) + [highest] * (highest < half)
    kind = {(True, True): "bandpass", (True, False): "highpass", (False, True): "lowpass"}
    name = kind.get((lowest > 0, highest < half))
    step = max(AT_ONCE // frames, 1)
    for first in range(0, flat.shape[1], step):
        part = flat[:, first : first + step].astype(np.float64)
        part -= part.mean(axis=0)
        if name is not None:
            sections = scipy.signal.butter(
                ORDER, ends if len(ends) > 1 else ends[0], name, fs=recording.frame_rate,
                output="sos",
            )  # fmt: skip
            # As long as the filter rings: what is reflected at the ends is no longer seen inside.
            longest = math.ceil(recording.frame_rate / max(lowest, 1.0))
            # Mirrored evenly: turned about its last value, noise would be strongest at the ends.
            part = scipy.signal.sosfiltfilt(
                sections, part, axis=0, padtype="even", padlen=min(longest, frames - 1)
            )
        filtered[:, first : first + step] = part
    return filtered.reshape(recording.tvi.shape)


def windows(image: tuple[int, int], size: int, step: int) -> list[tuple[slice, slice]]:
    """Return square windows that cover an image, row by row.

    Parameters
    ----------
    image : (depth, width)
        px.
    size : int
        Side of a window, px; 0 for one window that is the image.
    step : int
        From one to the next, px. The last of a row or column ends with the image.

    Raises
    ------
    InputError
        If the image is smaller than a window.
    """
    if size == 0:
        return [(slice(0, image[0]), slice(0, image[1]))]
    if size > min(image):
        raise InputError(
            f"recording: found {image[0]} x {image[1]} px, wanted {size} x {size} or more, a "
            f"window of the method; set a smaller `settings.window`, as {min(image)}"
        )
    starts = [sorted({*range(0, side - size, step), side - size}) for side in image]
    return [
        (slice(row, row + size), slice(column, column + size))
        for row in starts[0]
        for column in starts[1]
    ]
