import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics.detection import (
    Matching,
    intersection_over_union,
    match,
)
from musim.training.identification.metrics.faults import find_faults


def _match(predicted, true):
    return match(intersection_over_union(predicted, true), np.zeros(len(predicted)))


def _faults(predicted, true):
    faults = find_faults(predicted, true, _match(predicted, true))
    return faults.missed.tolist(), faults.false.tolist(), dict(faults.split), dict(faults.merged)


CASES = {
    "all found": (["####...."], ["#####..."], [], [], {}, {}),
    "missed and false": (["......##"], ["####...."], [0], [0], {}, {}),
    "nothing predicted": ([], ["####...."], [0], [], {}, {}),
    "nothing there": (["####...."], [], [], [0], {}, {}),
    "an empty prediction": (["........"], ["####...."], [0], [0], {}, {}),
    # Two parts of 3 and 2 of 8 pixels.
    "split": (["###.....", "...##..."], ["########"], [], [], {0: (0, 1)}, {}),
    "parts cover just half": (["##......", "..##...."], ["########"], [0], [0, 1], {}, {}),
    "one part is none": (["####...."], ["########"], [0], [0], {}, {}),
    # Half of the second lies outside of the unit.
    "a part lies elsewhere": (["###.....", "....####"], ["######.."], [0], [0, 1], {}, {}),
    "a part reaches out": (["###.....", "...####."], ["######.."], [], [], {0: (0, 1)}, {}),
    # The first is matched (5 of 8), the second is the rest.
    "split off": (["#####...", ".....###"], ["########"], [], [], {0: (0, 1)}, {}),
    "found twice": (["########", "########"], ["########"], [], [1], {}, {}),
    "found and again in part": (["#######.", "###....."], ["########"], [], [1], {}, {}),
    "merged": (["########"], ["####....", "....####"], [], [], {}, {0: (0, 1)}),
    "three merged": (["#######."], ["###", "...##", ".....##"], [], [], {}, {0: (0, 1, 2)}),
    # Matched with the first, 5 of 8.
    "merged with one found": (["########"], ["#####...", ".....###"], [], [], {}, {0: (0, 1)}),
    "small within a found one": (["#######."], ["#######.", "##......"], [1], [], {}, {}),
    "two alike, one found": (["######.."], ["######..", "#######."], [1], [], {}, {}),
    # Of the second just half is covered, of the first more.
    "half is not merged": (["####...."], ["###.....", "...##..."], [1], [], {}, {}),
    "too large to merge": (["########"], ["##......", "......##"], [0, 1], [0], {}, {}),
    "found by another": (
        ["####....", "...#####"], ["####....", "..######"], [], [], {}, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[name.replace(" ", "-") for name in CASES])
def test_by_hand(strips, case):
    predicted, true, *expected = CASES[case]
    assert _faults(strips(*predicted, width=8), strips(*true, width=8)) == tuple(expected)


def test_one_that_is_found_by_another_is_not_merged(strips):
    true = strips("####....", "....####")
    predicted = strips("####....", "########")
    matching = match(intersection_over_union(predicted, true), [1, 0])
    faults = find_faults(predicted, true, matching)
    # What is left of the second prediction is one unit and pixels of one that was found.
    assert dict(faults.merged) == {}
    assert (faults.missed.tolist(), faults.false.tolist()) == ([1], [1])


def _slowly(wholes, pieces, matches, free):
    """Say with sets of pixels which wholes have several pieces; `matches` are (whole, piece)."""
    result = {}
    for number, whole in enumerate(wholes):
        own = [piece for of, piece in matches if of == number]
        taken = set().union(*(pieces[piece] for piece in own))
        members = own + [
            piece for piece in free
            if pieces[piece] and len(pieces[piece] & (whole - taken)) / len(pieces[piece]) > 0.5
        ]  # fmt: skip
        covered = whole & set().union(*(pieces[piece] for piece in members))
        if len(members) > 1 and len(covered) / len(whole) > 0.5:
            result[number] = tuple(sorted(members))
    return result


def _random(predictions, units, seed):
    """Masks of 12 pixels that are stretches: parts and wholes are common among them."""
    random = np.random.default_rng(seed)
    masks = np.zeros((predictions + units, 1, 12), bool)
    for mask in masks:
        start, length = random.integers(0, 12), random.choice([2, 3, 5, 8, 12])
        mask[0, start : start + length] = True
    return masks[:predictions], masks[predictions:], random


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_faults_are_those_of_sets_of_pixels(predictions, units, seed):
    predicted, true, _ = _random(predictions, units, seed)
    matching = _match(predicted, true)
    faults = find_faults(predicted, true, matching)
    ours, theirs = ([set(np.flatnonzero(m).tolist()) for m in masks] for masks in (predicted, true))
    pairs = list(zip(matching.true.tolist(), matching.predicted.tolist(), strict=True))
    swapped = [(prediction, unit) for unit, prediction in pairs]
    split = _slowly(theirs, ours, pairs, matching.false.tolist())
    merged = _slowly(ours, theirs, swapped, matching.missed.tolist())
    assert (faults.split, faults.merged) == (split, merged)
    known_units = {*split, *(unit for joined in merged.values() for unit in joined)}
    known_predictions = {*merged, *(part for parts in split.values() for part in parts)}
    assert faults.missed.tolist() == sorted(set(matching.missed.tolist()) - known_units)
    assert faults.false.tolist() == sorted(set(matching.false.tolist()) - known_predictions)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_splitting_is_merging_with_the_roles_exchanged(predictions, units, seed):
    predicted, true, _ = _random(predictions, units, seed)
    m = _match(predicted, true)
    exchanged = Matching(m.true, m.predicted, m.iou, m.missed, m.false)
    faults, mirrored = find_faults(predicted, true, m), find_faults(true, predicted, exchanged)
    assert (faults.split, faults.merged) == (mirrored.merged, mirrored.split)
    assert (faults.missed.tolist(), faults.false.tolist()) == (
        mirrored.false.tolist(),
        mirrored.missed.tolist(),
    )


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_perfect_predictions_have_no_faults(units, extra, seed):
    masks, _, random = _random(units, extra, seed)
    masks = np.unique(masks.reshape(units, 12), axis=0).reshape(-1, 1, 12)
    assert _faults(masks[random.permutation(len(masks))], masks) == ([], [], {}, {})


def test_units_that_the_matching_leaves_out_do_not_count(strips):
    predicted, true = strips("########"), strips("####....", "........", "....####")
    none = np.array([], np.int64)
    faults = find_faults(
        predicted, true, Matching(none, none, none.astype(float), np.array([0]), np.array([0, 2]))
    )
    assert dict(faults.merged) == {0: (0, 2)}
    assert faults.missed.size == 0


def test_what_is_no_mask_is_refused(strips, refused):
    masks = strips("##..")
    with refused("predicted masks: found float64"):
        find_faults(masks.astype(float), masks, _match(masks, masks))
