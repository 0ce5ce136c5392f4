"""Fused states: the least squares by hand, the limits, and a drift that is gone."""

import math

import numpy as np
import pytest

from musim.training.state.fusing import Trust, best_trust, fused


def slowly(states, changes, trust):
    """Return the same by a dense system, one equation for each thing that is told."""
    count = len(states)
    rows, wanted, weights = [np.eye(count)], [states], [np.full(count, 1 / trust.state_error)]
    rows.append(np.diff(np.eye(count), axis=0))
    wanted.append(changes)
    weights.append(np.ones(count - 1))
    if math.isfinite(trust.wandering) and count > 2:
        rows.append(np.diff(np.eye(count), n=2, axis=0))
        wanted.append(np.zeros(count - 2))
        weights.append(np.full(count - 2, 1 / trust.wandering))
    root = np.sqrt(np.concatenate(weights))
    return np.linalg.lstsq(
        root[:, None] * np.concatenate(rows), root * np.concatenate(wanted), rcond=None
    )[0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("trust", [Trust(), Trust(100), Trust(0.3, 0.1), Trust(1e4, 1e-3)])
def test_fused_states_are_the_least_squares(count, trust):
    random = np.random.default_rng(count)
    states, changes = random.normal(size=count), random.normal(size=count - 1)
    np.testing.assert_allclose(
        fused(states, changes, trust), slowly(states, changes, trust), rtol=1e-6, atol=1e-9
    )


def test_states_that_are_never_believed_leave_the_sum_of_changes():
    changes = np.array([1.0, 2.0, -1.0])
    found = fused([5, 5, 5, 5], changes, Trust(1e9))
    np.testing.assert_allclose(np.diff(found), changes, atol=1e-6)
    assert found.mean() == pytest.approx(5)


def walk(seed):
    """Return true states, and states and changes that are told of them, of 2,000 frames."""
    random = np.random.default_rng(seed)
    true = 3 * np.sin(np.arange(2000) / 40)
    states = true + random.normal(0, 0.8, 2000)
    changes = np.diff(true) + random.normal(0, 0.05, 1999)
    return true, states, changes


def test_what_drifts_and_what_is_noisy_make_what_is_neither():
    true, states, changes = walk(0)
    # What trust is best is found on one, and used on another.
    trust = best_trust([(states, changes)], [true])
    true, states, changes = walk(1)
    errors = {
        "fused": fused(states, changes, trust) - true,
        "states": states - true,
        "summed": np.concatenate([[0], np.cumsum(changes)]) - true + true[0],
    }
    spread = {name: float(np.std(each)) for name, each in errors.items()}
    assert spread["fused"] < 0.25 * min(spread["states"], spread["summed"])
    assert np.std(np.diff(errors["fused"])) < 0.25 * 0.05


def test_the_best_trust_is_that_of_the_errors_there_are():
    # Without wandering the best is the ratio of both errors' variances, 0.8^2 / 0.05^2 = 256.
    true, states, changes = walk(2)
    tried = [(10 ** (each / 4), math.inf) for each in range(0, 20)]
    best = best_trust([(states, changes)], [true], tried)
    assert 256 / 3 < best.state_error < 256 * 3
