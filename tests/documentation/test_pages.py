"""What the README and the pages say is so: commands, what Python does, pictures and links."""

import re
import shlex
from pathlib import Path

import click
import pytest

import musim as front_door
from musim.cli.main import COMMANDS, musim
from musim.datasets import generate
from musim.simulator import Parameters
from tests.documentation.pages import DOCS, MADE, PAGES, README, blocks_of, commands_of, name_of

COMMANDS_SHOWN = sorted({line for page in PAGES for line in commands_of(page)})


def test_there_are_commands_of_every_kind():
    assert {line.split()[1] for line in COMMANDS_SHOWN} == set(COMMANDS)


@pytest.mark.parametrize("line", COMMANDS_SHOWN)
def test_commands_have_the_options_they_are_shown_with(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("units = 3", encoding="utf-8")
    _, name, *arguments = shlex.split(line.partition(" > ")[0])
    command = musim.get_command(None, name)
    if isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.get_command(None, name)
    context = command.make_context(name, arguments)
    assert context.params


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Return a folder of stores with the names that pages use, of fewer sequences."""
    place = tmp_path_factory.mktemp("pages")
    small = Parameters(units=(2, 4), pixels=(16, 16), frames=64)
    generate(Parameters(), place / "musim.zarr", sequences=4)
    generate(small, place / "training.zarr", sequences=24, kind="rendered")
    for name in ("simulated.zarr", "biceps.zarr"):
        generate(small, place / name, sequences=8, kind="rendered")
    return place


@pytest.mark.parametrize("page", [p for p in PAGES if blocks_of(p, "python")], ids=name_of)
def test_what_is_shown_of_python_runs(page, stores, monkeypatch):
    codes = blocks_of(page, "python")
    if any("torch" in code or "streaming" in code for code in codes):
        pytest.importorskip("torch")
    monkeypatch.chdir(stores)
    names = {}
    for code in codes:
        exec(compile(code, name_of(page), "exec"), names)


def test_pictures_and_files_that_are_linked_are_there():
    for page in PAGES:
        for name in re.findall(r"\]\(([^)#:\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not MADE & set(Path(name).parts):  # Sphinx finds those
                assert (page.parent / name).exists(), (name_of(page), name)


def test_the_reference_has_all_that_the_front_door_has():
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   musim\.([\w.]+)$", page, re.MULTILINE))
    wanted = {name for name in dir(front_door) if not name.startswith("_")}
    wanted -= {"cli", "datasets", "plot", "simulator", "training"}
    assert {*wanted, *(f"plot.{name}" for name in front_door.plot.__all__)} <= listed


def test_the_readme_is_a_screen_long():
    assert len(README.read_text(encoding="utf-8").split()) < 400
    assert {"make demo", "make test"} <= {
        line.split(" #")[0].strip() for line in "".join(blocks_of(README, "sh")).splitlines()
    }
