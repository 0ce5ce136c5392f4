"""``musim generate``."""

import time

import click
import numpy as np

from ..datasets.generation import generate as generate_store
from ..datasets.generation import plan
from .console import err, megabytes, out, progress
from .options import GroupedCommand, parameter_options, parameters_from_options, preset_option

RENDER = {"write": "dense", "on-read": "rendered"}


@click.command(
    cls=GroupedCommand,
    epilog="""\b
Examples:
  musim generate --units 5-30 --snr 10
  musim generate -n 10000 --render on-read --seed 1 --out training.zarr
  musim generate --preset ali-2022 -n 128 --out simulated.zarr --workers 2
  musim generate --territory ellipse --mask soft --snr 10-30 --out soft.zarr
  musim generate -n 600 --out s3://bucket/test.zarr --scheduler tcp://host:8786
""",
)
@preset_option
@click.option(
    "-n",
    "--sequences",
    type=int,
    default=10,
    show_default=True,
    metavar="NUMBER",
    help="How many sequences.",
)
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
    "--render",
    default="write",
    show_default=True,
    type=click.Choice(list(RENDER)),
    help="Write the voxels, or let readers render them from the truth (100x smaller).",
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
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@parameter_options
def generate(preset, sequences, seed, target, render, dtype, workers, pool, scheduler, part_size,
             resume, overwrite, **texts) -> None:  # fmt: skip
    """Simulate sequences and store them with their truth, as Zarr.

    Without options: ten sequences with the settings of Ali et al. 2020. Values are one number, or a
    range low-high to draw from uniformly.
    """
    parameters = parameters_from_options(preset, texts)
    settings = {
        "sequences": sequences,
        "seed": seed,
        "kind": RENDER[render],
        "dtype": dtype,
        "part_size": part_size,
    }
    layout = plan(parameters, **settings)
    voxels = float(np.prod(layout.shape)) * sequences * np.dtype(dtype).itemsize
    frames, depth, width = layout.shape
    size = megabytes(voxels) if layout.kind == "dense" else "rendered on read"
    err().print(
        f"{sequences} sequences of {depth} x {width} px, {frames} frames, "
        f"{parameters.units} units, SNR {parameters.snr} dB ({size}), seed {seed} -> {target}",
        soft_wrap=True,
    )
    began = time.perf_counter()
    with progress("simulating", "sequences") as report:
        generate_store(
            parameters,
            target,
            **settings,
            workers=workers,
            pool=pool,
            scheduler=scheduler,
            resume=resume,
            overwrite=overwrite,
            on_progress=report,
        )
    seconds = time.perf_counter() - began
    out().print(f"{target} is done ({seconds:.1f} s). Look at it: musim preview {target}",
                soft_wrap=True)  # fmt: skip
