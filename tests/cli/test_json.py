"""What commands print for programs: JSON alone on standard output, with the figures shown."""

import json

import pytest

from musim.cli.console import print_json
from musim.datasets import open_store


@pytest.fixture
def told(musim):
    """Run a command with ``--json``; returns what it printed."""

    def run(*arguments):
        done = musim(*arguments, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


def test_numbers_that_json_has_not_are_null_or_texts(capsys):
    print_json(none=float("nan"), much={"one": [float("inf"), 1.5]}, few=(float("-inf"), "a", None))
    found = json.loads(capsys.readouterr().out)
    assert found == {"none": None, "much": {"one": ["inf", 1.5]}, "few": ["-inf", "a", None]}


def test_making_checking_and_finding_are_told(told, tiny):
    made = told("generate", *tiny, "-n", 2, "--frames", 100, "--workers", 1)
    assert [(each["store"], each["sequences"]) for each in made["stores"]] == [("musim.zarr", 2)]
    checked = told("verify", "musim.zarr", "--remake", 1)
    assert checked == {"store": "musim.zarr", "whole": True, "sequences": 2, "parts": 1,
                       "made_again": 1}  # fmt: skip
    found = told("identify", "musim.zarr", "--method", "ica", "--workers", 1)
    counts = [int(open_store("units.zarr").read("unit_count", index)) for index in range(2)]
    assert [each["units"] for each in found["sequences"]] == counts


def test_a_dry_run_writes_nothing(told, tiny, tmp_path):
    asked = told("generate", *tiny, "-n", 1000, "--render", "on-read", "--workers", 2, "--dry-run")
    (trial,) = asked["stores"]
    assert (trial["store"], trial["sequences"], trial["workers"]) == ("musim.zarr", 1000, 2)
    assert trial["duration"] == trial["seconds"] / 2 > 0
    assert trial["bytes"] > 100_000
    assert not [*tmp_path.iterdir()]


def test_scores_are_told_as_their_table_has_them(told, tiny):
    told("generate", *tiny, "-n", 2, "--frames", 100, "--workers", 1)
    scored = told("evaluate", "identify", "musim.zarr", "--method", "oracle-trains", "--workers", 1)
    assert scored["sequences"] == 2
    (row,) = scored["summary"]
    assert row["train_recall_mean"] == 1


def test_an_import_is_told(told, tmp_path):
    import numpy as np

    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((50, 8, 6)))
    done = told("import", "v.npy", "--kind", "velocity", "--axes", "time,depth,width",
                "--frame-rate", 100, "--image-size", "8x6", "--frames", 20)  # fmt: skip
    assert (done["sequences"], done["frames"], done["image"]) == (2, 20, [8, 6])
    assert done["left_out"] == {str(tmp_path / "v.npy"): 0.1}
    assert done["remarks"] == []
