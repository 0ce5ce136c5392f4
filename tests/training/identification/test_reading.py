"""Trains read with what each true unit moves where."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import butter, sosfiltfilt

from musim.simulator import Parameters, Range, draw
from musim.simulator.errors import InputError
from musim.simulator.experiment.own_maps import OwnMaps
from musim.training.identification.methods import identify
from musim.training.identification.metrics import match_trains
from musim.training.identification.noise import whiten
from musim.training.identification.reading import (
    oracle_correlation,
    read_crosswise,
    read_with,
)
from musim.training.identification.units import Recording

RATE = 400.0
PARAMETERS = Parameters(
    units=Range(4, 4), frames=800, synchrony=Range(0, 0), pixels=(32, 32), size=(20.0, 20.0)
)


def scene(sd=0.3, fields=None, band=False, seed=1):
    """Return a truth, what its units move where, and the recording with noise of some SD."""
    truth = draw(PARAMETERS, seed=seed)
    rows, columns = np.mgrid[:32, :32]
    discs = np.array([
        np.hypot(rows - row, columns - column) < 5
        for row, column in ((8, 8), (8, 22), (22, 10), (24, 24))
    ])  # fmt: skip
    truth = dataclasses.replace(truth, territory=discs.astype(np.float32))
    if fields is None:
        fields = np.array([
            gaussian_filter(one, 2) - 0.5 * gaussian_filter(one, 7) for one in discs.astype(float)
        ])  # fmt: skip
    courses = truth.twitch_train.astype(np.float64)
    if band:
        courses = sosfiltfilt(butter(2, (5, 60), "bandpass", fs=RATE, output="sos"), courses)
    courses = courses / courses.std(axis=1, keepdims=True)
    noise = np.random.default_rng(0).standard_normal((800, 32, 32))
    tvi = np.einsum("ut,udw->tdw", courses, fields) + sd * noise
    own = OwnMaps(fields.astype(np.float32), courses.astype(np.float32), (1,) * 4)
    return truth, own, Recording(tvi.astype(np.float32), RATE, PARAMETERS.pixel_size)


def test_trains_are_those_of_least_squares_weighted_by_noise():
    _, own, recording = scene()
    known = whiten(recording)
    maps = own.maps.reshape(4, -1).astype(np.float64)
    weight = 1 / np.square(known.noise.sd.ravel())
    wanted = np.linalg.inv(maps * weight @ maps.T) @ (maps * weight @ known.values)
    np.testing.assert_allclose(read_with(known, own), known.trains(wanted), atol=1e-4)


def test_units_that_move_alike_or_hardly_at_all_cannot_be_seen():
    truth, own, recording = scene(sd=0.05)
    assert (oracle_correlation(recording, truth.twitch_train, own) > 0.9).all()
    # Two units move the same, but for a little.
    fields = own.maps.astype(np.float64)
    fields[1] = fields[0] + 0.002 * fields[1]
    truth, alike, recording = scene(sd=0.05, fields=fields)
    found = oracle_correlation(recording, truth.twitch_train, alike)
    assert (found[:2] < 0.7).all()
    assert (found[2:] > 0.9).all()
    # One is weaker than noise by far.
    fields = own.maps.astype(np.float64)
    fields[3] *= 0.003
    truth, weak, recording = scene(sd=0.3, fields=fields)
    found = oracle_correlation(recording, truth.twitch_train, weak)
    assert found[3] < 0.7 < found[:3].min()


@pytest.mark.parametrize("band", [False, True])
def test_maps_that_are_fitted_elsewhere_in_time_read_what_known_ones_do(band):
    truth, own, recording = scene(band=band)
    known = whiten(recording)
    ours, theirs = read_crosswise(known, truth.twitch_train, RATE), read_with(known, own)
    for one, other in zip(ours, theirs, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.97


def test_motion_that_is_no_units_is_read_beside_them():
    truth, _, recording = scene()
    random = np.random.default_rng(3)
    course = gaussian_filter(random.standard_normal(800), 4)
    course *= 3 / course.std()
    # A map like those of units, but across two of them.
    field = gaussian_filter((np.abs(np.arange(32) - 15) < 3).astype(float), 2)[None].repeat(32, 0)
    tvi = recording.tvi + np.einsum("t,dw->tdw", course, field).astype(np.float32)
    moved = Recording(tvi, RATE, recording.pixel_size)
    assert (oracle_correlation(moved, truth.twitch_train) > 0.9).all()


def test_nothing_is_read_from_the_truth_of_its_own_time():
    # Noise alone, in which a circular fit would find what it was given.
    truth, _, recording = scene()
    noise = np.random.default_rng(5).standard_normal(recording.tvi.shape).astype(np.float32)
    alone = Recording(noise, RATE, recording.pixel_size)
    assert (oracle_correlation(alone, truth.twitch_train) < 0.3).all()


def test_what_is_too_short_for_its_units_is_told(refused):
    truth, _, recording = scene()
    short = Recording(recording.tvi[:60].copy(), RATE, recording.pixel_size)
    with refused("found 60 frames for 4 units", "wanted 200 or more"):
        read_crosswise(whiten(short), truth.twitch_train[:, :60], RATE)
    assert np.isnan(oracle_correlation(short, truth.twitch_train[:, :60])).all()
    still = Recording(np.zeros((800, 32, 32), np.float32), RATE, recording.pixel_size)
    assert np.isnan(oracle_correlation(still, truth.twitch_train)).all()
    assert oracle_correlation(recording, truth.twitch_train[:0]).shape == (0,)


def test_the_oracle_gives_the_true_outlines_with_the_trains_that_can_be_read():
    truth, own, recording = scene()
    for given in (truth, dataclasses.replace(truth, own_maps=own)):
        found = identify(recording, "oracle-maps", truth=given)
        assert found.count == 4
        matching = match_trains(found.train, truth.twitch_train, RATE)
        assert matching.recall == 1
        order = matching.true[np.argsort(matching.predicted)]
        np.testing.assert_array_equal(found.territory, truth.territory[order])
    cut = dataclasses.replace(truth, twitch_train=truth.twitch_train[:, 1:])
    with pytest.raises(InputError, match="found arrays"):
        identify(recording, "oracle-maps", truth=cut)
    hidden = dataclasses.replace(truth, territory=np.zeros_like(truth.territory))
    assert identify(recording, "oracle-maps", truth=hidden).count == 0
