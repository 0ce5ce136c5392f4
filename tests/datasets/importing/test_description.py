import dataclasses
import math
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.importing.description import Description, toml_of
from musim.datasets.importing.quantities import (
    QUANTITIES,
    UNITS,
    factor_of,
    likely_unit,
    parse_literal,
    split_reference,
)
from musim.datasets.importing.recording_kinds import missing_keys

RF = {
    "kind": "rf", "variable": "RF", "axes": ["sample", "channel", "time"],
    "frame_rate": "param/PRF", "centre_frequency": 5e6, "sampling_frequency": "param/fs [MHz]",
    "pitch": "param/pitch [m]", "delays": "param/TXdelay",
}  # fmt: skip
IQ = {"kind": "iq", "axes": ["time", "depth", "width"], "frame_rate": 500, "size": [40, 38]}


def _write(folder, text):
    path = folder / "recording.toml"
    path.write_text(text)
    return path


def test_a_file_and_options_make_a_description(tmp_path):
    path = _write(tmp_path, toml_of(RF))
    description = Description.load(path)
    assert description.kind == "rf"
    assert description.axes == ("sample", "channel", "time")
    assert description.frame_rate == "param/PRF"
    assert (description.sound_speed, description.sign, description.angles) == (1540, 1, None)
    over = Description.load(
        path, {"frame_rate": "2 kHz", "axes": "time, channel,sample", "sign": "-1", "pitch": None}
    )
    assert (over.frame_rate, over.sign, over.pitch) == (2000.0, -1, "param/pitch [m]")
    assert over.axes == ("time", "channel", "sample")
    assert over.centre_frequency == 5e6
    with pytest.raises(dataclasses.FrozenInstanceError):
        over.sign = 1


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("centre_frequency", "5 MHz", 5e6), ("centre_frequency", "5e6", 5e6),
        ("pitch", "0.298 mm", 0.298), ("pitch", "298 µm", 0.298), ("pitch", "298 um", 0.298),
        ("pitch", "0.000298 metres", 0.298), ("sound_speed", "1.48 mm/us", 1480),
        ("first_sample", "9.95 us", 9.95e-6), ("bandwidth", "15 %", 0.15),
        ("angles", "-10, 0, 10 deg", (-10, 0, 10)), ("angles", "0.1 rad", (0.1 * 180 / math.pi,)),
        ("angles", 3, (3,)), ("angles", [-1.5, 2], (-1.5, 2)),
        ("angles", "tx/angles [rad]", "tx/angles [rad]"),
        ("pitch", "a b/pitch", "a b/pitch"), ("saturation", 2047, 2047),
    ],
)  # fmt: skip
def test_numbers_take_units_and_names(key, value, wanted):
    values = {k: v for k, v in RF.items() if k != "delays"} | {key: value}
    if isinstance(wanted, tuple):
        wanted = pytest.approx(wanted)
    elif not isinstance(wanted, str):
        wanted = pytest.approx(wanted, rel=1e-12)
    assert getattr(Description.parse(values), key) == wanted


@pytest.mark.parametrize(
    ("kind", "axes", "wanted"),
    [
        ("velocity", "z,x,t", "depth,width,time"),
        ("velocity", "(z x t)", "depth,width,time"),
        ("velocity", "TZX", "time,depth,width"),
        ("velocity", ["axial", "Lateral", "Frames"], "depth,width,time"),
        ("velocity", "trial, frame, row, column", "sequence,time,depth,width"),
        ("velocity", "t,y,x", "time,depth,width"),
        ("velocity", "t,z,y", "time,depth,width"),
        ("iq", "frames,height,width,components", "time,depth,width,part"),
        ("rf", "t,fast_time,Elements", "time,sample,channel"),
        ("rf", "frame,tx,receiver,samples", "time,transmit,channel,sample"),
    ],
)
def test_axes_are_called_as_people_call_them(kind, axes, wanted, tmp_path):
    found = Description.parse({"kind": kind, "axes": axes}).axes
    assert ",".join(found) == wanted
    written = axes if isinstance(axes, list) else [*axes.split(",")]
    path = _write(tmp_path, f"kind = {kind!r}\naxes = {written if len(written) > 1 else axes!r}\n")
    assert Description.load(path).axes == found


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("t,z,x,y", ("'y'", "rename it")),
        ("t,z,depth,x", ("z and depth, which are both depth", "name each once")),
        ("t,z", ("found t, z", "name width too")),
        ("time,depht,width", ("'depht'", "did you mean depth?")),
        ("time,samples,width", ("'samples'", "wanted time, depth, width")),
    ],
)
def test_axes_that_are_not_clear_are_explained(axes, words, refused):
    with refused("axes", *words):
        Description.parse({"kind": "velocity", "axes": axes})


