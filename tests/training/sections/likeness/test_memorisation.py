"""Images that were learned by heart are found, and images that are merely alike are not."""

import numpy as np
import pytest
import scipy
from PIL import Image

from musim.training.sections.likeness.memorisation import (
    _probability_above,
    memorisation,
    nearest,
)


def drawn(count, seed):
    """Smooth images, each of its own."""
    noise = np.random.default_rng(seed).normal(size=(count, 48, 48))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 5, 5))
    return np.clip(120 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def speckled(images, seed=0):
    noise = np.random.default_rng(seed).normal(0, 5, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def train():
    return drawn(20, 0)


@pytest.fixture(scope="module")
def real():
    return drawn(15, 1)


def test_the_nearest_image_by_correlation(train, real):
    found = nearest(real, train)

    def alike(one, other):
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    every = np.array([[max(alike(a, b), alike(a, b[:, ::-1])) for b in train] for a in real])
    np.testing.assert_array_equal(found.index, every.argmax(axis=1))
    np.testing.assert_allclose(found.correlation, every.max(axis=1))
    for place, index in enumerate(found.index):
        straight = np.corrcoef(real[place].ravel(), train[index].ravel())[0, 1]
        assert found.mirrored[place] == (found.correlation[place] > straight + 1e-9)


def test_images_of_other_sizes_are_compared_small(train):
    large = np.stack([np.asarray(Image.fromarray(image).resize((96, 96), 0)) for image in train])
    found = nearest(large, train)
    np.testing.assert_array_equal(found.index, np.arange(20))
    np.testing.assert_allclose(found.correlation, 1)


def test_copies_are_found(train, real):
    other = np.concatenate([speckled(train[3:8]), speckled(train[8:10, :, ::-1]), drawn(3, 2)])
    found = memorisation(real, np.arange(15), other, train)
    np.testing.assert_array_equal(found.other.index[:7], np.arange(3, 10))
    assert found.other.mirrored[5:7].all()
    assert not found.other.mirrored[:5].any()
    assert found.copies == pytest.approx(0.7)
    assert found.held_out_copies == 0
    assert found.nearer > 0.7
    assert found.beyond >= 0.7
    assert not found.by_group
    assert found.left_out == 0


def test_images_of_the_same_kind_are_no_copies(train):
    found = memorisation(drawn(150, 1), np.arange(150), drawn(150, 2), train)
    assert found.nearer == pytest.approx(0.5, abs=0.08)
    assert found.beyond == pytest.approx(0.05, abs=0.05)
    assert found.copies == 0


def test_real_images_that_were_trained_on_are_not_held_out(train, real):
    """Nor are others of their group."""
    mixed = np.concatenate([real, speckled(train[:2])])
    groups = np.concatenate([np.arange(15), [3, 40]])
    found = memorisation(mixed, groups, drawn(5, 2), train)
    np.testing.assert_array_equal(found.held_out_images, [*range(3), *range(4, 15)])
    assert found.left_out == 3
    assert "3 real images that are nearly the same as a training image are left out" in (
        found.describe()
    )


def test_without_training_images_real_ones_are_compared_across_groups(real):
    twins = np.concatenate([real, speckled(real)])
    groups = np.tile(np.arange(15), 2)
    found = memorisation(twins, groups, drawn(5, 2))
    assert found.by_group
    assert found.held_out.correlation.max() < 0.9
    assert np.all(groups[found.held_out.index] != groups)
    # Of all images that were trained on none is held out: the same.
    same = memorisation(twins, groups, drawn(5, 2), twins)
    assert same.by_group
    np.testing.assert_array_equal(same.held_out.correlation, found.held_out.correlation)


def test_a_single_group_has_nothing_to_be_compared_with(real):
    found = memorisation(real, np.zeros(15, int), drawn(5, 2))
    assert np.isnan([found.nearer, found.beyond, found.held_out_copies]).all()
    assert np.isfinite(found.other.correlation).all()


def test_the_probability_is_that_of_mann_and_whitney():
    random = np.random.default_rng(0)
    ours, theirs = random.integers(0, 9, 30) / 9, random.integers(2, 12, 40) / 9
    expected = scipy.stats.mannwhitneyu(ours, theirs).statistic / (30 * 40)
    assert _probability_above(ours, theirs) == pytest.approx(expected)
