import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.methods.membership_kernels import descend

COSTS = np.array([2.0, 1.0, 0.0, 1.5])


def _slow_energy(values, trains, weight, membership, size, costs):
    """Return the energy of all pixels, with each border counted once."""
    rest = values - membership @ trains
    energy = float((weight * np.square(rest).sum(axis=1)).sum()) / 2
    energy += costs[0] * float((membership > 0).sum())
    energy += costs[1] * float(((membership > 0) & (np.abs(membership - 1) > 0.02)).sum())
    image = np.minimum(membership, 1).reshape(*size, -1)
    for axis in (0, 1):
        energy += costs[2] * float(np.abs(np.diff(image, axis=axis)).sum())
    return energy


def _descend(values, trains, weight, size, costs, membership=None, allowed=None, sweeps=50):
    pixels, units = len(values), len(trains)
    membership = np.zeros((pixels, units)) if membership is None else membership.copy()
    allowed = np.ones(units, bool) if allowed is None else allowed
    descend(
        values @ trains.T, trains @ trains.T, weight, membership, np.array(size), costs,
        allowed, np.ones(pixels, bool), sweeps,
    )  # fmt: skip
    return membership


@given(st.integers(0, 2**32), st.floats(0, 3))
def test_the_energy_falls_and_no_single_change_lowers_it_further(seed, border):
    random = np.random.default_rng(seed)
    size, costs = (4, 3), np.array([1.0, 1.0, border, 1.5])
    trains = random.standard_normal((3, 5))
    values = random.integers(0, 2, (12, 3)) @ trains * 3 + random.standard_normal((12, 5))
    weight = random.uniform(0.5, 2, 12)
    arguments = values, trains * 3, weight
    membership = _descend(*arguments, size, costs)
    reached = _slow_energy(*arguments, membership, size, costs)
    assert reached <= _slow_energy(*arguments, np.zeros((12, 3)), size, costs) + 1e-9
    for pixel, unit, value in itertools.product(range(12), range(3), (0.0, 1.0)):
        other = membership.copy()
        other[pixel, unit] = value
        assert reached <= _slow_energy(*arguments, other, size, costs) + 0.01
    assert ((membership >= 0) & (membership <= 1.5)).all()


def test_memberships_without_noise_are_exact():
    random = np.random.default_rng(2)
    trains = 20 * random.standard_normal((8, 20))
    true = (random.random((36, 8)) < 0.3).astype(float)
    found = _descend(true @ trains, trains, np.ones(36), (6, 6), COSTS)
    np.testing.assert_array_equal(found, true)


def test_partial_memberships_are_found_and_limited():
    trains = np.array([[100.0, 0.0], [0.0, 100.0]])
    true = np.array([[0.4, 0.0], [0.7, 1.0], [1.3, 0.25], [3.0, 0.0]])
    found = _descend(true @ trains, trains, np.ones(4), (2, 2), COSTS)
    np.testing.assert_allclose(found, np.minimum(true, 1.5), atol=1e-9)


def test_what_costs_more_than_it_explains_stays_away():
    trains = np.array([[2.0, 0.0]])
    for cost, expected in ((1.9, 1.0), (2.1, 0.0)):
        found = _descend(trains, trains, np.ones(1), (1, 1), np.array([cost, 1.0, 0, 1.5]))
        np.testing.assert_array_equal(found, [[expected]])


def test_neighbours_decide_where_the_data_do_not():
    trains = np.array([[3.0]])
    values = np.array([[3.0], [1.2], [3.0]])
    for border, expected in ((0.0, 0.0), (2.0, 1.0)):
        costs = np.array([1.0, 9.0, border, 1.5])
        found = _descend(values, trains, np.ones(3), (1, 3), costs)
        np.testing.assert_array_equal(found[[0, 2]], 1)
        np.testing.assert_array_equal(found[1], expected)


def test_a_unit_that_is_not_allowed_stays_as_it_was():
    trains = 10 * np.eye(2)
    values = np.array([[10.0, 10.0]])
    before = np.array([[0.0, 0.5]])
    found = _descend(values, trains, np.ones(1), (1, 1), COSTS, before, np.array([True, False]))
    np.testing.assert_array_equal(found, [[1.0, 0.5]])


def test_pairs_are_found_that_none_of_the_two_explains_alone():
    trains = np.array([[10.0, 9.0], [-9.0, -10.0 + 2.0]])
    values = trains.sum(axis=0)[None]
    found = _descend(values, trains, np.ones(1), (1, 1), np.array([0.3, 9.0, 0, 1.5]))
    np.testing.assert_array_equal(found, [[1, 1]])


def test_a_wrong_unit_is_exchanged_for_the_right_one():
    trains = np.array([[10.0, 1.0], [10.0, -1.0]])
    found = _descend(
        trains[:1], trains, np.ones(1), (1, 1), np.array([4.0, 4.0, 0, 1.5]), np.array([[0.0, 1.0]])
    )
    np.testing.assert_array_equal(found, [[1, 0]])
