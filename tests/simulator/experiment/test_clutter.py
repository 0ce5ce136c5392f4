import math

import numpy as np
import pytest

from musim.simulator import Range
from musim.simulator.experiment.clutter import (
    FADING,
    REPEATS,
    reverberation,
    reverberation_profile,
    side_lobes,
    still_image,
)
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import Motion
from musim.simulator.experiment.speckle import BRIGHTNESS, Scanner, draw_echoes, iq_blocks
from musim.simulator.experiment.tissue import WALL, Tissue

SIZE, IMAGE, RATE = (20.0, 10.0), (128, 64), 2000.0


def _scanner():
    return Scanner(Doses.off(image=IMAGE), SIZE, 0.0)


def _tissue(fat=0.0, seed=0, index=0, **doses):
    drawn = Doses.off(**{name: Range(dose, dose) for name, dose in doses.items()}).draw(seed, index)
    return Tissue(drawn, fat, np.zeros((40, 20), np.int64), (0.5, 0.5), seed, index)


def _images(courses, **tissue):
    tissue = _tissue(**tissue)
    motion = Motion(np.ones((1, 1, 40, 20)), np.atleast_2d(courses), (0.5, 0.5), tissue)
    echoes = draw_echoes(_scanner(), motion, tissue.seed, tissue.index)
    return echoes, np.concatenate(list(iq_blocks(echoes, 10)))


def test_reverberation_fades_with_depth_and_comes_again_below_the_fat():
    depths = _scanner().depths
    plain = reverberation_profile(depths, _tissue(reverberation=0.4), BRIGHTNESS)
    np.testing.assert_allclose(plain, 0.4 * np.exp(-depths / FADING), rtol=1e-12)
    assert plain[np.abs(depths - 10).argmin()] == pytest.approx(0.4 / math.e, rel=0.02)
    tissue = _tissue(5.0, reverberation=0.4, aponeurosis=0.5)
    bands = reverberation_profile(depths, tissue, BRIGHTNESS) / plain
    for number in REPEATS:
        row = np.abs(depths - 5 * number).argmin()
        assert bands[row] == pytest.approx(1 + BRIGHTNESS * 0.5, rel=0.03)
    far = np.all([np.abs(depths - 5 * number) > 5 * WALL for number in REPEATS], axis=0)
    np.testing.assert_allclose(bands[far], 1, atol=1e-4)


def test_reverberation_has_the_power_of_its_profile():
    profile = np.linspace(1.0, 0.2, 100)
    power = np.mean([np.abs(reverberation(profile, 400, 3, index)) ** 2 for index in range(5)], 0)
    # 2000 exponential numbers a row tell their mean to 2.2 %.
    np.testing.assert_allclose(power.mean(axis=1), profile**2, rtol=5 / math.sqrt(2000))
    again = reverberation(2 * profile, 400, 3, 0)
    np.testing.assert_allclose(again, 2 * reverberation(profile, 400, 3, 0), rtol=1e-12)
    assert not np.array_equal(again, reverberation(2 * profile, 400, 3, 1))


def test_a_still_image_is_what_the_scanner_makes_of_tissue_at_rest():
    echoes, images = _images(np.zeros(2))
    seen = echoes.scatterers[:2].sum(axis=2, dtype=np.float64)
    found = still_image(seen[0] + 1j * seen[1], echoes.axial, echoes.lateral)
    np.testing.assert_allclose(found, images[0], atol=2e-5)


def test_clutter_lies_still_over_the_moving_image():
    courses = np.linspace(0, 0.05, 6)
    _, clean = _images(courses)
    echoes, images = _images(courses, reverberation=0.5)
    assert echoes.clutter is not None
    np.testing.assert_allclose(images - clean, np.tile(echoes.clutter, (6, 1, 1)), atol=1e-6)
    assert _images(courses)[0].clutter is None


def test_clutter_lowers_velocity_by_its_share_of_the_power():
    # The autocorrelation's phase is that of |S|^2 e^(i phi) + |C|^2: crossed terms have no mean.
    step = 1.5 / RATE
    before, after, depths = [], [], _scanner().depths
    for index in range(12):
        for dose, kept in ((0.0, before), (1.5, after)):
            _, images = _images(np.array([0.0, step]), reverberation=dose, index=index)
            kept.append(images)
    rows = np.array_split(np.arange(8, 120), 4)
    for span in rows:
        clean, cluttered = (
            np.angle(sum((image[0].conj() * image[1])[span].sum() for image in images))
            for images in (before, after)
        )
        clutter = (1.5 * np.exp(-depths[span] / FADING)) ** 2
        # Some 5000 resolution cells in a span.
        assert cluttered / clean == pytest.approx(np.mean(1 / (1 + clutter)), abs=0.06)
    assert clutter.mean() < 0.2


def _explicit_power(bright_power, depths, beam, step, level):
    """The mean power of leaks, place by place."""
    power = np.zeros_like(bright_power)
    height, width = power.shape
    for row, column in zip(*np.nonzero(bright_power), strict=True):
        for other in range(width):
            aside = abs(other - column) * step[1]
            if aside <= beam[row]:
                continue
            slant = math.hypot(depths[row], aside)
            target = int((depths[row] + slant) / 2 / step[0])
            if target < height:
                weight = level * beam[row] / aside * depths[row] / slant
                power[target, other] += weight**2 * bright_power[row, column]
    return power


def test_side_lobes_leak_to_where_echoes_arrive_at_the_same_time():
    depths, step = (np.arange(60) + 0.5) * 0.2, (0.2, 0.3)
    beam = 0.3 + 0.02 * depths
    bright = np.zeros((60, 40))
    bright[15:20] = np.array([0.2, 0.8, 1.0, 0.8, 0.2])[:, None]
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        parts = random.standard_normal((2, *bright.shape)) / math.sqrt(2)
        leak = side_lobes(np.sqrt(bright) * (parts[0] + 1j * parts[1]), depths, beam, step, 0.2)
        found.append(np.abs(leak) ** 2)
    mean = np.mean(found, axis=0)
    expected = _explicit_power(bright, depths, beam, step, 0.2)
    assert (expected[:15] == 0).all()
    np.testing.assert_array_equal(mean == 0, expected == 0)
    rows = expected.sum(axis=1) > 0
    np.testing.assert_allclose(mean.sum(axis=1)[rows], expected.sum(axis=1)[rows], rtol=0.08)
    below = mean.mean(axis=1)
    assert below[21] > 4 * below[26] > 16 * below[33] > 0


def test_side_lobes_are_those_of_the_aponeurosis():
    doses = {"aponeurosis": 1.0, "side_lobes": 0.2}
    echoes, images = _images(np.zeros(2), fat=5.0, **doses)
    assert echoes.clutter is not None
    power = (np.abs(echoes.clutter) ** 2).mean(axis=1)
    depths = _scanner().depths
    assert power[depths < 3].max() < 1e-6
    just_below, far = (depths > 5.5) & (depths < 6.5), depths > 15
    assert power[just_below].mean() > 10 * power[far].mean()
    twice, _ = _images(np.zeros(2), fat=5.0, aponeurosis=1.0, side_lobes=0.4)
    np.testing.assert_allclose(twice.clutter, 2 * echoes.clutter, atol=1e-5)
    for less in ({"fat": 0.0, **doses}, {"fat": 5.0, "side_lobes": 0.2}):
        assert _images(np.zeros(2), **less)[0].clutter is None
    # The tissue itself is as it was.
    _, clean = _images(np.zeros(2), fat=5.0, aponeurosis=1.0)
    np.testing.assert_allclose(images - echoes.clutter, clean, atol=1e-6)
