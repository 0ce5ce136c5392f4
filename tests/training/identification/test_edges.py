import math

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import edges
from musim.training.identification.methods.edges import (
    distances,
    pairs,
    smooth,
    trains_of_edges,
)
from musim.training.identification.noise import Noise, Whitened, whiten
from musim.training.identification.units import Recording


def _whiten(values, size, sd=1.0):
    components = values.shape[1]
    noise = Noise(np.eye(components), np.full(size, sd), 1.0)
    return Whitened(values.astype(np.float32), noise, (components + 1, *size))


def _cosines(found, true):
    def normal(rows):
        return rows / np.linalg.norm(rows, axis=1)[:, None]

    return normal(found) @ normal(true).T


def test_pairs_lie_so_many_pixels_apart():
    first, second = pairs((4, 5), 2)
    apart = np.column_stack([second // 5 - first // 5, second % 5 - first % 5])
    assert {tuple(step) for step in apart} == {(0, 1), (1, 0), (0, 2), (2, 0)}
    assert len(first) == 4 * 4 + 3 * 5 + 4 * 3 + 2 * 5
    assert len(set(zip(first, second, strict=True))) == len(first)


def test_distances_do_not_depend_on_how_many_are_taken_at_a_time(monkeypatch):
    values = np.random.default_rng(0).standard_normal((20, 3))
    first, second = pairs((4, 5), 2)
    expected = np.square(values[first] - values[second]).sum(axis=1)
    for number in (7, 1000):
        monkeypatch.setattr(edges, "PAIRS_AT_A_TIME", number)
        np.testing.assert_allclose(distances(values, first, second), expected)


def test_smoothing_averages_over_what_is_alike_only():
    random = np.random.default_rng(0)
    image = random.standard_normal((20, 20, 30))
    image[:, 10:] += 50
    values, variance = smooth(_whiten(image.reshape(400, 30), (20, 20)))
    rest = values.reshape(20, 20, 30) - np.where(np.arange(20) < 10, 0, 50)[:, None]
    inner = rest[1:-1, 1:9]
    assert inner.var() == pytest.approx(1 / 9, rel=0.1)
    np.testing.assert_allclose(variance.reshape(20, 20)[1:-1, 1:9], 1 / 9, rtol=0.3)
    # Beside the edge, six pixels are alike.
    assert rest[1:-1, 9].var() == pytest.approx(1 / 6, rel=0.15)


def test_smoothing_is_the_obvious_average():
    random = np.random.default_rng(1)
    image = random.standard_normal((5, 6, 3)).astype(np.float32) * 3
    values, _ = smooth(_whiten(image.reshape(30, 3), (5, 6)))
    for row in range(5):
        for column in range(6):
            near = image[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].reshape(-1, 3)
            distance = np.square(near - image[row, column]).sum(axis=1)
            alike = near[distance < 2 * (3 + 3 * math.sqrt(6))]
            np.testing.assert_allclose(values[row * 6 + column], alike.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("snr", [10.0, math.inf])
def test_edges_give_the_trains_of_overlapping_units(snr):
    truth = draw(Parameters(units=Range(15, 15), snr=Range(snr, snr)), seed=1)
    found = whiten(Recording(render(truth), 400.0, (0.625, 0.625)))
    trains, true = trains_of_edges(found), found.values_of(truth.twitch_train)
    cosines = _cosines(trains, true)
    assert (cosines.max(axis=0) > 0.97).all()  # with the right sign, too
    assert len(trains) <= 20
    best = trains[cosines.argmax(axis=0)]
    length = np.linalg.norm(best, axis=1) / np.linalg.norm(true, axis=1)
    np.testing.assert_allclose(length, 1, atol=0.2)


def test_a_dip_is_positive_inside_too():
    # A unit that moves away from the transducer: its train is negative, its membership not.
    image = np.zeros((20, 20, 4))
    image[6:13, 5:14] = [-30, -20, 0, 10]
    trains = trains_of_edges(_whiten(image.reshape(400, 4), (20, 20)))
    np.testing.assert_allclose(trains, [[-30, -20, 0, 10]], atol=1e-3)


def test_there_are_no_edges_in_noise():
    values = np.random.default_rng(0).standard_normal((1600, 30))
    assert trains_of_edges(_whiten(values, (40, 40))).shape == (0, 30)
