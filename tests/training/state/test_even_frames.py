"""Frames are spread evenly over trials, whatever their lengths."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from musim.training.state.even_frames import even_frames


def trials_of(*frames) -> list[Any]:
    return [SimpleNamespace(name=place, frames=count) for place, count in enumerate(frames)]


def numbers(found):
    return [(trial.name, frame) for trial, frame in found]


def test_frames_are_as_far_apart_over_all_trials():
    trials = trials_of(100, 50, 350)
    found = even_frames(trials, 50)
    begins = {0: 0, 1: 100, 2: 150}
    places = [begins[trial] + frame for trial, frame in numbers(found)]
    assert np.all(np.diff(places) == 10)
    assert places[0] == 5
    assert [sum(trial == which for trial, _ in numbers(found)) for which in range(3)] == [10, 5, 35]


def test_no_more_frames_than_there_are():
    assert numbers(even_frames(trials_of(2, 0, 1), 500)) == [(0, 0), (0, 1), (2, 0)]
    assert even_frames([], 3) == []


def test_frames_have_others_after_them():
    assert numbers(even_frames(trials_of(3, 1, 2), 9, successive=2)) == [(0, 0), (0, 1), (2, 0)]
