"""What coordinates say of time, depth and width: steps, order, gaps, and contradictions."""

import h5py
import numpy as np
import pytest
import xarray as xr

from musim.datasets.importing.coordinates import read_coordinate
from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.planning import plan
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.chain import Chain

FRAMES, ROWS, COLUMNS = 40, 6, 5
TIMES = np.arange(FRAMES) / 400
VALUES = np.random.default_rng(6).standard_normal((FRAMES, ROWS, COLUMNS))
VELOCITY = {"kind": "velocity"}


@pytest.fixture
def save(tmp_path):
    """Save a velocity recording with coordinates; takes what differs, and returns its path."""

    def call(time=TIMES, depth=None, width=None, units=("s", "mm", "mm"), positive=""):
        depth = np.arange(ROWS) * 0.5 + 3 if depth is None else depth
        width = np.arange(COLUMNS) * 0.2 - 0.4 if width is None else width
        coordinates = {
            name: (name, values, {"units": unit} if unit else {})
            for name, values, unit in zip(
                ("time", "depth", "width"), (time, depth, width), units, strict=True
            )
        }
        data = xr.Dataset({"v": (("time", "depth", "width"), VALUES)}, coordinates)
        if positive:
            data.depth.attrs["positive"] = positive
        data.to_netcdf(tmp_path / "a.nc", engine="scipy")
        return tmp_path / "a.nc"

    return call


def _resolved(path, **change):
    with open_file(path) as file:
        recording = resolve(Description.parse(VELOCITY | change), file)
        return recording, recording.array(file).read()[0]


def test_a_file_that_says_all_needs_no_more_than_its_kind(save):
    recording, data = _resolved(save())
    assert recording.axes == ("time", "depth", "width")
    assert (recording.frame_rate, recording.depth_step, recording.width_step) == (400, 0.5, 0.2)
    assert (recording.depth_start, recording.width_start) == (3, -0.4)
    assert (recording.turned, recording.remarks) == ((), ())
    np.testing.assert_array_equal(data, VALUES)


@pytest.mark.parametrize("axis", ["time", "depth", "width"])
def test_what_falls_is_turned_and_said(save, axis):
    place = ("time", "depth", "width").index(axis)
    rising = (TIMES, np.arange(ROWS) * 0.5 + 3, np.arange(COLUMNS) * 0.2 - 0.4)[place]
    path = save(**{axis: rising[::-1]})
    recording, data = _resolved(path)
    np.testing.assert_array_equal(data, np.flip(VALUES, place))
    assert recording.turned == (axis,)
    (remark,) = recording.remarks
    wanted = f"{axis}: falls, from {rising[-1]:g} to {rising[0]:g} "
    assert remark.startswith(wanted)
    assert f"so that {axis} rises" in remark
    assert (recording.frame_rate, recording.depth_start, recording.width_start) == (400, 3, -0.4)
    # In any piece, and whatever numbers are given.
    given = {"frame_rate": 400, "size": [3, 1]}
    with open_file(path) as file:
        recording = resolve(Description.parse(VELOCITY | given), file)
        piece = recording.array(file).read((slice(1), slice(3, 9), slice(1, 4), slice(2, 3)))
    np.testing.assert_array_equal(piece[0], np.flip(VALUES, place)[3:9, 1:4, 2:3])
    assert recording.turned == (axis,)


def test_order_needs_no_unit(save, refused):
    path = save(depth=np.arange(ROWS)[::-1], units=("s", "", "mm"))
    recording, data = _resolved(path, depth_step=0.5)
    np.testing.assert_array_equal(data, VALUES[:, ::-1])
    assert (recording.depth_step, recording.depth_start) == (0.5, 0.25)
    assert recording.remarks == (
        "depth: falls, from 5 to 0; the data are turned, so that depth rises",
    )
    with refused("found no depth_step (mm; depth: no known unit (found none, wanted one of mm, m"):
        _resolved(path)


@pytest.mark.parametrize(
    ("depth", "positive", "turned"),
    [
        (-np.arange(ROWS) * 0.5 - 3, "", ()),  # heights that fall are depths that rise
        ((-np.arange(ROWS) * 0.5 - 3)[::-1], "", ("depth",)),
        (-np.arange(ROWS) * 0.5 - 3, "up", ()),
        (np.arange(ROWS) * -0.5 + 3, "down", ("depth",)),
    ],
)
def test_heights_are_depths_with_the_other_sign(save, depth, positive, turned):
    recording, _ = _resolved(save(depth=depth, positive=positive))
    assert recording.turned == turned
    assert recording.depth_start == (0.5 if positive == "down" else 3)
    assert any("counts upwards" in text for text in recording.remarks) == (positive != "down")


def test_a_gap_is_said_with_its_place_and_size(save):
    time = TIMES.copy()
    time[25:] += 20 / 400
    recording, _ = _resolved(save(time=time))
    assert recording.frame_rate == pytest.approx(400)
    assert recording.remarks == (
        "time: has a gap of 0.05 s (some 20 frames) after frame 24, at 0.06 s; frames are taken to "
        "follow one another evenly",
    )
    time[10:] += 3 / 400
    (remark,) = _resolved(save(time=time), frame_rate=400)[0].remarks
    assert (
        "2 gaps, 23 frames in all, the longest of 0.05 s (some 20 frames) after frame 24" in remark
    )