WRONG = [
    ({"kind": "video"}, ("kind", "'video'", "rf, iq, velocity")),
    ({"kind": None}, ("kind", "none")),
    ({"kind": "RF"}, ("kind", "did you mean rf")),
    ({"framerate": 5}, ("framerate", "unknown", "did you mean frame_rate")),
    ({"zzz": 5}, ("zzz", "known are")),
    ({"axes": []}, ("axes", "none", "name time and sample and channel too")),
    ({"axes": 3}, ("axes", "3")),
    ({"axes": ["sample", "chanel", "time"]}, ("axes", "'chanel'", "did you mean channel")),
    ({"axes": ["sample", "channel"]}, ("axes", "name time too", "one frame alone")),
    ({"axes": ["sample", "channel", "time", "time"]}, ("axes", "time and time", "once")),
    ({"axes": "frame,channel,t"}, ("frame and t, which are both time", "not the fast time")),
    ({"axes": ["time", "depth", "width"]}, ("axes", "'depth'", "it is sample", "as iq")),
    ({"variable": 3}, ("variable", "3", "name")),
    ({"centre_frequency": 5}, ("centre_frequency", "found 5", "Hz", "5e+06", "MHz")),
    ({"sampling_frequency": 6.67}, ("sampling_frequency", "6.67e+06")),
    ({"pitch": 0.000298}, ("pitch", "0.000298", "mm", "did you mean 0.298")),
    ({"pitch": 298}, ("pitch", "did you mean 0.298")),
    ({"sound_speed": 1.54}, ("sound_speed", "did you mean 1540")),
    ({"bandwidth": 15}, ("bandwidth", "did you mean 0.15")),
    ({"first_sample": 9.95}, ("first_sample", "did you mean 9.95e-06")),
    ({"frame_rate": 0}, ("frame_rate", "found 0")),
    ({"frame_rate": math.nan}, ("frame_rate", "nan")),
    ({"frame_rate": math.inf}, ("frame_rate", "inf")),
    ({"frame_rate": True}, ("frame_rate", "True")),
    ({"frame_rate": [5]}, ("frame_rate", "[5]")),
    ({"frame_rate": {"a": 5}}, ("frame_rate", "{'a': 5}")),
    ({"frame_rate": ""}, ("frame_rate", "''")),
    ({"frame_rate": "param/PRF [m]"}, ("frame_rate", "[m]", "kHz")),
    ({"angles": [1]}, ("angles", "beside delays")),
    ({"delays": ["a"]}, ("delays", "'a'")),
    ({"delays": [1.0]}, ("delays", "found 1,")),
    ({"delays": []}, ("delays", "0 numbers")),
    ({"size": [4, 4]}, ("size", "for rf", "iq or velocity")),
    ({"real": "a", "imaginary": "b"}, ("variable", "beside real and imaginary")),
    ({"velocity_unit": "cm/s"}, ("velocity_unit", "for rf")),
    ({"sign": 0}, ("sign", "0")),
    ({"sign": True}, ("sign", "True")),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_wrong_values_are_named_with_their_key_and_file(change, words, refused):
    with refused("my.toml", *words):
        Description.parse(RF | change, "my.toml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"real": "I"}, ("imaginary", "both parts")),
        ({"variable": "IQ", "real": "I", "imaginary": "Q"}, ("variable", "beside real")),
        ({"depth_step": 0.1}, ("size", "beside depth_step")),
        ({"size": [1, 2, 3]}, ("size", "3 numbers")),
        ({"size": "frames"}, ("size", "two numbers")),
        ({"pitch": 0.3}, ("pitch", "for iq", "rf alone")),
        ({"velocity_unit": "m/s"}, ("velocity_unit", "for iq")),
    ],
)
def test_wrong_values_of_images_are_named(change, words, refused):
    with refused(*words):
        Description.parse(IQ | change)


