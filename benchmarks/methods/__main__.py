"""Put all methods of identification to the same recordings.

    python -m benchmarks.methods --folder FOLDER                  # the table and the figure
    python -m benchmarks.methods --folder FOLDER --quick          # one recording of each kind
    python -m benchmarks.methods --folder FOLDER --kinds analytic --methods ica stica velbss
    python -m benchmarks.methods --folder FOLDER --again stica    # a method was changed
    python -m benchmarks.methods --folder FOLDER --firings        # the way to firings was changed
    python -m benchmarks.methods --folder FOLDER --kept           # of what an interrupted run found

Recordings, what each method finds in them and its scores are kept in the folder: a run that was
interrupted goes on, and another one looks for what is not there yet. Units are told by their trains
(|r| above 0.7 within 20 ms, one to one), firings agree within 10 ms after the best constant lag of
each train. Seconds are those of a processor, a process and no other threads.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.methods.figure import draw
from benchmarks.methods.recordings import FIRST_SEED, KINDS
from benchmarks.methods.scores import COLUMNS, Row, rows_of
from benchmarks.methods.tables import table
from musim.training.charts import png

FIGURE = Path(__file__).parents[1] / "methods.png"


def main() -> None:
    """Print the table, and draw the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where all is kept")
    parser.add_argument("--methods", nargs="+", default=list(COLUMNS), choices=COLUMNS)
    parser.add_argument("--kinds", nargs="+", default=[""], help="kinds whose names begin so")
    parser.add_argument("--recordings", type=int, default=4, help="of each kind, default 4")
    parser.add_argument("--quick", action="store_true", help="one recording of each kind")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="first seed")
    parser.add_argument("--again", nargs="+", default=[], choices=COLUMNS, help="find units again")
    parser.add_argument("--firings", action="store_true", help="find firings and score again")
    parser.add_argument("--kept", action="store_true", help="of units found before alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--figure", type=Path, help="default: benchmarks/methods.png, if all ran")
    given = parser.parse_args()
    kinds = [one for one in KINDS if one.name.startswith(tuple(given.kinds))]
    number = 1 if given.quick else given.recordings
    # One recording of each kind first, so that a run that is interrupted has some of all.
    work = [(kind, given.first + place) for place in range(number) for kind in kinds]
    whole = set(given.methods) == set(COLUMNS) and kinds == list(KINDS) and not given.quick
    score = partial(
        rows_of, columns=tuple(given.methods), folder=given.folder,
        again=frozenset(given.again), anew=given.firings, kept=given.kept,
    )  # fmt: skip
    rows: list[Row] = []
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        for done, some in enumerate(pool.map(score, work), 1):
            rows += some
            print(f"{done}/{len(work)} recordings", file=sys.stderr, flush=True)
    order = {kind.name: place for place, kind in enumerate(kinds)}
    rows.sort(key=lambda row: order[str(row["kind"])])
    print("\n".join(table(rows)))
    figure = given.figure or (FIGURE if whole else None)
    if figure is not None:
        figure.write_bytes(png(draw(rows)))


if __name__ == "__main__":
    main()
