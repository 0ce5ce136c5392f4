"""Hands: solids by slow, obvious versions, what lies where, and what differs between hands."""

import dataclasses
import itertools

import numpy as np
import pytest

from musim.simulator.resonance import hands
from musim.simulator.resonance.hand.anatomy import build
from musim.simulator.resonance.hand.body import draw_body
from musim.simulator.resonance.hand.parameters import HandParameters
from musim.simulator.resonance.hand.skeleton import rays_of
from musim.simulator.resonance.hand.solids import Chain, cord, pack
from musim.simulator.resonance.hand.solids_kernels import FAR, divide, paint
from musim.simulator.resonance.hand.surface import Surface
from musim.simulator.resonance.hands import scan_hand
from musim.simulator.resonance.parameters import Phantom
from musim.simulator.resonance.tissues import (
    CARTILAGE,
    CORTEX,
    FAT,
    FLUID,
    HAND_TISSUES,
    MARROW,
    MUSCLE,
    RED_MARROW,
    SKIN,
)

COARSE = {"voxel": 3, "samples": 2, "snr": "inf", "snr_b": "inf", "turn": 0, "shift": 0}


@pytest.fixture(scope="module")
def hand():
    """Return the labels of a right hand every 1.5 mm, (z, y, x), and its anatomy."""
    anatomy = build(draw_body(HandParameters(), 1, 0, 1), 1)
    shape = (196, 30, 90)
    origin = np.array([-66.75, -21.75, -146.25])
    return anatomy, anatomy.tissue(origin, 1.5, shape, 7), origin


def straight(radius, start, end, **more):
    nodes = np.array([start, end], float)
    return Chain(nodes, np.full((2, 2), float(radius)), **more)


def grids(shape, origin, step):
    z, y, x = (
        origin[axis] + step * np.arange(count) for axis, count in zip((2, 1, 0), shape, strict=True)
    )
    return np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)


def to_segment(points, start, end):
    """Return distances from points to a straight line between two places."""
    way = np.subtract(end, start)
    share = np.clip((points - start) @ way / (way @ way), 0, 1)
    return np.linalg.norm(points - (start + share[..., None] * way), axis=-1)


def test_two_round_solids_are_divided_by_their_distances():
    shape, origin, step = (20, 16, 24), np.array([-11.5, -7.5, -9.5]), 1.0
    lines = [((-4, 0, -6), (-3, 1, 6)), ((4, 0, -6), (4, -2, 5)), ((0, 5, 0), (1, 6, 1))]
    packed = pack([straight(2.5, *line) for line in lines])
    first, second = (np.full(shape, FAR, np.float32) for _ in range(2))
    which, crust = np.full(shape, -1, np.int16), np.zeros(shape, np.float32)
    divide(first, second, which, crust, packed.segments, packed.starts, 4.0, origin, step)
    points = grids(shape, origin, step)
    away = np.stack([to_segment(points, *line) - 2.5 for line in lines])
    expected = np.sort(away, axis=0)
    near = expected[0] < 3
    assert first[near] == pytest.approx(expected[0][near], abs=1e-5)
    alone = near & (expected[1] - expected[0] > 1e-6)
    assert np.array_equal(which[alone], np.argmin(away, axis=0)[alone])
    both = near & (expected[1] < 3)
    assert both.sum() > 100
    assert second[both] == pytest.approx(expected[1][both], abs=1e-5)


def test_chains_are_painted_where_they_lie_and_below_the_skin():
    shape, origin, step = (18, 18, 18), np.full(3, -8.5), 1.0
    packed = pack([straight(4, (0, 0, -3), (0, 0, 3), label=9)])
    labels, surface = np.zeros(shape, np.uint8), np.full(shape, -5, np.float32)
    surface[:, :, 9:] = -0.5
    paint(labels, surface, packed.segments, packed.starts, packed.labels, 1.0, origin, step)
    inside = to_segment(grids(shape, origin, step), (0, 0, -3), (0, 0, 3)) < 4
    inside[:, :, 9:] = False
    assert np.array_equal(labels == 9, inside)


def test_half_axes_lie_as_they_are_asked_to():
    flat = Chain(np.array([[0, 0, 0], [0, 0, 20.0]]), np.array([[6, 2.0], [6, 2]]), 1)
    (segment,) = flat.segments()
    assert segment[3:6] == pytest.approx([1, 0, 0])
    assert abs(segment[6:9]) == pytest.approx([0, 1, 0])
    along = Chain(np.array([[0, 0, 0], [20.0, 0, 0]]), flat.half, 1)  # nothing is left of x
    (segment,) = along.segments()
    axes = segment[3:12].reshape(3, 3)
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)


