"""``musim generate``."""

import dataclasses
import time
from typing import Any

import click
import numpy as np

from ..simulator.errors import InputError
from ..simulator.experiment.doses import PRESETS as DOSE_PRESETS
from ..simulator.experiment.doses import Doses
from . import hands, muscle_trials, section_images
from .config import config_option
from .console import err, megabytes, out, print_json, progress
from .hands import half_option, labels_option, tissues_option
from .muscle_trials import participants_option, tasks_option
from .options import (
    GroupedCommand,
    dose_options,
    doses_from_options,
    json_option,
    parameter_options,
    parameters_from_options,
    preset_option,
    set_option_of_images,
)
from .trials import told
from .wording import counted

DOMAINS = ("analytic", "quick", "experiment")
DOSE_NAMES = tuple(dose.name for dose in dataclasses.fields(Doses))
SEQUENCES = 10
RENDER = {"write": "dense", "on-read": "rendered"}


@click.command(
    cls=GroupedCommand,
    epilog="""\b
Examples:
  musim generate --units 5-30 --snr 10
  musim generate -n 10000 --render on-read --seed 1 --out training.zarr
  musim generate --preset ali-2022 -n 128 --out simulated.zarr --workers 2
  musim generate --territory ellipse --mask soft --snr 10-30 --out soft.zarr
  musim generate --domain quick -n 1000 --render on-read --units 4-10 --out quick.zarr
  musim generate --domain experiment --paired --units 4-10 -n 64 --out recorded.zarr
  musim generate --preset hard --frames 5120 -n 8 --out hard.zarr
  musim generate --preset katakis-2023 -n 1000 --muscle rectus-femoris --out images.zarr
  musim generate --preset cunningham-2017 --out calf.zarr
  musim generate --preset cunningham-2017 --participants 4 --tasks combined --set duration=60
  musim generate --preset grant-jacob-2021 --half left --out left.zarr
  musim generate -n 10000 --units 5-30 --dry-run
  musim generate --config mine.toml
  musim generate -n 600 --out s3://bucket/test.zarr --scheduler tcp://host:8786
""",
)
@preset_option
@click.option(
    "-n",
    "--sequences",
    type=int,
    default=None,
    metavar="NUMBER",
    help="How many sequences.  [default: 10; with --preset cunningham-2017 all tasks of 19 "
    "participants]",
)
@participants_option
@tasks_option
@half_option
@labels_option
@tissues_option
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="The same seed gives the same bytes; another set wants another seed.",
)
@click.option(
    "-o",
    "--out",
    "target",
    default="musim.zarr",
    show_default=True,
    metavar="STORE",
    help="A path, or an fsspec URL such as s3://bucket/name.zarr.",
)
@click.option(
    "--domain",
    default=None,
    type=click.Choice(DOMAINS),
    help="The model itself, or what a scanner would record of it (the virtual experiment): "
    "quickly, from what it shows of each part of the motion, or echo by echo.  "
    "[default: analytic; experiment with presets easy, typical and hard]",
)
@click.option(
    "--paired",
    is_flag=True,
    help="With --domain quick or experiment: write the analytic twin too, as NAME-analytic.zarr.",
)
@click.option(
    "--render",
    default=None,
    type=click.Choice(list(RENDER)),
    help="Write the voxels, or let readers render them: from the truth (100x smaller), or with "
    "--domain quick from maps and courses (10x).  [default: write; on-read with --preset "
    "cunningham-2017]",
)
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    metavar="float32|float16",
    help="Type of the voxels.",
)
@click.option(
    "--workers",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Processes or threads.  [default: one a processor]",
)
@click.option(
    "--pool",
    default=None,
    type=click.Choice(["processes", "threads"]),
    help="What the workers are.  [default: threads where voxels are written, else processes]",
)
@click.option(
    "--scheduler",
    default=None,
    metavar="tcp://HOST:PORT",
    help="Let the workers of a running dask scheduler do it.",
)
@click.option(
    "--part-size",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Sequences in a part, the unit of work and of resumption.",
)
@set_option_of_images
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@click.option("--dry-run", is_flag=True,
              help="Tell size, time and memory, from a few sequences; write nothing.")  # fmt: skip
