"""A small task, so that the loop is tested without any network of musim's."""

import sys
from pathlib import Path

import pytest
import torch

# Processes that the loop starts import it by this name.
sys.path.insert(0, str(Path(__file__).parent))

from musim_toy import MODELS, ToySettings, ToySource, ToyTask

from musim.training.runs.folder import RunFolder
from tests.threads import assert_no_reader_stays


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert_no_reader_stays()


@pytest.fixture
def endless():
    return ToySource()


@pytest.fixture
def toy():
    def make(**values):
        return ToyTask(ToySettings(**{**MODELS["small"], **values}), ToySource.grid)

    return make


@pytest.fixture
def folder_at():
    def make(path):
        folder = RunFolder(path)
        parts = ("model", "settings", "source", "grid")
        folder.create({"task": "toy", **{key: {} for key in parts}})
        return folder

    return make
