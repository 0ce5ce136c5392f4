"""Settings go through JSON and through what is typed, and are checked."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator.declarations import declare
from musim.simulator.errors import InputError
from musim.training.runs.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Many(Settings):
    rate: float = declare(0.1, "Rate.", "1/s", bounds=(0, 10))
    flag: bool = declare(False, "Flag.")
    kind: str = declare("a", "Kind.", choices=("a", "b"))
    maps: tuple[int, ...] = declare((1, 2), "Maps.", bounds=(1, 99))
    shares: tuple[float, ...] = declare((0.5,), "Shares.", bounds=(0, 1))
    kernels: tuple[tuple[int, ...], ...] = declare(((3, 3),), "Kernels.", bounds=(1, 99))


sizes = st.integers(1, 99)
many = st.builds(
    Many,
    steps=st.integers(1, 10**9),
    rate=st.floats(0, 10),
    flag=st.booleans(),
    kind=st.sampled_from("ab"),
    maps=st.lists(sizes).map(tuple),
    shares=st.lists(st.floats(0, 1)).map(tuple),
    kernels=st.lists(st.lists(sizes, min_size=1).map(tuple), min_size=1).map(tuple),
)


@given(made=many)
def test_they_go_through_json_and_what_is_typed(made):
    assert Many.from_json(json.loads(json.dumps(made.to_json()))) == made
    typed = {name: text for name, text, _, _ in made.describe()}
    assert Many.from_texts(typed) == made


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"steps": "x"}, "whole number"),
        ({"steps": "0"}, "1 to 1000000000"),
        ({"steps": "1.5"}, "whole number"),
        ({"rate": "nan"}, "a number"),
        ({"rate": "inf"}, "0 to 10"),
        ({"rate": "-1"}, "0 to 10"),
        ({"flag": "maybe"}, "yes or no"),
        ({"kind": "c"}, "a, b"),
        ({"maps": "1,x"}, "commas"),
        ({"maps": "1,0"}, "1 to 99"),
        ({"kernels": "3x"}, "7x7x7"),
        ({"precision": "64"}, "32-true"),
        ({"bogus": "1"}, "wanted one of steps"),
        ({"step": "1"}, r"wanted steps \(or one of batch_size"),
    ],
)
def test_what_cannot_be_used_is_told(texts, words):
    with pytest.raises(InputError, match=words) as caught:
        Many.from_texts(texts)
    assert next(iter(texts)) in str(caught.value)


@pytest.mark.parametrize(
    "plain", [{"steps": "5"}, {"steps": True}, {"flag": 1}, {"maps": [1.5]}, {"kernels": [3]},
              {"rate": None}, {"bogus": 1}],
)  # fmt: skip
def test_what_json_holds_is_checked(plain):
    with pytest.raises(InputError, match=next(iter(plain))):
        Many.from_json({**Many().to_json(), **plain})


def test_a_setting_that_json_lacks_is_refused(refused):
    plain = Many().to_json()
    del plain["rate"]
    with refused("setting: found none called 'rate'"):
        Many.from_json(plain)


def test_what_is_typed_goes_over_the_models():
    assert Many.from_texts({"rate": "2"}, {"rate": 1.0, "steps": 5}) == Many(rate=2.0, steps=5)


@pytest.mark.parametrize("rate", [0.0, 10.0])
def test_bounds_may_be_reached(rate):
    assert Many(rate=rate).rate == rate
