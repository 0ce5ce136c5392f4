"""What is seen of trains: closed forms, and what may not matter."""

import dataclasses

import numpy as np
import pytest

from musim.simulator.twitch import twitch_velocity
from musim.training.identification.methods.blocks import blocks_of, signal_directions
from musim.training.identification.methods.learned.recurrence import Gathered
from musim.training.identification.methods.learned.traits import NAMES, pulses, traits_of
from musim.training.identification.noise import whiten
from tests.training.identification.learned.scene import (
    PLACES,
    RATE,
    SIZE,
    maps,
    recording,
    trains,
)


def _seen(given, courses, support=(5.0, 0.9, 3.0)):
    """Return what is seen of courses (train, time) in a recording."""
    found = whiten(given)
    blocks = blocks_of(found, given.pixel_size)
    _, noise = signal_directions(blocks)
    values = found.values_of(np.asarray(courses, np.float32))
    coefficients = np.linalg.solve(found.noise.whitening.T, values.T).T
    coefficients /= np.linalg.norm(coefficients, axis=1, keepdims=True)
    gathered = Gathered(coefficients, np.tile(support, (len(courses), 1)))
    return traits_of(found, blocks, gathered, noise, given.frame_rate)


def _trait(seen, name):
    return seen.traits[:, NAMES.index(name)]


@pytest.fixture(scope="module")
def plain():
    true = trains(1)
    return true, _seen(recording(true), true)


def test_places_are_where_units_are(plain):
    true, seen = plain
    assert seen.traits.shape == (len(true), len(NAMES))
    wanted = (np.array(PLACES)[:, :2] + 0.5) * SIZE
    np.testing.assert_allclose(seen.centres, wanted, atol=1.0)
    np.testing.assert_allclose(seen.radii, np.array(PLACES)[:, 2] * SIZE[0], rtol=0.25)
    np.testing.assert_allclose(_trait(seen, "radius"), np.log(seen.radii))


def test_a_units_own_train_looks_like_one(plain):
    _, seen = plain
    assert (_trait(seen, "share") > 0.8).all()
    assert (_trait(seen, "halves-near") > 0.9).all()
    assert (_trait(seen, "thirds") > 0.6).all()
    assert (_trait(seen, "strength") > 0).all()
    assert (_trait(seen, "pulses") > 0.7).all()
    assert (_trait(seen, "variation") < 0.45).all()
    assert ((_trait(seen, "rate") > 7) & (_trait(seen, "rate") < 14)).all()
    np.testing.assert_allclose(_trait(seen, "support"), np.log(5.0))
    np.testing.assert_array_equal(_trait(seen, "likeness"), 0.9)
    np.testing.assert_array_equal(_trait(seen, "ways"), 3.0)


def test_a_train_that_nothing_moves_with_does_not():
    true = trains(1)
    random = np.random.default_rng(5)
    chance = np.asarray(trains(77) * 0 + random.standard_normal(true.shape))
    seen = _seen(recording(true), np.cumsum(chance, axis=1))
    good = _seen(recording(true), true)
    for name in ("share", "strength", "pulses"):
        assert _trait(seen, name).max() < _trait(good, name).min()


def test_what_is_there_in_one_half_alone_does_not_repeat():
    true = trains(1)
    # From the middle on the first unit moves in another place.
    courses = np.concatenate([true, true[:1]])
    half = true.shape[1] // 2
    courses[0, half:] = courses[-1, :half] = 0.0
    given = recording(courses, maps((*PLACES, (24, 22, 5))))
    seen = _seen(given, true)
    assert _trait(seen, "halves-near")[0] < 0.5
    assert (_trait(seen, "halves-near")[1:3] > 0.9).all()
    assert _trait(seen, "halves-ratio")[0] > 1.0


@pytest.mark.parametrize("change", [-1.0, 3.0])
def test_a_trains_sign_and_scale_do_not_matter(plain, change):
    true, seen = plain
    other = _seen(recording(true), change * true)
    np.testing.assert_allclose(other.traits, seen.traits, rtol=1e-3, atol=1e-3)
    scaled = np.sqrt(np.square(other.trains).sum(axis=1))
    np.testing.assert_allclose(scaled, 1.0)


def test_trains_stand_upright(plain):
    true, seen = plain
    for course, own in zip(seen.courses, true, strict=True):
        assert np.corrcoef(course, own)[0, 1] > 0.9


def test_a_flipped_image_shows_the_same():
    true = trains(2)
    given = recording(true)
    flipped = dataclasses.replace(given, tvi=np.ascontiguousarray(given.tvi[:, ::-1, ::-1]))
    one, two = _seen(given, true), _seen(flipped, true)
    np.testing.assert_allclose(one.traits, two.traits, rtol=0.02, atol=0.02)


def test_no_trains_have_no_traits():
    given = recording(trains(1))
    seen = _seen(given, np.zeros((0, len(given.tvi))))
    assert seen.traits.shape == (0, len(NAMES))
    assert seen.centres.shape == (0, 2)


class TestPulses:
    FRAMES = 400

    def _train(self, instants, contraction_time=80.0, sizes=None):
        time = np.arange(self.FRAMES) / RATE
        sizes = np.ones(len(instants)) if sizes is None else sizes
        train = sum(
            size * twitch_velocity(time - at, contraction_time=contraction_time)
            for at, size in zip(instants, sizes, strict=True)
        )
        return (train - np.mean(train))[None]

    def test_equal_twitches_explain_all(self):
        instants = np.array([0.05, 0.31, 0.6])
        assert pulses(self._train(instants), instants[None], RATE)[0] == pytest.approx(1, abs=1e-3)

    def test_unequal_ones_explain_what_their_mean_does(self):
        # Two twitches that do not meet: the share is that of (1, 1) in (1, a).
        instants = np.array([0.05, 0.55])
        share = pulses(self._train(instants, sizes=(1.0, 3.0)), instants[None], RATE)[0]
        assert share == pytest.approx((1 + 3) ** 2 / (2 * (1 + 9)), abs=0.03)

    def test_instants_elsewhere_explain_little_and_none_nothing(self):
        train = self._train(np.array([0.05, 0.55]))
        assert pulses(train, np.array([[0.3, np.nan]]), RATE)[0] < 0.2
        assert pulses(train, np.full((1, 2), np.nan), RATE)[0] == 0
        # Upside down, twitches explain nothing.
        assert pulses(-train, np.array([[0.05, 0.55]]), RATE)[0] == 0
