import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import KDTree

from musim.simulator import Range
from musim.simulator.experiment.axial import axial_fields
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.tissue import (
    SHEET,
    WALL,
    Tissue,
    displacement_of,
    draw_fascicles,
    fascicle_gains,
    fascicled,
    layered,
    spread,
    unit_fields,
    wave_delays,
)

SHAPE, STEP = (120, 100), (0.3, 0.3)
EXTENT = SHAPE[0] * STEP[0], SHAPE[1] * STEP[1]


def _tissue(shape=SHAPE, step=STEP, fat=0.0, seed=1, index=0, **doses):
    """A subject whose doses are 0 but for those given."""
    drawn = Doses.off(**{name: Range(value, value) for name, value in doses.items()})
    values = drawn.draw(seed, index)
    fascicles = draw_fascicles(shape, step, values["fascicle_size"], seed, index)
    return Tissue(values, fat, fascicles, step, seed, index)


def _places(shape=SHAPE, step=STEP):
    return np.meshgrid(
        *((np.arange(n) + 0.5) * pixel for n, pixel in zip(shape, step, strict=True)),
        indexing="ij",
    )


def _disc(radius=4.0, centre=None, shape=SHAPE, step=STEP):
    z, x = _places(shape, step)
    centre = centre or (shape[0] * step[0] / 2, shape[1] * step[1] / 2)
    return (np.hypot(z - centre[0], x - centre[1]) <= radius).astype(np.float32)


DISC = _disc()


def test_without_doses_a_unit_moves_its_territory_alone():
    fields = unit_fields(_tissue(), DISC, 0)
    assert fields.shape == (1, 2, *SHAPE)
    np.testing.assert_array_equal(fields[0, 0], DISC)
    np.testing.assert_array_equal(fields[0, 1], 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("spread", 1.5), ("incompressibility", 1.0), ("wave", 1.0), ("fascicle", 0.4),
     ("layer", 0.8), ("aponeurosis", 0.5)],
)  # fmt: skip
def test_each_effect_changes_the_field(name, value):
    cut = _disc(4.0, (6.0, 15.0))
    off, on = (unit_fields(_tissue(fat=5.0, **doses), cut, 0) for doses in ({}, {name: value}))
    assert off.shape != on.shape or np.abs(off[0] - on[0]).max() > 0.01


@pytest.mark.parametrize("waves", [(3, 2), (0, 5), (7, 0)])
@pytest.mark.parametrize("length", [0.4, 1.5])
def test_a_wave_spreads_by_its_number(waves, length):
    # Cosines that end even at both borders are what the mirrored grid holds.
    z, x = _places()
    kz, kx = (math.pi * n / extent for n, extent in zip(waves, EXTENT, strict=True))
    wave = np.cos(kz * z) * np.cos(kx * x)
    expected = wave / (1 + (kz**2 + kx**2) * length**2)
    np.testing.assert_allclose(spread(wave, STEP, length), expected, rtol=0, atol=1e-12)


def test_spreading_keeps_the_sum_and_nothing_is_lost_at_the_edge():
    cut = _disc(5.0, (0.0, 30.0)).astype(np.float64)
    found = spread(cut, STEP, 2.0)
    assert found.sum() == pytest.approx(cut.sum(), rel=1e-12)
    np.testing.assert_array_equal(spread(cut, STEP, 0.0), cut)


def test_an_edge_falls_off_by_its_length():
    # Of a half plane 1/(1 + k^2 l^2) makes 1 - exp(-d/l)/2 inside and exp(-d/l)/2 outside.
    shape, step = (400, 8), (0.05, 0.5)
    plane = np.zeros(shape)
    plane[:200] = 1
    z = (np.arange(400) + 0.5) * 0.05 - 10
    expected = np.where(z < 0, 1 - np.exp(z / 1.5) / 2, np.exp(-z / 1.5) / 2)
    near = np.abs(z) < 5
    found = spread(plane, step, 1.5)[near]
    np.testing.assert_allclose(found, expected[near, None].repeat(8, 1), atol=0.005)


