"""What a run has learned: found in a network whose mechanics are known, told and drawn."""

import csv
import json
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from musim.cli.pages.writing import write_pages  # noqa: E402
from musim.datasets.grid import Grid  # noqa: E402
from musim.training.runs.folder import RunFolder  # noqa: E402
from musim.training.state.explaining.evaluation import explain_run, summary  # noqa: E402
from musim.training.state.explaining.explanation import motion_rows, shear_share  # noqa: E402
from musim.training.state.explaining.imposing import moved  # noqa: E402
from musim.training.state.explaining.tables import tables_of  # noqa: E402
from musim.training.state.explaining.trial_motion import motion_in_trials  # noqa: E402
from musim.training.state.state_networks import StateNetworks  # noqa: E402
from musim.training.state.state_source import StateSource  # noqa: E402
from musim.training.state.state_task import StateTask  # noqa: E402
from musim.training.state.tracking.features import Tracker  # noqa: E402
from musim.training.tasks import settings_for, train  # noqa: E402

SIZE, FRAMES = (40, 96), 30
GRID = Grid((FRAMES, *SIZE), 25.0, (0.12, 0.11))
SCALES = np.array([1e-3, 1.0, 0.5])


class Trial:
    """A texture whose halves part by 1 px for 1 mV, and slide to the left by 2 px for 1 degree."""

    frame_rate, task = 25.0, "combined"

    def __init__(self, index, participant):
        self.index, self.participant, self.frames = index, participant, FRAMES
        self.name = f"{participant:02}-<b>"
        layout = SimpleNamespace(grid=GRID, attributes={})
        self.store: Any = SimpleNamespace(location=SimpleNamespace(address="t"), layout=layout)
        random = np.random.default_rng(participant)
        along = np.fft.fftfreq(SIZE[0])[:, None], np.fft.fftfreq(SIZE[1])
        low = np.exp(-(along[0] ** 2 + along[1] ** 2) / (2 * 0.08**2))
        values = np.fft.ifft2(low * np.fft.fft2(random.standard_normal(SIZE))).real
        self.texture = np.clip(128 + 40 * values / values.std(), 0, 255).astype(np.uint8)

    def states(self):
        times = np.arange(self.frames)[:, None] / 25 + 3 * self.index
        courses = np.sin(times * np.array([9.0, 3.0, 14.0])) * np.array([1e-3, 5.0, 0.5])
        return courses.astype(np.float32)

    def images(self, first, stop):
        return np.array([
            moved(moved(self.texture, "shear", 1e3 * emg), "translation", -2 * angle)
            for emg, _, angle in self.states()[first:stop]
        ])  # fmt: skip


@pytest.fixture
def trials(monkeypatch):
    """Return a trial of each of four participants, which a source gives without a store."""
    trials = [Trial(index, index) for index in range(4)]
    store = SimpleNamespace(layout=SimpleNamespace(grid=GRID))
    monkeypatch.setattr(StateSource, "opened", store)
    monkeypatch.setattr(StateSource, "_trials", trials)
    return trials


TINY = {"steps": "2", "batch_size": "4", "block": "0", "binning": "2,2", "filters": "3,4",
        "connected": "8", "dropout_layers": "0", "validate_every": "2"}  # fmt: skip


def begun(folder, **changes):
    """Train a tiny run for two steps."""
    train(StateTask, folder, texts={**TINY, **changes}, accelerator="cpu",
          source=StateSource("t", test=0, validation=1))  # fmt: skip
    return folder


def rows_of(folder, name):
    return list(csv.DictReader((folder / name).read_text().splitlines()))


def test_mechanics_of_a_klt_network_are_found(trials, tmp_path, monkeypatch):
    """Its only layer says: EMG is the upper half less the lower, the angle all to the left."""
    from musim.training.state.tracking import stage as stages

    monkeypatch.setattr(stages, "IMAGES", 8)
    run = begun(tmp_path / "klt", method="klt", window="7", neurons="4", average="0")
    known = RunFolder(run)
    state = known.load("best.ckpt")
    networks = state["networks"]
    upper = networks["stage.places"][:, 0] < SIZE[0] / 2
    motion = torch.zeros(4, 200)
    motion[0, 1::2] = torch.where(upper, 1.0, -1.0) / 100
    motion[1] = -motion[0]
    motion[2, 1::2] = -1 / 50
    motion[3] = -motion[2]
    out = torch.tensor([[1.0, -1, 0, 0], [0, 0, 0, 0], [0, 0, 1, -1]])
    for name in [each for each in networks if ".layers." in each]:
        value = {"0.weight": motion, "1.weight": out}.get(name.rsplit("layers.")[1], 0)
        networks[name] = networks[name] * 0 + value
    networks["row_mean"] *= 0
    networks["row_sd"] = networks["row_sd"] * 0 + 1
    networks["label_mean"] *= 0
    networks["label_sd"] = torch.tensor([2.0, 1.0, 0.5])
    known.save("best.ckpt", state)
    found = explain_run(run, starts=2, frames=2, pairs=20)
    emg, torque, angle = motion_rows(found)
    assert emg["superficial"] > 0 > emg["deep"]
    assert emg["shear_share"] > 0.95
    assert angle["superficial"] < 0
    assert angle["deep"] < 0
    assert angle["shear_share"] < 0.05
    assert emg["response"] > emg["response_to_noise"] + 0.5
    assert not found.filters
    # In SDs of the changes, a px of shear is told as 1 and 0, one of translation as 0 and -2.
    assert emg["slope_shear"] == pytest.approx(1, abs=0.2)
    assert emg["slope_translation"] == pytest.approx(0, abs=0.2)
    assert angle["slope_translation"] == pytest.approx(-2, abs=0.3)
    assert angle["slope_shear"] == pytest.approx(0, abs=0.3)
    assert torque["slope_shear"] == pytest.approx(0, abs=1e-6)


