"""Measure all speed figures as ratios, and compare them with the last release's.

    python -m benchmarks.run                   # all, in less than five minutes on two idle cores
    python -m benchmarks.run --only storage    # some groups
    python -m benchmarks.run --keep            # these are the release's from now on
    python -m benchmarks.run --strict          # a loss, or a figure that is missing, is exit code 1

A loss is told in the table, and in a line below it.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

# One BLAS thread a worker: workers, not BLAS, share out the cores, for both sides alike.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.figures import GROUPS, Measured
from benchmarks.release import (
    HEAD,
    KEPT,
    Release,
    missing,
    remarks,
    row,
    this_machine,
    this_release,
)

ROUNDS = 4


def measure(names: Sequence[str], folder: Path, rounds: int) -> Iterator[Measured]:
    """Measure groups of figures; those that lack a package are passed over, with a word."""
    for name in names:
        place = folder / name
        place.mkdir()
        try:
            yield from importlib.import_module(f"benchmarks.{name}").figures(place, rounds)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith(("benchmarks", "musim")):
                raise
            print(f"| {name}: not measured, {error.name} is not installed | | | | | | |")


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT) -> int:
    """Measure, compare, and keep what is to be kept in a file; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each pair")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=[*GROUPS], help="groups")
    parser.add_argument("--folder", type=Path, default=None, help="where stores are written")
    parser.add_argument("--keep", action="store_true", help="write these as the release's figures")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if something is lost")
    options = parser.parse_args(arguments)
    whole = {*options.only} == {*GROUPS}
    if options.keep and not whole:
        parser.error("--keep: found --only, wanted all figures of one run")
    began = time.perf_counter()
    release, machine = Release.read(kept), this_machine()
    print(", ".join(machine.values()))
    for remark in remarks(release, machine):
        print(remark)
    print(f"\n{HEAD}", flush=True)
    measured, lost = [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for each in measure(options.only, Path(folder), options.rounds):
            text, is_lost = row(each, release)
            print(text, flush=True)
            measured.append(each)
            lost += [each.figure] if is_lost else []
    wanted = [figure for name in options.only for figure in GROUPS[name].values()]
    lacking = missing(wanted, measured, release if whole else None)
    print(f"\n{len(measured)} figures in {time.perf_counter() - began:.0f} s.")
    for word, figures in (("Slower", lost), ("Not measured", lacking)):
        if figures:
            print(f"{word}: {'; '.join(f'{each.name} / {each.against}' for each in figures)}.")
    if options.keep:
        # A figure that only the release has is one that there no longer is.
        if missing(wanted, measured, None):
            print("Not kept: wanted all figures.")
            return 1
        this_release(measured, " ".join(["python -m benchmarks.run", *_given(options)])).write(kept)
    return 1 if options.strict and (lost or lacking) else 0


def _given(options: argparse.Namespace) -> list[str]:
    """Return the options that figures depend on, where they are not the usual ones."""
    return [] if options.rounds == ROUNDS else ["--rounds", str(options.rounds)]


if __name__ == "__main__":
    sys.exit(main())
