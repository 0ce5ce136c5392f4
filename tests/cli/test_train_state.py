"""``musim train state``: options become a source of trials and settings, or one line."""

import logging

import pytest

from musim.cli import training
from musim.cli.train_state import GATHERING, telling
from musim.training.state.state_source import StateSource
from musim.training.state.state_task import StateTask

STATE = ("train", "state", "-o", "run")


def test_every_option_reaches_the_library(musim, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        training, "train_task", lambda *a, **k: asked.update(arguments=a, **k) or {}
    )
    done = musim(
        *STATE, "--data", "trials.zarr", "--test", 3, "--validation", 4, "--frames", "frames",
        "--method", "klt", "--target", "changes", "--model", "A", "--steps", 7,
        "--set", "dropout_layers=1",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert asked["arguments"] == (StateTask, "run")
    assert asked["source"] == StateSource("trials.zarr", 3, 4, "frames")
    assert asked["model"] == "A"
    texts = asked["texts"]
    assert {name: str(text) for name, text in texts.items()} == {
        "method": "klt", "target": "changes", "steps": "7", "dropout_layers": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["found no --data", "store of videos"], []),
        (["--test: found no --data"], ["--test", "2"]),
        (["--validation: found participant 0", "--test too"],
         ["--data", "trials.zarr", "--validation", "0"]),
        (["method: found 'eye'", "cnn, klt"], ["--data", "trials.zarr", "--method", "eye"]),
        (["found a model given with --resume"], ["--resume", "--model", "B"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(refused, words, arguments):
    refused(words, *STATE, *arguments)


def test_what_takes_long_before_the_first_step_is_told(capsys):
    logger = logging.getLogger(GATHERING)
    with telling(GATHERING):
        logger.info("preparing %d frames", 7)
    logger.info("not told")
    assert capsys.readouterr().err == "preparing 7 frames\n"
    assert not logger.handlers
