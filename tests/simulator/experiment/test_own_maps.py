"""What each unit of a sequence moves where."""

import numpy as np
import pytest

from musim.simulator import InputError, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.own_maps import with_own_maps
from musim.simulator.experiment.recording import simulate

SMALL = {"pixels": (16, 16), "size": (16.0, 16.0), "diameter": Range(4, 6)}


def test_of_an_analytic_sequence_they_are_territories_and_trains():
    parameters = Parameters(units=Range(3, 3), frames=80, **SMALL)
    truth = with_own_maps(draw(parameters, seed=4), parameters)
    own = truth.own_maps
    assert own.counts == (1, 1, 1)
    assert own.first.tolist() == [0, 1, 2]
    made = np.einsum("ut,uzx->tzx", own.courses, own.maps)
    np.testing.assert_allclose(made, render(truth, noise=False), atol=1e-5)


@pytest.fixture(scope="module")
def full():
    """A recording of the virtual experiment without noise, in which an artery beats."""
    parameters = Parameters(
        units=Range(2, 2), frames=200, frame_rate=512, territory="ellipse", snr=Range(60, 60),
        displacement=Range(5, 10), **SMALL,
    )  # fmt: skip
    doses = Doses(
        image=(160, 56), thermal_noise=Range(0, 0), noise_at_depth=Range(0, 0),
        artery=Range(60, 60), wave_speed=Range(2, 2), wave=Range(1, 1),
    )  # fmt: skip
    truth = draw(parameters, doses=doses, seed=2)
    return parameters, doses, truth, simulate(parameters, doses, truth, seed=2)


def test_of_a_full_recording_they_explain_all_but_little(full):
    parameters, doses, truth, tvi = full
    own = with_own_maps(truth, parameters, doses, seed=2).own_maps
    assert own.counts == (3, 3)
    assert own.first.tolist() == [0, 3]
    assert len(own.maps) > 3 + 3  # the body's: an artery among it
    left = tvi - np.einsum("ut,uzx->tzx", own.courses, own.maps)
    assert np.square(left).sum() < 0.05 * np.square(tvi).sum()
    without = tvi - np.einsum("ut,uzx->tzx", own.courses[:6], own.maps[:6])
    assert np.square(without).sum() > 2 * np.square(left).sum()


def test_a_truth_without_doses_has_none_of_the_experiment(full):
    parameters, doses, truth, _ = full
    with pytest.raises(InputError, match="found one without drawn doses"):
        with_own_maps(draw(parameters, seed=2), parameters, doses, seed=2)
    assert truth.own_maps is None
