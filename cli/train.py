"""``musim train``."""

import time

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..simulator.errors import InputError
from ..training.runs.settings import PRECISIONS
from ..training.tasks import settings_for
from ..training.tasks import train as train_task
from ..training.tasks import try_out as try_task
from .console import err, megabytes, out, progress
from .options import GroupedCommand, parameter_options, parameters_from_options

RUN_OPTIONS = (
    click.option("-o", "--out", "target", required=True, metavar="RUN",
                 help="The folder of the run: settings, histories, TensorBoard, checkpoints."),
    click.option("--steps", default=None, metavar="NUMBER", help="Batches in all."),
    click.option("--batch-size", default=None, metavar="NUMBER",
                 help="Of all processes together."),
    click.option("--precision", default=None, metavar="|".join(PRECISIONS),
                 help="Arithmetic.  [default: the model's]"),
    click.option("--seed", default=None, metavar="NUMBER",
                 help="Of weights, order and all draws.  [default: 0]"),
    click.option("--set", "changes", multiple=True, metavar="NAME=VALUE",
                 help="Any other setting; --dry-run lists them. May be repeated."),
    click.option("--accelerator", default="auto", show_default=True, metavar="cpu|cuda|mps|auto",
                 help="Where to train."),
    click.option("--devices", type=click.IntRange(1), default=1, show_default=True,
                 metavar="NUMBER", help="Processes, each with a device of its own."),
    click.option("--dry-run", is_flag=True,
                 help="Print settings, parameters, memory and time of a step; train nothing."),
    click.option("--resume", is_flag=True, help="Go on with an unfinished run."),
    click.option("--overwrite", is_flag=True, help="Replace a run that is there."),
)  # fmt: skip
"""Options that all tasks share."""


def run_options(command):
    """Add the options that all tasks share."""
    for decorate in reversed(RUN_OPTIONS):
        command = decorate(command)
    return command


@click.group(
    no_args_is_help=False,
    epilog="""\b
Examples:
  musim train detect --endless --out detector
  musim train twitch --data training.zarr --model paper --precision bf16-mixed --out twitches
  musim train detect --data training.zarr --out detector --dry-run
  musim train detect --out detector --resume
""",
)
def train() -> None:
    """Train networks on simulated sequences."""


def source_options(command):
    """Add the options that say what is trained on."""
    command = parameter_options(command)
    text = "Draw new sequences for ever; the parameters below shape them."
    command = click.option("--endless", is_flag=True, help=text)(command)
    return click.option("--data", "store", default=None, metavar="STORE",
                        help="A store of musim generate.")(command)  # fmt: skip


@train.command(
    cls=GroupedCommand,
    short_help="Train the detector of territories.",
    epilog="""\b
Examples:
  musim train detect --endless --out detector
  musim train detect --data training.zarr --model paper --pretrained coco --out detector
""",
)
@click.option("--model", default="small", show_default=True, metavar="small|paper", help="Size.")
@click.option("--pretrained", default=None, metavar="none|coco",
              help="Weights to begin with.  [default: none]")  # fmt: skip
@run_options
@source_options
def detect(pretrained, **options) -> None:
    """Train the network that detects motor units and outlines their territories."""
    _train("detect", options, {"pretrained": pretrained})


@train.command(
    cls=GroupedCommand,
    short_help="Train the estimator of twitch trains.",
    epilog="""\b
Examples:
  musim train twitch --endless --out twitches
  musim train twitch --data training.zarr --model paper --out twitches
""",
)
@click.option("--model", default="small", show_default=True, metavar="small|paper", help="Size.")
@run_options
@source_options
def twitch(**options) -> None:
    """Train the network that estimates the twitch train of a unit that was found."""
    _train("twitch", options, {})


def _source(options):
    from ..training.runs.sources import Source

    store, endless = options.pop("store"), options.pop("endless")
    texts = {name: text for name, text in options.items() if text is not None}
    if store is not None and endless:
        raise InputError("found both --data and --endless, wanted one of them")
    if texts and not endless:
        option = next(iter(texts)).replace("_", "-")
        raise InputError(
            f"--{option}: found a parameter of simulation without --endless, wanted --endless with "
            "it; a store has its own"
        )
    if endless:
        return Source(parameters=parameters_from_options("ali-2020", texts))
    return None if store is None else Source(store=store)


def _train(name, options, more, source_of=_source) -> None:
    target, model = options.pop("target"), options.pop("model")
    texts = {**_changes(options.pop("changes")), **more}
    for common in ("steps", "batch_size", "precision", "seed"):
        texts[common] = options.pop(common)
    texts = {key: text for key, text in texts.items() if text is not None}
    flags = {key: options.pop(key) for key in ("resume", "overwrite", "accelerator", "devices")}
    dry = options.pop("dry_run")
    source = source_of(options)
    if source is None and not flags["resume"]:
        raise InputError("found neither --data nor --endless, wanted one of them to train on")
    if source is not None and flags["resume"]:
        raise InputError("found data given with --resume, wanted none; the run knows its own")
    if dry:
        _show_trial(name, settings_for(name, model, texts), source, flags["accelerator"])
        return
    began = time.perf_counter()
    with progress(f"training {name}", "steps") as report:
        best = train_task(
            name, target, model=model, texts=texts, source=source, **flags, on_progress=report
        )
    seconds = time.perf_counter() - began
    found = ", ".join(f"{key} {value:.4g}" for key, value in best.items() if key != "seconds")
    out().print(f"{target}: best validation: {found or 'none'} ({seconds:.0f} s)", soft_wrap=True,
                markup=False)  # fmt: skip


def _changes(texts):
    changes = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise InputError(f"--set: found {text!r}, wanted NAME=VALUE")
        changes[name.strip().replace("-", "_")] = value.strip()
    return changes


def _show_trial(name, settings, source, accelerator) -> None:
    import torch

    if source is None:
        raise InputError("found neither --data nor --endless, wanted one of them to try a step on")
    console = out()
    table = Table("setting", "value", "meaning", box=SIMPLE_HEAD, pad_edge=False)
    for setting, value, unit, meaning in settings.describe():
        table.add_row(setting, f"{value} {unit}".strip(), meaning)
    console.print(table)
    chosen = accelerator if accelerator not in {"auto", "gpu"} else (
        "cuda" if torch.cuda.is_available() else "cpu"
    )  # fmt: skip
    err().print("doing three steps ...")
    trial = try_task(name, settings, source, chosen)
    for network, number in trial.parameters.items():
        console.print(f"{network}: {number:,} parameters")
    console.print(f"together: {sum(trial.parameters.values()):,} parameters")
    console.print(
        f"memory: {megabytes(trial.memory)} and the libraries' own (weights "
        f"{megabytes(trial.weights)}, gradients and optimisers {megabytes(trial.optimisers)}, "
        f"kept for differentiation {megabytes(trial.activations)})", soft_wrap=True,
    )  # fmt: skip
    hours = (trial.seconds + trial.waiting) * settings.steps / 3600
    console.print(
        f"a step: {trial.seconds:.3g} s on {trial.device}, and {trial.waiting:.2g} s waiting for "
        f"its batch: {hours:.3g} h for {settings.steps:,} steps", soft_wrap=True,
    )  # fmt: skip
