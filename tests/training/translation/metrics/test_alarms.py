"""Alarms: they fire at small faults and stay quiet without."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter

from musim.simulator import PRESETS, InputError, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.recording import simulate
from musim.training.translation.metrics import (
    AlarmSettings,
    checkerboard,
    cross_correlate,
    inverted_share,
)
from musim.training.translation.metrics.alarms import FLOOR, alarm_lines, isolated_peak

SETTINGS = AlarmSettings()


def board(shape, period):
    """A checkerboard of +1 and -1 whose period over either axis is 2, 4 or 8 px."""
    z, x = np.mgrid[: shape[0], : shape[1]]
    return np.where((z // (period // 2) + x // (period // 2)) % 2 == 0, 1.0, -1.0)


def analytic(seed, pixels=64, frames=128):
    parameters = Parameters(**{**PRESETS["ali-2022"], "pixels": (pixels, pixels), "frames": frames})
    return render(draw(parameters, seed=seed))


@pytest.fixture(scope="module")
def recorded():
    """A virtual recording, of half the paper's grid and an eighth of its length."""
    parameters = Parameters(**{**PRESETS["ali-2022"], "pixels": (64, 64), "frames": 128,
                               "units": Range(6, 6), "fat": Range(4, 4)})  # fmt: skip
    return simulate(parameters, Doses(), draw(parameters, doses=Doses(), seed=3), seed=3, index=0)


def smooth_translation(sequence, seed=0):
    """What a harmless generator might make: spread, textured, with some motion everywhere."""
    random = np.random.default_rng(seed)
    texture = 1 + 0.4 * gaussian_filter(random.normal(size=sequence.shape[1:]), 1.5) / 0.19
    noise = gaussian_filter(random.normal(size=sequence.shape), (4, 1, 1))
    spread = gaussian_filter(sequence, (0, 2, 2)) * texture
    return spread + 0.2 * spread.std() * noise / noise.std()


def test_turning_a_third_of_the_motion_is_a_third():
    before = analytic(1)
    variance = before.var(axis=0)
    moving = np.flatnonzero(variance > SETTINGS.motion * variance.mean())
    for share in (0.0, 0.3, 1.0):
        turned = moving[: round(share * len(moving))]
        after = 0.5 * before
        after.reshape(len(after), -1)[:, turned] *= -1
        # Half a period later turned motion meets the next one: lag 0 alone tells.
        found = inverted_share(cross_correlate(before, after, 512.0, 0.1), SETTINGS)
        assert found == pytest.approx(len(turned) / len(moving))
    # Motion that was still before does not count.
    noisy = before + 1e-3 * np.random.default_rng(0).normal(size=before.shape)
    assert inverted_share(cross_correlate(before, noisy, 512.0, 0.01), SETTINGS) == 0


def test_where_nothing_moves_nothing_is_known():
    still = cross_correlate(np.zeros((20, 4, 4)), analytic(1, 4, 20), 512.0, 0.01)
    assert math.isnan(inverted_share(still, SETTINGS))


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("kind", ["factor", "motion", "constant"])
def test_small_checkerboards_of_recordings_are_found(recorded, period, kind):
    pattern = board(recorded.shape[1:], period)
    sd = recorded.std()
    if kind == "factor":
        after = recorded * (1 + 0.1 * pattern)
    elif kind == "motion":
        wave = np.sin(2 * np.pi * 12 * np.arange(len(recorded)) / 512.0)
        after = recorded + 0.5 * sd * wave[:, None, None] * pattern
    else:
        after = recorded + 0.05 * sd * pattern
    found = checkerboard(after)
    assert found.strength > SETTINGS.checkerboard > 3 * checkerboard(recorded).strength
    assert found.period == (period, period)


def test_checkerboards_of_translations_are_found_and_their_absence_too():
    for seed in range(4):
        after = smooth_translation(analytic(seed), seed)
        assert checkerboard(after).strength < SETTINGS.checkerboard / 2
        # In one half of the image alone, where least moves.
        pattern = board(after.shape[1:], 4)
        pattern[:32] = 0
        found = checkerboard(after * (1 + 0.2 * pattern))
        assert found.strength > SETTINGS.checkerboard


def test_stripes_have_a_period_along_one_axis(recorded):
    stripes = np.where(np.arange(64) % 4 < 2, 1.15, 0.85)
    assert checkerboard(recorded * stripes).period == (math.inf, 4)
    assert checkerboard(recorded * stripes[:, None]).period == (4, math.inf)


