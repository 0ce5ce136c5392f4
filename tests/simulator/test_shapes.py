import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.simulator.declarations import declarations
from musim.simulator.shapes import BEND, CRESCENTS, GAP, SHAPES, SPLIT_ONES, Shape


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
    assert (
        declarations(Parameters)["territory"].placeholder
        == "disc|ellipse|crescent|split|mixed|fibres|ring"
    )
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


def test_ellipses_and_what_is_made_of_them_have_an_axis_ratio():
    of_ellipses = ["ellipse", "crescent", "split", "mixed"]
    assert [name for name, shape in SHAPES.items() if shape.has_axis_ratio] == of_ellipses


def _outlines(name, units=4000):
    parameters = Parameters(territory=name, units=30)
    discs = np.zeros((units, 5))
    discs[:, 2:4] = 3.0
    return SHAPES[name].outlines(parameters, discs, np.random.default_rng(0))


def test_crescents_are_bent_to_both_sides_and_splits_have_gaps():
    crescents, splits = _outlines("crescent"), _outlines("split")
    assert (crescents[:, 6] == 0).all()
    assert (splits[:, 5] == 0).all()
    for values, span in ((np.abs(crescents[:, 5]), BEND), (splits[:, 6], GAP)):
        assert span[0] <= values.min() < values.max() <= span[1]
        assert values.mean() == pytest.approx(np.mean(span), rel=0.02)
    assert (crescents[:, 5] > 0).mean() == pytest.approx(0.5, abs=0.04)
    for outlines in (crescents, splits):
        np.testing.assert_allclose(outlines[:, 2] * outlines[:, 3], 9)


def test_mixed_territories_are_what_was_seen():
    outlines = _outlines("mixed")
    bent, split = outlines[:, 5] != 0, outlines[:, 6] != 0
    # Of 4000, within 4 SD of a count.
    assert bent.mean() == pytest.approx(CRESCENTS, abs=0.032)
    assert split.mean() == pytest.approx(SPLIT_ONES, abs=0.02)
    assert not (bent & split).any()


@pytest.mark.parametrize("name", ["crescent", "split", "mixed"])
def test_the_truth_tells_centre_and_area_of_what_is_bent_and_split(name):
    parameters = Parameters(
        territory=name, mask="soft", units=20, diameter=(4, 6), pixels=(128, 128)
    )
    truth = draw(parameters, seed=3)
    whole = truth.visible_share > 0.999
    assert whole.sum() >= 5
    place = (np.arange(128) + 0.5) * 40 / 128
    for unit in np.flatnonzero(whole):
        shares = truth.territory[unit].astype(float)
        area = shares.sum() * (40 / 128) ** 2
        assert area == pytest.approx(np.pi * truth.diameter[unit] ** 2 / 4, rel=0.01)
        centre = shares.sum(axis=1) @ place, shares.sum(axis=0) @ place
        told = truth.centre_depth[unit], truth.centre_width[unit]
        np.testing.assert_allclose(np.array(centre) / shares.sum(), told, atol=0.02)


@pytest.mark.parametrize("name", SHAPES)
def test_no_territory_is_longer_than_its_shape_says(name):
    parameters = Parameters(territory=name, mask="soft", units=30)
    longest = SHAPES[name].longest(parameters)
    truth = draw(parameters)
    assert (truth.diameter * np.sqrt(truth.axis_ratio) <= longest * (1 + 1e-12)).all()
