"""Commands of the pages run, as they stand there, on little: fewer and smaller sequences."""

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import click
import pytest

from musim.cli.main import main, musim
from tests.documentation.inputs import provide
from tests.documentation.pages import DOCS, PAGES, blocks_of, commands_of, name_of

SMALLER = [
    (r"generate .*(--pixels 32x32|--preset ali-2022|--domain)",
     "-n 1 --frames 64 --pixels 16x16 --size 20x20"),
    (r"generate (--domain quick --paired|.*--out [ab].zarr)", "-n 4"),  # one of which validates
    (r"generate .*--preset hard", "-n 1 --frames 64 --pixels 16x16"),
    (r"generate .*--domain experiment", "--image 128x64"),
    (r"generate .*cunningham", "--participants 1 --set duration=1 --set rest=0.2 --set looks=1"),
    (r"generate .*grant-jacob(?!.*--labels)", "--participants 1 --set voxel=6 --set samples=1"),
    (r"generate (?!.*(cunningham|grant-jacob|--preset (ali|hard)|--domain|--sequences))", "-n 1"),
    (r"import .*(--preset ali-2022|--frames 1024)", "--frames 256 --pixels 32x32"),
    (r".* --remake 3", "--remake 1"),
    (r"train translate --paired", "--steps 2 --accelerator cpu --set maps=2 --set levels=3 "
     "--set discriminator_maps=2 --set validation_batches=2"),
    (r"train translate --a", "--steps 2 --set maps=2 --set validation_batches=1"),
    (r"train (detect|twitch) ", "--steps 2 --set batch_size=2 --set validation_batches=1"),
]  # fmt: skip
"""What is added to commands, by what they are; of options that are given twice the last holds."""

NOT_RUN = [
    (r"view", "serves until it is ended"),
    (r"train (?!translate|detect|twitch)", "takes minutes, and more on less than it is made for"),
    (r"train .*--data curated", "takes more curated recordings than are made here"),
    (r"train .*--domain quick", "compiles a virtual experiment, and draws one for each sequence"),
    (r".* --resume", "goes on with what an interruption has left"),
    (r"(measure|identify) .*--run", "takes a run that was trained, for longer than a test"),
    (r"(explain cnn|sample) ", "takes a run that was trained"),
    (r"evaluate (state|thickness) ", "takes runs that were trained, or trains some"),
    (r"evaluate identify --(protocol|sweep)", "scores hundreds of sequences"),
    (r"evaluate images .*(--train|sampled)", "takes what a run that was trained has sampled"),
    (r"report (likeness|thickness|states|explanation|evaluation)",
     "draws what these evaluations leave"),
    (r"preview sampled.zarr", "shows what a run that was trained has sampled"),
]  # fmt: skip
"""Which commands are parsed alone (test_pages.py), and why."""


def _why_not(command):
    return next((why for pattern, why in NOT_RUN if re.match(pattern, command)), None)


def _smaller(command):
    """Return the arguments of a command as they are run here."""
    command = re.sub(r"(--sequence|-i) \d+", r"\1 0", command)
    for pattern, more in SMALLER:
        if re.match(pattern, command):
            for name in re.findall(r"--set (\w+)=", more):  # which are taken once
                command = re.sub(rf" --set {name}=\S+", "", command)
            command += f" {more}"
    arguments = shlex.split(command)
    options = _options(arguments)
    if "--workers" in options:
        arguments += ["--workers", "1"]
    if "--overwrite" in options and not {"--overwrite", "--dry-run"} & set(arguments):
        arguments.append("--overwrite")  # pages show several ways to the same place
    return [
        one for word in arguments
        for one in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]  # fmt: skip


def _options(arguments):
    command = musim.get_command(None, arguments[0])
    if isinstance(command, click.Group):
        command = command.get_command(None, arguments[1])
    return {option for parameter in command.params for option in parameter.opts}


RUN = {
    page: [line for line in commands_of(page) if not _why_not(line.removeprefix("musim "))]
    for page in PAGES
}


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Return the folder in which what pages take for granted is made once."""
    return tmp_path_factory.mktemp("kept")


@pytest.mark.parametrize("page", [page for page in PAGES if RUN[page]], ids=name_of)
def test_the_commands_of_a_page_run(page, kept, tmp_path, monkeypatch, capfd):
    text = page.read_text(encoding="utf-8")
    if "musim[train]" in text or "musim train" in text or "musim region" in text:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for content in re.findall(r"```\n(time,velocity\n.*?)```", text, re.DOTALL):
        Path("my_twitch.csv").write_text(content, encoding="utf-8")
    for content in blocks_of(page, "toml"):
        Path("iq.toml").write_text(content, encoding="utf-8")
    for content in blocks_of(page, "json"):
        Path("changes.json").write_text(content, encoding="utf-8")
    for line in RUN[page]:
        command, _, into = line.removeprefix("musim ").partition(" > ")
        for before, word in pairwise(shlex.split(command)):
            if before != "--out":
                provide(word.split("/")[0], kept)
        if command.startswith("region"):  # out of whole images, wider than the films of this page
            shutil.rmtree("videos.zarr", ignore_errors=True)
            provide("videos.zarr", kept)
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(_smaller(command))
        said = capfd.readouterr()
        assert not stop.value.code, (line, _smaller(command), said.err)
        if into:  # and what is missing in a description is filled in, as the page has it
            filled = blocks_of(DOCS / "guide" / "recordings.md", "toml")[0]
            text = filled if into == "recording.toml" else said.out
            Path(into).write_text(text, encoding="utf-8")
        for name in re.findall(r"(?:--out|--frames|--pictures) ([a-z][\w.-]+)", command):
            assert Path(name).exists() or "--dry-run" in _smaller(command), (line, name)


def test_most_commands_run():
    run = {line for lines in RUN.values() for line in lines}
    shown = {line for page in PAGES for line in commands_of(page)}
    assert len(run) > 2 / 3 * len(shown), (len(run), len(shown))
