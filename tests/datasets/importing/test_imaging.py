"""From a described recording to blocks for the chain: its grid, its checks, its sign and unit."""

import dataclasses
import math

import h5py
import numpy as np
import pytest

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.imaging import acquisition_of, blocks_of, image_axes, imaging_of
from musim.datasets.importing.resolving import resolve
from musim.simulator import InputError
from musim.simulator.imaging.acquisition import PixelGrid
from musim.simulator.imaging.beamforming import beamform, delay_and_sum
from musim.simulator.imaging.chain import Chain

RF = {
    "kind": "rf", "axes": "time,channel,sample", "frame_rate": 1000, "centre_frequency": "5 MHz",
    "sampling_frequency": "20 MHz", "pitch": 0.3,
}  # fmt: skip
IMAGES = {"axes": "time,depth,width", "frame_rate": 500, "depth_step": 0.2, "width_step": 0.3}
IQ = {"kind": "iq", "centre_frequency": "5 MHz", **IMAGES}
VELOCITY = {"kind": "velocity", **IMAGES}


@pytest.fixture
def recording(tmp_path):
    """Write an array; returns its resolved recording and the path."""

    def call(values, description, **changes):
        path = tmp_path / "a.npy"
        np.save(path, values)
        with open_file(path) as file:
            return resolve(Description.parse(description | changes), file), path

    return call


@pytest.fixture
def read(recording):
    """Return the blocks of one recording in a file."""

    def call(values, description, index=0, **changes):
        found, path = recording(values, description, **changes)
        with open_file(path) as file:
            return list(blocks_of(found, file, index, imaging_of(found, Chain())))

    return call


@pytest.fixture
def small_blocks(monkeypatch):
    """Read five frames of 8 x 6 voxels at a time."""
    monkeypatch.setattr("musim.simulator.imaging.chain.BLOCK_BYTES", 5 * 8 * 6 * 8)


def noise(*shape, dtype=np.float32):
    values = np.random.default_rng(3).normal(size=(*shape, 2))
    return (values[..., 0] + (1j * values[..., 1] if dtype == np.complex64 else 0)).astype(dtype)


# The grid


def test_images_keep_the_grid_of_their_description(recording):
    found, _ = recording(noise(9, 8, 6), VELOCITY, depth_start=5, width_start=-3)
    imaging = imaging_of(found, Chain())
    assert imaging.velocimetry is None
    assert (imaging.depth.first, imaging.depth.step, imaging.depth.count) == (5, 0.2, 8)
    assert (imaging.width.first, imaging.width.step, imaging.width.count) == (-3, 0.3, 6)
    assert imaging.frame_rate == 500


@pytest.mark.parametrize(("given", "wanted"), [({}, 5e6), ({"demodulation_frequency": 4e6}, 4e6)])
def test_velocimetry_knows_how_the_images_came_about(recording, given, wanted):
    found, _ = recording(noise(9, 8, 6, dtype=np.complex64), IQ, sound_speed=1480, **given)
    chain = Chain(gate=0.7, ensemble=6, estimator="one-lag")
    settings = imaging_of(found, chain).velocimetry
    assert dataclasses.asdict(settings) == {
        "frame_rate": 500, "centre_frequency": 5e6, "depth_step": 0.2, "sound_speed": 1480,
        "demodulation_frequency": wanted, "gate": 0.7, "ensemble": 6, "estimator": "one-lag",
    }  # fmt: skip


@pytest.mark.parametrize("first_sample", [-2e-6, 0.0, 4e-6])
def test_echoes_make_an_image_within_what_was_sampled(recording, first_sample):
    found, _ = recording(noise(3, 16, 400), RF, first_sample=first_sample)
    depth, width = image_axes(found)
    wavelength = 1540 / 5e6 * 1000
    last = (first_sample + 399 / 20e6) * 1540e3 / 2
    assert depth.step == pytest.approx(wavelength / 2)
    assert depth.start == pytest.approx(max(first_sample * 1540e3 / 2, 0) + wavelength)
    end = depth.start + depth.length
    assert last - wavelength - depth.step < end <= last - wavelength + 1e-9
    assert (width.count, width.step) == (16, 0.3)
    np.testing.assert_allclose(width.positions, (np.arange(16) - 7.5) * 0.3)


def test_depths_begin_where_time_counts_from_the_middle_of_the_array(recording):
    late = 7.5 * 0.3 / 1540e3 * math.sin(math.radians(20))  # from the first element to the middle
    found, _ = recording(
        noise(3, 2, 16, 400), RF, axes="time,transmit,channel,sample", angles="0,20",
        first_sample=[4e-6, 4e-6 + late],
    )  # fmt: skip
    alone, _ = recording(noise(3, 16, 400), RF, first_sample="4 us")
    assert image_axes(found) == image_axes(alone)


