"""How much a translation depends on the windows in which it is made: seams, if there were any.

``python -m benchmarks.seams RUN STORE`` translates sequences whole and in windows of 32 and of 64
frames, and prints the greatest difference in SDs of the sequence.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from musim.datasets import open_store
from musim.training.tasks import open_run
from musim.training.translation.sequences import translate
from musim.training.translation.translation_task import TranslateTask

WINDOWS = (32, 64)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each sequence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("store")
    parser.add_argument("--sequences", type=int, default=4)
    options = parser.parse_args(arguments)

    task, _ = open_run(options.run, TranslateTask)
    store = open_store(options.store)
    print("sequence  " + "  ".join(f"{window:>4} frames" for window in WINDOWS))
    for index in range(min(options.sequences, len(store))):
        tvi = store.tvi(index).astype(np.float32)
        whole, *parts = (
            translate(
                task.model.generator_a2b, tvi, *task.scales, key=(0, index), window=window,
                statistics_frames=task.settings.networks.frames,
            )
            for window in (len(tvi), *WINDOWS)
        )  # fmt: skip
        found = [np.abs(part - whole).max() / whole.std() for part in parts]
        print(f"{index:8d}  " + "  ".join(f"{value:11.2g}" for value in found))


if __name__ == "__main__":
    main()
