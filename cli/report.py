"""``musim report``."""

import json
from pathlib import Path

import click

from ..datasets.location import Location
from ..datasets.store import open_store
from ..simulator.errors import FailureError, InputError
from ..training.identification.evaluation import SETTINGS, UNITS, read_evaluation
from ..training.translation.evaluation import SETTINGS as TRANSLATION
from .console import out, progress
from .pages.evaluation import evaluation_page
from .pages.findings import read_findings
from .pages.recording import Links, recording_page
from .pages.translation import translation_page
from .targets import check_target, written_aside

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
    location = Location(result)
    if location.is_local and location.exists(SETTINGS):
        if sequence is not None:
            raise InputError(f"{result}: found an evaluation and --sequence, wanted no --sequence")
        _write(path, _evaluation(location))
        out().print(f"{path} is written.", soft_wrap=True, markup=False)
        return
    if location.is_local and location.exists(TRANSLATION):
        if sequence is not None:
            raise InputError(f"{result}: found an evaluation and --sequence, wanted no --sequence")
        _write(path, translation_page(location))
        out().print(f"{path} is written.", soft_wrap=True, markup=False)
        return
    store = open_store(result)
    if sequence is not None or len(store) == 1:
        _write(path, recording_page(read_findings(store, sequence or 0)))
        out().print(f"{path} is written.", soft_wrap=True, markup=False)
        return
    pages = [path.with_name(f"{path.stem}-{index:06d}{path.suffix}") for index in range(len(store))]
    with progress("drawing", "pages") as show:
        for index, page in enumerate(pages):
            links = Links(
                pages[index - 1].name if index else None,
                pages[index + 1].name if index + 1 < len(pages) else None,
            )
            _write(page, recording_page(read_findings(store, index), links))
            show(index + 1, len(pages))
    out().print(f"{pages[0]} and {_more(len(pages) - 1)} written.", soft_wrap=True, markup=False)


def _more(pages: int) -> str:
    return f"{pages} more {'is' if pages == 1 else 'are'}"


def _evaluation(location: Location) -> str:
    if not location.exists(UNITS):
        read_evaluation(location.url)  # says that it is unfinished
    try:
        evaluation = read_evaluation(location.url)
        software = json.loads(json.loads(location.read(SETTINGS)).get("software", "{}"))
        return evaluation_page(evaluation, str(location), software)
    except (KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{location}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate; evaluate again"
        ) from error


def _write(path: Path, page: str) -> None:
    with written_aside(path) as aside:
        aside.write_text(page, encoding="utf-8", newline="\n")
