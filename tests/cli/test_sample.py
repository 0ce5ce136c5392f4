"""``musim sample``: options reach the library, a store is shown by other commands, or one line."""

import json

import pytest

from musim.training.sections.diffusion import sampled
from musim.training.sections.diffusion.sampling import Sampler

from ..training.sections.diffusion.small_models import train_tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("trained"), steps=1)


def test_every_option_reaches_the_library(musim, monkeypatch):
    asked = {}

    def note(*arguments, **options):
        asked.update(options, arguments=arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(sampled, "sample_images", note)
    musim("sample", "run", "-n", 7, "-o", "s.zarr", "--seed", 3, "--steps", 20, "--size", "64x96",
          "--accelerator", "cpu", "--workers", 2, "--overwrite")  # fmt: skip
    asked.pop("on_progress")
    assert asked == {
        "arguments": ("run", "s.zarr"), "images": 7, "seed": 3, "sampler": Sampler("ddim", 20),
        "size": (64, 96), "accelerator": "cpu", "workers": 2, "resume": False, "overwrite": True,
    }  # fmt: skip
    musim("sample", "run", "--sampler", "ddpm", "--size", "256")
    assert (asked["sampler"].name, asked["size"]) == ("ddpm", (256, 256))


def test_samples_are_made_looked_at_and_proved(musim, run):
    options = ("--steps", 2, "--accelerator", "cpu", "--workers", 1, "--json")
    done = musim("sample", run, "-n", 2, "-o", "s.zarr", *options)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["images"], found["masks"]) == (2, True)
    for command in (["info"], ["info", "--json"], ["verify"], ["preview", "-o", "s.png"]):
        done = musim(command[0], "s.zarr", *command[1:])
        assert done.code == 0, done.err
    told = musim("info", "s.zarr").out
    assert "sampled" in told
    assert "8 x 12 px" in told
    assert "12 mm" not in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "big"], ("--size: found 'big'",)),
        (["--size", "1x2x3"], ("--size: found '1x2x3'",)),
        (["--sampler", "ddpm", "--steps", "9"], ("--steps", "ddpm")),
        (["--sampler", "euler"], ("sampler: found 'euler'", "ddim, ddpm")),
        ([], ("nowhere: found no run there",)),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_one_line(musim, options, words):
    done = musim("sample", "nowhere", *options)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert all(word in done.err for word in words), done.err
