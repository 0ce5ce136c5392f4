"""Corners are found and followed: by what a texture was shifted, and where tissue truly went."""

import functools
import sys

import numpy as np
import pytest

from musim.simulator.calf import motion
from musim.simulator.calf.parameters import CalfParameters, draw_participant
from musim.simulator.section.moving import margin_of, move
from musim.simulator.section.parameters import SectionParameters
from musim.simulator.section.scene import draw_display, draw_scene
from musim.training.state.tracking.features import Tracker
from musim.training.state.tracking.libraries import clustering, opencv

pytest.importorskip("cv2")

SHAPE = 96, 240


def texture(shift=(0.0, 0.0), seed=0):
    """Return a band-limited, periodic texture that is shifted down and to the right, px."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.fft2(random.standard_normal(SHAPE))
    along = np.fft.fftfreq(SHAPE[0])[:, None], np.fft.fftfreq(SHAPE[1])
    spectrum *= np.exp(-((along[0] ** 2 + along[1] ** 2) / (2 * 0.06**2)))
    turned = spectrum * np.exp(-2j * np.pi * (along[0] * shift[0] + along[1] * shift[1]))
    values = np.fft.ifft2(turned).real
    return np.clip(128 + 40 * values / values.std(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("window", [11, 15, 19])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.6), (-1.25, 2.5), (2.0, -9.4)])
def test_the_shift_of_a_texture_is_found(shift, window):
    tracker = Tracker(count=200, window=window)
    first, second = texture(), texture(shift)
    corners = tracker.corners(first)
    found, seen = tracker.follow(first, second, corners)
    inside = seen & np.all((corners > 20) & (corners < np.array(SHAPE) - 20), axis=1)
    assert inside.sum() > 50
    assert found[inside].mean(axis=0) == pytest.approx(shift, abs=0.02)
    assert np.abs(found[inside] - shift).max() < 0.15
    assert np.sqrt(((found[inside] - shift) ** 2).mean()) < 0.05


def test_corners_are_the_strongest_and_apart():
    image = np.full((60, 90), 100, np.uint8)
    image[20:40, 30:60] = 200
    image[48:, 80:] = 120
    corners = Tracker(count=4, window=5).corners(image)
    wanted = [(20, 30), (20, 60), (40, 30), (40, 60)]
    assert np.abs(np.sort(corners, axis=0) - np.sort(wanted, axis=0)).max() <= 2
    many = Tracker(apart=6).corners(texture())
    distances = np.linalg.norm(many[:, None] - many, axis=2) + 100 * np.eye(len(many))
    assert distances.min() >= 6
    assert len(Tracker(count=50).corners(texture())) == 50


def test_an_even_image_has_no_corners():
    even = np.full(SHAPE, 90, np.uint8)
    tracker = Tracker()
    corners = tracker.corners(even)
    assert corners.shape == (0, 2)
    moved, found = tracker.follow(even, even, corners)
    assert (moved.shape, found.shape) == ((0, 2), (0,))


def test_corners_that_leave_the_image_are_not_found():
    tracker = Tracker(count=300)
    first, second = texture(), texture((0.0, 8.0))
    corners = tracker.corners(first)
    moved, found = tracker.follow(first, second, corners)
    assert np.all((corners + moved)[found] <= np.array(SHAPE) - 1)
    assert not found[corners[:, 1] > SHAPE[1] - 4].any()


@pytest.fixture(scope="module")
def trial():
    """Return a participant, the first row of its region, and courses with frames of it."""
    section = SectionParameters(pixels=(160, 200), size=(19.56, 22.35), thickness=13, fat=3,
                                fascicles_rise="right")  # fmt: skip
    participant = draw_participant(CalfParameters(), section, 3, 0)
    steps = np.linspace(0, 1, 5)
    whole = {"sliding": 0.6, "stretch": 0.02, "shear": 1.0, "bulging": -0.02, "probe_shift": 0}
    courses = np.stack([value * steps for value in whole.values()])
    fields = functools.partial(motion.fields, participant)
    scene = draw_scene(section, 3, 0, margin_of(fields, courses, section))
    images = move(scene, fields, 3, 0).images(draw_display(section, 3, 0), courses, 0, 0 * steps)
    return participant, section.pixel_size, courses, images


def test_tissue_is_followed_where_it_goes(trial):
    participant, pixel, courses, images = trial
    tracker = Tracker(count=400)
    errors = []
    for number in range(len(images) - 1):
        corners = tracker.corners(images[number])
        moved, found = tracker.follow(images[number], images[number + 1], corners)
        true, inside = true_motion(participant, pixel, courses[:, number : number + 2], corners)
        errors.append((moved - true)[found & inside])
    errors = np.concatenate(errors)
    assert len(errors) > 400
    assert np.abs(np.mean(errors, axis=0)).max() < 0.06
    assert np.median(np.linalg.norm(errors, axis=1)) < 0.15


def true_motion(participant, pixel, courses, corners):
    """Return how far what is seen at corners moves, px, and whether it is in the muscle."""
    at = (corners + 0.5) * pixel
    rest = at.astype(float)
    for _ in range(30):  # what has come here lay there at rest
        rest = at - shifts(participant, rest, courses[:, :1])[0]
    before, after = (shifts(participant, rest, courses[:, each : each + 1])[0] for each in range(2))
    anatomy = participant.anatomy
    above, below = (each.at(rest[:, 1]) for each in (anatomy.superficial, anatomy.deep))
    inside = (rest[:, 0] > above + 1) & (rest[:, 0] < below - 1)
    return (after - before) / pixel, inside


def shifts(participant, rest, course):
    """Return displacements down and to the right, mm, of places at rest."""
    fields = motion.fields(participant, rest[:, 0], rest[:, 1])
    up, right = np.tensordot(fields, course, (0, 0))[..., 0]
    return np.stack([-up, right], axis=1)[None]


@pytest.mark.parametrize(
    ("module", "function", "words"),
    [("cv2", opencv, ["OpenCV", "musim[tracking]"]),
     ("sklearn.cluster", clustering, ["scikit-learn", "musim[tracking]"])],
)  # fmt: skip
def test_what_is_not_installed_is_told_in_a_line(module, function, words, monkeypatch, refused):
    monkeypatch.setitem(sys.modules, module, None)
    with refused(*words):
        function()
