"""Places are where corners are, and move as these do."""

import numpy as np
import pytest

from musim.training.state.tracking.features import Tracker
from musim.training.state.tracking.places import find_places, motion_of_places, track

pytest.importorskip("cv2")
pytest.importorskip("sklearn")


def dots(*centres, shape=(60, 120)):
    """Return an image of round dots on black."""
    z, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for depth, width in centres:
        image += 250 * np.exp(-((z - depth) ** 2 + (x - width) ** 2) / (2 * 3**2))
    return np.clip(image, 0, 255).astype(np.uint8)


TRACKER = Tracker(count=6, window=7, apart=12)


def test_places_are_the_middles_of_where_corners_are():
    images = [
        dots((20.0, 40.0 + each), (40.0, 40.0 - each), (30.0, 90.0)) for each in (-2, -1, 0, 1, 2)
    ]
    tracker = Tracker(count=3, window=7, apart=12)
    places = find_places(images, tracker, seed=0, count=3)
    assert places.dtype == np.float32
    assert places == pytest.approx(np.array([[20, 40], [40, 40], [30, 90]]), abs=1)


def test_places_follow_from_images_and_seed():
    random = np.random.default_rng(0)
    images = [dots(*random.uniform((5, 5), (55, 115), (12, 2))) for _ in range(8)]
    tracker = Tracker(count=12, window=7, apart=5)
    places = find_places(images, tracker, seed=3, count=10)
    assert np.array_equal(find_places(iter(images), tracker, seed=3, count=10), places)
    assert not np.array_equal(find_places(images, tracker, seed=4, count=10), places)
    assert np.all(np.diff(places[:, 1]) >= 0)


def test_fewer_corners_than_places_are_refused(refused):
    with refused("found 0 corners in 2 images", "wanted 4"):
        find_places([np.zeros((40, 40), np.uint8)] * 2, TRACKER, seed=0, count=4)
    with refused("found 0 corners in 0 images"):
        find_places([], TRACKER, seed=0)


def test_a_place_moves_as_the_mean_of_its_corners():
    places = np.array([[10, 10], [10, 50], [10, 95]], np.float32)
    corners = np.array([[12, 12], [0, 0], [15, 52]], np.float32)
    displacements = np.array([[1, 2], [3, -4], [0.5, 0.25]], np.float32)
    moved = motion_of_places(corners, displacements, places)
    assert moved.dtype == np.float32
    assert moved[:2] == pytest.approx(np.array([[2, -1], [0.5, 0.25]]))
    # No corner is nearest to the last; the middle place is the nearest that has any.
    assert moved[2] == pytest.approx(moved[1])
    nothing = np.empty((0, 2), np.float32)
    assert np.array_equal(motion_of_places(nothing, nothing, places), np.zeros((3, 2)))


def test_each_frame_is_followed_to_the_next():
    at = [((20.0, 30.0), (40.0, 80.0)), ((21.0, 30.5), (40.0, 77.0)), ((21.0, 32.0), (39.5, 77.0))]
    images = np.stack([dots(*each) for each in at])
    places = np.array(at[0], np.float32)
    moved = track(images, places, TRACKER)
    assert moved.shape == (2, 2, 2)
    assert moved == pytest.approx(np.diff(np.array(at), axis=0), abs=0.06)
    assert track(images[:1], places, TRACKER).shape == (0, 2, 2)
    for first in (0, 1):  # of each pair alone, whatever came before
        part = track(images[first : first + 2], places, TRACKER)
        assert np.array_equal(part[0], moved[first])
