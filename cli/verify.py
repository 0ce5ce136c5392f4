"""``musim verify``."""

import click

from .console import out, print_json, progress
from .options import json_option, store_argument
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim verify musim.zarr
  musim verify musim.zarr --remake 10
"""
)
@store_argument
@json_option
@click.option(
    "--remake",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Make this many sequences again and compare them bit for bit.",
)
def verify(store, remake, as_json) -> None:
    """Prove a store whole: every byte against its checksum, every variable against the schema."""
    from ..training.verifying import verify as verify_store

    with progress("verifying", "parts") as report:
        opened = verify_store(store, remake=remake, on_progress=report)
    if as_json:
        print_json(
            store=store, whole=True, sequences=len(opened), parts=opened.layout.parts,
            made_again=min(remake, len(opened)),
        )  # fmt: skip
        return
    again = f", {min(remake, len(opened))} made again and equal" if remake else ""
    out().print(
        f"{store} is whole: {counted(len(opened), 'sequence')} in "
        f"{counted(opened.layout.parts, 'part')}{again}.",
        soft_wrap=True,
    )
