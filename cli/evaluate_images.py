"""``musim evaluate images``."""

import time

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .config import config_option
from .console import out, print_json
from .options import json_option


@click.command(
    "images",
    short_help="Tell how alike two sets of B-mode images are.",
    epilog="""\b
Examples:
  musim evaluate images recorded simulated.zarr
  musim evaluate images recorded sampled.zarr --train training --out likeness
  musim evaluate images recorded sampled.zarr --features segment --json
""",
)
@click.argument("real", metavar="REAL")
@click.argument("other", metavar="OTHER")
@click.option("--train", default=None, metavar="IMAGES",
              help="What the model was trained on that made OTHER.  [default: as OTHER says, or "
              "REAL]")  # fmt: skip
@click.option("--features", default="filters", show_default=True, metavar="filters|network|RUN",
              help="What sets are compared by; network: the one that comes with musim, RUN: of "
              "musim train segment.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="NUMBER",
              help="Of the draws of pairs and halves.")  # fmt: skip
@click.option("-o", "--out", "target", default=None, metavar="FOLDER",
              help="Also write tables and figures.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@json_option
@config_option
def evaluate_images(real, other, train, features, seed, target, overwrite, as_json) -> None:
    """Tell how alike the images in OTHER are to those in REAL: stores of images, or folders.

    Grey levels, pairs of images (PSNR, SSIM) and features of both sets, as Katakis et al. 2023
    compare them; then precision and recall, and whether images were learned by heart. Beside each
    stands what two halves of REAL have, which differ in nothing.
    """
    from ..training.sections.likeness import evaluation

    began = time.perf_counter()
    found = evaluation.evaluate_images(
        real, other, target, train=train, features=features, seed=seed, overwrite=overwrite
    )
    numbers = evaluation.summary(found)
    if as_json:
        print_json(evaluation=target, **numbers)
        return
    console = out()
    print_likeness(numbers, console)
    if target is not None:
        console.print(f"{target}: measures.csv, images.csv, pairs.csv, figures "
                      f"({time.perf_counter() - began:.0f} s). Look at them: musim report {target}",
                      soft_wrap=True, markup=False)  # fmt: skip


def print_likeness(numbers: dict, console: Console) -> None:
    """Print what a comparison of images found, table by table."""
    from ..training.sections.likeness.tables import counts, tables_of

    console.print(counts(numbers), markup=False, soft_wrap=True)
    console.print()
    for shown in tables_of(numbers):
        table = Table("", *shown.columns, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for column in table.columns[1:]:
            column.justify = "right"
        for heading, cells in shown.rows:
            table.add_row(heading, *cells)
        console.print(f"{shown.title} ({shown.caption[0].lower()}{shown.caption[1:]})",
                      markup=False, soft_wrap=True)  # fmt: skip
        console.print(table)
        for text in shown.text:
            console.print(text, markup=False, style="dim", highlight=False, soft_wrap=True)
        console.print()
    for remark in numbers["remarks"]:
        console.print(f"Remark: {remark}.", markup=False, soft_wrap=True)
