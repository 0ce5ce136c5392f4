"""Images in zea: IQ in two parts, velocity in m/s, on the grid of their coordinates."""

import h5py
import numpy as np
import pytest

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe

VALUES = np.random.default_rng(7).standard_normal((4, 5, 6, 2)).astype("f4")
"""(frame, z, x, part)"""
DEPTHS, WIDTHS = 2e-3 + 1e-4 * np.arange(5), 3e-4 * (np.arange(6) - 2.5)
GRID = np.stack(np.broadcast_arrays(WIDTHS, 0 * WIDTHS, DEPTHS[:, None]), -1).astype("f4")
RAYS = np.stack([np.sin(1e3 * WIDTHS), 0 * WIDTHS, np.cos(1e3 * WIDTHS)], -1)
SECTOR = (DEPTHS[:, None, None] * RAYS).astype("f4")


def write(path, name="beamformed_data", values=VALUES, coordinates=GRID, **changes):
    scan = {
        "sampling_frequency": 2e7, "center_frequency": 5e6, "demodulation_frequency": 4.8e6,
        "sound_speed": 1500.0, "time_to_next_transmit": np.full((4, 2), 1e-3),
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for key, value in (scan | changes).items():
            file[f"scan/{key}"] = value
        if coordinates is None:  # as files of before
            file[f"data/{name}"] = values
        else:
            file[f"data/{name}/values"], file[f"data/{name}/coordinates"] = values, coordinates
    return path


def test_iq_is_described_and_read(tmp_path):
    with open_file(write(tmp_path / "a.hdf5")) as file:
        found = describe(file)
        assert (found.layout, found.missing, found.remarks) == ("zea (images)", (), ())
        recording = resolve(found.description, file)
        wanted = VALUES[..., 0] + 1j * VALUES[..., 1]
        np.testing.assert_array_equal(recording.array(file).read()[0], wanted)
    assert (recording.frame_rate, recording.demodulation_frequency) == (500, 4.8e6)
    assert (recording.depth_step, recording.depth_start) == pytest.approx((0.1, 2))
    assert (recording.width_step, recording.width_start) == pytest.approx((0.3, -0.75))


@pytest.mark.parametrize("frames", [False, True])
def test_velocity_is_in_metres_a_second(frames, tmp_path):
    coordinates = np.stack([GRID] * 4) if frames else GRID
    path = write(tmp_path / "a.hdf5", "tissue_doppler", VALUES[..., 0], coordinates)
    with open_file(path) as file:
        recording = resolve(describe(file).description, file)
    assert (recording.kind, recording.velocity_scale) == ("velocity", 1000)
    assert recording.width_step == pytest.approx(0.3)


def test_files_of_before_have_no_coordinates(tmp_path):
    with open_file(write(tmp_path / "a.hdf5", coordinates=None)) as file:
        found = describe(file)
    assert found.missing == ("depth_step", "width_step")
    assert found.values["variable"] == "data/beamformed_data"


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("image", {"values": VALUES[..., 0]}, "without their phase"),
        ("beamformed_data", {"values": VALUES[..., :1]}, "found beamformed RF"),
        ("beamformed_data", {"values": VALUES[:1]}, "found one frame"),
        ("beamformed_data", {"coordinates": SECTOR}, "no even grid"),
        ("tissue_doppler", {"values": VALUES}, "found volumes"),
    ],
)
def test_images_that_cannot_be_imported_are_explained(name, changes, words, tmp_path):
    with open_file(write(tmp_path / "a.hdf5", name, **changes)) as file:
        (remark,) = describe(file).remarks
    assert words in remark