def test_smooth_lines_run_through_their_nodes():
    nodes = [[0, 0, 0], [3, 1, 8], [2, -1, 20]]
    made = cord(nodes, (1.0, 2.0), 4, pieces=5)
    assert made.nodes[::5] == pytest.approx(np.array(nodes))
    assert len(made.nodes) == 11
    assert made.half == pytest.approx(np.tile([1.0, 2.0], (11, 1)))


def test_the_surface_is_as_far_as_it_says():
    body = draw_body(HandParameters(), 1, 0, 1)
    rays = rays_of(body)
    surface = Surface(body, rays)
    inside = np.array([ray.at(bone, 0.5) for ray in rays for bone in (0, 1)])
    assert (surface.distance(inside) < -3).all()
    for side in (-1, 1):
        below = surface.below(inside[2:], 2.0, side)
        assert surface.distance(below) == pytest.approx(np.full(len(below), -2.0), abs=1e-3)
        assert (np.sign(below[:, 1] - inside[2:, 1]) == side).all()


def test_a_hand_has_all_tissues_in_sound_shares(hand):
    _, labels, _ = hand
    counts = np.bincount(labels.ravel(), minlength=len(HAND_TISSUES))
    assert (counts > 0).all()
    shares = counts[1:] / counts[1:].sum()
    found = dict(zip([tissue.name for tissue in HAND_TISSUES[1:]], shares, strict=True))
    assert 0.1 < found["skin"] < 0.3
    assert 0.12 < found["muscle"] < 0.35
    bone = found["cortical bone"] + found["marrow"] + found["red marrow"]
    assert 0.1 < bone < 0.35
    assert 1 < (found["marrow"] + found["red marrow"]) / found["cortical bone"] < 3


def test_tissues_lie_in_order_from_skin_to_marrow(hand):
    _, labels, _ = hand
    air, skin = labels == 0, labels == SKIN
    beside_air = np.zeros_like(air)
    beside_marrow = np.zeros_like(air)
    marrow = np.isin(labels, (MARROW, RED_MARROW))
    for axis in range(3):
        for step in (-1, 1):
            beside_air |= np.roll(air, step, axis)
            beside_marrow |= np.roll(marrow, step, axis)
    inner = np.zeros_like(air)
    inner[1:-1, 1:-1, 1:-1] = True  # but where the volume cuts the forearm
    surface = beside_air & ~air & inner
    assert (skin[surface]).mean() > 0.97
    # Marrow is in bone, and never bare in muscle or air.
    around = beside_marrow & ~marrow & inner  # points are farther apart than cortex is thin
    assert np.isin(labels[around], (CORTEX, CARTILAGE)).mean() > 0.8
    assert not (labels[around] == 0).any()


def test_there_is_air_between_fingers(hand):
    _, labels, _ = hand
    rows = [np.flatnonzero((labels[row] != 0).any(axis=0)) for row in (155, 165)]
    for filled in rows:
        assert (np.diff(filled) > 1).sum() >= 2  # three fingers apart


def test_joints_have_cartilage_on_both_sides_of_fluid():
    body = dataclasses.replace(draw_body(HandParameters(), 1, 0, 1), fluid=0.5)
    anatomy = build(body, 1)
    ray = rays_of(body)[2]
    joint, way = ray.joints[2] + anatomy.offset, ray.joints[2] - ray.joints[1]
    way /= np.linalg.norm(way)
    seen = [
        int(anatomy.tissue(joint + place * way, 0.1, (1, 1, 1), 7)[0, 0, 0])
        for place in np.arange(-6, 6, 0.1)
    ]
    seen = [MARROW if label == RED_MARROW else label for label in seen]
    order = [seen[0], *(b for a, b in itertools.pairwise(seen) if a != b)]
    assert order == [MARROW, CORTEX, CARTILAGE, FLUID, CARTILAGE, CORTEX, MARROW]
    assert seen.count(FLUID) * 0.1 == pytest.approx(0.5, abs=0.15)


