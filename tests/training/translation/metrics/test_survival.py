"""Whether labels survive: pixels of a unit's own, and trains that are kept, turned, or lost."""

import dataclasses
import math

import numpy as np
import pytest

from musim.simulator import InputError, Parameters, Range, draw, render
from musim.training.identification.metrics.agreement import rate_of_agreement, train_correlation
from musim.training.translation.metrics import label_survival
from musim.training.translation.metrics.survival import own_pixels

RATE = 400.0


@pytest.fixture(scope="module")
def truth():
    parameters = Parameters(units=Range(4, 4), pixels=(24, 20), size=(24.0, 20.0),
                            diameter=Range(6, 9), frames=300,
                            snr=Range(math.inf, math.inf))  # fmt: skip
    return draw(parameters, seed=4)


def test_own_pixels_are_no_other_units():
    territory = np.zeros((4, 1, 6))
    territory[0, 0] = [1, 1, 0.4, 0, 0, 0]
    territory[1, 0] = [0, 0.2, 1, 1, 0, 0]
    territory[2, 0] = [0, 0, 0.1, 1, 0, 0]  # everywhere with the second one
    territory[3, 0] = [0, 0, 0, 0, 0.5, 0.5]  # nowhere more than half
    masks, alone = own_pixels(territory)
    assert alone.tolist() == [True, False, False, False]
    assert masks[:, 0].astype(int).tolist() == [
        [1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0],
    ]  # fmt: skip


def test_rows_are_trains_against_the_mean_of_a_units_pixels(truth):
    before = render(truth)
    after = np.random.default_rng(1).normal(0, 0.01, before.shape) + np.roll(before, 1, axis=0)
    masks, alone = own_pixels(truth.territory)
    found = label_survival(truth, before, after, RATE)
    assert [row.unit for row in found] == np.flatnonzero(masks.any(axis=(1, 2))).tolist()
    for row in found:
        mask, train = masks[row.unit], truth.twitch_train[row.unit]
        assert (row.pixels, row.alone) == (mask.sum(), alone[row.unit])
        for when, sequence in (("before", before), ("after", after)):
            signal = np.array([frame[mask].mean(dtype=float) for frame in sequence])
            wanted = train_correlation(signal, train)
            assert getattr(row, f"correlation_{when}") == pytest.approx(wanted, abs=1e-9)
            wanted = rate_of_agreement(signal, train, RATE).value
            assert getattr(row, f"agreement_{when}") == wanted


def test_labels_hold_before_and_only_after_what_keeps_them(truth):
    before = render(truth)
    for change, low, high in (
        (lambda x: 0.01 * x + 3, 0.999, 1.0),
        (lambda x: -x, -1.0, -0.999),
        (lambda x: np.random.default_rng(1).normal(size=x.shape), -0.4, 0.4),
    ):
        found = label_survival(truth, before, change(before), RATE)
        assert any(row.alone for row in found)
        for row in (row for row in found if row.alone):
            assert row.correlation_before == pytest.approx(1)
            assert row.agreement_before == 1
            assert low - 1e-9 <= row.correlation_after <= high + 1e-9
    assert all(row.agreement_after == 1
               for row in label_survival(truth, before, 2 * before, RATE) if row.alone)  # fmt: skip


def test_units_that_do_not_show_are_left_out(truth):
    territory, train = truth.territory.copy(), truth.twitch_train.copy()
    territory[0], train[1] = 0, 0
    changed = dataclasses.replace(truth, territory=territory, twitch_train=train)
    found = label_survival(changed, render(truth), render(truth), RATE)
    assert [row.unit for row in found] == [2, 3]


def test_what_does_not_fit_is_refused(truth):
    sequence = render(truth)
    with pytest.raises(InputError, match=r"^sequence: found shape"):
        label_survival(truth, sequence[1:], sequence, RATE)
    with pytest.raises(InputError, match=r"^translated sequence: found shape"):
        label_survival(truth, sequence, sequence[:, :-1], RATE)
