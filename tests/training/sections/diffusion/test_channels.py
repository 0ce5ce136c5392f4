"""Images and masks go through channels and come back."""

import numpy as np
import torch

from musim.datasets.images.scale import PixelScale
from musim.training.sections.diffusion.channels import from_channels, to_channels
from musim.training.sections.image_sets import ImageSet

from ..muscles import parallel

SHAPE = (128, 128)


def image_set(images, masks):
    count = len(images)
    return ImageSet(
        tuple(str(i) for i in range(count)), images, masks, masks.any(axis=(1, 2)),
        (PixelScale(),) * count, np.arange(count),
    )  # fmt: skip


def overlap(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_channels_are_within_bounds_and_images_come_back():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, *SHAPE)).astype(np.uint8)
    masks = random.random((2, *SHAPE)) > 0.5
    channels = to_channels(image_set(images, masks), SHAPE, True)
    assert (channels.min(), channels.max(), channels.dtype) == (-1, 1, np.float32)
    back, drawn = from_channels(torch.from_numpy(channels), SHAPE)
    assert np.array_equal(back, images)
    assert np.array_equal(drawn, masks)


def test_lines_of_few_pixels_survive_in_an_image_of_a_third():
    masks = np.stack([parallel(SHAPE, thickness=50, degrees=d, height=4) for d in (0, 4, -9)])
    images = np.zeros((3, *SHAPE), np.uint8)
    channels = to_channels(image_set(images, masks), (48, 48), True)
    _, drawn = from_channels(torch.from_numpy(channels), SHAPE)
    for one, other in zip(masks, drawn, strict=True):
        assert overlap(one, other) > 0.9


def test_without_masks_there_is_one_channel_and_no_mask():
    images = np.full((1, *SHAPE), 51, np.uint8)
    channels = to_channels(image_set(images, np.zeros((1, *SHAPE), bool)), (64, 32), False)
    assert channels.shape == (1, 1, 64, 32)
    np.testing.assert_allclose(channels, -0.6, atol=1e-6)
    back, drawn = from_channels(torch.from_numpy(channels), (10, 20))
    assert (back == 51).all()
    assert back.shape == (1, 10, 20)
    assert drawn is None


def test_values_beyond_the_bounds_are_black_and_white():
    channels = torch.tensor([[[[-3.0, 3.0]]]])
    assert from_channels(channels, (1, 2))[0].tolist() == [[[0, 255]]]
