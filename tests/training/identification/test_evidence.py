"""Signs that tell units from chance, texture, copies, mixtures and arteries."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from musim.simulator import Parameters, Range, draw
from musim.training.identification.methods.candidates import Candidates
from musim.training.identification.methods.evidence import (
    CERTAINTY,
    WEIGHTS,
    are_beside,
    certainty,
    chosen,
    degrees_of_freedom,
    is_pulse,
    likeness_of,
    place_of,
    places_of,
    probability,
    signs_of,
    smoothed,
    upright,
)

SIZE = (0.6, 0.6)
SHAPE = (40, 40)
RATE = 400.0


def _blob(row, column, sd=3.0):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.exp(-(np.square(rows - row) + np.square(columns - column)) / (2 * sd**2))


def _signs(image, stability=0.9, noise=1.0, train=(3.0, 4.0)):
    candidates = Candidates(
        np.array([train]), image[None], np.array([stability]), np.zeros(1, np.int64)
    )
    return signs_of(candidates, noise, SIZE)[0]


def test_one_blob_is_one_place_without_a_trough():
    odds, core, foot, trough, above = _signs(_blob(20, 18))
    assert odds == pytest.approx(np.log(0.92 / 0.12))
    # Of a Gaussian's squares, those above a share s of the peak are 1 - s^2 of all.
    assert core == pytest.approx(0.75, abs=0.04)
    assert foot == pytest.approx(0.99, abs=0.01)
    assert trough == pytest.approx(0.0, abs=1e-6)
    # 5 mm/s or so times the root of pi sd^2.
    assert above == pytest.approx(np.log(5 * np.sqrt(np.pi * 9)), abs=0.01)


def test_of_two_blobs_the_higher_is_looked_at():
    _, core, foot, trough, _ = _signs(_blob(10, 10) + 0.8 * _blob(30, 30))
    share = 1 / (1 + 0.64)
    assert core == pytest.approx(0.75 * share, abs=0.04)
    assert foot == pytest.approx(0.99 * share, abs=0.03)
    assert trough == pytest.approx(0.0, abs=1e-6)


def test_a_dipole_has_a_trough():
    _, core, foot, trough, _ = _signs(_blob(10, 20) - 0.7 * _blob(30, 20))
    share = 1 / (1 + 0.49)
    assert trough == pytest.approx(0.7, abs=0.02)
    assert core == pytest.approx(0.75 * share, abs=0.04)
    assert foot == pytest.approx(0.99 * share, abs=0.03)


def test_signs_know_neither_up_nor_down_nor_how_scale_is_shared():
    image = _blob(10, 20) - 0.7 * _blob(30, 20)
    expected = _signs(image)
    np.testing.assert_allclose(_signs(-image), expected)
    np.testing.assert_allclose(_signs(image / 8, train=(24.0, 32.0)), expected)
    lower = _signs(image, noise=10.0)
    assert lower[4] == pytest.approx(expected[4] - np.log(10))
    np.testing.assert_allclose(lower[:4], expected[:4])


def test_an_empty_map_has_finite_signs():
    signs = _signs(np.zeros(SHAPE), stability=0.0, noise=0.0)
    assert np.isfinite(signs).all()
    assert probability(signs[None])[0] < 0.01
    none = Candidates(
        np.zeros((0, 2)), np.zeros((0, *SHAPE)), np.zeros(0), np.zeros(0, np.int64)
    )  # fmt: skip
    assert probability(signs_of(none, 1.0, SIZE)).shape == (0,)


def test_upright_is_the_sign_of_the_larger():
    assert upright(np.array([[2.0, -1.0]])) == 1
    assert upright(np.array([[1.0, -2.0]])) == -1
    assert upright(np.zeros((2, 2))) == 1


def test_the_place_around_the_peak_is_connected():
    image = np.zeros((7, 9))
    image[1:4, 1:4] = 0.6
    image[2, 2] = 1.0
    image[1:4, 6:8] = 0.9
    image[4, 4] = 0.6  # touches by a corner alone
    expected = np.zeros((7, 9), bool)
    expected[1:4, 1:4] = True
    np.testing.assert_array_equal(place_of(image, 0.5), expected)
    expected[:] = False
    expected[2, 2] = True
    np.testing.assert_array_equal(place_of(image, 0.7), expected)


def test_maps_are_smoothed_in_millimetres():
    image = np.zeros((41, 41))
    image[20, 20] = 1.0
    smooth = smoothed(image, (0.3, 0.6))
    rows, columns = (np.arange(41) - 20) * 0.3, (np.arange(41) - 20) * 0.6
    assert smooth.sum() == pytest.approx(1.0)
    for axis, places in ((1, rows), (0, columns)):
        spread = np.sqrt(smooth.sum(axis=axis) @ np.square(places))
        assert spread == pytest.approx(0.6, rel=0.03)


def test_probabilities_follow_each_sign_as_its_weight_says():
    random = np.random.default_rng(0)
    signs = random.standard_normal((50, len(WEIGHTS) - 1)) * [1.5, 0.2, 0.2, 0.3, 1.0]
    before = probability(signs)
    assert ((before > 0) & (before < 1)).all()
    for place, weight in enumerate(WEIGHTS[1:]):
        more = signs.copy()
        more[:, place] += 0.3
        assert (np.sign(probability(more) - before) == np.sign(weight)).all()
    assert probability(np.zeros((1, 5)))[0] == pytest.approx(1 / (1 + np.exp(-WEIGHTS[0])))
    # What holds one place in both halves is rather a unit than what does not.
    unit = _signs(_blob(20, 18), stability=0.95, noise=1.0)
    chance = _signs(_blob(10, 10) + 0.9 * _blob(30, 30) - 0.8 * _blob(10, 30), stability=0.3)
    sure, unsure = probability(np.array([unit, chance]))
    assert sure > 0.8
    assert unsure < 0.4


def test_certainty_rises_with_probability():
    signs = np.random.default_rng(1).standard_normal((50, len(WEIGHTS) - 1))
    before, after = probability(signs), certainty(signs)
    np.testing.assert_array_equal(np.argsort(before), np.argsort(after))
    odds = np.log(before / (1 - before))
    expected = 1 / (1 + np.exp(-(CERTAINTY[0] + CERTAINTY[1] * odds)))
    np.testing.assert_allclose(after, expected)


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


def _artery(rate, seconds, phase=0.3, sd=0.01):
    """Return the velocity of a vessel's wall: a fast rise with every beat and a slow fall."""
    times = np.arange(round(seconds * RATE)) / RATE
    turn = (times * rate + phase) % 1.0
    course = np.where(turn < 0.12, turn / 0.12, np.exp(-(turn - 0.12) / 0.25))
    return np.gradient(gaussian_filter1d(course, sd * RATE, mode="nearest")) * RATE


