"""Make the sets of Ali et al. 2020 for real; ``python -m benchmarks.paper_sets FOLDER``.

10,000 training and 1,000 validation sequences of 5-30 units as rendered stores, and 100 test
sequences each of 1, 5, 10, 15, 20 and 25 units as dense stores (section IV.B). Prints their time,
size, and the training set's data card.
"""

import argparse
import math
import time
from pathlib import Path

from benchmarks.measure import musim_process, size_of
from musim.datasets.datacard import data_card
from musim.datasets.store import open_store

TEST_UNITS = (1, 5, 10, 15, 20, 25)


def sets(training: int) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return name, number of sequences and options of each set; the training set sets the scale."""
    rendered = ("--render", "on-read", "--units", "5-30", "--snr", "10-30")
    made = [
        ("training.zarr", training, (*rendered, "--seed", "1")),
        ("validation.zarr", max(1, training // 10), (*rendered, "--seed", "2")),
    ]
    for units in TEST_UNITS:
        options = ("--units", str(units), "--snr", "10", "--seed", str(100 + units))
        made.append((f"test-{units:02d}-units.zarr", max(1, training // 100), options))
    return made


def main() -> None:
    """Make the sets, check them, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--training", type=int, default=10_000, help="the paper's 10,000")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("| set | sequences | options of `musim generate` | seconds | size, MB | verified in, s |")
    print("|---|---:|---|---:|---:|---:|")
    for name, sequences, arguments in sets(options.training):
        store = options.folder / name
        seconds, _ = musim_process(
            "generate", "-n", str(sequences), "--out", str(store), "--overwrite", *arguments
        )
        began = time.perf_counter()
        musim_process("verify", str(store), "--remake", "3")
        verified = time.perf_counter() - began
        print(
            f"| {name} | {sequences} | `{' '.join(arguments)}` | {seconds:.1f} "
            f"| {size_of(store) / 1e6:.0f} | {verified:.1f} |",
            flush=True,
        )
    print("\n| training set | asked | mean asked | mean | SD | least | most | values | p |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for entry in data_card(open_store(options.folder / "training.zarr")):
        numbers = (entry.expected_mean, entry.mean, entry.sd, entry.minimum, entry.maximum)
        cells = ["" if math.isnan(number) else f"{number:.4g}" for number in numbers]
        p_value = "" if math.isnan(entry.p_value) else f"{entry.p_value:.3f}"
        label = f"{entry.name}, {entry.units}" if entry.units else entry.name
        print(f"| {label} | {entry.requested} | {' | '.join(cells)} | {entry.count} | {p_value} |")


if __name__ == "__main__":
    main()
