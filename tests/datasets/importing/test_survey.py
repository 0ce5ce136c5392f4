import tomllib

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import resolve
from musim.datasets.importing.survey import describe

PARAM = {
    "fs": 20e6 / 3, "pitch": 0.298e-3, "fc": 5e6, "c": 1480, "t0": 9.95e-6, "PRF": 10_000,
    "width": 0.262e-3, "Nelements": 64, "TXdelay": np.zeros((1, 64)), "bandwidth": 15,
}  # fmt: skip


def _survey(path):
    with open_file(path) as file:
        return describe(file)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_a_pymust_recording_is_understood_whole(version, tmp_path, matlab73):
    values = {"RF": np.ones((90, 64, 12), "i2"), "param": PARAM}
    path = tmp_path / "old.mat"
    if version == "5":
        scipy.io.savemat(path, values)
    else:
        path = matlab73(values)
    survey = _survey(path)
    assert survey.missing == ()
    assert [v.name for v in survey.variables if v.name == "RF"] == ["RF"]
    assert all(guess.reason for guess in survey.guesses)
    with open_file(path) as file:
        recording = resolve(survey.description, file)
    assert recording.shape == (1, 12, 1, 64, 90)
    assert (recording.frame_rate, recording.sound_speed) == (10_000, 1480)
    assert (recording.pitch, recording.element_width) == pytest.approx((0.298, 0.262))
    assert recording.bandwidth == pytest.approx(0.15)
    assert recording.first_samples == pytest.approx((9.95e-6,))
    assert recording.angles == (0,)
    text = survey.to_toml()
    assert "# guessed: param/Nelements is 64" in text
    assert Description.parse(tomllib.loads(text)) == survey.description


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "kind", "axes"),
    [
        ("x", (400, 128, 30), "i2", "rf", "time,channel,sample"),
        ("x", (400, 300, 128), "i2", "rf", "time,sample,channel"),
        ("rf", (9, 30, 128), "f4", "rf", "time,sample,channel"),
        ("x", (5, 7, 30, 128), "i2", "rf", "time,transmit,sample,channel"),
        ("x", (50, 30, 20), "c8", "iq", "time,depth,width"),
        ("x", (3, 50, 30, 20), "c8", "iq", "sequence,time,depth,width"),
        ("x", (50, 1, 30, 20), "f4", "velocity", "time,depth,width"),
        ("tvi", (50, 30, 64), "i2", "velocity", "time,depth,width"),
    ],
)
def test_kind_and_axes_follow_type_lengths_and_memory(name, shape, dtype, kind, axes, tmp_path):
    np.savez(tmp_path / "a.npz", **{name: np.ones(shape, dtype), "small": np.ones((2, 3))})
    values = _survey(tmp_path / "a.npz").values
    assert (values["kind"], values["variable"]) == (kind, name)
    assert ",".join(values["axes"]) == axes
    if dtype == "i2":
        return
    # The same array as MATLAB would hold it.
    scipy.io.savemat(tmp_path / "a.mat", {name: np.ones(shape, dtype).transpose()})
    reverse = axes.split(",")[::-1]
    if kind != "rf":  # of an image, depth runs down the columns
        reverse[:2] = ["depth", "width"]
    found = _survey(tmp_path / "a.mat").values
    assert found["axes"] == reverse


def test_real_and_imaginary_parts_are_found(tmp_path):
    parts = {"Q": np.ones((5, 6, 7)), "I": np.ones((5, 6, 7)), "x": np.ones((9, 9, 9))}
    np.savez(tmp_path / "a.npz", **parts, f0=5.2, fps=2000)
    values = _survey(tmp_path / "a.npz").values
    assert (values["kind"], values["real"], values["imaginary"]) == ("iq", "I", "Q")
    assert values["centre_frequency"] == "f0 [MHz]"
    assert values["frame_rate"] == "fps"
    assert "variable" not in values


@pytest.mark.parametrize(
    ("name", "shape", "kind", "axes"),
    [
        ("x", (9, 64, 30, 2), "iq", "time,depth,width,part"),
        ("IQ", (4, 9, 64, 30, 2), "iq", "sequence,time,depth,width,part"),
        ("IQ", (2, 9, 64, 30), "iq", "part,time,depth,width"),
        ("x", (2, 9, 64, 30), "rf", "time,transmit,channel,sample"),  # two frames, say
        ("tvi", (9, 64, 30, 2), "velocity", "sequence,time,depth,width"),
        ("IQ", (64, 30, 2), "velocity", "time,depth,width"),  # one frame, or two columns
    ],
)
def test_two_parts_side_by_side_are_iq(name, shape, kind, axes, tmp_path):
    np.savez(tmp_path / "a.npz", **{name: np.ones(shape, "i2" if kind == "rf" else "f4")})
    values = _survey(tmp_path / "a.npz").values
    assert (values["kind"], ",".join(values["axes"])) == (kind, axes)


@pytest.mark.parametrize(
    ("shape", "dtype", "axes"),
    [
        ((9, 64, 300), "c8", ["time", "channel", "sample"]),
        ((9, 64, 300, 2), "f4", ["time", "channel", "sample", "part"]),
        ((9, 64, 300), "f4", ["time", "channel", "sample"]),
    ],
)
def test_echoes_by_their_name_may_be_demodulated(shape, dtype, axes, tmp_path):
    np.savez(tmp_path / "a.npz", channel_data=np.ones(shape, dtype), fdemod=4e6)
    values = _survey(tmp_path / "a.npz").values
    assert (values["kind"], values["axes"]) == ("rf", axes)
    assert ("demodulation_frequency" in values) == (dtype == "c8" or "part" in axes)


