"""``musim view``."""

import click

from ..simulator.errors import InputError
from .console import out


@click.command(
    epilog="""\b
Examples:
  musim view musim.zarr
  musim view musim.zarr units.zarr
  musim view units.zarr --sequence 3
  musim view recording.zarr learned.zarr velbss.zarr --no-browser --port 8765
  musim view musim.zarr units.zarr --curate curated.zarr
"""
)
@click.argument("stores", metavar="STORE [UNITS]...", nargs=-1, required=True)
@click.option(
    "-i",
    "--sequence",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Which sequence is seen first.",
)
@click.option(
    "--frame", type=int, default=0, show_default=True, metavar="NUMBER",
    help="Which of its frames.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="NUMBER",
    help="Where the page is served.  [default: any that is free]",
)  # fmt: skip
@click.option(
    "--browser/--no-browser",
    default=True,
    show_default=True,
    help="Whether to open the page, or only to print its address.",
)
@click.option(
    "--curate", "target", default=None, metavar="STORE",
    help="Accept, reject and change the (first) UNITS in the page, which saves them here.",
)  # fmt: skip
@click.option(
    "--by", "--as", "by", default=None, metavar="NAME",
    help="Who curates.  [default: who is logged in]",
)  # fmt: skip
def view(stores, sequence, frame, port, browser, target, by) -> None:
    """Look at a store in the browser: frames, units, trains, firings.

    STORE holds recordings; UNITS are what musim identify found in them, one store a method. Units
    alone bring their recording along; more recordings are seen side by side, at the same time.
    The page is served to this machine alone, and stores are not changed. Ctrl-C ends it. Changes of
    --curate are kept in NAME.edits.json as they are made, and gone on with.
    """
    from .viewing.serving import leave, open_browser, run
    from .viewing.shown import open_shown

    if by is not None and target is None:
        raise InputError("found --by without --curate, wanted both or neither")
    shown, session = open_shown(stores, sequence, frame), None
    if target is not None:
        from ..training.identification.curation.who import login
        from .viewing.curating import begin

        session = begin(shown, target, login() if by is None else by)
    console = out()

    def started(address: str) -> None:
        console.print(f"Look at {address}", soft_wrap=True, markup=False)
        if browser and not open_browser(address):
            console.print(
                "No browser was found here: open the address in one. Of another machine, first "
                "lead its port here with ssh -L.", soft_wrap=True,
            )  # fmt: skip
        console.print("Ctrl-C ends it.")

    run(shown, port, started, session)
    leave()
