"""Timing in turns: what is compared runs A B A B ..., so a drifting machine spoils no ratio."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Comparison:
    """Times of two things that were run in turns.

    Parameters
    ----------
    first, second : list of float
        Seconds, one a round.
    """

    first: list[float]
    second: list[float]

    @property
    def times(self) -> tuple[list[float], list[float]]:
        """Both lists of seconds."""
        return self.first, self.second

    @property
    def ratios(self) -> list[float]:
        """How many times faster the first is than the second, round by round."""
        return [b / a for a, b in zip(self.first, self.second, strict=True)]

    def text(self) -> str:
        """Return the median of the ratios with their range."""
        ratios = self.ratios
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def in_turns(
    first: Callable[[], object],
    second: Callable[[], object],
    rounds: int,
    warm_up: int = 1,
    before: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Run two functions in turns and time each call; what is called before each is not timed."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(warm_up + rounds):
        for function, kept in zip((first, second), times, strict=True):
            before()
            began = clock()
            function()
            seconds = clock() - began
            if turn >= warm_up:
                kept.append(seconds)
    return Comparison(*times)


def musim_process(*arguments: str) -> tuple[float, float]:
    """Run the ``musim`` command; return seconds and the peak memory of its largest process, MiB.

    The measuring process is fresh each time, because a process's record of its children's peak
    memory never falls.
    """
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'musim.cli', *sys.argv[1:]], check=True,"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began, float(done.stdout)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
