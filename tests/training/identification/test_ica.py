import math

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods.ica import (
    component_count,
    ica,
    ica_model,
    independent_trains,
    joint_support,
    merge_duplicates,
    territories,
)
from musim.training.identification.methods.model import Model
from musim.training.identification.noise import Noise, Whitened, whiten
from musim.training.identification.units import Recording


def _recording(units, snr, seed=1):
    truth = draw(Parameters(units=Range(units, units), snr=Range(snr, snr)), seed=seed)
    return truth, Recording(render(truth), 400.0, (0.625, 0.625))


def _small(values, size):
    noise = Noise(np.eye(values.shape[1]), np.ones(size), 1.0)
    return Whitened(values.astype(np.float32), noise, (values.shape[1] + 1, *size))


def _iou(found, true):
    common = (found[:, None] & true).sum(axis=(2, 3))
    return common / (found[:, None] | true).sum(axis=(2, 3))


@pytest.mark.parametrize("snr", [10.0, 20.0, math.inf])
@pytest.mark.parametrize("units", [1, 5, 15])
def test_the_components_are_counted(units, snr):
    _, recording = _recording(units, snr)
    count, directions = component_count(whiten(recording))
    assert count == units
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-9)


def test_noise_has_no_components():
    noise = np.random.default_rng(0).standard_normal((200, 40, 40)).astype(np.float32)
    found = whiten(Recording(noise, 400.0, (1.0, 1.0)))
    assert component_count(found)[0] == 0
    assert independent_trains(found).shape == (0, found.values.shape[1])


@pytest.mark.parametrize(("units", "snr"), [(1, 10.0), (2, math.inf), (5, 10.0), (15, 20.0)])
def test_units_are_found(units, snr):
    truth, recording = _recording(units, snr)
    found = ica(recording)
    iou = _iou(found.masks, truth.territory > 0.5)
    assert (iou.max(axis=0) > 0.5).mean() > 0.9
    assert found.count <= units
    assert (np.diff(found.confidence) <= 0).all()
    assert ((found.confidence > 0) & (found.confidence <= 1)).all()


def test_territories_are_maps_without_their_specks():
    image = np.zeros((12, 12, 2))
    image[2:7, 2:7, 0] = 10
    image[10, 10, 0] = 10
    image[4:9, 4:9, 1] = 8
    masks = territories(_small(image.reshape(144, 2), (12, 12)), np.array([[10.0, 0], [0, 8]]))
    expected = np.zeros((12, 12))
    expected[2:7, 2:7] = 1
    np.testing.assert_array_equal(masks[:, 0].reshape(12, 12), expected)
    assert masks[:, 1].sum() == 25


def test_the_evidence_is_what_leaving_a_unit_out_costs():
    random = np.random.default_rng(3)
    found = _small(random.standard_normal((30, 6)), (5, 6))
    model = Model.of(found, np.zeros((3, 6)))
    model.membership = (random.random((30, 3)) < 0.5).astype(float)
    model.fit_trains()
    evidence, _ = joint_support(model)
    for unit in range(3):
        other = Model(found, model.weight, model.membership.copy(), model.trains.copy())
        other.keep(np.arange(3) != unit)
        other.fit_trains()
        cost = other.energy().sum() - model.energy().sum()
        assert evidence[unit] == pytest.approx(cost, rel=1e-3)


def test_duplicates_are_merged():
    found = _small(np.zeros((9, 2)), (3, 3))
    model = Model.of(found, np.array([[1.0, 0], [2.0, 0.1], [1.0, 0], [0, 1.0]]))
    model.membership = np.zeros((9, 4))
    model.membership[:4, 0] = model.membership[:5, 1] = 1
    model.membership[6:, 2] = model.membership[:4, 3] = 1
    merge_duplicates(model)
    # The third lies elsewhere, the fourth moves otherwise.
    np.testing.assert_array_equal(model.trains, [[1, 0], [1, 0], [0, 1]])


def test_the_same_recording_gives_the_same_units():
    _, recording = _recording(5, 10.0)
    one, other = ica(recording), ica(recording)
    np.testing.assert_array_equal(one.territory, other.territory)
    np.testing.assert_array_equal(one.train, other.train)
    assert ica_model(whiten(recording)).count == one.count
