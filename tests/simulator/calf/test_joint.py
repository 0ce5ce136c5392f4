"""Activation and torques, beside what they are in closed form."""

import math

import numpy as np
import pytest

from musim.simulator.calf.joint import activate, elastic_torque, short_range_torque

HISTORY = {"short_range_stiffness": 5.0, "short_range": 0.2, "thixotropy": 0.0, "recovery": 5.0}


def test_activation_rises_and_falls_exponentially():
    drive = np.zeros(3000)
    drive[100:1000] = 0.3
    active = activate(drive, 0.02, 0.06, 1000)
    since = np.arange(900) / 1000
    assert not active[:101].any()
    np.testing.assert_allclose(active[100:1000], 0.3 * -np.expm1(-since / 0.02), atol=1e-12)
    np.testing.assert_allclose(
        active[1000:], active[1000] * np.exp(-np.arange(2000) / 1000 / 0.06), atol=1e-12
    )


def test_elastic_torque_is_exponential_from_slack_on():
    angle = np.array([-30, -15, 0.0, 10.0])
    torque = elastic_torque(angle, 1.5, 10, -15)
    assert torque[:2].tolist() == [0, 0]
    np.testing.assert_allclose(torque[2:], 15 * (np.exp([0, 1]) - math.exp(-1.5)))
    slope = np.diff(elastic_torque(np.array([-1e-4, 1e-4]), 1.5, 10, -15)) / 2e-4
    assert slope == pytest.approx(1.5, rel=1e-6)
    # Elastic: the torque of a ramp there is the torque of the ramp back.
    ramp = np.linspace(-20, 5, 100)
    there, back = (elastic_torque(each, 1.5, 10, -15) for each in (ramp, ramp[::-1]))
    np.testing.assert_array_equal(there, back[::-1])


def test_a_rotation_begins_stiff_and_ends_in_friction():
    ramp = np.linspace(0, 4, 4001)
    torque = short_range_torque(ramp, HISTORY, 1000)
    np.testing.assert_allclose(torque, 1.0 * -np.expm1(-ramp / 0.2), atol=1e-12)
    assert torque[1] / ramp[1] == pytest.approx(5, rel=0.01)


def test_after_a_turn_it_begins_anew_from_where_it_was():
    angle = np.concatenate([np.linspace(0, 4, 4001), np.linspace(4, 3, 1001)[1:]])
    torque = short_range_torque(angle, HISTORY, 1000)
    np.testing.assert_allclose(torque[4001:], -1 + 2 * np.exp(-(4 - angle[4001:]) / 0.2), atol=1e-6)


def test_torque_depends_on_the_way_not_on_the_speed():
    slow, fast = (
        short_range_torque(np.concatenate([np.linspace(0, 1, n), np.linspace(1, 0.5, n)]), HISTORY,
                           1000)[-1]
        for n in (5000, 100)
    )  # fmt: skip
    assert slow == pytest.approx(fast, rel=1e-9)


def test_rest_gives_back_the_stiffness_that_motion_took():
    def stiffness_after(pause):
        moving = 3 * np.sin(2 * np.pi * np.arange(5000) / 1000)
        still = np.full(round(1000 * pause), moving[-1])
        angle = np.concatenate([moving, still, moving[-1] + np.linspace(0, 0.05, 50)[1:]])
        torque = short_range_torque(angle, {**HISTORY, "thixotropy": 0.5}, 1000)
        return (torque[-1] - torque[-50]) / 0.05

    # From nearly all bonds broken half of the stiffness is left; they come back in 5 s.
    never, some, whole = (stiffness_after(pause) for pause in (0.001, 5, 60))
    assert never < some < whole
    assert (some - never) / (whole - never) == pytest.approx(-np.expm1(-1), abs=0.1)
    first = short_range_torque(np.linspace(0, 0.05, 50), {**HISTORY, "thixotropy": 0.5}, 1000)
    assert first[1] / (0.05 / 49) == pytest.approx(5, rel=0.01)
    assert not short_range_torque(np.zeros(100), HISTORY, 1000).any()
