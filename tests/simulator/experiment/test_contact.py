import dataclasses
import math

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw
from musim.simulator.experiment.contact import BUBBLE, LIFTED, Contact, draw_contact, warped
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import Motion, draw_motion
from musim.simulator.experiment.speckle import Scanner, draw_echoes, draw_speckle, iq_blocks
from musim.simulator.experiment.tissue import Tissue

SIZE, STEP = (20.0, 16.0), (0.5, 0.5)
CONTACT = Contact(
    loss=0.8, warp=0.4, size=SIZE, lifted=0.2, bubble=(0.7, 1.0), tilt=0.5, bow=-0.3, shear=0.6
)
DEPTHS, WIDTHS = (np.arange(80) + 0.5) * 0.25, (np.arange(64) + 0.5) * 0.25


def _tissue(index=0, fat=0.0, **doses):
    drawn = Doses.off(**{name: Range(dose, dose) for name, dose in doses.items()}).draw(0, index)
    return Tissue(drawn, fat, np.zeros((40, 32), np.int64), STEP, 0, index)


def test_contact_is_lost_at_one_end_and_in_a_bubble():
    lost = CONTACT.lost(WIDTHS)
    assert lost[0] == pytest.approx(0.8, rel=0.02)
    # Half of it in the middle of what lifts: 0.1 of 16 mm.
    assert CONTACT.lost(np.array([1.6]))[0] == pytest.approx(0.4)
    assert CONTACT.lost(np.array([0.7 * 16]))[0] == pytest.approx(0.8)
    assert CONTACT.lost(np.array([0.7 * 16 + 1.0]))[0] == pytest.approx(0.8 * math.exp(-0.5))
    assert lost[24:30].max() < 1e-3
    other = dataclasses.replace(CONTACT, lifted=-0.2)
    mirrored = dataclasses.replace(CONTACT, bubble=(0.3, 1.0))
    np.testing.assert_allclose(other.lost(WIDTHS), mirrored.lost(16 - WIDTHS), rtol=1e-9)


def test_shadows_are_as_wide_as_the_aperture_that_hears():
    gain = CONTACT.gain(DEPTHS, WIDTHS, 2.0, 4.0)
    np.testing.assert_allclose(gain[0], 1 - CONTACT.lost(WIDTHS), rtol=1e-12)
    heard = 1 - CONTACT.lost(WIDTHS)
    for row, half in ((20, 5), (40, 8), (79, 8)):  # 5.1 mm: 2.6 wide; from 8 mm on 4 mm
        expected = [np.pad(heard, half, mode="edge")[x : x + 2 * half + 1].mean()
                    for x in range(64)]  # fmt: skip
        np.testing.assert_allclose(gain[row], expected, rtol=1e-12)
    np.testing.assert_array_equal(
        dataclasses.replace(CONTACT, loss=0.0).gain(DEPTHS, WIDTHS, 2.0, 4.0), 1
    )


def test_echoes_are_as_weak_as_contact_is_and_noise_is_not():
    scanner = Scanner(Doses.off(image=(128, 96)), SIZE, 0.0)
    doses = {"contact": 0.9, "thermal_noise": 0.01}
    bad, good = draw_speckle(scanner, _tissue(**doses), 0, 0), draw_speckle(
        scanner, _tissue(**{**doses, "contact": 0.0}), 0, 0
    )  # fmt: skip
    gain = draw_contact(_tissue(**doses)).gain(scanner.depths, scanner.widths, 1.5, 20.0)
    ratio = bad.scatterers / good.scatterers
    np.testing.assert_allclose(ratio, np.broadcast_to(gain[:, None], ratio.shape), atol=1e-5)
    assert ratio.min() < 0.3
    np.testing.assert_array_equal(bad.noise, good.noise)


def test_the_image_is_displaced_by_the_warp_at_most():
    across, down = CONTACT.deeper(WIDTHS), CONTACT.aside(DEPTHS)
    assert 0.1 < np.abs(across).max() <= 0.4
    assert 0.2 < np.abs(down).max() <= 0.4
    for index in range(50):
        drawn = draw_contact(_tissue(index, warp=0.4))
        assert np.abs(drawn.deeper(WIDTHS)).max() <= 0.4
        assert np.abs(drawn.aside(DEPTHS)).max() <= 0.4
        assert LIFTED[0] <= abs(drawn.lifted) <= LIFTED[1]
        assert BUBBLE[0] <= drawn.bubble[1] <= BUBBLE[1]


