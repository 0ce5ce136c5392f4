"""Pixels that show no tissue change nothing in what is found beside them."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.training.identification.blind_pixels import (
    blind_pixels,
    noise_of,
    unseen,
    with_noise,
)
from musim.training.identification.methods import identify
from musim.training.identification.units import Recording, Units, is_still

PARAMETERS = Parameters(
    units=(3, 3), snr=20, pixels=(32, 32), size=(20, 20), diameter=(4, 6), frames=400
)


SIZE = PARAMETERS.pixel_size


@pytest.fixture(scope="module")
def truth():
    return draw(PARAMETERS, seed=4)


@pytest.fixture(scope="module")
def plain(truth):
    return Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)


def found(recording, truth, method="refine"):
    """Return the units found, and which of the true ones has a train like each."""
    units = identify(recording, method)
    alike = np.corrcoef(np.concatenate([units.train, truth.twitch_train]))
    alike = np.abs(alike[: units.count, units.count :])
    return units, [int(row.argmax()) for row in alike if row.max() > 0.7]


def sector(shape):
    depth, width = np.mgrid[: shape[0], : shape[1]]
    return np.abs(width - shape[1] / 2) < 4 + depth * 0.45


def rows(shape):
    seen = np.ones(shape, bool)
    seen[3::4] = False
    return seen


def border(shape):
    seen = np.zeros(shape, bool)
    seen[4:-4, 4:-4] = True
    return seen


@pytest.mark.parametrize("method", ["ica", "refine", "edges+refine"])
@pytest.mark.parametrize("seen", [sector, rows, border])
@pytest.mark.parametrize("value", [0.0, -50.0])
def test_constant_pixels_bring_no_units(plain, truth, method, seen, value):
    mask = seen(plain.tvi.shape[1:])
    recording = dataclasses.replace(plain, tvi=np.where(mask, plain.tvi, np.float32(value)))
    units, of = found(recording, truth, method)
    assert len(of) == units.count <= 3
    assert sorted(of) == sorted(set(of))
    # All those that are seen at all.
    share = (truth.territory * mask).sum(axis=(1, 2)) / truth.territory.sum(axis=(1, 2))
    assert set(np.flatnonzero(share > 0.6)) <= set(of)
    assert (units.territory[:, ~mask] == 0).all()
    assert "blind-pixels" in units.remarks


@pytest.mark.parametrize("pixels", [[(5, 5)], [(0, 0), (20, 7), (31, 31)]])
def test_hot_pixels_hide_no_units(plain, truth, pixels):
    tvi = plain.tvi.copy()
    signs = np.sign(np.random.default_rng(0).standard_normal(len(tvi))).astype(np.float32)
    for depth, width in pixels:
        tvi[:, depth, width] = 1e4 * signs
    units, of = found(dataclasses.replace(plain, tvi=tvi), truth)
    assert sorted(of) == [0, 1, 2]
    assert units.count == 3
    assert all((units.territory[:, depth, width] == 0).all() for depth, width in pixels)


def test_a_recording_of_tissue_alone_is_taken_as_it_is(plain):
    recording, blind = with_noise(plain)
    assert recording is plain
    assert not blind.any()
    assert "blind-pixels" not in identify(plain).remarks


def test_without_noise_pixels_that_never_change_say_nothing(truth):
    recording = Recording(
        render(truth, noise=False), PARAMETERS.frame_rate, PARAMETERS.pixel_size
    )  # fmt: skip
    assert blind_pixels(recording.tvi, SIZE).any()
    same, blind = with_noise(recording)
    assert same is recording
    assert not blind.any()


def test_what_stands_in_has_the_noise_of_the_others():
    random = np.random.default_rng(1)
    noise = random.normal(0, 0.3, (2000, 24, 20))
    tvi = (noise[1:] + noise[:-1]).astype(np.float32)  # its neighbours in time are alike
    tvi[:, :, :6] = 7
    recording, blind = with_noise(Recording(tvi, 1000.0, (1.0, 1.0)))
    assert (blind == (np.arange(20) < 6)).all()
    np.testing.assert_array_equal(recording.tvi[:, ~blind], tvi[:, ~blind])
    filled = recording.tvi[:, blind]
    assert filled.std() == pytest.approx(0.3 * np.sqrt(2), rel=0.05)
    after = (filled[1:] * filled[:-1]).mean() / filled.var()
    assert after == pytest.approx(0.5, abs=0.05)
    # Next to none is the noise of a place in the image at the same time.
    differences = (tvi[:, :, 7:] - tvi[:, :, 6:-1]).reshape(len(tvi), -1)
    alike = np.corrcoef(filled.T, differences.T)[: filled.shape[1], filled.shape[1] :]
    assert (np.abs(alike).max(axis=1) > 0.2).mean() < 0.05
    again, _ = with_noise(Recording(tvi, 1000.0, (1.0, 1.0)))
    np.testing.assert_array_equal(recording.tvi, again.tvi)


def test_noise_is_that_of_the_quieter_half_however_uneven_it_is():
    tvi = np.random.default_rng(4).standard_normal((400, 20, 20)).astype(np.float32)
    tvi[:, :, 11:] *= 1e3
    seen = np.arange(20) > 0
    noise = noise_of(tvi, np.broadcast_to(seen, tvi.shape[1:]))
    assert noise.std() == pytest.approx(np.sqrt(2), rel=0.02)
    tvi[:, 5, 5] = tvi[:, 5, 6]
    assert noise_of(tvi, np.broadcast_to(seen, tvi.shape[1:])) is None
    assert noise_of(tvi, np.arange(20) % 2 * np.ones((20, 1)) > 0) is None  # none lie together


def test_pixels_are_judged_by_frames_that_hold_an_image(plain):
    tvi, recorded = plain.tvi.copy(), np.ones(len(plain.tvi), bool)
    tvi[:, :, :4] = 7
    tvi[3], recorded[3] = 9, False
    wanted = np.zeros(tvi.shape[1:], bool)
    wanted[:, :4] = True
    _, blind = with_noise(dataclasses.replace(plain, tvi=tvi), recorded)
    np.testing.assert_array_equal(blind, wanted)


def test_only_what_stands_far_out_is_hot():
    tvi = np.random.default_rng(2).normal(size=(500, 9, 9)).astype(np.float32)
    for size in (SIZE, (2.0, 2.0)):  # a pixel alone is none of tissue, however large
        for factor, wanted in ((70, False), (150, True)):  # of the SD; 100 is the limit
            changed = tvi.copy()
            changed[:, 4, 4] *= factor
            assert blind_pixels(changed, size)[4, 4] == wanted
            assert blind_pixels(changed, size).sum() == wanted


def test_a_pixel_alone_that_moves_is_not_hot():
    tvi = np.zeros((50, 5, 5), np.float32)
    tvi[:, 2, 2] = np.arange(50)
    assert not blind_pixels(tvi, SIZE)[2, 2]
    assert blind_pixels(tvi, SIZE).sum() == 24


def test_units_keep_no_blind_pixel():
    territory = np.zeros((3, 4, 4), np.float32)
    territory[0, :, :2], territory[1, :, 3:], territory[2, 1, 1] = 1, 1, 0.4
    own = np.arange(3.0)[:, None]  # a value for each unit
    units = Units(
        territory, np.tile(own, 9).astype(np.float32), np.tile(own, 2), np.array([0.9, 0.8, 0.7]),
        outline_confidence=np.array([0.6, 0.5, 0.4]), residual_sd=np.ones((4, 4), np.float32),
        remarks=("saturated",),
    )  # fmt: skip
    blind = np.zeros((4, 4), bool)
    blind[:, 3], blind[0, 0] = True, True
    left = unseen(units, blind)
    assert left.confidence.tolist() == [0.9, 0.7]  # the last had no outline before
    assert left.territory[0].sum() == 7
    np.testing.assert_array_equal(left.residual_sd, np.where(blind, np.nan, 1))
    assert left.outline_confidence.tolist() == [0.6, 0.4]
    assert left.train[:, 0].tolist() == left.firing[:, 0].tolist() == [0, 2]
    assert set(left.remarks) == {"blind-pixels", "saturated"}


def test_where_nothing_was_recorded_there_are_no_units(plain):
    for tvi in (np.zeros_like(plain.tvi), np.broadcast_to(plain.tvi[:1], plain.tvi.shape)):
        recording = dataclasses.replace(plain, tvi=np.ascontiguousarray(tvi))
        assert is_still(recording)
        units = identify(recording)
        assert (units.count, units.remarks) == (0, ("nothing-recorded",))
    assert not is_still(plain)


def test_offsets_change_nothing(plain, truth):
    random = np.random.default_rng(3)
    own = 50 * random.standard_normal(plain.tvi.shape[1:]).astype(np.float32)
    for offset in (np.float32(50), own):
        units, of = found(dataclasses.replace(plain, tvi=plain.tvi + offset), truth)
        assert (sorted(of), units.count, units.remarks) == ([0, 1, 2], 3, ())
