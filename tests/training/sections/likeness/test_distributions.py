"""Measures of distributions, beside closed forms, slow obvious versions and torchmetrics."""

import math

import numpy as np
import pytest
import scipy

from musim.training.sections.likeness.distributions import (
    DISTRIBUTIONS,
    compare_distributions,
    density_and_coverage,
    frechet_distance,
    kernel_distance,
    neighbour_accuracy,
    precision_and_recall,
)


@pytest.fixture(scope="module")
def sets():
    random = np.random.default_rng(0)
    mixed = random.normal(size=(5, 5))
    return random.normal(size=(40, 5)), 0.4 + random.normal(size=(30, 5)) @ mixed


def test_frechet_distance_by_a_square_root_of_a_matrix(sets):
    real, other = sets
    first, second = (np.cov(values.T) for values in sets)
    root = scipy.linalg.sqrtm(first @ second).real
    apart = real.mean(axis=0) - other.mean(axis=0)
    expected = apart @ apart + np.trace(first + second - 2 * root)
    assert frechet_distance(real, other) == pytest.approx(expected)
    assert frechet_distance(other, real) == pytest.approx(expected)


@pytest.mark.torch
def test_frechet_distance_as_torchmetrics_has_it(sets):
    import torch
    from torchmetrics.image.fid import _compute_fid

    parts = [torch.as_tensor(part) for values in sets
             for part in (values.mean(axis=0), np.cov(values.T))]  # fmt: skip
    assert frechet_distance(*sets) == pytest.approx(float(_compute_fid(*parts)))


def test_frechet_distance_in_closed_form():
    """Of variances 1 and 4 along orthogonal axes, and of a shift of 3."""
    one = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) * math.sqrt(3 / 2)
    assert frechet_distance(one, 2 * one + [3, 0]) == pytest.approx(9 + 2 * (2 - 1) ** 2)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-12)


def test_frechet_distance_of_fewer_images_than_features():
    """Two along the first axis and two along the second of many: nothing is added."""
    one, other = np.zeros((2, 9)), np.zeros((2, 9))
    one[:, 0], other[:, 1] = (1, -1), (2, -2)
    assert frechet_distance(one, other) == pytest.approx(2 + 8)
    assert math.isnan(frechet_distance(one[:1], other))


def test_frechet_distance_of_one_distribution_is_biased_by_numbers():
    """Which is why it stands beside halves of the real images."""
    random = np.random.default_rng(1)
    few, many = (frechet_distance(*random.normal(size=(2, n, 20))) for n in (30, 1500))
    assert few > 20 * many


def test_kernel_distance_by_sums_over_pairs(sets):
    real, other = sets

    def kernel(x, y):
        return (x @ y / 5 + 1) ** 3

    def within(values):
        return np.mean([kernel(x, y) for i, x in enumerate(values)
                        for j, y in enumerate(values) if i != j])  # fmt: skip

    between = np.mean([kernel(x, y) for x in real for y in other])
    assert kernel_distance(real, other) == pytest.approx(within(real) + within(other) - 2 * between)


def test_kernel_distance_is_not_biased():
    random = np.random.default_rng(2)
    found = [kernel_distance(*random.normal(size=(2, 8, 3))) for _ in range(400)]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(len(found))
    one, other = random.normal(size=(2, 50, 3))
    assert kernel_distance(one, other + 1) > 0.5


def inside(point, balls, count):
    """Say in which balls a point lies, each as wide as its n-th neighbour is away."""
    found = []
    for place, centre in enumerate(balls):
        others = np.delete(balls, place, axis=0)
        radius = sorted(np.linalg.norm(others - centre, axis=1))[count - 1]
        found.append(np.linalg.norm(point - centre) <= radius)
    return found


def test_precision_and_recall_as_they_are_defined(sets):
    real, other = sets
    precision, recall = precision_and_recall(real, other)
    assert precision == pytest.approx(np.mean([any(inside(p, real, 3)) for p in other]))
    assert recall == pytest.approx(np.mean([any(inside(p, other, 3)) for p in real]))
    assert 0 < precision < 1
    assert 0 < recall < 1


def test_density_and_coverage_as_they_are_defined(sets):
    real, other = sets
    balls = np.array([inside(p, real, 5) for p in other])
    density, coverage = density_and_coverage(real, other)
    assert density == pytest.approx(balls.sum() / (5 * len(other)))
    assert coverage == pytest.approx(balls.any(axis=0).mean())


def test_what_precision_and_recall_tell():
    """A part of what is real is precise and misses the rest; copies of one image as well."""
    random = np.random.default_rng(3)
    real = np.concatenate([random.normal(size=(60, 2)), random.normal(20, 1, size=(60, 2))])
    one_mode = random.normal(size=(60, 2))
    precision, recall = precision_and_recall(real, one_mode)
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.06)
    assert density_and_coverage(real, one_mode)[1] == pytest.approx(0.5, abs=0.06)
    copies = np.repeat(real[:1], 60, axis=0)
    assert precision_and_recall(real, copies) == (1.0, pytest.approx(1 / 120))
    assert precision_and_recall(real, one_mode + 100) == (0, 0)


def test_neighbour_accuracy_by_hand():
    real, other = np.array([[0.0], [1.0], [5.0]]), np.array([[5.1], [9.0], [9.5]])
    # 5 and 5.1 are each other's neighbours; all others have one of their own.
    assert neighbour_accuracy(real, other) == pytest.approx(2 / 3)
    assert neighbour_accuracy(real, real + 100) == 1
    assert neighbour_accuracy(real, real) == 0  # each has a copy in the other set
    alike = np.random.default_rng(4).normal(size=(2, 400, 3))
    assert neighbour_accuracy(*alike) == pytest.approx(0.5, abs=0.06)


def test_all_of_them_together(sets):
    found = compare_distributions(*sets)
    assert list(found) == list(DISTRIBUTIONS)
    assert found["frechet"] == frechet_distance(*sets)
    assert (found["precision"], found["recall"]) == precision_and_recall(*sets)
    assert (found["density"], found["coverage"]) == density_and_coverage(*sets)


def test_too_few_images_have_no_measures(sets):
    found = compare_distributions(sets[0][:1], sets[1])
    assert {name for name, value in found.items() if not math.isnan(value)} == {"recall"}
    found = compare_distributions(sets[0], sets[1][:3])
    assert {name for name, value in found.items() if math.isnan(value)} == {"recall"}
