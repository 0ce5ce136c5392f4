"""``musim train state``."""

import contextlib
import logging
from collections.abc import Iterator

import click

from ..simulator.errors import InputError
from .console import err
from .run_options import RUN_OPTIONS
from .training import run_training

GATHERING = "musim.training.state.gathering"
"""What tells how far frames are prepared, which takes long before the first step."""


def state_options(command):
    """Add the options that all tasks share, with the models of this one."""
    for decorate in reversed(RUN_OPTIONS[1:]):
        command = decorate(command)
    text = "Size of the network; A to D are the paper's, A to C of klt.  [default: small]"
    return click.option("--model", default=None, metavar="small|A|B|C|D", help=text)(command)


@click.command(
    short_help="Train what tells EMG, torque and angle from videos.",
    epilog="""\b
Examples:
  musim train state --data trials.zarr --test 0 --validation 1 --out states
  musim train state --data trials.zarr --target absolute --frames frames --out absolute
  musim train state --data trials.zarr --method klt --model A --out klt
  musim train state --data trials.zarr --model B --frames frames --out b --dry-run
  musim train state --out states --resume
""",
)
@click.option("--data", "store", default=None, metavar="STORE",
              help="A store of videos with EMG, torque and angle.")  # fmt: skip
@click.option("--method", default=None, metavar="cnn|klt",
              help="From frames themselves, or from motion that is tracked in them.  "
              "[default: cnn]")  # fmt: skip
@click.option("--target", "told", default=None, metavar="changes|absolute",
              help="What is told: changes from frame to frame, or states too.  "
              "[default: changes]")  # fmt: skip
@click.option("--test", type=int, default=None, metavar="PARTICIPANT",
              help="Whose trials are never looked at.  [default: 0]")  # fmt: skip
@click.option("--validation", type=int, default=None, metavar="PARTICIPANT",
              help="By whose trials the best weights are chosen.  [default: 1]")  # fmt: skip
@click.option("--frames", default=None, metavar="FOLDER",
              help="Keep prepared frames there, for other runs on the store as well.  "
              "[default: in memory]")  # fmt: skip
@state_options
def state(method, told, **options) -> None:
    """Train a network that tells EMG, torque and angle from B-mode videos of a muscle.

    It sees two successive frames and tells what changed, as in Cunningham et al. 2017; with
    --target absolute also a frame at rest, and it tells states too, which do not drift. One
    participant is held out to test, and another to choose the best weights.
    """
    from ..training.state.state_task import StateTask

    with telling(GATHERING):
        run_training(StateTask, options, {"method": method, "target": told}, _source)


def _source(options):
    from ..training.state.state_source import StateSource

    names = ("store", "test", "validation", "frames")
    given = {name: options.pop(name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if given and "store" not in given:
        option = next(iter(given))
        raise InputError(f"--{option}: found no --data, wanted it with one; or leave this out")
    return StateSource(**given) if given else None


@contextlib.contextmanager
def telling(name: str) -> Iterator[None]:
    """Show what a part of the library logs, on the error stream."""
    logger, shown = logging.getLogger(name), _Shown()
    level = logger.level
    logger.addHandler(shown)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(shown)
        logger.setLevel(level)


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        err().print(record.getMessage(), soft_wrap=True, markup=False)
