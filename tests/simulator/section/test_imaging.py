"""What a scanner makes of scatterers: statistics of speckle, losses with depth, and motion."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from musim.simulator.section.imaging import draw_probe, envelopes
from musim.simulator.section.parameters import SectionParameters
from musim.simulator.section.tissue import Scatterers

QUIET: dict[str, Any] = {
    "contact": 0, "gain_error": 0, "thermal_noise": 0, "pixels": (128, 128), "f_number": 3,
    "size": (20, 25),
}  # fmt: skip


def probe_of(**own):
    return draw_probe(SectionParameters(**{**QUIET, **own}), 0, 0)


def homogeneous(probe, attenuation=0.65, seed=0):
    shape = probe.scanner.doses.image
    random = np.random.default_rng(seed)
    parts = random.standard_normal((2, *shape)) / math.sqrt(2)
    aside = random.uniform(-0.5, 0.5, shape).astype(np.float32) * probe.scanner.pixel_size[1]
    still = np.zeros(shape)
    return Scatterers(
        parts[0] + 1j * parts[1], aside, still * 0j, still, still, still + attenuation, still + 1
    )


def inner(image):
    """Leave out the rows and columns at whose edges the pulse is cut."""
    return image[16:-16, 8:-8]


def test_speckle_of_one_look_has_the_statistics_of_rayleigh():
    probe = probe_of(looks=1)
    envelope = np.stack([inner(envelopes(homogeneous(probe, seed=s), probe)[0]) for s in range(8)])
    # Goodman: mean over SD is sqrt(pi / (4 - pi)) = 1.91; power is exponential, of mean 1.
    assert envelope.mean() / envelope.std() == pytest.approx(1.913, abs=0.03)
    power = envelope**2
    assert power.mean() == pytest.approx(1, abs=0.03)
    for level in (0.5, 1, 2):
        assert (power > level).mean() == pytest.approx(math.exp(-level), abs=0.015)


def test_directions_far_apart_see_other_speckle():
    # Of the few scatterers in a beam each keeps its power, so a little likeness is left: 0.16.
    probe = probe_of(looks=3, steering=25)
    plain = homogeneous(probe)
    looks = [inner(envelopes(plain, replace(probe, looks=(a,)))[0]) for a in probe.looks]
    alike = np.corrcoef([look.ravel() for look in looks])
    assert alike[np.triu_indices(3, 1)].max() < 0.2
    envelope = inner(envelopes(plain, probe)[0])
    np.testing.assert_allclose(envelope, np.mean(looks, axis=0))
    assert 1.913 * 1.4 < envelope.mean() / envelope.std() < 1.913 * math.sqrt(3)
    # Directions that are one see one speckle.
    probe = probe_of(looks=3, steering=0)
    envelope = inner(envelopes(homogeneous(probe), probe)[0])
    assert envelope.mean() / envelope.std() == pytest.approx(1.913, rel=0.06)


@pytest.mark.parametrize("attenuation", [0.3, 0.65, 1.0])
def test_images_darken_by_the_attenuation_that_gain_does_not_make_up_for(attenuation):
    probe = probe_of(looks=1, centre_frequency=8e6)
    envelope = np.stack([
        envelopes(homogeneous(probe, attenuation, seed), probe)[0] for seed in range(4)
    ])  # fmt: skip
    decibels = 10 * np.log10((envelope**2).mean(axis=(0, 2)))
    slope = np.polyfit(probe.scanner.depths[16:-16] / 10, decibels[16:-16], 1)[0]
    assert slope == pytest.approx(2 * 8 * (0.65 - attenuation), abs=0.35)  # dB/cm


def test_what_an_aponeurosis_takes_and_gains_are_in_decibels():
    probe, wrong = probe_of(looks=1), probe_of(looks=1, gain_error=-12)
    plain = homogeneous(probe)
    shadowed = Scatterers(**{**vars(plain), "loss": plain.loss + 6})
    before, after = envelopes(plain, probe), envelopes(shadowed, probe)
    np.testing.assert_allclose(20 * np.log10(after / before), -6, atol=0.02)
    darker = 20 * np.log10((envelopes(plain, wrong) / before)[0])
    assert np.median(darker[len(darker) // 2]) == pytest.approx(-6, abs=0.2)


def test_sheets_are_heard_about_their_normal():
    probe = probe_of(looks=1, directivity=10)
    plain = homogeneous(probe)
    lying = np.zeros(plain.small.shape, complex)
    lying[100] = 1
    heard = []
    for degrees in (0, 10, 20):
        tilt = np.full(plain.tilt.shape, math.radians(degrees))
        scatterers = Scatterers(
            **{**vars(plain), "small": 0 * lying, "sheets": lying, "tilt": tilt}
        )
        heard.append(envelopes(scatterers, probe)[0].max())
    assert heard[1] / heard[0] == pytest.approx(math.exp(-0.5), rel=1e-3)
    assert heard[2] / heard[0] == pytest.approx(math.exp(-2), rel=1e-3)


def test_noise_is_there_where_nothing_scatters_and_other_in_each_image():
    probe = probe_of(thermal_noise=0.01, looks=1)
    nothing = homogeneous(probe)
    nothing = Scatterers(**{**vars(nothing), "small": 0 * nothing.small})
    noise = envelopes(nothing, probe, np.zeros((1, *nothing.tilt.shape)), np.zeros((1, 2)))
    assert not np.array_equal(noise[0], noise[1])
    power = (noise**2).mean(axis=(0, 2))
    gain = probe.scanner.noise_gain**2
    np.testing.assert_allclose((power / gain).mean(), 1e-4, rtol=0.05)


def test_each_direction_has_noise_of_its_own():
    probe = probe_of(thermal_noise=0.01, looks=4, steering=5)
    nothing = homogeneous(probe)
    nothing = Scatterers(**{**vars(nothing), "small": 0 * nothing.small})
    noise = inner(envelopes(nothing, probe)[0] / probe.scanner.noise_gain[:, None])
    assert noise.mean() / noise.std() == pytest.approx(1.913 * 2, rel=0.06)


def test_tissue_that_moves_towards_the_probe_is_seen_higher():
    probe = probe_of(looks=1)
    plain = homogeneous(probe)
    point = np.zeros(plain.small.shape, complex)
    point[100, 64] = 1
    scatterers = Scatterers(**{**vars(plain), "small": point})
    course = np.array([[0, 0.002, 0.005, -0.005]])  # mm, a tenth of the pulse's width at most
    images = envelopes(scatterers, probe, np.ones((1, *point.shape)), course)
    np.testing.assert_array_equal(images[0], envelopes(scatterers, probe)[0])
    power = (images**2).sum(axis=2)
    middle = power @ probe.scanner.depths / power.sum(axis=1)
    np.testing.assert_allclose(middle[0] - middle[1:], course[0, 1:], rtol=0.05)


def test_pixels_are_divided_until_the_pulse_fits():
    probe = probe_of(pixels=(64, 128))
    assert probe.scanner.pixel_size[0] <= 0.6 * probe.scanner.axial_width
    assert probe.scanner.doses.image == (probe.divisions[0] * 64, 128)
    finer = probe_of(pixels=(512, 128))
    assert finer.divisions == (1, 1)
    coarse = probe_of(pixels=(64, 16))
    assert coarse.divisions[1] > 1
    assert coarse.scanner.pixel_size[1] <= 0.9 * coarse.scanner.lateral_width.min()
