"""``musim presets``."""

import json
from collections.abc import Mapping
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..simulator.calf.study import PRESET as TRIALS_PRESET
from ..simulator.calf.study import Study
from ..simulator.declarations import Declaration, Declared, declarations
from ..simulator.errors import InputError
from ..simulator.experiment.doses import PRESETS as DOSE_PRESETS
from ..simulator.experiment.doses import Doses
from ..simulator.imaging.chain import PRESETS as CHAINS
from ..simulator.imaging.chain import Chain
from ..simulator.kinds import exact, short
from ..simulator.parameters import PRESETS, Parameters
from ..simulator.resonance.parameters import PRESET as HANDS_PRESET
from ..simulator.resonance.parameters import Phantom
from ..simulator.section.muscles import DEFAULT_MUSCLE, MUSCLES, PRESET
from ..simulator.section.parameters import SectionParameters
from .console import out, print_json
from .options import CHAIN_OPTIONS, json_option


@click.command(
    epilog="""\b
Examples:
  musim presets
  musim presets ali-2022 > mine.toml
  musim generate --config mine.toml
"""
)
@click.argument("preset", metavar="[PRESET]", required=False)
@json_option
def presets(preset, as_json) -> None:
    """Tell what each preset sets; or print one, whole, as a file for generate --config.

    Presets of musim generate are settings of a simulation, those of musim import an imaging chain.
    """
    known = (*PRESETS, PRESET, TRIALS_PRESET, HANDS_PRESET)
    if preset is not None and preset not in known:
        raise InputError(
            f"preset: found {preset!r}, wanted one of musim generate: {', '.join(known)}"
        )
    if as_json:
        chosen = [name for name in PRESETS if preset in {None, name}]
        shown: dict[str, Any] = {"generate": {name: parameters(name).to_json() for name in chosen}}
        subjects = {name: doses(name).to_json() for name in chosen if name in DOSE_PRESETS}
        if subjects:
            shown["doses"] = subjects
        if preset in {None, PRESET}:
            shown["images"] = {name: SectionParameters.of(name).to_json() for name in MUSCLES}
        if preset in {None, TRIALS_PRESET}:
            shown["trials"] = {TRIALS_PRESET: Study().to_json()}
        if preset in {None, HANDS_PRESET}:
            shown["hands"] = {HANDS_PRESET: Phantom().to_json()}
        if preset is None:
            shown["import"] = {name: chain.to_json() for name, chain in CHAINS.items()}
        print_json(**shown)
    elif preset is not None:
        others = {
            PRESET: images_as_toml,
            TRIALS_PRESET: trials_as_toml,
            HANDS_PRESET: hands_as_toml,
        }
        click.echo(others[preset]() if preset in others else as_toml(preset), nl=False)
    else:
        for table in _tables():
            out().print(table)


def parameters(preset: str) -> Parameters:
    """Return what a preset of ``musim generate`` sets, with all that it leaves as it is."""
    return Parameters.from_texts({}, preset)


def doses(preset: str) -> Doses:
    """Return the doses of the virtual experiment that belong to a preset."""
    return Doses.from_texts({}, preset)


def as_toml(preset: str) -> str:
    """Return all settings of a preset as a file that ``--config`` reads."""
    lines = [f"# musim generate, preset {preset}"]
    if preset in DOSE_PRESETS:
        lines += ["", 'domain = "experiment"']
    lines += _lines(parameters(preset))
    if preset in DOSE_PRESETS:
        lines += _lines(doses(preset), "Virtual experiment: ")
    return "\n".join(lines) + "\n"


def images_as_toml() -> str:
    """Return all settings of images of the longitudinal section as a file for ``--config``."""
    lines = [f"# musim generate, preset {PRESET}", f'preset = "{PRESET}"']
    lines += [f'muscle = "{DEFAULT_MUSCLE}"  # {", ".join(MUSCLES)}']
    lines += _as_set(SectionParameters.of(DEFAULT_MUSCLE))
    return "\n".join(lines) + "\n"


