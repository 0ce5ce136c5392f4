"""Models of noise; that of both papers is white and Gaussian.

Every value of it is a function of (key, frame, pixel).
Threefry-4x32 with 13 rounds (Salmon, Moraes, Dror and Shaw 2011, doi:10.1145/2063384.2063405) turns
the counter (pixel, frame // 4, 0, 0) under the sequence's key into four uniform words; two
Box-Muller transforms (Box and Muller 1958, doi:10.1214/aoms/1177706645) turn these into the noise
of that pixel in four successive frames. Any window of a sequence can thus be made alone, in any
order. The smallest uniform is 2**-33, so values reach 6.76 standard deviations.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

FRAMES_PER_GROUP = 4
"""Frames whose noise comes from one counter."""


def standard_normal(
    key: NDArray[np.uint32],
    shape: tuple[int, int, int],
    start: int = 0,
) -> NDArray[np.float32]:
    """Return the standard normal noise of some frames of a sequence.

    Parameters
    ----------
    key : uint32 array of shape (4,)
        The sequence's noise key, see :func:`musim.simulator.seeds.noise_key`.
    shape : (time, depth, width)
        Number of frames wanted and size of a whole frame, in px.
    start : int
        Index of the first frame.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Mean 0, variance 1, no unit.

    Raises
    ------
    InputError
        If `key` is not four words of 32 bits, or `start` is negative.
    """
    from .noise_kernels import write_noise_to_four_frames

    if key.dtype != np.uint32 or key.shape != (4,):
        raise InputError(f"noise key: found {key.dtype} {key.shape}, wanted uint32 of shape (4,)")
    if start < 0:
        raise InputError(f"first frame: found {start}, wanted 0 or more")
    frames, depth, width = shape
    first_group = start // FRAMES_PER_GROUP
    groups = -(-(start + frames) // FRAMES_PER_GROUP) - first_group
    noise = np.empty((groups * FRAMES_PER_GROUP, depth * width), np.float32)
    for group in range(groups):
        block = noise[group * FRAMES_PER_GROUP : (group + 1) * FRAMES_PER_GROUP]
        write_noise_to_four_frames(
            block[0],
            block[1],
            block[2],
            block[3],
            np.uint32(0),
            np.uint32(first_group + group),
            key,
            np.float32(1),
        )
    offset = start - first_group * FRAMES_PER_GROUP
    return noise[offset : offset + frames].reshape(shape)


Window = tuple[slice, slice, slice]

NoiseModel = Callable[[NDArray[np.uint32], tuple[int, int, int], Window], NDArray[np.float32]]
"""Makes the noise of a window, from the sequence's key, the shape of the whole sequence (time,
depth, width) and the window's slices, whose both ends are given.

A voxel has mean 0 and variance 1 and is a function of the key and of its own place, so that any
window equals that window of the whole."""


def white(
    key: NDArray[np.uint32], shape: tuple[int, int, int], window: Window
) -> NDArray[np.float32]:
    """Return a window of white noise, float32 (time, depth, width)."""
    time, depth, width = window
    frames = standard_normal(key, (time.stop - time.start, *shape[1:]), time.start)
    return frames[:, depth, width]


NOISES: dict[str, NoiseModel] = {"white": white}
"""Models of noise by the names that parameter `noise` has for them."""
