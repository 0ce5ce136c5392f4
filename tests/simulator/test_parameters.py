import dataclasses
import inspect
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator import PRESETS, InputError, Parameters, Range, draw
from musim.simulator.declarations import declarations

FIELDS = declarations(Parameters)

PAPERS = {
    "units": Range(5, 30),
    "synchrony": Range(0, 0.1),
    "firing_rate": Range(8, 13),
    "interval_variation": Range(0.2, 0.2),
    "territory": "disc",
    "diameter": Range(2.5, 10),
    "contraction_time": Range(75, 90),
    "relaxation_ratio": Range(5 / 3, 5 / 3),
    "size": (40, 40),
}


def _message(error):
    text = str(error.value)
    assert text
    assert len(text.splitlines()) == 1
    return text


def test_preset_ali_2020_holds_the_papers_numbers():
    parameters = Parameters.from_texts({}, "ali-2020")
    expected = {**PAPERS, "pixels": (64, 64), "frames": 400, "frame_rate": 400}
    assert {name: getattr(parameters, name) for name in expected} == expected
    assert parameters.snr in {Range(10, 10), Range(20, 20), Range(math.inf, math.inf)}


def test_preset_ali_2022_holds_the_papers_numbers():
    parameters = Parameters.from_texts({}, "ali-2022")
    expected = {
        **PAPERS,
        "units": Range(4, 10),
        "synchrony": Range(0.1, 0.1),
        "snr": Range(math.inf, math.inf),
        "pixels": (128, 128),
        "frames": 1024,
        "frame_rate": 512,
    }
    assert {name: getattr(parameters, name) for name in expected} == expected


def test_the_defaults_are_the_preset_ali_2020():
    assert Parameters() == Parameters.from_texts({}) == Parameters(**PRESETS["ali-2020"])


def test_refinements_that_no_paper_uses_are_off():
    parameters = Parameters()
    assert parameters.doublets == parameters.synchrony_jitter == Range(0, 0)
    assert parameters.waveform is parameters.muscle is None


def test_texts_go_over_a_preset():
    parameters = Parameters.from_texts({"units": "5-30", "snr": "10"}, "ali-2022")
    assert parameters.units == Range(5, 30)
    assert parameters.snr == Range(10, 10)
    assert parameters.frames == 1024


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("units", "7", Range(7, 7)),
        ("snr", "10-30", Range(10, 30)),
        ("snr", "inf", Range(math.inf, math.inf)),
        ("synchrony", "0-10%", Range(0, 0.1)),
        ("pixels", "32", (32, 32)),
        ("pixels", "32x48", (32, 48)),
        ("size", "40x30.5", (40, 30.5)),
        ("muscle", "60", (60, 60)),
        ("frames", "32", 32),
        ("frame_rate", "2000", 2000),
        ("refractory_period", "3.5", 3.5),
        ("mask", " soft ", "soft"),
        ("territory", "fibres", "fibres"),
        ("waveform", "time, velocity\n0, 0\n\n# peak\n1; 2\n2\t0\n", ((0, 0), (1, 2), (2, 0))),
    ],
)
def test_every_kind_of_parameter_is_read_from_text(name, text, value):
    assert getattr(Parameters.from_texts({name: text}), name) == value


def test_lengths_follow_from_the_grid():
    parameters = Parameters(pixels=(40, 80), size=(20.0, 30.0), frames=100, frame_rate=50.0)
    assert parameters.duration == 2
    assert parameters.pixel_size == (0.5, 0.375)
    assert parameters.muscle_size == (20, 30)
    assert dataclasses.replace(parameters, muscle=(12.0, 13.0)).muscle_size == (12, 13)