def _twitches_band(course):
    sos = butter(3, (5.0, 50.0), "bandpass", fs=RATE, output="sos")
    return sosfiltfilt(sos, course)


@pytest.mark.parametrize("seconds", [2.0, 3.0])
@pytest.mark.parametrize("rate", [0.9, 1.0, 1.2, 1.4])
def test_an_arterys_course_is_a_pulse(rate, seconds):
    for phase in (0.1, 0.4, 0.8):
        course = _artery(rate, seconds, phase)
        noise = 0.1 * course.std() * np.random.default_rng(0).standard_normal(len(course))
        for one in (course, -course, 100 * course + 3, course + noise):
            assert is_pulse(one, RATE)
        assert is_pulse(_twitches_band(course + noise), RATE)


@pytest.mark.parametrize("variation", [0.05, 0.1, 0.2])
def test_units_are_no_pulses(variation):
    parameters = Parameters(
        units=Range(40, 40), frames=800, frame_rate=RATE, firing_rate=Range(6, 13),
        interval_variation=Range(variation, variation), synchrony=Range(0, 0),
    )  # fmt: skip
    for seed in range(3):
        for train in draw(parameters, seed=seed).twitch_train.astype(np.float64):
            assert not is_pulse(train, RATE)
            assert not is_pulse(_twitches_band(train), RATE)


def test_a_short_recording_tells_no_pulse():
    assert not is_pulse(_artery(1.2, 1.0), RATE)
    assert not is_pulse(_artery(1.2, 0.02), RATE)


def test_neither_noise_nor_nothing_is_a_pulse():
    random = np.random.default_rng(4)
    for _ in range(20):
        assert not is_pulse(gaussian_filter(random.standard_normal(800), 4), RATE)
    assert not is_pulse(np.zeros(800), RATE)
