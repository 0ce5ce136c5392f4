"""Centre lines out of masks: whatever holes, spurs and breaks these have."""

import numpy as np
import pytest

from musim.training.sections import tracing
from musim.training.sections.aponeuroses import NONE, ONE, SHORT, aponeuroses_of

from .muscles import straight

SHAPE = (120, 150)
COLUMNS = np.arange(10.0, 140.0)


@pytest.fixture
def mask():
    """Two lines: one at a depth of 30 that falls by 4 degrees, one at 80 that rises by 6."""
    return straight(SHAPE, depth=30, degrees=4) | straight(SHAPE, depth=80, degrees=-6)


def check(mask, *, found=2, within=0.3):
    aponeuroses = aponeuroses_of(mask)
    assert aponeuroses.reason == ""
    assert aponeuroses.found == found
    for line, depth, degrees in ((aponeuroses.superficial, 30, 4), (aponeuroses.deep, 80, -6)):
        true = depth + (COLUMNS - 74.5) * np.tan(np.radians(degrees))
        assert np.abs(line.at(COLUMNS) - true).max() < within


def test_lines_are_found_in_masks_of_either_type(mask):
    check(mask)
    check(mask.astype(np.uint8) * 255)


def test_holes_are_bridged(mask):
    thick = straight(SHAPE, depth=30, degrees=4, height=9)
    thick[30:32, 40:60] = False
    check(thick | (mask & (np.indices(SHAPE)[0] > 55)))


def test_spurs_are_passed(mask):
    spur = straight(SHAPE, depth=40, degrees=35, height=3, between=(0.35, 0.5))
    mask[30:50, 90:93] = True
    check(mask | spur)


@pytest.mark.parametrize("gap", [3, 20, 40])
def test_pieces_of_a_line_are_one(mask, gap):
    mask[:60, 60 : 60 + gap] = False
    mask[60:, 90 : 90 + gap // 2] = False
    check(mask)


def test_specks_are_no_lines(mask):
    mask[5:8, 20:23] = mask[110:113, 100:110] = True
    check(mask)


def test_lines_are_found_among_hundreds_of_specks(mask, monkeypatch):
    compared = []
    best = tracing._best_pair

    def counted(chains, *size):
        compared.append(len(chains))
        return best(chains, *size)

    monkeypatch.setattr(tracing, "_best_pair", counted)
    random = np.random.default_rng(0)
    for row, column in random.integers(0, (118, 144), (400, 2)):
        if not mask[max(row - 4, 0) : row + 6, column : column + 8].any():
            mask[row : row + 2, column : column + 5] = True
    found = aponeuroses_of(mask)
    # No more are compared with one another than can be.
    assert max(compared) == tracing.MOST_CHAINS
    assert found.superficial.at(74.5) == pytest.approx(30, abs=1)
    assert found.deep.at(74.5) == pytest.approx(80, abs=1)


def test_lines_that_are_joined_at_their_end_are_two(mask):
    mask[25:95, 147:150] = True
    check(mask)


def test_a_line_along_the_edge_is_taken_where_it_is_whole():
    upper = straight(SHAPE, depth=6, degrees=-6, height=9)
    assert upper[0].any()
    aponeuroses = aponeuroses_of(upper | straight(SHAPE, depth=80, degrees=0))
    line = aponeuroses.superficial
    true = 6 - (line.column - 74.5) * np.tan(np.radians(6))
    assert np.abs(line.depth - true).max() < 0.3
    # Cut all along, it is where it can be seen.
    cut = np.zeros(SHAPE, bool)
    cut[:3] = cut[80:84] = True
    assert aponeuroses_of(cut).superficial.depth == pytest.approx(1)


def test_of_three_lines_the_shallowest_two_are_the_muscle(mask):
    check(mask | straight(SHAPE, depth=108, degrees=0), found=3)


def test_the_deep_line_is_below_where_both_are():
    # Each as deep as the other, taken all along.
    left = straight(SHAPE, depth=60, degrees=10, between=(0, 0.7))
    right = straight(SHAPE, depth=40, degrees=10, between=(0.3, 1))
    found = aponeuroses_of(left | right)
    assert found.deep.at(74.0) - found.superficial.at(74.0) == pytest.approx(20, abs=0.5)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], NONE),
        ([(30, (0, 1))], ONE),
        ([(30, (0, 1)), (80, (0.4, 0.45))], ONE),
        ([(30, (0, 0.4)), (80, (0.6, 1))], SHORT),
    ],
)
def test_what_is_missing_is_said(lines, reason):
    mask = np.zeros(SHAPE, bool)
    for depth, between in lines:
        mask |= straight(SHAPE, depth=depth, degrees=0, between=between)
    assert aponeuroses_of(mask).reason == reason


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((4, 100), bool), "(4, 100)"),
        (np.zeros((20, 20, 3), np.uint8), "(20, 20, 3)"),
        (np.zeros((20, 20)), "float64"),
    ],
)
def test_what_is_no_mask_is_refused(refused, mask, words):
    with refused("`mask`: found", words, "wanted depth x width"):
        aponeuroses_of(mask)
