"""Velocities that were cut off are seen, put back, and invent no units."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.saturation import saturated, unsaturated
from musim.training.identification.units import Recording

PARAMETERS = Parameters(
    units=(4, 4), snr=20, pixels=(32, 32), size=(20, 20), diameter=(5, 8), frames=400
)


@pytest.fixture(scope="module")
def truth():
    return draw(PARAMETERS, seed=1)


@pytest.fixture(scope="module")
def plain(truth):
    return Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)


def cut(recording, sds):
    most = sds * recording.tvi.std()
    return dataclasses.replace(recording, tvi=recording.tvi.clip(-most, most))


def test_values_at_a_limit_are_seen(plain):
    clipped = cut(plain, 1.5)
    for found, wanted in zip(
        saturated(clipped.tvi), (plain.tvi > clipped.tvi.max(), plain.tvi < clipped.tvi.min()),
        strict=True,
    ):  # fmt: skip
        assert wanted.any()
        np.testing.assert_array_equal(found, wanted)


def test_a_range_that_suffices_is_not_taken_for_a_limit(plain):
    coarse = np.rint(plain.tvi / plain.tvi.std()).astype(np.float32)
    for tvi in (plain.tvi, coarse):
        recording = dataclasses.replace(plain, tvi=tvi)
        same, was_cut = unsaturated(recording)
        assert same is recording
        assert not was_cut


def test_what_was_cut_off_is_put_back():
    random = np.random.default_rng(0)
    courses = random.standard_normal((3, 300))
    fields = random.standard_normal((3, 16, 16))  # what is cut off here is whole there
    tvi = np.einsum("kt,kzx->tzx", courses, fields) + 0.05 * random.standard_normal((300, 16, 16))
    plain = Recording(tvi.astype(np.float32), 400.0, (1.0, 1.0))
    clipped = cut(plain, 1.5)
    whole, was_cut = unsaturated(clipped)
    assert was_cut
    at = np.logical_or(*saturated(clipped.tvi))
    assert 0.05 < at.mean() < 0.3
    np.testing.assert_allclose(whole.tvi[~at], clipped.tvi[~at], atol=1e-5)
    assert (np.abs(whole.tvi[at]) >= clipped.tvi.max() * (1 - 1e-5)).all()
    error, before = (
        np.square(one.tvi[at] - plain.tvi[at]).mean() for one in (whole, clipped)
    )  # fmt: skip
    assert error < 0.2 * before


@pytest.mark.parametrize("method", ["refine", "ica", "edges+refine"])
def test_no_units_are_made_up(plain, truth, method):
    units = identify(cut(plain, 2), method)
    alike = np.abs(np.corrcoef(np.concatenate([units.train, truth.twitch_train])))
    alike = alike[: units.count, units.count :]
    assert sorted(alike.argmax(axis=1)) == [0, 1, 2, 3]
    assert alike.max(axis=1).min() > 0.8
    assert "saturated" in units.remarks