def _divergence(fields):
    """Rate of volume in the inner points, axial counted downwards."""
    axial, lateral = fields
    along_z = -(axial[2:, 1:-1] - axial[:-2, 1:-1]) / (2 * STEP[0])
    along_x = (lateral[1:-1, 2:] - lateral[1:-1, :-2]) / (2 * STEP[1])
    return along_z + along_x


def test_tissue_that_keeps_its_volume_has_little_divergence():
    smooth = spread(DISC.astype(np.float64), STEP, 1.5)
    before, after = (
        _divergence(displacement_of(smooth, _tissue(incompressibility=share))) for share in (0, 1)
    )
    # What is left is that of differences on a grid against derivatives.
    assert after.std() < 0.03 * before.std()
    half = _divergence(displacement_of(smooth, _tissue(incompressibility=0.5)))
    assert half.std() == pytest.approx(before.std() / 2, rel=0.02)


def test_fields_with_all_of_the_tissue_s_doses_have_less_divergence_than_without_volume():
    doses = {"spread": 1.5, "wave": 1.0, "wave_damping": 0.7}
    free = unit_fields(_tissue(**doses), DISC, 0)
    kept = unit_fields(_tissue(incompressibility=1.0, **doses), DISC, 0)
    # Delays have kinks, at which differences on a grid are coarse.
    for whole, least, share in zip(kept, free, (0.05, 0.15, 0.15), strict=True):
        scale = np.abs(whole[0]).max() / np.abs(least[0]).max()
        assert _divergence(whole).std() < share * scale * _divergence(least).std()


def test_a_disc_that_keeps_its_volume_moves_half_and_its_sides_move_back():
    # The dipole: inside a / 2, outside a R^2 / 2 r^2 cos(2 angle), up above it and down beside it.
    shape, step, radius = (400, 400), (0.1, 0.1), 3.0
    disc = _disc(radius, shape=shape, step=step).astype(np.float64)
    tissue = _tissue(shape, step, incompressibility=1.0, fascicle_size=5)
    axial, lateral = displacement_of(disc, tissue)
    z, x = (axis - 20 for axis in _places(shape, step))
    distance, angle = np.hypot(z, x), np.arctan2(x, z)
    assert axial[distance < 2.5].mean() == pytest.approx(0.5, abs=0.02)
    ring = (distance > 4) & (distance < 8)
    expected = 0.5 * (radius / distance) ** 2 * np.cos(2 * angle)
    np.testing.assert_allclose(axial[ring], expected[ring], atol=0.03)
    across = -0.5 * (radius / distance) ** 2 * np.sin(2 * angle)
    np.testing.assert_allclose(lateral[ring], across[ring], atol=0.03)
    beside = axial[200, 245]
    assert beside < -0.1


def test_the_mean_over_a_territory_is_1_whatever_the_doses():
    doses = {"spread": 2.0, "incompressibility": 0.9, "wave": 1.0, "fascicle": 0.5}
    for territory in (DISC, _disc(1.0), _disc(4.0, (1.0, 2.0)), _disc(5.0, (36.0, 20.0))):
        fields = unit_fields(_tissue(**doses), territory, 3)
        assert fields[0, 0][territory > 0].mean() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("fat", [0.0, 15.0])
def test_a_soft_territory_moves_in_all_as_it_would_alone(fat):
    # Membership weighs what moves, and is how far it moves: without doses a unit's motion is its
    # territory itself, which a mean of 1 over a soft one would make larger than it is.
    soft = ndimage.gaussian_filter(DISC, 4)
    assert ((soft > 0.2) & (soft < 0.8)).sum() > 500
    np.testing.assert_array_equal(unit_fields(_tissue(), soft, 0)[0, 0], soft)
    tissue = _tissue(fat=fat, layer=0.8, spread=2.0, incompressibility=0.9, wave=1.0, fascicle=0.4)
    alone = soft * tissue.follows[:, None]
    moved = unit_fields(tissue, soft, 0)[0, 0]
    assert (moved * soft).sum() == pytest.approx((alone * soft).sum(), rel=1e-6)
    assert np.abs(moved - alone).max() > 0.1


