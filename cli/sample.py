"""``musim sample``."""

import time

import click

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim sample diffusion -n 200 --size 256 --out sampled.zarr
  musim sample diffusion --sampler ddpm --seed 1 --out slower.zarr
  musim train diffuse --data images --also sampled.zarr --out again
"""
)
@click.argument("run", metavar="RUN")
@click.option("-n", "images", type=click.IntRange(1), default=10, show_default=True,
              metavar="NUMBER", help="Images.")  # fmt: skip
@click.option("-o", "--out", "target", default="sampled.zarr", show_default=True, metavar="STORE",
              help="A path or an fsspec URL.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="NUMBER",
              help="Image i depends on weights, sampler, seed and i alone.")  # fmt: skip
@click.option("--sampler", default=None, metavar="ddim|ddpm",
              help="Few steps without noise, or all of training.  [default: ddim]")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), default=None, metavar="NUMBER",
              help="Steps of ddim.  [default: 50]")  # fmt: skip
@click.option("--size", default=None, metavar="DEPTHxWIDTH",
              help="Of the images, px, by smooth interpolation: speckle stays as coarse as the "
              "network makes it.  [default: the network's]")  # fmt: skip
@click.option("--accelerator", default="auto", show_default=True, metavar="cpu|cuda|mps|auto",
              help="Where the network works.")  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
def sample(run, images, target, seed, sampler, steps, size, accelerator, workers, resume, overwrite,
           as_json) -> None:  # fmt: skip
    """Make images of muscle out of noise, with masks of their aponeuroses.

    RUN is a run of musim train diffuse. What comes out is a store of images, which training takes
    beside others with --also.
    """
    from ..training.sections.diffusion.sampled import sample_images
    from ..training.sections.diffusion.sampling import Sampler

    if sampler == "ddpm" and steps is not None:
        raise InputError("--steps: found it with ddpm, which takes all, wanted it with ddim alone")
    usual = Sampler()
    way = Sampler(sampler or usual.name, steps or usual.steps)
    began = time.perf_counter()
    with progress("sampling", "images") as report:
        made = sample_images(
            run, target, images=images, seed=seed, sampler=way, size=_size(size),
            accelerator=accelerator, workers=workers, resume=resume, overwrite=overwrite,
            on_progress=report,
        )  # fmt: skip
    seconds = time.perf_counter() - began
    masks = "aponeurosis_mask" in made.layout.variables
    if as_json:
        print_json(store=target, images=len(made), seconds=seconds, masks=masks)
        return
    depth, width = made.layout.shape[1:]
    drawn = "with masks" if masks else "without masks"
    out().print(
        f"{target}: {counted(len(made), 'image')} of {depth} x {width} px sampled, {drawn} "
        f"({seconds:.1f} s). Look at them: musim view {target}",
        soft_wrap=True,
        markup=False,
    )


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise InputError(f"--size: found {text!r}, wanted depth x width in px, as in 256x256")
    return int(parts[0]), int(parts[-1])
