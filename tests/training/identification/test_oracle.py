import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.errors import InputError
from musim.training.identification.methods import METHODS, identify
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


@pytest.mark.parametrize("name", [name for name in METHODS if name.startswith("oracle")])
def test_an_oracle_asks_for_the_truth(sequence, name):
    truth, recording = sequence
    with pytest.raises(InputError, match=f"{name}: found no truth"):
        identify(recording, name)
    cut = Recording(recording.tvi[:, :-1].copy(), 400.0, recording.pixel_size)
    with pytest.raises(InputError, match="truth: found arrays"):
        identify(cut, name, truth=truth)


def test_an_unknown_method_is_refused(sequence):
    with pytest.raises(InputError, match="found 'pca', wanted one of ica, refine"):
        identify(sequence[1], "pca")


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_refuses_what_it_cannot_use(sequence, name):
    truth, recording = sequence
    flat = Recording(np.ones_like(recording.tvi), 400.0, recording.pixel_size)
    with pytest.raises(InputError, match="same value in every frame"):
        identify(flat, name, truth=truth)


def test_no_method_needs_the_truth_but_the_oracles(sequence):
    truth, recording = sequence
    for name in ("ica", "refine"):
        alone, told = identify(recording, name), identify(recording, name, truth=truth)
        np.testing.assert_array_equal(alone.territory, told.territory)
        assert alone.count == 6
