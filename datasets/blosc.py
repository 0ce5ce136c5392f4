"""Blosc without the semaphore that numcodecs takes for it in every process."""

import numcodecs.blosc


def leave_no_semaphore() -> None:
    """Let Blosc do without a lock, which it needs for threads of its own alone.

    It has none: Zarr forbids them. Still numcodecs makes a lock between processes before it packs
    or unpacks anything, only to see whether it could. In a spawned process that is a semaphore with
    a name, which outlives a process that is ended from outside, as torch ends its workers and
    whoever stops a run ends ours; then Python warns of semaphores that leaked.
    """
    numcodecs.blosc.get_mutex = _no_lock


def _no_lock() -> None:
    """Say that there are no locks: numcodecs then takes no threads, and works as it does here."""
