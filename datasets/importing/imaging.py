"""A described recording meets the imaging chain: its grid, its blocks, and what they must be."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe
from ...simulator.imaging.beamforming import beamform
from ...simulator.imaging.chain import Axis, Chain, Imaging, block_length
from ...simulator.imaging.demodulation import demodulate
from ...simulator.imaging.velocimetry import Velocimetry
from .files import File, LazyArray
from .recording import DescribedRecording
from .recording_kinds import ORDER

MOST_CLIPPED = 1e-3
"""Share of samples at full scale above which a recording is called saturated."""

TOGETHER = 16
"""Frames that are beamformed together; fewer take as long."""

STEPS_PER_WAVELENGTH = 2
"""Depth samples of beamformed images in a wavelength: their sampling rate is then the centre
frequency, above the bandwidth of any probe."""


def imaging_of(recording: DescribedRecording, chain: Chain) -> Imaging:
    """Fit a chain to a recording.

    Echoes (``rf``) are beamformed at one column for each element and two depths a wavelength, from
    the first sample's depth to the last one's.

    Parameters
    ----------
    recording : DescribedRecording
    chain : Chain

    Returns
    -------
    Imaging

    Raises
    ------
    InputError
        If the chain asks for what the recording does not hold.
    """
    depth, width = image_axes(recording)
    velocimetry = None
    if recording.kind != "velocity":
        centre_frequency = _known("centre_frequency", recording.centre_frequency)
        velocimetry = Velocimetry(
            frame_rate=recording.frame_rate,
            centre_frequency=centre_frequency,
            depth_step=depth.step,
            sound_speed=recording.sound_speed,
            # Beamforming takes the centre frequency off.
            demodulation_frequency=recording.demodulation_frequency
            if recording.kind == "iq"
            else centre_frequency,
            gate=chain.gate,
            ensemble=chain.ensemble,
            estimator=chain.estimator,
        )
    return Imaging(chain, depth, width, recording.frame_rate, velocimetry)


def image_axes(recording: DescribedRecording) -> tuple[Axis, Axis]:
    """Return depth and width of a recording's images, mm."""
    lengths = recording.lengths
    if recording.kind != "rf":
        depth, width = (
            Axis(_known(f"{name}_start", start), _known(f"{name}_step", step), lengths[name])
            for name, start, step in (
                ("depth", recording.depth_start, recording.depth_step),
                ("width", recording.width_start, recording.width_step),
            )
        )
        return depth, width
    acquisition = acquisition_of(recording)
    if recording.dtype.kind != "c":
        # One silent signal, so that a band that no filter can part is found before the work begins.
        demodulate(
            np.zeros(lengths["sample"], np.float32),
            acquisition.sampling_frequency,
            acquisition.centre_frequency,
            bandwidth=bandwidth_of(recording),
        )
    step = acquisition.wavelength / STEPS_PER_WAVELENGTH
    # There and back, in mm; a wave's own width is kept from both ends.
    per_second = 500 * recording.sound_speed
    first = _first_sample(acquisition)
    begin = max(first * per_second, 0) + acquisition.wavelength
    last = first + (lengths["sample"] - 1) / acquisition.sampling_frequency
    count = math.floor((last * per_second - acquisition.wavelength - begin) / step)
    if count < 2:
        raise InputError(
            f"samples: found {lengths['sample']} from {first:g} s on, wanted "
            "enough for an image; check sampling_frequency and first_sample"
        )
    positions = acquisition.probe.positions
    return (
        Axis(begin + step / 2, step, count),
        Axis(float(positions[0]), acquisition.probe.pitch, len(positions)),
    )


def _first_sample(acquisition: Acquisition) -> float:
    """Return when the last wave is sampled, after it passed the array's middle, s.

    Where all waves have one time, it is that time: then flat ones are sampled last.
    """
    edge = acquisition.probe.positions[-1] / (1000 * acquisition.sound_speed)
    times = acquisition.first_sample_times
    if len(set(times)) == 1:
        return times[0]
    waves = zip(times, acquisition.waves.angles, strict=True)
    return max(time - edge * abs(math.sin(angle)) for time, angle in waves)


def acquisition_of(recording: DescribedRecording) -> Acquisition:
    """Return how the echoes of a recording were acquired."""
    pitch = _known("pitch", recording.pitch)
    element_width = _known("element_width", recording.element_width)
    return Acquisition(
        probe=Probe(recording.lengths["channel"], pitch, element_width),
        waves=PlaneWaves(tuple(math.radians(angle) for angle in recording.angles)),
        sampling_frequency=_known("sampling_frequency", recording.sampling_frequency),
        centre_frequency=_known("centre_frequency", recording.centre_frequency),
        sound_speed=recording.sound_speed,
        first_sample_time=recording.first_samples,
    )


def bandwidth_of(recording: DescribedRecording) -> float | None:
    """Return the width of the band of the echoes, Hz; None if it is not known."""
    share, centre = recording.bandwidth, recording.centre_frequency
    return None if share is None or centre is None else share * centre


def blocks_of(
    recording: DescribedRecording, file: File, index: int, imaging: Imaging
) -> Iterator[NDArray[Any]]:
    """Read one recording of a file block by block, as the chain takes it.

    Parameters
    ----------
    recording : DescribedRecording
    file : File
        Open.
    index : int
        Which recording of the file.
    imaging : Imaging

    Yields
    ------
    array of shape (frame, depth, width)
        complex64 IQ, or float32 velocity in mm/s, positive towards the transducer.

    Raises
    ------
    InputError
        If samples are not finite, or too many lie at full scale.
    """
    convert = _converter(recording, imaging)
    for block in raw_blocks(recording, file, index):
        yield convert(block)


