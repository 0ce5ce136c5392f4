"""``musim train translate --paired``, and ``musim translate`` with what it made."""

import pytest
import torch

from musim.datasets import generate, open_store
from musim.simulator import Parameters, Range
from tests.pairs import TINY, drawn
from tests.slices import store_of_slices

SETTINGS = [each for name, text in TINY.items() for each in ("--set", f"{name}={text}")]
TRAIN = ["train", "translate", "--paired", "--out", "run", "--accelerator", "cpu"]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store of slices, and twins of sequences."""
    folder = tmp_path_factory.mktemp("stores")
    store_of_slices(drawn(), folder / "left.zarr")
    scenes = Parameters(
        units=Range(2, 3), pixels=(32, 32), size=(32.0, 32.0), diameter=Range(5, 9), frames=24,
        frame_rate=200.0,
    )  # fmt: skip
    for name in "ab":
        generate(scenes, folder / f"{name}.zarr", sequences=10, seed=1, workers=1, pool="threads")
    return folder


def test_slices_are_trained_on_and_translated(musim, stores):
    asked = [*TRAIN, "--data", stores / "left.zarr", *SETTINGS]
    tried = musim(*asked, "--dry-run")
    assert tried.code == 0, tried.err
    assert "generator: " in tried.out
    assert "discriminator: " in tried.out
    found = musim(*asked)
    assert found.code == 0, found.err
    assert "nrmse" in found.out
    again = musim("train", "translate", "--out", "run", "--resume", "--steps", 7)
    assert again.code == 0, again.err
    made = musim("translate", stores / "left.zarr", "--run", "run", "-o", "t.zarr", "--workers", 1)
    assert made.code == 0, made.err
    assert "24 slices translated" in made.out
    info = musim("info", "t.zarr")
    assert "second pictures made by" in " ".join(info.out.split())
    # A run on slices does not take sequences.
    other = musim("translate", stores / "a.zarr", "--run", "run", "-o", "u.zarr")
    assert other.code == 2
    assert "found a translator of paired slices" in other.err


def test_twins_are_trained_on_and_translated(musim, stores):
    pair = ["--a", stores / "a.zarr", "--b", stores / "b.zarr"]
    found = musim(*TRAIN, *pair, *SETTINGS, "--set", "frames=4")
    assert found.code == 0, found.err
    made = musim("translate", stores / "a.zarr", "--run", "run", "-o", "t.zarr", "--workers", 1)
    assert made.code == 0, made.err
    translated = open_store("t.zarr")
    assert translated.has_truth
    assert translated.tvi(3).shape == (24, 32, 32)
    other = musim("translate", stores / "left.zarr", "--run", "run", "-o", "u.zarr")
    assert other.code == 2
    assert "found a translator of sequences" in other.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "found no --data, and no --a and --b"),
        (["--a", "a.zarr"], "found one of --a and --b"),
        (["--data", "left.zarr", "--a", "a.zarr"], "found --data and one of --a and --b"),
        (["--data", "a.zarr"], "found a store without pairs"),
        (["--a", "a.zarr", "--b", "left.zarr"], "found paired slices through volumes"),
        (["--data", "left.zarr", "--set", "dimensions=3", "--set", "frames=4"], "wanted 2 and 1"),
        (["--data", "left.zarr", "--model", "huge"], "wanted one of small, small-cyclegan"),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(musim, stores, given, words, tmp_path):
    asked = [stores / each if each.endswith(".zarr") else each for each in given]
    found = musim(*TRAIN, *asked)
    assert found.code == 2
    assert words in " ".join(found.err.split())
    assert not (tmp_path / "run").exists()


def test_data_without_pairs_is_refused(musim, stores):
    found = musim("train", "translate", "--data", stores / "left.zarr", "--out", "run")
    assert found.code == 2
    assert "--data: found without --paired" in found.err
