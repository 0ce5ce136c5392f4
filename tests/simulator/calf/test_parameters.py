"""Participants: each its own, and muscles that can do what is asked."""

import math

import pytest

from musim.simulator.calf.parameters import CalfParameters
from musim.simulator.declarations import declarations


def test_participants_are_drawn_within_ranges():
    parameters = CalfParameters()
    for index in range(20):
        for name, value in parameters.draw(1, index).items():
            asked = getattr(parameters, name)
            assert asked.low <= value <= asked.high
    assert set(parameters.draw(1, 0)) == set(declarations(CalfParameters))


def test_one_parameter_leaves_the_others():
    usual, other = CalfParameters().draw(1, 4), CalfParameters(fall=0.2).draw(1, 4)
    assert {name for name in usual if usual[name] != other[name]} == {"fall"}
    assert CalfParameters().draw(1, 5) != usual != CalfParameters().draw(2, 4)


def test_anatomy_is_that_of_the_section(participant_of):
    participant = participant_of()
    assert participant.thickness == pytest.approx(18)
    assert participant.pennation == pytest.approx(math.radians(20))
    assert participant.fascicle_length == pytest.approx(18 / math.sin(math.radians(20)))
    tilted = participant_of(section={"tilt": 10})
    assert tilted.thickness == pytest.approx(18 * math.cos(math.radians(10)))


def test_the_foot_lies_where_fascicles_reach_the_deep_aponeurosis(participant_of):
    sides = set()
    for index in range(6):
        participant = participant_of(index)
        fascicles = participant.anatomy.fascicles[0]
        depth, width = fascicles.place(fascicles.side * 20.0, 8.0)  # a piece of one, from its foot
        assert depth < fascicles.feet.depth
        assert (width < fascicles.feet.middle) == (participant.distal > 0)
        sides.add(participant.distal)
    assert sides == {-1, 1}


def test_muscles_of_two_compartments_are_refused(participant_of, refused):
    with refused("compartments: found 2", "wanted 1"):
        participant_of(section={"compartments": 2})


def test_fascicles_that_cannot_shorten_so_much_are_refused(participant_of, refused):
    # 18 mm thick at 45 deg: they are across the muscle when they have lost 18 (sqrt(2) - 1) mm.
    participant_of(section={"pennation": 45}, shortening=7.4, bulging=0)
    with refused("shortening: found 7.5 mm", "wanted less than 7.46 mm at 45 deg"):
        participant_of(section={"pennation": 45}, shortening=7.5, bulging=0)
    # With bulging it is not left at the largest thickness either.
    with refused("shortening: found 7.4 mm", "wanted less than 6.12 mm"):
        participant_of(section={"pennation": 45}, shortening=7.4, bulging=0.31)
