"""Files that a command writes: checked before any work, written aside, whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ..datasets.location import PARTIAL
from ..simulator.errors import FailureError, InputError


def check_target(out: Path, endings: tuple[str, ...]) -> str:
    """Return the ending of a file that is to be written, before any work is done for it.

    Raises
    ------
    InputError
        If it is not one of `endings`, or there is no folder for the file.
    """
    ending = out.suffix.lower()
    if ending not in endings:
        found = repr(ending) if ending else "no ending"
        raise InputError(f"{out}: found {found}, wanted one of {', '.join(endings)}")
    if out.is_dir():
        raise InputError(f"{out}: found a folder there, wanted the name of a file")
    if not out.parent.is_dir():
        raise InputError(f"{out}: found no folder {out.parent}, wanted one; make it first")
    return ending


@contextmanager
def written_aside(out: Path) -> Iterator[Path]:
    """Give a name to write to; rename it to `out` at the end, or remove it if anything fails."""
    aside = out.with_name(f"{out.name}.{uuid4().hex[:8]}{PARTIAL}")
    try:
        yield aside
        aside.replace(out)
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, PermissionError):
            raise InputError(f"{out}: cannot be written ({reason}); use another folder") from error
        raise FailureError(f"{out}: cannot be written ({reason})") from error
    finally:
        aside.unlink(missing_ok=True)