def test_hands_that_are_alike_are_mirrored():
    alike = Phantom().changed(
        {**COARSE, "asymmetry": 0, "spread": 1, "flexion": 3, "thumb": 0, "inhomogeneity": 0}
    )
    left, right = (build(draw_body(alike.hand, 3, 0, side), side) for side in (0, 1))
    # Veins differ, whatever else is alike.
    right = dataclasses.replace(right, cords=right.cords)
    shape, origin = (98, 16, 44), np.array([-64.5, -22.5, -145.5])
    one, other = (each.tissue(origin, 3.0, shape, 7) for each in (left, right))
    assert (one[:, :, ::-1] == other).mean() > 0.98
    assert (one == other).mean() < 0.95


def test_subjects_differ_and_their_hands_less():
    parameters = HandParameters()
    hands = [[draw_body(parameters, 1, subject, side) for side in (0, 1)] for subject in range(40)]
    muscle = np.array([[hand.muscle for hand in pair] for pair in hands])
    between = np.diff(np.log(muscle), axis=1).std()
    assert 0.02 < between < 0.08
    assert np.log(muscle).std() > 1.5 * between
    assert (muscle[:, 0] != muscle[:, 1]).all()


def test_the_same_seed_gives_the_same_bytes_and_others_another_hand():
    phantom = Phantom().changed({**COARSE, "voxel": 6})
    one, again = (scan_hand(phantom, 4, 0, 0) for _ in range(2))
    for name in ("image", "image_b", "tissue"):
        assert getattr(one, name).tobytes() == getattr(again, name).tobytes()
    other = scan_hand(phantom, 5, 0, 0)
    assert 0.01 < (one.tissue != other.tissue).mean() < 0.3


def test_every_hand_has_noise_of_its_own_and_its_subjects_marrow(monkeypatch):
    asked = []

    def expose(labels, tissues, scan, shape, seed, index):
        asked.append((seed, index, {one.label: one.fat for one in tissues}))

    monkeypatch.setattr(hands, "expose", expose)
    monkeypatch.setattr(hands, "build", lambda body, side: None)
    for subject, side in itertools.product(range(3), (0, 1)):
        scan_hand(Phantom(), 4, subject, side)
    assert [(seed, index) for seed, index, _ in asked] == [(4, index) for index in range(6)]
    usual = {one.label: one.fat for one in HAND_TISSUES}
    for number, (_, _, found) in enumerate(asked):
        marrow = draw_body(HandParameters(), 4, number // 2, number % 2).marrow
        assert marrow != 1
        for label, fat in found.items():
            changed = marrow if label in {MARROW, RED_MARROW} else 1
            assert fat == pytest.approx(changed * usual[label])


def test_more_points_change_no_more_than_partial_volume():
    middle = {**COARSE, "extent": "100,45,120"}
    few, many = (scan_hand(Phantom().changed({**middle, "samples": n}), 1, 0, 1) for n in (2, 4))
    difference = np.abs(few.image_b - many.image_b)
    assert difference.mean() < 0.05 * many.image_b[many.tissue > 0].mean()
    assert np.corrcoef(few.image_b.ravel(), many.image_b.ravel())[0, 1] > 0.98


def test_the_hand_lies_in_its_volume_whatever_is_drawn():
    scan = Phantom().scan
    half = np.array(scan.extent) / 2
    step = 4.0
    shape = tuple(int(np.ceil(2 * side / step)) + 10 for side in half[::-1])
    origin = -(np.array(shape[::-1]) - 1) / 2 * step
    for subject in range(4):
        side = subject % 2
        labels = build(draw_body(HandParameters(), 8, subject, side), side).tissue(
            origin, step, shape, 7
        )
        places = np.argwhere(labels) * step + origin[::-1]
        low, high = places.min(axis=0)[::-1], places.max(axis=0)[::-1]
        assert (high < half).all()
        assert (low[:2] > -half[:2]).all()  # along the arm it goes on


def test_muscle_and_fat_follow_what_is_asked():
    def shares(**changes):
        body = draw_body(Phantom().changed(changes).hand, 2, 0, 1)
        tissue = build(body, 1).tissue(np.array([-65.0, -21, -145]), 3.0, (98, 15, 44), 7)
        return [(tissue == label).sum() / (tissue > 0).sum() for label in (MUSCLE, FAT, CORTEX)]

    usual = shares(muscle=1, fat=1, cortex=1)
    assert shares(muscle=0.7, fat=1, cortex=1)[0] < 0.85 * usual[0]
    assert shares(muscle=1, fat=2, cortex=1)[1] > 1.1 * usual[1]
    assert shares(muscle=1, fat=1, cortex=1.5)[2] > 1.15 * usual[2]
