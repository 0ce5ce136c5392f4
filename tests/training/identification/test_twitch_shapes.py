import numpy as np
import pytest
import scipy

from musim.simulator.imaging.filtering import BandPass
from musim.simulator.twitch import twitch_velocity
from musim.training.identification.firing_fits import courses_of, fitted, free_twitch
from musim.training.identification.firing_paths_kernels import PLACES
from musim.training.identification.twitch_shapes import (
    Grid,
    _passed,
    band_seen,
    shapes_of,
    whole_step,
)

BAND = BandPass(low=5.0, high=50.0, frame_rate=400.0)

STEP = whole_step(0.0825)


def test_rows_are_twitches_that_began_between_frames():
    shapes = shapes_of(STEP, 0.0, Grid(100.0))
    contraction = 1000 * np.exp(0.03 * STEP)
    for row in range(PLACES):
        time = (np.arange(shapes.twitch.shape[1]) + row / PLACES) / 100
        expected = twitch_velocity(time, contraction_time=contraction)
        scale = shapes.twitch[0, 5] / twitch_velocity(np.array([0.05]),
                                                      contraction_time=contraction)  # fmt: skip
        np.testing.assert_allclose(shapes.twitch[row], scale * expected, atol=1e-9)
    assert np.square(shapes.twitch).sum() == pytest.approx(PLACES)
    assert shapes.dense[PLACES + 2] == shapes.twitch[2, 1]


def test_frames_that_are_averaged_show_averaged_twitches():
    one, four = shapes_of(STEP, 0.0, Grid(100.0)), shapes_of(STEP, 0.0, Grid(400.0, 4))
    time = np.arange(-1.5, 2) / 400
    seen = [
        twitch_velocity(k / 100 + time, contraction_time=1000 * np.exp(0.03 * STEP)).mean()
        for k in range(four.twitch.shape[1])
    ]
    np.testing.assert_allclose(four.twitch[0] / four.twitch[0, 3], seen / seen[3], atol=1e-9)
    assert np.square(four.twitch - one.twitch).sum() < 0.01


def test_bases_span_how_twitches_differ():
    shapes = shapes_of(STEP, 0.2, Grid(100.0))
    random = np.random.default_rng(0)
    sd = np.sqrt(np.log1p(0.04))
    time = np.arange(len(shapes.dense)) / (100 * PLACES)
    contraction = 1000 * np.exp(0.03 * STEP)
    drawn = np.array([
        size / duration * twitch_velocity(time / duration, contraction_time=contraction)
        for size, duration in np.exp(sd * random.standard_normal((4000, 2)) - sd**2 / 2)
    ])  # fmt: skip
    drawn *= np.sqrt(PLACES / np.square(drawn.mean(axis=0)).sum())
    assert np.square(drawn.mean(axis=0) - shapes.dense).sum() < 0.01 * PLACES
    away = drawn - shapes.dense
    bases = np.array([one.T.ravel() for one in shapes.bases])
    np.testing.assert_allclose(bases @ bases.T, np.eye(len(bases)), atol=1e-9)
    inside = away @ bases.T
    assert np.square(inside).sum() > 0.97 * np.square(away).sum()
    np.testing.assert_allclose(np.square(inside).mean(axis=0), shapes.variances, rtol=0.15)


