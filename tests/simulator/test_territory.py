import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from musim.simulator import Parameters, Range
from musim.simulator.seeds import Stream, generator
from musim.simulator.shapes import SHAPES
from musim.simulator.territory import (
    _draw_outlines,
    _muscle_edges,
    boxes_of,
    draw_territories,
    fat_thickness,
    overlap_of,
)
from musim.simulator.territory_kernels import SUBSAMPLES, cover, cover_bent

EVERYWHERE = np.array([-1e9, 1e9, -1e9, 1e9])
COARSE = Parameters(pixels=(16, 16), units=Range(20, 20))


def _cover(outlines, shape, pixel_size, muscle=EVERYWHERE, hard=False):
    """Return the kernel's memberships and areas."""
    outlines = np.atleast_2d(np.array(outlines, float))
    membership = np.zeros((len(outlines), *shape), np.float32)
    area = np.zeros(len(outlines))
    cover(outlines, np.array(pixel_size, float), np.array(muscle, float), hard, membership, area)
    return membership, area


def _inside(outline, z, x, muscle=EVERYWHERE):
    """Whether points lie in an ellipse and in the muscle: by the foci, not as the kernel does."""
    cz, cx, a, b, angle = outline
    if b > a:
        a, b, angle = b, a, angle + math.pi / 2
    focus = math.sqrt(a * a - b * b) * np.array([math.cos(angle), math.sin(angle)])
    way = np.hypot(z - cz - focus[0], x - cx - focus[1]) + np.hypot(
        z - cz + focus[0], x - cx + focus[1]
    )
    return (
        (way <= 2 * a)
        & (z >= muscle[0]) & (z <= muscle[1])
        & (x >= muscle[2]) & (x <= muscle[3])
    )  # fmt: skip


def _points(shape, pixel_size, samples):
    """Return depth and width of samples x samples points in each pixel, as (z, 1) and (1, x)."""
    z = (np.arange(shape[0] * samples) + 0.5) / samples * pixel_size[0]
    x = (np.arange(shape[1] * samples) + 0.5) / samples * pixel_size[1]
    return z[:, None], x[None]


def _shares(outline, shape, pixel_size, muscle, samples):
    """Return each pixel's share of points inside."""
    points = _inside(outline, *_points(shape, pixel_size, samples), muscle)
    return points.reshape(shape[0], samples, shape[1], samples).mean(axis=(1, 3))


@st.composite
def scenes(draw):
    """Draw a grid, a muscle and an outline, anywhere about the image."""
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    pixel_size = draw(st.tuples(st.floats(0.2, 3), st.floats(0.2, 3)))
    size = shape[0] * pixel_size[0], shape[1] * pixel_size[1]
    centre = [draw(st.floats(-0.3, 1.3)) * length for length in size]
    axes = [draw(st.floats(0.05, 5)), draw(st.floats(0.05, 5))]
    edges = [draw(st.floats(-0.5, 0.4)), draw(st.floats(0.6, 1.5))]
    muscle = [edge * length for length in size for edge in edges]
    return shape, pixel_size, np.array(muscle), [*centre, *axes, draw(st.floats(0, math.pi))]


@given(scenes())
def test_hard_masks_hold_the_pixels_whose_centres_lie_inside(scene):
    shape, pixel_size, muscle, outline = scene
    membership, _ = _cover(outline, shape, pixel_size, muscle, hard=True)
    z, x = _points(shape, pixel_size, 1)
    # Centres within rounding of the outline or of the muscle's edge may fall either way.
    closer = np.array([1e-9, -1e-9, 1e-9, -1e-9])
    smaller, larger = (
        [*outline[:2], *(axis * scale for axis in outline[2:4]), outline[4]]
        for scale in (1 - 1e-9, 1 + 1e-9)
    )
    assert (membership[0] >= _inside(smaller, z, x, muscle + closer)).all()
    assert (membership[0] <= _inside(larger, z, x, muscle - closer)).all()


