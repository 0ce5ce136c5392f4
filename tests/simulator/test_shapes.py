import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.simulator.declarations import declarations
from musim.simulator.shapes import SHAPES, Shape


class Ring(Shape):
    def membership(self, parameters, edges, outline, covered, random):
        z, x = ((np.arange(n) + 0.5) * step for n, step in zip(covered.shape, parameters.pixel_size,
                                                               strict=True))  # fmt: skip
        hole = np.hypot(z[:, None] - outline[0], x - outline[1]) < outline[2] / 2
        return np.where(hole, np.float32(0), covered)


def test_a_shape_of_one_s_own_is_a_class_and_a_line(monkeypatch, refused):
    with refused("territory: found 'ring', wanted one of disc, ellipse"):
        Parameters(territory="ring")
    monkeypatch.setitem(SHAPES, "ring", Ring())
    parameters = Parameters(territory="ring", diameter=(8, 10), units=4, snr="inf", frames=40)
    assert declarations(Parameters)["territory"].placeholder == "disc|ellipse|fibres|ring"
    assert Parameters.from_json(parameters.to_json()) == parameters
    rings, discs = draw(parameters), draw(dataclasses.replace(parameters, territory="disc"))
    np.testing.assert_array_equal(rings.diameter, discs.diameter)
    # A quarter of the disc is the hole.
    shares = rings.territory.sum(axis=(1, 2)) / discs.territory.sum(axis=(1, 2))
    assert (rings.territory <= discs.territory).all()
    np.testing.assert_allclose(shares, 0.75, atol=0.08)
    moved = np.abs(render(rings)).max(axis=0) > 0
    np.testing.assert_array_equal(moved, rings.territory.any(axis=0))


def test_the_longest_of_a_shape_has_to_fit_into_the_muscle(monkeypatch, refused):
    class Long(Shape):
        def longest(self, parameters):
            return 5 * parameters.diameter.high

    monkeypatch.setitem(SHAPES, "long", Long())
    Parameters(territory="long", diameter=8)
    with refused("diameter: found a territory of up to 45 mm"):
        Parameters(territory="long", diameter=9)


def test_ellipses_alone_have_an_axis_ratio():
    assert [name for name, shape in SHAPES.items() if shape.has_axis_ratio] == ["ellipse"]


@pytest.mark.parametrize("name", SHAPES)
def test_no_territory_is_longer_than_its_shape_says(name):
    parameters = Parameters(territory=name, mask="soft", units=30)
    longest = SHAPES[name].longest(parameters)
    truth = draw(parameters)
    assert (truth.diameter * np.sqrt(truth.axis_ratio) <= longest * (1 + 1e-12)).all()