def trials_as_toml() -> str:
    """Return all settings of simulated trials as a file for ``--config``."""
    lines = [f"# musim generate, preset {TRIALS_PRESET}", f'preset = "{TRIALS_PRESET}"']
    return "\n".join([*lines, *_as_set(*Study().parts)]) + "\n"


def hands_as_toml() -> str:
    """Return all settings of scanned hands as a file for ``--config``."""
    lines = [f"# musim generate, preset {HANDS_PRESET}", f'preset = "{HANDS_PRESET}"']
    return "\n".join([*lines, *_as_set(*Phantom().parts)]) + "\n"


def _as_set(*parts: Declared) -> list[str]:
    """Return settings as lines of TOML that stand for ``--set``."""
    lines = ["set = ["]
    for values in parts:
        for name, about in declarations(type(values)).items():
            typed = json.dumps(f"{name}={about.show(getattr(values, name), exact)}")
            lines.append(f"  {typed},  # {_meaning(about)}")
    return [*lines, "]"]


def _lines(values: Declared, prefix: str = "") -> list[str]:
    """Return settings as lines of TOML, group by group."""
    groups: dict[str, list[str]] = {}
    for name, about in declarations(type(values)).items():
        shown = about.show(getattr(values, name), exact)
        # What is not set has no value that could be typed.
        given = f"{name} = {json.dumps(shown)}" if shown else f"# {name} ="
        groups.setdefault(about.group, []).append(f"{given}  # {_meaning(about)}")
    return [line for group, lines in groups.items() for line in ("", f"# {prefix}{group}", *lines)]


def _meaning(about: Declaration) -> str:
    """Return what a setting is, with its unit."""
    return f"{about.text} [{about.unit}]" if about.unit else about.text


def _tables() -> list[Table]:
    changed = {
        name: {
            **{key: getattr(parameters(name), key) for key in values},
            **DOSE_PRESETS.get(name, {}),
        }
        for name, values in PRESETS.items()
    }
    settings = {**declarations(Parameters), **declarations(Doses)}
    steps = {CHAIN_OPTIONS.get(key, key): about for key, about in declarations(Chain).items()}
    sections = declarations(SectionParameters)
    trials = {
        name: about for part in Study().parts for name, about in declarations(type(part)).items()
    }
    hands = {
        name: (getattr(part, name), about)
        for part in Phantom().parts
        for name, about in declarations(type(part)).items()
    }
    chains = {
        name: {
            CHAIN_OPTIONS.get(key, key): value
            for key, value in chain.to_json().items()
            if value != Chain().to_json()[key]
        }
        for name, chain in CHAINS.items()
    }
    return [
        _table("musim generate --preset", changed, settings),
        _table(f"musim generate --preset {PRESET} --muscle", MUSCLES, sections, option="--set "),
        _table(f"musim generate --preset {TRIALS_PRESET}", {TRIALS_PRESET: _of_trials()}, trials,
               option="--set "),
        _table(f"musim generate --preset {HANDS_PRESET}",
               {HANDS_PRESET: {name: value for name, (value, _) in hands.items()}},
               {name: about for name, (_, about) in hands.items()}, option="--set "),
        _table("musim import --preset", chains, steps),
    ]  # fmt: skip


def _of_trials() -> dict[str, Any]:
    """Return what sets trials apart from the gastrocnemius in images, and their protocol."""
    study = Study()
    values = {name: getattr(study.section, name) for name in ("pixels", "size")}
    for part in (study.protocol, study.view):
        values |= {name: getattr(part, name) for name in declarations(type(part))}
    return values


def _table(
    title: str, presets: Mapping[str, Mapping[str, Any]], known: Mapping[str, Declaration],
    option: str = "--",
) -> Table:  # fmt: skip
    """Return what presets set, by the options that would do the same."""
    table = Table(title, "sets", "", box=SIMPLE_HEAD, pad_edge=False)
    for preset, values in presets.items():
        if not values:
            table.add_row(preset, "nothing: these are the defaults", "")
        for row, (name, value) in enumerate(values.items()):
            about = known[name]
            shown = about.show(about.read(value), short)
            typed = f"--{name.replace('_', '-')} " if option == "--" else f"{option}{name}="
            table.add_row("" if row else preset, typed + shown, escape(_meaning(about)))
    return table