@given(scenes())
def test_soft_masks_are_shares_of_sampled_points(scene):
    shape, pixel_size, muscle, outline = scene
    membership, _ = _cover(outline, shape, pixel_size, muscle)
    expected = _shares(outline, shape, pixel_size, muscle, SUBSAMPLES)
    # A point on the outline may fall either way, and be one of few.
    np.testing.assert_allclose(membership[0], expected, atol=2.01 / SUBSAMPLES**2)
    assert np.abs(membership[0] - expected).sum() <= 4.01 / SUBSAMPLES**2


@given(scenes())
def test_soft_masks_are_close_to_the_true_shares(scene):
    shape, pixel_size, muscle, outline = scene
    membership, _ = _cover(outline, shape, pixel_size, muscle)
    expected = _shares(outline, shape, pixel_size, muscle, 64)
    np.testing.assert_allclose(membership[0], expected, atol=0.14)


@given(scenes(), st.booleans())
def test_the_visible_area_is_the_sampled_area(scene, hard):
    shape, pixel_size, muscle, outline = scene
    _, area = _cover(outline, shape, pixel_size, muscle, hard)
    expected = _shares(outline, shape, pixel_size, muscle, 64).sum() * math.prod(pixel_size)
    perimeter = 2 * math.pi * max(outline[2:4]) / min(pixel_size) + 2 * sum(shape)
    assert area[0] == pytest.approx(expected, abs=0.03 * perimeter * math.prod(pixel_size))


def test_hard_and_soft_masks_report_the_same_area():
    random = np.random.default_rng(0)
    outlines = np.column_stack([random.random((50, 2)) * 10, random.random((50, 3)) * 3 + 0.1])
    hard, soft = (_cover(outlines, (10, 10), (1, 1), hard=hard)[1] for hard in (True, False))
    np.testing.assert_array_equal(hard, soft)


@pytest.mark.parametrize("axes", [(8.0, 8.0), (16.0, 4.0), (4.0, 16.0)])
@pytest.mark.parametrize("hard", [True, False])
def test_an_ellipse_has_the_area_of_its_disc(axes, hard):
    membership, area = _cover([20, 20, *axes, 0.7], (400, 400), (0.1, 0.1), hard=hard)
    assert area[0] == pytest.approx(math.pi * 64, rel=1e-12)
    assert membership.sum() * 0.01 == pytest.approx(math.pi * 64, rel=1e-3)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize(
    ("centre", "share"), [((10, 10), 1.0), ((0, 10), 0.5), ((10, 20), 0.5), ((20, 0), 0.25)]
)
def test_the_visible_share_is_that_inside_the_image(centre, share, hard):
    _, area = _cover([*centre, 6, 6, 0], (64, 64), (20 / 64, 20 / 64), hard=hard)
    assert area[0] / (math.pi * 36) == pytest.approx(share, abs=0.005)


def test_the_visible_share_is_that_inside_the_muscle():
    _, area = _cover([10, 10, 6, 6, 0], (64, 64), (20 / 64, 20 / 64), [10, 20, 0, 20])
    assert area[0] / (math.pi * 36) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mask", ["hard", "soft"])
def test_territories_have_the_drawn_kind_size_and_type(shape, mask):
    parameters = dataclasses.replace(COARSE, territory=shape, mask=mask, fibre_density=50.0)
    drawn = draw_territories(parameters, 20, 0, 0)
    assert drawn.membership.shape == (20, 16, 16)
    assert drawn.membership.dtype == np.float32
    assert drawn.membership.any(axis=(1, 2)).all()
    assert 0 <= drawn.membership.min() <= drawn.membership.max() <= 1
    assert np.isin(drawn.membership, (0, 1)).all() == (mask == "hard")
    assert ((drawn.diameter >= 2.5) & (drawn.diameter <= 10)).all()
    assert ((drawn.visible_share > 0) & (drawn.visible_share <= 1)).all()
    if SHAPES[shape].has_axis_ratio:
        assert ((drawn.axis_ratio >= 1) & (drawn.axis_ratio <= 2.4)).all()
        assert np.ptp(drawn.axis_ratio) > 0.5
        assert ((drawn.orientation >= 0) & (drawn.orientation < math.pi)).all()
        assert np.ptp(drawn.orientation) > 1
    else:
        np.testing.assert_allclose(drawn.axis_ratio, 1)
        assert (drawn.orientation == 0).all()


