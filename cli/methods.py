"""``musim methods``."""

import click
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..simulator.declarations import declarations
from ..training.identification.methods import METHODS, Method, method_named
from .console import out, print_json
from .options import json_option

NEEDS = {"needed": "the truth", "used": "the truth, where it is known"}


@click.command(
    epilog="""\b
Examples:
  musim methods
  musim methods stica
"""
)
@click.argument("method", metavar="[METHOD]", required=False)
@json_option
def methods(method, as_json) -> None:
    """Tell what each method of identification does; or of one what it assumes, and its settings.

    Settings are given to musim identify and musim evaluate identify as --set NAME=VALUE.
    """
    chosen = list(METHODS.values()) if method is None else [method_named(method)]
    if as_json:
        print_json(methods=[_plain(each) for each in chosen])
    elif method is None:
        table = Table("method", "what it does", box=SIMPLE_HEAD, pad_edge=False)
        for each in chosen:
            table.add_row(each.name, escape(each.summary))
        out().print(table)
    else:
        _tell(chosen[0])


def _tell(method: Method) -> None:
    console = out()
    console.print(f"{method.name}: {method.summary}", markup=False, highlight=False)
    if method.page:
        console.print(f"\n{method.page}", markup=False, highlight=False)
    for given in _given(method):
        console.print(f"\nIt is given {given}.", markup=False, highlight=False)
    settings = method.settings_of()
    if settings is not None:
        table = Table("setting", "default", "meaning", box=SIMPLE_HEAD, pad_edge=False)
        for name, value, unit, meaning in settings.describe():
            table.add_row(name, escape(f"{value} {unit}".strip()), escape(meaning))
        console.print(table)


def _given(method: Method) -> list[str]:
    """Return what a method is given beside the recording, in words."""
    found = [NEEDS[method.truth]] if method.truth in NEEDS else []
    if method.takes_runs:
        found.append(f"runs of musim train {' and '.join(method.takes_runs)} (--run)")
    return found + (["firings that are known (--events)"] if method.takes_events else [])


def _plain(method: Method) -> dict[str, object]:
    settings = method.settings_of()
    known = {} if settings is None else declarations(type(settings))
    return {
        "name": method.name,
        "summary": method.summary,
        "page": method.page,
        "given": _given(method),
        "settings": [
            {
                "name": name, "default": about.to_json(about.default), "unit": about.unit,
                "meaning": about.text,
            }
            for name, about in known.items()
        ],
    }  # fmt: skip
