"""The loop: resumed equals uninterrupted, processes share a gradient, divergence stops it."""

import torch

from musim.training.runs.folder import LAST, TRAINING, RunFolder
from musim.training.runs.loop import fit

DESCRIPTION = {"task": "toy", "model": "small", "settings": {}, "source": {}, "grid": {}}


def folder_at(path):
    folder = RunFolder(path)
    folder.create(DESCRIPTION)
    return folder


def test_a_resumed_run_equals_one_without_a_break(tmp_path, toy, endless):
    whole = folder_at(tmp_path / "whole")
    fit(toy(), endless, whole, accelerator="cpu")
    parts = folder_at(tmp_path / "parts")
    fit(toy(steps=7), endless, parts, accelerator="cpu")
    fit(toy(), endless, parts, resume=True, accelerator="cpu")
    one, other = (each.load(LAST) for each in (whole, parts))
    assert one["step"] == other["step"] == 12
    for key, value in one["networks"].items():
        assert torch.equal(value, other["networks"][key])
    assert [row["loss"] for row in whole.history(TRAINING)] == [
        row["loss"] for row in parts.history(TRAINING)
    ]
