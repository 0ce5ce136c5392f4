"""The virtual experiment: a truth that is moved through tissue and seen as by a scanner.

Its output is what the imaging chain of real recordings makes of simulated echoes: sequences that
look experimental, and whose truth is known.
"""

import dataclasses
import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..imaging.chain import PRESETS, Axis, Chain, Imaging, block_length, run
from ..parameters import Parameters
from ..rendering import add_noise
from ..sequence import Truth
from .doses import Doses
from .motion import draw_motion
from .speckle import Echoes, Scanner, draw_echoes, iq_blocks

T = TypeVar("T")


def chain_of(parameters: Parameters) -> Chain:
    """Return the imaging chain of Ali et al. 2022, ending in the grid of some parameters."""
    return dataclasses.replace(
        PRESETS["ali-2022"],
        pixels=parameters.pixels,
        size=parameters.size,
        frame_rate=parameters.frame_rate,
        frames=parameters.frames,
    )


def imaging_of(parameters: Parameters, doses: Doses, attenuation: float = 0.0) -> Imaging:
    """Return the chain fitted to the scanner's images.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    attenuation : float
        dB/(cm MHz).

    Raises
    ------
    InputError
        If the scanner's pixels are coarser than its point-spread function, or its images too few a
        second for the chain's band.
    """
    scanner = Scanner(doses, parameters.size, attenuation)
    (dz, dx), (rows, columns) = scanner.pixel_size, doses.image
    return Imaging(
        chain_of(parameters),
        Axis(dz / 2, dz, rows),
        Axis(dx / 2, dx, columns),
        doses.pulse_repetition,
        scanner.velocimetry(),
    )


def images_needed(parameters: Parameters, doses: Doses) -> int:
    """Return how many IQ images make a sequence of the parameters' frames."""
    ratio = doses.pulse_repetition / parameters.frame_rate
    return math.ceil((parameters.frames - 1) * ratio) + 2


def check(parameters: Parameters, doses: Doses) -> None:
    """Raise InputError if parameters and doses do not go together."""
    imaging = imaging_of(parameters, doses, doses.attenuation.high)
    imaging.output_frames(images_needed(parameters, doses))


def simulate(
    parameters: Parameters,
    doses: Doses,
    truth: Truth,
    *,
    seed: int = 0,
    index: int = 0,
    out: NDArray[np.float32] | None = None,
    images: Callable[[Echoes, int], Iterable[NDArray[np.complex64]]] = iq_blocks,
) -> NDArray[np.float32]:
    """Simulate the recording of a sequence whose truth is drawn.

    Parameters
    ----------
    parameters : Parameters
    doses : Doses
    truth : Truth
        ``draw(parameters, doses=doses, seed=seed, index=index)``.
    seed, index : int
        The same seed gives the same bytes.
    out : float32 array of shape (time, depth, width), optional
        Where to write.
    images : function of (echoes, length), optional
        What makes IQ images in blocks of about `length`; the kernels, if not given. Others, such as
        those of ``musim.datasets.streaming.speckle.images_on(device)``, round otherwise: the bytes
        are not those of the seed.

    Returns
    -------
    float32 array of shape (time, depth, width)
        Estimated tissue velocity, mm/s, positive towards the transducer. Noise of
        ``truth.snr`` is added at the end, as in the analytic sequence (none by default).

    Raises
    ------
    InputError
        If parameters and doses do not go together, or the truth was drawn without doses.
    """
    check(parameters, doses)
    count = images_needed(parameters, doses)
    motion = draw_motion(parameters, doses, truth, seed, index, count)
    attenuation = motion.tissue.doses["attenuation"]
    scanner = Scanner(doses, parameters.size, attenuation)
    echoes = draw_echoes(scanner, motion, seed, index, parameters.subject(index))
    del motion
    length = block_length(8 * doses.image[0] * doses.image[1]) // 2 * 2
    blocks = ahead(images(echoes, length))
    if out is None:
        out = np.empty((parameters.frames, *parameters.pixels), np.float32)
    done = 0
    for block in run(imaging_of(parameters, doses, attenuation), blocks):
        taken = min(len(block), parameters.frames - done)
        out[done : done + taken] = block[:taken]
        done += taken
    add_noise(out, truth.noise_key, truth.noise_sd, out.shape, noise=truth.noise)
    return out


def ahead(items: Iterable[T], most: int = 2) -> Iterator[T]:
    """Make items in a thread of their own, a few ahead of whoever takes them.

    Kernels release the interpreter's lock, so echoes are made while the chain works on earlier
    ones. An exception comes out where its item would have.

    Parameters
    ----------
    items : iterable
    most : int
        Items that wait at most.
    """
    waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(most)
    stopped = threading.Event()

    def put(entry: tuple[bool, T | BaseException | None]) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((True, item)):
                    return
            put((False, None))
        except BaseException as error:
            put((False, error))

    thread = threading.Thread(target=work, name="musim-ahead", daemon=True)
    thread.start()
    try:
        while True:
            more, item = waiting.get()
            if not more:
                if isinstance(item, BaseException):
                    raise item
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
