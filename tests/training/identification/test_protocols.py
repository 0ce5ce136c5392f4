"""What methods are tested on: the paper's test set, sweeps, and that they are written and read."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from musim.simulator import InputError, draw
from musim.simulator.parameters import PRESETS, Parameters
from musim.simulator.ranges import Range
from musim.training.identification.protocols import SWEEPS, Condition, ali_2020, sweep


def names(condition):
    """What of a condition's parameters is not as in the preset."""
    preset = Parameters(**PRESETS["ali-2020"])
    return {
        field.name: getattr(condition.parameters, field.name)
        for field in dataclasses.fields(Parameters)
        if getattr(condition.parameters, field.name) != getattr(preset, field.name)
    }


def same(one, other):
    """Names of the fields in which two truths are equal."""
    return {
        field.name
        for field in dataclasses.fields(one)
        if getattr(one, field.name) is getattr(other, field.name)
        or np.array_equal(
            getattr(one, field.name), getattr(other, field.name), equal_nan=field.type is not str
        )
    }


# The paper's test set


def test_the_test_set_of_ali_2020():
    protocol = ali_2020()
    assert (protocol.name, protocol.axis) == ("ali-2020", "units")
    found = [(c.values["units"], c.values["snr"]) for c in protocol.conditions]
    wanted = set(itertools.product((1, 5, 10, 15, 20, 25), (10, 20, math.inf)))
    assert set(found) == wanted
    assert len(found) == 18
    for condition in protocol.conditions:
        assert condition.sequences == 100
        assert set(condition.values) == {"units", "snr"}
        parameters = condition.parameters
        units, snr = condition.values["units"], condition.values["snr"]
        assert parameters.units == Range(units, units)
        assert parameters.snr == Range(snr, snr)
        assert set(names(condition)) <= {"units", "snr"}
        # Section III.A of the paper.
        assert (parameters.pixels, parameters.frames, parameters.frame_rate) == ((64, 64), 400, 400)
        assert parameters.size == (40.0, 40.0)
        assert (parameters.synchrony.low, parameters.synchrony.high) == (0, 0.1)


def test_sequences_have_the_units_and_noise_of_their_condition():
    for condition in ali_2020(1).conditions:
        truth = draw(condition.parameters, seed=condition.seed, index=0)
        assert truth.unit_count == condition.values["units"]
        assert truth.snr == condition.values["snr"]
        assert (truth.noise_sd == 0) == math.isinf(truth.snr)
        assert 0 <= truth.synchrony <= 0.1


def test_noise_levels_share_their_truth():
    by_units = {}
    for condition in ali_2020(2).conditions:
        by_units.setdefault(condition.values["units"], []).append(condition)
    for conditions in by_units.values():
        assert len({condition.seed for condition in conditions}) == 1
        for index in range(2):
            truths = [draw(c.parameters, seed=c.seed, index=index) for c in conditions]
            for one, other in itertools.combinations(truths, 2):
                everything = {field.name for field in dataclasses.fields(one)}
                assert everything - same(one, other) == {"snr", "noise_sd"}


def test_no_two_numbers_of_units_share_a_sequence():
    seeds = {}
    for condition in ali_2020(1).conditions:
        seeds.setdefault(condition.values["units"], set()).add(condition.seed)
    assert all(len(some) == 1 for some in seeds.values())
    assert len(set.union(*seeds.values())) == len(seeds) == 6
    # A seed of its own tells all: the first unit, the rest of the draw, and the noise.
    truths = {}
    for condition in ali_2020(1).conditions[:6]:
        for index in range(3):
            truth = draw(condition.parameters, seed=condition.seed, index=index)
            truths[condition.seed, index] = truth
    for one, other in itertools.combinations(truths.values(), 2):
        assert not np.array_equal(one.territory[0], other.territory[0])
        assert one.diameter[0] != other.diameter[0]
        assert not np.array_equal(one.noise_key, other.noise_key)


@pytest.mark.parametrize("number", [1, 7, 10])
def test_any_number_of_sequences(number):
    assert [c.sequences for c in ali_2020(number).conditions] == [number] * 18


# Sweeps


@pytest.mark.parametrize("difficulty", ["units", "snr", "synchrony"])
def test_a_sweep_varies_one_difficulty(difficulty):
    protocol = sweep(difficulty, 4)
    assert (protocol.name, protocol.axis) == (f"sweep-{difficulty}", difficulty)
    assert [c.values[difficulty] for c in protocol.conditions] == list(SWEEPS[difficulty])
    assert len(SWEEPS[difficulty]) == len(set(SWEEPS[difficulty])) >= 5
    held = {"units": 15.0, "snr": 20.0}
    for condition in protocol.conditions:
        value = condition.values[difficulty]
        assert condition.values == {**held, difficulty: value}
        assert condition.sequences == 4
        for name, number in condition.values.items():
            assert getattr(condition.parameters, name) == Range(number, number)
        assert set(names(condition)) <= {"units", "snr", "synchrony"}
        truth = draw(condition.parameters, seed=condition.seed, index=0)
        found = {"units": truth.unit_count, "snr": truth.snr, "synchrony": truth.synchrony}
        assert found[difficulty] == value


def test_only_the_noise_changes_in_a_sweep_of_it():
    first, *rest = [draw(c.parameters, seed=c.seed) for c in sweep("snr").conditions]
    everything = {field.name for field in dataclasses.fields(first)}
    for other in rest:
        assert everything - same(first, other) == {"snr", "noise_sd"}


def test_overlap_is_not_asked_for_but_counted():
    (condition,) = sweep("overlap", 3).conditions
    assert condition.values == {"units": 25, "snr": 20}
    assert condition.sequences == 3
    overlap = draw(condition.parameters, seed=condition.seed).overlap
    assert overlap.min() < 0.4
    assert overlap.max() > 0.6


# Wrong input, and JSON


def test_an_unknown_sweep_is_refused(refused):
    with refused("found 'depth', wanted one of units, snr, synchrony"):
        sweep("depth")


@pytest.mark.parametrize("number", [0, -3])
@pytest.mark.parametrize(
    "make", [ali_2020, lambda n: sweep("snr", n), lambda n: sweep("overlap", n)]
)
def test_no_sequence_is_refused(make, number):
    with pytest.raises(InputError, match=f"sequences: found {number}, wanted 1 or more"):
        make(number)


@pytest.mark.parametrize("protocol", [ali_2020(3), *(sweep(name, 2) for name in SWEEPS)],
                         ids=lambda protocol: protocol.name)  # fmt: skip
def test_conditions_are_written_and_read(protocol):
    for condition in protocol.conditions:
        text = json.dumps(condition.to_json(), allow_nan=False)
        assert Condition.from_json(json.loads(text)) == condition


def test_names_of_conditions_differ_and_can_stand_in_files_names():
    for protocol in (ali_2020(1), *(sweep(name, 1) for name in SWEEPS)):
        found = [condition.name for condition in protocol.conditions]
        assert len(set(found)) == len(found)
        assert not any(set(name) & set("/\\ :") for name in found)
    assert ali_2020(1).conditions[-1].name == "snr-inf_units-25"
