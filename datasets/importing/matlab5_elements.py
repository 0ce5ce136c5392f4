"""Elements of MATLAB 5 files: their tags, and the trees of variables that their headers tell.

The layout is that of "MAT-File Format" (The MathWorks), level 5.
"""

import math
import struct
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from .byte_streams import PIECE, Plain
from .dtypes import complex_dtype
from .files import VariableInfo
from .matlab_trees import DEEPEST, Elements, Leaf, Node, TooManyElementsError, refused, too_many

MATRIX, COMPRESSED = 14, 15

STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
"""Types in which numbers are stored, by the codes of elements."""

_CLASSES = {
    6: "double", 7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32",
    13: "uint32", 14: "int64", 15: "uint64",
}  # fmt: skip
_CELL, _STRUCT, _CHAR, _OPAQUE = 1, 2, 4, 17
_REFUSED = {3: "an object", 5: "a sparse matrix", 16: "a function handle", 17: "an object"}
_EMPTY = Leaf(VariableInfo("", (0, 0), np.dtype("f8")))


class Place(NamedTuple):
    """Where the values of a variable lie: in which element of the file, and where within it."""

    start: int  # of the element's content, in the file
    length: int
    compressed: bool
    end: int = 0  # of the whole variable, from the start, after decompression
    offset: int = 0  # of the tag of the real part, likewise
    is_complex: bool = False


