"""The paper's signals: equation 1 and its rules, as written."""

import math

import numpy as np
import pytest

from musim.simulator.calf.tasks import PEDAL, SHOWN, TASKS, Protocol, bases, drive_signal

TIMES = np.arange(18000) / 100


def slowly(second, period):
    """Return a signal at one instant, by the paper's two rules, told off from the beginning."""
    usual = "a"
    between, c_is_on, elapsed = 0.0, False, 0.0
    while True:
        if between + period > second:
            break
        between += period
        usual = "b" if usual == "a" else "a"
    while elapsed + 3 * period <= second:
        elapsed += 3 * period
        c_is_on = not c_is_on
    t, pi = second, math.pi
    if c_is_on:
        return math.sin(math.sin(t * pi / 30 - pi / 2) * 30 * pi - pi / 2)
    return math.sin((0.4 if usual == "a" else 0.5) * t * pi - pi / 2)


@pytest.mark.parametrize("period", [SHOWN, PEDAL])
def test_signals_are_those_of_the_rules(period):
    wanted = [slowly(second, period) for second in TIMES.tolist()]
    np.testing.assert_allclose(drive_signal(TIMES, period), wanted, atol=1e-12)


def test_bases_have_their_frequencies():
    times = np.arange(60000) / 1000
    for base, frequency in zip(bases(times)[:2], (0.2, 0.25), strict=True):
        power = np.abs(np.fft.rfft(base)) ** 2
        assert power.argmax() / 60 == frequency
        assert power.max() / power.sum() > 0.999


def test_base_c_goes_up_to_half_pi_hertz_and_back():
    times = np.arange(30000) / 1000
    base = bases(times)[2]
    crossed = times[np.flatnonzero(np.diff(np.sign(base)))]
    assert len(crossed) == 60  # its phase goes through 60 pi in 30 s
    frequency = 0.5 / np.diff(crossed)
    assert frequency.max() == pytest.approx(math.pi / 2, rel=0.01)
    assert crossed[frequency.argmax()] == pytest.approx(15, abs=2)
    assert frequency[[0, -1]].max() < 0.6
    np.testing.assert_allclose(base[1:], base[:0:-1], atol=1e-9)


def test_signals_correlate_as_little_as_the_paper_says():
    # 0.33 there; 0.31 of its equation and rules.
    shown, pedal = drive_signal(TIMES, SHOWN), drive_signal(TIMES, PEDAL)
    assert np.corrcoef(shown, pedal)[0, 1] == pytest.approx(0.308, abs=0.005)


def test_the_pedal_never_jumps_and_what_is_shown_does_where_b_begins():
    jumps = [
        TIMES[1:][np.abs(np.diff(drive_signal(TIMES, period))) > 0.5].tolist()
        for period in (SHOWN, PEDAL)
    ]
    assert jumps == [[10, 70, 130], []]
    for period in (SHOWN, PEDAL):
        assert np.abs(drive_signal(TIMES, period)).max() <= 1
        assert drive_signal(TIMES, period)[0] == -1


def test_tasks_are_the_three_of_the_paper():
    assert {name: (task.contracts, task.rotates) for name, task in TASKS.items()} == {
        "isometric": (True, False), "passive": (False, True), "combined": (True, True),
    }  # fmt: skip


def test_trials_take_190_seconds():
    protocol = Protocol()
    assert len(protocol.times) == 190_000
    assert protocol.times[[0, 10_000]].tolist() == [-10, 0]
    assert protocol.step == 40
    assert protocol.angle_of(np.array([-1.0, 1.0])).tolist() == pytest.approx([3.1, -9.3])


def test_frames_between_samples_are_refused(refused):
    assert Protocol(frame_rate=50).step == 20
    with refused("frame_rate: found 30 Hz", "wanted one that divides the 1000 Hz"):
        Protocol(frame_rate=30)
