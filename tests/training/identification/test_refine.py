import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.methods.model import Model
from musim.training.identification.methods.refine import (
    badness,
    merge,
    prune,
    raggedness,
    refine,
    separate,
    settle,
    take_up,
    trains_of_residual,
)
from musim.training.identification.noise import Noise, Whitened, whiten
from musim.training.identification.units import Recording


def _draw(units, snr, index=0, **options):
    parameters = Parameters(units=Range(units, units), snr=Range(snr, snr), **options)
    truth = draw(parameters, seed=7, index=index)
    return truth, Recording(render(truth), parameters.frame_rate, parameters.pixel_size)


def _iou(found, true):
    common = (found[:, None] & true).sum(axis=(2, 3))
    return common / np.maximum((found[:, None] | true).sum(axis=(2, 3)), 1)


def _discs():
    """Three overlapping squares of 12 x 12 px in 20 components of noise, and their trains."""
    random = np.random.default_rng(0)
    trains = 15 * random.standard_normal((3, 20))
    image = np.zeros((3, 12, 12))
    image[0, 1:7, 1:7] = image[1, 4:10, 3:9] = image[2, 5:11, 7:11] = 1
    membership = image.reshape(3, -1).T
    values = membership @ trains + random.standard_normal((144, 20))
    noise = Noise(np.eye(20), np.ones((12, 12)), 1.0)
    return Whitened(values.astype(np.float32), noise, (21, 12, 12)), membership, trains


def _masks(model):
    return {tuple(np.flatnonzero(column > 0.5)) for column in model.membership.T}


def test_settling_from_nothing_finds_all_units():
    found, membership, trains = _discs()
    model = Model.of(found, np.zeros((0, 20)))
    settle(model)
    assert _masks(model) == {tuple(np.flatnonzero(column)) for column in membership.T}
    best = np.argmax(model.trains @ trains.T, axis=0)
    np.testing.assert_allclose(model.trains[best], trains, atol=1.5)


def test_wrong_trains_are_dropped():
    found, membership, trains = _discs()
    random = np.random.default_rng(1)
    wrong = [trains[0] + trains[1], -trains[2], 15 * random.standard_normal(20)]
    model = Model.of(found, np.concatenate([trains, wrong]))
    settle(model)
    assert _masks(model) == {tuple(np.flatnonzero(column)) for column in membership.T}


def test_what_is_left_over_gives_the_missing_train():
    found, membership, trains = _discs()
    model = Model.of(found, trains[:2])
    model.membership = membership[:, :2].copy()
    missing = trains_of_residual(model)
    np.testing.assert_allclose(missing, trains[2:], atol=1.0)
    model.add(missing)
    model.membership = membership.copy()
    assert len(trains_of_residual(model)) == 0


def test_trains_are_taken_up_only_where_something_is_left_over():
    found, membership, trains = _discs()
    model = Model.of(found, trains[:2])
    model.membership = membership[:, :2].copy()
    assert not take_up(model, trains[:2] + 0.0)
    assert take_up(model, trains)
    np.testing.assert_array_equal(model.trains, trains)
    assert not model.membership[:, 2].any()


def test_two_halves_of_one_train_are_merged():
    found, membership, trains = _discs()
    shift = np.linspace(-20, 20, 20)
    model = Model.of(found, np.array([trains[0] / 2 + shift, trains[0] / 2 - shift, *trains[1:]]))
    model.membership = membership[:, [0, 0, 1, 2]].copy()
    merge(model)
    assert model.count == 3
    np.testing.assert_allclose(model.trains, trains)
    merge(model)
    assert model.count == 3


def test_only_needed_units_survive_pruning():
    found, membership, trains = _discs()
    model = Model.of(found, np.concatenate([trains, trains[:1] / 20]))
    model.membership = np.concatenate([membership, membership[:, 1:2]], axis=1)
    prune(model)
    np.testing.assert_array_equal(model.trains, trains)


