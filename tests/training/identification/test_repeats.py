"""Copies and mixtures of units are told from units."""

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw
from musim.training.identification.methods.evidence import places_of
from musim.training.identification.methods.repeats import (
    are_beside,
    chosen,
    degrees_of_freedom,
    likeness_of,
)

RATE = 400.0


def _trains(count, seed, frames=800):
    parameters = Parameters(
        units=Range(count, count), frames=frames, frame_rate=RATE, synchrony=Range(0, 0)
    )
    return draw(parameters, seed=seed).twitch_train.astype(np.float64)


def _delayed(course, seconds):
    shift = round(seconds * RATE)
    return np.interp(np.arange(len(course)) - shift, np.arange(len(course)), course)


def _choose(courses, probabilities, least=0.5, **options):
    return chosen(np.array(probabilities), np.array(courses), RATE, least, **options)


def test_independent_trains_are_all_chosen_the_likeliest_first():
    for seed in range(20, 25):
        units = _trains(6, seed)
        taken, copies = _choose(units, [0.6, 0.9, 0.7, 0.95, 0.8, 0.99])
        assert taken == [5, 3, 1, 4, 2, 0]
        assert copies == []


def test_unlikely_ones_are_not_chosen_unless_asked_for_less():
    units = _trains(3, 0)
    assert _choose(units, [0.4, 0.9, 0.49])[0] == [1]
    assert _choose(units, [0.4, 0.9, 0.49], least=0.45)[0] == [1, 2]
    assert chosen(np.zeros(0), np.zeros((0, 800)), RATE, 0.5) == ([], [])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.05, -0.05])
def test_copies_are_left_out(delay, sign):
    for seed in range(3):
        units = _trains(3, seed)
        copy = 0.3 * sign * _delayed(units[0], delay) + 0.1
        taken, copies = _choose([*units, copy], [0.9, 0.8, 0.7, 0.85])
        assert taken == [0, 1, 2]
        assert copies == [3]
        # Of a unit and its copy the likelier is taken.
        taken, copies = _choose([*units, copy], [0.8, 0.95, 0.7, 0.9])
        assert taken == [1, 3, 2]
        assert copies == [0]


def test_what_comes_much_later_is_no_copy():
    unit, other = _trains(2, 1)
    late = np.roll(unit, 300)
    assert sorted(_choose([unit, other, late], [0.9, 0.8, 0.7])[0]) == [0, 1, 2]


def test_trains_alike_at_a_distance_are_no_copies():
    units = _trains(2, 0)
    courses = [units[0], units[1], -_delayed(units[0], 0.02)]
    beside = np.ones((3, 3), bool)
    assert _choose(courses, [0.9, 0.8, 0.7], beside=beside) == ([0, 1], [2])
    beside[2, 0] = beside[0, 2] = False
    assert 2 not in _choose(courses, [0.9, 0.8, 0.7], beside=beside)[1]


def test_places_and_which_are_beside_one_another():
    size = (0.5, 0.4)
    rows, columns = (np.arange(80) + 0.5)[:, None] * size[0], (np.arange(90) + 0.5) * size[1]
    given = np.array([[10.0, 9.0, 3.0], [20.0, 9.0, 2.5], [31.0, 30.0, 4.0]])
    maps = np.array([
        (np.hypot(rows - depth, columns - width) < radius) * 1.0 for depth, width, radius in given
    ])  # fmt: skip
    maps[1] *= -1
    centres, radii = places_of(maps, size)
    np.testing.assert_allclose(centres, given[:, :2], atol=0.1)
    np.testing.assert_allclose(radii, given[:, 2], atol=0.15)
    near = are_beside(centres, radii)
    np.testing.assert_array_equal(near, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert places_of(maps[:0], size)[1].shape == (0,)


@pytest.mark.parametrize("seed", range(4))
def test_mixtures_of_chosen_ones_are_left_out_and_are_no_copies(seed):
    units = _trains(4, seed)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    mixture = units[0] - units[1] + units[2]
    # The rest is its own: 0.8 of its energy is theirs.
    mixture += 0.5 * np.linalg.norm(mixture) * units[3]
    taken, copies = _choose([*units[:3], mixture], [0.9, 0.8, 0.7, 0.6])
    assert taken == [0, 1, 2]
    assert copies == []
    # With a third of theirs it is a unit.
    own = mixture / np.linalg.norm(mixture) + 1.5 * units[3]
    assert _choose([*units[:3], own], [0.9, 0.8, 0.7, 0.6])[0] == [0, 1, 2, 3]


def test_some_can_come_first_and_are_still_compared():
    units = _trains(3, 2)
    copy = -units[0]
    first = np.array([2, 3])
    taken, copies = _choose([*units, copy], [0.9, 0.8, 0.6, 0.55], first=first)
    assert taken == [2, 3, 1]
    assert copies == [0]
    # But none that is unlikely.
    assert _choose(units, [0.9, 0.8, 0.3], first=np.array([2]))[0] == [0, 1]


def _slow_likeness(course, others, reach):
    largest = 0.0
    for other in others:
        for lag in range(-reach, reach + 1):
            total = 0.0
            for place, value in enumerate(course):
                if 0 <= place - lag < len(other):
                    total += value * other[place - lag]
            largest = max(largest, abs(total))
    return largest


@pytest.mark.parametrize("reach", [0, 3, 50])
def test_likeness_is_that_of_a_slow_loop_over_lags(reach):
    random = np.random.default_rng(reach)
    course = random.standard_normal(41)
    others = random.standard_normal((3, 41))
    expected = _slow_likeness(course, others, min(reach, 40))
    assert likeness_of(course, others, reach) == pytest.approx(expected)
    assert likeness_of(course, others[:0], reach) == 0


def test_courses_have_as_many_free_values_as_their_band_holds():
    random = np.random.default_rng(0)
    white = random.standard_normal((200, 1000))
    assert degrees_of_freedom(white) == pytest.approx(1000, rel=0.03)
    spectrum = np.fft.rfft(white)
    spectrum[:, :50], spectrum[:, 100:] = 0, 0  # 50 frequencies of a cosine and a sine each
    assert degrees_of_freedom(np.fft.irfft(spectrum, 1000)) == pytest.approx(100, rel=0.05)
    sine = np.sin(2 * np.pi * 7 * np.arange(1000) / 1000)
    assert degrees_of_freedom(sine[None]) == 10
    assert degrees_of_freedom(np.zeros((2, 100))) == 10
