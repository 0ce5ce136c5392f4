"""From the echoes of plane waves to images: delay and sum, coherent over the angles."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .acquisition import Acquisition, PixelGrid
from .demodulation import demodulate, demodulate_further


def directivity_f_number(acquisition: Acquisition) -> float:
    """Return the f-number at which an element at the aperture's edge hears 3 dB less.

    An element of width b hears an echo from the angle a with ``cos(a) sinc(b sin(a) / lambda)``;
    beyond the angle where that is 1 / sqrt 2 it adds more noise than signal, and the f-number is
    ``1 / (2 tan a)`` (Perrot et al. 2021, doi:10.1016/j.ultras.2020.106309).
    """
    from scipy.optimize import brentq

    ratio = acquisition.probe.element_width / acquisition.wavelength

    def excess(angle: float) -> float:
        return float(np.cos(angle) * np.sinc(ratio * np.sin(angle)) - math.sqrt(0.5))

    # Monotonic up to the first zero of the sinc.
    highest = math.pi / 2 if ratio <= 1 else math.asin(1 / ratio)
    angle: Any = brentq(excess, 0.0, highest)
    return 1 / (2 * math.tan(angle))


def beamform(
    rf: NDArray[Any],
    acquisition: Acquisition,
    grid: PixelGrid,
    *,
    bandwidth: float | None = None,
    demodulation_frequency: float = 0.0,
    f_number: float | None = None,
    taper: float = 1.0,
) -> NDArray[np.complex64]:
    """Demodulate and beamform frames, sixteen at a time.

    The values are those of :func:`~musim.simulator.imaging.demodulation.demodulate` and
    :func:`delay_and_sum`, to the bit; beside the result, memory is needed for 16 frames. A
    recording that is larger than memory is given in pieces along the frames.

    Parameters
    ----------
    rf : array of numbers of shape (frame, angle, element, sample)
        Echoes as recorded, in any memory layout; mapped from a file, they are read as needed.
        Complex ones are demodulated already.
    acquisition : Acquisition
    grid : PixelGrid
    bandwidth : float, optional
        Of the echoes, Hz; see :func:`~musim.simulator.imaging.demodulation.demodulate`.
    demodulation_frequency : float
        At which complex echoes were demodulated, Hz; 0 of analytic signals. See
        :func:`~musim.simulator.imaging.demodulation.demodulate_further`.
    f_number, taper
        See :func:`delay_and_sum`.

    Returns
    -------
    complex64 array of shape (frame, depth, width)
        In units of `rf`.

    Raises
    ------
    InputError
        As of the two functions.
    """
    from ..acceleration import BLOCK

    _check_shape(rf.shape, acquisition)
    out = np.empty((len(rf), grid.depth.size, grid.width.size), np.complex64)
    for first in range(0, len(rf), BLOCK):
        block = rf[first : first + BLOCK]
        frequencies = acquisition.sampling_frequency, acquisition.centre_frequency
        if rf.dtype.kind == "c":
            iq = demodulate_further(block, *frequencies, demodulation_frequency)
        else:
            iq = demodulate(block, *frequencies, bandwidth=bandwidth)
        out[first : first + BLOCK] = delay_and_sum(
            iq, acquisition, grid, f_number=f_number, taper=taper
        )
    return out


def delay_and_sum(
    iq: NDArray[np.complex64],
    acquisition: Acquisition,
    grid: PixelGrid,
    *,
    f_number: float | None = None,
    taper: float = 1.0,
) -> NDArray[np.complex64]:
    """Beamform frames: delay, weigh and sum the elements' echoes, over all angles coherently.

    For a pixel at depth z and width x, the wave of angle a arrives at
    ``(z cos a + x sin a) / c`` after it passed the array's middle, and its echo reaches the element
    at x_e after ``sqrt(z^2 + (x - x_e)^2) / c`` more (Montaldo et al. 2009,
    doi:10.1109/TUFFC.2009.1067). There IQ is interpolated by a cubic, turned by the carrier's phase
    at that very instant, and weighted with a window over the elements within z / (2 f_number),
    one pitch at least, to either side of the pixel. The mean over elements and angles, by weight,
    is the pixel. Delays that lie outside the record do not count; a pixel without any is 0.
    A wave counts at every pixel, even beside the strip of tissue that its steering lets it cross.

    The carrier along depth is taken off: an echo from depth z_s has the phase
    ``-4 pi fc z_s / c``. So a scatterer that comes nearer to the probe by dz raises the phase of
    its pixels by ``4 pi fc dz / c``, and velocity towards the probe is
    ``c / (4 pi fc) dphase/dt``, positive.

    Frames do not depend on one another: beamformed in pieces, a recording has the same values as
    at once, to the bit. Beside the result, memory is needed for 16 frames of one angle and of the
    image. Frames are taken sixteen at a time, so fewer than 16 take as long as 16.

    Parameters
    ----------
    iq : complex64 array of shape (frame, angle, element, sample)
        Echoes as :func:`~musim.simulator.imaging.demodulation.demodulate` gives them, in any
        memory layout.
    acquisition : Acquisition
    grid : PixelGrid
    f_number : float, optional
        Depth over width of the receiving aperture; by default :func:`directivity_f_number`.
    taper : float
        Share of the aperture over which a cosine falls to 0 (Tukey's window): 0 is rectangular, 1
        is Hann's.

    Returns
    -------
    complex64 array of shape (frame, depth, width)
        In units of `iq`.

    Raises
    ------
    InputError
        If `iq` is not complex or its shape does not fit the acquisition, or if `f_number` or
        `taper` is out of range.
    """
    from ..acceleration import BLOCK
    from .beamforming_kernels import LEADING, TRAILING, add_wave, pack_rows, write_frames

    probe, waves = acquisition.probe, acquisition.waves
    _check_shape(iq.shape, acquisition)
    if iq.dtype != np.complex64:
        raise InputError(f"IQ: found {iq.dtype}, wanted complex64; demodulate the RF signals first")
    f_number = directivity_f_number(acquisition) if f_number is None else f_number
    if not 0 < f_number < math.inf:
        raise InputError(f"f-number: found {f_number:g}, wanted more than 0, such as 1.5")
    if not 0 <= taper <= 1:
        raise InputError(f"taper: found {taper:g}, wanted 0 (rectangular) to 1 (Hann)")

    frames, _, elements, samples = iq.shape
    depths, widths = grid.depth.size, grid.width.size
    samples_per_length = acquisition.sampling_frequency / (1000 * acquisition.sound_speed)
    turns_per_sample = acquisition.centre_frequency / acquisition.sampling_frequency
    half = np.maximum(grid.depth / (2 * f_number), probe.pitch)
    reference = 2 * grid.depth / acquisition.wavelength
    scales = (samples_per_length, turns_per_sample, float(taper))
    positions = probe.positions
    arrivals = []
    for angle, first_sample_time in zip(waves.angles, acquisition.first_sample_times, strict=True):
        # From the array's middle to its first element to fire, and on to the first sample.
        origin = abs(math.sin(angle)) * positions[-1] * samples_per_length
        origin -= first_sample_time * acquisition.sampling_frequency
        distance = grid.depth * math.cos(angle) + grid.width[:, None] * math.sin(angle)
        arrivals.append(distance * samples_per_length + origin)

    out = np.empty((frames, depths, widths), np.complex64)
    rows = np.zeros((elements, LEADING + samples + TRAILING, 2, BLOCK), np.float32)
    totals = np.empty((widths, depths, 2, BLOCK), np.float32)
    weight_sums = np.empty((widths, depths), np.float32)
    for first in range(0, frames, BLOCK):
        totals.fill(0)
        weight_sums.fill(0)
        for wave, arrival in enumerate(arrivals):
            pack_rows(iq[first : first + BLOCK, wave], rows)
            add_wave(
                rows, positions, grid.depth, grid.width, arrival, half, reference, scales, totals,
                weight_sums,
            )  # fmt: skip
        write_frames(totals, weight_sums, out[first : first + BLOCK])
    return out


def _check_shape(shape: tuple[int, ...], acquisition: Acquisition) -> None:
    angles, elements = len(acquisition.waves.angles), acquisition.probe.elements
    if len(shape) != 4 or shape[1:3] != (angles, elements) or shape[3] == 0:
        raise InputError(
            f"echoes: found shape {shape}, wanted (frame, {angles}, {elements}, sample) for "
            f"{angles} angles and {elements} elements; move the axes or describe the recording anew"
        )
