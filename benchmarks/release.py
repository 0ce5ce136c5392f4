"""A run's figures beside those of the last release, so that a loss is seen.

Those of the release are kept in ``figures.json``, with the machine that they were measured on. A
ratio is called slower or faster where the median of either run lies outside the other's range, and
the two differ by more than `LEAST_CHANGE`: what changes from round to round is not a change.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, Measured, Range
from musim.datasets.parallel import default_workers

KEPT = Path(__file__).with_name("figures.json")

LEAST_CHANGE = 0.05
"""Few rounds may lie closer together than two runs do."""

HEAD = (
    "| figure | | against | | ratio (range) | release's | change |\n"
    "|---|---:|---|---:|---:|---:|---|"
)


@dataclass(frozen=True)
class Release:
    """What a release measured.

    Parameters
    ----------
    version, command : str
    machine : mapping of str to str
        See :func:`this_machine`.
    figures : mapping of Figure to Range
    """

    version: str
    command: str
    machine: Mapping[str, str]
    figures: Mapping[Figure, Range]

    def write(self, path: Path) -> None:
        """Keep it in the repository."""
        figures = [{**asdict(figure), **kept._asdict()} for figure, kept in self.figures.items()]
        content = {"version": self.version, "command": self.command,
                   "machine": dict(self.machine), "figures": figures}  # fmt: skip
        path.write_text(json.dumps(content, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Release":
        """Return what was kept; nothing, if there is no such file yet."""
        if not path.exists():
            return cls("none", "", {}, {})
        content = json.loads(path.read_text())
        figures = {}
        for each in content.pop("figures"):
            kept = Range(*(each.pop(name) for name in Range._fields))
            figures[Figure(**each)] = kept
        return cls(**content, figures=figures)


def this_release(measured: Sequence[Measured], command: str) -> Release:
    """Return what this run measured, as a release keeps it."""
    figures = {each.figure: each.range for each in measured}
    return Release(version("musim"), command, this_machine(), figures)


def this_machine() -> dict[str, str]:
    """Return what figures depend on beside the code."""
    return {
        "processor": _processor(),
        "processors": str(default_workers()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.system(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {platform.machine()}" if names else platform.machine()


def remarks(release: Release, machine: Mapping[str, str]) -> list[str]:
    """Return what must be known of a release's figures before they are compared with others."""
    if not release.figures:
        return [
            "No release has kept figures: there is nothing to compare with (--keep keeps these)."
        ]
    said = [f"Release {release.version}: `{release.command}`"]
    other = [
        f"{name} {release.machine.get(name, 'unknown')} (here {machine.get(name, 'unknown')})"
        for name in dict.fromkeys([*release.machine, *machine])
        if release.machine.get(name) != machine.get(name)
    ]
    if other:
        said.append(
            "It was measured on another machine or with other versions, where ratios may differ "
            f"without a loss: {', '.join(other)}"
        )
    return said


def change(figure: Figure, now: Range, before: Range | None) -> tuple[str, bool]:
    """Return a word on what became of a ratio, and whether it is a loss."""
    if before is None:
        return "new", False
    factor = now.median / before.median
    if figure.better == "less":
        factor = 1 / factor
    apart = not (
        before.least <= now.median <= before.greatest or now.least <= before.median <= now.greatest
    )
    if not apart or abs(factor - 1) <= LEAST_CHANGE:
        return "as before", False
    return f"{'slower' if factor < 1 else 'faster'}, x {factor:.2f}", factor < 1


def row(measured: Measured, release: Release) -> tuple[str, bool]:
    """Return a figure's row of the table, and whether it is a loss."""
    figure, before = measured.figure, release.figures.get(measured.figure)
    word, lost = change(figure, measured.range, before)
    return f"{measured.row()} {before or ''} | {word} |", lost


def missing(
    wanted: Sequence[Figure], measured: Sequence[Measured], release: Release | None
) -> list[Figure]:
    """Return figures that a run was to have, or that the release has, and that it lacks."""
    found = {each.figure for each in measured}
    kept = release.figures if release else ()
    return [each for each in dict.fromkeys([*wanted, *kept]) if each not in found]
