"""Scans of given labels: what lies where, and what labels may be."""

import numpy as np
import pytest

from musim.simulator.resonance.contrast import contrast_of
from musim.simulator.resonance.labels import scan_labels
from musim.simulator.resonance.scan import Scan
from musim.simulator.resonance.tissues import BRAIN_TISSUES

STILL = {"turn": 0, "shift": 0, "inhomogeneity": 0, "shading": 0, "snr": "inf", "snr_b": "inf",
         "bandwidth": 1e5, "bandwidth_b": 1e5}  # fmt: skip


def test_voxels_as_small_as_labels_show_them_one_by_one():
    random = np.random.default_rng(2)
    labels = random.integers(0, 12, (6, 7, 5)).astype(np.uint8)
    scan = Scan(**STILL, voxel=1.5, samples=3)
    found = scan_labels(labels, (1.5, 1.5, 1.5), scan=scan)
    assert np.array_equal(found.tissue, labels)
    # Of one tissue all voxels are alike but for its grain, and as bright as its signal says.
    contrast = contrast_of(scan, BRAIN_TISSUES)
    for label in (2, 3, 5):
        mean = found.image_b[labels == label].mean() / found.image_b[labels == 3].mean()
        wanted = contrast.on_resonance(label)[1] / contrast.on_resonance(3)[1]
        assert mean == pytest.approx(wanted, rel=0.1)
    assert found.image[labels == 0].max() < 0.02 * found.image.max()  # what fat's shift leaves


def test_larger_voxels_show_the_mean_and_the_commonest():
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[:2] = 3
    labels[0, 0] = 1
    found = scan_labels(labels, (1, 1, 1), scan=Scan(**STILL, voxel=2, samples=2))
    assert found.tissue[:, 0, 0].tolist() == [3, 0]
    assert found.image.shape == (2, 2, 2)


def looked_up(labels, size, turn, shift, voxel=1.0):
    """Return the labels that voxels see of a moved volume, one by one: a slow, obvious version."""
    shape = np.round(np.array(labels.shape) * size / voxel).astype(int)
    found = np.zeros(shape, np.uint8)
    for place in np.ndindex(*shape):
        centre = (np.array(place) - (shape - 1) / 2) * voxel
        before = np.linalg.inv(turn) @ (centre - shift)
        number = np.floor(before / size + np.array(labels.shape) / 2).astype(int)
        if ((number >= 0) & (number < labels.shape)).all():
            found[place] = labels[tuple(number)]
    return found


def test_labels_of_long_voxels_are_seen_where_they_lie_and_where_they_have_moved():
    labels = np.zeros((8, 6, 10), np.uint8)
    labels[1:6, 1:4, 2:9] = 3
    labels[1:3, 1:2, 2:5] = 2
    size, scan = (1.5, 2.0, 1.2), Scan(**{**STILL, "turn": 25, "shift": 2}, voxel=1, samples=1)
    found = scan_labels(labels, size, scan=scan, seed=4)
    assert np.array_equal(found.tissue, looked_up(labels, size, np.eye(3), np.zeros(3)))
    # Fluid is bright, and nothing else is seen in T2 where there is air.
    moved = looked_up(labels, size, *found.motion)
    assert np.abs(found.motion[0] - np.eye(3)).max() > 0.1
    seen = found.image_b > 0.2 * np.median(found.image_b[moved > 0])
    assert np.array_equal(seen, moved > 0)


def test_single_layers_of_oblong_pixels_have_their_sides():
    layer = np.zeros((12, 20, 1), np.uint8)
    layer[2:9, 4:16] = 3
    found = scan_labels(layer, (2.0, 1.0, 5.0), scan=Scan(**STILL, voxel=1, samples=1))
    assert np.array_equal(found.tissue[..., 0], np.repeat(layer[..., 0], 2, axis=0))


def test_volumes_that_are_scanned_together_have_noise_of_their_own():
    labels = np.zeros((16, 16, 4), np.uint8)
    scan = Scan(**{**STILL, "snr": 20, "snr_b": 20}, voxel=1, samples=1)
    one, other = (scan_labels(labels, (1, 1, 1), scan=scan, index=index).image.ravel()
                  for index in (0, 1))  # fmt: skip
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.12


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_single_layers_stay_in_their_plane(axis):
    labels = np.zeros((40, 40, 40), np.uint8)
    labels[8:32, 10:20, 12:30] = 3
    layer = np.take(labels, [15], axis)
    scan = Scan(**{**STILL, "turn": 20, "shift": 3}, voxel=1, samples=1)
    found = scan_labels(layer, (1, 1, 1), scan=scan, seed=3)
    assert found.tissue.shape == found.image_b.shape == layer.shape
    assert np.array_equal(found.tissue, layer)
    # It is seen whole after it has moved, across its plane too, and not where it was.
    seen = found.image_b > 0.5 * found.image_b.max()
    assert 0.7 < seen.sum() / (layer > 0).sum() < 1.4
    assert (seen != (layer > 0)).sum() > 10


def test_fat_is_shifted_within_single_layers():
    layer = np.zeros((12, 20, 1), np.uint8)
    layer[3:9, 8:12] = 4
    shifted = {**STILL, "bandwidth_b": 434.3 / 2}
    found = scan_labels(layer, (1, 1, 1), scan=Scan(**shifted, voxel=1, samples=1)).image_b[..., 0]
    weights = found.sum(axis=0)
    assert (np.arange(20) * weights).sum() / weights.sum() == pytest.approx(9.5 - 2, abs=0.3)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"labels": np.full((2, 2, 2), 12, np.uint8)}, ("found 12", "wanted 0 to 11", "brain")),
        ({"tissues": "foot"}, ("found 'foot'", "brain, hand")),
        ({"voxel_size": (4e4, 4e4, 4e4)}, ("voxel: found 1.2 mm", "use larger ones")),
    ],
)
def test_what_cannot_be_is_refused(refused, asked, words):
    usual = {"labels": np.ones((2, 2, 2), np.uint8), "voxel_size": (1.0, 1.0, 1.0)}
    with refused(*words):
        scan_labels(**{**usual, **asked})
