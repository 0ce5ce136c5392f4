"""What a validation scores, and which checkpoint it would keep."""

import math

import numpy as np
import pytest

from musim.datasets import open_store
from musim.training.translation.domains import Domains
from musim.training.translation.metrics import (
    AlarmSettings,
    FeatureSettings,
    compare,
    cross_correlate,
    measure,
)
from musim.training.translation.validation import NAMES, HeldOut, check_held_out, score_of

ALARMS = AlarmSettings()
FOUND = {
    "histogram_distance": 0.3,
    "histogram_correlation": 0.6,
    "k_space_similarity": 0.5,
    "spectrum_correlation": 0.8,
    "cross_correlation": 0.95,
    "lag": 3.0,
    "inverted": 0.05,
    "checkerboard": math.nan,
    "agreement": math.nan,
}
MEAN = (0.7 + 0.6 + 0.5 + 0.8) / 4


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, MEAN),
        ({"lag": math.nan}, MEAN),
        ({"cross_correlation": 0.9}, MEAN),
        ({"cross_correlation": 0.85}, MEAN - 0.5),
        ({"inverted": 0.2}, MEAN - 1),
        ({"cross_correlation": 0.8, "inverted": 0.2}, MEAN - 2),
        ({"cross_correlation": math.nan}, math.nan),
        *(({name: math.nan}, math.nan) for name in list(FOUND)[:4]),
    ],
)
def test_the_score_is_the_mean_likeness_less_what_is_lost(changes, wanted):
    found = score_of({**FOUND, **changes}, 0.9, ALARMS)
    assert found == pytest.approx(wanted, nan_ok=True)


def test_a_faithful_checkpoint_goes_before_any_that_is_not():
    perfect = dict(zip(list(FOUND)[:4], (0.0, 1.0, 1.0, 1.0), strict=True))
    poor = dict(zip(list(FOUND)[:4], (1.0, 0.0, 0.0, 0.0), strict=True))
    unfaithful = score_of({**FOUND, **perfect, "cross_correlation": 0.79}, 0.9, ALARMS)
    inverted = score_of({**FOUND, **perfect, "inverted": 0.9}, 0.9, ALARMS)
    faithful = score_of({**FOUND, **poor}, 0.9, ALARMS)
    assert faithful > unfaithful
    assert faithful >= inverted


@pytest.fixture(scope="module")
def held_out(domains):
    return HeldOut(domains, 5)


def test_measures_are_those_of_the_table(held_out, domains):
    """An obvious version: pair by pair, sequence by sequence."""
    a, b = domains.stores
    settings = FeatureSettings()
    seen = []

    def change(before, index):
        seen.append(index)
        assert before.dtype == np.float32
        return before * 2 + np.roll(before, 1, axis=0) + np.float32(0.1)

    found = held_out.score(change, 0.9)
    assert tuple(found) == NAMES
    assert seen == [2, 7]
    after = {i: change(a.tvi(i), i) for i in (2, 7)}
    for name in list(FOUND)[:4]:
        pairs = [
            compare([measure(after[i], 200, settings)], [measure(b.tvi(j), 200, settings)],
                    settings)[name].item()
            for i in (2, 7) for j in (2, 7)
        ]  # fmt: skip
        assert found[name] == pytest.approx(np.mean(pairs)), name
    maxima = [np.nanmean(cross_correlate(a.tvi(i), after[i], 200, settings.lag).maximum)
              for i in (2, 7)]  # fmt: skip
    assert found["cross_correlation"] == pytest.approx(np.mean(maxima))
    assert found["inverted"] == 0
    assert found["agreement"] > 0.5
    assert math.isnan(found["checkerboard"])  # images are too small to tell
    assert found["score"] == pytest.approx(score_of(found, 0.9, ALARMS))


def test_leaving_sequences_alone_keeps_them_and_turning_them_is_found(held_out):
    same = held_out.score(lambda before, index: before, 0.9)
    assert same["cross_correlation"] == pytest.approx(1)
    assert same["lag"] == same["inverted"] == 0
    turned = held_out.score(lambda before, index: -before, 0.9)
    assert turned["inverted"] == pytest.approx(1)
    assert turned["score"] < same["score"] - 1
    assert turned["agreement"] < same["agreement"]


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_translations_that_are_not_finite_or_still_score_nan(held_out, value):
    def fail(before, index):
        return before if index == 2 else np.full_like(before, value)

    found = held_out.score(fail, 0.9)
    assert tuple(found) == NAMES
    assert all(math.isnan(each) for each in found.values())


def test_recordings_without_truth_are_scored_without_agreement(domains, recorded):
    found = HeldOut(Domains(str(recorded), domains.b), 1).score(lambda x, index: x, 0.9)
    assert math.isnan(found["agreement"])
    assert math.isfinite(found["score"])


def test_of_longer_sequences_the_first_frames_are_compared(domains, make_store):
    longer = make_store("longer", frames=60, seed=3)
    b = open_store(longer)
    found = HeldOut(Domains(domains.a, str(longer)), 1)
    assert np.array_equal(
        found.experimental[0].spectrum, measure(b.tvi(2)[:48], 200.0, FeatureSettings()).spectrum
    )
    for pair in ((domains.a, str(longer)), (str(longer), domains.b)):
        seen = []
        score = HeldOut(Domains(*pair), 1).score(lambda x, i, s=seen: s.append(len(x)) or x, 0.9)
        assert seen == [48]
        assert math.isfinite(score["score"])
        assert math.isfinite(score["agreement"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": (12, 32), "size": (12.0, 32.0)}, "12 x 32 px, wanted 15"),
        ({"frames": 8}, "found 2 frequencies from 5 to 50 Hz in 8 frames"),
    ],
)
def test_what_cannot_be_compared_is_told_before(make_store, changes, words, refused):
    pair = [make_store(f"{name}-{next(iter(changes))}", sequences=4, seed=seed, **changes)
            for seed, name in enumerate(("small", "tiny"))]  # fmt: skip
    with refused(words) as caught:
        check_held_out(Domains(*map(str, pair)))
    assert str(pair[0]) in str(caught.value)
