"""Trials that lie nowhere: textures that slide with the angle and brighten with the EMG."""

import numpy as np
import pytest

pytest.importorskip("torch")

from musim.datasets.grid import Grid
from musim.training.state.state_source import StateSource

DEPTH, WIDTH, FRAMES = 12, 24, 60


class Trial:
    """What :class:`musim.datasets.videos.trials.MuscleTrial` has."""

    frame_rate, task = 25.0, "combined"

    def __init__(self, index, participant, frames=FRAMES, size=(DEPTH, WIDTH)):
        self.index, self.participant, self.frames, self.size = index, participant, frames, size
        self.name = f"{participant:02}-combined-{index}"
        self.store = TrialStore(size, frames)
        self.asked = []  # windows of frames, in the order in which they were asked for

    def states(self):
        """Return slow courses of three signals, different in every trial."""
        times = np.arange(self.frames)[:, None] / 25 + self.index
        courses = np.sin(times * np.array([2.0, 3.0, 5.0])) * np.array([1e-3, 5.0, 2.0])
        return courses.astype(np.float32)

    def images(self, first, stop):
        """Return a texture that slides 4 px a degree, whose halves are as bright as the others."""
        self.asked.append((first, stop))
        random = np.random.default_rng(self.participant)
        depth, width = self.size
        texture = np.repeat(random.integers(120, 136, (depth, width // 2)), 2, axis=1)
        states = type(self).states(self)  # whatever a test has made of them
        images = []
        for emg, torque, angle in states[first:stop]:
            image = np.roll(texture, round(4 * angle), axis=1) + 3e4 * emg
            image[: depth // 2] += 8 * torque
            images.append(np.clip(image, 0, 255))
        return np.array(images).astype(np.uint8).reshape(-1, depth, width)


class TrialStore:
    """What of a store is asked for."""

    def __init__(self, size=(DEPTH, WIDTH), frames=FRAMES):
        self.location = self.layout = self
        self.address, self.attributes = "trials.zarr", {"seed": 1}
        self.grid = Grid((frames, *size), 25.0, (0.12, 0.11))


@pytest.fixture
def trials():
    """Return two trials of each of four participants."""
    return [Trial(index, index // 2) for index in range(8)]


@pytest.fixture
def source(monkeypatch, trials):
    """Give these, without a store."""
    monkeypatch.setattr(StateSource, "opened", TrialStore())
    monkeypatch.setattr(StateSource, "_trials", trials)
    return StateSource("trials.zarr", test=0, validation=1)
