"""Torch makes the IQ images that the kernels make."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from musim.datasets.streaming.speckle import DeviceSpeckle, images_on
from musim.simulator import Parameters, Range, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.recording import simulate
from musim.simulator.experiment.speckle import Scanner, draw_echoes, iq_blocks

PARAMETERS = Parameters(
    units=Range(2, 2), snr=Range(math.inf, math.inf), pixels=(12, 10), size=(9.0, 6.0),
    diameter=Range(3, 4), frames=70, frame_rate=512.0, fat=Range(1.5, 1.5),
)  # fmt: skip
STRONG = {
    "thermal_noise": Range(0.2, 0.2), "out_of_plane": Range(20, 20), "attenuation": Range(2, 2),
    "artery": Range(300, 300), "reverberation": Range(0.5, 0.5),
}  # fmt: skip
FRAMES = 11


def _echoes(frames=FRAMES, seed=3, index=1, **doses):
    doses = Doses(image=(60, 37), **doses)
    truth = draw(PARAMETERS, doses=doses, seed=seed, index=index)
    motion = draw_motion(PARAMETERS, doses, truth, seed, index, frames)
    scanner = Scanner(doses, PARAMETERS.size, motion.tissue.doses["attenuation"])
    return draw_echoes(scanner, motion, seed, index)


@pytest.mark.parametrize("doses", [{}, STRONG, {"thermal_noise": Range(0, 0)}])
def test_images_are_those_of_the_kernels_within_rounding(doses):
    echoes = _echoes(**doses)
    assert (echoes.clutter is not None) == ("reverberation" in doses)
    # Tissue that moves by up to a turn of the echo's phase from image to image.
    random = np.random.default_rng(0)
    turns = np.abs(echoes.fields).max(axis=(1, 2, 3)).sum()
    courses = random.uniform(-1, 1, echoes.courses.shape) / turns
    echoes = dataclasses.replace(echoes, courses=courses.astype(np.float32))
    found = DeviceSpeckle(echoes, "cpu").images(0, FRAMES)
    assert found.dtype == torch.complex64
    expected = np.concatenate(list(iq_blocks(echoes, 4)))
    assert np.abs(np.diff(expected, axis=0)).max() > 0.5
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(("first", "count"), [(0, 3), (1, 4), (5, 6), (10, 1), (4, 0)])
def test_images_do_not_depend_on_which_others_are_made(first, count):
    speckle = DeviceSpeckle(_echoes(**STRONG), "cpu")
    assert len(speckle) == FRAMES
    whole = speckle.images(0, FRAMES)
    np.testing.assert_array_equal(speckle.images(first, count), whole[first : first + count])


def test_what_is_not_there_is_refused(refused):
    echoes = _echoes()
    with refused("device: found no 'none' here", "wanted a device that torch has"):
        DeviceSpeckle(echoes, "none")
    speckle = DeviceSpeckle(echoes, "cpu")
    for first, count in ((-1, 2), (9, 3), (3, -1)):
        with refused(f"found frames {first} to {first + count}", f"wanted some of 0 to {FRAMES}"):
            speckle.images(first, count)


def test_recordings_of_a_device_are_those_of_the_kernels_within_rounding():
    doses = Doses(image=(60, 37))
    truth = draw(PARAMETERS, doses=doses, seed=3, index=1)
    expected = simulate(PARAMETERS, doses, truth, seed=3, index=1)
    found = simulate(PARAMETERS, doses, truth, seed=3, index=1, images=images_on("cpu"))
    assert (found != expected).any()
    assert np.abs(found - expected).max() < 1e-3 * expected.std()
