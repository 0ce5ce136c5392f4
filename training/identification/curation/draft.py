"""Changes on their way to a store: a list with a place in it, kept in a file.

What is beyond the place was undone, and can be done again. The file is replaced whole after every
change, so that whatever ends a session loses none of it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ....datasets.location import Location, write_aside
from ....datasets.origin import Curated
from ....datasets.store import Store, open_store, token_of
from ....datasets.store_files import PLAN, ROOT
from ....datasets.writer import read_plan
from ....simulator.errors import FailureError, InputError
from .edits import Edit, edits_of

FORM, VERSION = "musim_edits", 1

LARGEST = 64 * 2**20
"""A list of changes has no more bytes than this."""


def draft_path(out: Location) -> Path:
    """Return where the changes stand until a store is made of them: beside it, on a disk."""
    name = out.url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".zarr") + ".edits.json"
    return out.path.with_name(name) if out.is_local else Path(name).absolute()


def now() -> str:
    """Return the time, as changes say when they were made."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Draft:
    """Changes to the units of a store.

    Parameters
    ----------
    store : Store
        Of the units found.
    edits : sequence of Edit
        Those that were undone are the last.
    position : int, optional
        How many of them hold; all, if not given.
    path : path, optional
        Where they are kept, and are so far; nowhere, if not given.
    """

    def __init__(
        self,
        store: Store,
        edits: Sequence[Edit] = (),
        position: int | None = None,
        path: Path | None = None,
    ) -> None:
        self.store, self.path = store, path
        self.edits = tuple(edits)
        self.position = len(self.edits) if position is None else position
        self._written = _read_bytes(path) if path is not None else None

    @property
    def holding(self) -> tuple[Edit, ...]:
        """The changes that hold."""
        return self.edits[: self.position]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change that can be taken back."""
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a change that was taken back."""
        return self.position < len(self.edits)

    def add(self, edit: Edit) -> None:
        """Add a change after those that hold; what was undone is gone."""
        self._become((*self.holding, edit), self.position + 1)

    def undo(self) -> Edit:
        """Take the last change back, and return it; raise InputError if there is none."""
        if not self.can_undo:
            raise InputError("undo: found no change, wanted one or more")
        self._become(self.edits, self.position - 1)
        return self.edits[self.position]

    def redo(self) -> Edit:
        """Make the last change again that was taken back, and return it."""
        if not self.can_redo:
            raise InputError("redo: found no change that was undone, wanted one or more")
        self._become(self.edits, self.position + 1)
        return self.edits[self.position - 1]

    def _become(self, edits: tuple[Edit, ...], position: int) -> None:
        before = self.edits, self.position
        self.edits, self.position = edits, position
        try:
            self.write()
        except BaseException:
            self.edits, self.position = before
            raise

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :func:`read_edits` reads back."""
        return {
            FORM: VERSION,
            "units": self.store.location.address,
            "seal": token_of(self.store.location),
            "position": self.position,
            "edits": [edit.to_json() for edit in self.edits],
        }

    def write(self) -> None:
        """Replace the file by what is here, if there is to be one.

        Raises
        ------
        InputError
            If somebody else changed it.
        FailureError
            If it cannot be written; it then holds what it held.
        """
        if self.path is None:
            return
        if _read_bytes(self.path) != self._written:
            raise InputError(
                f"{self.path}: found that somebody else changed it, wanted it as it was left; "
                "curate in one place at a time, and begin again to go on with what is there"
            )
        content = json.dumps(self.to_json(), indent=1, allow_nan=False).encode() + b"\n"
        try:
            write_aside(self.path, content)
        except OSError as error:
            raise FailureError(
                f"{self.path}: cannot be written ({error.strerror}); free some space or choose "
                "another place"
            ) from error
        self._written = content

    def remove(self) -> None:
        """Remove the file, whose changes are in a store now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self._written = None


def open_draft(store: Store, out: Location) -> Draft:
    """Return the changes that were begun for a store: in its draft, or in the store itself.

    Parameters
    ----------
    store : Store
        Of the units found.
    out : Location
        Where the curated store will be, or is.

    Raises
    ------
    InputError
        If the changes there are of other units, or something else lies there.
    """
    path = draft_path(out)
    if path.exists():
        edits, position = read_edits(path, store)
        return Draft(store, edits, position, path)
    made = curated_at(store, out)
    if made is None:
        return Draft(store, path=path)
    return Draft(store, edits_of(list(made.edits), str(out)), None, path)


def curated_at(store: Store, out: Location) -> Curated | None:
    """Return what is said of units that were curated at a place; None where nothing is.

    They may be unfinished: what ended a run as it saved them lost none of the changes.

    Raises
    ------
    InputError
        If it is something else, or other units.
    """
    if not out.exists():
        return None
    begun = out.exists(PLAN) and not out.exists(ROOT)
    origin = read_plan(out).origin if begun else open_store(out).origin
    if not isinstance(origin, Curated) or origin.seal != token_of(store.location):
        raise InputError(
            f"{out}: found {origin.made_by}, wanted nothing, or those units curated; choose "
            "another place"
        )
    return origin


def read_edits(path: str | Path, store: Store, *, by: str = "") -> tuple[tuple[Edit, ...], int]:
    """Read changes from a file: a draft, or a plain list of them in JSON.

    Parameters
    ----------
    path : path
    store : Store
        Of the units that they are made to.
    by : str
        Who made those that do not say; when, is when the file was written.

    Returns
    -------
    edits : tuple of Edit
    position : int
        How many of them hold.

    Raises
    ------
    InputError
        If there are none, they are of other units, or cannot be read.
    """
    path = Path(path)
    content = _read_bytes(path)
    if content is None:
        raise InputError(f"{path}: found nothing there, wanted a list of edits (JSON)")
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(
            f"{path}: found no JSON, wanted a list of edits as musim view --curate writes it"
        ) from None
    written = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    missing = {"by": by, "when": written.strftime("%Y-%m-%dT%H:%M:%SZ")} if by else {}
    if isinstance(plain, list):
        edits = edits_of(plain, str(path), **missing)
        return edits, len(edits)
    if not isinstance(plain, Mapping) or plain.get(FORM) != VERSION:
        raise InputError(
            f"{path}: found something else, wanted a list of edits of version {VERSION}; write it "
            "with this musim"
        )
    if plain.get("seal") not in (None, token_of(store.location)):
        raise InputError(
            f"{path}: found edits of other units ({plain.get('units')}), wanted those of "
            f"{store.location}; give these units, or move the file away"
        )
    edits = edits_of(plain.get("edits"), str(path), **missing)
    position = plain.get("position", len(edits))
    if isinstance(position, bool) or not isinstance(position, int):
        position = -1
    if not 0 <= position <= len(edits):
        raise InputError(f"{path}: found a position beyond its edits, wanted 0 to {len(edits)}")
    return edits, position


def _read_bytes(path: Path) -> bytes | None:
    """Return a file's content; None where there is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: found more than {LARGEST} bytes, wanted a list of edits")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({os.strerror(error.errno or 0)}), wanted a list of edits"
        ) from None
