"""Maps and courses predict what the whole experiment records, to first order in displacement."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import PRESETS, Parameters, Range, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.maps import recorded_courses, recorded_maps, still_image
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.quick import draw_recording
from musim.simulator.experiment.recording import images_needed, imaging_of, simulate
from musim.simulator.experiment.speckle import Scanner, draw_echoes, draw_speckle, iq_blocks
from musim.simulator.imaging.filtering import band_pass
from musim.simulator.imaging.resampling import Resampler

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(2, 2), "pixels": (24, 20), "size": (20.0, 15.0),
    "frames": 96, "fat": Range(2, 2),
})  # fmt: skip
QUIET = Doses(thermal_noise=Range(0, 0), image=(128, 50))


def _predicted(parameters, doses, seed):
    truth = draw(parameters, doses=doses, seed=seed)
    recording = draw_recording(parameters, doses, truth, seed=seed)
    return np.einsum("mt,mzx->tzx", recording.motion_course, recording.motion_map), truth


def _at_rest(tissue):
    return np.zeros(tissue.fascicles.shape), tissue.pixel_size


@pytest.mark.parametrize("seed", [1, 2])
def test_maps_times_courses_are_the_recording_without_noise(seed):
    predicted, truth = _predicted(PARAMETERS, QUIET, seed)
    recorded = simulate(PARAMETERS, QUIET, truth, seed=seed)
    assert ((recorded - predicted) ** 2).sum() < 0.01 * (recorded**2).sum()
    # What is left does not grow with the motion: it is the field's change within a resolution cell.
    less = dataclasses.replace(PARAMETERS, displacement=Range(0.05, 0.15))
    still = dataclasses.replace(
        QUIET, **dict.fromkeys(("artery", "drift", "breathing"), Range(0, 0))
    )
    predicted, truth = _predicted(less, still, seed)
    recorded = simulate(less, still, truth, seed=seed)
    assert ((recorded - predicted) ** 2).sum() < 0.002 * (recorded**2).sum()


def test_maps_tell_of_clutter_contact_and_warp():
    hard = {"reverberation": 0.5, "side_lobes": 0.3, "contact": 0.7, "warp": 1.0}
    names = {field.name for field in dataclasses.fields(QUIET)}
    hard = {name: Range(dose, dose) for name, dose in hard.items() if name in names}
    assert len(hard) >= 3
    doses = dataclasses.replace(QUIET, **hard)
    predicted, truth = _predicted(PARAMETERS, doses, 1)
    recorded = simulate(PARAMETERS, doses, truth, seed=1)
    assert ((recorded - predicted) ** 2).sum() < 0.02 * (recorded**2).sum()
    plain, _ = _predicted(PARAMETERS, QUIET, 1)
    assert ((recorded - plain) ** 2).sum() > 0.1 * (recorded**2).sum()


def test_the_still_image_is_that_of_displaced_tissue():
    """Its weight is what a small displacement more turns the phase by."""
    doses, seed = dataclasses.replace(QUIET, out_of_plane=Range(3, 3)), 3
    scanner, imaging = Scanner(doses, PARAMETERS.size, 0.5), imaging_of(PARAMETERS, doses, 0.5)
    truth = draw(PARAMETERS, doses=doses, seed=seed)
    motion = draw_motion(PARAMETERS, doses, truth, seed, 0, 8)
    displacement = 0.07 * motion.fields[0, 0]
    speckle = draw_speckle(scanner, motion.tissue, seed, 0)
    still = still_image(scanner, imaging, speckle, displacement, motion.pixel_size)
    alike = np.ones_like(motion.fields[:1])
    two = dataclasses.replace(
        motion,
        fields=np.concatenate([motion.fields[:1], alike]),
        courses=np.array([[0.07] * 4, [-1e-4, 1e-4, 0, 0]]),
    )
    before, after = next(iter(iq_blocks(draw_echoes(scanner, two, seed, 0), 4)))[:2]
    np.testing.assert_allclose(still.power, np.abs(before) ** 2, atol=0.02 * still.power.max())
    turned = (np.conj(before) * after).imag / 2e-4
    radian = 1540e3 / (4 * np.pi * doses.centre_frequency)
    np.testing.assert_allclose(still.weight, radian * turned, atol=0.02 * still.weight.max())


def test_tissue_that_moves_alike_is_shown_as_it_moves():
    doses = QUIET
    scanner = Scanner(doses, PARAMETERS.size, 0.5)
    imaging = imaging_of(PARAMETERS, doses, 0.5)
    truth = draw(PARAMETERS, doses=doses, seed=3)
    tissue = draw_motion(PARAMETERS, doses, truth, 3, 0, 8, lateral=False).tissue
    still = still_image(scanner, imaging, draw_speckle(scanner, tissue, 3, 0), *_at_rest(tissue))
    fields = np.stack([np.ones(tissue.fascicles.shape), 2 * np.ones(tissue.fascicles.shape)])
    one, two = recorded_maps(fields, tissue.pixel_size, still, imaging)
    np.testing.assert_allclose(two, 2 * one, rtol=1e-5, atol=1e-5)
    assert np.median(one) == pytest.approx(1, abs=0.02)
    assert one.std() < 0.1


def test_courses_go_through_the_chain_as_pixels_do():
    images = images_needed(PARAMETERS, QUIET)
    imaging = imaging_of(PARAMETERS, QUIET)
    random = np.random.default_rng(0)
    courses = np.cumsum(random.standard_normal((3, images)), axis=1) * 1e-3
    steps = np.diff(courses, axis=1) * QUIET.pulse_repetition
    velocity = np.stack([
        [row[max(i - 1, 0) : i + 2].mean() for i in range(images - 1)] for row in steps
    ])  # fmt: skip
    filtered = band_pass(velocity.T[:, :, None].astype(np.float32), imaging.band_pass)[:, :, 0]
    times = np.arange(PARAMETERS.frames) * QUIET.pulse_repetition / PARAMETERS.frame_rate
    wanted = Resampler.windowed_sinc(QUIET.pulse_repetition, PARAMETERS.frame_rate, times)(filtered)
    found = recorded_courses(courses, imaging, PARAMETERS.frames)
    assert found.shape == (3, PARAMETERS.frames)
    np.testing.assert_allclose(found, wanted.T, atol=1e-5 * np.abs(wanted).max())


def test_axial_resolution_of_a_map_is_that_of_the_gate():
    """A step of motion is shown as its mean over the gate, weighted by the speckle."""
    doses = QUIET
    scanner = Scanner(doses, PARAMETERS.size, 0.0)
    imaging = imaging_of(PARAMETERS, doses)
    truth = draw(PARAMETERS, doses=doses, seed=4)
    tissue = draw_motion(PARAMETERS, doses, truth, 4, 0, 8, lateral=False).tissue
    still = still_image(scanner, imaging, draw_speckle(scanner, tissue, 3, 0), *_at_rest(tissue))
    field = np.zeros(tissue.fascicles.shape)
    middle = len(field) // 2
    field[middle:] = 1
    (shown,) = recorded_maps(field[None], tissue.pixel_size, still, imaging)
    depth = (np.arange(24) + 0.5) * 20 / 24
    apart = depth - middle * tissue.pixel_size[0]
    assert np.abs(shown[apart < -1.5]).max() < 0.05
    assert np.abs(np.median(shown[apart > 1.5]) - 1) < 0.05
    assert 0.1 < np.median(shown[np.abs(apart).argmin()]) < 0.9
