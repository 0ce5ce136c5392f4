"""``musim identify``."""

import time
from dataclasses import asdict

import click

from ..training.identification.firings import FIRINGS
from ..training.identification.methods import METHODS
from .config import config_option
from .console import err, out, print_json, progress
from .options import changes_from, json_option, set_option
from .wording import counted


@click.command(
    epilog="""\b
Examples:
  musim identify musim.zarr
  musim identify biceps.zarr --out units.zarr --method ica
  musim identify musim.zarr --run judge
  musim identify musim.zarr --run detector --run twitches
  musim identify biceps.zarr --method stica --set components=50
  musim identify biceps.zarr --method sta --events events.tsv
  musim identify biceps.zarr --min-confidence 0.5
  musim identify day1.zarr day2.zarr --out units.zarr --workers 8
"""
)
@click.argument("recordings", metavar="RECORDING...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    "target",
    default="units.zarr",
    show_default=True,
    metavar="STORE",
    help="A path or an fsspec URL; NAME.zarr gets a table NAME.csv beside it.",
)
@click.option(
    "-m",
    "--method",
    default=None,
    metavar="|".join(METHODS),
    help="How units are found.  [default: learned; network with its runs]",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="RUN",
    help="A run of musim train judge, for learned; or of detect and twitch, one each, for network.",
)
@set_option
@click.option(
    "--firings", default=None, metavar="|".join(FIRINGS),
    help="How firings are found in trains; grid: as the method does.  [default: family]",
)  # fmt: skip
@click.option(
    "--min-confidence", type=float, default=0.0, metavar="0-1",
    help="Leave out units that are less sure.  [default: keep all]",
)  # fmt: skip
@click.option(
    "--epochs", type=int, default=0, metavar="NUMBER",
    help="Find units anew in so many overlapping epochs: do they come back?  [default: none]",
)  # fmt: skip
@click.option(
    "--events",
    default=None,
    metavar="TABLE",
    help="Firings that are known (BIDS events.tsv or CSV), for the method sta.",
)
@click.option(
    "--workers",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Processes.  [default: one a processor]",
)
@click.option(
    "--scheduler",
    default=None,
    metavar="tcp://HOST:PORT",
    help="Let the workers of a running dask scheduler do it.",
)
@click.option("--resume", is_flag=True, help="Go on with an unfinished store.")
@click.option("--overwrite", is_flag=True, help="Replace a musim store that is there.")
@json_option
@config_option
def identify(recordings, target, method, runs, changes, firings, min_confidence, epochs, events,
             workers, scheduler, resume, overwrite, as_json) -> None:  # fmt: skip
    """Find the motor units in recordings: territories, twitch trains, firings.

    RECORDINGs are stores, simulated or imported. The result is a store of the same form; musim
    report draws it. Only learned and network need training: their weights come with musim, or from
    the runs that are named. musim methods tells what each method does, and what can be set of it.
    """
    from ..training.identification.known_firings import remarks_on_events
    from ..training.identification.results import identify_stores
    from ..training.identification.stored import outcome_of
    from .outcomes import method_of, remarks_of, short
    from .unit_summary import units_in

    began = time.perf_counter()
    with progress("identifying", "recordings") as report:
        store = identify_stores(
            recordings,
            target,
            method=method,
            runs=runs,
            settings=changes_from(changes),
            events=events,
            firings=firings,
            min_confidence=min_confidence,
            epochs=epochs,
            workers=workers,
            scheduler=scheduler,
            resume=resume,
            overwrite=overwrite,
            on_progress=report,
        )
    seconds = time.perf_counter() - began
    outcomes = [outcome_of(store, index) for index in range(len(store))]
    if as_json:
        print_json(
            store=target, seconds=seconds, sequences=[asdict(outcome) for outcome in outcomes]
        )
        return
    console = err()
    for line in [] if events is None else remarks_on_events(events, recordings):
        console.print(line, soft_wrap=True, markup=False)
    for index, outcome in list(enumerate(outcomes))[:MOST_LISTED]:
        console.print(f"sequence {index}: {short(outcome)}", soft_wrap=True)
    if len(outcomes) > MOST_LISTED:
        console.print(f"and {len(outcomes) - MOST_LISTED} more sequences")
    units = units_in(store, 0) if len(outcomes) == 1 else None
    if units is not None:
        console.print(units)
    for line in filter(None, [method_of(store, outcomes), *remarks_of(outcomes)]):
        console.print(line, soft_wrap=True, markup=False)
    number = counted(sum(outcome.units for outcome in outcomes), "unit")
    found = f"{number} in {counted(len(outcomes), 'sequence')}"
    if min_confidence:
        left = sum(outcome.cut for outcome in outcomes)
        found += f", {left} of confidence below {min_confidence:g} left out"
    out().print(
        f"{target}: {found} ({seconds:.1f} s). Look at them: musim report {target}",
        soft_wrap=True,
        markup=False,
    )


MOST_LISTED = 10
"""Sequences whose number of units is listed."""
