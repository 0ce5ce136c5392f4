"""Rules of the scores of decomposed electromyograms: by hand, against a slow version, at edges."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from musim.training.identification.metrics.emg_rules import (
    RULES,
    rules_named,
    score_at_tolerances,
    score_by_rules,
    to_row,
)

COMPETITION, LIBRARY = RULES["munitquest"], RULES["muniverse"]
ONE, OTHER = np.arange(1, 11) / 10, np.array([0.07, 0.21, 0.33, 0.46, 0.62, 0.71, 0.87, 0.93])
WINDOW = (0.0, 1.05)


def train(random, rate, duration):
    """Firings as irregular as a motor unit's, that begin anywhere in an interval."""
    steps = random.normal(1 / rate, 0.2 / rate, int(2 * rate * duration)).clip(0.005)
    instants = random.uniform(-1 / rate, 0) + np.cumsum(steps)
    return instants[(instants > 0) & (instants < duration)]


# By hand


def test_f1_is_that_of_firings_within_a_millisecond_after_the_units_delay():
    # All late by 20 ms; two of ten are missing, one is 3 ms off, and two are made up.
    found = np.append(np.delete(ONE, [2, 6]) + 0.02, [0.055, 0.955])
    found[0] += 0.003
    scored = score_by_rules([found], [OTHER, ONE], WINDOW, COMPETITION)
    assert scored.true.tolist() == [1]
    # Seven in common, of ten found and ten true.
    assert scored.f1.tolist() == [2 * 7 / 20]
    assert scored.delay[0] == pytest.approx(0.02, abs=1 / 2048)
    assert (scored.found, scored.units, scored.recall, scored.precision) == (1, 2, 0.5, 1.0)
    assert scored.score == scored.mean_f1 == 0.7
    # Within 5 ms the eighth is in common too.
    wider = score_by_rules([found], [OTHER, ONE], WINDOW, COMPETITION.within(0.005))
    assert wider.f1.tolist() == [2 * 8 / 20]


@pytest.mark.parametrize(("common", "found"), [(4, False), (5, True)])
def test_a_unit_is_found_from_half_on(common, found):
    made_up = np.array([0.043, 0.151, 0.262, 0.337, 0.449, 0.558])[: 10 - common]
    scored = score_by_rules([np.append(ONE[:common], made_up)], [ONE], WINDOW, COMPETITION)
    assert (scored.true[0] == 0) == found
    assert scored.score == (0.5 if found else 0)
    assert (scored.recall, scored.precision) == ((1, 1) if found else (0, 0))
    # The library asks for less.
    assert score_by_rules([ONE[:2]], [ONE], WINDOW, LIBRARY).f1[0] == pytest.approx(4 / 12)


def test_a_delay_above_a_tenth_of_a_second_is_none():
    one = np.array([0.1, 0.32, 0.55, 0.9])
    late = score_by_rules([one + 0.099], [one], WINDOW, COMPETITION)
    assert late.f1.tolist() == [1]
    assert score_by_rules([one + 0.102], [one], WINDOW, COMPETITION).found == 0
    early = score_by_rules([one - 0.05], [one], WINDOW, COMPETITION)
    assert early.delay[0] == pytest.approx(-0.05, abs=1 / 2048)


@pytest.mark.parametrize(("shared", "kept"), [(2, [True, True]), (3, [True, False])])
def test_duplicates_share_thirty_percent_of_the_longer_train(shared, kept):
    apart = np.array([0.031, 0.145, 0.263, 0.374, 0.486, 0.597, 0.719, 0.842])
    copy = np.append(ONE[:shared] + 0.0005, apart[: 8 - shared])
    scored = score_by_rules([ONE, copy], [ONE], WINDOW, COMPETITION)
    assert scored.kept.tolist() == kept
    assert scored.duplicates == kept.count(False)
    # A dropped one makes precision no worse.
    assert scored.precision == 1 / kept.count(True)