def test_a_territory_that_can_hardly_move_is_not_blown_up():
    # A band across the image has nowhere to go: of its motion only half the mean is left.
    band = np.zeros(SHAPE, np.float32)
    band[60:63] = 1
    fields = unit_fields(_tissue(incompressibility=1.0), band, 0)
    np.testing.assert_allclose(fields[0, 0], 0.5 * 3 / 120, rtol=1e-6)


def test_a_delay_s_fields_are_its_powers():
    # d(t - tau) is d - tau d' + tau^2 / 2 d''.
    tissue = _tissue(spread=2.0, wave=1.0, wave_damping=0.0)
    motion, slope, curve = unit_fields(tissue, DISC, 0)[:, 0]
    delays = wave_delays(tissue, DISC)
    np.testing.assert_allclose(slope, -motion * delays, rtol=1e-12)
    np.testing.assert_allclose(curve, motion * delays**2 / 2, rtol=1e-12)
    assert curve.max() > 1e-8


def test_a_delay_is_distance_over_speed():
    tissue = _tissue(wave=1.0, wave_speed=3.0)
    delays = wave_delays(tissue, DISC)
    z, x = (axis - extent / 2 for axis, extent in zip(_places(), EXTENT, strict=True))
    distance = np.maximum(np.hypot(z, x) - 4.0, 0)
    np.testing.assert_array_equal(delays[DISC > 0], 0)
    np.testing.assert_allclose(delays, distance / 3000, atol=0.3 / 3000)
    twice = wave_delays(_tissue(wave=2.0, wave_speed=3.0), DISC)
    np.testing.assert_allclose(twice, 2 * delays, rtol=1e-12)
    assert wave_delays(_tissue(wave_speed=3.0), DISC) is None
    # A soft territory begins where membership is above a half, if it is so anywhere.
    soft = np.clip(5 - np.hypot(z, x), 0, 1).astype(np.float32)
    np.testing.assert_array_equal(wave_delays(tissue, soft) == 0, soft > 0.5)
    half = np.where(np.hypot(z, x) < 8, np.float32(0.5), DISC)
    np.testing.assert_array_equal(wave_delays(tissue, np.maximum(half, DISC)), delays)
    for less in (np.zeros_like(DISC), 0.5 * DISC):
        assert wave_delays(tissue, less) is None


def _twitch(time, contraction=0.08):
    x = np.maximum(time / contraction, 0)
    exponent = 4.0
    with np.errstate(divide="ignore", under="ignore"):
        return np.exp(exponent * (np.log(x) + 1 - x))


def _moves(fields, times, contraction=0.08):
    """The motion of each point, as (field, ...) and a twitch's derivatives make it."""
    step = times[1] - times[0]
    course = _twitch(times, contraction)
    first = np.gradient(course, step)
    courses = np.stack([course, first, np.gradient(first, step)])
    return np.tensordot(courses.T, fields[:, 0], 1)


def test_what_is_farther_away_peaks_later():
    tissue = _tissue(spread=2.0, wave=1.0, wave_speed=3.0, wave_damping=0.0)
    fields = unit_fields(tissue, DISC, 0)
    times = np.arange(0, 0.4, 1e-4)
    column = fields[:, :, :, 50:51]
    moved = _moves(column, times)[:, :, 0]
    peaks = times[moved.argmax(axis=0)]
    delays = wave_delays(tissue, DISC)[:, 50]
    near = (delays > 0) & (delays < 2e-3)
    assert near.sum() > 20
    assert peaks[near].max() > 0.0815
    # Less than a tenth of a millisecond off, at up to 6 mm.
    np.testing.assert_allclose(peaks[near] - 0.08, delays[near], atol=1e-4)


