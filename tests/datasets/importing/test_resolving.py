import dataclasses

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.resolving import looks_swapped, resolve
from musim.simulator.errors import InputError

PARAM = {
    "fs": 20e6 / 3, "pitch": 0.298e-3, "fc": 5e6, "c": 1480, "t0": 9.95e-6, "PRF": 10_000,
    "width": 0.262e-3, "Nelements": 8, "TXdelay": np.zeros((1, 8)), "bandwidth": 15,
}  # fmt: skip
RF = {
    "kind": "rf", "variable": "RF", "axes": ["sample", "channel", "time"],
    "frame_rate": "param/PRF", "centre_frequency": "param/fc", "sampling_frequency": "param/fs",
    "sound_speed": "param/c", "pitch": "param/pitch [m]", "element_width": "param/width [m]",
    "first_sample": "param/t0", "delays": "param/TXdelay", "bandwidth": "param/bandwidth [%]",
}  # fmt: skip
IMAGES = {
    "kind": "velocity", "variable": "x", "axes": ["time", "depth", "width"],
    "frame_rate": 500, "depth_step": 0.5, "width_step": "0.2 mm",
}  # fmt: skip
ECHOES = np.random.default_rng(1).integers(-2000, 2000, (30, 8, 5)).astype("i2")


def _get(path, values):
    with open_file(path) as file:
        recording = resolve(Description.parse(values), file)
        return recording, recording.array(file).read()


@pytest.fixture
def images(write):
    """A velocity recording of 6 frames of 5 x 4 pixels; takes what differs."""
    values = np.random.default_rng(2).standard_normal((6, 5, 4))

    def call(change, name="a.h5", data=values):
        return _get(write(name, data), IMAGES | change)

    return call


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("2 us", (2e-6, 2e-6)),
        ("1 us, 3 us", (1e-6, 3e-6)),
        ([1e-6, 3e-6], (1e-6, 3e-6)),
        ("starts [us]", (4e-6, 5e-6)),
    ],
)
def test_every_transmit_has_a_first_sample_of_its_own(given, wanted, tmp_path, refused):
    np.savez(tmp_path / "a.npz", rf=np.ones((3, 2, 8, 30), "i2"), starts=np.array([4.0, 5.0]))
    values = {
        "kind": "rf", "variable": "rf", "axes": "time,transmit,channel,sample", "angles": [0, 5],
        "frame_rate": 500, "centre_frequency": 5e6, "sampling_frequency": 2e7, "pitch": 0.3,
    }  # fmt: skip
    recording, _ = _get(tmp_path / "a.npz", values | {"first_sample": given})
    assert recording.first_samples == pytest.approx(wanted)
    with refused("first_sample: found 3", "wanted one, or 2"):
        _get(tmp_path / "a.npz", values | {"first_sample": [1e-6] * 3})


IQ = {"kind": "iq", "frame_rate": 500, "centre_frequency": 5e6, "size": [5, 5]}


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_parts_along_an_axis_are_complex_numbers(axis, tmp_path):
    random = np.random.default_rng(4)
    real, imaginary = random.integers(-2000, 2000, (2, 6, 5, 4)).astype("i2")
    np.save(tmp_path / "a.npy", np.stack([real, imaginary], axis))
    axes = ["time", "depth", "width"]
    axes.insert(axis, "part")
    with open_file(tmp_path / "a.npy") as file:
        recording = resolve(Description.parse(IQ | {"axes": axes}), file)
        array = recording.array(file)
        assert (array.shape, array.dtype) == ((1, 6, 5, 4), "c8")
        whole = (real + 1j * imaginary)[None]
        assert np.array_equal(array.read(), whole)
        piece = array.read((slice(0, 1), slice(2, 5), slice(1, 3)))
        assert np.array_equal(piece, whole[:, 2:5, 1:3])
    assert recording.saturation == (-32768, 32767)


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [
        ((6, 5, 4, 3), "f4", ["found 3 along part", "wanted 2"]),
        ((6, 5, 4, 2), "c8", ["found part for complex numbers"]),
    ],
)
def test_parts_that_are_none_are_refused(shape, dtype, words, tmp_path, refused):
    np.save(tmp_path / "a.npy", np.ones(shape, dtype))
    with refused("a.npy: array: axes", *words):
        _get(tmp_path / "a.npy", IQ | {"axes": ["time", "depth", "width", "part"]})


