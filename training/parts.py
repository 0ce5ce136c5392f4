"""What a part of an evaluation is as bytes: JSON, or arrays."""

import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np

ARRAYS = ".npz"
"""Ending of the names of parts that hold arrays by their names; others are JSON."""


def packed(name: str, content: Any) -> bytes:
    """Return the bytes of a part: of plain values, or of arrays by their names."""
    if not name.endswith(ARRAYS):
        return json.dumps(content, sort_keys=True, indent=1, allow_nan=False).encode()
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **content)
    return arrays.getvalue()


def unpacked(name: str, content: bytes) -> Any:
    """Return what :func:`packed` was given.

    Raises
    ------
    ValueError
        If the bytes are not those of such a part. Nothing in them is executed.
    """
    if not name.endswith(ARRAYS):
        return json.loads(content)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error)) from error