@json_option
@config_option
@parameter_options
@dose_options
def generate(preset, sequences, participants, tasks, half, labels, tissues, seed, target, domain,
             paired, render, dtype, workers, pool, scheduler, part_size, changes, resume, overwrite,
             dry_run, as_json, **texts) -> None:  # fmt: skip
    """Simulate sequences and store them with their truth, as Zarr.

    Without options: ten sequences with the settings of Ali et al. 2020. Values are one number, or a
    range low-high to draw from uniformly.
    """
    from ..datasets.generation import plan

    options = {"workers": workers, "pool": pool, "scheduler": scheduler, "resume": resume,
               "overwrite": overwrite}  # fmt: skip
    muscle = texts["muscle"]
    others = {
        "--domain": domain is not None, "--paired": paired, "--dtype": dtype != "float32",
    }  # fmt: skip
    theirs = {"half": half, "labels": labels, "tissues": tissues}
    if hands.is_asked_for(preset, theirs):
        hands.check_others({
            **others, "--render": render is not None, "--tasks": tasks is not None,
            "-n": sequences is not None,
        })  # fmt: skip
        settings = {"seed": seed, "part_size": part_size}
        shown = hands.run(theirs, participants, target, texts, changes, settings, options,
                          dry_run=dry_run, as_json=as_json)  # fmt: skip
        if as_json:
            print_json(stores=[shown])
        return
    if muscle_trials.is_asked_for(preset, participants, tasks):
        muscle_trials.check_others(others)
        study = muscle_trials.study_of(texts, changes)
        settings = {
            **muscle_trials.trials_asked_for(sequences, participants, tasks),
            "seed": seed, "written": render == "write", "part_size": part_size,
        }  # fmt: skip
        do = muscle_trials.try_out if dry_run else muscle_trials.make
        shown = do(study, target, settings, options, as_json=as_json)
        if as_json:
            print_json(stores=[shown])
        return
    sequences = SEQUENCES if sequences is None else sequences
    render = render or "write"
    if section_images.is_asked_for(preset, muscle, changes):
        section_images.check_others({**others, "--render": render != "write"})
        images = section_images.parameters_of(texts, changes)
        settings = {"sequences": sequences, "seed": seed, "part_size": part_size}
        do = section_images.try_out if dry_run else section_images.make
        shown = do(images, muscle, target, settings, options, as_json=as_json)
        if as_json:
            print_json(stores=[shown])
        return
    dose_texts = {name: texts.pop(name) for name in DOSE_NAMES}
    if domain is None:
        domain = "experiment" if preset in DOSE_PRESETS else "analytic"
    doses = _doses(domain, paired, dose_texts, preset)
    usual = "ali-2020" if doses is None else "experiment"
    parameters = parameters_from_options(preset or usual, texts)
    settings = {
        "sequences": sequences,
        "seed": seed,
        "kind": RENDER[render],
        "dtype": dtype,
        "part_size": part_size,
    }
    analytic = {**settings, "doses": None}
    asked = analytic if doses is None else {**settings, "doses": doses, "domain": domain}
    if paired:
        plan(parameters, **asked)  # what is wrong with it is wrong before its twin
    stores = {twin_of(target): analytic, target: asked} if paired else {target: asked}
    shown = [
        _try(parameters, place, each, workers, as_json)
        if dry_run
        else _make(parameters, place, each, options, as_json)
        for place, each in stores.items()
    ]
    if as_json:
        print_json(stores=shown)


def _doses(
    domain: str, paired: bool, texts: dict[str, str | None], preset: str | None
) -> Doses | None:
    if domain != "analytic":
        return doses_from_options(texts, preset)
    given = [name for name, text in texts.items() if text is not None]
    if given or paired:
        found = "--paired" if paired else "--" + given[0].replace("_", "-")
        raise InputError(
            f"found {found} without --domain quick or --domain experiment, wanted both or neither"
        )
    return None


def twin_of(target: str) -> str:
    """Return where the analytic twin of a store is written."""
    return target.rstrip("/").removesuffix(".zarr") + "-analytic.zarr"


def _make(parameters, target, settings, options, as_json) -> dict[str, Any]:
    """Make a store; return what there is to say of it, and say it unless a program reads."""
    from ..datasets.generation import generate as generate_store

    _announce(parameters, target, settings)
    began = time.perf_counter()
    with progress("recording" if settings["doses"] else "simulating", "sequences") as report:
        generate_store(parameters, target, **settings, **options, on_progress=report)
    seconds = time.perf_counter() - began
    if not as_json:
        out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim view {target}",
                    soft_wrap=True)  # fmt: skip
    return {"store": target, "sequences": settings["sequences"], "seconds": seconds}


def _try(parameters, target, settings, workers, as_json) -> dict[str, Any]:
    """Make a few sequences in memory; return what the store will take, and say it as well."""
    from ..datasets.trial import try_out

    _announce(parameters, target, settings)
    trial = try_out(parameters, **settings, workers=workers)
    return told(trial, target, settings["sequences"], as_json=as_json)


def _announce(parameters, target, settings) -> None:
    from ..datasets.generation import plan

    layout = plan(parameters, **settings)
    voxels = float(np.prod(layout.shape)) * layout.sequences * np.dtype(layout.dtype).itemsize
    frames, depth, width = layout.shape
    size = megabytes(voxels) if layout.kind == "dense" else "rendered on read"
    low, high = parameters.units.low, parameters.units.high
    units = counted(int(high), "unit") if low == high else f"{parameters.units} units"
    recorded = settings["doses"] is not None
    noise = "noise of the recording chain" if recorded else f"SNR {parameters.snr} dB"
    err().print(
        f"{counted(layout.sequences, 'sequence')} of {depth} x {width} px, "
        f"{counted(frames, 'frame')}, {units}, {noise} ({size}), "
        f"seed {settings['seed']} -> {target}",
        soft_wrap=True,
    )
