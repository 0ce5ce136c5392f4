import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator import InputError, Range
from musim.simulator.declarations import declarations
from musim.simulator.experiment.doses import ABSENT, EFFECTS, PRESETS, Doses, quantised

FIELDS = declarations(Doses)
RANGES = [name for name, field in FIELDS.items() if isinstance(field.default, Range)]


def test_every_dose_is_declared_and_described():
    for name, field in FIELDS.items():
        assert field.text.endswith("."), name
        assert field.group, name
        assert f"\n    {name} : " in (Doses.__doc__ or ""), name


def test_effects_are_ranges_that_may_be_0():
    assert set(EFFECTS) <= set(RANGES)
    for name in EFFECTS:
        assert FIELDS[name].bounds[0] == 0, name
    # What is no effect is a scale of one: how fast, how large, how often.
    assert set(RANGES) - set(EFFECTS) == {"wave_speed", "fascicle_size", "heart_rate"}


def test_every_effect_of_the_first_subjects_is_on_by_default_and_off_when_asked_for():
    on, off = Doses(), Doses.off()
    for name in EFFECTS:
        assert (getattr(on, name).high > 0) == (name not in ABSENT), name
        assert getattr(off, name) == Range(0, 0), name
    assert Doses.off(drift=Range(1, 2)) == dataclasses.replace(off, drift=Range(1, 2))
    assert off.image == on.image


def test_doses_are_drawn_anew_for_each_sequence_over_all_of_their_range():
    drawn = [Doses().draw(7, index) for index in range(300)]
    assert set(drawn[0]) == set(RANGES)
    for name in RANGES:
        values, expected = np.array([each[name] for each in drawn]), getattr(Doses(), name)
        assert values.min() >= expected.low
        assert values.max() <= expected.high
        width = expected.high - expected.low
        assert abs(values.mean() - expected.mean) <= 5 * width / math.sqrt(12 * 300), name
        assert np.ptp(values) >= 0.95 * width
    assert Doses().draw(7, 3) == drawn[3]
    assert Doses().draw(8, 3) != drawn[3]


@given(st.sampled_from(RANGES), st.integers(0, 2**32), st.integers(0, 2**32))
def test_another_range_of_one_dose_leaves_the_others_as_they_were(name, seed, index):
    low = max(FIELDS[name].bounds[0], 0.5)
    before = Doses().draw(seed, index)
    after = Doses(**{name: Range(low, low)}).draw(seed, index)
    assert after.pop(name) == low
    del before[name]
    assert after == before


@pytest.mark.parametrize("doses", [Doses(), Doses.off(), Doses(image=(64, 32), f_number=2.0)])
def test_doses_survive_json(doses):
    assert Doses.from_json(json.loads(json.dumps(doses.to_json(), allow_nan=False))) == doses


def test_presets_of_subjects_rise_from_easy_to_hard(refused):
    assert Doses.from_texts({}) == Doses.from_texts({}, "easy") == Doses()
    assert Doses.from_texts({"contact": "0-50%"}, "hard").contact == Range(0, 0.5)
    easy, typical, hard = (Doses.from_texts({}, preset) for preset in ("easy", "typical", "hard"))
    for name in set(EFFECTS) - {"thermal_noise"}:
        means = [getattr(doses, name).mean for doses in (easy, typical, hard)]
        assert means == sorted(means), name
        assert (means[0] < means[2]) == (name in PRESETS["hard"]), name
    # SNR at the bottom, dB.
    for doses, wanted in ((typical, (15, 25)), (hard, (10, 20))):
        noise = doses.noise_at_depth
        found = [-20 * math.log10(each) for each in (noise.high, noise.low)]
        assert found == pytest.approx(wanted, abs=0.7)
    with refused("preset: found 'harder', wanted one of easy, typical, hard"):
        Doses.from_texts({}, "harder")


def _message(error):
    text = str(error.value)
    assert text
    assert len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize("name", FIELDS)
def test_doses_out_of_bounds_are_refused_in_one_line(name, refused):
    low, high = FIELDS[name].bounds
    default = FIELDS[name].default
    for value in (low - 1, high * 2 + 1, math.nan, math.inf):
        if isinstance(default, Range):
            wrong = Range(value, value)
        else:
            wrong = (value, value) if isinstance(default, tuple) else value
        with refused() as error:
            Doses(**{name: wrong})
        assert _message(error).startswith(f"{name}: found ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spread", "wide"),
        ("spread", None),
        ("spread", (2, 1)),
        ("spread", Range(2, 1)),
        ("image", 256),
        ("image", (64.5, 32)),
        ("f_number", Range(1, 2)),
        ("bandwidth", "wide"),
    ],
)
def test_values_of_a_wrong_kind_are_refused(name, value, refused):
    with refused() as error:
        Doses(**{name: value})
    assert _message(error).startswith(f"{name}: found ")


@pytest.mark.parametrize("value", [Range(1, 2), (1, 2), [1, 2], "1-2"])
def test_values_are_taken_as_users_write_them(value):
    assert Doses(spread=value).spread == Range(1, 2)
    assert Doses(spread=1).spread == Doses(spread="1").spread == Range(1, 1)
    assert Doses(image="64x32").image == (64, 32)


def test_an_unknown_dose_is_refused_with_the_one_that_may_be_meant(refused):
    for make in (lambda: Doses(wave_sped=1), lambda: Doses.off(wave_sped=1)):
        with refused("dose: found 'wave_sped', wanted wave_speed (or "):
            make()


@pytest.mark.parametrize("name", ABSENT)
def test_json_of_before_a_dose_has_none_of_it(name):
    values = Doses(**{name: Range(0.5, 1)}).to_json()
    del values[name]
    assert Doses.from_json(values) == Doses(**{name: Range(0, 0)})
    assert ABSENT[name] == 0


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ABSENT])
def test_json_without_a_dose_is_refused(name):
    # Its default could be another value than what the store was made with.
    values = Doses().to_json()
    del values[name]
    with pytest.raises(InputError, match=f"dose: found none called '{name}'"):
        Doses.from_json(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spread", 5),
        ("spread", None),
        ("spread", [1]),
        ("spread", [1, 2, 3]),
        ("spread", ["a", 2]),
        ("layer", [0, 2]),
        ("image", [64]),
        ("image", "64x64"),
        ("f_number", [1, 2]),
        ("colour", 1),
    ],
)
def test_json_with_a_wrong_value_is_refused(name, value, refused):
    with refused() as error:
        Doses.from_json({**Doses().to_json(), name: value})
    assert name in _message(error)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20))
def test_quantised_values_are_multiples_that_are_near(values):
    found = quantised(np.array(values))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values, rtol=2**-24, atol=2**-21)
    small = found[np.abs(found) < 8]
    np.testing.assert_array_equal(small * np.float32(2**20), np.round(small * np.float32(2**20)))


def test_last_bits_are_lost_in_quantised_values():
    values = np.random.default_rng(0).uniform(-1, 1, 1000)
    np.testing.assert_array_equal(quantised(values), quantised(values * (1 + 2**-52)))