def test_masks_are_those_of_the_reported_outlines():
    parameters = dataclasses.replace(COARSE, territory="ellipse")
    drawn = draw_territories(parameters, 20, 3, 1)
    z, x = _points((16, 16), (2.5, 2.5), 1)
    for unit in range(20):
        long = drawn.diameter[unit] / 2 * math.sqrt(drawn.axis_ratio[unit])
        short = drawn.diameter[unit] / 2 / math.sqrt(drawn.axis_ratio[unit])
        outline = [drawn.centre_depth[unit], drawn.centre_width[unit], long, short]
        expected = _inside([*outline, drawn.orientation[unit]], z, x)
        np.testing.assert_array_equal(drawn.membership[unit], expected)


def _pieces(outline):
    """The polygons of what is bent and split, from points on the ellipse that are moved."""
    cz, cx, a, b, angle, bend, gap = outline
    for side in (1, -1):
        turn = np.linspace(-math.pi / 2, math.pi / 2, 401)
        u, v = np.cos(turn), np.sin(turn)
        # The cut itself is bent too, but has one place along: u = 0.
        along, across = side * a * (u + gap), b * (v + bend * (u * u - 0.25))
        z = cz + along * math.cos(angle) - across * math.sin(angle)
        x = cx + along * math.sin(angle) + across * math.cos(angle)
        yield Path(np.column_stack([z, x]))


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize(
    ("bend", "gap"), [(0.0, 0.0), (1.5, 0.0), (-0.9, 0.0), (0.0, 0.3), (1, 0.2)]
)
def test_what_is_bent_and_split_is_covered_as_its_outline_tells(bend, gap, hard):
    shape, step = (30, 28), (0.5, 0.6)
    outline = np.array([[7.3, 8.1, 5.0, 2.4, 0.7, bend, gap]])
    membership, area = np.zeros((1, *shape), np.float32), np.zeros(1)
    muscle = np.array([4.0, 20.0, -1.0, 12.3])
    cover_bent(outline, np.array(step), muscle, hard, membership, area)
    samples = 1 if hard else SUBSAMPLES
    z, x = (axis.ravel() for axis in np.broadcast_arrays(*_points(shape, step, samples)))
    points = np.column_stack([z, x])
    inside = np.any([piece.contains_points(points) for piece in _pieces(outline[0])], axis=0)
    inside &= (z >= 4) & (x <= 12.3)
    shares = inside.reshape(shape[0], samples, shape[1], samples).mean(axis=(1, 3))
    if hard:
        assert (membership[0] != shares).sum() <= 1
    else:
        # A point on the outline may fall either way.
        np.testing.assert_allclose(membership[0], shares, atol=2.1 / SUBSAMPLES**2)
        assert area[0] == pytest.approx(shares.sum() * 0.3, rel=0.005)
    everywhere = np.zeros((1, *shape), np.float32)
    cover_bent(outline, np.array(step), EVERYWHERE, hard, everywhere, area)
    assert area[0] == pytest.approx(math.pi * 5.0 * 2.4, rel=0.005)


