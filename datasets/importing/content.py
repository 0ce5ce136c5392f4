"""What formats are told apart by: the first bytes of a file, or that it is a folder."""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HEAD = 512
"""Bytes at the beginning of a file that are looked at."""


@dataclass(frozen=True)
class Content:
    """A file or folder whose format is not known yet.

    Parameters
    ----------
    path : path
    head : bytes
        The first :data:`HEAD` bytes; none of a folder.
    """

    path: Path
    head: bytes = b""

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of what a zip archive holds; none of anything else.

        Raises
        ------
        zipfile.BadZipFile
            If the archive is damaged.
        """
        if not self.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ()
        with zipfile.ZipFile(self.path) as archive:
            return tuple(archive.namelist())

    def starts_with(self, *marks: bytes) -> bool:
        """Return whether the first bytes are one of `marks`."""
        return self.head.startswith(marks)
