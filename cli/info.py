"""``musim info``."""

import click

from .console import out, print_json, progress
from .options import json_option, store_argument


@click.command(
    epilog="""\b
Examples:
  musim info musim.zarr
  musim info musim.zarr --no-card
  musim info musim.zarr --json > card.json
"""
)
@store_argument
@click.option(
    "--card/--no-card",
    default=True,
    show_default=True,
    help="Whether to read all truth and compare it with what was asked for.",
)
@json_option
def info(store, card, as_json) -> None:
    """Tell what a store holds: its parameters, its variables and its data card.

    The data card compares the distribution of every parameter in the sequences with the one that
    was asked for. A p-value below 0.001 says that they differ. That of images tells their scale,
    their grey levels, and how many are drawn on and belong together; that of videos the states of
    each task; that of paired slices their planes, sizes and intensities.
    """
    from ..datasets.datacard import Entry, data_card
    from ..datasets.store import open_store
    from .store_tables import as_json as json_of
    from .store_tables import tables_of

    opened = open_store(store)
    entries: list[Entry] = []
    if card and opened.parameters is not None:
        with progress("reading", "parts") as report:
            entries = data_card(opened, report)
    images = None
    if card and opened.is_section:
        from ..datasets.images.summary import images_card

        images = images_card(opened)
    elif card and opened.is_video:
        from ..datasets.videos.summary import videos_card

        images = videos_card(opened)
    elif card and opened.is_slices:
        from ..datasets.volumes.summary import slices_card

        images = slices_card(opened)
    if as_json:
        print_json(**json_of(opened, entries, images))
        return
    console = out()
    for table in tables_of(opened, entries, console.width, images):
        console.print(table)
