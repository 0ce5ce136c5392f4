"""``musim report``."""

from pathlib import Path

import click

from .console import out, progress
from .targets import check_target

ENDINGS = (".html", ".htm")


@click.command(
    epilog="""\b
Examples:
  musim report units.zarr
  musim report units.zarr --sequence 3 --out three.html
  musim report evaluation --out evaluation.html
"""
)
@click.argument("result", metavar="RESULT")
@click.option(
    "-i",
    "--sequence",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Only this recording of the result, from 0.  [default: all]",
)
@click.option(
    "-o",
    "--out",
    "target",
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="Where to. Several recordings get report-000000.html and so on.",
)
def report(result, sequence, target) -> None:
    """Draw what was found as pages: one self-contained HTML file a recording or evaluation.

    RESULT is what musim identify or musim evaluate wrote. A page shows territories over
    the map of velocity, trains with firings, the truth where it is known, and tables. It opens from
    the disk, without a network.
    """
    path = Path(target)
    check_target(path, ENDINGS)
    from .pages.writing import write_pages

    with progress("drawing", "pages") as show:
        first, more = write_pages(result, path, sequence, show)
    rest = f" and {more} more are" if more > 1 else " and 1 more is" if more else " is"
    out().print(f"{first}{rest} written.", soft_wrap=True, markup=False)