WRONG_TEXTS = [
    ("units", "30-5"),
    ("units", "0"),
    ("units", "abc"),
    ("units", "5.5"),
    ("units", "5-6.5"),
    ("units", "1001"),
    ("units", ""),
    ("units", "inf"),
    ("snr", "abc"),
    ("snr", "nan"),
    ("snr", "-inf"),
    ("snr", "10-inf"),
    ("snr", "500"),
    ("synchrony", "0.9"),
    ("synchrony", "60%"),
    ("synchrony", "-0.1"),
    ("synchrony_jitter", "20"),
    ("firing_rate", "0"),
    ("firing_rate", "8-inf"),
    ("interval_variation", "-0.2"),
    ("diameter", "-5"),
    ("diameter", "-5-10"),
    ("diameter", "0"),
    ("diameter", "50"),
    ("axis_ratio", "0.5"),
    ("relaxation_ratio", "2.68"),
    ("relaxation_ratio", "1"),
    ("contraction_time", "0"),
    ("displacement", "0"),
    ("doublets", "110%"),
    ("territory", "square"),
    ("mask", "Hard"),
    ("frames", "0"),
    ("frames", "1.5"),
    ("frames", "10-20"),
    ("frames", "inf"),
    ("frame_rate", "inf"),
    ("frame_rate", "0"),
    ("frame_rate", "nan"),
    ("pixels", "0x64"),
    ("pixels", "64x64x64"),
    ("pixels", "6.5"),
    ("pixels", "1e400x64"),
    ("pixels", "-64"),
    ("pixels", "100000"),
    ("size", "0"),
    ("size", "40x"),
    ("size", "1e400"),
    ("muscle", "0x40"),
    ("refractory_period", "200"),
    ("refractory_period", "1-2"),
    ("waveform", ""),
    ("waveform", "0,0\n0.1,1"),
    ("waveform", "0,0\n0.1,x\n0.2,0"),
    ("waveform", "0,0,0\n0.1,1,1\n0.2,0,0"),
    ("waveform", "0,0\n0.1,nan\n0.2,0"),
    ("waveform", "0,0\ninf,1\n0.2,0"),
    ("waveform", "0.1,0\n0.2,1\n0.3,0"),
    ("waveform", "0,0\n0.2,1\n0.1,0"),
    ("waveform", "0,0\n0.1,1\n0.1,0"),
    ("waveform", "0,1\n0.1,1\n0.2,0"),
    ("waveform", "0,0\n0.1,1\n0.2,0.5"),
    ("waveform", "0,0\n0.1,0\n0.2,0"),
]


@pytest.mark.parametrize(("name", "text"), WRONG_TEXTS)
def test_a_wrong_text_is_refused_in_one_line_that_names_the_parameter(name, text, refused):
    with refused() as error:
        Parameters.from_texts({name: text})
    assert _message(error).startswith(f"{name}: found ") or name == "waveform"
    assert name in _message(error)


def test_a_refusal_says_which_line_of_a_waveform_is_wrong(refused):
    with refused("line 3: found '0.1,x'"):
        Parameters.from_texts({"waveform": "time,velocity\n0,0\n0.1,x\n0.2,0"})


def test_a_heading_may_follow_a_comment():
    text = "# measured in 2020\ntime,velocity\n0,0\n0.1,1\n0.2,0"
    assert Parameters.from_texts({"waveform": text}).waveform == ((0, 0), (0.1, 1), (0.2, 0))


def test_unknown_names_are_refused_with_the_known_ones(refused):
    for make in (Parameters.from_texts, lambda texts: Parameters(**texts)):
        with refused() as error:
            make({"unit": "5"})
        text = "parameter: found 'unit', wanted units (or one of snr, noise, synchrony, "
        assert _message(error).startswith(text)
        with refused() as error:
            make({"colour": "5"})
        assert _message(error).startswith(
            "parameter: found 'colour', wanted one of units, snr, noise"
        )
    with refused() as error:
        Parameters.from_texts({}, "ali-2021")
    assert (
        _message(error)
        == "preset: found 'ali-2021', wanted one of ali-2020, ali-2022, experiment, "
        "easy, typical, hard"
    )


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("units", (5, 30), Range(5, 30)),
        ("units", [5, 30], Range(5, 30)),
        ("units", "5-30", Range(5, 30)),
        ("units", np.array([5, 30]), Range(5, 30)),
        ("units", np.int64(5), Range(5, 5)),
        ("synchrony", "0-10%", Range(0, 0.1)),
        ("snr", "inf", Range(math.inf, math.inf)),
        ("snr", math.inf, Range(math.inf, math.inf)),
        ("pixels", "64x32", (64, 32)),
        ("pixels", [64.0, 32.0], (64, 32)),
        ("size", np.array([40, 30]), (40.0, 30.0)),
        ("muscle", "30", (30.0, 30.0)),
        ("muscle", None, None),
        ("frames", "100", 100),
        ("mask", "soft", "soft"),
        ("waveform", [[0, 0], [0.1, 1], [0.2, 0]], ((0.0, 0.0), (0.1, 1.0), (0.2, 0.0))),
    ],
)
def test_values_are_taken_as_users_write_them(name, value, held, refused):
    parameters = Parameters(**{name: value})
    assert getattr(parameters, name) == held
    assert type(getattr(parameters, name)) is type(held)
    assert parameters == Parameters(**{name: held})
    assert hash(parameters) == hash(Parameters(**{name: held}))
    # What replaces a value is read as well.
    assert dataclasses.replace(Parameters(), **{name: value}) == parameters
    with refused("wanted units"):
        dataclasses.replace(parameters, unit=3)