def test_small_pixels_far_from_a_bent_outline_need_no_samples():
    shape, step = (150, 140), (0.1, 0.12)
    outline = np.array([[7.3, 8.1, 5.0, 2.4, 0.7, 1.5, 0.2]])
    membership, area = np.zeros((1, *shape), np.float32), np.zeros(1)
    cover_bent(outline, np.array(step), EVERYWHERE, False, membership, area)
    z, x = (axis.ravel() for axis in np.broadcast_arrays(*_points(shape, step, 1)))
    points = np.column_stack([z, x])
    inside = np.any([piece.contains_points(points) for piece in _pieces(outline[0])], axis=0)
    assert ((membership[0] > 0.5).ravel() != inside).mean() < 0.002
    # Shares of parts are at the edges alone.
    assert ((membership > 0) & (membership < 1)).mean() < 0.05
    assert area[0] == pytest.approx(math.pi * 5.0 * 2.4, rel=0.001)


def test_an_ellipse_that_is_neither_bent_nor_split_is_one():
    random = np.random.default_rng(0)
    outlines = np.column_stack([
        random.uniform(0, 10, (30, 2)), random.uniform(0.3, 4, (30, 2)),
        random.uniform(0, math.pi, 30),
    ])  # fmt: skip
    muscle = np.array([1.0, 9.0, -1.0, 20.0])
    for hard in (True, False):
        expected, area = _cover(outlines, (20, 20), (0.5, 0.5), muscle, hard)
        found, bent_area = np.zeros_like(expected), np.zeros_like(area)
        bent = np.column_stack([outlines, np.zeros((30, 2))])
        cover_bent(bent, np.array([0.5, 0.5]), muscle, hard, found, bent_area)
        np.testing.assert_allclose(found, expected, atol=1 / 64 + 1e-6)
        np.testing.assert_allclose(bent_area, area, rtol=0.03)


def test_the_orientation_is_that_of_the_long_axis_to_the_depth_axis():
    membership, _ = _cover([20, 20, 12, 4, 0.5], (200, 200), (0.2, 0.2))
    z, x = _points((200, 200), (0.2, 0.2), 1)
    z, x = z - 20, x - 20
    zz, xx, zx = ((membership[0] * product).sum() for product in (z * z, x * x, z * x))
    angle = 0.5 * math.atan2(2 * zx, zz - xx)
    assert angle == pytest.approx(0.5, abs=1e-3)


def test_units_that_no_pixel_shows_are_drawn_again():
    parameters = dataclasses.replace(COARSE, muscle=(120.0, 120.0), units=Range(200, 200))
    edges = _muscle_edges(parameters, 0.0)
    first = _draw_outlines(parameters, edges, generator(0, 0, Stream.TERRITORY), 200)
    shown = np.array([_cover(o, (16, 16), (2.5, 2.5), hard=True)[0].any() for o in first])
    assert 0 < shown.sum() < 100
    drawn = draw_territories(parameters, 200, 0, 0)
    assert drawn.membership.any(axis=(1, 2)).all()
    kept = np.column_stack([drawn.centre_depth, drawn.centre_width, drawn.diameter / 2])
    np.testing.assert_allclose(kept[shown], first[shown, :3])
    outside = (drawn.centre_depth < 0) | (drawn.centre_width > 40)
    assert outside.any()
    assert (drawn.visible_share[outside] < 0.6).all()


def test_units_that_can_never_show_are_an_input_error(refused):
    parameters = Parameters(pixels=(2, 2), diameter=Range(0.01, 0.01), units=Range(2, 2))
    with refused("found none ", " wanted 2; use smaller pixels"):
        draw_territories(parameters, 2, 0, 0)


@pytest.mark.parametrize("shape", ["disc", "ellipse", "fibres"])
@pytest.mark.parametrize("mask", ["hard", "soft"])
def test_territories_end_at_the_edge_of_a_muscle_smaller_than_the_image(shape, mask):
    parameters = Parameters(
        pixels=(40, 40), muscle=(20.0, 26.0), territory=shape, mask=mask, fibre_density=50.0
    )
    drawn = draw_territories(parameters, 50, 0, 0)
    outside = np.ones((40, 40), bool)
    outside[10:30, 7:33] = False
    assert not drawn.membership[:, outside].any()
    assert drawn.membership[:, 10].any()
    assert drawn.membership[:, :, 32].any()
    assert drawn.centre_depth.min() > 10
    assert drawn.centre_depth.max() < 30
    assert drawn.centre_width.min() > 7
    assert drawn.centre_width.max() < 33
    assert (drawn.visible_share < 1).any()
    assert (drawn.visible_share > 0.2).all()


