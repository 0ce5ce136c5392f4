"""Settings under which examples take a second, and networks as little."""

from musim.training.identification.learning.settings import JudgeSettings


def tiny(**changes):
    """Return them, with changes."""
    given = {"examples": 4, "kinds": "easy,noise", "apart_every": 2, "pixels": 24, "frames": 120,
             "networks": 2, "hidden": (4,), "learning_rate": 0.5,
             "patience": 1, "outline_channels": 2, "outline_epochs": 1}  # fmt: skip
    return JudgeSettings(**{**given, **changes})
