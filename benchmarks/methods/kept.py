"""Files that are whole or not there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def slug(name: str) -> str:
    """Return a name that may be a file's."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """Write a file aside, and put it in its place once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        yield file
    aside.replace(path)
