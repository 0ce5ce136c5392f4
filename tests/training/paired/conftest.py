"""Stores of slices and twins small enough to train on in a moment."""

import dataclasses

import pytest
import torch

from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.paired.paired_task import PairedTask
from musim.training.paired.source import Pairs
from musim.training.tasks import train
from tests.pairs import TINY, drawn
from tests.slices import store_of_slices
from tests.threads import assert_no_reader_stays


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    assert_no_reader_stays()


@pytest.fixture(scope="session")
def pairs_store(tmp_path_factory):
    """Twenty-four slices of two planes; not to be changed."""
    return store_of_slices(drawn(), tmp_path_factory.mktemp("pairs") / "left.zarr")


@pytest.fixture(scope="session")
def twins(tmp_path_factory):
    """Two stores of the same truth, of which one has more noise, and one of another truth."""
    folder = tmp_path_factory.mktemp("twins")
    scenes = Parameters(
        units=Range(2, 3), pixels=(32, 32), size=(32.0, 32.0), diameter=Range(5, 9), frames=40,
        frame_rate=200.0, snr=Range(30, 30),
    )  # fmt: skip
    noisy = dataclasses.replace(scenes, snr=Range(5, 5))
    made = {"a": (scenes, 1), "b": (noisy, 1), "other": (scenes, 2)}
    for name, (parameters, seed) in made.items():
        generate(parameters, folder / f"{name}.zarr", sequences=10, seed=seed, workers=1,
                 pool="threads")  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory, pairs_store):
    """A run on slices, of a moment."""
    run = tmp_path_factory.mktemp("runs") / "run"
    train(PairedTask, run, source=Pairs(str(pairs_store.location)), texts=TINY, accelerator="cpu")
    return run
