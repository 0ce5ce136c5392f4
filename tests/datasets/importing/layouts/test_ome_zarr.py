"""OME-Zarr: steps and rate from the transformations, of the highest resolution."""

import shutil

import numpy as np
import pytest
import zarr

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe

TIME, DEPTH, WIDTH = (
    {"name": "t", "type": "time", "unit": "millisecond"},
    {"name": "y", "type": "space", "unit": "millimeter"},
    {"name": "x", "type": "space", "unit": "micrometer"},
)
CHANNEL, PLANE = {"name": "c", "type": "channel"}, {"name": "z", "type": "space"}


@pytest.fixture
def write(tmp_path):
    """Write an image at two resolutions; takes its axes, values, steps and more."""

    def call(values, axes=(TIME, DEPTH, WIDTH), scale=(2.5, 0.2, 300), version="0.5", more=(),
             common=()):  # fmt: skip
        steps = [{"type": "scale", "scale": list(scale)}, *more]
        coarse = [{"type": "scale", "scale": [2 * s for s in scale]}]
        described = {
            "version": version,
            "axes": list(axes),
            "datasets": [
                {"path": "0", "coordinateTransformations": steps},
                {"path": "1", "coordinateTransformations": coarse},
            ],
            "coordinateTransformations": list(common),
        }
        attributes = {"multiscales": [described]}
        if version == "0.5":
            attributes = {"ome": {"version": "0.5", **attributes}}
        group = zarr.create_group(
            str(tmp_path / "a.zarr"), zarr_format=3 if version == "0.5" else 2,
            attributes=attributes,
        )  # fmt: skip
        group.create_array("0", data=values)
        group.create_array("1", data=values[..., ::2])
        return tmp_path / "a.zarr"

    return call


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("zipped", [False, True])
def test_images_are_described_whole(version, zipped, write, tmp_path):
    move = [{"type": "translation", "translation": [0, 3, 600]}]
    twice = [{"type": "scale", "scale": [1, 2, 1]}]
    values = np.random.default_rng(1).standard_normal((6, 5, 4)).astype("f4")
    path = write(values, version=version, more=move, common=twice)
    if zipped:
        path = shutil.make_archive(str(tmp_path / "a.ome.zarr"), "zip", path)
    with open_file(path) as file:
        found = describe(file)
        assert (found.layout, found.missing, found.remarks) == ("OME-Zarr", (), ())
        recording = resolve(found.description, file)
        assert np.array_equal(recording.array(file).read()[0], values)
    assert found.values["variable"] == "0"
    assert (recording.kind, recording.frame_rate) == ("velocity", 400)
    assert (recording.depth_step, recording.depth_start) == (0.4, 6)
    assert (recording.width_step, recording.width_start) == (0.3, 0.6)


def test_two_channels_are_parts_and_planes_of_z_and_x_are_images(write):
    axes = (TIME, CHANNEL, {**DEPTH, "name": "z"}, WIDTH)
    with open_file(write(np.ones((6, 2, 5, 4), "f4"), axes, (2, 1, 0.2, 300))) as file:
        values = describe(file).values
    assert (values["kind"], values["axes"]) == ("iq", ["time", "part", "depth", "width"])


def test_complex_values_are_iq_and_axes_of_one_are_left_out(write):
    axes = (TIME, CHANNEL, PLANE, DEPTH, WIDTH)
    with open_file(write(np.ones((6, 1, 1, 5, 4), "c8"), axes, (2, 1, 1, 0.2, 300))) as file:
        found = describe(file)
        assert found.missing == ("centre_frequency",)
    assert (found.values["kind"], found.values["axes"]) == ("iq", ["time", "depth", "width"])


def test_what_is_no_film_of_images_is_named(write):
    axes = (CHANNEL, PLANE, DEPTH, WIDTH)
    with open_file(write(np.ones((3, 6, 5, 4), "f4"), axes, (1, 1, 0.2, 300))) as file:
        remarks = describe(file).remarks
    assert remarks[0].startswith("found one frame")
    assert [text.split(",")[0] for text in remarks[1:]] == ["found 3 along c", "found 6 along z"]


def test_units_that_are_not_said_are_missing(write):
    axes = [{key: value for key, value in axis.items() if key != "unit"}
            for axis in (TIME, DEPTH, WIDTH)]  # fmt: skip
    with open_file(write(np.ones((6, 5, 4), "f4"), axes)) as file:
        assert describe(file).missing == ("frame_rate", "depth_step", "width_step")


@pytest.mark.parametrize(
    "attributes",
    [
        {"multiscales": []},
        {"multiscales": [{"axes": [], "datasets": [{"path": "0"}]}]},
        {"multiscales": [{"axes": [TIME, DEPTH, WIDTH], "datasets": [{"path": "no"}]}]},
        {"ome": {"multiscales": [{"axes": [1, 2, 3], "datasets": [{"path": "0"}]}]}},
        {"ome": 5},
    ],
)
def test_attributes_that_are_malformed_are_no_layout(attributes, tmp_path):
    group = zarr.create_group(str(tmp_path / "a.zarr"), attributes=attributes)
    group.create_array("0", data=np.ones((6, 5, 4), "f4"))
    with open_file(tmp_path / "a.zarr") as file:
        found = describe(file)
    assert (found.layout, found.values["kind"]) == ("", "velocity")
