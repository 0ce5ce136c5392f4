"""Fascicles' angle and length, against closed forms."""

import math

import numpy as np
import pytest

from musim.simulator.section.curves import Curve
from musim.simulator.section.fascicles import Fascicles, measure


def line(depth, degrees=0.0, bow=0.0):
    return Curve(depth, math.tan(math.radians(degrees)), bow, 25, 25)


def fascicles(feet, degrees=20.0, side=1, bow=0.0, height=18.0, downwards=False):
    return Fascicles(feet, math.radians(degrees), side, bow, height, downwards)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("tilt", [-8, 0, 5])
def test_straight_fascicles_between_parallel_lines(side, tilt):
    found = measure(fascicles(line(25, tilt), side=side), line(7, tilt))
    across = 18 * math.cos(math.radians(tilt))
    assert math.degrees(found.pennation) == pytest.approx(20, abs=1e-9)
    assert found.length == pytest.approx(across / math.sin(math.radians(20)), rel=1e-9)


def test_lines_that_open_make_fascicles_longer_by_the_law_of_sines():
    # The fascicle through the middle of the image: half of it in each of two triangles.
    found = measure(fascicles(line(25)), line(7, 4))
    down = 9 / math.sin(math.radians(20))
    # It rises to the right, where the upper line lies deeper.
    up = 9 * math.cos(math.radians(4)) / math.sin(math.radians(20 + 4))
    assert found.length == pytest.approx(down + up, rel=1e-9)


def test_bowed_fascicles_have_the_angle_of_their_chord_and_their_sagitta():
    own = fascicles(line(25), bow=0.04)
    found = measure(own, line(7))
    # Points of one number: its chord, and how far the middle is off it, across the number.
    q = np.array([0.0, 9, 18])
    p = q * (math.cos(own.angle) + 4 * 0.04 / 18 * q) / math.sin(own.angle)
    assert found.pennation == pytest.approx(math.atan2(18, p[2]), abs=1e-9)
    depth, width = own.place(p, q)
    assert np.ptp(own.coordinates(depth, width)[0]) == pytest.approx(0, abs=1e-12)
    off = (p[1] - p[::2].mean()) * math.sin(own.angle)
    assert abs(off) == pytest.approx(0.04 * 18)
    steps = np.linspace(0, 18, 20_001)
    arc = steps * (math.cos(own.angle) + 4 * 0.04 / 18 * steps) / math.sin(own.angle)
    assert found.length == pytest.approx(np.hypot(np.diff(arc), np.diff(steps)).sum(), rel=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_the_angle_is_between_straight_lines_where_aponeuroses_are_bent(slope):
    feet = Curve(25, slope, 2.0, 25, 25)
    found = measure(fascicles(feet), line(7))
    across = np.linspace(0, 50, 501)
    straight = math.atan(np.polyfit(across, feet.at(across), 1)[0])
    assert straight == pytest.approx(math.atan(slope), abs=1e-9)
    # A straight fascicle leaves the line at its angle, whatever is bent where it inserts.
    assert math.degrees(found.pennation) == pytest.approx(20)


def test_fascicles_downwards_are_the_mirror_image():
    up = measure(fascicles(line(20)), line(5))
    down = measure(fascicles(line(20), downwards=True), line(35))
    assert down.length == pytest.approx(up.length)
    assert down.pennation == pytest.approx(up.pennation)


def test_a_fascicle_that_leaves_the_image_for_good_has_no_length():
    found = measure(fascicles(line(25), degrees=2), line(7))
    assert math.isnan(found.length)
    assert math.degrees(found.pennation) == pytest.approx(2)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("downwards", [False, True])
def test_the_direction_is_that_along_which_the_number_stays(side, downwards):
    own = fascicles(line(25, 4), side=side, bow=0.03, downwards=downwards)
    z, x = np.array([14.0, 20, 30]), np.array([10.0, 25, 41])
    slope = own.tilt(z, x)
    ahead, behind = (own.coordinates(z + d * slope, x + d)[0] for d in (1e-5, -1e-5))
    assert (ahead - behind) / 2e-5 == pytest.approx(0, abs=1e-6)
    # Neighbours of numbers 1 apart are 1 mm apart, but for the bow.
    straight = fascicles(line(25, 4), side=side, downwards=downwards)
    tilt = straight.tilt(z, x)
    across = 1 / np.hypot(1, tilt)
    apart = straight.coordinates(z + across, x - tilt * across)[0] - straight.coordinates(z, x)[0]
    assert np.abs(apart) == pytest.approx(1)
