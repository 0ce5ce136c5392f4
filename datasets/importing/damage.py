"""Damaged files: whatever their readers raise becomes one line that names file and variable."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...simulator.errors import InputError, MusimError

# What the readers of damaged files raise. A RuntimeError is h5py's for broken objects and
# zipfile's for encrypted members, an AssertionError and a SystemError scipy's and zarr's own, a
# SyntaxError that of XML.
_DAMAGE = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, ArithmeticError,
    AssertionError, NotImplementedError, RuntimeError, SystemError, MemoryError, RecursionError,
    SyntaxError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error, tokenize.TokenError,
)  # fmt: skip


@contextmanager
def damage(path: Path, name: str = "") -> Iterator[None]:
    """Turn what goes wrong while reading into an InputError that names the file and variable."""
    try:
        yield
    except MusimError:
        raise
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, MemoryError):
            reason = "it asks for more memory than there is"
        reason = " ".join(reason.split())[:200]
        where = f"{path}: {name}" if name else f"{path}"
        raise InputError(
            f"{where}: cannot be read, it may be cut short or damaged ({reason}); copy or save it "
            "again"
        ) from error
