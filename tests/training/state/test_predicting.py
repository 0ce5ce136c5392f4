"""Using a run: what is told of a trial is what its network gives for each pair of frames."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.training.state import predicting  # noqa: E402
from musim.training.state.predicting import StatePredictor, predict  # noqa: E402
from musim.training.state.state_task import StateTask  # noqa: E402
from musim.training.tasks import train  # noqa: E402

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
    absolute = networks.outputs == 6
    rows = torch.from_numpy(networks.stage.rows_of(trial.images(0, trial.frames)))
    for pair in (0, 6, 7, 58):
        shown = [rows[0], rows[pair], rows[pair + 1]] if absolute else [rows[pair], rows[pair + 1]]
        with torch.no_grad():
            told = networks.tell(torch.stack(shown)[None])[0].numpy()
        np.testing.assert_allclose(found.changes[pair], told[:3], rtol=1e-4, atol=1e-7)
        if absolute:
            np.testing.assert_allclose(found.states[pair + 1], told[3:], rtol=1e-4, atol=1e-7)
    assert found.changes.shape == (59, 3)
    assert found.changes.dtype == np.float32
    assert (found.states is not None) == absolute
    if absolute:
        assert found.states.shape == (60, 3)
        np.testing.assert_allclose(
            found.states[1] - found.states[0], found.changes[0], rtol=1e-3, atol=1e-6
        )


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