def test_two_parts_are_found_in_the_order_of_matlab_and_by_name(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": np.ones((2, 64, 30, 9), "i2")})
    survey = _survey(tmp_path / "a.mat")
    assert survey.values["axes"] == ["part", "depth", "width", "time"]
    assert "two parts in the first axis" in survey.to_toml()
    named = xr.Dataset({"x": (("ri", "t", "z", "x"), np.ones((2, 9, 8, 7)))})
    named.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    assert _survey(tmp_path / "a.nc").values["axes"] == ["part", "time", "depth", "width"]


def test_names_and_units_of_the_file_are_taken(tmp_path):
    data = xr.Dataset(
        {"tvi": (("x", "z", "t"), np.ones((4, 5, 6)), {"units": "cm s-1"})},
        attrs={"PRF": 2.5, "frame_rate": 400.0},
    )
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    values = _survey(tmp_path / "a.nc").values
    assert values["axes"] == ["width", "depth", "time"]
    assert values["velocity_unit"] == "cm/s"
    assert values["frame_rate"] == "@frame_rate"


def test_coordinates_are_guesses_too(tmp_path):
    coords = {
        "time": ("time", np.arange(6) / 400, {"units": "s"}),
        "depth": ("depth", 1 + np.arange(5) * 0.2, {"units": "cm"}),
        "width": ("width", np.arange(4.0) ** 2, {"units": "mm"}),
    }
    data = xr.Dataset({"tvi": (("time", "depth", "width"), np.ones((6, 5, 4)))}, coords=coords)
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    survey = _survey(tmp_path / "a.nc")
    assert survey.values["frame_rate"] == 400
    assert (survey.values["depth_step"], survey.values["depth_start"]) == (2, 10)
    assert survey.missing == ("width_step",)


def test_angles_that_are_small_are_radians_and_name_their_axis(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["channel_data"] = np.ones((20, 3, 128, 90), "i2")
        file["angles"] = np.array([-0.1, 0, 0.1])
        file["prf"] = 9000.0
        file["dt"] = 5e-8
        file["c"] = 1.54
        file["pitch"] = np.array([1j])
        file["channel_data"].attrs["fc"] = 7.0
    survey = _survey(tmp_path / "a.h5")
    values = survey.values
    assert values["axes"] == ["time", "transmit", "channel", "sample"]
    assert values["angles"] == "angles [rad]"
    assert values["sampling_frequency"] == pytest.approx(2e7)
    assert values["sound_speed"] in {"c [km/s]", "c [mm/us]"}
    assert values["centre_frequency"] == "channel_data@fc [MHz]"
    reason = next(guess.reason for guess in survey.guesses if guess.key == "frame_rate")
    assert "DIVIDE" in reason
    assert survey.missing == ("pitch",)
    assert "# pitch = " in survey.to_toml()


@pytest.mark.parametrize(
    ("angles", "wanted"),
    [
        ([-20.0, -10.0, 0.3], "angles"),
        ([-0.3, 10.0, 20.0], "angles"),
        ([-0.61, 0.3, 0.5], "angles"),
        ([-0.59, 0.0, 0.3], "angles [rad]"),
        ([-0.3, 0.0, 0.59], "angles [rad]"),
        ([0.0, 0.0, 0.0], "angles"),
    ],
)
def test_the_largest_angle_either_way_tells_degrees_from_radians(tmp_path, angles, wanted):
    np.savez(tmp_path / "a.npz", rf=np.ones((9, 3, 128, 30), "i2"), angles=angles)
    assert _survey(tmp_path / "a.npz").values["angles"] == wanted


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (5e-8, {"sampling_frequency": 2e7}),  # of fast time
        (2e-5, {"frame_rate": 5e4}),
        (1e-4, {"frame_rate": 1e4}),
        (0.0, {}),
        (-1e-4, {}),
    ],
)
def test_a_step_of_time_is_of_fast_time_or_of_frames(tmp_path, step, wanted):
    np.savez(tmp_path / "a.npz", rf=np.ones((20, 128, 90), "i2"), dt=step)
    values = _survey(tmp_path / "a.npz").values
    found = {name: values[name] for name in ("sampling_frequency", "frame_rate") if name in values}
    assert found == pytest.approx(wanted)


def test_what_means_nothing_is_not_guessed(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.ones(5), fs=np.nan, name="text")
    survey = _survey(tmp_path / "a.npz")
    assert survey.guesses == ()
    assert survey.description is None
    assert {v.name for v in survey.variables} == {"a", "fs", "name"}
    assert tomllib.loads(survey.to_toml()) == {}
    np.savez(tmp_path / "a.npz", x=np.ones((5, 6, 7)), frame_rate=np.nan, prf=-3, dz=1e9)
    assert {"frame_rate", "depth_step"} & _survey(tmp_path / "a.npz").values.keys() == set()


@pytest.mark.parametrize(
    ("texts", "unit", "reason"),
    [
        ({"units": "cm/s"}, "cm/s", "units states it"),
        ({"velocity_unit": "m s-1", "note": "mm/s"}, "m/s", "velocity_unit states it"),
        ({"units": "volts"}, "mm/s", "CHECK: the file states no unit of velocity"),
        ({}, "mm/s", "CHECK: the file states no unit of velocity"),
    ],
)
def test_the_unit_of_velocity_may_be_a_text_beside_it(tmp_path, texts, unit, reason):
    scipy.io.savemat(tmp_path / "v.mat", {"vel": np.zeros((8, 6, 40)), **texts})
    with open_file(tmp_path / "v.mat") as file:
        (guess,) = [one for one in describe(file).guesses if one.key == "velocity_unit"]
    assert (guess.value, guess.reason) == (unit, reason)