def test_scaling_leaves_the_product_alone():
    found, membership, trains = _discs()
    model = Model.of(found, trains * 2)
    model.membership = membership / 2
    model.rescale()
    np.testing.assert_allclose(model.membership, membership)
    np.testing.assert_allclose(model.trains, trains)


def _nested():
    """Return a unit inside another one, as whitened components, and both explanations of them."""
    random = np.random.default_rng(4)
    trains = 15 * random.standard_normal((2, 20))
    image = np.zeros((2, 12, 12))
    image[0, 1:9, 1:9] = image[1, 2:9, 2:9] = 1
    membership = image.reshape(2, -1).T
    values = membership @ trains + random.standard_normal((144, 20))
    noise = Noise(np.eye(20), np.ones((12, 12)), 1.0)
    found = Whitened(values.astype(np.float32), noise, (21, 12, 12))
    right = Model.of(found, trains)
    right.membership = membership.copy()
    cut = Model.of(found, np.array([trains[0], trains[0] + trains[1]]))
    cut.membership = np.column_stack([membership[:, 0] - membership[:, 1], membership[:, 1]])
    return right, cut


def test_a_sum_of_trains_is_taken_apart():
    right, cut = _nested()
    assert cut.energy() == pytest.approx(right.energy(), rel=1e-3)
    separate(cut)
    np.testing.assert_array_equal(cut.membership > 0.5, right.membership > 0.5)
    np.testing.assert_allclose(cut.trains, right.trains, atol=1.5)


def test_apart_from_one_another_units_are_left_alone():
    found, membership, trains = _discs()
    # Even where one happens to move as the sum of itself and another does.
    model = Model.of(found, trains[[0, 2]] + [[0.0], [1.0]] * trains[0])
    model.membership = membership[:, [0, 2]].copy()
    separate(model)
    np.testing.assert_array_equal(model.membership, membership[:, [0, 2]])


def test_of_two_explanations_that_fit_alike_the_rounder_is_better():
    right, cut = _nested()
    assert badness(right) < badness(cut)
    surplus = right.copy()
    surplus.add(np.ones((1, 20)))
    assert badness(right) < badness(surplus)


def test_raggedness_is_the_edge_over_that_of_a_disc():
    image = np.zeros((9, 9), bool)
    image[3:6, 2:7] = True
    assert raggedness(image.ravel(), (9, 9)) == pytest.approx(16 / math.sqrt(4 * math.pi * 15))
    image[:] = False
    image[:2, :2] = True
    assert raggedness(image.ravel(), (9, 9)) == pytest.approx(4 / math.sqrt(4 * math.pi * 4))
    assert raggedness(np.zeros(81, bool), (9, 9)) == 0


def test_any_methods_units_can_be_refined():
    truth, recording = _draw(5, 20.0)
    expected = identify(recording)
    for method in ("ica", "oracle-trains"):
        found = refine(recording, identify(recording, method, truth=truth))
        assert found.count == 5
        assert _iou(found.masks, expected.masks).max(axis=0).min() > 0.98


@pytest.mark.parametrize(
    ("units", "snr", "options"),
    [
        (25, 10.0, {}),
        (12, math.inf, {}),
        (1, 20.0, {}),
        (8, 20.0, {"mask": "soft"}),
        (8, 10.0, {"territory": "ellipse"}),
        (8, 10.0, {"pixels": (40, 90), "size": (20.0, 45.0), "frames": 300, "frame_rate": 250.0}),
        (8, 0.0, {}),
    ],
)
def test_units_of_simulated_recordings_are_found(units, snr, options):
    truth, recording = _draw(units, snr, **options)
    found = identify(recording)
    iou = _iou(found.masks, truth.territory > 0.5)
    assert found.count == units
    assert iou.max(axis=0).min() > 0.8
    match = iou.argmax(axis=0)
    for unit, train in enumerate(truth.twitch_train):
        assert np.corrcoef(found.train[match[unit]], train)[0, 1] > 0.95
    assert (np.diff(found.confidence) <= 0).all()
    assert found.territory.dtype == found.train.dtype == np.float32
    assert ((found.territory >= 0) & (found.territory <= 1)).all()


