"""The noise of the quick experiment has the power and the colour that the whole chain gives it."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import PRESETS, Parameters, Range, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import colour, draw_recording, render_recording
from musim.simulator.experiment.recording import simulate
from musim.simulator.experiment.residual import CHOICE, chosen_noise

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(1, 1), "pixels": (32, 32), "size": (20.0, 20.0),
    "frames": 640, "displacement": Range(1e-3, 1e-3),
})  # fmt: skip
STILL = Doses(
    thermal_noise=Range(0.01, 0.01), image=(128, 64), artery=Range(0, 0), drift=Range(0, 0),
    breathing=Range(0, 0),
)  # fmt: skip
INSIDE = slice(192, -192)


@pytest.fixture(scope="module")
def noises():
    """Noise of the whole experiment, and of the quick one, of tissue that all but stands still."""
    truth = draw(PARAMETERS, doses=STILL, seed=5)
    recording = draw_recording(PARAMETERS, STILL, truth, seed=5)
    quick = render_recording(recording, colour(PARAMETERS, STILL))
    return simulate(PARAMETERS, STILL, truth, seed=5), quick


def test_noise_is_as_strong_at_each_depth_and_fade(noises):
    full, quick = (noise[INSIDE].std(axis=0) for noise in noises)
    for part in range(0, 32, 8):
        rows = slice(part, part + 8)
        ratio = (quick[rows] ** 2).mean() / (full[rows] ** 2).mean()
        assert ratio == pytest.approx(1, abs=0.12)
    assert np.corrcoef(np.log(full).ravel(), np.log(quick).ravel())[0, 1] > 0.9


def test_noise_is_as_alike_at_neighbours(noises):
    for full, quick in [[noise[INSIDE] / noise[INSIDE].std(axis=0) for noise in noises]]:
        for move in [(0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 0, 2), (0, 1, 1)]:
            kept = tuple(slice(-step or None) for step in move)
            moved = tuple(slice(step, None) for step in move)
            found = (quick[kept] * quick[moved]).mean()
            assert found == pytest.approx((full[kept] * full[moved]).mean(), abs=0.06)


def test_noise_has_the_same_spectrum(noises):
    window = np.hanning(256)[:, None, None]
    powers = [(np.abs(np.fft.rfft(noise[INSIDE] * window, axis=0)) ** 2).mean((1, 2))
              for noise in noises]  # fmt: skip
    frequency = np.fft.rfftfreq(256, 1 / 512)
    shares = [[power[(frequency >= low) & (frequency < high)].sum() / power.sum()
               for low, high in [(0, 12), (12, 25), (25, 40), (40, 55), (55, 300)]]
              for power in powers]  # fmt: skip
    np.testing.assert_allclose(shares[0], shares[1], atol=0.05)


def test_noise_is_as_strong_at_the_ends(noises):
    for noise in noises:
        power = (noise.astype(float) ** 2).mean(axis=(1, 2))
        inside = power[INSIDE].mean()
        for side in (power, power[::-1]):
            # For 6 ms the outermost image's displacement is taken for one that stays.
            assert side[:3].mean() < 6 * inside
            assert side[3:24].mean() == pytest.approx(inside, rel=0.25)
            assert side[24:100].mean() == pytest.approx(inside, rel=0.15)


def test_noise_grows_where_the_median_chooses():
    shade = colour(PARAMETERS, STILL)
    noise = np.full((2, 3, 3), 1e-4, np.float32)
    courses = np.sin(np.arange(512) / 9)[None].astype(np.float32)
    maps = np.zeros((1, 3, 3), np.float32)
    base, slope, least = CHOICE
    still = np.sqrt(base) * noise
    np.testing.assert_allclose(chosen_noise(noise, maps, courses, shade), still, rtol=1e-4)
    maps[:] = 1
    noisy = (shade.power * 1e-8).sum()
    more = np.sqrt(base + slope * np.log1p(courses.var() / (least * noisy)))
    np.testing.assert_allclose(chosen_noise(noise, maps, courses, shade), more * noise, rtol=1e-4)


def test_noise_is_none_without_a_dose():
    quiet = dataclasses.replace(STILL, thermal_noise=Range(0, 0))
    truth = draw(PARAMETERS, doses=quiet, seed=6)
    assert not draw_recording(PARAMETERS, quiet, truth, seed=6).noise_map.any()
