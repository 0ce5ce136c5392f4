"""Outlines of units: what is looked at, a network of convolutions, and the pixels it gives."""

import json
import math

import numpy as np
import pytest

from musim.training.identification.methods.blocks import Blocks
from musim.training.identification.methods.learned.outlines import (
    DILATIONS,
    IMAGE,
    SIDE,
    SPACING,
    VIEWS,
    Outliner,
    around,
    expected_overlap,
    pixels_of,
    views_of,
)
from musim.training.identification.methods.learned.weights import OURS, OUTLINES, learned_of
from musim.training.identification.methods.responses import Form, field_of

SIZE = (0.625, 0.5)
SHAPE = (40, 48)
ROWS = (np.arange(SHAPE[0])[:, None] + 0.5) * SIZE[0]
COLUMNS = (np.arange(SHAPE[1])[None] + 0.5) * SIZE[1]


def _disc(depth, width, radius):
    """Return a disc in mm."""
    return (np.hypot(ROWS - depth, COLUMNS - width) < radius).astype(float)


TERRITORIES = np.array([_disc(6, 6, 2.5), _disc(9, 18, 3.0), _disc(18, 10, 3.5)])


def _iou(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


def _outlined(fields, noise=0.02, seed=0):
    """Return the pixels of units whose fields are seen in noise, and how sure they are."""
    random = np.random.default_rng(seed)
    trains = random.standard_normal((len(fields), 30))
    values = fields.reshape(len(fields), -1).T @ trains
    values += noise * np.abs(values).max() * random.standard_normal(values.shape)
    blocks = Blocks(values, SHAPE, SIZE)
    maps = blocks.images((values @ np.linalg.pinv(trains)).T)
    seen = views_of(blocks, trains, maps)
    odds = learned_of().outliner.odds(seen.views)
    masks = [pixels_of(*pair, SHAPE, SIZE) for pair in zip(odds, seen.centres, strict=True)]
    sure = learned_of().outliner.confidence(expected_overlap(odds, seen.views[:, IMAGE]))
    return np.array(masks), sure


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_discs_that_move_as_they_are_are_outlined(noise):
    masks, sure = _outlined(TERRITORIES, noise)
    for mask, true in zip(masks, TERRITORIES > 0, strict=True):
        assert _iou(mask, true) > 0.75
    assert (sure > 0.6).all()


@pytest.mark.parametrize(
    "form", [Form("screened", 1.0, 0.5), Form("gaussian", 1.2, 0.3), Form("screened", 1.8, 0.9)]
)
def test_the_outline_of_a_disc_whose_motion_spreads_is_near_the_disc(form):
    masks, _ = _outlined(np.array([field_of(one, form, SIZE) for one in TERRITORIES]))
    for mask, true in zip(masks, TERRITORIES > 0, strict=True):
        assert _iou(mask, true) > 0.6


def test_another_place_that_moves_with_a_unit_is_no_part_of_it():
    two = TERRITORIES[2] + 0.9 * _disc(4, 21, 1.5)
    masks, _ = _outlined(np.array([TERRITORIES[0], two]))
    assert _iou(masks[1], TERRITORIES[2] > 0) > 0.65
    assert not masks[1][: round(8 / SIZE[0]), round(18 / SIZE[1]) :].any()


def _slow_around(image, centre, size):
    """Return an image on places around a centre by a loop."""
    result = np.zeros((SIDE, SIDE))
    for i in range(SIDE):
        for j in range(SIDE):
            at, outside = [], False
            for k, blocks, middle, block in zip((i, j), image.shape, centre, size, strict=True):
                place = (middle + (k - (SIDE - 1) / 2) * SPACING) / block - 0.5
                outside |= not -0.5 < place < blocks - 0.5
                at.append(min(max(place, 0.0), blocks - 1.0))
            top, left = (math.floor(one) for one in at)
            down, right = at[0] - top, at[1] - left
            bottom, end = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
            above = (1 - right) * image[top, left] + right * image[top, end]
            below = (1 - right) * image[bottom, left] + right * image[bottom, end]
            result[i, j] = 0.0 if outside else (1 - down) * above + down * below
    return result


@pytest.mark.parametrize("centre", [(3.0, 20.0), (12.4, 11.1), (24.0, 0.3)])
def test_places_around_a_centre_are_those_of_a_slow_loop(centre):
    image = np.random.default_rng(0).standard_normal(SHAPE)
    found = around(image[None], np.array(centre), SIZE)[0]
    np.testing.assert_allclose(found, _slow_around(image, centre, SIZE), atol=1e-12)


def test_views_are_what_they_are_called():
    trains = np.array([[3.0, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1.0, 0]])
    values = TERRITORIES.reshape(3, -1).T @ trains
    values[:, 3] = 1.0  # what no unit explains
    seen = views_of(Blocks(values, SHAPE, SIZE), trains, TERRITORIES)
    np.testing.assert_allclose(seen.centres, [(6, 6), (9, 18), (18, 10)], atol=0.3)
    view = dict(zip(VIEWS, np.moveaxis(seen.views, 1, 0), strict=True))
    middle = SIDE // 2
    # A third unit moves as far as it, the first three times as far, the second half of it.
    share = view["share"][:, middle, middle]
    np.testing.assert_allclose(share, [9 / 10, 0.25 / 1.25, 0.5], rtol=0.05)
    np.testing.assert_allclose(view["map"][:, middle, middle], 1.0, rtol=0.02)
    # 8 mm to the left and 3 mm above of the second unit's middle lies the first.
    beside = view["others"][1]
    assert beside[middle - 5, middle - 20] == pytest.approx(3.0, abs=0.1)
    assert beside[middle, middle] < 0.05
    assert view["image"][0, 0, 0] == 0.0
    assert view["image"][0, middle, middle] == 1.0
    assert (np.ptp(view["noise"], axis=(1, 2)) == 0).all()
    assert (view["spread"] == view["spread"][0, 0, 0]).all()


def test_noise_and_spread_of_maps_are_seen():
    random = np.random.default_rng(0)
    trains = np.eye(3)
    blocks = Blocks(TERRITORIES.reshape(3, -1).T @ trains, SHAPE, SIZE)
    rough = TERRITORIES + 0.1 * random.standard_normal(TERRITORIES.shape)
    wide = np.array([field_of(one, Form("screened", 2.4, 0.0), SIZE) for one in TERRITORIES])
    plain, noisy, spread = (views_of(blocks, trains, maps).views[0, :, 0, 0]
                            for maps in (TERRITORIES, rough, wide))  # fmt: skip
    assert noisy[VIEWS.index("noise")] > plain[VIEWS.index("noise")] + 0.5
    assert spread[VIEWS.index("spread")] > plain[VIEWS.index("spread")] + 0.3


def _random(channels=3, seed=0):
    random = np.random.default_rng(seed)
    shapes = [
        (3, 3, channels if layer else len(VIEWS), channels) for layer in range(len(DILATIONS))
    ]
    layers = tuple(
        (0.3 * random.standard_normal(shape).astype(np.float32),
         random.standard_normal(shape[-1]).astype(np.float32))
        for shape in (*shapes, (1, 1, channels + len(VIEWS), 1))
    )  # fmt: skip
    return Outliner(layers, (-2.0, 5.0))


@pytest.mark.torch
def test_log_odds_are_those_of_convolutions_by_torch():
    import torch

    outliner = _random()
    views = np.random.default_rng(1).standard_normal((2, len(VIEWS), SIDE, SIDE)).astype("f4")
    given = values = torch.from_numpy(views)
    for number, (weight, bias) in enumerate(outliner.layers):
        last = number == len(DILATIONS)
        dilation = 1 if last else DILATIONS[number]
        values = torch.cat([values, given], dim=1) if last else values
        values = torch.nn.functional.conv2d(
            values, torch.from_numpy(weight).permute(3, 2, 0, 1), torch.from_numpy(bias),
            padding=0 if last else dilation, dilation=dilation,
        )  # fmt: skip
        values = values if last else values.relu()
    np.testing.assert_allclose(outliner.odds(views), values[:, 0], rtol=1e-4, atol=1e-4)


def test_the_overlap_that_is_expected_is_that_of_many_draws():
    random = np.random.default_rng(2)
    odds = (6 - np.hypot(*np.mgrid[-8:8, -8:8]) + random.standard_normal((16, 16))) * 1.5
    inside = np.ones((16, 16), np.float32)
    inside[:4] = 0
    true = random.random((4000, 16, 16)) < 1 / (1 + np.exp(-odds))
    chosen = (odds > 0) & (inside > 0)
    drawn = true & (inside > 0)
    overlap = (drawn & chosen).sum(axis=(1, 2)) / (drawn | chosen).sum(axis=(1, 2))
    found = expected_overlap(odds[None].astype(np.float32), inside[None])
    assert found[0] == pytest.approx(overlap.mean(), abs=0.02)


def test_pixels_are_the_places_above_even_odds_on_any_grid():
    offsets = (np.arange(SIDE) - (SIDE - 1) / 2) * SPACING
    odds = (4.0 - np.hypot(offsets[:, None], offsets[None])).astype(np.float32)
    centre = np.array([7.0, 12.0])
    for shape, size in (((100, 90), (0.2, 0.3)), ((20, 24), (1.0, 1.0))):
        rows, columns = ((np.arange(n) + 0.5) * one for n, one in zip(shape, size, strict=True))
        disc = np.hypot(rows[:, None] - centre[0], columns[None] - centre[1]) < 4.0
        assert _iou(pixels_of(odds, centre, shape, size), disc) > 0.93
    everywhere = pixels_of(np.ones((SIDE, SIDE), np.float32), centre, (200, 200), (0.3, 0.3))
    # What was not looked at is no unit's.
    assert not everywhere[int(20 / 0.3) :].any()
    assert everywhere[:60, 1:60].all()


def test_weights_come_back_from_text():
    outliner = _random()
    again = Outliner.from_json(json.loads(json.dumps(outliner.to_json())))
    for one, two in zip(outliner.layers, again.layers, strict=True):
        np.testing.assert_allclose(one[0], two[0], rtol=1e-4)
        np.testing.assert_allclose(one[1], two[1], rtol=1e-4)
    assert again.certainty == outliner.certainty
    assert (OURS / OUTLINES).stat().st_size < 1_000_000


def _without(layers):
    return {**_random().to_json(), "layers": layers}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "the views None"),
        ({**_random().to_json(), "views": ["map"]}, "the views ['map']"),
        (_without([]), "damaged"),
        (_without(_random(2).to_json()["layers"][:3] + _random(3).to_json()["layers"][3:]),
         "damaged"),
        ({**_random().to_json(), "certainty": [1.0]}, "damaged"),
        ({**_random().to_json(), "certainty": [1.0, math.nan]}, "damaged"),
    ],
)  # fmt: skip
def test_what_are_no_weights_are_refused(found, words, refused):
    with refused("outlines: found", words, "learn them anew"):
        Outliner.from_json(found)
