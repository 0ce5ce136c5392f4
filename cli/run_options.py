"""Options of the commands of ``musim train``, and settings that are made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..simulator.errors import InputError
from ..training.runs.settings import PRECISIONS
from .config import config_option
from .options import changes_from, json_option

setting_option = click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE",
    help="Any other setting; --dry-run lists them. May be repeated.",
)  # fmt: skip
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace a run that is there.")

RUN_OPTIONS = (
    click.option("--model", default=None, metavar="small|paper", help="Size.  [default: small]"),
    click.option("-o", "--out", "target", required=True, metavar="RUN",
                 help="The folder of the run: settings, histories, TensorBoard, checkpoints."),
    click.option("--steps", default=None, metavar="NUMBER", help="Batches in all."),
    click.option("--batch-size", default=None, metavar="NUMBER",
                 help="Of all processes together."),
    click.option("--precision", default=None, metavar="|".join(PRECISIONS),
                 help="Arithmetic.  [default: the model's]"),
    click.option("--seed", default=None, metavar="NUMBER",
                 help="Of weights, order and all draws.  [default: 0]"),
    setting_option,
    click.option("--accelerator", default="auto", show_default=True, metavar="cpu|cuda|mps|auto",
                 help="Where to train."),
    click.option("--devices", type=click.IntRange(1), default=1, show_default=True,
                 metavar="NUMBER", help="Processes, each with a device of its own."),
    click.option("--dry-run", is_flag=True,
                 help="Print settings, parameters, memory and time of a step; train nothing."),
    click.option("--resume", is_flag=True,
                 help="Go on with a run; with more --steps also with one that is finished."),
    overwrite_option,
    json_option,
    config_option,
)  # fmt: skip
"""Options that all tasks share whose steps are batches."""


def run_options(command):
    """Add the options that all tasks share whose steps are batches."""
    for decorate in reversed(RUN_OPTIONS):
        command = decorate(command)
    return command


def translate_options(command):
    """Add the same options, with the translator's own models."""
    models = "small, or one of the paper: cyclegan-2d, recyclegan, cyclegan-3d, "
    more = "cyclegan-3d-stride1, cyclegan-3d-noise; with --paired others.  [default: small]"
    text = f"{models}{more}"
    for decorate in reversed(RUN_OPTIONS[1:]):
        command = decorate(command)
    return click.option("--model", default=None, metavar="NAME", help=text)(command)


def settings_from(texts: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by name, from --set and from options of their own that were given.

    Raises
    ------
    InputError
        If one is in both, or --set is written otherwise than NAME=VALUE.
    """
    changes: dict[str, Any] = dict(changes_from(texts))
    for name, text in options.items():
        if text is None:
            continue
        if name in changes:
            raise InputError(
                f"--set: found {name} there and as an option, wanted one of them; leave one out"
            )
        changes[name] = text
    return changes
