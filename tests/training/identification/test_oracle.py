import dataclasses
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.errors import InputError
from musim.training.identification.methods import METHODS, identify
from musim.training.identification.methods.oracle import own_maps
from musim.training.identification.methods.spread import spread_units
from musim.training.identification.noise import whiten
from musim.training.identification.units import Recording

PARAMETERS = Parameters(units=Range(6, 6), snr=Range(10, 10))


@pytest.fixture(scope="module")
def sequence():
    truth = draw(PARAMETERS, seed=3)
    return truth, Recording(render(truth), 400.0, PARAMETERS.pixel_size)


def test_given_territories_come_back_with_their_trains(sequence):
    truth, recording = sequence
    found = identify(recording, "oracle-territories", truth=truth)
    assert found.count == 6
    order = [int(np.abs(truth.territory - t).sum(axis=(1, 2)).argmin()) for t in found.territory]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(found.territory, truth.territory[order])
    for train, true in zip(found.train, truth.twitch_train[order], strict=True):
        assert np.corrcoef(train, true)[0, 1] > 0.99


def test_given_trains_come_back_with_their_territories(sequence):
    truth, recording = sequence
    found = identify(recording, "oracle-trains", truth=truth)
    order = [int((truth.twitch_train @ t).argmax()) for t in found.train]
    wrong = found.masks != (truth.territory[order] > 0.5)
    assert found.count == 6
    assert wrong.mean() < 1e-3


@pytest.mark.parametrize("name", ["oracle-territories", "oracle-trains", "oracle-maps"])
def test_an_oracle_asks_for_the_truth(sequence, name, refused):
    truth, recording = sequence
    with pytest.raises(InputError, match=f"{name}: found no truth"):
        identify(recording, name)
    cut = Recording(recording.tvi[:, :-1].copy(), 400.0, recording.pixel_size)
    with refused("truth: found arrays"):
        identify(cut, name, truth=truth)


def test_an_unknown_method_is_refused(sequence, refused):
    with refused("found 'pca', wanted one of ica, refine"):
        identify(sequence[1], "pca")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.torch] if name == "network" else [])
        for name in METHODS
    ],
)
def test_every_method_refuses_what_it_cannot_use(sequence, name, refused):
    truth, recording = sequence
    gap = recording.tvi.copy()
    gap[7, 3, 2] = np.nan
    with refused("not finite"):
        identify(Recording(gap, 400.0, recording.pixel_size), name, truth=truth)


def test_no_method_needs_the_truth_but_the_oracles(sequence):
    truth, recording = sequence
    for name in ("ica", "refine"):
        alone, told = identify(recording, name), identify(recording, name, truth=truth)
        np.testing.assert_array_equal(alone.territory, told.territory)
        assert alone.count == 6


@pytest.fixture(scope="module")
def spreading():
    """Return a truth whose units' motion spreads, their fields and the recording."""
    parameters = Parameters(
        units=Range(3, 3), synchrony=Range(0, 0), pixels=(40, 40), size=(25.0, 25.0)
    )
    truth = draw(parameters, seed=1)
    rows, columns = np.mgrid[:40, :40]
    discs = [
        np.hypot(rows - row, columns - column) * 0.625 < radius
        for row, column, radius in ((10, 10, 3.0), (14, 29, 3.5), (30, 18, 4.0))
    ]
    truth = dataclasses.replace(truth, territory=np.array(discs, np.float32))
    fields = np.array([
        gaussian_filter(one, 1.6) - 0.5 * gaussian_filter(one, 8)
        for one in np.array(discs, np.float64)
    ])  # fmt: skip
    clean = np.einsum("ut,udw->tdw", truth.twitch_train, fields)
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    tvi = clean + noise * math.sqrt(np.square(clean).mean() / 10)
    return truth, fields, Recording(tvi.astype(np.float32), 400.0, parameters.pixel_size)


def test_given_territories_whose_motion_spreads_come_back_with_their_trains(spreading):
    truth, _, recording = spreading
    found = identify(recording, "oracle-territories", truth=truth)
    assert found.count == 3
    order = [int(np.abs(truth.territory - t).sum(axis=(1, 2)).argmin()) for t in found.territory]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_array_equal(found.territory, truth.territory[order])
    for train, true in zip(found.train, truth.twitch_train[order], strict=True):
        assert np.corrcoef(train, true)[0, 1] > 0.99


def test_given_trains_whose_motion_spreads_come_back_with_outlines(spreading):
    truth, _, recording = spreading
    found = identify(recording, "oracle-trains", truth=truth)
    assert found.count == 3
    order = [int((truth.twitch_train @ t).argmax()) for t in found.train]
    assert sorted(order) == [0, 1, 2]
    for mask, true in zip(found.masks, truth.territory[order] > 0.5, strict=True):
        assert (mask & true).sum() / (mask | true).sum() > 0.8


def test_what_units_of_given_territories_move_are_their_fields(spreading):
    truth, fields, recording = spreading
    known = whiten(recording)
    maps = own_maps(recording, known, spread_units(recording, known), truth.territory)
    assert maps.shape == (1600, 3)
    for column, field in zip(maps.T, fields, strict=True):
        assert np.corrcoef(column, field.ravel())[0, 1] > 0.97
