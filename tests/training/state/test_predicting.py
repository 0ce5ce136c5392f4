"""Using a run: what is told of a trial is what its network gives for each pair of frames."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.training.state import predicting  # noqa: E402
from musim.training.state.predicting import StatePredictor, predict  # noqa: E402
from musim.training.state.protocol import predictions  # noqa: E402
from musim.training.state.state_task import StateTask  # noqa: E402
from musim.training.tasks import make, settings_for, train  # noqa: E402

from .conftest import Trial  # noqa: E402

TINY = {"steps": 20, "batch_size": 8, "block": 0, "binning": "2,2", "filters": "4,4",
        "connected": "16", "validate_every": 20}  # fmt: skip


@pytest.fixture(params=["changes", "absolute"])
def run(request, source, tmp_path):
    """Return a run that was trained for a moment."""
    texts = {**TINY, "target": request.param}
    train(StateTask, tmp_path / "run", texts=texts, source=source, accelerator="cpu")
    return tmp_path / "run"


def test_what_is_told_is_what_the_network_gives_for_each_pair(run, trials, monkeypatch):
    monkeypatch.setattr(predicting, "PIECE", 7)
    predictor, trial = StatePredictor.of_run(run), trials[0]
    found = predictor.predict(trial)
    networks = predictor.task.networks
    rows = networks.stage.rows_of(trial.images(0, trial.frames))
    batch = {"rows": torch.from_numpy(np.stack([rows[:-1], rows[1:]], 1))}
    if networks.outputs == 6:
        batch["compared"] = torch.from_numpy(networks.stage.compare(rows[0], rows[1:]))
    with torch.no_grad():
        told = networks.tell(batch).numpy()
    if networks.outputs == 3:
        np.testing.assert_allclose(found.changes, told, rtol=1e-4, atol=1e-7)
        assert found.states is None
        return
    rest = trial.states()[:25].mean(axis=0)
    np.testing.assert_allclose(found.states - rest, networks.fused(told), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.changes, np.diff(found.states, axis=0), atol=1e-5)
    assert found.states.dtype == np.float32


def test_states_are_told_above_rest_where_rest_is_not_known(run, trials, monkeypatch):
    predictor, trial = StatePredictor.of_run(run), trials[0]
    known = predictor.predict(trial)
    rest = trial.states()[:25].mean(axis=0)
    monkeypatch.setattr(trial, "states", lambda: np.full((trial.frames, 3), np.nan, np.float32))
    found = predictor.predict(trial)
    np.testing.assert_array_equal(found.changes, known.changes)
    if found.states is not None:
        np.testing.assert_allclose(found.states + rest, known.states, atol=1e-5)


def test_a_part_holds_what_is_told_measured_and_standardised_by(run, trials, tmp_path, monkeypatch):
    monkeypatch.setattr(predictions, "trials_of", lambda store: trials)
    place, name = tmp_path / "evaluation", f"{0:032x}.npz"
    place.mkdir()
    predictions.predict_part(str(place), str(run), "trials.zarr", 1, name)
    (file,) = place.rglob(name)
    found, wanted = dict(np.load(file)), predict(run, trials[1])
    changes = np.concatenate([np.diff(trials[index].states().astype(float), axis=0)
                              for index in range(4, 8)])  # fmt: skip
    np.testing.assert_allclose(found["scale"], changes.std(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(found["true"], trials[1].states())
    np.testing.assert_array_equal(found["changes"], wanted.changes)
    assert ("states" in found) == (wanted.states is not None)
    if wanted.states is not None:
        np.testing.assert_array_equal(found["states"], wanted.states)


def test_states_that_fit_are_those_of_all_frames(source):
    """What is told of a pair are its change and the state at its second frame."""
    networks = make(StateTask, settings_for(StateTask, "small", {"target": "absolute"}), source)
    networks = networks.networks
    true = np.random.default_rng(0).standard_normal((9, 3)).cumsum(axis=0)
    changes, states = np.diff(true, axis=0), true[1:]
    np.testing.assert_allclose(networks.fused(np.hstack([changes, states])), true, atol=1e-9)
    off = np.where(np.arange(8) % 2, 0.5, -0.5)[:, None]
    networks.trust[:, 0] = 1e6  # states err by far more than changes
    found = networks.fused(np.hstack([changes, states + off]))
    np.testing.assert_allclose(found, true, atol=1e-4)
    networks.trust[:, 0] = 1e-6
    found = networks.fused(np.hstack([changes, states + off]))
    np.testing.assert_allclose(found[1:], states + off, atol=1e-4)


@pytest.mark.parametrize("doubted", ["states", "changes"])
def test_what_errs_on_those_who_validate_is_trusted_less(source, doubted):
    networks = make(StateTask, settings_for(StateTask, "small", {"target": "absolute"}), source)
    networks = networks.networks
    random = np.random.default_rng(1)
    true = random.standard_normal((2, 60, 3)).cumsum(axis=1)
    labels = [np.hstack([np.diff(one, axis=0), one[1:]]) for one in true]
    wrong = slice(3, 6) if doubted == "states" else slice(0, 3)
    told = [one.copy() for one in labels]
    for one in told:
        one[:, wrong] += random.standard_normal((59, 3))
    networks.learn_trust(told, labels)
    assert ((networks.trust[:, 0] >= 1e3) == (doubted == "states")).all()
    found = np.stack([networks.fused(one)[1:] for one in told])
    assert np.sqrt(np.mean((found - true[:, 1:]) ** 2)) < 0.6


def test_a_trial_is_read_in_pieces(run, trials, monkeypatch):
    monkeypatch.setattr(predicting, "PIECE", 10)
    trials[0].asked.clear()
    predict(run, trials[0])
    assert max(stop - first for first, stop in trials[0].asked) == 11


def test_trials_of_one_frame_and_of_another_length(run):
    for frames in (1, 2, 9):
        found = predict(run, Trial(0, 0, frames=frames))
        assert found.changes.shape == (frames - 1, 3)
        assert found.states is None or found.states.shape == (frames, 3)


def test_frames_of_another_size_are_refused(run, refused):
    with refused("00-combined-0", "found frames of 12 x 30 px", "wanted 12 x 24 px"):
        predict(run, Trial(0, 0, size=(12, 30)))
