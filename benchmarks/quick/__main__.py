"""Hold quick recordings of the virtual experiment against full ones, of the same subjects.

    python -m benchmarks.quick agreement --folder FOLDER   # energy explained, and the noise
    python -m benchmarks.quick limits --folder FOLDER      # motion and noise that are too much
    python -m benchmarks.quick likeness --folder FOLDER    # by the scores of Ali et al. 2022
    python -m benchmarks.quick scores --folder FOLDER      # what the usual method finds in both
    python -m benchmarks.quick speed --folder FOLDER

Full recordings take some 5 s each. They are kept in the folder, and an interrupted run goes on.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.quick import agreement, likeness, limits, scores, speed
from benchmarks.quick.recordings import KINDS

OTHERS = ("typical", "hard")
"""Kinds of which an eighth as many subjects are looked at."""


def rows(part: str, subjects: int, rounds: int, folder: Path) -> Iterator[str]:
    """Yield the rows of a part's tables as they are found."""
    usual = KINDS["experiment"]
    if part == "agreement":
        few = max(subjects // 8, 2)
        found = {
            name: agreement.compared(kind, few if name in OTHERS else subjects, folder)
            for name, kind in KINDS.items()
        }
        yield from agreement.table(found)
    elif part == "limits":
        yield from limits.motion_table(max(subjects // 16, 1), folder)
        yield ""
        yield from limits.noise_table(max(subjects // 16, 1), folder)
    elif part == "likeness":
        yield from likeness.table(*likeness.features(usual, subjects, folder))
    elif part == "scores":
        yield from scores.table([
            scores.both(usual, index, folder) for index in range(max(subjects // 2, 2))
        ])  # fmt: skip
    else:
        yield speed.HEAD
        yield from map(str, speed.lines(rounds, folder))


def main() -> None:
    """Print the tables of one part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("agreement", "limits", "likeness", "scores", "speed"))
    parser.add_argument("--folder", type=Path, required=True, help="where recordings are kept")
    parser.add_argument("--subjects", type=int, default=32, help="at most, default 32")
    parser.add_argument("--rounds", type=int, default=3, help="of measurements of speed, default 3")
    given = parser.parse_args()
    for row in rows(given.part, given.subjects, given.rounds, given.folder):
        print(row, flush=True)


if __name__ == "__main__":
    main()
