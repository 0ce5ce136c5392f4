"""Arteries and whole muscles are left out of the units of every method, and marked."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from musim.simulator import Parameters, Range, draw
from musim.training.identification.methods import METHODS, Method, identify
from musim.training.identification.other_motion import (
    OtherMotion,
    are_whole,
    are_wide,
    in_words,
    marked,
    other_motion_in,
)
from musim.training.identification.units import Recording, Units

RATE, SIZE = 400.0, (0.5, 0.5)
SHAPE = (64, 64)


def disc(row, column, radius):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(rows - row, columns - column) < radius


def artery_course(seconds=2.0, rate=1.2):
    turn = (np.arange(round(seconds * RATE)) / RATE * rate + 0.3) % 1.0
    course = np.where(turn < 0.12, turn / 0.12, np.exp(-(turn - 0.12) / 0.25))
    course = np.gradient(gaussian_filter1d(course, 4, mode="nearest"))
    return course / course.std()


@pytest.fixture(scope="module")
def scene():
    """Three sharp sources (two units, an artery), tremor everywhere, and noise."""
    parameters = Parameters(units=Range(2, 2), frames=800, synchrony=Range(0, 0))
    units = draw(parameters, seed=1).twitch_train.astype(np.float64)
    courses = np.vstack([units / units.std(axis=1, keepdims=True), artery_course()])
    random = np.random.default_rng(2)
    wave = np.sin(2 * np.pi * 9 * np.arange(800) / RATE + random.uniform(0, 6))
    courses = np.vstack([courses, wave * (1 + 0.3 * gaussian_filter(random.normal(size=800), 60))])
    fields = np.array([disc(15, 15, 8), disc(44, 20, 9), disc(30, 50, 5), np.ones(SHAPE)], float)
    fields[3] = 0.4 * (1 + 0.2 * np.linspace(-1, 1, 64))
    tvi = np.einsum("ut,udw->tdw", courses, fields) + random.normal(size=(800, *SHAPE))
    return courses, fields, Recording(tvi.astype(np.float32), RATE, SIZE)


def all_sources(courses, fields):
    def method(recording):
        return Units(
            (fields > 0.3).astype(np.float32), courses.astype(np.float32), np.zeros((4, 0)),
            np.array([0.9, 0.8, 0.7, 0.6]),
        )  # fmt: skip

    return method


def test_they_are_left_out_of_whatever_a_method_finds(scene, monkeypatch):
    courses, fields, recording = scene
    monkeypatch.setitem(METHODS, "all", Method("all", "", all_sources(courses, fields)))
    found = identify(recording, "all")
    assert found.count == 2
    order = [int(np.abs(np.corrcoef(one, courses)[0, 1:]).argmax()) for one in found.train]
    assert sorted(order) == [0, 1]
    assert {"pulsation-left-out", "whole-motion-left-out"} <= set(found.remarks)
    artery, whole = other_motion_in(found.other_motion)
    assert (artery.kind, whole.kind) == ("artery", "whole muscle")
    np.testing.assert_array_equal(artery.mask, disc(30, 50, 5))
    assert whole.mask.mean() > 0.7
    words = in_words([artery, whole], SIZE)
    assert words == "artery at 15.2 mm deep, 25.2 mm across; whole muscle"


def test_motion_that_tilts_is_the_whole_muscles():
    down, across = np.mgrid[-1:1:64j, -1:1:64j]
    tilts = np.array([down, (down + across) / 2, (down - 2 * across) / 3])
    assert are_whole(tilts, SIZE).all()
    noise = np.random.default_rng(0).standard_normal((40, *SHAPE))
    assert not are_whole(noise, SIZE).any()
    # One side alone: by its outline.
    masks = np.array([down + across > -0.2, down + across > 0.4, disc(30, 30, 14)])
    assert are_wide(masks, SIZE).tolist() == [True, False, False]
    assert not are_wide(masks, (SIZE[0] / 4, SIZE[1] / 4)).any()


def test_methods_that_are_told_the_truth_keep_what_it_holds(scene, monkeypatch):
    courses, fields, recording = scene
    method = all_sources(courses, fields)
    monkeypatch.setitem(
        METHODS, "told", Method("told", "", lambda recording, truth: method(recording), "used")
    )
    found = identify(recording, "told")
    assert (found.count, found.other_motion) == (4, None)


def test_a_vessel_in_a_sharp_recording_is_no_unit(scene):
    courses, fields, recording = scene
    tremor = np.einsum("t,dw->tdw", courses[3], fields[3]).astype(np.float32)
    still = Recording(recording.tvi - tremor, RATE, SIZE)
    found = identify(still, "refine")
    assert found.count == 2
    assert "pulsation-left-out" in found.remarks
    (artery,) = other_motion_in(found.other_motion)
    both = artery.mask & disc(30, 50, 5)
    assert both.sum() > 0.7 * (artery.mask | disc(30, 50, 5)).sum()


def test_no_motor_unit_covers_as_much_as_a_whole_muscle():
    maps = np.array([disc(32, 32, 10), disc(32, 32, 31), np.ones(SHAPE)], float)
    assert are_whole(maps, SIZE).tolist() == [False, True, True]
    # The same maps of an image that a unit may fill.
    assert are_whole(maps, (0.2, 0.2)).tolist() == [False, False, False]
    noise = np.random.default_rng(0).normal(size=(20, *SHAPE))
    assert not are_whole(noise, SIZE).any()
    assert are_whole(np.zeros((0, *SHAPE)), SIZE).shape == (0,)


def test_each_has_a_value_of_its_own_and_arteries_lie_above():
    whole, artery = np.ones((2, 3), bool), np.array([[1, 0, 0], [0, 0, 0]], bool)
    image = marked(
        None, [OtherMotion("whole muscle", whole), OtherMotion("artery", artery)], (2, 3)
    )
    np.testing.assert_array_equal(image, np.where(artery, 1, 101))
    other = np.roll(artery, 1, axis=1)
    more = marked(image, [OtherMotion("artery", other), OtherMotion("whole muscle", whole)], (2, 3))
    np.testing.assert_array_equal(np.unique(more), [1, 2, 102])
    assert image.max() == 101
    assert [one.kind for one in other_motion_in(more)] == ["artery", "artery", "whole muscle"]
    assert other_motion_in(None) == other_motion_in(np.zeros((2, 2), np.uint8)) == ()
    assert in_words([], SIZE) == ""
