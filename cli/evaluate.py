"""``musim evaluate``."""

import math
import time
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..simulator.errors import InputError
from ..training.identification.firings import FIRINGS
from ..training.identification.methods import METHODS, usual_method
from ..training.identification.metrics.emg_rules import RULES
from ..training.identification.protocols import QUICK, SWEEPS, ali_2020, sweep
from .config import config_option
from .console import out, print_json, progress
from .evaluate_images import evaluate_images
from .evaluate_state import state
from .evaluate_thickness import thickness
from .evaluate_translate import translate
from .options import changes_from, json_option, set_option
from .wording import counted

USUAL_SEQUENCES = 100


@click.group(
    no_args_is_help=False,
    epilog="""\b
Examples:
  musim evaluate identify --protocol ali-2020 --quick
  musim evaluate identify musim.zarr --method ica
  musim evaluate firings units.zarr emg_events.tsv
  musim evaluate translate translated.zarr --b recorded.zarr
  musim evaluate translate pix2pix unit --paired --data right.zarr
  musim evaluate thickness --data images --simulated simulated.zarr
  musim evaluate images recorded simulated.zarr
  musim evaluate state cnn klt --out states
""",
)
def evaluate() -> None:
    """Score methods against the truth."""


evaluate.add_command(thickness)
evaluate.add_command(evaluate_images)
evaluate.add_command(state)
evaluate.add_command(translate)


