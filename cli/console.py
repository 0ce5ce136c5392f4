"""What commands show while they work: progress, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time left; yields a function that takes the numbers done and in all."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = err()
    if not console.is_terminal:
        yield _Lines(console, what, unit)
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


class _Lines:
    """Progress for logs: a line for every tenth of the work."""

    def __init__(self, console: Console, what: str, unit: str) -> None:
        self.console, self.what, self.unit = console, what, unit
        self.tenth = 0

    def __call__(self, done: int, total: int) -> None:
        """Write a line if another tenth is done."""
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