def test_which_of_duplicates_stays():
    worse = np.append(ONE[:6], [0.043, 0.151])
    quality = [0.5, 0.9]
    first = score_by_rules([worse, ONE], [ONE], WINDOW, COMPETITION, quality)
    assert (first.kept.tolist(), first.f1[0]) == ([True, False], 2 * 6 / 18)
    surest = score_by_rules([worse, ONE], [ONE], WINDOW, LIBRARY, quality)
    assert (surest.kept.tolist(), surest.f1[1]) == ([False, True], 1.0)
    # Without knowing how sure they are, the first.
    assert score_by_rules([worse, ONE], [ONE], WINDOW, LIBRARY).kept.tolist() == [True, False]


def test_a_copy_of_a_copy_is_of_the_same_group():
    later = ONE + 0.009
    latest = later + 0.009
    scored = score_by_rules([ONE, later, latest], [ONE], WINDOW, COMPETITION)
    assert scored.kept.tolist() == [True, False, False]
    # More than 10 ms apart they are not copies, were there not the one between.
    assert score_by_rules([ONE, latest], [ONE], WINDOW, COMPETITION).duplicates == 0


def test_duplicates_are_judged_by_a_millisecond_at_any_tolerance():
    # At no delay are three of ten within a millisecond, and at one all are within 10 ms.
    beside = ONE + 0.0022 * np.arange(-4.5, 5.5)
    for tolerance in (0.001, 0.005, 0.01):
        rules = COMPETITION.within(tolerance)
        assert score_by_rules([ONE, beside], [ONE], WINDOW, rules).duplicates == 0


def test_the_sum_of_f1_is_what_pairs_are_chosen_by():
    # The first fits both, the second the first true unit alone.
    both = np.concatenate([ONE, OTHER[:6]])
    scored = score_by_rules([both, ONE[:7] + 0.03], [ONE, OTHER], WINDOW, COMPETITION)
    assert scored.true.tolist() == [1, 0]
    assert scored.f1.tolist() == pytest.approx([2 * 6 / 24, 2 * 7 / 17])


def test_chance_is_the_f1_of_wrong_units():
    scored = score_by_rules([ONE], [ONE, OTHER, ONE[:5]], WINDOW, COMPETITION)
    alone = [
        score_by_rules([ONE], [wrong], WINDOW, dataclasses.replace(COMPETITION, least_f1=0)).f1[0]
        for wrong in (OTHER, ONE[:5])
    ]
    assert scored.chance[0] == pytest.approx(np.mean(alone))
    assert math.isnan(score_by_rules([ONE], [ONE], WINDOW, COMPETITION).chance[0])


# Edges


def test_units_without_a_firing_in_the_window_are_none():
    padded = np.array([[0.1, 0.2, np.nan], [-0.1, 1.2, np.nan], [np.nan] * 3])
    scored = score_by_rules(padded, padded, (0.0, 1.0), COMPETITION)
    assert scored.kept.tolist() == [True, False, False]
    assert (scored.units, scored.recall, scored.precision, scored.duplicates) == (1, 1, 1, 0)
    assert scored.true.tolist() == [0, -1, -1]


def test_a_method_that_gives_no_firings_finds_nothing():
    for found in ([], [[]], np.full((3, 0), np.nan), np.full((2, 4), np.nan)):
        row = to_row(score_at_tolerances(found, [ONE, OTHER], WINDOW, COMPETITION))
        assert row["rules_recall"] == row["rules_score"] == row["rules_duplicates"] == 0
        assert math.isnan(row["rules_precision"])
        assert math.isnan(row["rules_f1_5ms"])
    nothing = score_by_rules([], [], WINDOW, COMPETITION)
    assert (nothing.recall, nothing.precision, nothing.score) == (1, 1, 0)
    assert math.isnan(score_by_rules([ONE], [], WINDOW, COMPETITION).recall)


def test_the_windows_start_is_where_time_begins():
    here = score_by_rules([ONE], [ONE, OTHER], WINDOW, COMPETITION)
    moved = score_by_rules([ONE + 3], [ONE + 3, OTHER + 3], (3.0, 4.05), COMPETITION)
    np.testing.assert_array_equal(here.f1, moved.f1)