def test_the_expansion_in_the_delay_errs_by_its_third_order():
    times = np.arange(0.0, 0.5, 1e-4)
    third = np.abs(np.gradient(np.gradient(np.gradient(_twitch(times), 1e-4), 1e-4), 1e-4)).max()
    for delay in (1e-3, 2e-3, 4e-3):
        fields = np.array([1.0, -delay, delay**2 / 2])[:, None, None, None]
        error = np.abs(_moves(fields, times)[:, 0, 0] - _twitch(times - delay)).max()
        assert error < 1.1 * third * delay**3 / 6
    # Of a twitch, 0.4 % at 4 ms: 12 mm away.
    assert error < 0.004


def test_damping_smooths_by_a_share_of_the_delay():
    doses = {"spread": 2.0, "wave": 1.0, "wave_speed": 3.0}
    sharp, damped = (
        unit_fields(_tissue(wave_damping=value, **doses), DISC, 0) for value in (0.0, 0.7)
    )
    np.testing.assert_array_equal(sharp[:2], damped[:2])
    np.testing.assert_allclose(damped[2], 1.49 * sharp[2], rtol=1e-9, atol=1e-18)
    times = np.arange(0, 0.4, 1e-4)
    delay, sd = 3e-3, 2.1e-3
    one = np.array([1.0, -delay, (delay**2 + sd**2) / 2])[:, None, None, None]
    smooth = ndimage.gaussian_filter1d(_twitch(times - delay), sd / 1e-4)
    np.testing.assert_allclose(_moves(one, times)[:, 0, 0], smooth, atol=2e-3)


def test_without_a_delay_there_is_one_field():
    assert len(unit_fields(_tissue(spread=1.0, wave_damping=1.0), DISC, 0)) == 1
    assert len(unit_fields(_tissue(spread=1.0, wave=1.0), DISC, 0)) == 3


@given(st.floats(0.8, 3), st.integers(0, 2**32))
def test_every_point_belongs_to_the_nearest_seed(size, seed):
    # Cells of nearest points are convex: what lies between two points of one belongs to it too.
    cells = draw_fascicles((40, 40), (0.2, 0.2), size, seed, 0)
    random = np.random.default_rng(seed)
    for _ in range(20):
        cell = cells[tuple(random.integers(0, 40, 2))]
        rows, columns = np.nonzero(cells == cell)
        i, j = random.integers(0, len(rows), 2)
        middle = (rows[i] + rows[j]) / 2, (columns[i] + columns[j]) / 2
        if all(value == int(value) for value in middle):
            assert cells[int(middle[0]), int(middle[1])] == cell


@pytest.mark.parametrize("size", [1.0, 1.5, 2.0])
def test_fascicles_have_their_diameter(size):
    cells = draw_fascicles((400, 400), (0.1, 0.1), size, 3, 0)
    edge = np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])
    inner, counts = np.unique(cells[~np.isin(cells, edge)], return_counts=True)
    assert len(inner) > 200
    diameters = 2 * np.sqrt(counts * 0.01 / math.pi)
    assert np.sqrt(np.mean(diameters**2)) == pytest.approx(size, rel=0.03)
    # Neither a regular grid nor fragments.
    assert 0.05 < diameters.std() / diameters.mean() < 0.3


def test_fascicles_are_of_one_piece_and_of_one_subject():
    cells = draw_fascicles((100, 100), (0.2, 0.2), 1.5, 3, 0)
    for cell in np.unique(cells):
        assert ndimage.label(cells == cell, np.ones((3, 3)))[1] == 1
    np.testing.assert_array_equal(cells, draw_fascicles((100, 100), (0.2, 0.2), 1.5, 3, 0))
    assert (cells != draw_fascicles((100, 100), (0.2, 0.2), 1.5, 3, 1)).any()
    # The same subject's, whatever the grid.
    finer = draw_fascicles((300, 300), (0.2 / 3, 0.2 / 3), 1.5, 3, 0)
    np.testing.assert_array_equal(finer[1::3, 1::3], cells)


