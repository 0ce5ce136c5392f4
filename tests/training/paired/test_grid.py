"""Grids in images: found with their period where they are, in small images too."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.training.paired.grid import LIMIT, describe, grid_of, is_alarm, power_of
from musim.training.paired.levels import Levels, body_of


def smooth(shape, seed=1):
    """Return an image of 40 to 160 without any period, and a little noise."""
    random = np.random.default_rng(seed)
    image = gaussian_filter(random.normal(0, 1, shape), 3)
    return 100 + 30 * image / abs(image).max() + random.normal(0, 2, shape)


@pytest.mark.parametrize("shape", [(34, 40), (70, 35), (64, 64), (150, 90)])
@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_is_found_with_its_period(shape, period):
    image = smooth(shape)
    assert grid_of(image).strength < LIMIT
    z, x = np.indices(shape)
    grid = np.cos(2 * np.pi / period * z) * np.cos(2 * np.pi / period * x)
    found = grid_of(image * (1 + 0.08 * grid))
    assert found.strength > LIMIT
    assert found.period == (period, period)


def test_stripes_of_eight_pixels_are_told_in_large_images_alone():
    stripes = 6 * np.cos(np.pi / 4 * np.arange(64))[:, None]
    assert grid_of(smooth((64, 64)) + stripes).period == (8, math.inf)
    assert 8 not in grid_of(smooth((60, 60)) + stripes[:60]).period


def test_too_small_images_have_no_answer():
    assert math.isnan(grid_of(smooth((31, 90))).strength)
    assert not math.isnan(grid_of(smooth((32, 90))).strength)
    assert "below 32 px none is looked for" in describe()


def test_an_alarm_is_more_than_any_actual_slice_has():
    assert not is_alarm(LIMIT, math.nan)
    assert is_alarm(LIMIT + 1, math.nan)
    # As calibrated: python -m benchmarks.slice_grids.
    assert (is_alarm(11.9, math.nan), is_alarm(12.1, math.nan)) == (False, True)
    assert not is_alarm(LIMIT + 1, LIMIT + 2)
    assert not is_alarm(math.nan, 0)


def test_the_spectrum_of_a_wave_is_two_points():
    wave = np.cos(2 * np.pi / 8 * np.arange(64))[:, None] * np.ones(48) + 7
    power = power_of(wave)
    assert np.unravel_index(power.argmax(), power.shape)[1] == 24
    assert abs(np.unravel_index(power.argmax(), power.shape)[0] - 32) == 8
    assert power[32, 24] < 1e-6 * power.max()


def test_levels_are_one_map_for_all_slices():
    levels = Levels(-100, 300)
    image = np.array([-200, -100, 101, 300, 500])
    assert levels.of(image) == pytest.approx([0, 0, 128.1375, 255, 255])
    assert levels.bins(image).tolist() == [0, 0, 128, 255, 255]
    first, second = np.array([[0, 30.0]]), np.array([[20.0, 0]])
    assert body_of(first, second, None).tolist() == [[False, True]]
    assert body_of(first, second, np.array([[3, 0]])).tolist() == [[True, False]]
