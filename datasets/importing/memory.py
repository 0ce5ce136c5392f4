"""What a file's header may ask for: no more memory than there is."""

import os
from pathlib import Path

from ...simulator.errors import InputError

_SYSTEM = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Return the bytes of memory that can be had, by this machine and by what it allows us."""
    try:
        lines = dict(line.split(":", 1) for line in _SYSTEM.read_text().splitlines())
        found = sum(int(lines[key].split()[0]) << 10 for key in ("MemAvailable", "SwapFree"))
    except (OSError, KeyError, ValueError):  # not Linux
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        most, used = (int((_GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no group, or one without a limit
        return found
    return min(found, most - used)


def check_memory(where: str, size: int, together: int = 0) -> None:
    """Raise InputError if values that must be in memory at once are more than there is room for.

    Parameters
    ----------
    where : str
        The file and the variable.
    size : int
        Bytes of the values that are asked for.
    together : int
        Bytes that are unpacked for them.
    """
    if size + together < 1 << 24 or size + together <= (room := available_memory()):
        return
    what, advice = "that are read together", "if the file does hold them, cut it into smaller ones"
    if together > size:
        what = "that are packed together"
        advice = "save it without compression, or in smaller chunks"
    raise InputError(
        f"{where}: found {max(size, together) / 1e9:.3g} GB of values {what}, wanted no more than "
        f"memory has room for ({room / 1e9:.3g} GB); {advice}"
    )
