"""``musim translate``."""

import time

import click

from .config import config_option
from .console import out, print_json, progress
from .options import json_option, store_argument
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim translate simulated.zarr --run translator --out translated.zarr
  musim translate right.zarr --run t1-to-t2 --out translated.zarr
"""
)
@store_argument
@click.option("--run", required=True, metavar="RUN", help="A run of musim train translate.")
@click.option(
    "-o",
    "--out",
    "target",
    default="translated.zarr",
    show_default=True,
    metavar="STORE",
    help="A path or an fsspec URL.",
)
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
def translate(store, run, target, workers, resume, overwrite, as_json) -> None:
    """Make simulated sequences look like recorded ones; labels go with them.

    STORE holds sequences of the frame rate and pixels that the run was trained with. The result is
    a store of as many sequences, with all labels that STORE has.

    Of paired slices the second pictures are made of the first (runs of musim train translate
    --paired on slices).
    """
    from ..datasets.store import open_store

    if open_store(store).is_slices:
        from ..training.paired.translating import translate_slices as translate_store
    else:
        from ..training.translation.translating import translate_store

    began = time.perf_counter()
    with progress("translating", "sequences") as report:
        made = translate_store(
            store, run, target, workers=workers, resume=resume, overwrite=overwrite,
            on_progress=report,
        )  # fmt: skip
    seconds = time.perf_counter() - began
    if made.is_slices:
        _tell_slices(made, target, seconds, as_json)
        return
    if as_json:
        print_json(store=target, sequences=len(made), seconds=seconds, truth=made.has_truth)
        return
    out().print(
        f"{target}: {counted(len(made), 'sequence')} translated, {_labels(made)} "
        f"({seconds:.1f} s). Look at them: musim view {target}",
        soft_wrap=True,
        markup=False,
    )


def _tell_slices(made, target, seconds, as_json) -> None:
    if as_json:
        print_json(store=target, sequences=len(made), seconds=seconds)
        return
    out().print(
        f"{target}: {counted(len(made), 'slice')} translated ({seconds:.1f} s). Look at them: "
        f"musim view {target}", soft_wrap=True, markup=False,
    )  # fmt: skip


def _labels(made) -> str:
    if made.has_truth:
        return "with their labels"
    known = "with their known firings" if "firing" in made.layout.variables else "without labels"
    return f"{known} (there is no truth in what they were made of)"
