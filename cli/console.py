"""What commands show while they work: progress, on standard error."""

import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def out() -> Console:
    """Return the console for results (standard output)."""
    return Console(highlight=False)


def err() -> Console:
    """Return the console for messages (standard error)."""
    return Console(stderr=True, highlight=False)


def print_json(**values: Any) -> None:
    """Print values for programs to read; what is no number or infinite is null or a text."""
    click.echo(json.dumps(_plain(values), indent=1, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


@contextmanager
def progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time left; yields a function that takes the numbers done and in all.

    Where the output is no terminal, a line is written for every tenth of the work instead.
    """
    console = err()
    with _interrupts() as check:
        if not console.is_terminal:
            yield _Lines(console, what, unit, check)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=None)

            def report(done: int, total: int) -> None:
                check()
                bar.update(task, completed=done, total=total)

            yield report


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Remember Ctrl-C; yields a function that raises KeyboardInterrupt if there was one.

    Python drops an interrupt that falls into a finaliser; so it is raised again at the next report.
    """
    seen = False

    def note(number: int, frame: Any) -> None:
        nonlocal seen
        seen = True
        raise KeyboardInterrupt

    def check() -> None:
        if seen:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


class _Lines:
    """Progress for logs: a line for every tenth of the work."""

    def __init__(self, console: Console, what: str, unit: str, check: Callable[[], None]) -> None:
        self.console, self.what, self.unit, self.check = console, what, unit, check
        self.tenth = 0

    def __call__(self, done: int, total: int) -> None:
        """Write a line if another tenth is done."""
        self.check()
        tenth = 10 * done // max(total, 1)
        if tenth > self.tenth:
            self.tenth = tenth
            self.console.print(f"{self.what}: {done}/{total} {self.unit}", soft_wrap=True)


def megabytes(size: float) -> str:
    """Return a size in bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