def test_gains_are_1_in_the_mean_and_half_the_fascicle_s_own():
    tissue = _tissue((300, 300), (0.2, 0.2), fascicle=0.4, fascicle_size=0.8)
    gains = np.log(np.stack([fascicle_gains(tissue, unit) for unit in range(12)]))
    assert gains.shape[1] > 4000
    assert np.exp(gains).mean() == pytest.approx(1, abs=0.02)
    assert gains.std() == pytest.approx(0.4, rel=0.03)
    alike = np.corrcoef(gains)[np.triu_indices(12, 1)]
    assert alike.mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(np.log(fascicle_gains(tissue, 5)), gains[5])


def test_motion_is_more_alike_inside_fascicles_than_across_their_walls():
    # Neighbouring points either share a fascicle or have a wall between them.
    smooth = spread(DISC.astype(np.float64), STEP, 2.0)
    jumps = []
    for dose in (0.0, 0.2, 0.5):
        tissue = _tissue(fascicle=dose, fascicle_size=1.5)
        field = fascicled(tissue, smooth, fascicle_gains(tissue, 0))
        same = tissue.fascicles[:, 1:] == tissue.fascicles[:, :-1]
        here = smooth[:, 1:] > 0.3
        apart = np.abs(np.diff(field, axis=1))
        jumps.append(apart[here & ~same].mean() / apart[here & same].mean())
    assert jumps[0] == pytest.approx(1, abs=0.1)
    assert jumps[1] > 1.5
    assert jumps[2] > 2 * jumps[1]
    full = _tissue(fascicle=1.0, fascicle_size=1.5)
    stiff = fascicled(full, smooth, fascicle_gains(full, 0))
    for cell in np.unique(full.fascicles)[::7]:
        assert np.ptp(stiff[full.fascicles == cell]) < 1e-12


def test_fascicles_keep_the_mean_of_motion_but_for_gains():
    tissue = _tissue(fascicle=0.7, fascicle_size=1.5)
    gains = np.ones(int(tissue.fascicles.max()) + 1)
    smooth = spread(DISC.astype(np.float64), STEP, 1.0)
    found = fascicled(tissue, smooth, gains)
    assert found.sum() == pytest.approx(smooth.sum(), rel=1e-12)


