"""Options that commands share, each defined once; those of parameters come from the parameters."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ..simulator.calf.study import PRESET as TRIALS_PRESET
from ..simulator.declarations import Declaration, Declared, declarations
from ..simulator.errors import InputError
from ..simulator.experiment.doses import PRESETS as DOSE_PRESETS
from ..simulator.experiment.doses import Doses
from ..simulator.kinds import short
from ..simulator.parameters import PRESETS, Parameters
from ..simulator.resonance.parameters import PRESET as HANDS_PRESET
from ..simulator.section.muscles import MUSCLES
from ..simulator.section.muscles import PRESET as SECTION_PRESET

PATHS = {"waveform"}
"""Options that take the path of a file which holds the value."""


ALSO = {"muscle": f" Or its name, for images of its longitudinal section: {', '.join(MUSCLES)}."}
"""What options take besides what is declared of them."""

CHAIN_OPTIONS = {"frame_rate": "resample"}
"""Steps of the imaging chain whose option has another name: a recording has a frame rate too."""


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
    """An option that knows its section of the help, and what is declared of its value."""

    def __init__(
        self,
        *args: Any,
        section: str = "Options",
        declaration: Declaration | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.declaration = declaration


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every parameter of a simulation; the command gets texts or None."""
    return _field_options(Parameters)(command)


def dose_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add one option for every dose of the virtual experiment; the command gets texts or None."""
    return _field_options(Doses, "Virtual experiment: ")(command)


def _field_options(source: type[Declared], prefix: str = "") -> Callable[..., Any]:
    return functools.partial(_add_field_options, source, prefix)


def _add_field_options(
    source: type[Declared], prefix: str, command: Callable[..., Any]
) -> Callable[..., Any]:
    for name, about in reversed(list(declarations(source).items())):
        unit = f" [{about.unit}]" if about.unit else ""
        default = about.show(about.default, short)
        shown = f" Default: {default}." if default else ""
        decorate = click.option(
            "--" + name.replace("_", "-"),
            name,
            cls=SectionOption,
            section=prefix + about.group,
            declaration=None if name in PATHS else about,
            metavar=about.placeholder,
            help=f"{about.text}{unit}{shown}{ALSO.get(name, '')}",
        )
        command = decorate(command)
    return command


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


def doses_from_options(texts: dict[str, str | None], preset: str | None = None) -> Doses:
    """Return the doses that a preset, if it has any, and the options given make.

    Raises
    ------
    InputError
        If a text cannot be used.
    """
    given = {name: text for name, text in texts.items() if text is not None}
    return Doses.from_texts(given, preset if preset in DOSE_PRESETS else "easy")


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
    metavar="|".join((*PRESETS, SECTION_PRESET, TRIALS_PRESET, HANDS_PRESET)),
    help="Start from the settings of a paper, or of easy, typical or hard subjects of the virtual "
    "experiment; other options override them.  [default: ali-2020; easy with --domain quick or "
    "experiment]",
)

store_argument = click.argument("store", metavar="STORE")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs to read."
)

set_option = click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE",
    help="A setting of the method; musim methods NAME lists them. May be repeated.",
)  # fmt: skip


set_option_of_images = click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE",
    help="A parameter of images of the longitudinal section, of trials of the calf or of scanned "
    "hands; musim presets katakis-2023, cunningham-2017 and grant-jacob-2021 list them. May be "
    "repeated.",
)  # fmt: skip


def changes_from(texts: Sequence[str]) -> dict[str, str]:
    """Return settings by name from what ``--set`` was given, NAME=VALUE each.

    Raises
    ------
    InputError
        If one is written otherwise, or a name is there twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name:
            raise InputError(f"--set: found {text!r}, wanted NAME=VALUE")
        if name in found:
            raise InputError(f"--set: found {name} twice, wanted it once; leave one out")
        found[name] = value.strip()
    return found
