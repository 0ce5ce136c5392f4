"""Trains that may be units': independent components, and whether both halves hold them."""

import numpy as np
import pytest
from scipy.fft import idct
from scipy.ndimage import gaussian_filter

from musim.training.identification.methods.blocks import Blocks, blocks_of
from musim.training.identification.methods.candidates import (
    VIEWS,
    candidates_of,
    stability_of,
    unmixed,
)
from musim.training.identification.noise import Noise, Whitened

SHAPE = (32, 32)
FRAMES, COMPONENTS = 121, 30


def _sparse(count, samples, seed):
    """Return sparse sources (sample, source), symmetric about 0."""
    random = np.random.default_rng(seed)
    return random.laplace(size=(samples, count)) * (random.random((samples, count)) < 0.2)


def _cosines(one, other):
    lengths = np.outer(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1))
    return np.abs(one @ other.T) / np.maximum(lengths, 1e-300)


@pytest.mark.parametrize("contrast", ["logcosh", "cube"])
@pytest.mark.parametrize("count", [2, 5])
def test_a_mixing_is_recovered_but_for_order_sign_and_scale(count, contrast):
    mixing = np.random.default_rng(0).standard_normal((count, count))
    values = _sparse(count, 4000, 1) @ mixing
    found = unmixed(values, contrast)
    cosines = _cosines(mixing, found)
    assert sorted(cosines.argmax(axis=1)) == list(range(count))
    assert cosines.max(axis=1).min() > 0.995
    # In these directions the sources have a mean square of 1, and no other than theirs.
    sources = values @ np.linalg.inv(found)
    np.testing.assert_allclose(sources.T @ sources / len(sources), np.eye(count), atol=1e-3)


@pytest.mark.parametrize("contrast", ["logcosh", "cube"])
def test_nothing_is_centred(contrast):
    # One source is there or not there, so its mean is not 0; the second moment has it all the same.
    random = np.random.default_rng(3)
    sources = np.column_stack([np.r_[np.ones(300), np.zeros(3700)], _sparse(1, 4000, 2)[:, 0]])
    mixing = np.array([[1.0, 0.4], [-0.5, 1.0]])
    values = sources[random.permutation(4000)] @ mixing
    found = unmixed(values, contrast)
    np.testing.assert_allclose(found.T @ found, values.T @ values / len(values), rtol=1e-3)
    assert _cosines(mixing, found).max(axis=1).min() > 0.99
    # A signal and its opposite are one.
    np.testing.assert_allclose(_cosines(found, unmixed(-values, contrast)).max(axis=1), 1.0)


@pytest.mark.parametrize("contrast", ["logcosh", "cube"])
def test_what_is_degenerate_gives_as_many_sources_as_there_are_directions(contrast):
    one = np.random.default_rng(0).standard_normal((50, 1))
    np.testing.assert_allclose(np.abs(unmixed(one, contrast)), np.sqrt(np.mean(one**2)))
    line = one @ np.array([[3.0, 4.0, 0.0]])
    found = unmixed(line, contrast)
    assert found.shape == (1, 3)
    np.testing.assert_allclose(np.abs(found), np.sqrt(np.mean(one**2)) * np.array([[3, 4, 0]]))
    plane = _sparse(2, 2000, 1) @ np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    found = unmixed(plane, contrast)
    assert found.shape == (2, 3)
    assert _cosines(np.array([[1.0, 0, 1], [0, 1, -1]]), found).max(axis=1).min() > 0.99
    same = unmixed(np.full((40, 3), 2.0), contrast)
    assert same.shape == (1, 3)
    np.testing.assert_allclose(np.abs(same), 2.0)
    assert unmixed(np.zeros((40, 3)), contrast).shape[1] == 3


def _disc(row, column, radius):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = (np.hypot(rows - row, columns - column) < radius).astype(float)
    return gaussian_filter(disc, 1.0)


PLANTED = np.array([_disc(8, 9, 4.5), _disc(13, 23, 5.0), _disc(24, 12, 4.0)])


def _courses(seed):
    """Return the courses (unit, frame) of some components, all the time there."""
    random = np.random.default_rng(seed)
    coefficients = np.zeros((len(PLANTED), FRAMES))
    coefficients[:, 4 : COMPONENTS + 1] = random.standard_normal((len(PLANTED), COMPONENTS - 3))
    return np.asarray(idct(coefficients, norm="ortho", axis=1))


