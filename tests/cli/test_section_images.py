"""``musim generate --muscle``, and what the other commands make of such stores."""

import json
import tomllib

import pytest
from PIL import Image

from musim.datasets import open_store
from musim.simulator.section.muscles import MUSCLES, PRESET
from musim.simulator.section.parameters import SectionParameters

TINY = ("-n", 2, "--pixels", "64x48", "--set", "looks=1", "--workers", 1, "--pool", "threads")


@pytest.fixture
def made(musim):
    """Run ``musim`` where a store of two images is, and nothing else."""
    assert musim("generate", "--muscle", "biceps-brachii", *TINY, "--out", "arm.zarr").code == 0
    return musim


def test_a_muscle_is_enough(made):
    store = open_store("arm.zarr")
    wanted = SectionParameters.of("biceps-brachii", pixels=(64, 48), looks=1)
    assert store.origin.parameters == wanted
    assert store.origin.muscle == "biceps-brachii"


def test_the_preset_is_of_the_gastrocnemius_and_says_what_it_makes(musim):
    done = musim("generate", "--preset", PRESET, *TINY, "--seed", 5, "--json")
    assert done.code == 0
    assert "2 images of 64 x 48 px, gastrocnemius-medialis, 40 x 50 mm" in done.err
    assert json.loads(done.out)["stores"][0]["sequences"] == 2
    assert open_store("musim.zarr").seed == 5


def test_info_preview_and_verify_take_them(made):
    told = made("info", "arm.zarr")
    assert "section (grey levels written, uint8)" in " ".join(told.out.split())
    assert "one image" in told.out
    assert "sheath_echo" in told.out
    plain = json.loads(made("info", "arm.zarr", "--json").out)
    assert plain["parameters"]["looks"] == 1
    assert "2 made again and equal" in made("verify", "arm.zarr", "--remake", 2).out
    assert made("preview", "arm.zarr", "-i", 1).code == 0
    with Image.open("preview.png") as picture:
        first = picture.tobytes()
    assert made("preview", "arm.zarr", "-i", 0, "-o", "other.png").code == 0
    with Image.open("other.png") as picture:
        assert picture.tobytes() != first
    assert "found sequence 2, wanted 0 to 1" in made("preview", "arm.zarr", "-i", 2).err


@pytest.mark.parametrize(
    "command",
    [
        ("preview", "arm.zarr", "-o", "a.gif"),
        ("identify", "arm.zarr"),
        ("events", "arm.zarr"),
        ("evaluate", "identify", "arm.zarr"),
        ("evaluate", "translate", "arm.zarr", "--b", "arm.zarr"),
        ("report", "arm.zarr"),
        pytest.param(("train", "detect", "--data", "arm.zarr", "--out", "run"),
                     marks=pytest.mark.torch),
    ],
)  # fmt: skip
def test_other_commands_refuse_them_in_one_line(made, command):
    done = made(*command)
    assert done.code == 2
    (line,) = done.err.strip().splitlines()
    assert "found images of the longitudinal section, wanted sequences of tissue velocity" in line


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--preset", PRESET, "--muscle", "soleus"), "found 'soleus', wanted one of gastrocnemius"),
        (("--preset", PRESET, "--units", "3"), "found --units for images of the longitudinal"),
        (("--preset", PRESET, "--paired"), "found --paired for images"),
        (("--muscle", "rectus-femoris", "--dtype", "float16"), "found --dtype for images"),
        (("--preset", "ali-2020", "--muscle", "rectus-femoris"), "wanted it with --preset katakis"),
        (("--set", "looks=1"), "found --set without --preset, wanted it with --preset katakis"),
        (("--preset", PRESET, "--set", "look=1"), "found 'look', wanted looks"),
        (("--preset", PRESET, "--set", "gain=1000"), "gain: found 1000 dB, wanted -200 to 100 dB"),
    ],
)
def test_what_does_not_go_together_is_refused(musim, arguments, wanted):
    done = musim("generate", *arguments, "-n", 1)
    assert done.code == 2
    (line,) = done.err.strip().splitlines()
    assert wanted in line


def test_a_dry_run_tells_what_images_will_take(musim, tmp_path):
    done = musim("generate", "--preset", PRESET, *TINY, "-n", 100, "--dry-run", "--json")
    assert done.code == 0
    (told,) = json.loads(done.out)["stores"]
    assert told["sequences"] == 100
    # Grey levels, and masks that are packed to next to nothing.
    assert 64 * 48 * 100 * 0.3 < told["bytes"] < 64 * 48 * 100 * 1.5
    assert told["seconds"] > 0
    assert not list(tmp_path.iterdir())


def test_a_muscles_size_is_still_one(musim):
    done = musim("generate", "--muscle", "20x20", "-n", 1, "--units", 1, "--frames", 20)
    assert done.code == 0
    assert open_store("musim.zarr").parameters.muscle == (20, 20)


def test_presets_tell_them_and_print_a_file_that_makes_them(musim, tmp_path):
    assert set(json.loads(musim("presets", PRESET, "--json").out)["images"]) == set(MUSCLES)
    assert "--set compartments=2" in musim("presets").out
    text = musim("presets", PRESET).out
    assert len(tomllib.loads(text)["set"]) == len(SectionParameters().to_json())
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert musim("generate", "--config", "mine.toml", "-n", 1).code == 0
    assert open_store("musim.zarr").origin.parameters == SectionParameters()