def test_motion_of_trials_is_parted_into_that_of_emg_and_of_the_angle(trials):
    found = motion_in_trials(trials, SCALES, 60, Tracker(count=150, window=9))
    assert found == pytest.approx(np.array([[1, -1], [-1, -1]]), abs=0.2)
    for trial in trials:
        trial.states = lambda: np.full((FRAMES, 3), np.nan, np.float32)
    assert motion_in_trials(trials, SCALES, 20, Tracker(count=150, window=9)) is None


@pytest.mark.parametrize("target", ["changes", "absolute"])
def test_a_cnn_is_explained_in_tables_figures_and_a_page(trials, tmp_path, target):
    run = begun(tmp_path / "run", target=target)
    folder, steps = tmp_path / "explained", []
    found = explain_run(run, folder, starts=2, filters=3, frames=2, pairs=10,
                        on_progress=lambda *done: steps.append(done))  # fmt: skip
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for output in found.outputs:
        assert output.pairs.shape == (2, 2, 20, 48)
        assert output.field.depth == SIZE[0]
    assert [one.filters for one in found.filters] == [(0, 1, 2), tuple(found.filters[1].filters)]
    assert found.filters[0].at_a_place.shape == (3, 2, 5, 5)
    assert {each.name for each in folder.glob("*.png")} == {
        f"explain-{name}.png" for name in ("motion", "outputs", "filters", "maps", "tuning")
    }
    settings = json.loads((folder / "explanation.json").read_text())
    assert settings["explanation"] == json.loads(json.dumps(summary(found)))
    assert [row["output"] for row in rows_of(folder, "motion.csv")] == ["EMG", "torque", "angle"]
    assert len(rows_of(folder, "tuning.csv")) == 2 * 9
    assert len(rows_of(folder, "filters.csv")) == 3 + 3
    page = tmp_path / "page.html"
    write_pages(str(folder), page, None, lambda *_: None)
    text = page.read_text()
    assert "<b>" not in re.sub(r"base64,[^\"]+", "", text)  # a trial's name is text
    assert text.count("data:image/png") == 5
    assert tables_of(settings["explanation"])[0].rows[0][0] == "EMG (active)"


@pytest.mark.parametrize("shown", ["frames", "difference"])
def test_what_a_network_is_shown_is_made_frames_again(shown):
    settings = settings_for(StateTask, "small", {**TINY, "shown": shown})
    networks = StateNetworks(settings, GRID)
    for buffer, value in ((networks.row_mean, 90.0), (networks.row_sd, 40.0),
                          (networks.change_sd, 5.0)):  # fmt: skip
        buffer.fill_(value)
    frames = torch.randn((3, 2, *networks.stage.shape), generator=torch.Generator().manual_seed(1))
    (given,) = networks.given({"rows": frames * 40 + 90})
    assert torch.allclose(given, frames, atol=1e-4) is (shown == "frames")
    assert torch.allclose(networks.rows_given(given), frames, atol=1e-4)


def test_without_trials_the_network_is_explained_alone(trials, tmp_path, monkeypatch):
    run = begun(tmp_path / "run")

    def lost(self):
        from musim.simulator.errors import InputError

        raise InputError("t: found nothing")

    monkeypatch.setattr(StateSource, "tested", property(lost))
    found = explain_run(run, tmp_path / "explained", starts=1, filters=0)
    assert (found.tuning, found.trial_motion) == (None, None)
    assert "found nothing" in found.remarks[0]
    assert [each.name for each in tables_of(summary(found))] == ["motion"]
    assert rows_of(tmp_path / "explained", "motion.csv")[0]["slope_shear"] == ""


def test_what_cannot_be_explained_is_refused(trials, tmp_path, refused):
    with refused("nowhere", "found no run"):
        explain_run(tmp_path / "nowhere", tmp_path / "out")
    with refused("`starts`", "found 0"):
        explain_run(tmp_path / "nowhere", starts=0)
    run = begun(tmp_path / "run")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    with refused("not an evaluation"):
        explain_run(run, tmp_path / "taken")


def test_shares_of_shear():
    assert shear_share(1.0, -1.0) == 1
    assert shear_share(-2.0, -2.0) == 0
    assert shear_share(1.0, 0.0) == 0.5
    assert np.isnan(shear_share(0.0, 0.0))


def test_settings_of_klt_have_no_filters():
    assert settings_for(StateTask, "small", {"method": "klt"}).dropout_layers == 0
