"""Signal equations against closed forms, limits, and spins that are turned one by one."""

import numpy as np
import pytest

from musim.simulator.resonance import signals


def test_a_gradient_echo_has_most_signal_at_ernsts_angle():
    angles = np.linspace(0.5, 90, 3581)
    for t1 in (371.0, 1420.0, 3620.0):
        echo = signals.spoiled_gradient_echo(t1, 25, 13.5, 6, angles)
        assert angles[np.argmax(echo)] == pytest.approx(signals.ernst_angle(t1, 13.5), abs=0.03)
        # What the greatest is, in closed form.
        rest = np.exp(-13.5 / t1)
        most = np.sqrt((1 - rest) / (1 + rest)) * np.exp(-6 / 25)
        assert echo.max() == pytest.approx(most, rel=1e-5)


def test_a_gradient_echo_is_the_steady_state_of_repeated_pulses():
    t1, tr, flip = 900.0, 13.5, 10.0
    along, angle = 1.0, np.radians(flip)
    for _ in range(1000):
        transverse, along = along * np.sin(angle), along * np.cos(angle)
        along = 1 + (along - 1) * np.exp(-tr / t1)
    found = signals.spoiled_gradient_echo(t1, 20, tr, 6, flip)
    assert found == pytest.approx(transverse * np.exp(-6 / 20), rel=1e-9)


def test_limits_of_long_repetition_and_no_echo_time():
    assert signals.spoiled_gradient_echo(500, 25, 1e6, 0, 90) == pytest.approx(1)
    assert signals.spoiled_gradient_echo(500, 25, 1e6, 25, 30) == pytest.approx(0.5 / np.e)
    echo = signals.fast_spin_echo(500, 50, tr=1e6, te=0, spacing=4, refocusing=60, train=0)
    assert echo == pytest.approx(1)
    echo = signals.fast_spin_echo(500, 50, tr=500, te=100, spacing=4, refocusing=180, train=0)
    assert echo == pytest.approx(np.exp(-2) * (1 - np.exp(-1)))


def test_refocusing_by_half_a_turn_leaves_t2_alone():
    train = signals.echo_train(1420, 31.7, 4, 20, 180)
    assert train == pytest.approx(np.exp(-4 * np.arange(1, 21) / 31.7))


@pytest.mark.parametrize("refocusing", [60, 110, 180])
def test_echoes_are_those_of_spins_turned_one_by_one(refocusing):
    t1, t2, spacing, echoes = 800.0, 60.0, 5.0, 12
    turns = 2 * np.pi * np.arange(64) / 64  # of spins over half a spacing
    spins = np.zeros((3, 64))
    spins[0] = 1  # excited: along x, the axis of the pulses

    def wait(spins):
        x, y, z = spins
        decay = np.exp(-spacing / 2 / t2)
        return np.array([
            decay * (x * np.cos(turns) - y * np.sin(turns)),
            decay * (x * np.sin(turns) + y * np.cos(turns)),
            z * np.exp(-spacing / 2 / t1),
        ])  # fmt: skip

    found = []
    for echo in range(echoes):
        angle = np.radians(90 + refocusing / 2 if echo == 0 else refocusing)
        x, y, z = wait(spins)
        spins = wait([
            x, y * np.cos(angle) - z * np.sin(angle), y * np.sin(angle) + z * np.cos(angle)
        ])  # fmt: skip
        found.append(spins[0].mean())
    assert signals.echo_train(t1, t2, spacing, echoes, refocusing) == pytest.approx(found)


def test_small_refocusing_angles_make_the_contrast_of_a_shorter_echo_time():
    whole, small = (signals.echo_train(1420, 31.7, 4, 32, angle)[-1] for angle in (180, 60))
    assert small > 3 * whole
    assert small < 1


def test_a_binomial_pulse_excites_water_and_not_fat():
    fat = signals.shift_of(signals.MAIN_PEAK, 3.0)
    assert fat == pytest.approx(-434.3, abs=0.1)
    assert signals.binomial_flip(10, 0, fat) == 10
    assert signals.binomial_flip(10, fat, fat) == pytest.approx(0)
    assert signals.binomial_flip(10, fat / 2, fat) == pytest.approx(5)
    # Three pulses of a quarter, a half and a quarter of the angle, turns of small angles added up.
    offset, wait = 130.0, 1 / (2 * abs(fat))
    pulses = sum(
        share * np.exp(2j * np.pi * offset * wait * number)
        for number, share in enumerate((0.25, 0.5, 0.25))
    )
    assert signals.binomial_flip(10, offset, fat) == pytest.approx(10 * abs(pulses))


def test_fat_has_a_spectrum_whose_lines_add_up():
    assert sum(share for _, share in signals.FAT_PEAKS) == pytest.approx(1, abs=0.002)
    asked = {"tr": 13.5, "te": 0.0, "flip": 10.0, "field": 3.0, "offset": [0.0, 60.0]}
    whole = signals.fat_gradient_echo(371, 30, excite_water=False, **asked)
    plain = signals.spoiled_gradient_echo(371, 30, 13.5, 0, 10)
    assert whole == pytest.approx(np.full(2, plain), rel=2e-3)
    water_alone = signals.fat_gradient_echo(371, 30, excite_water=True, **asked)
    assert abs(water_alone[0]) < 0.15 * plain
    # The main line is out of phase with water after half a turn of its own.
    asked["te"] = 0.5e3 / 434.3
    turned = signals.fat_gradient_echo(371, 1e9, excite_water=False, **asked)
    assert turned[0].real < -0.6 * plain


def test_shifts_grow_with_the_field():
    asked = {"tr": 13.5, "flip": 10.0, "excite_water": True}
    one = signals.fat_gradient_echo(371, 1e12, te=6, field=3, offset=[120.0], **asked)
    half = signals.fat_gradient_echo(371, 1e12, te=12, field=1.5, offset=[60.0], **asked)
    assert one == pytest.approx(half, rel=1e-6)


def test_a_line_is_excited_where_the_field_brings_it_to_the_frequency_of_water(monkeypatch):
    monkeypatch.setattr(signals, "FAT_PEAKS", ((-1.9, 1.0),))
    asked = {"tr": 13.5, "te": 0.0, "flip": 10.0, "field": 3.0, "excite_water": True}
    offset = 1.9 * signals.PROTON_FREQUENCY * 3
    there, back = signals.fat_gradient_echo(371, 30, offset=[offset, -offset], **asked)
    assert there == pytest.approx(signals.spoiled_gradient_echo(371, 30, 13.5, 0, 10))
    assert abs(back) < 0.5 * abs(there)
    water = signals.water_gradient_echo(900, 30, offset=[0.0, signals.shift_of(-3.4, 3)], **asked)
    assert water == pytest.approx([signals.spoiled_gradient_echo(900, 30, 13.5, 0, 10), 0])


def test_the_echo_nearest_to_the_echo_time_is_read():
    asked = {"tr": 1e9, "spacing": 4, "refocusing": 60, "train": 0}
    # 127 ms are 31.75 times 4 ms: 32 echoes, so far apart that the last one is there.
    found = signals.fast_spin_echo(1420, 31.7, te=127, **asked)
    assert found == pytest.approx(signals.echo_train(1420, 31.7, 127 / 32, 32, 60)[-1])
    assert signals.fast_spin_echo(500, 50, te=1, **asked) == pytest.approx(
        signals.echo_train(500, 50, 1, 1, 60)[0]
    )
    half = signals.fast_spin_echo(500, 50, te=0, tr=500, spacing=4, refocusing=60, train=250)
    assert half == pytest.approx(1 - np.exp(-0.5))
