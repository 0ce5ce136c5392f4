"""Boxes and masks of units: nothing is lost between the image and a box, nor by mirroring."""

import numpy as np
import pytest
import torch
import torchvision

from musim.training.identification.networks.boxes import paste, targets_of


def _disc(row, column, diameter, size=64):
    y, x = np.mgrid[:size, :size]
    return (y - row) ** 2 + (x - column) ** 2 <= (diameter / 2) ** 2


def _targets(*discs):
    masks = torch.from_numpy(np.stack(discs))[None].float()
    return targets_of(masks, torch.ones(1, len(discs), dtype=torch.bool), 1)[0]


def test_targets_are_the_visible_units():
    territory = torch.zeros(1, 4, 12, 10)
    territory[0, 0, 3:6, 2:7] = 1.0
    territory[0, 1, 11, 9] = 1.0  # One pixel.
    territory[0, 2, 0:4, 8:] = 0.6
    territory[0, 2, 4:, 8:] = 0.4
    territory[0, 3] = 1.0  # Padding.
    mask = torch.tensor([[True, True, True, False]])
    target = targets_of(territory, mask, 4)[0]
    assert target["boxes"].tolist() == [[1.5, 2.5, 6.5, 5.5], [7.5, 0.0, 9.0, 3.5]]
    assert target["masks"].sum(dim=(1, 2)).tolist() == [15, 8]
    assert target["masks"].dtype == torch.uint8
    assert target["labels"].tolist() == [1, 1]
    nothing = targets_of(territory, torch.zeros_like(mask), 4)[0]
    assert nothing["boxes"].shape == (0, 4)
    assert nothing["masks"].shape == (0, 12, 10)


@pytest.mark.parametrize(("axis", "low", "high"), [(2, 1, 3), (3, 0, 2)])
def test_mirrored_masks_have_mirrored_boxes(axis, low, high):
    draws = np.random.default_rng(2)
    discs = [_disc(*draws.uniform(-3, 67, 2), draws.uniform(4, 16)) for _ in range(60)]
    territory = torch.from_numpy(np.stack(discs))[None].float()
    there = torch.ones(1, len(discs), dtype=torch.bool)
    plain = targets_of(territory, there, 3)[0]
    mirrored = targets_of(territory.flip(axis), there, 3)[0]
    expected = plain["boxes"].clone()
    expected[:, low], expected[:, high] = 63 - plain["boxes"][:, high], 63 - plain["boxes"][:, low]
    torch.testing.assert_close(mirrored["boxes"], expected)
    assert torch.equal(mirrored["masks"], plain["masks"].flip(axis - 1))


def test_pasting_brings_back_what_boxes_took():
    """A mask that is sampled as the mask loss samples it, and pasted, is the mask."""
    draws = np.random.default_rng(3)
    target = _targets(
        *[_disc(*draws.uniform(-1, 64, 2), diameter) for diameter in np.linspace(4, 16, 60)]
    )
    boxes = target["boxes"]
    taken = torchvision.models.detection.roi_heads.project_masks_on_boxes(
        target["masks"], boxes, torch.arange(len(boxes)), 28
    )
    found = paste(taken[:, None], boxes, (64, 64)) > 0.5
    true = target["masks"].bool()
    overlap = (found & true).sum(dim=(1, 2)) / (found | true).sum(dim=(1, 2))
    assert overlap.min() > 0.75
    assert overlap.mean() > 0.95


def test_pasting_is_bilinear_interpolation_at_the_pixels_centres():
    mask = torch.tensor([[[[0.0, 1.0], [0.5, 0.25]]]])
    found = paste(mask, torch.tensor([[1.0, 2.0, 5.0, 6.0]]), (8, 7))[0]
    # The parts' centres lie at x = 2, 4 and y = 3, 5; beyond these the outer parts go on.
    assert found[3, 2] == 0
    assert found[3, 4] == 1
    assert found[3, 3] == 0.5
    assert found[4, 3] == pytest.approx((0 + 1 + 0.5 + 0.25) / 4)
    assert found[2, 5] == 1
    assert found[6, 1] == 0.5
    assert found[1].sum() == found[7].sum() == found[:, 0].sum() == found[:, 6].sum() == 0


def test_more_than_half_of_a_pixel_and_no_fewer_pixels_than_asked_make_a_unit():
    territory = torch.zeros(1, 2, 6, 7)
    territory[0, :, 1:3, 1:3] = 1.0
    territory[0, 1, 2, 2] = 0.5
    there = torch.ones(1, 2, dtype=torch.bool)
    assert [len(targets_of(territory, there, fewest)[0]["boxes"]) for fewest in (3, 4, 5)] == [
        2, 1, 0,
    ]  # fmt: skip
