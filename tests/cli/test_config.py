"""Options from a TOML file: what they become, what is refused, and what goes before them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from musim.datasets import open_store
from musim.datasets.origin import recorded_by
from musim.simulator import InputError, Parameters, Range


@pytest.fixture
def made(musim, monkeypatch):
    """Run ``musim generate --config`` on a text; returns what the library was asked for."""

    def run(text, *arguments):
        asked = {}
        monkeypatch.setattr(
            "musim.datasets.generation.generate", lambda *a, **k: asked.update(arguments=a, **k)
        )
        Path("mine.toml").write_text(text, encoding="utf-8")
        done = musim("generate", "--config", "mine.toml", *arguments)
        assert done.code == 0, done.err
        return asked

    return run


def test_a_file_says_options_as_they_are_typed_or_as_toml_does(made):
    asked = made(
        'units = "2-3"\nsnr = [10, 20.5]\npixels = [16, 24]\nframe-rate = 200\nframes = 40\n'
        'territory = "ellipse"\nn = 3\nout = "there.zarr"\noverwrite = true\nrender = "on-read"\n'
    )
    parameters, target = asked["arguments"]
    assert parameters == Parameters(
        units=Range(2, 3), snr=Range(10, 20.5), pixels=(16, 24), frame_rate=200.0, frames=40,
        territory="ellipse",
    )  # fmt: skip
    assert target == "there.zarr"
    assert (asked["sequences"], asked["kind"], asked["overwrite"]) == (3, "rendered", True)


def test_what_is_typed_goes_before_what_the_file_says(made):
    asked = made("units = 4\nsequences = 3\n", "--units", "7", "--seed", 5)
    assert asked["arguments"][0].units == Range(7, 7)
    assert (asked["sequences"], asked["seed"]) == (3, 5)


def test_names_are_read_with_underscores_and_after_a_byte_order_mark(made):
    asked = made("\ufeffframe_rate = 200\nsnr = inf\npart-size = 2\ndry_run = false\n")
    assert asked["arguments"][0] == Parameters(frame_rate=200.0, snr=Range(math.inf, math.inf))
    assert (asked["part_size"], asked["overwrite"]) == (2, False)


@pytest.mark.parametrize("text", ['run = ["a", "b"]', 'run = "a"'])
def test_what_may_be_given_several_times_is_a_list(musim, monkeypatch, text):
    asked = {}

    def found(*_, **options):
        asked.update(options)
        raise InputError("stop")

    monkeypatch.setattr("musim.training.identification.results.identify_stores", found)
    Path("mine.toml").write_text(f'{text}\nmethod = "network"\nworkers = 2\n', encoding="utf-8")
    musim("identify", "recording.zarr", "--config", "mine.toml")
    assert asked["runs"] == (("a", "b") if "b" in text else ("a",))
    assert (asked["method"], asked["workers"]) == ("network", 2)


def test_the_steps_of_an_imaging_chain_and_lists_of_words(musim):
    Path("mine.toml").write_text(
        'axes = ["time", "depth", "width"]\nimage-size = "8x6"\nkind = "velocity"\n'
        "frame-rate = 100\nband = [5, 20]\n", encoding="utf-8",
    )  # fmt: skip
    np.save("v.npy", np.random.default_rng(0).standard_normal((50, 8, 6)))
    done = musim("import", "v.npy", "--config", "mine.toml", "--json")
    assert done.code == 0, done.err
    store = open_store(json.loads(done.out)["store"])
    assert store.layout.pixel_size == (1.0, 1.0)
    assert store.layout.frame_rate == 100
    assert recorded_by(store.origin).chain.band == (5, 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit = 3", "mine.toml: found 'unit', wanted names of options of musim generate; did you "
                     "mean units?"),
        ("units = 5-30", "which is not TOML"),
        ("units = [1, 2, 3]", "units: found [1, 2, 3], wanted a number or a range"),
        ("units = true", "mine.toml: units: found true, wanted what the option takes"),
        ("overwrite = 1", "mine.toml: overwrite: found 1, wanted true or false"),
        ("units = {low = 2, high = 3}", "units: found a table, wanted what the option takes"),
        ("config = 'other.toml'", "found 'config', wanted names of options of musim generate"),
        ("frame_rat = 200", "found 'frame_rat', wanted names of options of musim generate; did you "
                            "mean frame-rate?"),
        ("[generate]\nunits = 3", "found 'generate', wanted names of options"),
        ("waveform = [1, 2]", "waveform: found 1,2 unreadable"),
        ("n = 'some'", "'some' is not a valid integer"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_say_is_one_line(musim, tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text)
    done = musim("generate", "--config", "mine.toml")
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "musim.zarr").exists()


def test_a_file_in_another_encoding_is_one_line(musim, tmp_path):
    (tmp_path / "mine.toml").write_bytes('out = "Mäuse.zarr"'.encode("latin-1"))
    done = musim("generate", "--config", "mine.toml")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "mine.toml, which is not TOML ('utf-8' codec" in done.err


def test_a_file_that_is_not_there_is_one_line(musim):
    done = musim("generate", "--config", "none.toml")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "none.toml unreadable (No such file or directory), wanted a file" in done.err
