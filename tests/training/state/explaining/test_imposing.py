"""Frames move by what is imposed, to the side that it says, and what is told of them is tuned."""

import numpy as np
import pytest

from musim.training.state.explaining.imposing import MOTIONS, moved, slopes, tuning
from musim.training.state.explaining.motion_fields import MotionField, as_frames, field_of, joined
from musim.training.state.tracking.features import Tracker

TRACKER = Tracker(count=200, window=11)


def texture(seed=0):
    random = np.random.default_rng(seed)
    along = np.fft.fftfreq(80)[:, None], np.fft.fftfreq(160)
    low = np.exp(-(along[0] ** 2 + along[1] ** 2) / (2 * 0.07**2))
    values = np.fft.ifft2(low * np.fft.fft2(random.standard_normal((80, 160)))).real
    return np.clip(128 + 40 * values / values.std(), 0, 255).astype(np.uint8)


def test_whole_pixels_are_moved_as_they_are():
    image = texture()
    assert np.array_equal(moved(image, "translation", 3)[:, 3:], image[:, :-3])
    assert np.array_equal(moved(image, "translation", -2)[:, :-2], image[:, 2:])
    for motion in MOTIONS:
        assert np.array_equal(moved(image, motion, 0), image)


def test_a_shear_moves_the_top_to_the_right_and_the_bottom_to_the_left():
    image = np.tile(np.arange(60, dtype=np.uint8) * 4, (41, 1))  # 4 grey levels a px to the right
    found = (image.astype(float) - moved(image, "shear", 1.5))[:, 10:-10] / 4
    right = found.mean(axis=1)
    assert right[0] > 2.5
    assert right[20] == pytest.approx(0, abs=0.05)
    assert right[:21].mean() == pytest.approx(1.5, abs=0.05)
    assert right[20:].mean() == pytest.approx(-1.5, abs=0.05)


@pytest.mark.parametrize("motion", ["translation", "shear"])
@pytest.mark.parametrize("amount", [1.4, -0.6])
def test_imposed_motion_is_what_is_tracked(motion, amount):
    pytest.importorskip("cv2")
    image = texture()
    found = field_of(np.stack([image, moved(image, motion, amount)]), TRACKER)
    down = (found.corners[:, 0] + 0.5) / 80
    right = amount * (2 * (1 - 2 * down) if motion == "shear" else np.ones_like(down))
    imposed = MotionField(found.corners, np.stack([0 * right, right], 1), 80)
    assert found.halves == pytest.approx(imposed.halves, abs=0.1)
    assert np.median(np.abs(found.displacements - imposed.displacements)) < 0.1


def test_motion_on_larger_pixels_is_told_in_those_of_videos():
    pytest.importorskip("torch")
    pytest.importorskip("cv2")
    from musim.training.state.explaining.outputs import _field_in_videos

    pair = np.stack([texture(), moved(texture(), "translation", 2)]).astype(np.float32)
    own, found = field_of(pair.astype(np.uint8), TRACKER), _field_in_videos(pair, (160, 480))
    assert own.halves == pytest.approx((2, 2), abs=0.1)
    assert found.halves == pytest.approx((6, 6), abs=0.4)
    assert found.depth == 160
    assert 140 < found.corners[:, 0].max() < 160
    assert 440 < found.corners[:, 1].max() < 480


def test_fields_of_several_starts_are_one():
    pytest.importorskip("cv2")
    fields = [
        field_of(np.stack([texture(s), moved(texture(s), "translation", a)]), TRACKER)
        for s, a in ((0, 1.0), (1, 2.0))
    ]
    both = joined(fields)
    assert len(both.corners) == sum(len(each.corners) for each in fields)
    assert 1.2 < both.displacements[:, 1].mean() < 1.8
    even = np.zeros((2, 40, 40), np.uint8)
    assert np.isnan(field_of(even, TRACKER).halves).all()


def test_a_corner_that_is_found_in_the_wrong_place_changes_no_half():
    corners = np.array([[1, 1], [2, 1], [3, 1], [7, 1], [8, 1]], np.float32)
    displacements = np.array([[0, 1], [0, 1], [0, 90], [0, -2], [0, -2]], np.float32)
    assert MotionField(corners, displacements, 10).halves == (1, -2)


def test_pairs_are_scaled_alike():
    pair = np.array([[[0.0, 1.0]], [[-1.0, 0.5]]])
    assert as_frames(pair).tolist() == [[[128, 255]], [[0, 191]]]
    assert np.all(as_frames(np.ones((2, 3, 4))) == 128)


def test_what_is_told_is_tuned_to_amounts_of_each_motion():
    def tell(frames):
        difference = frames[1].astype(float) - frames[0]
        half = len(difference) // 2
        right = [-part[:, 8:-8].mean() / 2 for part in (difference[:half], difference[half:])]
        return np.array([right[0] - right[1], right[0] + right[1]])  # a shear, a translation

    images = np.stack([np.tile(np.arange(100, dtype=np.uint8) * 2 + k, (40, 1)) for k in (0, 9)])
    amounts = np.linspace(-2, 2, 5)
    told = tuning(tell, images, amounts)
    assert told["shear"].shape == (5, 2, 2)
    assert told["translation"][:, 0, 1] == pytest.approx(2 * amounts, abs=0.1)
    shear, spread = slopes(amounts, told["shear"])
    assert shear == pytest.approx([2, 0], abs=0.05)
    assert spread == pytest.approx([0, 0], abs=0.05)
    assert slopes(amounts, told["translation"])[0] == pytest.approx([0, 2], abs=0.05)
