"""An exact simulation of echoes, for tests of the chain that images them."""

import math

import numpy as np
import pytest


def _exact_rf(acquisition, scatterers, samples, bandwidth=0.5):
    """Return the echoes of points, float64 (frame, angle, element, sample).

    Each wave is a plane that passes its first element at time 0; each element hears each point
    after the way back, undamped. The pulse is a Gaussian's, of `bandwidth` (-6 dB, as a share of
    the centre frequency), with its middle at its time of arrival.

    `scatterers` is float64 (frame, scatterer, 3): depth, mm, width, mm, and amplitude.
    """
    probe, speed = acquisition.probe, 1000 * acquisition.sound_speed
    frequency = acquisition.centre_frequency
    spread = math.sqrt(2 * math.log(2)) / (math.pi * bandwidth * frequency)
    places = probe.pitch * (np.arange(probe.elements) - (probe.elements - 1) / 2)
    samples = np.arange(samples) / acquisition.sampling_frequency
    angles = acquisition.waves.angles
    rf = np.zeros((len(scatterers), len(angles), probe.elements, len(samples)))
    for frame, points in enumerate(scatterers):
        for wave, angle in enumerate(angles):
            times = acquisition.first_sample_times[wave] + samples
            first = places[0] if angle > 0 else places[-1]
            for depth, width, amplitude in points:
                out = depth * math.cos(angle) + (width - first) * math.sin(angle)
                back = np.hypot(depth, width - places)
                late = times - (out + back)[:, None] / speed
                echo = np.exp(-((late / spread) ** 2) / 2) * np.cos(2 * np.pi * frequency * late)
                rf[frame, wave] += amplitude * echo
    return rf


@pytest.fixture(scope="session")
def exact_rf():
    """Return the function that simulates echoes; see its docstring."""
    return _exact_rf