def raw_blocks(recording: DescribedRecording, file: File, index: int) -> Iterator[NDArray[Any]]:
    """Read one recording of a file block by block, and check it; see :func:`blocks_of`.

    Yields
    ------
    array of shape (frame, depth, width) or (frame, transmit, channel, sample)
        As the file has it.
    """
    data = recording.array(file)
    where = f"{file.path}: {recording.variable or recording.real}"
    frames = recording.lengths["time"]
    frame_bytes = int(np.prod(data.shape[2:])) * max(data.dtype.itemsize, 8)
    length = block_length(frame_bytes)
    if recording.kind == "rf":
        length = max(TOGETHER, length // TOGETHER * TOGETHER)
    clipped = seen = 0
    for first in range(0, frames, length):
        last = min(first + length, frames)
        block = data.read((slice(index, index + 1), slice(first, last)))[0]
        if not _is_finite(block):
            raise _missing(recording, file, data, index, first)
        if recording.saturation is not None:
            clipped += _count_clipped(block, *recording.saturation)
            seen += block.size
        yield block
    if seen and clipped > MOST_CLIPPED * seen:
        raise InputError(
            f"{where}: found {100 * clipped / seen:.2g} % of the samples at full scale "
            f"({recording.saturation}), wanted less than {100 * MOST_CLIPPED:g} %: the receiver "
            "was saturated; record with less gain, or give saturation if full scale is another"
        )


def _converter(
    recording: DescribedRecording, imaging: Imaging
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what turns a block as the file has it into images for the chain."""

    def iq_of(block: NDArray[Any]) -> NDArray[np.complex64]:
        # The phase of echoes that come nearer rises; where the sign is -1, it falls.
        with np.errstate(over="ignore"):  # what is too large is found at the chain's end
            iq = block.astype(np.complex64, copy=False)
        return iq if recording.sign > 0 else np.conj(iq)

    if recording.kind == "rf":
        acquisition = acquisition_of(recording)
        grid = PixelGrid(imaging.depth.positions, imaging.width.positions)
        beamformed = functools.partial(
            beamform,
            acquisition=acquisition,
            grid=grid,
            bandwidth=bandwidth_of(recording),
            demodulation_frequency=recording.demodulation_frequency or 0.0,
            f_number=recording.f_number,
        )
        if recording.dtype.kind != "c":
            return beamformed
        return lambda block: beamformed(iq_of(block))
    if recording.kind == "iq":
        return iq_of

    def velocities(block: NDArray[Any]) -> NDArray[np.float32]:
        # Half precision has no room for another unit.
        wide = block.astype(np.result_type(block.dtype, np.float32), copy=False)
        with np.errstate(over="ignore"):  # as above
            return (wide * recording.velocity_scale).astype(np.float32, copy=False)

    return velocities


def _known(key: str, value: float | None) -> float:
    if value is None:
        raise InputError(f"{key}: found none, wanted it; give {key}")
    return value


def _is_finite(block: NDArray[Any]) -> bool:
    if block.dtype.kind not in "fc":
        return True
    # A sum is finite only if all are, and takes one pass without an array of flags.
    with np.errstate(all="ignore"):
        if np.isfinite(block.sum(dtype=np.result_type(block.dtype, np.float64))):
            return True
    return bool(np.isfinite(block).all())


def _missing(
    recording: DescribedRecording, file: File, data: LazyArray, index: int, first: int
) -> InputError:
    """Return the error for samples that are missing, with their number and the first one's place.

    Parameters
    ----------
    recording, file, index
        See :func:`raw_blocks`.
    data : LazyArray
        The recording's.
    first : int
        A frame before which all are there.
    """
    frames, size = recording.lengths["time"], int(np.prod(data.shape[2:]))
    count, place = 0, [0]
    step = block_length(size * max(data.dtype.itemsize, 8))
    for begin in range(first, frames, step):
        piece = (slice(index, index + 1), slice(begin, min(begin + step, frames)))
        bad = ~np.isfinite(data.read(piece)[0])
        if not count and bad.any():
            place = np.unravel_index(int(bad.argmax()), bad.shape)
            place = [int(place[0]) + begin, *map(int, place[1:])]
        count += int(np.count_nonzero(bad))
    names = ORDER[recording.kind][1:]
    place = [
        recording.lengths[name] - 1 - at if name in recording.turned else at
        for name, at in zip(names, place, strict=True)
    ]
    rest = ", ".join(f"{name} {at}" for name, at in zip(names[1:], place[1:], strict=True))
    variable = recording.variable or recording.real
    packing = file.info(variable).packing
    marks = [f"{mark:g}" for mark in (packing.missing if packing else ()) if mark.imag == 0]
    filled = f", or the file's fill value {' or '.join(marks)}" if marks else ""
    several = f" of recording {index}" if recording.lengths["sequence"] > 1 else ""
    return InputError(
        f"{file.path}: {variable}: found {count} of {size * frames} samples missing (NaN or "
        f"infinite{filled}), first in frame {place[0]}{several} ({rest}, counted from 0), wanted "
        "numbers; fill them in, with 0 where nothing was imaged, or cut the recording there"
    )


def _count_clipped(block: NDArray[Any], low: float, high: float) -> float:
    """Return how many samples lie at full scale; of complex ones, each part counts half."""
    parts = (np.real(block), np.imag(block)) if block.dtype.kind == "c" else (block,)
    return sum(np.count_nonzero((p >= high) | (p <= low)) for p in parts) / len(parts)
