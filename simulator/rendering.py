"""From a sequence's truth to its voxels."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .noise import FRAMES_PER_GROUP, NOISES, white

if TYPE_CHECKING:
    from .sequence import Truth

WHOLE = slice(None)


def render(
    truth: "Truth",
    *,
    time: slice = WHOLE,
    depth: slice = WHOLE,
    width: slice = WHOLE,
    noise: bool = True,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Render a sequence, or a window of it: ``sum_k territory_k(z, x) train_k(t)`` plus noise.

    Units are added in their order, in float32, to the noise or to 0. So without noise the sum of
    sequences of single units is the sequence of all, bit for bit, and any window equals that window
    of the whole.

    Parameters
    ----------
    truth : Truth
    time, depth, width : slice
        The window, in frames and px, without steps.
    noise : bool
        Whether to add the noise of ``truth.snr``.
    out : float32 array of the window's shape, optional
        Where to write, C-contiguous.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Tissue velocity, mm/s, positive towards the transducer.

    Raises
    ------
    InputError
        If a slice has a step or is empty, or `out` does not fit.
    """
    return render_arrays(
        truth.territory,
        truth.twitch_train,
        truth.noise_key,
        truth.noise_sd if noise else 0.0,
        noise=truth.noise,
        time=time,
        depth=depth,
        width=width,
        out=out,
    )


def render_arrays(
    territory: NDArray[np.float32],
    twitch_train: NDArray[np.float32],
    noise_key: NDArray[np.uint32],
    noise_sd: float,
    *,
    noise: str = "white",
    time: slice = WHOLE,
    depth: slice = WHOLE,
    width: slice = WHOLE,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Render from the four arrays that a sequence's voxels depend on, as a store holds them.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
        Membership, 0..1. Units without any are passed over.
    twitch_train : float32 array of shape (unit, time)
        Velocity, mm/s.
    noise_key : uint32 array of shape (4,)
    noise_sd : float
        mm/s; 0 adds no noise.
    noise : str
        Its model, one of :data:`.noise.NOISES`.
    time, depth, width, out
        As in :func:`render`.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Tissue velocity, mm/s.
    """
    from .rendering_kernels import render_window

    frames, (rows, columns) = twitch_train.shape[1], territory.shape[1:]
    ends = ("time", time, frames), ("depth", depth, rows), ("width", width, columns)
    (t0, t1), (z0, z1), (x0, x1) = (bounds(*end) for end in ends)
    shape = (t1 - t0, z1 - z0, x1 - x0)
    out = room_for(shape, out)
    model = NOISES[noise]
    window = np.ascontiguousarray(territory[:, z0:z1, x0:x1], np.float32)
    # Noise comes in groups of four frames, so whole groups about the window are made.
    first = t0 // FRAMES_PER_GROUP * FRAMES_PER_GROUP
    last = -(-t1 // FRAMES_PER_GROUP) * FRAMES_PER_GROUP
    trains = np.zeros((last - first, len(window)), np.float32)
    known = twitch_train[:, first : min(last, frames)]
    trains[: known.shape[1]] = known.T
    render_window(
        *_blocks(window.reshape(len(window), shape[1] * shape[2])),
        trains,
        t0,
        np.array([z1 - z0, x1 - x0, z0, x0, columns]),
        np.ascontiguousarray(noise_key, np.uint32),
        # The kernel makes white noise on its way: the same values, in a fraction of the time.
        np.float32(noise_sd if model is white else 0),
        out.reshape(shape[0], shape[1] * shape[2]),
    )
    if noise_sd > 0 and model is not white:
        places = slice(t0, t1), slice(z0, z1), slice(x0, x1)
        out += np.float32(noise_sd) * model(noise_key, (frames, rows, columns), places)
    return out


def add_noise(
    voxels: NDArray[np.float32],
    noise_key: NDArray[np.uint32],
    noise_sd: float,
    shape: tuple[int, int, int],
    *,
    noise: str = "white",
    time: slice = WHOLE,
    depth: slice = WHOLE,
    width: slice = WHOLE,
) -> None:
    """Add the noise of a sequence, or of a window of it, to what a scanner has shown.

    Parameters
    ----------
    voxels : float32 array of shape (time, depth, width), changed in place
        The window.
    noise_key : uint32 array of shape (4,)
    noise_sd : float
        mm/s; 0 adds nothing.
    shape : (int, int, int)
        Frames, depth and width of the whole sequence.
    noise : str
        Its model, one of :data:`.noise.NOISES`.
    time, depth, width : slice
        As in :func:`render`.
    """
    if noise_sd > 0:
        frames, *pixels = shape
        nobody, still = np.zeros((0, *pixels), np.float32), np.zeros((0, frames), np.float32)
        voxels += render_arrays(
            nobody, still, noise_key, noise_sd, noise=noise, time=time, depth=depth, width=width
        )


def signal(
    territory: NDArray[np.float32], twitch_train: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Render without noise and without kernels: these take longer to load than a few sequences.

    Parameters
    ----------
    territory, twitch_train
        As in :func:`render_arrays`.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Tissue velocity, mm/s: bit for bit that of :func:`render` with ``noise=False``.
    """
    velocity = np.zeros((twitch_train.shape[1], *territory.shape[1:]), np.float32)
    for membership, train in zip(territory, twitch_train, strict=True):
        rows, columns = (np.flatnonzero(membership.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            velocity[:, *box] += train[:, None, None] * membership[box]
    return velocity


def _blocks(
    territory: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Pack memberships, float32 (unit, pixel), into blocks: their units, first pixels, weights."""
    from .acceleration import BLOCK
    from .rendering_kernels import pack_blocks

    # Room for what discs of the papers' sizes need; more is asked for where it does not do.
    room = 32 * len(territory) + 64
    while True:
        units, starts = np.empty(room, np.int64), np.empty(room, np.int64)
        weights = np.empty((room, BLOCK), np.float32)
        count = int(pack_blocks(territory, units, starts, weights))
        if count <= room:
            return units[:count], starts[:count], weights[:count]
        room = count


def room_for(shape: tuple[int, ...], out: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return `out`, or a new array where none is given; raise InputError unless it fits.

    Kernels write where it begins, whatever its size: nothing else stands between them and memory.
    """
    if out is None:
        return np.empty(shape, np.float32)
    writeable = out.flags.c_contiguous and out.flags.writeable
    if out.shape != shape or out.dtype != np.float32 or not writeable:
        raise InputError(
            f"out: found {out.dtype} {out.shape}, wanted a writeable, C-contiguous float32 array "
            f"of {shape}"
        )
    return out


def bounds(name: str, window: slice, length: int) -> tuple[int, int]:
    """Return first and last index of a window without steps, or raise InputError."""
    start, stop, step = window.indices(length)
    if step != 1 or start >= stop:
        raise InputError(f"{name}: found {window}, wanted a window without steps in 0..{length}")
    return start, stop
