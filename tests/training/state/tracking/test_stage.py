"""The method ``klt``: places of who is trained on, rows for pairs of frames, and learning."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")
pytest.importorskip("sklearn")

from musim.datasets.grid import Grid  # noqa: E402
from musim.training.state.state_settings import MODELS, StateSettings  # noqa: E402
from musim.training.state.state_source import StateSource  # noqa: E402
from musim.training.state.state_task import StateTask  # noqa: E402
from musim.training.state.tracking import stage as stages  # noqa: E402
from musim.training.state.tracking.places import find_places, track  # noqa: E402
from musim.training.state.tracking.stage import TrackedPlaces  # noqa: E402
from musim.training.tasks import open_run, settings_for, train  # noqa: E402

SIZE, FRAMES = (40, 160), 40
GRID = Grid((FRAMES, *SIZE), 25.0, (0.12, 0.11))


class Trial:
    """A texture that slides with the angle and shears with the EMG, its halves apart."""

    frame_rate, task = 25.0, "combined"

    def __init__(self, index, participant):
        self.index, self.participant, self.frames = index, participant, FRAMES
        self.name, self.asked = f"{participant:02}-{index}", 0
        random = np.random.default_rng(participant)
        along = np.fft.fftfreq(SIZE[0])[:, None], np.fft.fftfreq(SIZE[1])
        low = np.exp(-(along[0] ** 2 + along[1] ** 2) / (2 * 0.08**2))
        self.spectrum = np.fft.fft(
            np.fft.ifft2(low * np.fft.fft2(random.standard_normal(SIZE))).real
        )

    def states(self):
        times = np.arange(self.frames)[:, None] / 25 + 3 * self.index
        courses = np.sin(times * np.array([5.0, 3.0, 8.0])) * np.array([1e-3, 5.0, 2.0])
        return courses.astype(np.float32)

    def images(self, first, stop):
        self.asked += 1
        found = []
        for emg, _, angle in self.states()[first:stop]:
            right = np.full(SIZE[0], -3 * angle)
            right[: SIZE[0] // 2] += 4e3 * emg
            right[SIZE[0] // 2 :] -= 4e3 * emg
            turned = np.exp(-2j * np.pi * right[:, None] * np.fft.fftfreq(SIZE[1]))
            values = np.fft.ifft(self.spectrum * turned).real
            found.append(np.clip(128 + 40 * values / values.std(), 0, 255))
        return np.array(found).astype(np.uint8)


class TrialStore:
    def __init__(self):
        self.location = self.layout = self
        self.address, self.attributes, self.grid = "trials.zarr", {}, GRID


@pytest.fixture
def trials():
    """Return a trial of each of five participants."""
    return [Trial(index, index) for index in range(5)]


@pytest.fixture
def source(monkeypatch, trials):
    """Give these, without a store, and places that fit small images."""
    for trial in trials:
        trial.store = TrialStore()
    monkeypatch.setattr(StateSource, "opened", TrialStore())
    monkeypatch.setattr(StateSource, "_trials", trials)
    monkeypatch.setattr(stages, "IMAGES", 12)
    return StateSource("trials.zarr", test=0, validation=1)


def stage_of(**changes) -> TrackedPlaces:
    settings = settings_for(StateTask, "small", {"method": "klt", "window": "7", **changes})
    assert isinstance(settings, StateSettings)
    return TrackedPlaces(settings, GRID)


def test_places_are_those_of_who_is_trained_on(source, trials):
    stage = stage_of()
    stage.learn(source.train, seed=0)
    assert [trial.asked > 0 for trial in trials] == [False, False, True, True, True]
    chosen = [(trial, at) for trial in trials[2:] for at in (5, 15, 25, 35)]
    images = [trial.images(at, at + 1)[0] for trial, at in chosen]
    assert np.array_equal(stage.places.numpy(), find_places(images, stage.tracker, 0))


def test_a_row_is_how_places_move(source, trials):
    stage = stage_of()
    stage.learn(source.train, seed=0)
    images = trials[3].images(0, 6)
    rows = stage.rows_of(images)
    assert rows.shape == (5, 200)
    assert rows.dtype == np.float32
    wanted = track(images, stage.places.numpy(), stage.tracker)
    assert np.array_equal(rows.reshape(5, 100, 2), wanted)
    right = np.diff(trials[3].states()[:6], axis=0) @ [[4e3], [0], [-3]]
    upper = stage.places[:, 0].numpy() < 15
    assert rows.reshape(5, 100, 2)[:, upper, 1].mean(axis=1) == pytest.approx(right[:, 0], abs=0.3)


def test_a_network_learns_from_places(source, trials, tmp_path):
    texts = {"method": "klt", "window": "7", "steps": "300", "validate_every": "300", "block": "0",
             "neurons": "32,16", "learning_rate": "3e-3"}  # fmt: skip
    best = train(StateTask, tmp_path / "run", texts=texts, source=source, accelerator="cpu")
    assert best["r2_emg_changes"] > 0.5
    assert best["r2_angle_changes"] > 0.5
    assert trials[0].asked == 0  # who tests is never looked at
    task, _ = open_run(tmp_path / "run", StateTask)
    learned = stage_of()
    learned.learn(source.train, seed=0)
    assert torch.equal(task.networks.stage.places, learned.places)


def test_numbers_of_weights_are_those_of_two_hidden_layers():
    for model, neurons in (("A", 256), ("B", 512), ("C", 1024)):
        settings = settings_for(StateTask, model, {"method": "klt"})
        assert (settings.learning_rate, settings.momentum, settings.batch_size) == (1e-5, 0.9, 1)
        network = TrackedPlaces(settings, GRID).network(settings, 3)
        count = sum(each.numel() for each in network.parameters())
        assert count == 201 * neurons + (neurons + 1) * neurons + (neurons + 1) * 3


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_dropout_is_of_the_topmost_layers(layers):
    settings = settings_for(StateTask, "small", {"method": "klt", "dropout_layers": str(layers)})
    network = TrackedPlaces(settings, GRID).network(settings, 3)
    calls = []
    network.dropout.register_forward_hook(lambda *call: calls.append(call[1][0].shape[1]))
    network(torch.zeros(2, 1, 200))
    assert calls == [128, 64][2 - layers :]


def test_what_does_not_go_with_klt_is_refused(refused):
    with refused("klt", "small, A, B, C"):
        settings_for(StateTask, "D", {"method": "klt"})
    with refused("window", "found 8", "odd"):
        settings_for(StateTask, "small", {"method": "klt", "window": "8"})
    with refused("absolute", "klt", "cnn"):
        StateTask(settings_for(StateTask, "small", {"method": "klt", "target": "absolute"}), GRID)


def test_what_was_typed_stands_before_what_differs_with_klt():
    typed = settings_for(StateTask, "A", {"method": "klt", "momentum": "0.5"})
    assert (typed.momentum, typed.dropout_layers) == (0.5, 0)
    assert settings_for(StateTask, "A", {}).dropout_layers == 2
    assert "D" in MODELS
