"""Velocities that were cut off are seen, put back, and invent no units."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.saturation import (
    MOST_MOTIONS,
    _motions,
    saturated,
    unsaturated,
)
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


def noise(frames=200, *image):
    random = np.random.default_rng(2)
    return random.standard_normal((frames, *(image or (32, 32)))).astype(np.float32)


@pytest.mark.parametrize(("share", "seen"), [(0.0005, False), (0.003, True)])
def test_a_recording_is_saturated_from_a_thousandth_of_its_values(share, seen):
    tvi = noise()
    clipped = tvi.clip(*np.quantile(tvi, [share, 1 - share]))
    above, below = saturated(clipped)
    np.testing.assert_array_equal(above, (tvi >= clipped.max()) & seen)
    np.testing.assert_array_equal(below, (tvi <= clipped.min()) & seen)


def test_coarse_values_that_are_cut_off_are_seen():
    coarse = np.rint(8 * noise())
    above, below = saturated(coarse.clip(-12, 12))
    np.testing.assert_array_equal(above, coarse >= 12)
    np.testing.assert_array_equal(below, coarse <= -12)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_on_one_side_is_enough(sign):
    fields = noise(1, 16, 16)  # what is cut off here is whole there
    tvi = sign * (0.05 * noise(300, 16, 16) + fields * noise(300, 1, 1))
    plain = Recording((tvi + 2).astype(np.float32), 400.0, (1.0, 1.0))
    clipped = dataclasses.replace(plain, tvi=sign * np.minimum(sign * plain.tvi, sign * 2 + 1.5))
    whole, was_cut = unsaturated(clipped)
    assert was_cut
    at = plain.tvi != clipped.tvi
    np.testing.assert_allclose(whole.tvi[~at], plain.tvi[~at], atol=1e-4)
    error, before = (np.square(one.tvi - plain.tvi)[at].mean() for one in (whole, clipped))
    assert error < 0.3 * before


@pytest.mark.parametrize(
    ("frames", "pixels", "limit"), [(60, 60, 2.86), (40, 80, 2.1725), (80, 40, 2.1725)]
)
def test_motions_are_what_exceeds_the_published_threshold(frames, pixels, limit):
    """Gavish and Donoho 2014, table IV: 2.8582 and 2.1711 times the median for these shapes."""
    random = np.random.default_rng(3)
    least = min(frames, pixels)
    left, right = (np.linalg.qr(random.standard_normal((n, least)))[0] for n in (frames, pixels))
    for strong, found in ((2, 2), (0, 1), (18, MOST_MOTIONS)):
        size = np.ones(least)
        size[:strong] = 1.05 * limit
        size[strong : strong + 1] = 0.95 * limit
        courses = _motions((left * size @ right.T).astype(np.float32))
        assert courses.shape == (frames, found)
        np.testing.assert_allclose(courses.T @ courses, np.eye(found), atol=1e-4)
        spanned = np.linalg.norm(left[:, :strong].T @ courses, axis=0)
        np.testing.assert_allclose(spanned, 1 if strong else 0, atol=1e-3)
