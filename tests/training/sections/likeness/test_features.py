"""Features without weights answer to what they are tuned to; components are scikit-learn's."""

import numpy as np
import pytest
import scipy
from sklearn.decomposition import PCA

from musim.training.sections.likeness.features import (
    ORIENTATIONS,
    PERIODS,
    FeatureExtractor,
    filter_bank,
    principal_components,
    standardised,
)
from musim.training.sections.likeness.network_features import extractor_of


def wave(period, degrees, side=192):
    rows, columns = np.indices((side, side))
    angle = np.radians(degrees)
    phase = 2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / period
    return np.round(120 + 60 * np.cos(phase)).astype(np.uint8)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_wave_answers_in_its_own_filter(period, number):
    """Whose period and direction it has; its energy is half its amplitude squared."""
    features = filter_bank()(wave(period, 180 / ORIENTATIONS * number)[None])[0]
    energies = features[: len(PERIODS) * ORIENTATIONS].reshape(len(PERIODS), ORIENTATIONS)
    assert np.unravel_index(energies.argmax(), energies.shape) == (
        PERIODS.index(period), number
    )  # fmt: skip
    assert np.exp(energies.max()) == pytest.approx(60**2 / 2, rel=0.25)


def test_strips_tell_brightness_by_depth():
    image = np.repeat(np.arange(0, 80, 10, dtype=np.uint8), 8)[:, None].repeat(64, axis=1)
    np.testing.assert_allclose(filter_bank()(image[None])[0, -8:], np.arange(0, 80, 10))


def test_where_a_structure_lies_does_not_matter_to_texture():
    random = np.random.default_rng(0)
    noise = scipy.ndimage.gaussian_filter(random.normal(100, 300, (2, 128, 128)), (0, 2, 2))
    smooth, moved = np.clip(noise, 0, 255).astype(np.uint8)
    fine = np.clip(random.normal(100, 60, (128, 128)), 0, 255).astype(np.uint8)
    found = filter_bank()(np.stack([smooth, moved, fine]))[:, :-8]
    near, far = (np.linalg.norm(found[0] - found[place]) for place in (1, 2))
    assert far > 4 * near


def test_an_even_image_has_finite_features():
    assert np.isfinite(filter_bank()(np.zeros((1, 40, 40), np.uint8))).all()


def test_images_that_are_too_small(refused):
    with refused("found images of 31 x 64 px", "wanted 32 x 32 or more"):
        filter_bank()(np.zeros((1, 31, 64), np.uint8))


def test_an_extractor_that_makes_no_features(refused):
    bad = FeatureExtractor("a network", lambda images: np.full((len(images), 3), np.nan))
    with refused("features of a network", "found an array of shape (2, 3)", "wanted finite"):
        bad(np.zeros((2, 8, 8), np.uint8))


def test_standardised_by_the_real_images():
    random = np.random.default_rng(0)
    real, other = random.normal(5, 3, (50, 4)), random.normal(5, 3, (20, 4))
    real[:, 2] = other[:, 2] = 7
    other[:, 2] += 1
    ours, theirs = standardised(real, other)
    np.testing.assert_allclose(ours.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(ours.std(axis=0), [1, 1, 0, 1])
    np.testing.assert_allclose(theirs[:, 0], (other[:, 0] - real[:, 0].mean()) / real[:, 0].std())
    np.testing.assert_allclose(theirs[:, 2], 1)  # of no spread, so in its own unit


def test_principal_components_as_scikit_learn_has_them():
    values = np.random.default_rng(0).normal(size=(30, 6)) * [5, 1, 3, 1, 1, 1]
    scores, explained = principal_components(values)
    theirs = PCA(2, svd_solver="full").fit(values)
    np.testing.assert_allclose(np.abs(scores), np.abs(theirs.transform(values)))
    np.testing.assert_allclose(explained, theirs.explained_variance_ratio_)


def test_fewer_components_than_dimensions():
    scores, explained = principal_components(np.array([[0.0], [2.0], [4.0]]))
    np.testing.assert_allclose(scores, [[-2, 0], [0, 0], [2, 0]])
    np.testing.assert_allclose(explained, [1, 0])
    assert not principal_components(np.ones((3, 4)))[1].any()


@pytest.mark.torch
def test_features_of_a_network_are_means_of_its_deepest_maps():
    import torch

    from musim.training.sections.likeness.network_features import network_features
    from musim.training.sections.segmentation.attention_unet import AttentionUNet
    from musim.training.sections.segmentation.segmenting import Segmenter

    torch.manual_seed(0)
    network = AttentionUNet(2, 3)
    kept = []
    network.down[-1].register_forward_hook(lambda module, given, made: kept.append(made))
    extractor = network_features(Segmenter(network, (32, 32), "runs/segment"))
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(np.uint8)
    found = extractor(images)
    np.testing.assert_allclose(found, kept[0].mean(dim=(2, 3)).numpy(), rtol=1e-6)
    assert found.shape == (3, 8)
    assert "Attention U-Net segment" in extractor.name


def test_features_by_name():
    assert extractor_of("filters").name == filter_bank().name
