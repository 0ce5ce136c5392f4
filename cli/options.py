"""Options that commands share, each defined once; those of parameters come from the parameters."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..simulator.errors import InputError
from ..simulator.experiment.doses import Doses
from ..simulator.parameter_checks import PAIRS
from ..simulator.parameters import PRESETS, Parameters, read_text
from ..simulator.ranges import Range, format_pair


class GroupedCommand(click.Command):
    """A command whose help lists its options in sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section in their order of declaration."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                title = getattr(parameter, "section", "Options")
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class SectionOption(click.Option):
    """An option that knows its section of the help."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every parameter of a simulation; the command gets texts or None."""
    return _field_options(Parameters)(command)


def dose_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every dose of the virtual experiment; the command gets texts or None."""
    return _field_options(Doses, "Virtual experiment: ")(command)


def _field_options(source: Any, prefix: str = "") -> Callable[..., Any]:
    return functools.partial(_add_field_options, source, prefix)


def _add_field_options(source: Any, prefix: str, command: Callable[..., Any]) -> Callable[..., Any]:
    for parameter in reversed(dataclasses.fields(source)):
        metadata = parameter.metadata
        unit = f" [{metadata['unit']}]" if metadata["unit"] else ""
        default = default_text(parameter)
        shown = f" Default: {default}." if default else ""
        decorate = click.option(
            "--" + parameter.name.replace("_", "-"),
            parameter.name,
            cls=SectionOption,
            section=prefix + metadata["group"],
            metavar=_metavar(parameter),
            help=f"{metadata['text']}{unit}{shown}",
        )
        command = decorate(command)
    return command


def _metavar(parameter: dataclasses.Field[Any]) -> str:
    if parameter.metadata["choices"]:
        return "|".join(parameter.metadata["choices"])
    if parameter.name == "waveform":
        return "FILE"
    if parameter.name in PAIRS:
        return "DEPTHxWIDTH"
    return "NUMBER" if isinstance(parameter.default, int | float) else "LOW-HIGH"


def default_text(parameter: dataclasses.Field[Any]) -> str:
    """Return a parameter's default as a user would type it."""
    if parameter.default is None:
        return ""
    if isinstance(parameter.default, tuple):
        return format_pair(parameter.default)
    if isinstance(parameter.default, Range):
        low, high = f"{parameter.default.low:g}", f"{parameter.default.high:g}"
        return low if low == high else f"{low}-{high}"
    if isinstance(parameter.default, float):
        return f"{parameter.default:g}"
    return str(parameter.default)


def parameters_from_options(preset: str, texts: dict[str, str | None]) -> Parameters:
    """Return the parameters that a preset and the options given make.

    Raises
    ------
    InputError
        If a text cannot be used.
    """
    given = {name: text for name, text in texts.items() if text is not None}
    if "waveform" in given:
        given["waveform"] = _read_text(Path(given["waveform"]))
    return Parameters.from_texts(given, preset)


def doses_from_options(texts: dict[str, str | None]) -> Doses:
    """Return the doses that the options given make.

    Raises
    ------
    InputError
        If a text cannot be used.
    """
    known = {dose.name: dose for dose in dataclasses.fields(Doses)}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if text is None:
            continue
        try:
            values[name] = read_text(known[name], text)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return Doses(**values)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"waveform: found {path} unreadable ({type(error).__name__}), wanted a CSV file"
        ) from error


preset_option = click.option(
    "--preset",
    default=None,
    metavar="|".join(PRESETS),
    help="Start from the settings of a paper; other options override them.  [default: ali-2020; "
    "experiment with --domain experiment]",
)

store_argument = click.argument("store", metavar="STORE")
