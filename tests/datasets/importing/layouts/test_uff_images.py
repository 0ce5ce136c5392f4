"""Beamformed images in UFF: one axis of pixels becomes width and depth."""

import h5py
import numpy as np
import pytest

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe

RANDOM = np.random.default_rng(6)
IMAGES = (RANDOM.standard_normal((4, 5, 6)) + 1j * RANDOM.standard_normal((4, 5, 6))).astype("c8")
"""(frame, depth, width)"""
DEPTHS, WIDTHS = 2e-3 + 1e-4 * np.arange(5), 3e-4 * (np.arange(6) - 2.5)


def write(path, images=IMAGES, **changes):
    """Write images as USTB's ``write_object.m`` does; changes are of the fields."""
    # In MATLAB pixel x channel x wave x frame, with the pixels of a column after one another.
    pixels = images.swapaxes(-1, -2).reshape(len(images), 1, 1, -1)
    values = {
        "data/real": pixels.real, "data/imag": pixels.imag, "scan/x_axis": WIDTHS,
        "scan/z_axis": DEPTHS, "pulse/center_frequency": 5e6, "modulation_frequency": 0.0,
    } | changes  # fmt: skip
    with h5py.File(path, "w") as file:
        group = file.create_group("b_data")
        group.attrs["class"] = "uff.beamformed_data"
        for name, value in values.items():
            if value is not None:
                group[name] = np.atleast_2d(np.asarray(value, "f4"))
    return path


def test_images_are_described_and_read(tmp_path):
    with open_file(write(tmp_path / "a.uff")) as file:
        assert file.format == "UFF"
        found = describe(file)
        assert (found.layout, found.missing) == ("UFF (beamformed)", ("frame_rate",))
        assert found.remarks == ()
        recording = resolve(
            type(found.description).parse({**found.values, "frame_rate": 500}), file
        )
        array = recording.array(file)
        assert np.array_equal(array.read()[0], IMAGES)
        piece = array.read((slice(0, 1), slice(1, 3), slice(2, 4), slice(1, 5)))
        assert np.array_equal(piece[0], IMAGES[1:3, 2:4, 1:5])
    assert (recording.depth_step, recording.depth_start) == pytest.approx((0.1, 2))
    assert (recording.width_step, recording.width_start) == pytest.approx((0.3, -0.75))
    assert (recording.centre_frequency, recording.demodulation_frequency) == (5e6, 0)


def test_the_carrier_that_was_taken_off_is_named(tmp_path):
    with open_file(write(tmp_path / "a.uff", modulation_frequency=5e6)) as file:
        assert describe(file).values["demodulation_frequency"] == 5e6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data/imag": None, "data/real": None, "data": np.ones((4, 1, 1, 30))}, "not complex"),
        ({"scan/x_axis": None, "scan/azimuth_axis": WIDTHS}, "not of a linear scan"),
        ({"images": IMAGES[:1]}, "found one frame"),
        ({n: np.ones((4, 3, 1, 30)) for n in ("data/real", "data/imag")}, "3 images a frame"),
    ],
)
def test_images_that_cannot_be_imported_are_explained(changes, words, tmp_path):
    with open_file(write(tmp_path / "a.uff", **changes)) as file:
        (remark,) = describe(file).remarks
    assert words in remark


def test_steps_that_are_not_even_are_missing(tmp_path):
    with open_file(write(tmp_path / "a.uff", **{"scan/z_axis": DEPTHS**2})) as file:
        assert "depth_step" in describe(file).missing
