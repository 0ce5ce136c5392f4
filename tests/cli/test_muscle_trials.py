"""``musim generate --preset cunningham-2017``, and what the other commands make of such stores."""

import json
import tomllib

import pytest

from musim.datasets import open_store
from musim.datasets.videos.trials import trials_of
from musim.simulator.calf.study import PRESET, Study

TINY = (
    "--preset", PRESET, "--set", "pixels=64x48", "--set", "size=40x50", "--set", "region_rows=24",
    "--set", "rest=0.2", "--set", "duration=1", "--set", "looks=1",
    "--workers", 1, "--pool", "threads",
)  # fmt: skip


@pytest.fixture
def made(musim):
    """Run ``musim`` where a store of two trials is, and nothing else."""
    done = musim("generate", *TINY, "-n", 2, "--tasks", "combined", "--out", "calf.zarr")
    assert done.code == 0, done.err
    assert "2 trials of 2 participants, 30 frames of 24 x 48 px at 25 Hz" in done.err
    return musim


def test_options_say_who_does_what(made):
    assert [trial.name for trial in trials_of("calf.zarr")] == ["00-combined", "01-combined"]
    store = open_store("calf.zarr")
    assert store.layout.is_rendered
    assert store.origin.study.protocol.duration == 1
    asked = ("--participants", 2, "--tasks", "passive, isometric", "--render", "write", "--seed", 4)
    done = made("generate", *TINY, *asked, "--json")
    assert json.loads(done.out)["stores"][0]["sequences"] == 4
    other = open_store("musim.zarr")
    assert "bmode" in other.layout.variables
    assert [trial.name for trial in trials_of(other)] == [
        "00-passive", "00-isometric", "01-passive", "01-isometric"
    ]  # fmt: skip


def test_info_and_verify_take_them(made):
    told = " ".join(made("info", "calf.zarr").out.split())
    assert "video (grey levels rendered when read, uint8)" in told
    assert "signals 1200 samples at 1000 Hz" in told
    assert "tendon_toe" in told
    assert "2 trials of 2 participants" in told
    plain = json.loads(made("info", "calf.zarr", "--json").out)
    assert plain["sample_rate"] == 1000
    assert plain["parameters"]["section"]["looks"] == 1
    states = {one["state"]: one for one in plain["videos"]["states"]}
    assert set(states) == {"emg", "torque", "angle"}
    assert states["angle"]["minimum"] < states["angle"]["mean"] < states["angle"]["maximum"]
    assert "2 made again and equal" in made("verify", "calf.zarr", "--remake", 2).out


@pytest.mark.parametrize(
    "command",
    [
        ("identify", "calf.zarr"),
        ("events", "calf.zarr"),
        ("evaluate", "identify", "calf.zarr"),
        ("evaluate", "translate", "calf.zarr", "--b", "calf.zarr"),
        ("report", "calf.zarr"),
        pytest.param(("train", "segment", "--data", "calf.zarr", "--out", "run"),
                     marks=pytest.mark.torch),
    ],
)  # fmt: skip
def test_other_commands_refuse_them_in_one_line(made, command):
    done = made(*command)
    assert done.code == 2
    (line,) = done.err.strip().splitlines()
    assert "found B-mode videos of muscle, wanted " in line


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--preset", PRESET, "--set", "effrt=1"), "found 'effrt', wanted effort (or one of "),
        (("--preset", PRESET, "--set", "effort=2"), "effort: found 2, wanted 0 to 1"),
        (
            ("--preset", PRESET, "--set", "frame_rate=30"),
            "frame_rate: found 30 Hz, wanted one that",
        ),
        (("--preset", PRESET, "--set", "compartments=2"), "compartments: found 2, wanted 1"),
        (("--preset", PRESET, "--units", "3"), "found --units for trials of the calf"),
        (("--preset", PRESET, "--frames", "100"), "wanted --set duration=...; musim presets "),
        (("--preset", PRESET, "--muscle", "biceps-brachii"), "found --muscle for trials"),
        (("--preset", PRESET, "--paired"), "found --paired for trials of the calf"),
        (("--preset", PRESET, "--tasks", "running"), "tasks: found 'running', wanted some of"),
        (("--preset", PRESET, "-n", 3, "--participants", 2), "found both -n 3 and --participants"),
        (("--preset", PRESET, "--participants", 0), "participants: found 0, wanted 1 or more"),
        (("--participants", 2), "found --participants without --preset, wanted it with --preset"),
        (("--preset", "katakis-2023", "--tasks", "passive"), "found --tasks with --preset katakis"),
    ],
)
def test_what_does_not_go_together_is_refused(musim, arguments, wanted, tmp_path):
    done = musim("generate", *arguments)
    assert done.code == 2
    assert wanted in done.err.strip().splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_dry_run_tells_what_trials_will_take(musim, tmp_path):
    found = {}
    for render in ("on-read", "write"):
        done = musim("generate", *TINY, "-n", 9, "--render", render, "--dry-run", "--json")
        assert done.code == 0, done.err
        (found[render],) = json.loads(done.out)["stores"]
        assert found[render]["sequences"] == 9
    images = found["write"]["bytes"] - found["on-read"]["bytes"]
    assert 0.5 < images / (9 * 30 * 24 * 48) < 1.2
    assert found["write"]["seconds"] > found["on-read"]["seconds"] > 0
    assert not list(tmp_path.iterdir())
    assert musim("generate", *TINY, "-n", 9, "--render", "write").code == 0
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 0.8 < found["write"]["bytes"] / size < 1.25


def test_presets_tell_them_and_print_a_file_that_makes_them(musim, tmp_path):
    told = json.loads(musim("presets", PRESET, "--json").out)["trials"]
    assert Study.from_json(told[PRESET]) == Study()
    assert "--set duration=180" in musim("presets").out
    text = musim("presets", PRESET).out
    assert len(tomllib.loads(text)["set"]) == len(Study().names)
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert musim("generate", "--config", "mine.toml", "-n", 1, "--workers", 1).code == 0
    assert open_store("musim.zarr").origin.study == Study()