def _recorded(courses, noise=0.2, seed=0):
    """Return a recording of the planted maps, whitened, and blocks: the first components."""
    random = np.random.default_rng(seed)
    alone = Whitened(
        np.zeros((SHAPE[0] * SHAPE[1], COMPONENTS), np.float32),
        Noise(np.eye(COMPONENTS), np.ones(SHAPE), 1.0),
        (FRAMES, *SHAPE),
    )
    trains = alone.values_of(courses.astype(np.float32))
    values = PLANTED.reshape(len(PLANTED), -1).T @ trains
    values += noise * random.standard_normal(values.shape)
    found = Whitened(values.astype(np.float32), alone.noise, alone.shape)
    return found, blocks_of(found, (0.6, 0.6)), trains


def _strongest(blocks, count):
    return np.linalg.svd(blocks.values, full_matrices=False)[2][:count]


def test_candidates_are_the_planted_trains_and_maps_in_each_view():
    found, blocks, trains = _recorded(_courses(0))
    candidates = candidates_of(found, blocks, _strongest(blocks, 3))
    np.testing.assert_array_equal(candidates.view, np.repeat(np.arange(len(VIEWS)), 3))
    assert candidates.maps.shape == (3 * len(VIEWS), *SHAPE)
    flat = candidates.maps.reshape(len(candidates.maps), -1)
    for view in range(len(VIEWS)):
        own = candidates.view == view
        for one, other in ((trains, candidates.trains[own]), (PLANTED.reshape(3, -1), flat[own])):
            cosines = _cosines(one, other)
            assert sorted(cosines.argmax(axis=1)) == [0, 1, 2]
            assert cosines.max(axis=1).min() > 0.9
    # Maps are least squares: together with the trains they give the recording.
    left = blocks.values - flat[:3].T @ candidates.trains[:3]
    assert np.square(left).mean() < 1.1 * 0.2**2
    assert ((candidates.stability > 0.8) & (candidates.stability <= 1 + 1e-9)).all()


def test_without_directions_there_are_no_candidates():
    found, blocks, _ = _recorded(_courses(0))
    candidates = candidates_of(found, blocks, np.zeros((0, COMPONENTS)))
    assert candidates.trains.shape == (0, COMPONENTS)
    assert candidates.maps.shape == (0, *SHAPE)
    assert candidates.stability.shape == candidates.view.shape == (0,)


def test_what_stands_in_both_halves_is_stable_and_what_does_not_is_not():
    courses = _courses(1)
    courses[1, : FRAMES // 2] = 0.0
    courses[2, FRAMES // 2 :] = 0.0
    found, blocks, _ = _recorded(courses)
    stability = stability_of(found, blocks, PLANTED, 3)
    assert stability[0] > 0.9
    assert (stability[1:] < 0.5).all()
    # Whatever its sign and scale.
    np.testing.assert_allclose(stability_of(found, blocks, -7 * PLANTED, 3), stability)


def test_what_noise_gives_is_not_stable():
    found, blocks, _ = _recorded(0 * _courses(0))
    candidates = candidates_of(found, blocks, _strongest(blocks, 3))
    assert (candidates.stability < 0.65).all()  # each half is half of it
    assert stability_of(found, blocks, PLANTED[:0], 3).shape == (0,)
    np.testing.assert_array_equal(stability_of(found, blocks, PLANTED, 0), 0.0)


def test_one_component_or_a_constant_recording_does_not_fail():
    found, blocks, _ = _recorded(_courses(0))
    one = candidates_of(found, blocks, _strongest(blocks, 1))
    assert len(one.trains) == len(VIEWS)
    assert np.isfinite(one.stability).all()
    flat = Whitened(np.ones_like(found.values), found.noise, found.shape)
    constant = blocks_of(flat, (0.6, 0.6))
    candidates = candidates_of(flat, constant, _strongest(constant, 2))
    for values in (candidates.trains, candidates.maps, candidates.stability):
        assert np.isfinite(values).all()
    nothing = Whitened(np.zeros_like(found.values), found.noise, found.shape)
    empty = Blocks(np.zeros_like(blocks.values), SHAPE, blocks.size)
    assert np.isfinite(candidates_of(nothing, empty, np.eye(COMPONENTS)[:2]).stability).all()
