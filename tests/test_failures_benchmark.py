"""What the benchmark of failures calls a train that is no unit's, and how it divides units."""

import numpy as np
import pytest

from benchmarks.failures import fates, invention, share_of, thirds


@pytest.fixture(scope="module")
def courses():
    return np.random.default_rng(0).standard_normal((5, 800)).astype(np.float32)


def test_inventions_are_told_apart(courses):
    first, second, third, body, other = courses
    units = np.stack([first, second, third])
    told = [
        invention(train, units, body[None], 400.0)
        for train in (-first, first + second + third, first + 2 * body, other)
    ]
    assert told == ["copy", "joined", "body", "other"]
    assert invention(other, units, body[None][:0], 400.0) == "other"


def test_units_that_can_be_seen_are_divided_into_thirds():
    rows = [{"size": float(value), "seen": float(value < 9)} for value in range(12)]
    middles, parts = thirds(rows, "size")
    assert middles.tolist() == [1, 4, 7]
    assert [part.sum() for part in parts] == [3, 3, 3]
    assert not any(part[9:].any() for part in parts)


def test_fates_are_counted_by_kind_and_method():
    true = [
        {"kind": "hard", "method": "ica", "fate": fate, "seen": float(fate != "unseen")}
        for fate in ("found", "found", "missed", "joined", "unseen")
    ]
    line = fates(true, [{"kind": "hard", "method": "ica", "what": "body"}]).splitlines()[-1]
    assert line == "| hard | `ica` | 5 | 0.40 | 0.80 | 0.50 | 1 | 1 | 1 | 0.67 | 0 | 0 | 1 | 0 |"
    assert share_of(np.array([True, False])) == (0.5, pytest.approx(0.5 / np.sqrt(2)))