class ElementReader:
    """Reads tags and headers of elements.

    Parameters
    ----------
    order : {"<", ">"}
        Byte order.
    spend : callable
        Called with the number of elements of a cell or struct that are about to be looked at.
    """

    def __init__(self, order: Literal["<", ">"], spend: Callable[[int], None]) -> None:
        self.order: Literal["<", ">"] = order
        self._spend = spend
        self._infos: dict[Any, VariableInfo] = {}

    def tag(self, stream: Plain) -> tuple[int, int, bytes | None]:
        """Read a tag: the type, the number of bytes, and the content if it is in the tag."""
        kind, length = struct.unpack(f"{self.order}2I", head := stream.read(8))
        if kind >> 16:
            length, kind = kind >> 16, kind & 0xFFFF
            if length > 4:
                raise ValueError(f"a short element of {length} bytes")
            return kind, length, head[4 : 4 + length]
        return kind, length, None

    def element(self, stream: Plain, most: int = PIECE) -> tuple[int, bytes]:
        """Read a whole small element: its type and content."""
        kind, length, content = self.tag(stream)
        if content is None:
            if length > most:
                raise ValueError(f"an element of {length} bytes, wanted {most} at most")
            content = stream.read(length)
            stream.skip(-length % 8)
        return kind, content

    def variable(
        self, stream: Plain, place: Place, above: str = "", depth: int = 0
    ) -> tuple[str, Node]:
        """Return the name and the tree of the variable that begins here.

        What lies within a struct or cell has no name of its own: `above` is its path. The stream
        may be left anywhere within the variable.
        """
        flags, _ = struct.unpack(f"{self.order}2I", self.element(stream)[1])
        kind, is_complex, is_logical = flags & 0xFF, bool(flags & 0x800), bool(flags & 0x200)
        shape: tuple[int, ...] = ()
        if kind != _OPAQUE:
            dims = np.frombuffer(self.element(stream)[1], f"{self.order}i4")
            shape = tuple(int(n) for n in dims)
            if not 2 <= len(shape) <= 64 or min(shape) < 0:
                raise ValueError(f"a variable of shape {shape[:8]}")
        own = self.element(stream)[1].decode("latin-1")
        name = above or own
        if kind in _REFUSED:
            reason = f"found {_REFUSED[kind]}, wanted an array of numbers; save it as a full array"
            return name, refused(reason, shape)
        if kind in {_CELL, _STRUCT}:
            try:
                return name, self._container(stream, place, name, kind == _CELL, shape, depth)
            except TooManyElementsError:
                if depth:
                    raise
                return name, too_many()
        if kind != _CHAR and kind not in _CLASSES:
            raise ValueError(f"{name}: a variable of class {kind}")
        place = place._replace(offset=stream.position, is_complex=is_complex)
        return name, Leaf(self._describe(stream, name, shape, kind, place, is_logical), place)

    def _container(
        self,
        stream: Plain,
        place: Place,
        name: str,
        is_cell: bool,
        shape: tuple[int, ...],
        depth: int,
    ) -> Node:
        what, count = "a cell array" if is_cell else "an array of structs", math.prod(shape)
        if count == 0:
            return refused(f"found {what} that is empty, wanted an array of numbers", shape)
        if depth >= DEEPEST:
            return refused(f"found {what} within {DEEPEST} others, wanted an array of numbers")
        if is_cell:
            paths = (f"{name}{{{number}}}" for number in range(1, count + 1))
            members = self._members(stream, place, paths, count, depth)
            return Elements(shape, True, members)
        fields = self._field_names(stream)
        paths = (f"{name}/{field}" for _ in range(count) for field in fields)
        members = self._members(stream, place, paths, count * len(fields), depth)
        if not members:
            return {}
        if count == 1:
            return dict(zip(fields, members, strict=True))
        batches = range(0, len(members), len(fields))
        structs = [dict(zip(fields, members[k : k + len(fields)], strict=True)) for k in batches]
        return Elements(shape, False, structs)

    def _field_names(self, stream: Plain) -> list[str]:
        width = int.from_bytes(self.element(stream)[1], "little" if self.order == "<" else "big")
        names, width = self.element(stream)[1], max(width, 1)
        found = [names[k : k + width] for k in range(0, len(names), width)]
        return [name.split(b"\0")[0].decode("latin-1") for name in found]

    def _members(
        self, stream: Plain, place: Place, paths: Any, count: int, depth: int
    ) -> list[Node]:
        if count * 8 > stream.most_left:  # a tag each
            raise ValueError(f"{count} elements in {stream.most_left} bytes")
        self._spend(count)
        members: list[Node] = []
        end = stream.position
        for path, _ in zip(paths, range(count), strict=False):
            # Only now, so that the values of the last one are not passed over.
            stream.skip(end - stream.position)
            kind, length, _ = self.tag(stream)
            if kind != MATRIX:
                raise ValueError(f"{path}: an element of type {kind}")
            end = stream.position + length
            inner = self.variable(stream, place, path, depth + 1)[1] if length else _EMPTY
            members.append(inner)
        return members

    def _describe(
        self,
        stream: Plain,
        name: str,
        shape: tuple[int, ...],
        kind: int,
        place: Place,
        is_logical: bool,
    ) -> VariableInfo:
        is_complex = place.is_complex
        stored, length, content = self.tag(stream)
        # The same for all elements that are alike, which may be many.
        key = shape, kind, stored, is_complex, is_logical, place.compressed
        if kind == _CHAR:
            text = VariableInfo("", shape, np.dtype("U1"), {"MATLAB_class": "char"})
            return self._infos.setdefault(key, text)
        wanted = math.prod(shape) * np.dtype(STORED.get(stored, "V1")).itemsize
        if stored not in STORED or length != wanted:
            raise ValueError(
                f"{name}: {length} bytes of values of type {stored}, which do not make an array of "
                f"shape {shape}"
            )
        if content is None and length > stream.most_left:
            raise ValueError(f"{name}: {length} bytes of values, of which most are missing")
        if key not in self._infos:
            # MATLAB saves whole numbers of any class in the smallest type that holds them. Integer
            # classes get their type back, for their limits have a meaning.
            is_real = _CLASSES[kind] in {"double", "single"}
            dtype = np.dtype(STORED[stored] if is_real else _CLASSES[kind])
            dtype = np.dtype(bool) if is_logical else dtype
            attributes = {"MATLAB_class": "logical" if is_logical else _CLASSES[kind]}
            dtype = complex_dtype(dtype) if is_complex else dtype
            # What is compressed is unpacked whole.
            together = math.prod(shape) * dtype.itemsize if place.compressed else 0
            self._infos[key] = VariableInfo("", shape, dtype, attributes, together=together)
        return self._infos[key]