def test_rules_have_names(refused):
    assert rules_named("munitquest") is COMPETITION
    with refused("rules: found 'emg'", "wanted one of munitquest, muniverse"):
        rules_named("emg")
    with refused("window: found 1.0 to 1.0 s"):
        score_by_rules([ONE], [ONE], (1, 1), COMPETITION)


# Against a slow, obvious version of what the library does


def slow(found, true, duration, rules):
    """Dense trains in bins, every delay, a loop over pairs; the pairing of SciPy."""

    def binned(instants, rate):
        row = np.zeros(int(np.ceil(duration * rate)) + 1, int)
        row[np.round(instants * rate).astype(int)] = 1
        return row

    def delay(one, other, rate, bound):
        most = int(bound * rate)
        one, other = binned(one, rate), binned(other, rate)
        lags = sorted(range(-most, most + 1), key=lambda lag: (abs(lag), lag))
        worth = []
        for lag in lags:
            moved = np.zeros_like(one)
            low, high = max(lag, 0), min(len(one) + lag, len(one))
            moved[low:high] = other[low - lag : high - lag]
            worth.append((one * moved).sum())
        return lags[int(np.argmax(worth))] / rate

    def common(one, other, tolerance):
        i = j = matched = 0
        while i < len(one) and j < len(other):
            if abs(one[i] - other[j]) <= tolerance:
                i, j, matched = i + 1, j + 1, matched + 1
            elif one[i] < other[j]:
                i += 1
            else:
                j += 1
        return matched

    labels = list(range(len(found)))
    for i, one in enumerate(found):
        for j in range(i + 1, len(found)):
            late = delay(one, found[j], 2048, 0.01)
            if common(one, found[j] + late, 0.001) / max(len(one), len(found[j])) >= 0.3:
                labels[j] = labels[i]
    kept = [i for i, label in enumerate(labels) if label not in labels[:i]]
    f1 = np.zeros((len(kept), len(true)))
    for row, i in zip(f1, kept, strict=True):
        for j, other in enumerate(true):
            late = delay(found[i], other, rules.bin_rate, 0.1)
            n = common(found[i], other + late, rules.tolerance)
            row[j] = 2 * n / (len(found[i]) + len(other))
    wanted = {
        kept[i]: (j, f1[i, j]) for i, j in zip(*linear_sum_assignment(1 - f1), strict=True)
        if f1[i, j] >= rules.least_f1
    }  # fmt: skip
    return kept, wanted


@pytest.mark.parametrize("seed", range(12))
def test_scores_are_those_of_a_slow_version(seed):
    random = np.random.default_rng(seed)
    duration = random.uniform(0.6, 2)
    true = [train(random, random.uniform(6, 25), duration) for _ in range(random.integers(2, 5))]
    found = []
    for one in true:
        for _ in range(random.integers(0, 3)):  # now and then a copy, or none
            some = one[random.random(one.size) < random.uniform(0.5, 1)]
            some = some + random.uniform(-0.03, 0.03) + random.normal(0, 4e-4, some.size)
            found.append(np.sort(some[(some > 0) & (some < duration)]))
    found.append(train(random, 12, duration))
    rules = COMPETITION.within(0.005) if seed % 3 == 2 else COMPETITION
    kept, wanted = slow(found, true, duration, rules)
    scored = score_by_rules(found, true, (0.0, duration), rules)
    assert np.flatnonzero(scored.kept).tolist() == kept
    pairs = {i: (j, f1) for i, (j, f1) in enumerate(zip(scored.true, scored.f1, strict=True))
             if j >= 0}  # fmt: skip
    assert pairs.keys() == wanted.keys()
    for place, (unit, f1) in pairs.items():
        assert (unit, f1) == (wanted[place][0], pytest.approx(wanted[place][1]))
    assert scored.score == pytest.approx(sum(f1 for _, f1 in wanted.values()))
