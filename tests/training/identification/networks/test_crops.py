import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from musim.datasets.samples import crop
from musim.training.identification.networks.crops import (
    centres,
    choose_units,
    crop_about,
    roughen,
    unit_crops,
)


@given(
    st.integers(-9, 14), st.integers(-9, 14), st.integers(1, 9), st.integers(1, 9),
    st.integers(0, 2**32),
)  # fmt: skip
def test_windows_are_those_that_numpy_cuts(row, column, depth, width, seed):
    images = np.random.default_rng(seed).normal(size=(3, 2, 6, 5)).astype(np.float32)
    which = torch.tensor([2, 0])
    centre = torch.tensor([[row, column], [3, 1]])
    result = crop_about(torch.from_numpy(images), which, centre, (depth, width))
    np.testing.assert_array_equal(result[0], crop(images[2], row, column, (depth, width)))
    np.testing.assert_array_equal(result[1], crop(images[0], 3, 1, (depth, width)))


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.float64])
def test_windows_keep_the_kind_of_the_images(kind):
    images = torch.ones(1, 4, 4, dtype=kind)
    result = crop_about(images, torch.tensor([0]), torch.tensor([[0, 0]]), (2, 2))
    assert result.dtype == kind
    assert result.tolist() == [[[0, 0], [0, 1]]]


def test_no_unit_has_no_crop():
    none = torch.zeros(0, dtype=torch.int64)
    result = unit_crops(
        torch.ones(1, 7, 5, 5), torch.zeros(0, 5, 5), none, (3, 4), mask_channel=True
    )
    assert result.shape == (0, 2, 7, 3, 4)


@given(st.integers(0, 2**32))
def test_centres_are_rounded_centroids(seed):
    random = np.random.default_rng(seed)
    masks = (random.random((4, 7, 9)) < 0.2).astype(np.float32)
    masks[:, 3, 4] = 1
    found = centres(torch.from_numpy(masks)).tolist()
    for mask, place in zip(masks, found, strict=True):
        rows, columns = np.nonzero(mask)
        assert place == [np.floor(rows.mean() + 0.5), np.floor(columns.mean() + 0.5)]


def test_centres_weigh_memberships():
    mask = torch.zeros(1, 3, 11)
    mask[0, 1, 0], mask[0, 1, 10] = 0.2, 0.8
    assert centres(mask).tolist() == [[1, 8]]


def test_an_empty_mask_lies_in_the_middle():
    assert centres(torch.zeros(1, 6, 9)).tolist() == [[3, 4]]


def _scene():
    random = torch.Generator().manual_seed(3)
    tvi = torch.randn(2, 5, 12, 10, generator=random)
    masks = torch.zeros(3, 12, 10)
    masks[0, 2:5, 3:6] = 1
    masks[1, 10:, 8:] = 1
    masks[2, 6:9, :3] = 1
    return tvi, masks, torch.tensor([0, 1, 1])


def test_a_unit_is_seen_about_its_mask():
    tvi, masks, which = _scene()
    crops = unit_crops(tvi, masks, which, (4, 6), mask_channel=True)
    assert crops.shape == (3, 2, 5, 4, 6)
    middles = [(3, 4), (11, 9), (7, 1)]
    for unit, (row, column) in enumerate(middles):
        velocity = crop(tvi[which[unit]].numpy(), row, column, (4, 6))
        np.testing.assert_array_equal(crops[unit, 0], velocity)
        mask = crop(masks[unit].numpy(), row, column, (4, 6))
        for frame in crops[unit, 1]:
            np.testing.assert_array_equal(frame, mask)


def test_without_the_mask_there_is_one_channel():
    tvi, masks, which = _scene()
    both = unit_crops(tvi, masks, which, (4, 6), mask_channel=True)
    one = unit_crops(tvi, masks > 0, which, (4, 6), mask_channel=False)
    assert torch.equal(one, both[:, :1])


def test_a_shift_moves_velocity_and_mask_alike():
    tvi, masks, which = _scene()
    shift = torch.tensor([[1, -2], [0, 0], [-3, 2]])
    crops = unit_crops(tvi, masks, which, (4, 6), mask_channel=True, shift=shift)
    np.testing.assert_array_equal(crops[0, 0], crop(tvi[0].numpy(), 4, 2, (4, 6)))
    np.testing.assert_array_equal(crops[0, 1, 0], crop(masks[0].numpy(), 4, 2, (4, 6)))
    np.testing.assert_array_equal(crops[2, 1, 4], crop(masks[2].numpy(), 4, 3, (4, 6)))