@pytest.mark.parametrize(
    "make",
    [
        lambda image: image,
        lambda image: gaussian_filter(image, 1),
        lambda image: gaussian_filter(image, 3),
        lambda image: median_filter(image, 3),
        lambda image: uniform_filter(image, 4),
        lambda image: image * np.linspace(0, 5, 128) + 50 * np.linspace(0, 1, 128)[:, None] ** 2,
    ],
    ids=["white", "smooth", "smoother", "median", "box", "uneven"],
)
def test_noise_raises_no_alarm(make):
    random = np.random.default_rng(7)
    strengths = [isolated_peak(make(random.normal(size=(128, 128)))).strength for _ in range(40)]
    assert max(strengths) < SETTINGS.checkerboard
    assert np.median(strengths) < SETTINGS.checkerboard / 5


def test_layers_of_tissue_raise_no_alarm():
    # Their power lies on the axis kx = 0, far above all that is beside it.
    for seed in range(10):
        random = np.random.default_rng(seed)
        layers = gaussian_filter(random.normal(size=(128, 1)), (1, 0))
        image = 3 * layers + 0.1 * random.normal(size=(128, 128))
        assert isolated_peak(image).strength < SETTINGS.checkerboard / 2


def test_simulated_maps_raise_no_alarm():
    parameters = Parameters(**{**PRESETS["ali-2022"], "pixels": (128, 128), "frames": 64})
    for mask in ("hard", "soft"):
        changed = dataclasses.replace(parameters, mask=mask)
        for index in range(15):
            truth = draw(changed, seed=5, index=index)
            spread = np.cov(truth.twitch_train).reshape(truth.unit_count, -1)
            variance = np.einsum("uzx,uv,vzx->zx", truth.territory, spread, truth.territory,
                                 optimize=True)  # fmt: skip
            image = np.log(FLOOR + np.maximum(variance / variance.mean(), 0))
            assert isolated_peak(image).strength < SETTINGS.checkerboard / 2


@settings(max_examples=20)
@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_scale_and_level_have_no_influence(scale, level):
    image = np.random.default_rng(1).normal(size=(64, 71))
    one, other = isolated_peak(image), isolated_peak(scale * (image + level))
    assert other.period == one.period
    assert other.strength == pytest.approx(one.strength, rel=1e-6)


def test_other_periods_are_no_checkerboard():
    wave = np.cos(2 * np.pi * np.arange(120) / 5)
    image = np.random.default_rng(2).normal(size=(120, 120)) + 3 * wave
    assert isolated_peak(image).strength < SETTINGS.checkerboard


def test_what_cannot_be_told(refused):
    assert math.isnan(isolated_peak(np.random.default_rng(0).normal(size=(63, 128))).strength)
    assert isolated_peak(np.ones((64, 64))).strength == 0
    with refused("variance 0"):
        checkerboard(np.ones((10, 64, 64)))


def test_a_sequence_with_a_damaged_value_is_refused(refused):
    damaged = analytic(1)
    damaged[3, 4, 5] = np.inf
    with refused("wanted finite"), np.errstate(invalid="ignore"):
        checkerboard(damaged)


def row(inverted, strength, alarms):
    return {
        "inverted": inverted, "checkerboard": strength, "checkerboard_period": "4 x inf",
        "inversion_alarm": alarms[0], "checkerboard_alarm": alarms[1],
    }  # fmt: skip


def test_alarms_say_what_and_where():
    quiet = row(0.01, 3.0, (0, 0))
    assert alarm_lines([quiet, quiet], SETTINGS, 30.0) == ()
    lines = alarm_lines([quiet, row(0.62, 1.0, (1, 0)), row(0.2, 412.3, (1, 1))], SETTINGS, 55.0)
    assert lines == (
        "contraction comes out as relaxation in 2 of 3 sequences, in up to 62% of the pixels that "
        "move (alarm above 10%)",
        "checkerboard in 1 of 3 sequences, with a period of 4 x inf px and up to 412 times the "
        "power around it (alarm above 55)",
    )


@pytest.mark.parametrize(
    "changes", [{"motion": 0.0}, {"inverted": 1.0}, {"inverted": -0.1}, {"checkerboard": math.nan}]
)
def test_settings_out_of_bounds_are_refused(changes):
    with pytest.raises(InputError, match=next(iter(changes))):
        AlarmSettings(**changes)


def test_settings_tell_themselves():
    settings = AlarmSettings(motion=0.75, inverted=0.22, checkerboard=41.0)
    assert AlarmSettings(**settings.to_json()) == settings
    for words in ("22%", "0.75 of the mean", "41 times"):
        assert words in settings.describe()