@evaluate.command(
    short_help="Score how a method identifies motor units.",
    epilog="""\b
Examples:
  musim evaluate identify --protocol ali-2020 --quick
  musim evaluate identify --protocol ali-2020 --method ica --out ica
  musim evaluate identify --sweep overlap --out overlap
  musim evaluate identify --protocol ali-2020 --quick --run detector --run twitches
  musim evaluate identify musim.zarr
  musim evaluate identify musim.zarr --compare ica,stica,velbss --out methods
  musim evaluate identify curated.zarr --found units.zarr
""",
)
@click.argument("store", metavar="[STORE]", required=False)
@click.option(
    "--protocol",
    type=click.Choice(["ali-2020"]),
    default=None,
    help="The test set of a paper: 100 sequences each of 1 to 25 units at 10, 20 and inf dB.",
)
@click.option(
    "--sweep",
    "difficulty",
    type=click.Choice(list(SWEEPS)),
    default=None,
    help="Let one difficulty vary and hold the others.",
)
@click.option(
    "-m", "--method", default=None, metavar="|".join(METHODS),
    help="How units are found.  [default: learned; network with its runs]",
)  # fmt: skip
@click.option(
    "--compare", "compared", default=None, metavar="METHOD,METHOD",
    help="Score these methods side by side; settings are METHOD.NAME=VALUE then.",
)  # fmt: skip
@click.option(
    "--run", "runs", multiple=True, metavar="RUN",
    help="A run of musim train judge, for learned; or of detect and twitch, one each, for network.",
)  # fmt: skip
@click.option(
    "--found", default=None, metavar="UNITS",
    help="Score these units, which were found in STORE before, in place of a method's.",
)  # fmt: skip
@click.option(
    "-o", "--out", "target", default="evaluation", show_default=True, metavar="FOLDER",
    help="Where tables and figures are written.",
)  # fmt: skip
@set_option
@click.option(
    "--firings", default=None, metavar="|".join(FIRINGS),
    help="How firings are found in trains; grid: as the method does.  [default: family]",
)  # fmt: skip
@click.option(
    "--rules", default=None, metavar="|".join(RULES),
    help="Score firings too by rules for decomposed electromyograms.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="A tenth of the sequences.")
@click.option(
    "-n", "--sequences", type=int, default=None, metavar="NUMBER",
    help=f"Sequences of each condition.  [default: {USUAL_SEQUENCES}]",
)  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an unfinished evaluation.")
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@json_option
@config_option
def identify(store, protocol, difficulty, method, compared, runs, found, target, changes, firings,
             rules, quick, sequences, workers, resume, overwrite, as_json) -> None:  # fmt: skip
    """Score how a method identifies motor units: on a protocol, a sweep, or a STORE with truth.

    STORE holds simulated recordings; or units that musim curate made, which are taken for the truth
    of their recordings.

    First by trains (of correlation above 0.7) and firings, with what a wrong unit would score; then
    detection, segmentation and rate of agreement as Ali et al. 2020 define them. The folder gets a
    row for each sequence (sequences.csv), true unit (units.csv) and unit found (predictions.csv),
    means (summary.csv), and figures.
    """
    from ..training.identification.evaluation import evaluate as evaluate_method
    from ..training.identification.tables import calibration, summary

    on = _source(store, protocol, difficulty, quick, sequences)
    options = {"runs": runs, "settings": changes_from(changes), "firings": firings,
               "rules": rules, "workers": workers, "resume": resume,
               "overwrite": overwrite}  # fmt: skip
    if compared is not None:
        if found is not None:
            raise InputError("found both --compare and --found, wanted one of them")
        if method is not None:
            raise InputError("found both --method and --compare, wanted one of them")
        _compare(on, compared, target, options, as_json)
        return
    began = time.perf_counter()
    with progress("identifying" if found is None else "scoring", "sequences") as report:
        if found is not None:
            scored = _found(on, found, method, target, options, report)
        else:
            scored = evaluate_method(
                on, method or usual_method(runs), target, **options, on_progress=report
            )
    seconds = time.perf_counter() - began
    if as_json:
        error, predictions = calibration(scored)
        print_json(
            evaluation=target, sequences=len(scored.sequences), seconds=seconds,
            summary=summary(scored), calibration_error=error, predictions=predictions,
        )  # fmt: skip
        return
    _print_scores(scored, target, rules, seconds)


def _source(store, protocol, difficulty, quick, sequences):
    """Return what a method is scored on: a protocol, or a store's place."""
    if sum(choice is not None for choice in (store, protocol, difficulty)) != 1:
        raise InputError("found none or several of STORE, --protocol and --sweep, wanted one")
    if sequences is not None and quick:
        raise InputError("found both --quick and --sequences, wanted one of them")
    if store is not None and (quick or sequences is not None):
        raise InputError(
            f"{store}: found --quick or --sequences with a store, wanted neither; all of its "
            "sequences are scored"
        )
    if store is not None:
        return store
    usual = USUAL_SEQUENCES // QUICK if quick else USUAL_SEQUENCES
    count = usual if sequences is None else sequences
    return ali_2020(count) if difficulty is None else sweep(difficulty, count)


def _print_scores(scored, target, rules, seconds) -> None:
    """Print the tables of an evaluation."""
    from ..training.identification.tables import calibration, short_tables

    console = out()
    console.print("Mean±SD over n sequences; by overlap: over n units, ± the standard error.")
    for short in short_tables(scored):
        table = Table(*short.headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for column in table.columns:
            column.justify, column.no_wrap = "right", True
        for row in short.rows:
            table.add_row(*row)
        console.print(short.title, markup=False)
        console.print(table)
    if rules is not None and not any(row["rules_kept"] for row in scored.sequences):
        console.print(f"No unit that was found fires: by the rules {rules} there is none.")
    error, predictions = calibration(scored)
    if predictions:
        console.print(f"Calibration error of confidence (true by train): {error:.3f} over "
                      f"{predictions} units found.", soft_wrap=True, markup=False)  # fmt: skip
    console.print(f"{target}: {counted(len(scored.sequences), 'sequence')} ({seconds:.0f} s). "
                  f"Look at them: musim report {target}", soft_wrap=True, markup=False)  # fmt: skip


def _found(on, found, method, target, options, report):
    """Score units that were found before; what is said of methods has no use then."""
    from ..training.identification.found_evaluation import evaluate_found

    unused = {"--method": method, "--run": options.pop("runs"), "--set": options.pop("settings"),
              "--firings": options.pop("firings")}  # fmt: skip
    for name, value in unused.items():
        if value:
            raise InputError(f"found both --found and {name}, wanted one of them")
    if not isinstance(on, str):
        raise InputError("found --found without STORE, wanted the recordings in which units were "
                         "found, or curated units of them")  # fmt: skip
    return evaluate_found(found, on, target, **options, on_progress=report)


def _compare(on, compared, target, options, as_json) -> None:
    from ..training.identification.comparison import compare, comparison, tables_of
    from ..training.identification.tables import difficulties

    methods = [name.strip() for name in compared.split(",") if name.strip()]
    with progress("identifying", "sequences") as report:
        found = compare(on, methods, target, **options, on_progress=report)
    rows = comparison(found)
    if as_json:
        print_json(comparison=target, rows=rows)
        return
    names, console = difficulties(found[0]), out()
    for title, measures in tables_of(found).items():
        table = Table("method", *names, "n", *measures.values(), box=SIMPLE_HEAD, pad_edge=False,
                      collapse_padding=True)  # fmt: skip
        for column in table.columns[:1]:
            column.no_wrap, column.min_width = True, max(len(row["method"]) for row in rows)
        for row in rows:
            known = (row[f"{name}_mean"] for name in measures)
            scores = ["–" if math.isnan(value) else f"{value:.3f}" for value in known]
            conditions = (f"{row[name]:g}" for name in names)
            table.add_row(row["method"], *conditions, str(row["n"]), *scores)
        console.print(title, markup=False)
        console.print(table)
    console.print(f"{target}: comparison.csv, comparison.png, and a folder for each method",
                  soft_wrap=True, markup=False)  # fmt: skip


@evaluate.command(
    short_help="Score firings against others, from tables or stores.",
    epilog="""\b
Examples:
  musim evaluate firings units.zarr emg_events.tsv
  musim evaluate firings units.zarr musim.zarr --rules munitquest --out firings.csv
  musim evaluate firings found_events.tsv true_events.tsv --end 60
""",
)
@click.argument("found", metavar="FOUND")
@click.argument("true", metavar="TRUE")
@click.option("-i", "--sequence", type=int, default=None, metavar="NUMBER",
              help="Only this sequence of a store, from 0.  [default: all]")  # fmt: skip
@click.option("--end", type=float, default=None, metavar="SECONDS",
              help="Where the recording of two tables ends.  [default: 0.1 s after the last "
              "firing]")  # fmt: skip
@click.option(
    "--rules", default=None, metavar="|".join(RULES),
    help="Score them too by rules for decomposed electromyograms.",
)  # fmt: skip
@click.option("-o", "--out", "target", default=None, metavar="TABLE.csv",
              help="Also write a row for each true unit.")  # fmt: skip
@json_option
@config_option
def firings(found, true, sequence, end, rules, target, as_json) -> None:
    """Score the firings in FOUND against those in TRUE: tables of events, or stores.

    A table (BIDS events.tsv, CSV) has onsets in seconds after the recording's first frame, so units
    decomposed from an electromyogram are compared with those found in a store of the same
    recording. Units are paired by their firings within 10 ms, after a constant lag of each pair.
    """
    from ..training.csv_tables import csv_text
    from ..training.identification.firing_evaluation import evaluate_firings
    from .firing_tables import print_scores
    from .targets import check_target, written_aside

    place = None if target is None else Path(target)
    if place is not None:
        check_target(place, (".csv",))
    scored = evaluate_firings(found, true, sequence=sequence, end=end, rules=rules)
    if place is not None:
        with written_aside(place) as aside:
            aside.write_text(csv_text(scored.units), encoding="utf-8", newline="\n")
    if as_json:
        print_json(sequences=scored.sequences, units=scored.units, remarks=scored.remarks)
        return
    print_scores(scored)
    if place is not None:
        out().print(f"{place}: {counted(len(scored.units), 'unit')}", soft_wrap=True, markup=False)
