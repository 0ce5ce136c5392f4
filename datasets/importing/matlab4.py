"""Reading MATLAB 4 files (``save -v4``): matrices of numbers and texts, one after another.

The layout is that of "MAT-File Format" (The MathWorks), level 4: of each matrix a header of five
numbers, whose first one tells byte order and type, then its name, its real part and perhaps its
imaginary part.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .dtypes import complex_dtype
from .files import VariableInfo
from .matlab_files import MatlabFile
from .matlab_trees import Leaf, Node, refused

HEADER_SIZE = 20
LONGEST_NAME = 256
"""Bytes of the longest name; MATLAB's own have 63 at most, and a zero at the end."""

_ORDERS = {0: "<", 1: ">"}
_MACHINES = {2: "VAX D-float", 3: "VAX G-float", 4: "Cray"}
_PRECISIONS = {0: "f8", 1: "f4", 2: "i4", 3: "i2", 4: "u2", 5: "u1"}
_FULL, _TEXT, _SPARSE = 0, 1, 2


@dataclass(frozen=True)
class _Matrix:
    """What a header says, and where the values begin."""

    name: str
    shape: tuple[int, int]
    kind: int
    dtype: np.dtype[Any]  # in the order of the file
    machine: int
    is_complex: bool
    offset: int

    @property
    def part(self) -> int:
        """Bytes of the real part, and of the imaginary one."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.offset + self.part * (1 + self.is_complex)


class Matlab4File(MatlabFile):
    """A MATLAB 4 file. Matrices have two axes; numbers are read piece by piece.

    All numbers are of MATLAB's class ``double``, and keep the smaller type in which they are saved.
    """

    format = "MATLAB 4"

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether a header of level 4 stands at its beginning; such files have no mark."""
        return not content.is_folder and _header(content.head, 0) is not None

    def _grow(self) -> Iterator[tuple[str, Node]]:
        size, start = self.path.stat().st_size, 0
        with self.path.open("rb") as file:
            while start < size:
                file.seek(start)
                matrix = _header(file.read(HEADER_SIZE + LONGEST_NAME), start)
                if matrix is None:
                    raise InputError(
                        f"{self.path}: found no header of a matrix at byte {start}, wanted one; "
                        "the file is damaged, save it again"
                    )
                if matrix.end > size:
                    raise InputError(
                        f"{self.path}: {matrix.name}: found {max(size - matrix.offset, 0)} bytes "
                        f"of values, wanted {matrix.end - matrix.offset} for shape {matrix.shape}; "
                        "the file is cut short, copy or save it again"
                    )
                yield matrix.name, _leaf(matrix)
                start = matrix.end

    def _read_leaf(self, leaf: Leaf, slices: tuple[slice, ...]) -> NDArray[Any]:
        matrix: _Matrix = leaf.source
        real = _piece(self.path, matrix, matrix.offset, slices)
        if not matrix.is_complex:
            return real
        result = np.empty(real.shape, leaf.info.dtype, order="F")
        result.real = real
        result.imag = _piece(self.path, matrix, matrix.offset + matrix.part, slices)
        return result

    def _text_of(self, leaf: Leaf) -> str:
        codes = _piece(self.path, leaf.source, leaf.source.offset, (slice(None), slice(None)))
        return "".join(chr(int(code)) for code in codes.ravel())


def _header(head: bytes, start: int) -> _Matrix | None:
    """Read a header, which begins at `start` of the file; None if it is none."""
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for order in orders:
        if len(head) < HEADER_SIZE:
            return None
        code, rows, columns, imaginary, length = struct.unpack(f"{order}5i", head[:HEADER_SIZE])
        machine, zero, precision, kind = (code // 10**k % 10 for k in (3, 2, 1, 0))
        # 4052 is the greatest code: a Cray's sparse matrix of bytes.
        is_header = 0 <= code <= 4052 and zero == 0 and precision in _PRECISIONS and kind <= _SPARSE
        is_header = is_header and _ORDERS.get(machine, order) == order and imaginary in {0, 1}
        if not is_header or min(rows, columns) < 0 or not 1 < length <= LONGEST_NAME:
            continue
        name, ending = (
            head[HEADER_SIZE : HEADER_SIZE + length - 1],
            head[HEADER_SIZE + length - 1 :],
        )
        if not name.isascii() or not name.decode().isidentifier() or ending[:1] != b"\0":
            continue
        dtype = np.dtype(_PRECISIONS[precision]).newbyteorder(order)
        offset = start + HEADER_SIZE + length
        shape = rows, columns
        return _Matrix(name.decode(), shape, kind, dtype, machine, bool(imaginary), offset)
    return None


def _leaf(matrix: _Matrix) -> Leaf:
    shape = matrix.shape
    if matrix.machine in _MACHINES:
        return refused(
            f"found numbers of a {_MACHINES[matrix.machine]}, wanted IEEE 754; save them again on "
            "another machine",
            shape,
        )
    if matrix.kind == _SPARSE:
        return refused("found a sparse matrix, wanted an array of numbers; save it as a full array")
    if matrix.kind == _TEXT:
        return Leaf(VariableInfo("", shape, np.dtype("U1"), {"MATLAB_class": "char"}), matrix)
    dtype = matrix.dtype.newbyteorder("=")
    dtype = complex_dtype(dtype) if matrix.is_complex else dtype
    return Leaf(VariableInfo("", shape, dtype, {"MATLAB_class": "double"}), matrix)


def _piece(path: Path, matrix: _Matrix, offset: int, slices: tuple[slice, ...]) -> NDArray[Any]:
    """Return a piece of the real or the imaginary part."""
    if 0 in matrix.shape:
        return np.empty(matrix.shape, matrix.dtype)[slices]
    mapped = np.memmap(path, matrix.dtype, "r", offset, matrix.shape, "F")
    # A copy, so that the map and the file close with this function.
    return np.array(mapped[slices], order="K", subok=False)