def test_the_acquisition_is_in_the_units_of_the_chain(recording):
    found, _ = recording(
        noise(3, 2, 16, 400), RF, axes="time,transmit,channel,sample", angles="-10,20",
        element_width=0.25, first_sample="1 us",
    )  # fmt: skip
    acquisition = acquisition_of(found)
    assert acquisition.waves.angles == (math.radians(-10), math.radians(20))
    assert acquisition.probe.elements == 16
    assert (acquisition.probe.pitch, acquisition.probe.element_width) == (0.3, 0.25)
    assert acquisition.first_sample_times == (1e-6, 1e-6)
    assert (acquisition.sampling_frequency, acquisition.centre_frequency) == (20e6, 5e6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampling_frequency": "10 MHz"}, ["sampling", "mirror image", "bandwidth"]),
        ({"sampling_frequency": "20 MHz", "bandwidth": 2}, ["sampling", "overlaps"]),
        ({"sampling_frequency": "20 MHz", "first_sample": -1e-3}, ["samples", "found 400", "-0.0"]),
        ({"element_width": 0.4}, ["element width", "0.4 mm", "pitch"]),
    ],
)
def test_echoes_that_make_no_image_are_refused_before_any_is_read(
    recording, refused, changes, words
):
    found, _ = recording(noise(3, 16, 400), RF, **changes)
    with refused(*words):
        imaging_of(found, Chain())


# The blocks


@pytest.mark.parametrize("frames", [2, 5, 6, 23])
def test_blocks_are_the_frames_in_their_order(read, small_blocks, frames):
    values = noise(frames, 8, 6)
    blocks = read(values, VELOCITY)
    assert [len(block) for block in blocks[:-1]] == [5] * ((frames - 1) // 5)
    assert all(block.dtype == np.float32 for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), values)


def test_each_recording_of_a_file_is_read_alone(read, small_blocks):
    values = noise(8, 6, 3, 12)
    for index in range(3):
        blocks = read(values, VELOCITY, index, axes="depth,width,sequence,time")
        wanted = np.moveaxis(values[:, :, index], -1, 0)
        np.testing.assert_array_equal(np.concatenate(blocks), wanted)


