"""Simulate tissue-velocity image sequences of active motor units, with their truth.

One sequence is made in two steps: :func:`draw` gives its latent truth, which is small and depends
on ``(parameters, seed, index)`` alone; :func:`render` turns a truth into velocities.
"""

from .errors import FailureError, InputError, MusimError
from .parameters import PRESETS, Parameters, Range
from .rendering import render
from .sequence import Truth, draw

__all__ = [
    "PRESETS",
    "FailureError",
    "InputError",
    "MusimError",
    "Parameters",
    "Range",
    "Truth",
    "draw",
    "render",
]
