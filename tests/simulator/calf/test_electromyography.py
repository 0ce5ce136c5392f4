"""EMG is noise as strong as the drive, and its amplitude tells that without delay."""

import numpy as np
import pytest

from musim.simulator.calf.electromyography import BAND, amplitude, electromyogram

RATE = 1000.0


def emg_of(excitation, gain=0.1, noise=0.0):
    return electromyogram(excitation, gain, noise, RATE, np.random.default_rng(0))


@pytest.mark.parametrize("drive", [0.05, 0.4])
def test_rectified_emg_is_as_strong_as_the_drive(drive):
    emg = emg_of(np.full(100_000, drive))
    assert np.abs(emg).mean() == pytest.approx(0.1 * drive, rel=0.02)
    assert emg.mean() == pytest.approx(0, abs=0.002 * drive)
    assert np.abs(emg).std() / np.abs(emg).mean() == pytest.approx(np.sqrt(np.pi / 2 - 1), rel=0.02)


def test_emg_lies_in_its_band():
    power = np.abs(np.fft.rfft(emg_of(np.ones(100_000)))) ** 2
    frequency = np.fft.rfftfreq(100_000, 1 / RATE)
    within = (frequency > BAND[0]) & (frequency < BAND[1])
    assert power[within].sum() / power.sum() > 0.96
    assert power[frequency < BAND[0] / 4].mean() < 0.02 * power[within].mean()


def test_a_relaxed_muscle_has_noise_alone():
    emg = emg_of(np.zeros(50_000), noise=2e-4)
    assert emg.std() == pytest.approx(2e-4, rel=0.02)
    assert not emg_of(np.zeros(100)).any()


def test_amplitude_follows_without_delay():
    times = np.arange(100_000) / RATE
    drive = 0.2 * (1 + np.sin(2 * np.pi * 0.5 * times))
    seen = amplitude(emg_of(drive), 6.0, RATE)
    lags = range(-40, 41)
    agree = [np.corrcoef(np.roll(drive, each), seen)[0, 1] for each in lags]
    assert abs(lags[int(np.argmax(agree))]) <= 8
    assert max(agree) > 0.97


def test_amplitude_ends_as_it_goes_on():
    emg = emg_of(np.full(4000, 0.2)).reshape(-1, 200)  # 20 contractions of a fifth of a second
    seen = np.array([amplitude(each, 6.0, RATE) for each in emg])
    for end in (seen[:, 0], seen[:, -1]):
        assert end.mean() == pytest.approx(0.02, rel=0.1)
        assert end.std() < 0.006


def test_half_of_the_amplitude_is_left_at_the_cutoff():
    times = np.arange(20_000) / RATE
    seen = amplitude(1 + 0.5 * np.sin(2 * np.pi * 6 * times), 6.0, RATE)[5000:15000]
    assert np.ptp(seen) / 2 == pytest.approx(0.25, rel=1e-3)
    assert seen.mean() == pytest.approx(1, rel=1e-3)