def test_the_signature_names_every_parameter():
    assert list(inspect.signature(Parameters).parameters) == list(FIELDS)
    assert pickle.loads(pickle.dumps(Parameters(units=3))) == Parameters(units=3)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("units", {"units": Range(30, 5)}),
        ("units", {"units": Range(math.nan, 5)}),
        ("snr", {"snr": Range(10, math.inf)}),
        ("frames", {"frames": 0}),
        ("frame_rate", {"frame_rate": math.nan}),
    ],
)
def test_values_out_of_their_bounds_are_refused(name, values, refused):
    with refused() as error:
        Parameters(**values)
    assert _message(error).startswith(f"{name}: found ")


@pytest.mark.parametrize("text", ["-1", "8-3", "inf", "1001", "50%"])
def test_fat_out_of_bounds_is_refused(text, refused):
    with refused() as error:
        Parameters.from_texts({"fat": text})
    assert _message(error).startswith("fat: found ")


def test_fat_is_read_and_off_by_default():
    assert Parameters().fat == Range(0, 0)
    assert Parameters.from_texts({"fat": "3-8"}, "ali-2022").fat == Range(3, 8)
    assert Parameters(fat=Range(29, 30)).fat == Range(29, 30)
    # Fat above a muscle that begins deeper takes nothing from it.
    assert Parameters(fat=Range(5, 5), muscle=(20.0, 20.0)).fat == Range(5, 5)


def test_older_stores_have_no_fat():
    values = Parameters(frames=50).to_json()
    del values["fat"]
    assert Parameters.from_json(values) == Parameters(frames=50)
    values = Parameters(fat=Range(3, 8)).to_json()
    assert Parameters.from_json(values).fat == Range(3, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", None),
        ("units", "5 to 30"),
        ("units", (5,)),
        ("units", (5, 30, 40)),
        ("units", ("5", "30")),
        ("units", {5, 30}),
        ("units", (30, 5)),
        ("units", (True, 5)),
        ("firing_rate", (8, 1e9)),
        ("pixels", 64),
        ("pixels", (64,)),
        ("pixels", (64, 64, 64)),
        ("pixels", "64 by 64"),
        ("size", None),
        ("size", 40.0),
        ("size", (40.0, "a")),
        ("muscle", 40.0),
        ("frames", "some"),
        ("frames", None),
        ("frame_rate", Range(1, 2)),
        ("territory", 3),
        ("waveform", "0,0"),
        ("waveform", (1, 2, 3)),
        ("waveform", ((0, 0), (1, 1, 1), (2, 0))),
    ],
)
def test_values_of_a_wrong_kind_are_refused(name, value, refused):
    with refused() as error:
        Parameters(**{name: value})
    assert name in _message(error)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("units", 5, Range(5, 5)),
        ("firing_rate", 10.0, Range(10, 10)),
        ("frames", 40.0, 40),
        ("pixels", (8.0, 8.0), (8, 8)),
    ],
)
def test_numbers_of_another_type_are_refused_or_work(name, value, meant):
    try:
        parameters = Parameters(**{name: value})
    except InputError as error:
        assert name in str(error)  # noqa: PT017 (either is right, a late failure is not)
        return
    expected = draw(Parameters(**{name: meant}))
    assert draw(parameters).twitch_train.tobytes() == expected.twitch_train.tobytes()


