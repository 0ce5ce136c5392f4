"""The stages before networks of states, by the names of methods."""

from collections.abc import Callable

from ...datasets.grid import Grid
from .input_stages import Frames, InputStage
from .state_settings import StateSettings
from .tracking.stage import TrackedPlaces

STAGES: dict[str, Callable[[StateSettings, Grid], InputStage]] = {
    "cnn": Frames,
    "klt": TrackedPlaces,
}
"""Each is made of the settings and the grid of the videos."""