def test_a_band_passed_twitch_is_what_the_filter_makes_of_one():
    grid = Grid(400.0, 4, BAND)
    time = np.arange(-400, 800) / 400
    velocity = twitch_velocity(time, contraction_time=1000 * np.exp(0.03 * STEP))
    passed = scipy.signal.sosfiltfilt(BAND.sections.copy(), velocity)
    passed = np.convolve(passed, np.full(4, 0.25), "same")  # frame k is (k - 2 .. k + 1) / 400
    dense = shapes_of(STEP, 0.0, grid).dense
    first = grid.ahead * PLACES
    expected = passed[400 - first : 400 - first + len(dense)]
    expected = 0.5 * (expected + passed[401 - first : 401 - first + len(dense)])
    expected *= (dense @ expected) / (expected @ expected)
    assert np.square(dense - expected).sum() < 1e-3 * np.square(dense).sum()
    assert dense[: first // 2].any()  # it is seen before its onset


@pytest.mark.parametrize("rate", [9.0, 16.0, 30.0])
def test_a_band_pass_is_seen(rate):
    time = np.arange(-400, 1200) / 400
    instants = np.cumsum(np.random.default_rng(1).normal(1 / rate, 0.2 / rate, 200)) - 2
    train = np.sum([twitch_velocity(time - t) for t in instants], axis=0)
    noise = 0.02 * train.std() * np.random.default_rng(0).standard_normal(len(time))
    for passed, sees in ((train + noise, False), (train, True)):
        if sees:
            passed = scipy.signal.sosfiltfilt(BAND.sections.copy(), passed)  # noqa: PLW2901
        given = passed[None, 400:-400].astype(np.float32)
        assert (band_seen(given, 400.0) is not None) == sees
    assert band_seen(np.zeros((1, 400), np.float32), 400.0) is None


@pytest.mark.parametrize("place", [-7.5, -0.25, 0.0, 3.0, 17.3, 78.9])
def test_courses_are_twitches_since_any_place(place):
    dense = np.sin(np.arange(40) / 5) * np.exp(-np.arange(40) / 15)
    (found,) = courses_of(np.array([place]), dense, 20)
    since = np.arange(20) * PLACES - place
    expected = np.interp(since, np.arange(40), dense, left=0.0, right=0.0)
    np.testing.assert_allclose(found[since < 39], expected[since < 39], atol=1e-12)


@pytest.mark.parametrize("band", [None, BAND])
def test_a_fit_finds_instants_between_places_and_the_contraction_time(band):
    grid = Grid(400.0, 4, band)
    random = np.random.default_rng(0)
    true = np.cumsum(random.normal(36, 5, 17)) - 200
    dense = shapes_of(STEP + 3, 0.0, grid).dense
    train = courses_of(true - grid.ahead * PLACES, dense, 100).sum(axis=0)
    train = (train - train.mean()) / train.std() + 0.03 * random.standard_normal(100)
    inside = true[true > 0]
    fit = fitted(train, np.rint(inside + 1).astype(int), 0.09, 0.0, grid, STEP)
    assert np.abs(fit.places - inside).mean() * grid.step < 0.0006
    assert abs(fit.step - STEP - 3) <= 1
    assert fit.noise < 0.004
    # Those before the first are thought to be, where it takes them.
    assert len(fit.earlier) > 0
    assert fit.earlier.max() < fit.places.min()


def test_nothing_is_fitted_to_no_firings():
    fit = fitted(np.ones(50), np.zeros(0, np.int64), 0.1, 0.0, Grid(100.0), STEP)
    assert len(fit.places) == 0
    assert fit.noise == 1.0


def test_a_free_twitch_comes_nearer_to_another_waveform():
    grid, random = Grid(100.0), np.random.default_rng(0)
    dense = shapes_of(STEP, 0.0, grid).dense
    since = np.arange(len(dense)) / (100 * PLACES)
    true = np.sin(2 * np.pi * since / 0.2) * (since < 0.2)
    true /= np.sqrt(np.square(true).sum() / PLACES)
    places = np.sort(random.integers(0, 380 * PLACES, 40)).astype(float)
    train = courses_of(places, true, 400).sum(axis=0)
    train = (train - train.mean()) / train.std()
    fit = fitted(train, places.astype(int), 0.1, 0.0, grid, STEP)
    found = free_twitch(train, fit, grid)
    assert np.square(found - true).sum() < 0.3 * np.square(dense - true).sum()
    assert np.square(found).sum() == pytest.approx(PLACES)


@pytest.mark.parametrize(
    ("low", "high", "order"), [(5.0, 100.0, 4), (5.0, 190.0, 4), (12.0, 40.0, 2)]
)
def test_a_course_is_passed_as_by_the_filter_itself(low, high, order):
    rate = 400.0
    course = np.zeros(2000)
    course[900:960] = np.hanning(60)
    band = BandPass(low=low, high=high, frame_rate=rate, order=order)
    corners = (low, high) if high < 0.45 * rate else low
    kind = "bandpass" if high < 0.45 * rate else "highpass"
    sections = scipy.signal.butter(order, corners, kind, fs=rate, output="sos")
    wanted = scipy.signal.sosfiltfilt(sections, course)
    np.testing.assert_allclose(_passed(course, band, rate), wanted, atol=1e-6)
