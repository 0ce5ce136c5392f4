"""Sections that move: speckle follows the tissue, changes as it should, and frames stand alone."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.signal import fftconvolve

from musim.simulator.section.imaging import envelopes
from musim.simulator.section.moving import anchors, margin_of, move, places
from musim.simulator.section.parameters import SectionParameters
from musim.simulator.section.planes import ELEVATION_SD
from musim.simulator.section.scene import Scene, draw_display, draw_scene
from musim.simulator.section.tissue import Scatterers

QUIET: dict[str, Any] = {
    "contact": 0, "gain_error": 0, "thermal_noise": 0, "f_number": 2.5, "centre_frequency": 10e6,
    "looks": 1, "pixels": (96, 120), "size": (5.76, 13.2), "fat": 1, "skin": 0.5, "thickness": 3,
    "taper": 0, "tilt": 0, "bow": 0, "grey_map": "linear",
}  # fmt: skip


def parameters_of(**own):
    return SectionParameters(**{**QUIET, **own})


def speckle_of(seed=0, margin=(0.0, 0.0), sheets=0.0, **own) -> Scene:
    """Return a scene of small scatterers alone, alike everywhere, with sheets if asked for."""
    scene = draw_scene(parameters_of(**own), 0, 0, margin)
    shape = scene.scatterers.small.shape
    random = np.random.default_rng(seed)
    parts = random.standard_normal((2, *shape)) / math.sqrt(2)
    aside = random.uniform(-0.5, 0.5, shape).astype(np.float32)
    aside *= np.float32(scene.probe.scanner.pixel_size[1])
    still = np.zeros(shape)
    layers = sheets * np.exp(1j * random.uniform(0, 6, (shape[0], 1))) * (still + 1)
    homogeneous = Scatterers(
        parts[0] + 1j * parts[1], aside, layers, still, still, still + 0.65, still + 1
    )
    return replace(scene, scatterers=homogeneous)


def modes(z, x):
    """Axial and lateral motion, axial and lateral strain, axial and lateral shear about a place."""
    nothing, one = np.zeros_like(z), np.ones_like(z)
    down, right = z - 2.88, x - 6.6
    return np.stack([
        [one, nothing], [nothing, one], [-down, nothing], [nothing, right], [right, nothing],
        [nothing, down],
    ])  # fmt: skip


def course_of(axial=0.0, lateral=0.0, deeper=0.0, wider=0.0, tilting=0.0, sliding=0.0):
    return np.array([[axial], [lateral], [deeper], [wider], [tilting], [sliding]])


def moved(scene, across=None, **motion):
    course = course_of(**motion)
    return move(scene, modes, 0, 0).envelopes(course, across=across)[0].astype(float)


@pytest.mark.parametrize("own", [{}, {"looks": 3}, {"pixels": (48, 24)}, {"looks": 6}])
def test_what_does_not_move_is_the_still_image(own):
    # With few pixels echoes are laid on a finer grid; six directions are seen in two turns.
    parameters = parameters_of(**own, thermal_noise=1e-3, contact=0.5, gain_error=-8)
    scene, display = draw_scene(parameters, 3, 1), draw_display(parameters, 3, 1)
    still = envelopes(scene.scatterers, scene.probe)
    found = move(scene, modes, 3, 1).envelopes(np.zeros((6, 1)))
    assert np.sqrt(((found - still) ** 2).mean() / (still**2).mean()) < 4e-3
    shown = [display.show(i[0], scene.probe.divisions).astype(int) for i in (found, still)]
    assert np.abs(shown[0] - shown[1]).max() <= 4
    assert np.abs(shown[0] - shown[1]).mean() < 0.3


def test_echoes_are_those_of_each_scatterer_at_its_place():
    # The slow way: every scatterer's pulse and beam where it has come to, summed in each pixel.
    scene = speckle_of(sheets=1.0, looks=2, pixels=(50, 20), size=(3, 2.2), directivity=20,
                       thickness=2, fat=0.6, aponeurosis=0.1)  # fmt: skip
    motion = course_of(0.0123, -0.0871, 0.08, -0.05, 0.06, 0.1)
    scatterers, probe = scene.scatterers, scene.probe
    scanner, (z, x) = probe.scanner, places(scene)
    axial, lateral = np.tensordot(modes(z, x), motion[:, 0], (0, 0))
    anchored = np.tensordot(modes(*anchors(scene.anatomy, z, x))[:, 0], motion[:, 0], (0, 0))
    turns, frequency = scanner.turns, scanner.doses.centre_frequency
    fewer = (turns[0] - turns[-1]) / (scanner.depths[-1] - scanner.depths[0])

    def phase(up):  # of what has come up from z, by what turns between
        at = turns[0] - fewer * (z - scanner.depths[0])
        return 2 * np.pi * (at * up + fewer * up**2 / 2)

    total, sd = np.zeros(scanner.doses.image), scanner.lateral_width[0] / 2.35482
    for angle in probe.looks:
        aside = 4e-3 * np.pi * frequency / 1540 * math.sin(angle)
        echo = scatterers.small * np.exp(
            1j * (phase(axial) + aside * (x + scatterers.aside + lateral))
        )
        turned = -motion[4]  # a lying sheet turns by how its depth changes along it, to first order
        heard = np.exp(-(((turned - angle) / probe.directivity) ** 2) / 2)
        echo += heard * scatterers.sheets * np.exp(1j * (phase(anchored) + aside * lateral))
        echo *= np.exp(1j * np.pi * fewer * z**2)
        for row, depth in enumerate(scanner.depths):
            for column, width in enumerate(scanner.widths):
                away = ((z - axial - depth) / scanner.axial_sd) ** 2 + (
                    (x + lateral - width) / sd
                ) ** 2
                total[row, column] += abs((echo * np.exp(-away / 2)).sum()) / len(probe.looks)
    steps = scanner.pixel_size
    total /= math.sqrt(np.pi * scanner.axial_sd * sd / steps[0] / steps[1])
    found = move(scene, modes, 0, 0).envelopes(motion)[0]
    assert np.sqrt(((found - total) ** 2).mean() / (total**2).mean()) < 0.01


def test_windows_equal_the_whole_in_any_order():
    parameters = parameters_of(thermal_noise=0.01, looks=3)
    section = move(draw_scene(parameters, 5, 2, (0.5, 1.0)), modes, 5, 2)
    random = np.random.default_rng(0)
    courses = random.uniform(-0.2, 0.2, (6, 7))
    across = np.array([0, 0.2, -0.4, 3.0, 0, -7.0, 0.2])
    whole = section.envelopes(courses, across=across)
    again = move(draw_scene(parameters, 5, 2, (0.5, 1.0)), modes, 5, 2)
    for first, last in ((5, 7), (3, 4), (0, 3), (1, 6)):
        window = again.envelopes(courses[:, first:last], first, across[first:last])
        np.testing.assert_array_equal(window, whole[first:last])
    # Noise is another in each frame.
    still = section.envelopes(np.zeros((6, 2)))
    assert not np.array_equal(still[0], still[1])


def test_a_step_of_whole_pixels_is_the_same_speckle_elsewhere():
    scene = speckle_of(looks=3, sheets=1.0)
    step = scene.probe.scanner.pixel_size
    before = moved(scene)
    after = moved(scene, axial=5 * step[0], lateral=-7 * step[1])
    inner = slice(12, -12), slice(12, -12)
    expected = np.roll(before, (-5, -7), (0, 1))[inner]
    assert np.sqrt(((after[inner] - expected) ** 2).mean()) < 0.02
    assert np.sqrt(((after[inner] - before[inner]) ** 2).mean()) > 0.3


def tracked(before, after, centre, reach=(9, 7), half=(10, 12)):
    """Return by how many pixels a block has moved down and right: normalised cross-correlation."""
    block = before[tuple(slice(c - h, c + h + 1) for c, h in zip(centre, half, strict=True))]
    size = [h + r for h, r in zip(half, reach, strict=True)]
    area = after[tuple(slice(c - s, c + s + 1) for c, s in zip(centre, size, strict=True))]
    block, ones = block - block.mean(), np.ones(block.shape)
    likeness = fftconvolve(area, block[::-1, ::-1], "valid")
    spread = fftconvolve(area**2, ones, "valid")
    spread -= fftconvolve(area, ones, "valid") ** 2 / ones.size
    likeness /= np.sqrt(spread * (block**2).sum())
    best = np.unravel_index(likeness.argmax(), likeness.shape)
    found = []
    for axis in range(2):
        three = [likeness[tuple(best[a] + (a == axis) * s for a in range(2))] for s in (-1, 0, 1)]
        # The peak of a Gaussian through three points: speckle's own correlation nearly is one.
        low, top, high = np.log(three)
        found.append(best[axis] - reach[axis] + (low - high) / 2 / (low - 2 * top + high))
    return np.array(found)


@pytest.mark.parametrize("motion", [
    {"axial": 0.201, "lateral": 0.0},
    {"axial": 0.0, "lateral": -0.465},
    {"axial": -0.137, "lateral": 0.313},
    {"sliding": 0.12},
    {"deeper": 0.04},
    {"wider": -0.05, "deeper": 0.03},
    {"lateral": 0.2, "sliding": -0.1, "tilting": 0.01},
])  # fmt: skip
def test_tracking_finds_the_motion_that_was_imposed(motion):
    parameters: dict[str, Any] = {"looks": 3, "margin": (1.0, 1.0)}
    steps = np.array([0.06, 0.11])
    errors = []
    for seed in range(3):
        scene = speckle_of(seed, **parameters)
        before, after = moved(scene), moved(scene, **motion)
        for centre in ((30, 30), (30, 90), (48, 60), (66, 30), (66, 90)):
            z, x = (np.array(centre) + 0.5) * steps
            up, right = np.tensordot(modes(z, x), course_of(**motion)[:, 0], (0, 0))
            errors.append(tracked(before, after, centre) - np.array([-up, right]) / steps)
    assert np.abs(np.mean(errors, axis=0)).max() < 0.04
    assert np.sqrt(np.mean(np.square(errors), axis=0)).max() < 0.15


def likeness_of(first, second):
    return np.corrcoef(first.ravel() ** 2, second.ravel() ** 2)[0, 1]


@pytest.mark.parametrize("strain", [0.05, 0.15])
def test_axial_strain_changes_speckle_by_the_phases_in_a_pulse(strain):
    # In place, pulses p(z) and p(z (1 + e)) with phases k e z agree, in amplitude, by
    # exp(-(k e sd)^2 / 4) for small e; and powers by the square of it.
    wide: dict[str, Any] = {"pixels": (96, 600), "size": (5.76, 66)}
    found = []
    for seed in range(4):
        scene = speckle_of(seed, **wide)
        rows = slice(47, 49)  # about 2.88 mm, which stays
        found.append((moved(scene)[rows], moved(scene, deeper=strain)[rows]))
    scanner = speckle_of(**wide).probe.scanner
    phase = 2 * np.pi * scanner.turns[48] * strain * scanner.axial_sd
    expected = math.exp(-(phase**2) / 2)
    assert likeness_of(*np.swapaxes(found, 0, 1)) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("gradient", [0.03, 0.06])
def test_tissue_that_tilts_changes_speckle_by_the_phases_in_a_beam(gradient):
    tall: dict[str, Any] = {"pixels": (600, 72), "size": (36.0, 7.92), "aperture": 40}
    found = []
    for seed in range(5):
        scene = speckle_of(seed, **tall)
        columns = slice(59, 61)  # about 6.6 mm
        found.append((moved(scene)[:, columns], moved(scene, tilting=gradient)[:, columns]))
    scanner = speckle_of(**tall).probe.scanner
    sd = scanner.lateral_width / (2 * math.sqrt(2 * math.log(2)))
    phase = 2 * np.pi * scanner.turns * gradient * sd
    expected = np.exp(-(phase**2) / 2).mean()
    assert likeness_of(*np.swapaxes(found, 0, 1)) == pytest.approx(expected, abs=0.05)


def test_motion_across_the_plane_exchanges_scatterers_by_the_beams_profile():
    section = move(speckle_of(pixels=(300, 300), size=(18, 33)), modes, 0, 0)
    places = np.array([0, 0.3, 0.6, 1.2, 4.1, 4.4, -2.0])
    images = section.envelopes(np.zeros((6, len(places))), across=places)[:, 12:-12, 12:-12]
    np.testing.assert_array_equal(images[0], section.envelopes(np.zeros((6, 1)))[0, 12:-12, 12:-12])
    for image in images:
        assert (image**2).mean() == pytest.approx(1, abs=0.05)
        assert image.mean() / image.std() == pytest.approx(1.913, abs=0.05)
    for first in range(len(places)):
        for second in range(first):
            apart = places[first] - places[second]
            expected = math.exp(-((apart / ELEVATION_SD) ** 2) / 2)
            found = likeness_of(images[first], images[second])
            assert found == pytest.approx(expected, abs=0.05)


def test_deformed_speckle_is_rayleighs_still():
    scene = speckle_of(pixels=(200, 300), size=(12, 33), margin=(2.0, 3.0))
    motion = {"axial": 0.3, "lateral": 1.1, "deeper": 0.1, "sliding": 0.2, "tilting": 0.03}
    image = moved(scene, **motion)[12:-12, 12:-12]
    assert image.mean() / image.std() == pytest.approx(1.913, abs=0.05)
    assert (image**2).mean() == pytest.approx(1 / 1.1, rel=0.05)  # as many, on a larger area


def test_a_sheet_that_turns_stays_one():
    # Phases that followed each place of it would differ within a beam, and take a quarter of it.
    drawn = draw_scene(parameters_of(directivity=60, pennation=20), 0, 0)
    scene = replace(drawn, scatterers=replace(drawn.scatterers, small=0 * drawn.scatterers.small))
    inner = slice(24, -24), slice(16, -16)
    before, after = (moved(scene, tilting=t)[inner] for t in (0, 0.06))
    assert np.abs(after).mean() / np.abs(before).mean() == pytest.approx(1, abs=0.2)


def test_aponeuroses_and_their_masks_move_together():
    parameters = parameters_of(fat=1.5, thickness=3, aponeurosis=0.33, gain=-55)
    courses = np.hstack([course_of(), course_of(axial=-0.3, lateral=0.7), course_of(wider=0.05)])
    far = margin_of(modes, courses, parameters)
    section = move(draw_scene(parameters, 0, 0, far), modes, 0, 0)
    masks = section.masks(courses, parameters)
    anatomy = section.scene.anatomy
    np.testing.assert_array_equal(masks[0], anatomy.masks(parameters.pixels, parameters.pixel_size))
    np.testing.assert_array_equal(masks[1, :, 5:], masks[0, :, :-5])  # 0.3 mm deeper: 5 px
    for image, mask in zip(
        section.images(draw_display(parameters, 0, 0), courses), masks, strict=True
    ):
        for own in mask:
            assert image[own].mean() > image[~mask.any(axis=0)].mean() + 40


def test_the_margin_is_what_moves_into_the_image():
    parameters = parameters_of()
    courses = np.hstack([course_of(axial=0.4, lateral=-2.0), course_of(axial=-9, lateral=1.0)])
    below, aside = margin_of(modes, courses, parameters)
    assert 0.4 < below < 1.2
    assert 2 < aside < 4
    assert margin_of(modes, np.zeros((6, 1)), parameters) < (1, 2)
    # Without, there is nothing at the side from which tissue comes.
    scene = speckle_of()
    empty = moved(scene, lateral=-2.0)[:, -8:]
    filled = moved(speckle_of(margin=(below, aside)), lateral=-2.0)[:, -8:]
    assert empty.mean() < 0.01
    assert filled.mean() > 0.7


def test_shapes_that_do_not_go_together_are_refused(refused):
    scene = speckle_of(pixels=(50, 20), size=(3, 2.2), thickness=2, fat=0.6)
    section = move(scene, modes, 0, 0)
    with refused("courses", "found shape (5, 2)", "wanted (6, frame)"):
        section.envelopes(np.zeros((5, 2)))
    with refused("across", "found shape (3,)", "wanted (2,)"):
        section.envelopes(np.zeros((6, 2)), across=np.zeros(3))


@pytest.mark.parametrize(("first", "stop"), [(0, 96), (30, 50), (0, 7), (90, 96)])
def test_a_window_is_what_the_whole_shows_there(first, stop):
    own = {
        "pixels": (96, 24),
        "size": (5.76, 4),
        "looks": 2,
        "thermal_noise": 0.01,
        "gain_error": 3,
    }
    scene = draw_scene(parameters_of(**own), 3, 1, margin=(0.5, 1.0))
    courses = np.repeat(course_of(-0.3, 0.4, 0.08, 0.05, 0.02, 0.1), 2, axis=1)
    courses[:, 1] *= -1
    across, section = np.array([0.0, 1.3]), move(scene, modes, 3, 1)
    window = section.window(slice(first, stop), reach=0.8)
    display = draw_display(parameters_of(**own), 3, 1)
    whole = section.images(display, courses, 5, across)
    assert len(window.moved) < len(section.moved) or stop - first == 96
    assert np.array_equal(window.images(display, courses, 5, across), whole[:, first:stop])
    # And a window of a window.
    part = window.window(slice(max(first, 40), max(first, 40) + 5), reach=0.8)
    if first <= 40 and stop >= 45:
        assert np.array_equal(part.images(display, courses, 5, across), whole[:, 40:45])
