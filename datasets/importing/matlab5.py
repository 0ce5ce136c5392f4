"""Reading MATLAB 5 files (``save -v6`` and ``-v7``): headers first, values when asked for.

The layout is that of "MAT-File Format" (The MathWorks), level 5. Only numbers and texts are read:
function handles, objects and cells are passed over by their length, never interpreted.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .byte_streams import PIECE, Inflated, Plain
from .content import Content
from .dtypes import complex_dtype
from .files import File, VariableInfo

HEADER_SIZE = 128
MATRIX, COMPRESSED = 14, 15
DEEPEST = 20
"""Structs within one another that are looked into."""

_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CLASSES = {
    6: "double", 7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32",
    13: "uint32", 14: "int64", 15: "uint64",
}  # fmt: skip
_STRUCT, _CHAR, _OPAQUE = 2, 4, 17
_REFUSED = {
    1: "a cell array", 3: "an object", 5: "a sparse matrix", 16: "a function handle",
    17: "an object",
}  # fmt: skip


@dataclass(frozen=True)
class _Place:
    """Where the values of a variable lie: in which element of the file, and where within it."""

    start: int  # of the element's content, in the file
    length: int
    compressed: bool
    offset: int  # of the tag of the real part, from the start, after decompression
    is_complex: bool


class Matlab5File(File):
    """A MATLAB 5 file.

    Numbers of MATLAB's class ``double`` keep the smaller type in which MATLAB saved them, such as
    int16; the attribute ``MATLAB_class`` holds the class. Variables that are not compressed are
    read piece by piece. Of compressed ones the last that was used stays in memory, whole.
    """

    format = "MATLAB 5"
    suffixes = (".mat",)
    column_major = True
    drops_last_axes = True

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it has the header of level 5: its text, or its version, and byte order."""
        head = content.head
        has_order = head[HEADER_SIZE - 2 : HEADER_SIZE] in {b"IM", b"MI"}
        # The header of MATLAB 7.3 says so, and is the same otherwise.
        is_level_5 = head.startswith(b"MATLAB") or b"\1" in head[124:126]
        return has_order and is_level_5 and not head.startswith(b"MATLAB 7.3")

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._places: dict[str, _Place] = {}
        self._last: tuple[str, NDArray[Any]] | None = None
        with path.open("rb") as file:
            file.seek(HEADER_SIZE - 2)
            self._order: Literal["<", ">"] = "<" if file.read(2) == b"IM" else ">"

    def close(self) -> None:
        """Forget the array that is kept."""
        self._last = None

    def _list(self) -> Iterator[VariableInfo]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            start = HEADER_SIZE
            while start + 8 <= size:
                file.seek(start)
                kind, length = struct.unpack(f"{self._order}2I", file.read(8))
                self._check_element(kind, length, size - start - 8)
                start += 8
                stream = (Inflated if kind == COMPRESSED else Plain)(file, start, length)
                if kind == COMPRESSED:
                    kind, _ = struct.unpack(f"{self._order}2I", stream.read(8))
                    if kind != MATRIX:
                        raise ValueError(f"an element of type {kind} where a variable was expected")
                    place = start, length, True
                else:
                    place = start, length, False
                yield from self._walk(stream, "", place, 0)
                start += length

    def _check_element(self, kind: int, length: int, present: int) -> None:
        if kind not in {MATRIX, COMPRESSED}:
            swapped = int.from_bytes(kind.to_bytes(4, "big"), "little") in {MATRIX, COMPRESSED}
            reason = (
                "its numbers stand in the other byte order than its header says"
                if swapped
                else f"found an element of type {kind}, wanted a variable"
            )
            raise InputError(f"{self.path}: {reason}; the file is damaged, save it again")
        if length > present:
            raise InputError(
                f"{self.path}: found {present} bytes where a variable of {length} bytes begins; "
                "the file is cut short, copy or save it again"
            )

    def _tag(self, stream: Plain) -> tuple[int, int, bytes | None]:
        """Read a tag: the type, the number of bytes, and the content if it is in the tag."""
        kind, length = struct.unpack(f"{self._order}2I", head := stream.read(8))
        if kind >> 16:
            length, kind = kind >> 16, kind & 0xFFFF
            if length > 4:
                raise ValueError(f"a short element of {length} bytes")
            return kind, length, head[4 : 4 + length]
        return kind, length, None

    def _element(self, stream: Plain, most: int = PIECE) -> tuple[int, bytes]:
        """Read a whole small element: its type and content."""
        kind, length, content = self._tag(stream)
        if content is None:
            if length > most:
                raise ValueError(f"an element of {length} bytes, wanted {most} at most")
            content = stream.read(length)
            stream.skip(-length % 8)
        return kind, content

    def _walk(
        self, stream: Plain, above: str, place: tuple[int, int, bool], depth: int
    ) -> Iterator[VariableInfo]:
        """Yield the variable that begins here, or the fields of a struct.

        Fields have no names of their own: `above` is their path. The stream may be left anywhere
        within the variable.
        """
        flags, _ = struct.unpack(f"{self._order}2I", self._element(stream)[1])
        kind, is_complex, is_logical = flags & 0xFF, bool(flags & 0x800), bool(flags & 0x200)
        shape: tuple[int, ...] = ()
        if kind != _OPAQUE:
            dims = np.frombuffer(self._element(stream)[1], f"{self._order}i4")
            shape = tuple(int(n) for n in dims)
            if not 2 <= len(shape) <= 64 or min(shape) < 0:
                raise ValueError(f"a variable of shape {shape[:8]}")
        own = self._element(stream)[1].decode("latin-1")
        name = above or own
        if not name:  # what function handles refer to: not a variable
            return
        if kind in _REFUSED:
            reason = f"found {_REFUSED[kind]}, wanted an array of numbers; save it as a full array"
            yield VariableInfo(name, shape, None, refusal=reason)
        elif kind == _STRUCT and shape == (1, 1) and depth < DEEPEST:
            yield from self._fields(stream, name, place, depth)
        elif kind == _STRUCT:
            yield VariableInfo(
                name, shape, None, refusal="found an array of structs, wanted a single one; save "
                "the fields that are needed as variables of their own",
            )  # fmt: skip
        elif kind == _CHAR or kind in _CLASSES:
            self._places[name] = _Place(*place, stream.position, is_complex)
            yield self._describe(stream, name, shape, kind, is_complex, is_logical)
        else:
            raise ValueError(f"{name}: a variable of class {kind}")

    def _fields(
        self, stream: Plain, name: str, place: tuple[int, int, bool], depth: int
    ) -> Iterator[VariableInfo]:
        width = int.from_bytes(self._element(stream)[1], "little" if self._order == "<" else "big")
        names = self._element(stream)[1]
        for first in range(0, len(names), max(width, 1)):
            field = names[first : first + width].split(b"\0")[0].decode("latin-1")
            kind, length, _ = self._tag(stream)
            if kind != MATRIX:
                raise ValueError(f"{name}/{field}: an element of type {kind}")
            end = stream.position + length
            if length == 0:
                yield VariableInfo(f"{name}/{field}", (0, 0), np.dtype("f8"))
                continue
            yield from self._walk(stream, f"{name}/{field}", place, depth + 1)
            stream.skip(end - stream.position)

    def _describe(
        self,
        stream: Plain,
        name: str,
        shape: tuple[int, ...],
        kind: int,
        is_complex: bool,
        is_logical: bool,
    ) -> VariableInfo:
        stored, length, _ = self._tag(stream)
        count = int(np.prod(shape, dtype=object))
        if kind == _CHAR:
            return VariableInfo(name, shape, np.dtype("U1"), {"MATLAB_class": "char"})
        if stored not in _STORED or length != count * np.dtype(_STORED[stored]).itemsize:
            raise InputError(
                f"{self.path}: {name}: found {length} bytes of values of type {stored}, which do "
                f"not make an array of shape {shape}; the file is damaged, save it again"
            )
        # MATLAB saves whole numbers of any class in the smallest type that holds them. Integer
        # classes get their type back, for their limits have a meaning.
        dtype = np.dtype(_STORED[stored] if _CLASSES[kind] in {"double", "single"}
                         else _CLASSES[kind])  # fmt: skip
        dtype = np.dtype(bool) if is_logical else dtype
        attributes = {"MATLAB_class": "logical" if is_logical else _CLASSES[kind]}
        return VariableInfo(name, shape, complex_dtype(dtype) if is_complex else dtype, attributes)

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        place = self._places[info.name]
        if self._last is not None and self._last[0] == info.name:
            return self._last[1][slices].copy(order="K")
        with self.path.open("rb") as file:
            stream = (Inflated if place.compressed else Plain)(file, place.start, place.length)
            stream.skip(place.offset)
            if place.compressed:
                self._last = None  # not two arrays in memory at once
                whole = self._part(stream, info.shape)
                if place.is_complex:
                    whole = _joined(whole, self._part(stream, info.shape), info.dtype)
                stream.finish()
                self._last = info.name, whole
                return whole[slices].copy(order="K")
            first = self._mapped_part(stream, place.start, info.shape, slices)
            if not place.is_complex:
                return first
            second = self._mapped_part(stream, place.start, info.shape, slices)
            return _joined(first, second, info.dtype)

    def _part(self, stream: Plain, shape: tuple[int, ...]) -> NDArray[Any]:
        """Read the real or the imaginary part, whole."""
        dtype, length, content = self._part_tag(stream, shape)
        values = np.empty(length // dtype.itemsize, dtype)
        if content is None:
            stream.read_into(values.view(np.uint8).data)
            stream.skip(-length % 8)
        else:
            values[:] = np.frombuffer(content, dtype)
        return values.reshape(shape, order="F")

    def _mapped_part(
        self, stream: Plain, start: int, shape: tuple[int, ...], slices: tuple[slice, ...]
    ) -> NDArray[Any]:
        """Read a piece of the real or the imaginary part, which is not compressed."""
        dtype, length, content = self._part_tag(stream, shape)
        if content is not None:
            return np.frombuffer(content, dtype).reshape(shape, order="F")[slices].copy()
        mapped = np.memmap(self.path, dtype, "r", start + stream.position, shape, "F")
        stream.skip(length + -length % 8)
        return np.array(mapped[slices], order="K", subok=False)

    def _part_tag(
        self, stream: Plain, shape: tuple[int, ...]
    ) -> tuple[np.dtype[Any], int, bytes | None]:
        stored, length, content = self._tag(stream)
        dtype = np.dtype(_STORED[stored]).newbyteorder(self._order)
        if length != int(np.prod(shape, dtype=object)) * dtype.itemsize:
            raise ValueError(f"{length} bytes for an array of shape {shape}")
        return dtype, length, content

    def _text(self, info: VariableInfo) -> str:
        if info.shape[0] > 1:
            raise InputError(f"{self.path}: {info.name}: found several texts, wanted one")
        place = self._places[info.name]
        with self.path.open("rb") as file:
            stream = (Inflated if place.compressed else Plain)(file, place.start, place.length)
            stream.skip(place.offset)
            kind, content = self._element(stream)
        encoding = _TEXTS[kind]
        if not encoding.endswith(("8", "1")):
            encoding += "-le" if self._order == "<" else "-be"
        return content.decode(encoding)


def _joined(real: NDArray[Any], imaginary: NDArray[Any], dtype: Any) -> NDArray[Any]:
    result = np.empty(real.shape, dtype, order="F")
    result.real, result.imag = real, imaginary
    return result
