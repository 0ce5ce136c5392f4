"""``musim region``."""

import time
from typing import Any

import click

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option, store_argument
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim region videos.zarr --out regions.zarr
  musim region videos.zarr --size 14.67x38 --run segmenter --out regions.zarr
"""
)
@store_argument
@click.option(
    "-o", "--out", "target", default="regions.zarr", show_default=True, metavar="STORE",
    help="A path or an fsspec URL.",
)  # fmt: skip
@click.option(
    "--run", default=None, metavar="RUN",
    help="Find aponeuroses with a network of musim train segment.  [default: the one that comes "
    "with musim]",
)  # fmt: skip
@click.option(
    "--every", type=int, default=25, show_default=True, metavar="NUMBER",
    help="Look for them in one of so many images.",
)  # fmt: skip
@click.option(
    "--size", default=None, metavar="DEPTHxWIDTH",
    help="Of the region [mm].  [default: 14.67x55.42]",
)  # fmt: skip
@click.option(
    "--pixels", default=None, metavar="DEPTHxWIDTH",
    help="Of the region [px].  [default: 120x496 of that size, and pixels of the same of others]",
)  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Videos worked on side by side.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
def region(store, target, run, every, size, pixels, workers, resume, overwrite, as_json) -> None:
    """Take the region of the muscle out of B-mode videos, as in Cunningham et al. 2017.

    A network finds the aponeuroses in some images of each video of STORE. The region lies along the
    straight line midway between them, as they are over the video, and is turned level. The result
    is a store of videos of the regions, with all signals of STORE.
    """
    from ..training.state.regions import extract_regions

    began = time.perf_counter()
    chosen: dict[str, Any] = {}
    if size is not None:
        chosen["size"] = _pair("--size", size, float)
    if pixels is not None:
        chosen["pixels"] = _pair("--pixels", pixels, int)
    with progress("taking out", "regions") as report:
        made = extract_regions(
            store, target, run=run, every=every, workers=workers, resume=resume,
            overwrite=overwrite, on_progress=report, **chosen,
        )  # fmt: skip
    seconds = time.perf_counter() - began
    angles = [float(made.read("region_angle", index)) for index in range(len(made))]
    if as_json:
        print_json(
            store=target, videos=len(made), image=made.layout.shape[1:], angles=angles,
            seconds=seconds,
        )  # fmt: skip
        return
    turned = [57.2957795 * angle for angle in angles]
    out().print(
        f"{target}: {counted(len(made), 'region')} of {made.layout.image}, turned by "
        f"{min(turned):+.1f} to {max(turned):+.1f} degrees ({seconds:.1f} s). Look at them: musim "
        f"preview {target}",
        soft_wrap=True, markup=False,
    )  # fmt: skip


def _pair(option: str, text: str, kind: Any) -> tuple[Any, Any]:
    depth, sign, width = text.lower().partition("x")
    try:
        return kind(depth), kind(width) if sign else kind("")
    except ValueError:
        raise InputError(f"{option}: found {text!r}, wanted depth x width, as 120x496") from None
