import dataclasses
import math

import numpy as np
import pytest

from musim.simulator import InputError
from musim.simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe

PROBE = Probe(elements=64, pitch=0.3, element_width=0.25)
ACQUISITION = Acquisition(
    probe=PROBE, waves=PlaneWaves(), sampling_frequency=20e6, centre_frequency=5e6, sound_speed=1500
)


def test_elements_lie_symmetrically_at_their_pitch():
    np.testing.assert_allclose(Probe(4, 0.2, 0.1).positions, [-0.3, -0.1, 0.1, 0.3])
    np.testing.assert_allclose(Probe(3, 0.2, 0.2).positions, [-0.2, 0.0, 0.2])


def test_the_wavelength_is_that_of_the_centre_frequency():
    assert ACQUISITION.wavelength == pytest.approx(0.3)


@pytest.mark.parametrize("angle", [-0.3, 0.0, 0.2])
def test_delays_make_the_wave_that_delay_and_sum_expects(angle):
    # Huygens' principle: what arrives first of the elements' own waves is the plane wave's front.
    delays = PlaneWaves((0.1, angle)).delays(PROBE, 1500)[1]
    assert delays.min() == 0
    for depth, width in ((5.0, -1.0), (10.0, 0.5), (12.0, 2.0)):
        arrivals = delays + np.hypot(depth, width - PROBE.positions) / 1.5e6
        travelled = depth * math.cos(angle) + width * math.sin(angle)
        before = abs(math.sin(angle)) * PROBE.positions[-1]
        exact = (travelled + before) / 1.5e6
        # Elements are a pitch apart, so none may stand just where the front comes from.
        assert exact - 1e-12 <= arrivals.min() < exact + 0.15**2 / (2 * depth) / 1.5e6


def test_a_grid_has_its_pixels_centres_inside_the_rectangle():
    grid = PixelGrid.spanning((2, 4), (-3, 3), (4, 3))
    np.testing.assert_allclose(grid.depth, [2.25, 2.75, 3.25, 3.75])
    np.testing.assert_allclose(grid.width, [-2, 0, 2])


def test_a_grid_holds_its_own_axes():
    depth = np.array([1.0, 2.0])
    grid = PixelGrid(depth, [0])
    depth[0] = 9
    assert grid.depth.tolist() == [1, 2]
    assert grid.width.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        grid.depth[0] = 9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Probe(0, 0.3, 0.2), "elements: found 0, wanted 1"),
        (lambda: Probe(8, 0.0, 0.2), "pitch: found 0 mm"),
        (lambda: Probe(8, math.inf, 0.2), "pitch: found inf mm"),
        (lambda: Probe(8, 0.3, -0.2), "element width: found -0.2 mm"),
        (lambda: Probe(8, 0.3, 0.4), "element width: found 0.4 mm, wanted at most the pitch, 0.3"),
        (lambda: PlaneWaves(()), "angles: found none"),
        (lambda: PlaneWaves((0.0, 10.0)), "angle: found 10 rad.*not degrees"),
        (lambda: PlaneWaves((math.nan,)), "angle: found nan rad"),
        (lambda: PixelGrid([], [0]), r"depth: found shape \(0,\)"),
        (lambda: PixelGrid([1], [[0]]), r"width: found shape \(1, 1\)"),
        (lambda: PixelGrid([2, 1], [0]), "depth: found values that do not rise"),
        (lambda: PixelGrid([1], [0, 0]), "width: found values that do not rise"),
        (lambda: PixelGrid([1, math.inf], [0]), "depth: found values that do not rise"),
        (lambda: PixelGrid([-0.1, 1], [0]), "depth: found -0.1 mm, behind the probe"),
        (lambda: PixelGrid.spanning((1, 2), (0, 1), (0, 3)), r"pixels: found \(0, 3\)"),
        (
            lambda: PixelGrid.spanning((2, 1), (0, 1), (4, 3)),
            "depth: found values that do not rise",
        ),
    ],
)
def test_what_makes_no_geometry_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sampling_frequency", 0, "sampling frequency: found 0 Hz"),
        ("centre_frequency", math.nan, "centre frequency: found nan Hz"),
        ("sound_speed", -1540, "sound speed: found -1540 m/s"),
        ("first_sample_time", math.inf, "time of the first sample: found inf s"),
        ("first_sample_time", (0.0, math.nan), "time of the first sample: found 2 for 1 waves"),
        ("first_sample_time", (math.nan,), "time of the first sample: found nan s"),
    ],
)
def test_what_makes_no_acquisition_is_refused(name, value, message, refused):
    with refused(message):
        dataclasses.replace(ACQUISITION, **{name: value})
