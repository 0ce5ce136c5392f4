"""``musim verify``."""

import click

from ..datasets.verification import verify as verify_store
from .console import out, progress
from .options import store_argument
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim verify musim.zarr
  musim verify musim.zarr --remake 10
"""
)
@store_argument
@click.option(
    "--remake",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Make this many sequences again and compare them bit for bit.",
)
def verify(store, remake) -> None:
    """Prove a store whole: every byte against its checksum, every variable against the schema."""
    with progress("verifying", "parts") as report:
        opened = verify_store(store, remake=remake, on_progress=report)
    again = f", {min(remake, len(opened))} made again and equal" if remake else ""
    out().print(
        f"{store} is whole: {counted(len(opened), 'sequence')} in "
        f"{counted(opened.layout.parts, 'part')}{again}.",
        soft_wrap=True,
    )
