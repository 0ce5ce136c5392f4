import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics.detection import intersection_over_union, match
from musim.training.identification.metrics.segmentation import segmentation


def _scores(predicted, true, threshold=0.5):
    iou = intersection_over_union(predicted, true)
    matching = match(iou, np.ones(len(predicted)), threshold)
    return matching, segmentation(predicted, true, matching)


def test_by_hand(strips):
    # The first two are unit 1 and unit 0; the third is nothing.
    predicted = strips("......####", "###.......", "...##.....")
    true = strips("####......", ".....####.", "..........")
    matching, result = _scores(predicted, true)
    assert matching.true.tolist() == [1, 0]
    assert result.precision.tolist() == [3 / 4, 1]
    assert result.recall.tolist() == [3 / 4, 3 / 4]
    assert result.iou.tolist() == [3 / 5, 3 / 4]
    assert result.dice.tolist() == [6 / 8, 6 / 7]


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_dice_and_iou_follow_from_precision_and_recall(predictions, units, seed):
    random = np.random.default_rng(seed)
    predicted, true = (random.random((n, 4, 4)) < 0.6 for n in (predictions, units))
    matching, result = _scores(predicted, true, 0.0)
    precision, recall = result.precision, result.recall
    np.testing.assert_allclose(result.dice, 2 * precision * recall / (precision + recall))
    np.testing.assert_allclose(result.iou, 1 / (1 / precision + 1 / recall - 1))
    np.testing.assert_array_equal(result.iou, matching.iou)
    for place, (p, t) in enumerate(zip(matching.predicted, matching.true, strict=True)):
        inside = [bool(b) for a, b in zip(predicted[p].flat, true[t].flat, strict=True) if a]
        assert precision[place] == sum(inside) / len(inside)
        inside = [bool(a) for a, b in zip(predicted[p].flat, true[t].flat, strict=True) if b]
        assert recall[place] == sum(inside) / len(inside)


def test_perfect_masks_score_1(strips):
    masks = strips("##..", ".###")
    _, result = _scores(masks, masks)
    for values in (result.precision, result.recall, result.iou, result.dice):
        assert values.tolist() == [1, 1]


def test_without_matches_there_are_no_scores(strips):
    _, result = _scores(strips("##.."), strips("..##"))
    assert result.precision.shape == result.dice.shape == (0,)


def test_masks_of_other_types_are_refused(strips, refused):
    matching, _ = _scores(strips("#"), strips("#"))
    with refused("true masks: found float64"):
        segmentation(strips("#"), np.ones((1, 1, 1)), matching)