def test_velocities_of_units_are_those_of_the_truth():
    truth, recording = _draw(5, 20.0)
    found = identify(recording)
    match = _iou(found.masks, truth.territory > 0.5).argmax(axis=0)
    scale = [(found.train[k] @ t) / (t @ t) for k, t in zip(match, truth.twitch_train, strict=True)]
    np.testing.assert_allclose(scale, 1, atol=0.03)


def _noise(kind, seed, shape=(400, 64, 64)):
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    if kind == "white":
        return noise
    time, space = {"coloured": (1.5, 1.0), "broad": (4.0, 2.5)}[kind]
    growth = np.linspace(1, 4, shape[1], dtype=np.float32)[:, None]
    return gaussian_filter(noise, (time, space, space)) * growth


@pytest.mark.parametrize("method", ["ica", "refine"])
@pytest.mark.parametrize("kind", ["white", "coloured", "broad"])
def test_there_is_no_unit_in_noise(kind, method):
    for seed in range(2):
        assert identify(Recording(_noise(kind, seed), 400.0, (0.6, 0.6)), method).count == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["white", "coloured", "broad"])
def test_noise_hardly_ever_passes_for_a_unit(kind, scaled):
    draws = scaled(100)
    found = [
        identify(Recording(_noise(kind, 1000 + seed), 400.0, (0.6, 0.6))).count
        for seed in range(draws)
    ]
    assert sum(found) < max(0.05 * draws, 1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("snr", [10.0, 20.0, math.inf])
def test_nearly_all_of_25_units_are_found(snr, scaled):
    recall, precision = [], []
    for index in range(scaled(20)):
        truth, recording = _draw(25, snr, index)
        found = identify(recording)
        hits = (_iou(found.masks, truth.territory > 0.5).max(axis=0) > 0.5).sum()
        recall.append(hits / truth.unit_count)
        precision.append(hits / found.count)
    assert np.mean(recall) >= 0.95
    assert np.mean(precision) >= 0.95


def test_coloured_noise_hides_no_unit():
    truth, recording = _draw(10, math.inf)
    noise = _noise("coloured", 5)
    noise *= np.float32(math.sqrt(np.mean(recording.tvi**2) / np.mean(noise**2) / 10))
    found = identify(Recording(recording.tvi + noise, 400.0, recording.pixel_size))
    iou = _iou(found.masks, truth.territory > 0.5)
    assert found.count == 10
    assert (iou.max(axis=0) > 0.8).all()


def test_a_shorter_or_scaled_recording_gives_the_same_masks():
    _, recording = _draw(5, 20.0)
    one = identify(recording)
    scaled = identify(Recording(recording.tvi * 1024, 400.0, recording.pixel_size))
    assert one.count == scaled.count == 5
    overlap = _iou(one.masks, scaled.masks).max(axis=0)
    assert overlap.min() > 0.99


def test_units_of_a_small_part_of_the_image_are_found():
    truth, recording = _draw(5, 20.0)
    part = recording.tvi[:, :40, 10:50].copy()
    found = identify(Recording(part, 400.0, recording.pixel_size))
    true = truth.territory[:, :40, 10:50] > 0.5
    seen = true.sum(axis=(1, 2)) > 4
    assert (_iou(found.masks, true[seen]).max(axis=0) > 0.8).all()


def test_components_of_noise_are_whitened_before_units_are_sought():
    # Guards the test of noise above: its noise is far from white before.
    found = whiten(Recording(_noise("broad", 0), 400.0, (0.6, 0.6)))
    assert found.noise.area > 30
    assert found.noise.sd.max() > 2 * found.noise.sd.min()