def test_velocity_units_are_those_of_velocity(refused):
    values = IQ | {"kind": "velocity", "velocity_unit": "cm s-1"}
    with refused("real and imaginary", "for velocity"):
        Description.parse(values | {"variable": "", "real": "a", "imaginary": "b"})
    assert Description.parse(values).velocity_unit == "cm/s"
    with refused("km/h"):
        Description.parse(values | {"velocity_unit": "km/h"})


@pytest.mark.parametrize("content", [b"kind = ", b"\xff\xfe", b"kind = 'rf'\nkind = 'iq'\n"])
def test_files_that_are_not_toml_are_refused(content, tmp_path, refused):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with refused("a.toml", "not TOML"):
        Description.load(path)
    with refused("b.toml"):
        Description.load(tmp_path / "b.toml")


_texts = st.text(st.characters(codec="utf-8"), min_size=1)


@given(_texts, st.floats(1, 1e5), st.lists(st.floats(-80, 80), min_size=1, max_size=4))
def test_what_is_written_is_read_back(name, rate, angles):
    values = {k: v for k, v in RF.items() if k != "delays"}
    values |= {"variable": name, "frame_rate": rate, "angles": angles}
    description = Description.parse(values)
    text = description.to_toml()
    assert Description.parse(tomllib.loads(text)) == description
    assert toml_of(values, {"variable": "why\nindeed"}).count("# why indeed") == 1


@given(st.sampled_from(sorted(QUANTITIES)), st.floats(0.01, 0.99), st.data())
def test_a_value_in_another_unit_means_the_same(name, share, data):
    quantity = QUANTITIES[name]
    low = max(quantity.low, quantity.high * 1e-6)
    value = math.exp(math.log(low) * (1 - share) + math.log(quantity.high) * share)
    unit = data.draw(st.sampled_from(sorted(UNITS[quantity.unit])))
    factor = factor_of(unit, quantity)
    assert parse_literal(f"{value / factor!r} {unit}", quantity) == pytest.approx(value)
    meant = likely_unit(value / factor, quantity)
    if meant:
        within = value / factor * factor_of(meant, quantity)
        assert quantity.low <= within <= quantity.high


def test_references_are_split():
    assert split_reference("param/pitch [m]") == ("param/pitch", "m")
    assert split_reference(" rf@fs ") == ("rf@fs", "")
    assert split_reference("a[1]b") == ("a[1]b", "")


def test_a_template_names_what_is_missing():
    values = {"kind": "rf", "axes": ["time", "transmit", "channel", "sample"], "frame_rate": 9.0}
    assert missing_keys(values) == ("centre_frequency", "sampling_frequency", "pitch", "angles")
    text = toml_of(values)
    assert tomllib.loads(text) == values
    assert "# pitch = " in text
    assert missing_keys(IQ) == ("centre_frequency",)
    assert missing_keys({"kind": "velocity"}) == ("axes", "frame_rate", "depth_step", "width_step")
    assert missing_keys({}) == ("kind", "axes", "frame_rate")
    assert np.isclose(UNITS["degrees"]["rad"], 57.29577951308232)
