"""From numbers to a probability, and to words."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.confidence import model
from musim.training.identification.confidence.model import (
    SIGNS,
    joint,
    losses_of,
    reasons_of,
    signs_of,
)
from musim.training.identification.confidence.parts import Parts

GOOD = {
    "method_confidence": 0.9, "map_repeatability": 0.97, "train_repeatability": 0.99,
    "firing_repeatability": 1.0, "pulse_to_noise": 7.0, "local_share": 0.9,
    "local_share_of_all": 1.0, "mixture_share": 0.0, "stronger_likeness": 0.3,
    "epoch_jaccard": 0.9, "epoch_agreement": 0.9,
    "interval_variation": 0.15, "area": 30.0,
}  # fmt: skip
BAD = {
    "method_confidence": 0.95, "map_repeatability": 0.2, "train_repeatability": 0.1,
    "firing_repeatability": 0.1, "pulse_to_noise": -15.0, "local_share": 0.02,
    "local_share_of_all": 0.3, "mixture_share": 0.9, "stronger_likeness": 0.95,
    "epoch_jaccard": 0.0, "epoch_agreement": 0.0,
    "interval_variation": 0.61, "area": 400.0,
}  # fmt: skip
UNUSED = {"method_confidence", "local_share_of_all", "epoch_jaccard", "epoch_agreement"}
RISING = {"map_repeatability", "train_repeatability", "firing_repeatability", "pulse_to_noise",
          "local_share"}  # fmt: skip


def parts(*units):
    """Parts of units, each a mapping of numbers."""
    return Parts(**{name: np.array([float(unit[name]) for unit in units]) for name in GOOD})


def test_the_model_fits_together():
    assert len(SIGNS) == len(model.WEIGHTS) == len(model.USUAL)
    assert min(model.WEIGHTS) >= 0
    names = {field.name for field in dataclasses.fields(Parts)}
    assert {sign.part for sign in SIGNS} == names - UNUSED


def test_it_is_a_logistic_regression_of_the_signs():
    both = parts(GOOD, BAD)
    odds = model.FIRST + signs_of(both) @ np.array(model.WEIGHTS)
    np.testing.assert_allclose(joint(both), 1 / (1 + np.exp(-odds)))
    assert joint(both)[0] > 0.95
    assert joint(both)[1] < 0.05


@given(st.sampled_from(sorted(GOOD)), st.floats(0, 1), st.floats(0, 1))
def test_each_number_counts_one_way(name, one, other):
    if name in UNUSED | {"area"}:
        return
    low, high = sorted((one, other))
    if name == "pulse_to_noise":
        low, high = 60 * low - 30, 60 * high - 30
    sure = joint(parts(GOOD | {name: low}, GOOD | {name: high}))
    if name in RISING:
        assert sure[0] <= sure[1]
    else:
        assert sure[0] >= sure[1]


def test_what_is_too_wide_and_what_is_too_small_count_both():
    small, usual, wide = joint(parts(GOOD | {"area": 1}, GOOD, GOOD | {"area": 600}))
    assert small < usual
    assert wide < usual


def test_what_the_method_says_has_no_part_in_it():
    one, other = joint(parts(GOOD, GOOD | {"method_confidence": 0.01}))
    assert one == other


def test_where_nothing_can_repeat_the_method_has_the_word():
    unknown = dict.fromkeys(RISING - {"local_share"}, np.nan)
    found = joint(parts(GOOD | unknown, BAD | unknown, GOOD | unknown | {"method_confidence": 1.5}))
    assert found.tolist() == [0.9, 0.95, 1.0]
    assert reasons_of(parts(BAD | unknown), np.array([0.1])) == ((),)


def test_a_unit_that_fires_twice_is_doubted_for_it():
    twice = parts(GOOD | {"pulse_to_noise": np.nan, "interval_variation": np.nan}, GOOD)
    sure = joint(twice)
    assert sure[0] < sure[1]
    assert "fires less than three times" in reasons_of(twice, np.array([0.1, 0.9]))[0][0]


def test_reasons_are_what_costs_most_and_only_of_what_is_doubted():
    both = parts(GOOD, BAD)
    sure = joint(both)
    none, some = reasons_of(both, sure)
    assert none == ()
    assert len(some) == 3
    losses = losses_of(both)[1]
    names = [SIGNS[place].reason(BAD[SIGNS[place].part]) for place in np.argsort(-losses)[:3]]
    assert list(some) == names


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ({"map_repeatability": 0.1}, "its map does not repeat from epoch to epoch (Jaccard 0.10)"),
        ({"map_repeatability": 0.6}, "its map repeats in part from epoch to epoch (Jaccard 0.60)"),
        ({"pulse_to_noise": -18}, "its twitches hardly stand out (-18 dB)"),
        ({"mixture_share": 0.97}, "97 % of its train is a mixture of other units'"),
        ({"stronger_likeness": 0.96}, "moves like a stronger unit (correlation 0.96)"),
        ({"local_share": 0.12}, "explains 12 % of the motion where it lies"),
        ({"interval_variation": 0.61}, "firings irregular (CV 0.61)"),
        ({"area": 612.4}, "wider than motor units usually are (612 mm2)"),
        ({"area": 1.5}, "smaller than motor units usually are (1.5 mm2)"),
    ],
)
def test_reasons_are_plain_words(number, words):
    ((name, value),) = number.items()
    place = [sign.part for sign in SIGNS].index(name)
    assert SIGNS[place].reason(value) == words
    told = reasons_of(parts(GOOD | number), np.array([0.3]))[0]
    # What counts for nothing beside the others is no reason.
    assert (told[0] == words) if model.WEIGHTS[place] > 0.1 else (words not in told)


def test_whoever_is_doubted_is_told_why_however_little_it_is():
    near = parts(GOOD | {"map_repeatability": 0.9, "area": 7.9})
    (reasons,) = reasons_of(near, np.array([0.79]))
    assert len(reasons) == 1
