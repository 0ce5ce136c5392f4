"""What the README says is so: the schema's table, the commands' options, the figures' commands."""

import re
import shlex
from pathlib import Path

import click
import pytest

from musim.cli.main import COMMANDS, musim
from musim.datasets.schema import describe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
LINES = [line.split("#")[0].strip() for line in SHELL.splitlines() if line.startswith("musim ")]


def test_the_table_of_variables_is_the_schema():
    assert describe() in README


def test_there_are_commands_of_every_kind():
    assert {line.split()[1] for line in LINES} == set(COMMANDS)


@pytest.mark.parametrize("line", LINES)
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


def test_pictures_that_are_shown_are_there():
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / name).is_file(), name
