"""What scatters where: strengths, losses and directions of the tissues of a section."""

import math
from typing import Any

import numpy as np
import pytest

from musim.simulator.section.anatomy import draw_anatomy
from musim.simulator.section.parameters import SectionParameters
from musim.simulator.section.tissue import BONE_LOSS, scatter, smooth_field

DEPTHS, WIDTHS = (np.arange(400) + 0.5) * 0.1, (np.arange(250) + 0.5) * 0.2
LEVEL: dict[str, Any] = {
    "thickness": 18, "fat": 6, "skin": 1, "tilt": 0, "taper": 0, "bow": 0, "pennation": 20,
    "fascicle_bow": 0, "aponeurosis": 1, "bone": 10, "scatter": 0,
}  # fmt: skip


def scatterers_of(index=0, **own):
    parameters = SectionParameters(**{**LEVEL, **own})
    return scatter(draw_anatomy(parameters, 0, index), parameters, DEPTHS, WIDTHS, 0, index)


def test_aponeuroses_and_bone_take_from_all_below_them():
    loss = scatterers_of(aponeurosis_loss=3).loss
    # Skin and fat, muscle, below both aponeuroses; a fascia follows 6 to 14 mm below the muscle,
    # which takes 0.1 to 0.4 of as much, and bone at 34 mm.
    np.testing.assert_array_equal(loss[DEPTHS < 6], 0)
    np.testing.assert_array_equal(loss[(DEPTHS > 6) & (DEPTHS < 24)], 3)
    np.testing.assert_array_equal(loss[(DEPTHS > 24) & (DEPTHS < 30)], 6)
    deepest = loss[-1, 0] - BONE_LOSS - 6
    assert 0.3 <= deepest <= 1.2


def test_the_aponeurosis_in_the_middle_takes_its_share():
    loss = scatterers_of(aponeurosis_loss=4, compartments=2).loss
    np.testing.assert_array_equal(loss[(DEPTHS > 6) & (DEPTHS < 15)], 4)
    np.testing.assert_allclose(loss[(DEPTHS > 15) & (DEPTHS < 24)], 4 + 0.7 * 4)


def test_attenuation_is_that_of_each_tissue():
    attenuation = scatterers_of(attenuation=0.8, fat_attenuation=0.5).attenuation
    np.testing.assert_array_equal(attenuation[DEPTHS < 6], 0.5)
    np.testing.assert_array_equal(attenuation[DEPTHS > 6], 0.8)


@pytest.mark.parametrize("decibels", [-10, 0, 6])
def test_fat_and_skin_scatter_as_strongly_as_is_asked(decibels):
    small = scatterers_of(fat_echo=decibels, skin_echo=decibels + 10).small
    power = 10 * np.log10((np.abs(small) ** 2).mean(axis=1))
    assert power[DEPTHS < 1].mean() == pytest.approx(decibels + 10, abs=0.5)
    # Above the aponeurosis, which is some of what lies beside its middle.
    assert power[(DEPTHS > 1) & (DEPTHS < 5)].mean() == pytest.approx(decibels, abs=0.3)


def test_sheets_lie_as_fascicles_and_aponeuroses_do():
    tilt = scatterers_of(compartments=2).tilt
    inside = (DEPTHS > 7.5) & (DEPTHS < 13)
    deeper = (DEPTHS > 17) & (DEPTHS < 22.5)
    upper, lower = tilt[inside].mean(), tilt[deeper].mean()
    assert abs(math.degrees(upper)) == pytest.approx(20)
    assert lower == pytest.approx(-upper)
    np.testing.assert_array_equal(tilt[np.abs(DEPTHS - 24) < 0.8], 0)


def test_aponeuroses_reflect_most():
    scatterers = scatterers_of(aponeurosis_echo=30, sheath_echo=0, skin_echo=0, bone=100)
    power = (np.abs(scatterers.sheets) ** 2).mean(axis=1)
    brightest = DEPTHS[np.argsort(power)[-10:]]
    assert (np.minimum(np.abs(brightest - 6), np.abs(brightest - 24)) < 0.7).all()
    muscle = power[(DEPTHS > 8) & (DEPTHS < 22)].mean()
    assert 10 * np.log10(power.max() / muscle) > 20


def test_smooth_fields_have_variance_one_everywhere():
    random = np.random.default_rng(0)
    fields = np.stack([smooth_field(DEPTHS, WIDTHS, (2, 4), random) for _ in range(100)])
    assert fields.mean() == pytest.approx(0, abs=0.03)
    np.testing.assert_allclose(fields.std(axis=0), 1, atol=0.35)
    assert fields.std(axis=0).mean() == pytest.approx(1, abs=0.02)
    # Values sqrt(2) bumps apart agree by exp(-1/2).
    rows = round(2 * math.sqrt(2) / 0.1)
    alike = (fields[:, 100] * fields[:, 100 + rows]).mean()
    assert alike == pytest.approx(math.exp(-0.5), abs=0.1)
