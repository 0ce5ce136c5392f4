"""Options read from a TOML file: ``--config``."""

import difflib
import tomllib
from pathlib import Path
from typing import Any

import click

from ..simulator.declarations import Declaration
from ..simulator.errors import InputError
from ..simulator.kinds import exact

FLAG = "wanted true or false"


def _read(ctx: click.Context, option: click.Parameter, path: str | None) -> None:
    """Let the file's values stand in for the command's own defaults."""
    if path is None:
        return
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"--config: found {path}, which is not TOML ({reason}); write lines such as "
            'units = "5-30"'
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"--config: found {path} unreadable ({reason}), wanted a file") from error
    known = {
        name.lstrip("-"): each
        for each in ctx.command.params
        if isinstance(each, click.Option) and each is not option
        for name in each.opts
    }
    given: dict[str, Any] = {}
    for name, value in values.items():
        key = name.replace("_", "-")
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"see {ctx.command_path} --help"
            raise InputError(
                f"{path}: found {name!r}, wanted names of options of {ctx.command_path}; {hint}"
            )
        each = known[key]
        if each.name is not None:
            given[each.name] = _value(each, value, f"{path}: {name}")
    ctx.default_map = {**(ctx.default_map or {}), **given}


def _value(option: click.Option, value: Any, where: str) -> Any:
    """Return a value of TOML as the command line would give it."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise InputError(f"{where}: found {value!r}, {FLAG}")
        return value
    if value is True and isinstance(option.flag_value, str):
        return option.flag_value  # it may be given without a value
    if isinstance(value, bool | dict):
        found = "a table" if isinstance(value, dict) else str(value).lower()
        raise InputError(f"{where}: found {found}, wanted what the option takes")
    declaration = getattr(option, "declaration", None)
    if isinstance(declaration, Declaration) and not isinstance(value, str):
        return declaration.show(declaration.read(value), exact)
    if option.multiple:
        return [str(each) for each in value] if isinstance(value, list) else [str(value)]
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return value if isinstance(value, str) else str(value)


config_option = click.option(
    "--config",
    metavar="TOML",
    is_eager=True,
    expose_value=False,
    callback=_read,
    help="A file of options, as lines NAME = VALUE; what is typed goes before it.",
)
"""``--config FILE``: adds the option to a command."""