def test_jitter_is_said_with_its_place_and_size(save):
    time = TIMES.copy()
    time[30] += 5e-4
    recording, _ = _resolved(save(time=time))
    assert recording.frame_rate == pytest.approx(400)
    (remark,) = recording.remarks
    assert remark.startswith(
        "time: has steps from 0.002 to 0.003 s about 0.0025 s, the oddest after"
    )
    assert "after frame 29;" in remark or "after frame 30;" in remark


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_rounding_of_a_late_start_is_no_jitter(save, dtype):
    # Seconds of the day in single precision, and seconds since 1970 in double.
    start = 3000 if dtype == "f4" else 1.7e9
    recording, _ = _resolved(save(time=(start + TIMES).astype(dtype)))
    assert recording.frame_rate == pytest.approx(400, rel=1e-2)
    assert recording.remarks == ()


def test_frames_out_of_order_have_no_rate(save, refused):
    time = TIMES.copy()
    time[[7, 8]] = time[[8, 7]]
    path = save(time=time)
    with refused("frame_rate (Hz; time: found 0.0175 s after 0.02 s, at 8, wanted", "even and"):
        _resolved(path)
    (remark,) = _resolved(path, frame_rate=400)[0].remarks
    assert "0.0175 s after 0.02 s" in remark
    assert remark.endswith("what is given is taken")
    irregular = np.cumsum(np.where(np.arange(FRAMES) % 2, 0.001, 0.0019))
    path = save(time=irregular)
    with refused("frame_rate (Hz; time: found steps from 0.001 to 0.0019 s"):
        _resolved(path)


def test_contradictions_are_said_and_what_is_given_is_taken(save):
    recording, _ = _resolved(save(), frame_rate=2000, depth_step=1, width_step=0.2, width_start=5)
    assert (recording.frame_rate, recording.depth_step, recording.depth_start) == (2000, 1, 0.5)
    assert (recording.width_step, recording.width_start) == (0.2, 5)
    rate, step, start = recording.remarks
    assert rate.startswith(
        "frame_rate: found 2000 Hz given, and 400 Hz in the file (time); 2000 Hz is"
    )
    assert "leave out `description.frame_rate`" in rate
    assert step.startswith("depth_step: found 1 mm given, and 0.5 mm in the file (depth)")
    assert start.startswith("width_start: found 5 mm given, and -0.4 mm in the file (width)")
    # What differs by rounding does not contradict; then the start is the file's.
    recording, _ = _resolved(save(), frame_rate=400.4, depth_step=0.502)
    assert (recording.remarks, recording.depth_start) == ((), 3)


@pytest.mark.parametrize(
    ("size", "said"),
    [([3, 1], []), ([2.5, 0.8], []), ([3, 4], ["width"]), ([20, 20], ["depth", "width"])],
)
def test_a_size_may_reach_from_edge_to_edge_or_from_centre_to_centre(save, size, said):
    recording, _ = _resolved(save(), size=size)
    assert [text.split(":")[0] for text in recording.remarks] == said
    assert all("leave out `description.size`" in text for text in recording.remarks)
    assert recording.depth_step == size[0] / ROWS


def test_an_import_and_a_survey_say_the_same(save):
    path = save(depth=np.arange(ROWS)[::-1] * 0.5)
    remark = "depth: falls, from 2.5 to 0 mm; the data are turned, so that depth rises"
    planned = plan(path, Description.parse(VELOCITY), Chain())
    assert planned.remarks == [f"{path}: {remark}"]
    with open_file(path) as file:
        survey = describe(file)
    assert survey.remarks == (remark,)
    assert f"# {remark}\n" in survey.to_toml()
    assert survey.values["depth_start"] == 0


def test_names_that_contradict_a_coordinate_are_said(tmp_path):
    data = xr.Dataset(
        {"v": (("time", "depth", "width"), VALUES)}, {"time": ("time", TIMES, {"units": "s"})},
        {"frame_rate": 2000.0},
    )  # fmt: skip
    data.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with open_file(tmp_path / "a.nc") as file:
        (remark,) = describe(file).remarks
    assert "found 2000 Hz given, and 400 Hz in the file (time)" in remark
    assert "leave out frame_rate to" in remark


def test_coordinates_lie_beside_the_data_or_above_them(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/raw/v"] = VALUES
        file["scan/t"] = TIMES * 1000
        file["scan/t"].attrs["units"] = "ms"
        file["scan/raw/Z"] = np.arange(ROWS) * 0.5
        file["scan/raw/lateral"] = np.arange(COLUMNS + 1)
        file["other/x"] = np.arange(COLUMNS)
    with open_file(tmp_path / "a.h5") as file:
        data = file.info("scan/raw/v")
        found = {
            axis: read_coordinate(file, data, axis, length=length)
            for axis, length in (("time", FRAMES), ("depth", ROWS), ("width", COLUMNS))
        }
    assert (found["time"].name, found["time"].step) == ("scan/t", 0.0025)
    assert (found["depth"].name, found["depth"].step) == ("scan/raw/Z", None)
    assert found["depth"].fault.startswith("no known unit")
    assert found["width"] is None  # of another length, and of another group