@pytest.mark.parametrize("axis", [-2, -1])
def test_crops_of_odd_size_turn_with_the_image(axis):
    tvi, masks, which = _scene()
    upright = unit_crops(tvi, masks, which, (5, 7), mask_channel=True)
    turned = unit_crops(tvi.flip(axis), masks.flip(axis), which, (5, 7), mask_channel=True)
    # Of the unit in the corner the centroid lies between pixels: there rounding takes sides.
    for unit in (0, 2):
        assert torch.equal(turned[unit], upright[unit].flip(axis))


def test_roughened_masks_are_moved_and_grown_and_shrunk_and_never_vanish():
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
    disc = (((rows - 11) ** 2 + (columns - 12) ** 2) <= 16).float()
    masks = disc.expand(400, 24, 24).contiguous()
    rough = roughen(masks, 2, np.random.default_rng(3))
    moves = (centres(rough) - centres(masks)).numpy()
    assert set(moves.ravel().tolist()) == {-2, -1, 0, 1, 2}
    assert np.abs(moves.mean(0)).max() < 0.25
    areas = rough.sum((1, 2))
    same = float((areas == disc.sum()).float().mean())
    assert 0.4 < same < 0.6
    assert 0.15 < float((areas > disc.sum()).float().mean()) < 0.35
    assert torch.equal(roughen(masks, 0, np.random.default_rng(3)), masks)
    point = torch.zeros(50, 24, 24)
    point[:, 0, 0] = 1
    assert roughen(point, 2, np.random.default_rng(0)).flatten(1).any(1).all()


def test_units_that_can_be_seen_are_drawn_once_each_before_any_twice():
    territory = torch.zeros(2, 3, 4, 4)
    territory[0, 0, :2, :2] = 1
    territory[0, 1, 0, :3] = 1
    territory[1, 0] = 1
    territory[1, 2] = 0.4
    present = torch.tensor([[True, True, True], [True, False, True]])
    territory[1, 1] = 1
    for seed in range(20):
        random = np.random.default_rng(seed)
        sequence, unit = choose_units(territory, present, 4, 4, random)
        places = list(zip(sequence.tolist(), unit.tolist(), strict=True))
        assert set(places[:2]) == set(places[2:]) == {(0, 0), (1, 0)}


def test_every_unit_is_drawn_as_often():
    territory, present = torch.ones(1, 5, 2, 2), torch.ones(1, 5, dtype=torch.bool)
    random = np.random.default_rng(0)
    drawn = [choose_units(territory, present, 2, 1, random)[1].tolist() for _ in range(1000)]
    counts = np.bincount(np.ravel(drawn), minlength=5)
    assert (abs(counts - 400) < 80).all()


def test_where_no_unit_can_be_seen_some_are_drawn_nevertheless():
    territory, present = torch.zeros(1, 3, 2, 2), torch.tensor([[True, True, False]])
    sequence, unit = choose_units(territory, present, 3, 1, np.random.default_rng(0))
    assert sequence.tolist() == [0, 0, 0]
    assert set(unit.tolist()) == {0, 1}


def test_roughened_masks_are_the_mask_or_one_pixel_more_or_less_moved():
    rows, columns = np.mgrid[:14, :26]
    mask = ((rows - 6) ** 2 / 9 + (columns - 14) ** 2 / 20) <= 1
    square = np.ones((3, 3))
    kinds = [mask, ndimage.binary_dilation(mask, square), ndimage.binary_erosion(mask, square)]
    moved = {
        (down, across, kind): np.roll(one, (down, across), (0, 1))
        for kind, one in enumerate(kinds) for down in (-1, 0, 1) for across in (-1, 0, 1)
    }  # fmt: skip
    masks = torch.from_numpy(mask).float().expand(300, -1, -1)
    found = {
        name
        for rough in roughen(masks, 1, np.random.default_rng(5)).numpy() > 0
        for name, one in moved.items() if np.array_equal(rough, one)
    }  # fmt: skip
    # Every one of 9 places and 3 sizes, and nothing else.
    assert found == set(moved)
    assert all(
        any(np.array_equal(rough, one) for one in moved.values())
        for rough in roughen(masks[:40], 1, np.random.default_rng(6)).numpy() > 0
    )
