"""Aponeuroses and the thickness between them, against closed forms."""

import math

import numpy as np
import pytest

from musim.simulator.section.curves import CHORDS, Curve, between, chords, thickness


def line(depth, slope=0.0, bow=0.0):
    return Curve(depth, slope, bow, middle=25, half=25)


def test_parallel_lines_are_as_far_apart_as_their_depths():
    assert thickness(line(5), line(25)) == pytest.approx(20, rel=1e-12)


@pytest.mark.parametrize("degrees", [-12, 3, 20])
def test_tilted_lines_are_measured_across_not_down(degrees):
    slope = math.tan(math.radians(degrees))
    found = thickness(line(15, slope), line(25, slope))
    assert found == pytest.approx(10 * math.cos(math.radians(degrees)), rel=1e-12)


def test_lines_that_open_have_chords_in_arithmetic_progression():
    # About their bisector lines at +-a are 2 r tan(a) apart, at a distance r along it from where
    # they meet: here the width itself, 200 mm beyond the image.
    slope = math.tan(math.radians(2))
    upper, lower = (Curve(20 - side * 225 * slope, -side * slope, 0, 25, 25) for side in (1, -1))
    feet = (np.arange(CHORDS) + 0.5) / CHORDS * 50 + 200
    np.testing.assert_allclose(chords(upper, lower), 2 * feet * slope, rtol=1e-9)


def test_a_lens_is_thinner_at_the_sides():
    # Its centre line is straight: chords stand at 0.1, 0.3 ... of the width, so at 0.8, 0.4 and 0
    # of half the width off the middle, where the bow takes its square.
    lengths = chords(line(10, 0, -1), line(30, 0, 1))
    np.testing.assert_allclose(lengths, 20 - 2 * np.array([0.64, 0.16, 0, 0.16, 0.64]), rtol=1e-12)


def test_chords_are_perpendicular_to_the_centre_line_and_end_on_the_curves():
    upper, lower = line(8, 0.05, 1.5), line(28, -0.06, -0.8)
    centre = between(upper, lower)
    dense = np.linspace(0, 50, 5001)

    def chord(x):
        # The normal through the centre line meets a curve where what is beside it is least.
        for curve in (upper, lower):
            beside = (dense - x) + (curve.at(dense) - centre.at(x)) * centre.slope_at(x)
            place = np.interp(0, beside, dense)  # it rises
            yield float(place), float(curve.at(place))

    # The part of the centre line whose chords end within the image.
    inside = [x for x in dense[::5] if all(0 < place < 50 for place, _ in chord(x))]
    along = np.linspace(inside[0], inside[-1], 20_001)
    arc = np.concatenate([[0], np.cumsum(np.hypot(np.diff(along), np.diff(centre.at(along))))])
    for share, length in zip((0.1, 0.3, 0.5, 0.7, 0.9), chords(upper, lower), strict=True):
        ends = list(chord(np.interp(share * arc[-1], arc, along)))
        assert length == pytest.approx(math.dist(*ends), abs=3e-3)


def test_chords_end_within_the_image():
    # Tilted by 45 degrees, chords of 10 mm and more take as much of either end from the centre
    # line as half of them is wide.
    tilted = line(20, 1.0), line(20 + 10 * math.sqrt(2), 1.0)
    assert thickness(*tilted) == pytest.approx(10, rel=1e-9)
    opening = chords(line(20, 1.0), line(50, 1.02))
    whole = chords(Curve(20, 1.0, 0, 25, 100), Curve(50, 1.02, 0, 25, 100))
    lost = 21.1 * math.sqrt(0.5)
    wanted = (50 - lost) / (200 - lost)
    assert np.ptp(opening) / np.ptp(whole) == pytest.approx(wanted, rel=0.02)


def test_a_curve_goes_on_straight_beyond_the_image():
    curve = line(10, 0.02, 2)
    assert curve.at(0.0) == pytest.approx(10 - 0.5 - 2)
    assert curve.at(50.0) == pytest.approx(10 + 0.5 - 2)
    assert curve.at(25.0) == 10
    step = np.array([50.0, 60, 70])
    assert np.diff(curve.at(step)) == pytest.approx(10 * curve.slope_at(50.0))
    rises = (curve.at(30.001) - curve.at(29.999)) / 0.002
    assert rises == pytest.approx(curve.slope_at(30.0), abs=1e-9)