def test_warped_fields_are_those_of_where_tissue_lies():
    depth, width = np.meshgrid(*((np.arange(n) + 0.5) * 0.5 for n in (40, 32)), indexing="ij")
    fields = np.stack([3 * depth - 2 * width, depth * 0 + 1])
    found = warped(fields, STEP, CONTACT)
    lies = 3 * (depth - CONTACT.deeper(width)) - 2 * (width - CONTACT.aside(depth))
    inner = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(found[0][inner], lies[inner], rtol=1e-12)
    np.testing.assert_allclose(found[1], 1, rtol=1e-12)
    np.testing.assert_allclose(
        warped(fields, STEP, dataclasses.replace(CONTACT, warp=0.0)), fields, rtol=1e-12
    )


def test_motion_and_the_bright_sheet_are_warped_alike():
    parameters = Parameters(
        units=Range(2, 2), pixels=(40, 32), size=SIZE, diameter=Range(3, 5), frames=20,
        fat=Range(6, 6),
    )  # fmt: skip
    straight, bent = (
        Doses.off(warp=Range(w, w), aponeurosis=Range(1, 1), layer=Range(0.9, 0.9),
                  tremor=Range(1, 1), muscle_motion=Range(1, 1), image=(256, 64))
        for w in (0.0, 1.5)
    )  # fmt: skip
    plain, moved = (
        draw_motion(parameters, doses, draw(parameters, doses=doses), 0, 0, 40)
        for doses in (straight, bent)
    )
    contact = draw_contact(moved.tissue)
    np.testing.assert_array_equal(moved.courses, plain.courses)
    np.testing.assert_array_equal(moved.fields, warped(plain.fields, plain.pixel_size, contact))
    scanner = Scanner(bent, SIZE, 0.0)
    flat, curved = (draw_speckle(scanner, one.tissue, 0, 0).scatterers for one in (plain, moved))
    bright = np.abs(curved / flat).mean(axis=(0, 2))
    profile = 1 + 3 * moved.tissue.sheet_at(
        scanner.depths[:, None] - contact.deeper(scanner.widths)
    )
    rows = np.minimum((scanner.depths / plain.tissue.pixel_size[0]).astype(int), 79)
    expected = profile / (1 + 3 * plain.tissue.sheet[rows, None])
    np.testing.assert_allclose(bright, expected, rtol=1e-4)


def test_noise_at_the_bottom_is_what_was_asked_for():
    still = np.zeros((1, 6))
    for attenuation, dose in ((0.0, 0.1), (0.5, 0.1), (0.5, 0.3)):
        tissue = _tissue(noise_at_depth=dose, attenuation=attenuation)
        scanner = Scanner(Doses.off(image=(128, 96)), SIZE, attenuation)
        motion = Motion(np.zeros((1, 1, 40, 32)), still, STEP, tissue)
        echoes = draw_echoes(scanner, motion, 0, 0)
        images = np.concatenate(list(iq_blocks(echoes, 6)))
        # Noise is what differs from frame to frame.
        noise = images.var(axis=0, ddof=1).mean(axis=1)
        assert noise[-8:].mean() == pytest.approx(
            dose**2 * np.mean((scanner.noise_gain[-8:] / scanner.noise_gain[-1]) ** 2), rel=0.1
        )
        echo = np.mean(np.abs(images.mean(axis=0)[-40:-4]) ** 2)
        # The echoes' own power is told by some 400 resolution cells.
        snr = 10 * math.log10(echo / noise[-1])
        assert snr == pytest.approx(-20 * math.log10(dose), abs=1.5)
        surface = noise[:8].mean() / noise[-8:].mean()
        loss = 10 ** (-attenuation * 7.7 * 2 * 1.9 / 10)
        assert surface == pytest.approx(loss, rel=0.2)
    both = draw_speckle(scanner, _tissue(noise_at_depth=0.3, thermal_noise=0.2), 0, 0).noise
    assert both[-1] == pytest.approx(np.hypot(0.3, 0.2 * scanner.noise_gain[-1]) / math.sqrt(2))