def test_parts_have_an_axis_or_names_of_their_own(refused):
    axes = ["time", "depth", "width", "part"]
    with refused("axes: found part beside real and imaginary"):
        Description.parse(IQ | {"axes": axes, "real": "a", "imaginary": "b"})


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_one_description_fits_both_matlab_versions(version, tmp_path, matlab73):
    values = {"RF": ECHOES, "param": PARAM}
    if version == "5":
        path = tmp_path / "a.mat"
        scipy.io.savemat(path, values, do_compression=True)
    else:
        path = matlab73(values)
    recording, data = _get(path, RF)
    assert np.array_equal(data[0, :, 0], ECHOES.transpose(2, 1, 0))
    assert recording.shape == data.shape == (1, 5, 1, 8, 30)
    assert recording.lengths["channel"] == 8
    found = {
        key: getattr(recording, key)
        for key in ("frame_rate", "centre_frequency", "sound_speed", "first_samples")
    }
    assert found == {
        "frame_rate": 10_000, "centre_frequency": 5e6, "sound_speed": 1480,
        "first_samples": (9.95e-6,),
    }  # fmt: skip
    assert recording.sampling_frequency == pytest.approx(20e6 / 3)
    assert (recording.pitch, recording.element_width) == pytest.approx((0.298, 0.262))
    assert (recording.angles, recording.bandwidth) == ((0.0,), pytest.approx(0.15))
    assert recording.saturation == (-32768, 32767)
    assert (recording.depth_step, recording.velocity_scale) == (None, 1)
    assert recording.demodulation_frequency is None


def test_doubles_that_matlab_saved_as_integers_have_no_full_scale(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"RF": ECHOES, "param": PARAM})
    assert _get(path, RF)[0].saturation == (-32768, 32767)
    content = bytearray(path.read_bytes())
    assert content[144] == 10  # the class: int16
    content[144] = 6  # double, of which MATLAB saves whole numbers as the integers they fit
    path.write_bytes(content)
    recording, data = _get(path, RF)
    assert recording.saturation is None
    assert data.dtype == "i2"
    recording, _ = _get(path, RF | {"saturation": 2047})
    assert recording.saturation == (-2047, 2047)


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(["sequence", "time", "transmit", "channel", "sample"]),
    st.lists(st.sampled_from(["sequence", "transmit"]), unique=True),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=5, max_size=5),
)
def test_any_order_of_axes_gives_one(tmp_path_factory, order, absent, ends):
    lengths = {"sequence": 2, "time": 4, "transmit": 3, "channel": 6, "sample": 7}
    lengths |= dict.fromkeys(absent, 1)
    canonical = [*lengths]
    whole = np.arange(np.prod([*lengths.values()]), dtype="i2").reshape([*lengths.values()])
    kept = [name for name in order if name not in absent]
    squeezed = whole.squeeze(tuple(canonical.index(name) for name in absent))
    left = [name for name in canonical if name not in absent]
    path = tmp_path_factory.mktemp("a") / "a.npy"
    np.save(path, squeezed.transpose([left.index(name) for name in kept]))
    values = {k: v for k, v in RF.items() if not isinstance(v, str) or "param" not in v}
    values |= {"axes": kept, "frame_rate": 100, "centre_frequency": 5e6, "pitch": 0.3}
    values |= {"sampling_frequency": 2e7, "variable": "array"}
    values |= {"angles": [0.0] * lengths["transmit"]}
    with open_file(path) as file:
        recording = resolve(Description.parse(values), file)
        slices = tuple(slice(*pair) for pair in ends)
        piece = recording.array(file).read(slices)
        assert np.array_equal(piece, whole[slices])
        assert recording.shape == whole.shape


