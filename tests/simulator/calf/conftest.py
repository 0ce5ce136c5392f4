"""Participants to test with: level muscles, and those of other shapes."""

from typing import Any

import pytest

from musim.simulator.calf.parameters import CalfParameters, draw_participant
from musim.simulator.section.parameters import SectionParameters

LEVEL: dict[str, Any] = {
    "thickness": 18, "fat": 6, "skin": 1, "tilt": 0, "taper": 0, "bow": 0, "pennation": 20,
    "fascicle_bow": 0,
}  # fmt: skip


@pytest.fixture
def participant_of():
    """Return a function that draws participants: level ones, but for what is asked."""

    def draw(index=0, section=None, seed=0, **calf):
        parameters = SectionParameters(**{**LEVEL, **(section or {})})
        return draw_participant(CalfParameters(**calf), parameters, seed, index)

    return draw
