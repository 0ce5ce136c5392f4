"""``musim curate``."""

import click

from .config import config_option
from .console import err, out, print_json, progress
from .options import json_option
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim curate units.zarr --edits changes.json --out curated.zarr
  musim curate units.zarr --edits changes.json --out labels.zarr --by anna
  musim curate curated.zarr --out labels.zarr --only-accepted
"""
)
@click.argument("units", metavar="UNITS")
@click.option(
    "--edits", default=None, metavar="FILE",
    help="The changes, a JSON list: accept, reject, merge, split, redraw, draw, move_firing, "
    "add_firing, remove_firing.  [default: none]",
)  # fmt: skip
@click.option(
    "-o", "--out", "target", required=True, metavar="STORE",
    help="A path or an fsspec URL; NAME.zarr gets a table NAME.csv beside it.",
)  # fmt: skip
@click.option(
    "--by", "--as", "by", default=None, metavar="NAME",
    help="Who made changes that do not say.  [default: who is logged in]",
)  # fmt: skip
@click.option(
    "--only-accepted", is_flag=True, help="Leave out units that nobody accepted."
)  # fmt: skip
@click.option(
    "--recording", "recordings", multiple=True, metavar="STORE",
    help="Where a recording is that has moved since; once for each that units were sought in.",
)  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
def curate(units, edits, target, by, only_accepted, recordings, workers, resume, overwrite,
           as_json) -> None:  # fmt: skip
    """Change the units that were found, as people say, and keep who changed what.

    UNITS is a store that musim identify or musim curate made; its recordings are read again for the
    trains of outlines that were changed. musim view UNITS --curate STORE does the same with the
    mouse. The result is a store of the same form, which musim evaluate and musim train take as
    labels of its recordings.
    """
    from ..datasets.origin import Curated
    from ..training.identification.curation.curating import curate_store
    from ..training.identification.curation.summary import changes_of
    from ..training.identification.curation.who import login

    with progress("curating", "sequences") as report:
        store = curate_store(
            units,
            target,
            () if edits is None else edits,
            by=login() if by is None else by,
            only_accepted=only_accepted,
            recordings=recordings,
            workers=workers,
            resume=resume,
            overwrite=overwrite,
            on_progress=report,
        )
    number = sum(int(store.read("unit_count", index)) for index in range(len(store)))
    changes = changes_of(store.layout.origin_as(Curated))
    if as_json:
        print_json(store=target, units=number, sequences=len(store), changes=changes)
        return
    for row in changes:
        err().print(f"{row['by']}: {row['words']}", soft_wrap=True, markup=False)
    out().print(
        f"{target}: {counted(number, 'unit')} in {counted(len(store), 'sequence')}. Look at them: "
        f"musim report {target}",
        soft_wrap=True,
        markup=False,
    )