def test_axes_of_length_one_need_no_name(images, tmp_path):
    data = np.arange(120.0).reshape(1, 6, 1, 5, 4)
    _, found = images({}, data=data)
    assert np.array_equal(found[0], data[0, :, 0])
    one = data[0, 0]  # (1, 5, 4): one frame is no sequence of images
    for change, shape in (
        ({"axes": ["time", "depth", "width"]}, data.shape),
        ({"axes": ["time", "depth", "width"]}, one.shape),
    ):
        if shape == one.shape:
            with pytest.raises(InputError, match="1 along time"):
                images(change, data=one)
    # MATLAB drops last axes of length 1, though the description has them.
    scipy.io.savemat(tmp_path / "a.mat", {"x": data[0, :, 0]})
    values = IMAGES | {"axes": ["time", "depth", "width", "sequence"]}
    assert np.array_equal(_get(tmp_path / "a.mat", values)[1][0], data[0, :, 0])


def test_only_what_is_asked_for_is_read(write):
    data = np.arange(120.0).reshape(6, 5, 4)
    with open_file(write("a.h5", data)) as file:
        recording = resolve(Description.parse(IMAGES), file)
        asked = []
        read = file._read
        file._read = lambda info, slices: asked.append(slices) or read(info, slices)
        found = recording.array(file).read((slice(1), slice(2, 4), slice(None), slice(1, 2)))
    assert np.array_equal(found[0], data[2:4, :, 1:2])
    assert asked == [(slice(2, 4), slice(0, 5), slice(1, 2))]


def test_iq_in_two_parts_is_joined(tmp_path, refused):
    real, imaginary = np.random.default_rng(4).standard_normal((2, 6, 5, 4)).astype("f4")
    np.savez(tmp_path / "a.npz", I=real, Q=imaginary, other=real[:3], z=real + 1j)
    values = IMAGES | {"kind": "iq", "real": "I", "imaginary": "Q", "centre_frequency": 7e6}
    del values["variable"]
    recording, data = _get(tmp_path / "a.npz", values)
    assert data.dtype == recording.dtype == np.complex64
    assert np.array_equal(data[0], real + 1j * imaginary)
    assert recording.demodulation_frequency == 7e6
    for other in ("other", "z"):
        with refused("two parts of real numbers"):
            _get(tmp_path / "a.npz", values | {"imaginary": other})


def test_the_only_array_needs_no_name(images, tmp_path, refused):
    values = {k: v for k, v in IMAGES.items() if k != "variable"}
    np.savez(tmp_path / "a.npz", a=np.zeros((3, 4, 5)), t=np.zeros(3))
    assert _get(tmp_path / "a.npz", values)[0].variable == "a"
    np.savez(tmp_path / "a.npz", a=np.zeros((3, 4, 5)), b=np.zeros((3, 4, 5)))
    with refused("found 2 arrays ", "(a, b)"):
        _get(tmp_path / "a.npz", values)


