"""Windows about points: of networks whose reach is known, that reach is found."""

import math

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from musim.training.paired.explaining.windows import (
    answers_at,
    drawn_points,
    even_points,
    needed_widths,
    quantile_of_widths,
    windowed,
)


class BoxMean:
    """Answers with the mean of a square about each pixel."""

    def __init__(self, width):
        self.width, self.shapes = width, []

    def batch(self, images):
        self.shapes.append(images.shape)
        return np.stack([uniform_filter(image, self.width, mode="constant") for image in images])


IMAGE = np.random.default_rng(1).uniform(50, 200, (48, 40)).astype(np.float32)


def test_a_window_is_a_square_about_the_point():
    one, three, wide = windowed(IMAGE, (10, 7), (1, 3, 99))
    assert np.argwhere(one).tolist() == [[10, 7]]
    assert one[10, 7] == IMAGE[10, 7]
    assert np.array_equal(np.argwhere(three), np.add(np.argwhere(np.ones((3, 3))), (9, 6)))
    assert np.array_equal(wide, IMAGE)
    (corner,) = windowed(IMAGE, (0, 39), (3,))
    assert np.array_equal(np.argwhere(corner), [[0, 38], [0, 39], [1, 38], [1, 39]])


@pytest.mark.parametrize("reach", [1, 5, 9, 15])
def test_the_width_that_is_found_is_the_reach(reach):
    points = drawn_points(np.pad(np.ones((28, 20), bool), 10), 12, seed=1, index=3)
    widths = tuple(range(1, 22, 2))
    found = answers_at(BoxMean(reach), IMAGE, points, widths)
    # Of values of 50 and more, 1 / 15 of the square's border is more than the tolerance.
    assert found.needed(0.01).tolist() == [reach] * 12
    # Before that, the share of the square that is seen.
    at = tuple(points[0])
    seen = windowed(IMAGE, at, (3,))[0].sum() / reach**2
    assert found.answers[0, 1] == pytest.approx(seen if reach >= 3 else IMAGE[at], rel=1e-5)
    assert found.whole == pytest.approx(
        [uniform_filter(IMAGE, reach, mode="constant")[tuple(point)] for point in points]
    )
    assert found.errors(found.whole) == pytest.approx(found.changes)


def test_points_at_the_edge_see_what_there_is():
    found = answers_at(BoxMean(7), IMAGE, np.array([[0, 0], [47, 39]]), (1, 3, 5, 7, 9))
    assert found.needed(0.01).tolist() == [7, 7]


def test_images_are_given_a_few_at_a_time():
    network, told = BoxMean(3), []
    answers_at(network, IMAGE, np.array([[5, 5], [6, 6]]), tuple(range(1, 41, 2)),
               lambda: told.append(1))  # fmt: skip
    assert network.shapes == [(n, 48, 40) for n in (1, 16, 4, 16, 4)]
    assert len(told) == 2


def test_a_width_is_needed_if_all_larger_ones_are_enough():
    changes = np.array([[9, 1, 9, 1, 1], [0, 0, 0, 0, 0], [9, 9, 9, 9, 9.0]])
    assert needed_widths((1, 3, 5, 7, 9), changes, 1).tolist() == [7, 1, math.inf]
    assert quantile_of_widths(np.array([1, 7, math.inf]), 0.5) == 7
    assert quantile_of_widths(np.array([1, math.inf, math.inf]), 0.5) == math.inf
    assert math.isnan(quantile_of_widths(np.array([]), 0.5))


def test_points_are_a_function_of_seed_and_index():
    inside = np.zeros((30, 30), bool)
    inside[5:20, 8:25] = True
    first = drawn_points(inside, 20, seed=1, index=4)
    assert np.array_equal(first, drawn_points(inside, 20, seed=1, index=4))
    assert not np.array_equal(first, drawn_points(inside, 20, seed=1, index=5))
    assert inside[first[:, 0], first[:, 1]].all()
    assert len(np.unique(first, axis=0)) == 20
    assert len(drawn_points(inside, 10_000, seed=1, index=4)) == inside.sum()
    even = even_points(inside, 30)
    assert inside[even[:, 0], even[:, 1]].all()
    assert 20 <= len(even) <= 40
    assert set(np.diff(np.unique(even[:, 0]))) == {3}
