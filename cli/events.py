"""``musim events``."""

import click

from .console import out
from .options import store_argument


@click.command(
    epilog="""\b
Examples:
  musim events musim.zarr --out events
  musim events musim.zarr --sequence 3 --out events
"""
)
@store_argument
@click.option(
    "-i",
    "--sequence",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Only this sequence, from 0.  [default: all]",
)
@click.option(
    "-o",
    "--out",
    "folder",
    default="events",
    show_default=True,
    metavar="FOLDER",
    help="Where the tables are written.",
)
def events(store, sequence, folder) -> None:
    """Write the firings of a store as BIDS events.tsv tables, which EMG tools read.

    One table a sequence, with onset (s), duration, sample (frame), unit_id and event_type, as
    MUniverse and MUnitQuest have them; events.json explains them.
    """
    from ..datasets.events import export_events
    from ..datasets.store import open_sequences

    opened = open_sequences(store)
    indices = None if sequence is None else range(sequence, sequence + 1)
    written = export_events(opened, folder, indices)
    shown = str(written[0]) if len(written) == 1 else f"{len(written)} tables in {folder}"
    out().print(f"wrote {shown}", soft_wrap=True)
