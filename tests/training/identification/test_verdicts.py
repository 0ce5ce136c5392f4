"""Verdicts: trains lead, outlines stand beside them, and every unit has one."""

import math

import numpy as np
import pytest

from musim.training.identification.metrics import score
from musim.training.identification.verdicts import judge

FRAME_RATE = 400.0
FRAMES = 400
NOTHING = slice(0, 0)


def strips(*columns, width=20):
    """Return masks of one row that hold some columns."""
    masks = np.zeros((len(columns), 1, width), bool)
    for mask, part in zip(masks, columns, strict=True):
        mask[0, part] = True
    return masks


def train(which):
    """Return one of trains that have nothing in common; a negative number turns it round."""
    values = np.random.default_rng(abs(which)).standard_normal(FRAMES)
    return values if which > 0 else -values


def firings(which):
    instants = 0.05 + 0.01 * abs(which) + np.arange(8) * 0.1
    return np.round(instants, 6)


def judged(found, true):
    """Judge units given as (columns, number of the train); returns words, and partners."""
    columns, trains = zip(*found, strict=True) if found else ((), ())
    true_columns, true_trains = zip(*true, strict=True)
    masks, true_masks = strips(*columns), strips(*true_columns)
    rows = [np.array([f(n) for n in numbers]) if numbers else np.zeros((0, FRAMES))
            for numbers in (trains, true_trains) for f in (train, firings)]  # fmt: skip
    scored = score(
        masks, rows[0], rows[1], np.linspace(0.9, 0.5, len(masks)), true_masks, rows[2], rows[3],
        FRAME_RATE, (0.0, FRAMES / FRAME_RATE),
    )  # fmt: skip
    return judge(scored, masks, true_masks)


def words(found, true):
    ours, theirs = judged(found, true)
    return [one.words for one in ours], [one.words for one in theirs.values()]


A, B, C = slice(0, 6), slice(6, 12), slice(12, 18)


@pytest.mark.parametrize(
    ("found", "true", "ours", "theirs"),
    [
        ([(A, 1)], [(A, 1)], ["matches"], ["found"]),
        # By trains alone, wherever the outline lies; and not by the outline alone.
        ([(C, 1)], [(A, 1)], ["matches"], ["found"]),
        ([(NOTHING, 1)], [(A, 1)], ["matches"], ["found"]),
        ([(A, 2)], [(A, 1)], ["outline of 0 alone"], ["outline alone, in 0"]),
        ([(A, 2), (B, 1)], [(A, 1), (B, 2)], ["matches", "matches"], ["found", "found"]),
        ([(A, -1)], [(A, 1)], ["matches inverted"], ["found"]),
        ([(A, 1), (B, 1)], [(A, 1)], ["matches", "copy of 0"], ["found"]),
        ([(A, 1), (B, -2)], [(B, 2), (A, 1)], ["matches", "matches inverted"], ["found"] * 2),
        ([(A, 3)], [(C, 1)], ["false"], ["missed"]),
        ([], [(A, 1)], [], ["missed"]),
        # Parts and joined units, of what no train matches.
        ([(slice(0, 3), 1), (slice(3, 6), 2)], [(A, 1)], ["matches", "part of 0"], ["found"]),
        (
            [(slice(0, 3), 2), (slice(3, 6), 3)], [(A, 1)], ["part of 0", "part of 0"],
            ["split into 0 and 1"],
        ),
        (
            [(slice(0, 12), 3)], [(A, 1), (B, 2)], ["joins 0 and 1"],
            ["joined with others in 0"] * 2,
        ),
        (
            [(slice(0, 12), 1)], [(A, 1), (B, 2)], ["matches, outline joins 1 too"],
            ["found", "joined with others in 0"],
        ),
        (
            [(slice(0, 18), 1)], [(A, 1), (B, 2), (C, 3)],
            ["matches, outline joins 1 and 2 too"], ["found", *["joined with others in 0"] * 2],
        ),
        # One has the outline, the other the train: the train counts.
        ([(A, 2), (C, 1)], [(A, 1)], ["outline of 0 alone", "matches"], ["found"]),
    ],
)  # fmt: skip
def test_verdicts_by_hand(found, true, ours, theirs):
    assert words(found, true) == (ours, theirs)


def test_a_match_has_its_scores_with_the_outline_beside():
    (one, other), units = judged([(slice(0, 9), 1), (C, 3)], [(NOTHING, 2), (A, 1)])
    assert (one.partner, other.partner) == (1, None)
    assert one.correlation == pytest.approx(1)
    assert one.iou == pytest.approx(6 / 9)
    assert (one.firing_agreement, one.firing_recall, one.firing_precision) == (1, 1, 1)
    # A unit that does not show in the image has no verdict, and keeps no number for itself.
    assert {unit: found.found_as for unit, found in units.items()} == {1: 0}
    for value in (other.correlation, other.iou, other.firing_agreement, other.firing_recall):
        assert math.isnan(value)


def test_an_outline_that_shares_nothing_has_none():
    (one,), _ = judged([(C, 1)], [(A, 1)])
    assert one.iou == 0


def test_without_trains_there_is_no_verdict(refused):
    masks = strips(A)
    scored = score(masks, None, None, [0.5], masks, None, None, FRAME_RATE)
    with refused("found one without trains, wanted one with"):
        judge(scored, masks, masks)