def test_grids_come_from_steps_or_sizes(images, refused):
    recording, _ = images({})
    assert (recording.depth_step, recording.width_step) == (0.5, 0.2)
    assert (recording.depth_start, recording.width_start) == (0.25, 0.1)
    change = {"depth_step": None, "width_step": None, "size": [40, 20], "width_start": -9.5}
    recording, _ = images(change)
    assert (recording.depth_step, recording.width_step) == (8, 5)
    assert (recording.depth_start, recording.width_start) == (4, -9.5)
    for key in ("depth_step", "width_step"):
        with refused(f"a.h5: found no {key} (mm), wanted it", f"`description.{key}` (or `descr"):
            images({key: None})
    with refused("depth_step from size", "found 200", "mm"):
        images({"depth_step": None, "width_step": None, "size": [1000, 20]})
    recording, _ = images({"velocity_unit": "cm/s", "sign": -1})
    assert (recording.velocity_scale, recording.sign) == (-10, -1)


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_coordinates_give_steps_and_the_frame_rate(kind, tmp_path, fails):
    def save(depth, units="m", name="z"):
        coords = {
            name: (name, np.asarray(depth, "f4"), {"units": units} if units else {}),
            "width": ("width", np.arange(4) * 0.3 - 7, {"units": "mm"}),
            "time": ("time", 3 + np.arange(6) * 2, {"units": "ms"}),
        }
        data = xr.Dataset({"x": (("time", name, "width"), np.zeros((6, 5, 4)))}, coords=coords)
        if kind == "zarr":
            path = tmp_path / "a.zarr"
            data.to_zarr(path, mode="w", consolidated=False)
        else:
            path = tmp_path / "a.nc"
            data.to_netcdf(path, engine="h5netcdf")
        return path

    values = {k: v for k, v in IMAGES.items() if k not in {"frame_rate", "depth_step"}}
    del values["width_step"]
    even = 0.02 + np.arange(5) * 1e-4
    recording, _ = _get(save(even), values)
    assert recording.frame_rate == pytest.approx(500)
    assert (recording.depth_step, recording.depth_start) == pytest.approx((0.1, 20), rel=1e-4)
    assert (recording.width_step, recording.width_start) == pytest.approx((0.3, -7))
    assert _get(save(even), values | {"depth_step": 2})[0].depth_step == 2
    for wrong, words in (
        (even**2, "even and rising"), (np.full(5, np.nan), "no number at 0"),
        (np.full(5, 0.1), "even and rising"),
        (even[[0, 1, 3, 2, 4]], "20.2 mm after 20.3 mm, at 3"),
    ):  # fmt: skip
        with fails(InputError, "depth_step", "z", words):
            _get(save(wrong), values)
    for units, found in (("V", "'V'"), ("", "found none")):
        with fails(InputError, "z", "no known unit", found, "`description.depth_step`"):
            _get(save(even, units), values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variable": "RG"}, ("a.mat", "'RG'", "did you mean 'RF'")),
        ({"frame_rate": "param/prf"}, ("a.mat", "param/prf", "did you mean 'param/PRF'")),
        ({"frame_rate": "RF@rate"}, ("a.mat", "'rate'")),
        ({"frame_rate": "RF"}, ("frame_rate", "RF", "wanted")),
        ({"frame_rate": "param/name"}, ("param/name", "text")),
        ({"frame_rate": None}, ("found no frame_rate (Hz)", "give `description.frame_rate`")),
        ({"pitch": None}, ("found no pitch (mm), wanted it for rf", "give `description.pitch`")),
        (
            {"sampling_frequency": None, "pitch": None, "frame_rate": None},
            (
                "found no frame_rate (Hz), sampling_frequency (Hz) and pitch (mm), wanted them",
                "`description.sampling_frequency` and `description.pitch`",
            ),
        ),
        ({"axes": None, "pitch": None}, ("no axes (of an array of shape (30, 8, 5)) and pitch",)),
        ({"pitch": "param/pitch"}, ("pitch (param/pitch)", "0.000298", "mm", "0.298", "[m]")),
        ({"bandwidth": "param/bandwidth"}, ("bandwidth", "15", "0.15", "[%]")),
        ({"centre_frequency": "param/fc [MHz]"}, ("centre_frequency", "5e+12")),
        ({"pitch": "param/TXdelay"}, ("pitch", "found 0")),
        ({"axes": ["time", "channel", "sample", "transmit"]}, ("1 transmits", "x")),
        ({"variable": "param/TXdelay"}, ("param/TXdelay", "(1, 8)", "2 or more")),
        ({"variable": "deep"}, ("deep", "3 names", "(2, 3, 2, 3)")),
        ({"kind": "velocity"}, ("axes", "'sample'")),
        ({"demodulation_frequency": 4e6}, ("found 4e+06 Hz for real numbers", "part")),
        ({"delays": None, "angles": [1, 2]}, ("angles", "found 2", "wanted 1")),
        ({"delays": [0.0, 1e-6]}, ("delays", "(2,)", "channel 8")),
        ({"delays": [0, 1e-6, 0, 1e-6, 0, 1e-6, 0, 1e-6]}, ("delays", "plane waves")),
        ({"delays": list(np.arange(8) * 1e-6)}, ("delays", "plane waves")),
        ({"delays": [1e-6] * 8}, ("delays", "1e-06", "wanted 0", "angles")),
    ],
)
def test_what_does_not_fit_the_file_is_named(change, words, tmp_path, refused):
    path = tmp_path / "a.mat"
    extra = {"deep": np.zeros((2, 3, 2, 3)), "IQ": ECHOES * 1j}
    scipy.io.savemat(path, {"RF": ECHOES, "param": PARAM | {"name": "L7"}, **extra})
    if words[0] == "1 transmits":  # MATLAB dropped the axis, so this one is fine
        assert _get(path, RF | change)[0].lengths["transmit"] == 1
        return
    with refused(*words):
        _get(path, RF | change)


