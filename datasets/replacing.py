"""Replacing a result: the new one is made beside the old one, which stays until the new is whole.

A folder is exchanged for another one by two renames. A run that is killed between them, or
afterwards, left all that it takes to go on: :func:`workplace` does when the place is next used.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..simulator.errors import InputError
from .location import Location, lacking_folders, remove_empty
from .locking import locked

NEW, OLD = ".musim-new", ".musim-old"
"""Endings of what stands beside a result that is being replaced: the new one, and the old one."""


def beside(path: Path, ending: str) -> Path:
    """Return the name of what stands beside a result while it is replaced."""
    return path.with_name(path.name + ending)


@contextmanager
def workplace(
    target: Location,
    *,
    resume: bool,
    overwrite: bool,
    is_whole: Callable[[Path], bool],
    is_begun: Callable[[Path], bool] = Path.exists,
    is_foreign: Callable[[Path], bool] = lambda path: False,
    apart: bool = False,
) -> Iterator[Location]:
    """Hold the lock of a result, and give the place to make it at; it is at its own at the end.

    Object stores have neither locks nor renames: there the result is made at its own place.

    Parameters
    ----------
    target : Location
        Where the result will be.
    resume, overwrite : bool
        Whether to go on with, or to replace, what is there.
    is_whole : callable
        Tells of a folder whether there is a result that must not be lost.
    is_begun : callable
        Tells of a folder whether it can be gone on with.
    is_foreign : callable
        Tells of a file, by its path in the folder, that it is nothing of the result's: it stays.
    apart : bool
        Whether to make it beside its place also where nothing is replaced, if that can be.

    Raises
    ------
    InputError
        If another process writes there, or something else is there.
    MusimError
        If the place cannot be written.
    """
    if not target.is_local:
        yield target
        return
    with _reporting(target):
        path = target.path.resolve()
        new = beside(path, NEW)
        lacking = [new, *lacking_folders(path)]
    try:
        with locked(path, target):
            with _reporting(target):
                finish_exchange(path, is_foreign)
                if new.exists() and (overwrite or not is_begun(new)):
                    shutil.rmtree(new)
                    _check_resumable(target, path, resume=resume, is_whole=is_whole)
                if overwrite and is_whole(path):
                    _check_movable(target, path)
                    place = new
                elif apart and _is_movable(path):
                    place = new
                else:
                    place = new if new.exists() and (resume or not path.exists()) else path
            yield target if place == path else Location(new)
            with _reporting(target):
                if place == new:
                    _check_replaceable(target, path, is_whole)
                    exchange(path, is_foreign)
    finally:
        remove_empty(lacking)


@contextmanager
def _reporting(target: Location) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise target.failure("be written", error) from error


def exchange(path: Path, is_foreign: Callable[[Path], bool] = lambda path: False) -> None:
    """Put the new result in the place of the old one, and remove that."""
    new, old = beside(path, NEW), beside(path, OLD)
    if path.exists():
        path.rename(old)
    new.rename(path)
    finish_exchange(path, is_foreign)


def finish_exchange(path: Path, is_foreign: Callable[[Path], bool]) -> None:
    """Go on with an exchange where a run that was killed left it."""
    new, old = beside(path, NEW), beside(path, OLD)
    if not old.exists():
        return
    if not path.exists():
        # Moved away is what is replaced by something whole.
        (new if new.exists() else old).rename(path)
    if not old.exists():
        return
    for file in sorted(old.rglob("*")):
        inside = file.relative_to(old)
        kept = path / inside
        if (file.is_symlink() or not file.is_dir()) and is_foreign(inside) and not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            file.rename(kept)
    shutil.rmtree(old)


def unfinished_exchange(path: Path) -> str:
    """Return what to do about a place that is empty because a run was killed; empty if it is not.

    It is between two renames: the old result is whole beside the place, and so is the new one.
    """
    path = path.resolve()
    if path.exists() or not beside(path, OLD).exists():
        return ""
    return (
        f"found it about to be replaced ({beside(path, OLD)} and {beside(path, NEW)} are whole), "
        "wanted it in place; run the command that did with `resume=True`"
    )


def _is_movable(path: Path) -> bool:
    return not path.is_mount() and os.access(path.parent, os.W_OK)


def _check_movable(target: Location, path: Path) -> None:
    """Raise InputError before all the work if a folder cannot be exchanged for another one."""
    if not _is_movable(path):
        raise InputError(
            f"{target}: found a folder that cannot be renamed (a disk's own, or in a folder that "
            "cannot be written), wanted one that a new one can be put in place of; remove what is "
            "in it first, or choose another place"
        )


def _check_resumable(
    target: Location, path: Path, *, resume: bool, is_whole: Callable[[Path], bool]
) -> None:
    """Raise InputError if what would be gone on with is the old result, not what should replace it.

    What is asked for is not known of a run that was killed as it began.
    """
    if resume and is_whole(path):
        raise InputError(
            f"{target}: found that a run was stopped as it began to replace this, wanted one that "
            "can be gone on with; run it again with `overwrite=True`, or go on with the old one"
        )


def _check_replaceable(target: Location, path: Path, is_whole: Callable[[Path], bool]) -> None:
    if path.is_dir() and not is_whole(path) and not any(path.iterdir()):
        path.rmdir()
    if path.exists() and not is_whole(path):
        raise InputError(
            f"{target}: found something else there than was to be replaced, wanted it away; move "
            f"it, and {beside(path, NEW)}, which is whole, to its place"
        )
