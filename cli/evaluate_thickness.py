"""``musim evaluate thickness``."""

import math
import time

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .image_options import names_from
from .options import json_option
from .run_options import setting_option, settings_from
from .wording import counted

PROTOCOL = "katakis-2023"

MOST_NAMED = 5
"""Images that are named with what is said of them."""


@click.command(
    short_help="Score networks that measure muscle thickness, by what they trained on.",
    epilog="""\b
Examples:
  musim evaluate thickness --data images --sizes sizes.csv --simulated simulated.zarr
  musim evaluate thickness --data images.zarr --generated sampled.zarr --steps 500 --out quick
  musim evaluate thickness --data images.zarr --simulated simulated.zarr --resume
""",
)
@click.option("--protocol", type=click.Choice([PROTOCOL]), default=PROTOCOL, show_default=True,
              help="Whose experiments.")  # fmt: skip
@click.option("--data", "images", required=True, metavar="IMAGES",
              help="Real images with masks: a store, or a folder.")  # fmt: skip
@click.option("--masks", default=None, metavar="FOLDER",
              help="Masks of a folder of images, if they do not lie in or beside it.")  # fmt: skip
@click.option("--sizes", default=None, metavar="CSV",
              help="A table of the sizes of a folder's images.")  # fmt: skip
@click.option("--generated", multiple=True, metavar="IMAGES",
              help="Images of musim sample, by a network that saw no test image.")  # fmt: skip
@click.option("--simulated", multiple=True, metavar="IMAGES",
              help="Simulated images; may be repeated.")  # fmt: skip
@click.option("-o", "--out", "target", default="thickness", show_default=True, metavar="FOLDER",
              help="Where tables and figures are written.")  # fmt: skip
@click.option("--runs", default=None, metavar="FOLDER",
              help="Where networks are kept.  [default: OUT-runs]")  # fmt: skip
@click.option("--model", default=None, metavar="small|paper", help="Size.  [default: small]")
@click.option("--steps", default=None, metavar="NUMBER", help="Batches of each training.")
@click.option("--split-seed", type=int, default=0, show_default=True, metavar="NUMBER",
              help="Of training, validation and test images.")  # fmt: skip
@click.option("--without", default=None, metavar="NAME,NAME|FILE",
              help="Images of --data to leave out: names, or a file of them.")  # fmt: skip
@setting_option
@click.option("--accelerator", default="auto", show_default=True, metavar="cpu|cuda|mps|auto",
              help="Where to train.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished evaluation.")
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@json_option
@config_option
def thickness(protocol, images, masks, sizes, generated, simulated, target, runs, model, steps,
              split_seed, without, changes, accelerator, resume, overwrite,
              as_json) -> None:  # fmt: skip
    """Train networks on real, generated and simulated images, and score all on the same real ones.

    Experiments are those of Katakis et al. 2023: 40 % of the real images train, 20 % validate, 40 %
    test; then 50, 30 and 10 % train, with images that were made and without. Images that are nearly
    the same are never on both sides of a split. The folder gets Tables 4 and 6 (segmentation.csv),
    Table 5 (thickness.csv), a row for each test image (images.csv), and Figs 8 and 9; folders
    beside it, OUT-generated and OUT-simulated, get Tables 2 and 3 and Figs 5 to 7.
    """
    from ..training.sections.image_source import ImageSource
    from ..training.sections.protocol.evaluation import evaluate_thickness, likeness_of

    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    source = ImageSource(
        images=(images,), masks=masks or "", sizes=sizes or "", seed=split_seed,
        without=names_from(without),
    )  # fmt: skip
    began = time.perf_counter()
    with progress("training networks", "steps") as report:
        found = evaluate_thickness(
            source, target, generated=generated, simulated=simulated, runs=runs,
            model=model or "", texts=settings_from(changes, {"steps": steps}),
            accelerator=accelerator, resume=resume, overwrite=overwrite, on_progress=report,
        )  # fmt: skip
    if as_json:
        print_json(
            evaluation=target, protocol=protocol, trained_on=found.trained_on,
            summaries=found.summaries, doubtful=found.doubtful,
        )  # fmt: skip
        return
    console = out()
    for number, title in ((4, "40 % of the real images train (Tables 4 and 5)"),
                          (6, "Fewer real images (Table 6)")):  # fmt: skip
        console.print(f"{title}; means over test images", markup=False)
        console.print(_table(found, number))
    console.print("Off by: the median error of thickness, of those that could be measured.")
    if found.doubtful:
        some = ", ".join(found.doubtful[:MOST_NAMED])
        more = len(found.doubtful) - MOST_NAMED
        console.print(
            f"In {counted(len(found.doubtful), 'test image')} no network finds what was drawn "
            f"({some}{f' and {more} more' if more > 0 else ''}): look whether it was drawn on "
            "another image.", soft_wrap=True, markup=False,
        )  # fmt: skip
    for kind in ("generated", "simulated"):
        if kind in found.summaries:
            beside = likeness_of(target, kind)
            console.print(f"How alike {kind} images are to the test images: musim report {beside}",
                          soft_wrap=True, markup=False)  # fmt: skip
    seconds = time.perf_counter() - began
    console.print(f"{target}: segmentation.csv, thickness.csv, figures ({seconds:.0f} s)",
                  soft_wrap=True, markup=False)  # fmt: skip


def _table(found, number):
    """Return a table of what networks found, with the paper's Dice coefficient beside."""
    from ..training.sections.protocol.paper import reported

    headings = ("trained on", "images", "precision", "recall", "Dice", "paper", "off by",
                "measured")  # fmt: skip
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max(len(each.name) for each in found.experiments)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for each in found.experiments:
        if each.table != number:
            continue
        one = found.summaries[each.name]
        dice = reported(each.name).get("dice")
        table.add_row(
            each.name, str(found.trained_on[each.name]),
            *(f"{one[key]:.3f}" for key in ("precision", "recall", "dice")),
            "–" if dice is None else f"{dice:.3f}",
            "–" if math.isnan(one["error"]) else f"{100 * one['error']:.1f} %",
            f"{one['measured']:.0f} of {one['drawn']:.0f}",
        )  # fmt: skip
    return table