@pytest.mark.parametrize("shape", ["disc", "ellipse", "fibres"])
@pytest.mark.parametrize("mask", ["hard", "soft"])
def test_units_lie_below_skin_and_fat(shape, mask):
    parameters = Parameters(
        pixels=(40, 40), fat=Range(6, 6), territory=shape, mask=mask, fibre_density=50.0
    )
    drawn = draw_territories(parameters, 50, 0, 0)
    assert not drawn.membership[:, :6].any()
    assert drawn.membership[:, 6].any()
    assert drawn.membership[:, -1].any()
    assert drawn.centre_depth.min() > 6
    # Uniform below: the mean of 50 lies within 4 of its SD of the middle.
    assert drawn.centre_depth.mean() == pytest.approx(23, abs=4 * 34 / math.sqrt(12 * 50))
    assert (drawn.visible_share < 1).any()


def test_fat_is_drawn_anew_for_each_sequence():
    parameters = dataclasses.replace(COARSE, fat=Range(3, 8))
    thickness = np.array([fat_thickness(parameters, 0, index) for index in range(200)])
    assert thickness.min() >= 3
    assert thickness.max() <= 8
    assert abs(thickness.mean() - 5.5) < 5 * 5 / math.sqrt(12 * 200)
    assert fat_thickness(parameters, 0, 7) == thickness[7]
    assert fat_thickness(parameters, 1, 7) != thickness[7]
    for index in range(5):
        drawn = draw_territories(parameters, 5, 0, index)
        assert drawn.centre_depth.min() > thickness[index]


def test_without_fat_territories_are_what_they_were():
    # The edges are the muscle's own, and what is drawn from them is as before.
    assert fat_thickness(COARSE, 0, 0) == 0
    np.testing.assert_array_equal(_muscle_edges(COARSE, 0.0), [0, 40, 0, 40])
    wide = dataclasses.replace(COARSE, muscle=(60.0, 50.0))
    np.testing.assert_array_equal(_muscle_edges(wide, 0.0)[1:], [50, -5, 45])
    small = dataclasses.replace(COARSE, muscle=(20.0, 20.0))
    np.testing.assert_array_equal(_muscle_edges(small, 5.0), [10, 30, 10, 30])
    np.testing.assert_array_equal(_muscle_edges(small, 12.0), [12, 30, 10, 30])


def test_fat_moves_depths_alone():
    thin, thick = (
        draw_territories(dataclasses.replace(COARSE, fat=Range(fat, fat)), 20, 0, 0)
        for fat in (0.0, 8.0)
    )
    np.testing.assert_array_equal(thick.centre_width, thin.centre_width)
    np.testing.assert_array_equal(thick.diameter, thin.diameter)
    np.testing.assert_allclose(thick.centre_depth, 8 + thin.centre_depth * 32 / 40)


def test_dense_fibres_fill_their_disc():
    parameters = Parameters(
        pixels=(80, 80), territory="fibres", mask="soft", fibre_density=900.0, fibre_smoothing=0.3
    )
    drawn = draw_territories(parameters, 10, 0, 0)
    z, x = _points((80, 80), (0.5, 0.5), 1)
    for unit in range(10):
        distance = np.hypot(z - drawn.centre_depth[unit], x - drawn.centre_width[unit])
        radius = drawn.diameter[unit] / 2
        assert (drawn.membership[unit][distance < radius - 1.2] > 0.8).all()
        assert (drawn.membership[unit][distance > radius + 2] == 0).all()
    # What the smoothing leaves far off is no fibre.
    assert drawn.membership[drawn.membership > 0].min() >= 0.001