def test_real_numbers_are_no_iq(images, fails):
    with fails(InputError, "a.h5", "x", "real numbers", "imaginary"):
        images({"kind": "iq", "centre_frequency": 5e6})


def test_attributes_give_numbers_and_units(tmp_path, refused):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros((6, 5, 4))
        file["x"].attrs["rate"] = 250.0
        file["x"].attrs["step"], file["x"].attrs["step_units"] = 0.3, "cm"
        file["step"] = 0.3
        file["step"].attrs["units"] = "cm"
        file["odd"] = 0.3
        file["odd"].attrs["units"] = "furlong"
    change = {"frame_rate": "x@rate", "depth_step": "step", "width_step": "step [centimetres]"}
    recording, _ = _get(tmp_path / "a.h5", IMAGES | change)
    assert (recording.frame_rate, recording.depth_step, recording.width_step) == (250, 3, 3)
    with refused("depth_step (step [mm])", "'cm' in the file", "wanted mm", "give the number"):
        _get(tmp_path / "a.h5", IMAGES | change | {"depth_step": "step [mm]"})
    assert _get(tmp_path / "a.h5", IMAGES | {"depth_step": "x@step"})[0].depth_step == 3
    with refused("depth_step (x@step [mm])", "'cm' in the file", "wanted mm"):
        _get(tmp_path / "a.h5", IMAGES | {"depth_step": "x@step [mm]"})
    with refused("depth_step", "'furlong'", "brackets"):
        _get(tmp_path / "a.h5", IMAGES | change | {"depth_step": "odd"})