def test_skin_and_fat_move_little_and_muscle_as_it_did():
    tissue = _tissue(fat=6.0, layer=0.9)
    profile = layered(tissue, np.ones(SHAPE))
    assert np.ptp(profile, axis=1).max() == 0
    depths = (np.arange(SHAPE[0]) + 0.5) * STEP[0]
    expected = 1 - 0.9 * 0.5 * (1 - np.tanh((depths - 6.0) / WALL))
    np.testing.assert_allclose(profile[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(profile[depths < 4.5, 0], 0.1, atol=0.01)
    np.testing.assert_allclose(profile[depths > 7.5, 0], 1, atol=0.01)
    for other in (_tissue(fat=6.0), _tissue(fat=0.0, layer=0.9)):
        np.testing.assert_array_equal(layered(other, np.ones(SHAPE)), 1)


def test_the_muscle_s_border_moves_as_a_sheet():
    random = np.random.default_rng(2).standard_normal((2, *SHAPE))
    tissue = _tissue(fat=6.0, aponeurosis=1.0)
    found = layered(tissue, random)
    depths = tissue.depths
    row = int(np.abs(depths - 6.0).argmin())
    assert tissue.sheet[row] == pytest.approx(np.exp(-(((depths[row] - 6) / WALL) ** 2) / 2))
    assert found[:, row].std() < 0.5 * random[:, row].std()
    mean = random[0, row, 42:58].mean()
    width = int(SHEET / STEP[1])
    assert width == 16
    share = tissue.sheet[row]
    assert found[0, row, 50] == pytest.approx((1 - share) * random[0, row, 50] + share * mean)
    np.testing.assert_allclose(layered(tissue, np.ones(SHAPE)), 1, rtol=1e-12)  # to the edges
    far = np.abs(depths - 6.0) > 4 * WALL
    np.testing.assert_allclose(found[:, far], random[:, far], atol=2e-3)
    np.testing.assert_array_equal(layered(_tissue(fat=6.0), random), random)
    np.testing.assert_array_equal(layered(_tissue(aponeurosis=1.0), random), random)


def test_tissue_without_source_does_not_move():
    doses = {"spread": 1.0, "incompressibility": 1.0, "wave": 1.0, "fascicle": 0.4}
    fields = unit_fields(_tissue(**doses), np.zeros(SHAPE, np.float32), 0)
    np.testing.assert_array_equal(fields, 0)


@pytest.mark.parametrize("doses", [
    {}, {"spread": 1.5}, {"incompressibility": 0.8, "wave": 1.0, "wave_damping": 0.7},
    {"spread": 1, "incompressibility": 1, "fascicle": 0.5, "layer": 0.7, "aponeurosis": 0.6},
])  # fmt: skip
def test_axial_motion_by_cosines_is_that_by_waves(doses):
    tissue = _tissue(fat=4.0, **doses)
    two = np.maximum(np.roll(DISC, 25, axis=1), 0.8 * np.roll(DISC, -30, axis=0))
    territories = np.stack([DISC, np.zeros_like(DISC), 0.4 * DISC, two])
    for unit, found in enumerate(axial_fields(tissue, territories)):
        wanted = unit_fields(tissue, territories[unit], unit)[:, 0]
        np.testing.assert_allclose(found, wanted, atol=1e-12 * max(np.abs(wanted).max(), 1))


@pytest.mark.parametrize(("size", "seed"), [(0.8, 1), (1.7, 2), (6.0, 3)])
def test_each_place_belongs_to_its_nearest_point(size, seed):
    cells = draw_fascicles(SHAPE, STEP, size, seed, 0)
    z, x = _places()
    # A cell's own points are not given: but cells of nearest points are convex, and all are used.
    centres = np.array([[z[cells == c].mean(), x[cells == c].mean()] for c in np.unique(cells)])
    side = size * math.sqrt(math.pi / (2 * math.sqrt(3)))
    distance, _ = KDTree(centres).query(np.column_stack([z.ravel(), x.ravel()]))
    assert distance.max() < 1.3 * side
    for cell in np.unique(cells):
        rows, columns = np.nonzero(cells == cell)
        for row in np.unique(rows):
            inside = columns[rows == row]
            assert inside.max() - inside.min() + 1 == len(inside)


def test_the_nearest_of_shaken_points_is_found():
    from musim.simulator.experiment.tissue_kernels import nearest_points

    random = np.random.default_rng(4)
    height, side = math.sqrt(3) / 2 * 1.3, 1.3
    rows, columns = np.arange(-1, 12), np.arange(-1, 11)
    z, x = np.meshgrid(rows * height, columns * side, indexing="ij")
    points = np.stack([z, x + (rows[:, None] % 2) * side / 2], axis=-1)
    points += random.uniform(-0.35, 0.35, points.shape) * side
    depth, width = np.linspace(0.1, 11, 60), np.linspace(0.1, 12, 70)
    cells = np.empty((60, 70), np.int64)
    nearest_points(points, height, side, depth, width, cells)
    places = np.stack(np.meshgrid(depth, width, indexing="ij"), axis=-1)
    _, wanted = KDTree(points.reshape(-1, 2)).query(places.reshape(-1, 2))
    np.testing.assert_array_equal(cells.ravel(), wanted)
