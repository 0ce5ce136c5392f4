"""How soon commands are done; ``python -m benchmarks.starting`` prints the table of README.md.

Each runs in turns with a Python that imports what the command cannot do without, and nothing else:
NumPy and click for help, Zarr for what reads a store, Numba as well for what renders one, and
Matplotlib for what draws one.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Comparison, in_turns

HELP, READ, RENDER, DRAW = "numpy, click", "zarr", "zarr, numba", "zarr, matplotlib.figure"
COMMANDS = {
    ("--help",): "click",
    ("generate", "--help"): HELP,
    ("identify", "--help"): HELP,
    ("import", "--help"): HELP,
    ("train", "--help"): HELP,
    ("info", "STORE", "--no-card"): READ,
    ("info", "STORE"): READ,
    ("verify", "STORE"): READ,
    ("generate", "-n", "10", "--out", "MADE", "--overwrite"): RENDER,
    ("preview", "STORE", "--out", "PICTURE"): DRAW,
    ("identify", "STORE", "--out", "UNITS", "--overwrite"): RENDER,
    ("report", "UNITS", "--out", "PAGE"): READ,
}
"""Commands, and what a Python that does nothing else imports beside them."""


def prepare(folder: Path) -> dict[str, str]:
    """Make a store of ten sequences; return what the commands' words stand for."""
    ends = {"STORE": "store.zarr", "MADE": "made.zarr", "UNITS": "units.zarr",
            "PICTURE": "preview.png", "PAGE": "report.html"}  # fmt: skip
    places = {word: str(folder / end) for word, end in ends.items()}
    _runs(["-m", "musim.cli", "generate", "-n", "10", "--out", places["STORE"]])()
    return places


def compare(arguments: tuple[str, ...], imports: str, places: dict[str, str], rounds: int):
    """Run a command in turns with a Python that imports something; return their times."""
    given = [places.get(each, each) for each in arguments]
    return in_turns(_runs(["-m", "musim.cli", *given]), _runs(["-c", f"import {imports}"]), rounds)


def _runs(arguments: list[str]) -> Callable[[], None]:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    return run


def line(arguments: tuple[str, ...], imports: str, times: Comparison) -> str:
    """Return a row of the table: medians, and how many times as long the command takes."""
    ours, least = (statistics.median(each) for each in times.times)
    factors = [1 / ratio for ratio in times.ratios]
    spread = f"{statistics.median(factors):.1f} ({min(factors):.1f}-{max(factors):.1f})"
    command = f"`musim {' '.join(arguments)}`"
    return f"| {command} | {ours:.2f} | `import {imports}` | {least:.2f} | {spread} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        places = prepare(Path(name))
        print("| command | s | at least | s | times as long |\n|---|---:|---|---:|---:|")
        for arguments, imports in COMMANDS.items():
            print(line(arguments, imports, compare(arguments, imports, places, rounds)), flush=True)


if __name__ == "__main__":
    main()