def test_fibres_are_as_many_as_their_density_says():
    parameters = Parameters(
        pixels=(200, 200), territory="fibres", mask="soft", fibre_density=1.0,
        fibre_smoothing=0.0, diameter=Range(10, 10),
    )  # fmt: skip
    drawn = draw_territories(parameters, 40, 0, 0)
    # Unsmoothed, a pixel with a fibre is full; with 25 pixels a mm2, 2 % of fibres share one.
    fibres = drawn.membership.astype(bool).sum()
    mean = (drawn.visible_share * math.pi * 25).sum()
    assert abs(fibres - 0.98 * mean) < 5 * math.sqrt(mean)


def test_hard_fibre_masks_are_the_dense_half_of_the_soft_ones():
    hard, soft = (
        draw_territories(dataclasses.replace(COARSE, territory="fibres", mask=mask), 10, 0, 0)
        for mask in ("hard", "soft")
    )
    np.testing.assert_array_equal(hard.membership, soft.membership >= 0.5)


def test_a_change_of_fibres_leaves_the_outlines_alone():
    disc = draw_territories(COARSE, 10, 0, 0)
    fibres = draw_territories(dataclasses.replace(COARSE, territory="fibres"), 10, 0, 0)
    np.testing.assert_array_equal(disc.centre_depth, fibres.centre_depth)
    np.testing.assert_array_equal(disc.diameter, fibres.diameter)


def test_the_overlap_of_a_known_configuration():
    membership = np.zeros((4, 4, 6), np.float32)
    membership[0, :, :4] = 1
    membership[1, :, 3:] = 0.5
    membership[2, 0, 0] = 0.25
    np.testing.assert_allclose(overlap_of(membership), [5 / 16, 4 / 12, 1, 0])


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32))
def test_the_overlap_is_the_weight_in_shared_pixels(units, rows, columns, seed):
    random = np.random.default_rng(seed)
    membership = random.random((units, rows, columns), np.float32)
    membership[random.random(membership.shape) < 0.6] = 0
    shared = (membership > 0).sum(axis=0) > 1
    total = membership.sum(axis=(1, 2), dtype=float)
    weight = (membership * shared).sum(axis=(1, 2), dtype=float)
    expected = np.divide(weight, total, out=np.zeros(units), where=total > 0)
    np.testing.assert_allclose(overlap_of(membership), expected, rtol=1e-6)


@given(st.integers(0, 4), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_boxes_hold_all_of_a_unit_and_no_more(units, rows, columns, seed):
    random = np.random.default_rng(seed)
    membership = random.random((units, rows, columns), np.float32)
    membership[random.random(membership.shape) < 0.9] = random.choice([0.0, -0.0])
    boxes = boxes_of(membership)
    assert boxes.shape == (units, 4)
    for territory, box in zip(membership, boxes, strict=True):
        places = np.nonzero(territory)
        ends = [(axis.min(), axis.max() + 1) if axis.size else (0, 0) for axis in places]
        assert box.tolist() == [*ends[0], *ends[1]]


@given(st.floats(-3, 12), st.floats(-3, 12), st.floats(0.3, 6), st.booleans(), st.integers(0, 99))
def test_discs_are_ellipses_of_any_angle(z, x, radius, hard, seed):
    # Upright outlines have samples of their own; an angle that no sample sees takes the other way.
    muscle = np.random.default_rng(seed).uniform([-1, 6, -1, 6], [4, 12, 4, 12])
    upright, turned = [z, x, radius, radius, 0.0], [z, x, radius, radius, 1e-300]
    for one, other in zip(
        _cover(upright, (11, 9), (0.9, 1.1), muscle, hard),
        _cover(turned, (11, 9), (0.9, 1.1), muscle, hard),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