@pytest.mark.parametrize(
    ("stated", "given", "scale"),
    [
        ("", None, 1), ("none", None, 1), ("", "cm/s", 10), ("n/a", "m/s", 1000),
        ("m/s", None, 1000), ("cm s-1", None, 10), ("mm/sec", None, 1),
        ("Metres per second", None, 1000),
        ("µm/s", None, 1e-3), ("[m.s^-1]", None, 1000), ("m·s⁻¹", "m/s", 1000),
        ("V", "cm/s", 10),
    ],
)  # fmt: skip
def test_the_files_own_unit_is_the_default(stated, given, scale, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros((6, 5, 4))
        file["x"].attrs["units"] = stated
    assert _get(tmp_path / "a.h5", IMAGES | {"velocity_unit": given})[0].velocity_scale == scale


@pytest.mark.parametrize(
    ("stated", "given", "words"),
    [
        ("m/s", "mm/s", ("m/s in the file", "mm/s in `velocity_unit`", "leave")),
        ("cm s-1", "m/s", ("cm/s in the file", "m/s in `velocity_unit`")),
        ("V", None, ("the unit 'V'", "mm/s, cm/s, m/s, um/s", "give `velocity_unit`")),
        ("1", None, ("the unit '1'", "give `velocity_unit`")),
    ],
)
def test_a_unit_that_contradicts_the_file_is_refused(stated, given, words, tmp_path, refused):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros((6, 5, 4))
        file["x"].attrs["units"] = stated
    with refused("a.h5: x: ", *words):
        _get(tmp_path / "a.h5", IMAGES | {"velocity_unit": given})


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=4), st.booleans())
def test_delays_of_plane_waves_give_their_angles(tmp_path_factory, angles, turned):
    places = (np.arange(8) - 3.5) * 0.298e-3
    delays = np.sin(np.radians(angles))[:, None] * places / 1480
    delays -= delays.min(axis=1, keepdims=True)
    path = tmp_path_factory.mktemp("a") / "a.npz"
    data = np.zeros((len(angles), 30, 8, 5), "i2")
    np.savez(path, RF=data, delays=delays.T if turned and len(angles) > 1 else delays)
    values = RF | {"sampling_frequency": 2e7, "centre_frequency": 5e6, "frame_rate": 100}
    values |= {"pitch": 0.298, "element_width": None, "first_sample": 0, "bandwidth": None}
    values |= {"sound_speed": 1480, "delays": "delays"}
    values |= {"axes": ["transmit", "sample", "channel", "time"]}
    assert _get(path, values)[0].angles == pytest.approx(tuple(angles), abs=1e-6)


def test_several_transmits_need_angles(tmp_path, refused):
    np.savez(tmp_path / "a.npz", RF=np.zeros((3, 30, 8, 5), "i2"), th=np.array([-0.1, 0, 0.1]))
    values = {"frame_rate": 100, "centre_frequency": 5e6, "sampling_frequency": 2e7, "pitch": 0.3}
    values |= {"kind": "rf", "variable": "RF", "axes": ["transmit", "sample", "channel", "time"]}
    with refused("found no angles (3 of them in degrees)", "give `description.angles`"):
        _get(tmp_path / "a.npz", values)
    recording, _ = _get(tmp_path / "a.npz", values | {"angles": "th [rad]"})
    assert recording.angles == pytest.approx(np.degrees([-0.1, 0, 0.1]))


@pytest.mark.parametrize("dtype", ["i2", "i4", "f4", "f8"])
def test_values_in_the_wrong_byte_order_are_refused(dtype, images, fails):
    values = np.random.default_rng(3).normal(0, 60, (20, 16, 16)).astype(dtype)
    images({}, data=values)
    for axis in range(3):
        images({}, data=np.cumsum(values, axis, dtype))
    with fails(InputError, "a.h5", "x", "other order"):
        images({}, data=values.byteswap())


def test_honest_values_do_not_look_swapped():
    random = np.random.default_rng(8)
    for values in (
        np.zeros(100, "f4"), np.full(100, np.nan, "f4"), np.zeros(100, "i2"),
        random.integers(-(2**15), 2**15, 4000).astype("i2"),
        random.integers(-128, 128, 4000).astype("i2") * 256,  # eight bits, to the left
        random.integers(-2048, 2048, 4000).astype("i2") * 16,
        random.integers(-1, 2, 4000).astype("i2"), random.integers(-3, 3, 4000).astype("i1"),
        random.integers(0, 3000, 4000).astype("u2"), random.standard_normal(100) * 1e-12,
        random.standard_normal(100).astype("c8"), random.random(100) < 0.5,
    ):  # fmt: skip
        assert not looks_swapped(values)
    assert looks_swapped((random.standard_normal(100) + 1j).astype("c8").byteswap())


def test_a_recording_is_frozen(images):
    recording, _ = images({})
    with pytest.raises(dataclasses.FrozenInstanceError):
        recording.sign = -1