@pytest.mark.parametrize(
    ("values", "found", "wanted"),
    [
        ({"frames": 10_000_001}, "10000001", "10000000"),
        ({"synchrony": Range(0.5000001, 0.5000001)}, "0.5000001", "0.5"),
    ],
)
def test_a_refusal_shows_the_value_to_its_last_digit(values, found, wanted, refused):
    with refused() as error:
        Parameters(**values)
    assert f"found {found}" in _message(error)
    assert f"to {wanted}" in _message(error)


def test_parameters_cannot_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Parameters().frames = 3  # type: ignore[misc]


def _numbers(name, most=math.inf):
    low, high = FIELDS[name].bounds
    return st.floats(low, min(high, most))


def _ranges(name, most=math.inf):
    return (
        st.tuples(_numbers(name, most), _numbers(name, most)).map(sorted).map(lambda r: Range(*r))
    )


@st.composite
def all_parameters(draw):
    """Draw parameters anywhere in their bounds."""
    rate = draw(_ranges("firing_rate"))
    shortest = 1000 / rate.high
    below = st.floats(0.5, min(0.99 * shortest, 1000))
    side = st.floats(10, 10_000)
    values = {
        "units": draw(st.tuples(*2 * [st.integers(1, 1000)]).map(sorted).map(lambda r: Range(*r))),
        "snr": draw(_ranges("snr") | st.just(Range(math.inf, math.inf))),
        "firing_rate": rate,
        "refractory_period": draw(below),
        "doublet_interval": draw(below),
        "territory": draw(st.sampled_from(list(FIELDS["territory"].choices))),
        "mask": draw(st.sampled_from(FIELDS["mask"].choices)),
        "diameter": draw(_ranges("diameter", 1.5)),
        "waveform": draw(st.none() | st.just(((0.0, 0.0), (0.1, 2.0), (0.25, 0.0)))),
        "pixels": draw(st.tuples(st.integers(1, 128), st.integers(1, 128))),
        "size": draw(st.tuples(side, side)),
        "muscle": draw(st.none() | st.tuples(side, side)),
        "frames": draw(st.integers(1, 2000)),
    }
    for name in ("synchrony", "synchrony_jitter", "interval_variation", "doublets", "axis_ratio",
                 "displacement", "contraction_time", "relaxation_ratio"):  # fmt: skip
        values[name] = draw(_ranges(name))
    for name in ("fibre_density", "fibre_smoothing", "frame_rate"):
        values[name] = draw(_numbers(name))
    return Parameters(**values)


@given(all_parameters())
def test_parameters_survive_json(parameters):
    text = json.dumps(parameters.to_json(), allow_nan=False)
    assert Parameters.from_json(json.loads(text)) == parameters


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_survive_json(preset):
    parameters = Parameters.from_texts({}, preset)
    text = json.dumps(parameters.to_json(), allow_nan=False)
    assert Parameters.from_json(json.loads(text)) == parameters


def test_json_with_other_names_is_refused(refused):
    values = Parameters().to_json()
    with refused("parameter: ", "colour"):
        Parameters.from_json({**values, "colour": 1})
    del values["snr"]
    with refused("parameter: ", "snr"):
        Parameters.from_json(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", None),
        ("units", 5),
        ("units", []),
        ("units", {}),
        ("units", [1, 2, 3]),
        ("units", ["a", 5]),
        ("snr", ["inf", 10]),
        ("frames", "400"),
        ("frames", None),
        ("pixels", [64]),
        ("pixels", "64x64"),
        ("size", None),
        ("mask", ["hard"]),
        ("waveform", "abc"),
        ("waveform", [1, 2, 3]),
        ("firing_rate", [8, 1e9]),
    ],
)
def test_json_with_a_wrong_value_is_refused(name, value, refused):
    with refused() as error:
        Parameters.from_json({**Parameters().to_json(), name: value})
    assert name in _message(error)


@given(st.sampled_from(sorted(FIELDS)), st.text())
def test_any_text_for_any_parameter_is_read_or_refused(name, text):
    try:
        Parameters.from_texts({name: text})
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (most texts are wrong)
        assert name in str(error)  # noqa: PT017


def test_every_parameter_is_declared_and_described():
    for name, field in FIELDS.items():
        assert field.text.endswith("."), name
        assert field.group, name
        assert f"\n    {name} : " in (Parameters.__doc__ or ""), name