@pytest.mark.parametrize("dtype", ["i2", "u1", "f2", "f4", "f8", ">f4", "i8"])
@pytest.mark.parametrize(
    ("unit", "scale"), [("mm/s", 1), ("cm/s", 10), ("m/s", 1000), ("um/s", 1e-3)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_velocity_is_in_mm_per_s_towards_the_transducer(read, dtype, unit, scale, sign):
    values = np.round(100 * np.abs(noise(4, 8, 6))).astype(dtype)
    (block,) = read(values, VELOCITY, velocity_unit=unit, sign=sign)
    np.testing.assert_allclose(block, values.astype("f8") * scale * sign, rtol=2e-7)


def test_iq_whose_phase_falls_is_conjugated(read):
    values = noise(4, 8, 6, dtype=np.complex64)
    np.testing.assert_array_equal(read(values, IQ)[0], values)
    np.testing.assert_array_equal(read(values, IQ, sign=-1)[0], values.conj())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("frame", [0, 4, 5, 22])
@pytest.mark.parametrize("description", [VELOCITY, IQ])
def test_samples_that_are_no_numbers_are_found_in_any_block(
    read, small_blocks, fails, bad, frame, description
):
    is_iq = description is IQ
    values = noise(23, 8, 6, dtype=np.complex64 if is_iq else np.float32)
    values[frame, 3, 2] = complex(1, bad) if is_iq else bad
    values[22, 7] = bad
    missing = "found 7 of 1104 samples missing"
    place = f"first in frame {frame} (depth 3, width 2, counted from 0)"
    with fails(InputError, "a.npy: array", missing, "NaN or infinite", place, "fill them in"):
        read(values, description)


def test_missing_samples_are_named_with_the_mark_of_their_file(tmp_path, small_blocks, refused):
    values = noise(23, 2, 8, 6)
    values[12, 1, 4, 5] = values[20, 1, 0, 0] = -9999
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/v"] = values
        file["scan/v"].attrs["_FillValue"] = np.float32(-9999)
    described = VELOCITY | {"axes": "time,sequence,depth,width"}
    with open_file(tmp_path / "a.h5") as file:
        found = resolve(Description.parse(described), file)
        imaging = imaging_of(found, Chain())
        assert sum(map(len, blocks_of(found, file, 0, imaging))) == 23
        with refused("scan/v: found 2 of 1104", "value -9999)", "12 of recording 1 (depth 4, w"):
            list(blocks_of(found, file, 1, imaging))


def test_large_samples_are_numbers(read):
    values = np.full((4, 8, 6), 3e38, np.float32)
    np.testing.assert_array_equal(read(values, VELOCITY)[0], values)
    with np.errstate(over="ignore"):
        assert len(read(np.full((4, 8, 6), 1.7e308), VELOCITY)[0]) == 4  # the sum is infinite


@pytest.mark.parametrize("clipped", [1, 2])
@pytest.mark.parametrize("end", [-32768, 32767])
def test_a_thousandth_at_full_scale_is_saturation(read, fails, clipped, end):
    values = np.zeros((3, 5, 2, 50), np.int16)  # 1500 samples
    values.reshape(-1)[7 : 7 + clipped] = end
    description = RF | {"axes": "time,transmit,channel,sample", "angles": "1,2,3,4,5"}
    if clipped == 1:
        assert len(read(values, description)[0]) == 3
        return
    words = ["found 0.13 % of the samples at full scale", "less than 0.1 %", "saturated"]
    with fails(InputError, "a.npy: array", *words):
        read(values, description)


def test_a_thousandth_itself_is_none(read):
    values = np.zeros((2, 2, 500), np.int16)
    values[0, 0, 3:5] = 32767  # 2 of 2000 samples
    assert len(read(values, RF)[0]) == 2


def test_full_scale_can_be_given(read, fails):
    values = noise(4, 8, 6, dtype=np.complex64)
    values.imag[0, 0, :4] = 9  # 4 parts of 384 are 1 %
    assert len(read(values, IQ)[0]) == 4
    assert len(read(values, IQ, saturation=10)[0]) == 4
    with fails(InputError, "a.npy: array", "found 1 % of the samples", "full scale"):
        read(values, IQ, saturation=9)
    with fails(InputError, "full scale"):
        read(-values, IQ, saturation=9)


def test_velocity_in_integers_has_no_full_scale(read):
    assert (read(np.full((4, 8, 6), 127, np.int8), VELOCITY)[0] == 127).all()


def test_the_band_of_echoes_and_their_aperture_are_those_of_the_description(read, recording):
    values = np.round(1000 * noise(3, 16, 200)).astype(np.int16)
    known = {"bandwidth": 0.4, "f_number": 2.5}
    (found,) = read(values, RF, **known)
    described, _ = recording(values, RF, **known)
    depth, width = image_axes(described)
    wanted = beamform(
        values[:, None], acquisition_of(described), PixelGrid(depth.positions, width.positions),
        bandwidth=0.4 * 5e6, f_number=2.5,
    )  # fmt: skip
    np.testing.assert_array_equal(found, wanted)
    for name in known:
        rest = {key: value for key, value in known.items() if key != name}
        assert not np.array_equal(read(values, RF, **rest)[0], found)


@pytest.mark.parametrize("sign", [1, -1])
def test_demodulated_echoes_are_beamformed_as_they_are(sign, read, recording):
    iq = noise(3, 16, 200, dtype=np.complex64)
    values = iq if sign > 0 else np.conj(iq)
    rates = {"sampling_frequency": "5 MHz", "demodulation_frequency": "4.5 MHz"}
    (found,) = read(values, RF, sign=sign, **rates)
    described, _ = recording(values, RF, sign=sign, **rates)
    depth, width = image_axes(described)
    taken_off = np.exp(2j * np.pi * (4.5 - 5) / 5 * np.arange(200))
    wanted = delay_and_sum(
        (iq * taken_off)[:, None].astype("c8"), acquisition_of(described),
        PixelGrid(depth.positions, width.positions),
    )  # fmt: skip
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    # Sampled at the centre frequency, real echoes have no band of their own.
    with pytest.raises(InputError, match="mirror image"):
        read(iq.real.copy(), RF, sampling_frequency="5 MHz")


def test_echoes_are_beamformed_in_pieces_as_at_once(read, monkeypatch):
    values = np.round(1000 * noise(37, 16, 200)).astype(np.int16)
    (whole,) = read(values, RF)
    monkeypatch.setattr("musim.simulator.imaging.chain.BLOCK_BYTES", 20 * 16 * 200 * 8)
    blocks = read(values, RF)
    assert [len(block) for block in blocks] == [16, 16, 5]
    assert whole.dtype == np.complex64
    assert np.abs(whole).max() > 0
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
