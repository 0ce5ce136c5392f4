"""What is done to images is done to their masks, and is what was asked for."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.training.sections.segmentation.augmenting import (  # noqa: E402
    BRIGHTEST,
    Augmentation,
    augment,
)

STILL = {"rotation": 0.0, "scaling": 1.0, "shift": 0.0, "screens": 0.0, "flips": False,
         "erased": 0.0, "contrast": 1.0, "gain": 0.0}  # fmt: skip


def pictures(count=64, size=32):
    """Return images whose grey is their mask's, so that where one goes is where the other goes."""
    random = np.random.default_rng(0)
    masks = torch.from_numpy(random.random((count, 1, size, size)) > 0.5).float()
    return masks.clone(), masks


def changed(**changes):
    images, masks = pictures()
    drawn = Augmentation(**{**STILL, **changes}).draw(len(images), np.random.default_rng(1))
    return images, masks, *augment(images, masks, drawn), drawn


def test_nothing_asked_for_changes_nothing():
    images, masks, now, marked, _ = changed()
    torch.testing.assert_close(now, images, atol=1e-4, rtol=0)
    torch.testing.assert_close(marked, masks, atol=1e-4, rtol=0)


def test_flips_exchange_left_and_right_of_half_of_the_images():
    images, _, now, marked, _ = changed(flips=True)
    torch.testing.assert_close(now, marked, atol=1e-4, rtol=0)
    mirrored = torch.isclose(now, images.flip(3), atol=1e-3).flatten(1).all(1)
    same = torch.isclose(now, images, atol=1e-3).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert 20 <= mirrored.sum() <= 44


@pytest.mark.parametrize("changes", [{"rotation": 20.0}, {"scaling": 1.5}, {"shift": 0.2},
                                     {"screens": 1.0}])  # fmt: skip
def test_masks_go_where_images_go(changes):
    images, masks, now, marked, drawn = changed(**changes)
    _, whole = augment(images, torch.ones_like(masks), drawn)
    inside = whole > 1 - 1e-4  # pixels at the image's edge are partly of what is around it
    assert inside.float().mean() > 0.2
    torch.testing.assert_close(now[inside], marked[inside], atol=1e-3, rtol=0)
    assert not torch.isclose(now, images, atol=1e-3).all()


def test_a_turn_is_the_turn_of_a_point():
    image = torch.zeros(1, 1, 65, 65)
    image[0, 0, 32, 52] = 1.0  # 20 px to the right of the middle
    one = Augmentation(**{**STILL, "rotation": 90.0})
    drawn = one.draw(1, np.random.default_rng(3))
    angle = np.random.default_rng(3).uniform(-90, 90)
    now, _ = augment(image, image, drawn)
    row, column = np.unravel_index(int(now.argmax()), (65, 65))
    found = np.degrees(np.arctan2(row - 32, column - 32))
    assert abs(abs(found) - abs(angle)) < 3


def test_a_shift_is_evenly_up_to_the_share_that_is_asked_for():
    images = torch.zeros(64, 1, 41, 41)
    images[:, :, 20, 20] = 1.0
    drawn = Augmentation(**{**STILL, "shift": 0.25}).draw(64, np.random.default_rng(0))
    now, _ = augment(images, images, drawn)
    places = now.flatten(1).argmax(dim=1)
    for moved in (places // 41 - 20, places % 41 - 20):  # along depth, and along width
        assert 8 <= moved.abs().max() <= 10.25 + 0.5
        assert moved.min() < 0 < moved.max()


def test_a_screen_holds_the_whole_image_smaller():
    count, size = 64, 32
    images = torch.ones(count, 1, size, size)
    drawn = Augmentation(**{**STILL, "screens": 1.0}).draw(count, np.random.default_rng(2))
    drawn["sign"].zero_()
    now, marked = augment(images, images, drawn)
    share = marked.mean(dim=(1, 2, 3))
    assert share.min() > 0.45**2 * 0.85
    assert share.max() <= 1
    assert 0.4 < share.mean() < 0.65  # the square of the mean of 0.45 to 1
    around = now[(marked == 0)]
    assert around.max() <= BRIGHTEST
    edges = marked[:, 0, [0, -1]].mean(dim=2) + marked[:, 0, :, [0, -1]].mean(dim=1)
    assert (edges.min(dim=1).values < 1).any()


def test_erasing_makes_a_box_of_one_grey_and_leaves_masks():
    images, masks, now, marked, drawn = changed(erased=0.3)
    torch.testing.assert_close(marked, masks, atol=1e-4, rtol=0)
    for before, after, grey in zip(images, now, drawn["grey"], strict=True):
        other = ~torch.isclose(before, after, atol=1e-3)
        assert other.float().mean() <= 0.31
        assert torch.isclose(after[other], grey, atol=1e-6).all()
    assert not torch.isclose(now, images, atol=1e-3).all()


def test_contrast_and_gain_keep_greys_within_bounds():
    images = torch.full((64, 1, 16, 16), 0.25)
    drawn = Augmentation(**{**STILL, "contrast": 2.0}).draw(64, np.random.default_rng(0))
    now, _ = augment(images, images, drawn)
    torch.testing.assert_close(now[:, 0, 8, 8], 0.25 ** drawn["power"])
    assert now.min() >= 0.25**2
    assert now.max() <= 0.25**0.5 + 1e-6
    drawn = Augmentation(**{**STILL, "gain": 0.5}).draw(64, np.random.default_rng(0))
    now, _ = augment(images, images, drawn)
    down, across = drawn["slope"].T
    torch.testing.assert_close(now[:, 0, -1, 0], 0.25 * (1 + down) * (1 - across))
