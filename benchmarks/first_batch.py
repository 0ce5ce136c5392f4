"""What a process needs for its first batch; ``python -m benchmarks.first_batch STORE``.

Prints when the batch came (``time.perf_counter``, s) and the process's peak memory after an epoch,
MiB. It imports what a user's script would, and no more.
"""

import sys
import time
from pathlib import Path

from musim.datasets.streaming import SequenceLoader

BATCH = 8


def main(store: str) -> None:
    """Take a first batch, and then all others of an epoch."""
    batches = iter(SequenceLoader(store, batch_size=BATCH))
    next(batches)
    came = time.perf_counter()
    for batch in batches:
        float(batch["tvi"][0, 0, 0, 0])
    # Not from getrusage, which counts the process that started this one too.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(came, int(peak.split()[1]) / 1024)


if __name__ == "__main__":
    main(sys.argv[1])
