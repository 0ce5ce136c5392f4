"""``musim train diffuse``: options become a source of images and settings, or one line."""

import pytest

from musim.cli import training
from musim.training.sections.diffusion.diffuse_task import DiffuseTask
from musim.training.sections.image_source import ImageSource

DIFFUSE = ("train", "diffuse", "-o", "run")


def test_every_option_reaches_the_library(musim, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        training, "train_task", lambda *a, **k: asked.update(arguments=a, **k) or {}
    )
    done = musim(
        *DIFFUSE, "--data", "one", "--data", "two.zarr", "--also", "three.zarr", "--masks", "drawn",
        "--sizes", "sizes.csv", "--shares", "0.5,0.25,0.2", "--split-seed", 3, "--model", "paper",
        "--steps", 7, "--seed", 5, "--set", "prediction=v",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert asked["arguments"] == (DiffuseTask, "run")
    assert asked["model"] == "paper"
    assert asked["texts"] == {"steps": "7", "seed": "5", "prediction": "v"}
    assert asked["source"] == ImageSource(
        images=("one", "two.zarr"), also=("three.zarr",), masks="drawn", sizes="sizes.csv",
        shares=(0.5, 0.25, 0.2), seed=3,
    )  # fmt: skip
    assert musim(*DIFFUSE, "--resume").code == 0
    assert asked["source"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ("found no --data",)),
        (["--data", "x", "--shares", "0.5"], ("--shares", "three numbers")),
        (["--data", "x", "--shares", "a,b,c"], ("--shares", "found 'a,b,c'")),
        (["--resume", "--masks", "x"], ("--masks: found no --data",)),
        (["--data", "nowhere"], ("nowhere",)),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_line(musim, options, words):
    done = musim(*DIFFUSE, *options)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert all(word in done.err for word in words), done.err
