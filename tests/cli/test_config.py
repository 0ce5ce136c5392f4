"""Options from a TOML file: what they become, what is refused, and what goes before them."""

from pathlib import Path

import pytest

from musim.simulator import Parameters, Range


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit = 3", "mine.toml: found 'unit', wanted names of options of musim generate; did you "
                     "mean units?"),
        ("units = 5-30", "which is not TOML"),
        ("units = [1, 2, 3]", "units: found [1, 2, 3], wanted a number or a range"),
        ("units = true", "mine.toml: units: found true, wanted what the option takes"),
        ("overwrite = 1", "mine.toml: overwrite: found 1, wanted true or false"),
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


def test_a_file_that_is_not_there_is_one_line(musim):
    done = musim("generate", "--config", "none.toml")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "none.toml unreadable (No such file or directory), wanted a file" in done.err
