"""From drive and angle to torque at the ankle."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def activate(
    excitation: NDArray[np.float64], rise: float, fall: float, sample_rate: float
) -> NDArray[np.float64]:
    """Return activation: it follows the drive, and rises faster than it falls.

    ``da/dt = (u - a) / tau``, with tau the rise where u > a (Thelen 2003, doi:10.1115/1.1531112,
    without the factors by which tau depends on a); exact for a drive that stays the same from one
    sample to the next.

    Parameters
    ----------
    excitation : float64 array of shape (sample,)
        0..1.
    rise, fall : float
        Time constants, s.
    sample_rate : float
        Hz.

    Returns
    -------
    float64 array of shape (sample,)
        0 at the first sample.
    """
    up, down = (-math.expm1(-1 / (tau * sample_rate)) for tau in (rise, fall))
    active, course = 0.0, [0.0]
    for drive in excitation[:-1].tolist():
        missing = drive - active
        active += missing * (up if missing > 0 else down)
        course.append(active)
    return np.array(course)


def elastic_torque(
    angle: NDArray[np.float64], stiffness: float, growth: float, slack: float
) -> NDArray[np.float64]:
    """Return the torque of the relaxed calf, which grows exponentially with the angle, N m.

    Parameters
    ----------
    angle : float64 array
        deg.
    stiffness : float
        At 0 deg, N m/deg.
    growth : float
        Rotation in which stiffness grows e-fold, deg.
    slack : float
        Angle up to which there is no torque, deg.
    """
    taut = np.maximum(angle, slack)
    return stiffness * growth * (np.exp(taut / growth) - math.exp(slack / growth))


def short_range_torque(
    angle: NDArray[np.float64], drawn: Mapping[str, float], sample_rate: float
) -> NDArray[np.float64]:
    """Return the torque that depends on where the ankle has come from, N m.

    It is a friction that begins as a spring: ``df = (k m dx) - |dx| f / r``, with k the short-range
    stiffness, r the short range and m the share of bonds that are whole; so after a turn the torque
    nears ``k m r`` exponentially (the model of Dahl 1976, doi:10.2514/3.61511). Bonds break by
    motion of the short range, and come back in time: what rest does to a muscle.

    Parameters
    ----------
    angle : float64 array of shape (sample,)
        deg; still before the first.
    drawn : mapping of str to float
        A participant's: ``short_range_stiffness``, ``short_range``, ``thixotropy``, ``recovery``.
    sample_rate : float
        Hz.
    """
    reach = drawn["short_range"]
    highest = drawn["short_range_stiffness"] * reach
    loss, back = drawn["thixotropy"], -math.expm1(-1 / (drawn["recovery"] * sample_rate))
    turned = np.diff(angle)
    # With bonds of 1 - loss where motion breaks them all, and 1 where none.
    remains = np.exp(-np.abs(turned) / reach).tolist()
    torque, whole, course = 0.0, 1.0, [0.0]
    for step, kept in zip(turned.tolist(), remains, strict=True):
        limit = math.copysign(highest * (1 - loss + loss * whole), step)
        torque = limit + (torque - limit) * kept
        whole = whole * kept
        whole += (1 - whole) * back
        course.append(torque)
    return np.array(course)
