"""The library names its arguments, the command line its options: of the same things."""

import ast
import importlib
import re
from pathlib import Path

import click
import pytest

from musim.cli.main import COMMANDS, main
from musim.cli.main import musim as group
from musim.cli.wording import as_options
from musim.simulator.errors import FailureError

LIBRARY = ("simulator", "datasets", "training")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("add `resume=True` to continue", "add --resume to continue"),
        ("fewer `workers`, `part_size` 1", "fewer --workers, --part-size 1"),
        ('use `accelerator="cpu"`.', "use --accelerator cpu."),
        ("begin with `batch_size=12`", "begin with --batch-size 12"),
        ('`kind="rendered"` or `kind="dense"`', "--render on-read or --kind dense"),
        ("(`chain.frame_rate`, `chain.size`)", "(--resample, --size)"),
        ("fewer with `settings.frames`", "fewer with --set frames=..."),
        ("name `a` or `b`", "name --a or --b"),
        ("a `b c` file, `A`, ``resume``, 5`", "a `b c` file, `A`, ``resume``, 5`"),
    ],
)
def test_arguments_become_options(text, wanted):
    assert as_options(text) == wanted


def test_errors_of_the_library_are_reported_with_options(monkeypatch, capsys):
    def fail(**_):
        raise FailureError("store: found none; add `resume=True`")

    monkeypatch.setattr(group, "main", fail)
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "Error: store: found none; add --resume\n"


def _texts():
    """Return (file, text) for all texts of the library but docstrings."""
    found = []
    for package in LIBRARY:
        for place in importlib.import_module(f"musim.{package}").__path__:
            for file in Path(place).rglob("*.py"):
                tree = ast.parse(file.read_text("utf-8"))
                documentation = {
                    id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
                }
                found += [
                    (file.name, _joined(node))
                    for node in ast.walk(tree)
                    if isinstance(node, ast.JoinedStr | ast.Constant)
                    and isinstance(getattr(node, "value", ""), str)
                    and id(node) not in documentation
                ]
    return found


def _joined(node):
    """Return a text; what is put into it becomes 0."""
    if isinstance(node, ast.Constant):
        return node.value
    return "".join(part.value if isinstance(part, ast.Constant) else "0" for part in node.values)


def _options(command):
    commands = [command]
    if isinstance(command, click.Group):
        context = click.Context(command)
        commands = [command.get_command(context, name) for name in command.list_commands(context)]
        return set().union(*(_options(one) for one in commands))
    return {option for parameter in command.params for option in parameter.opts}


def test_what_the_library_advises_are_options_of_the_command_line():
    known = set().union(*(_options(group.get_command(None, name)) for name in COMMANDS))
    assert {"--resume", "--resample", "--a"} <= known
    advised = {
        (file, option)
        for file, text in _texts()
        for mark in re.findall(r"`[a-z_.]+(?:=[^`]*)?`", text)
        for option in re.findall(r"--[a-z-]+", as_options(mark))
    }
    assert {option for _, option in advised} >= {"--resume", "--overwrite", "--workers"}
    assert sorted((file, option) for file, option in advised if option not in known) == []


def test_the_library_knows_no_options():
    # `musim import --band` is a whole command, for whoever reads a result.
    named = [
        (file, option)
        for file, text in _texts()
        for option in re.findall(
            r"(?<![\w-])--[a-z][a-z-]*", re.sub(r"musim [a-z]+ --\S+", "", text)
        )
    ]
    assert named == []
