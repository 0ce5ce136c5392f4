"""Reading MATLAB 5 files (``save -v6`` and ``-v7``): headers first, values when asked for.

Function handles and objects are passed over by their length, never interpreted.
"""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .byte_streams import Inflated, Plain
from .content import Content
from .matlab5_elements import COMPRESSED, MATRIX, STORED, ElementReader, Place
from .matlab_files import MatlabFile
from .matlab_trees import Leaf, Node

HEADER_SIZE = 128

_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


class Matlab5File(MatlabFile):
    """A MATLAB 5 file.

    Numbers of MATLAB's class ``double`` keep the smaller type in which MATLAB saved them, such as
    int16; the attribute ``MATLAB_class`` holds the class. Variables that are not compressed are
    read piece by piece. Of compressed ones the last that was used stays in memory, whole; elements
    of a cell or of an array of structs are unpacked one after another.
    """

    format = "MATLAB 5"

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
        self._last: tuple[Place, NDArray[Any]] | None = None
        self._unpacking: tuple[int, IO[bytes], Plain] | None = None
        with path.open("rb") as file:
            file.seek(HEADER_SIZE - 2)
            order: Literal["<", ">"] = "<" if file.read(2) == b"IM" else ">"
        self._elements = ElementReader(order, self._spend)

    def close(self) -> None:
        """Forget the array that is kept, and where the last one was unpacked."""
        self._last = None
        if self._unpacking is not None:
            self._unpacking[1].close()
            self._unpacking = None

    def _grow(self) -> Iterator[tuple[str, Node]]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            start = HEADER_SIZE
            while start + 8 <= size:
                file.seek(start)
                kind, length = struct.unpack(f"{self._elements.order}2I", file.read(8))
                self._check_element(kind, length, size - start - 8)
                start += 8
                place = Place(start, length, kind == COMPRESSED)
                stream = _stream(file, place)
                if place.compressed:
                    kind, inner, _ = self._elements.tag(stream)
                    if kind != MATRIX:
                        raise ValueError(f"an element of type {kind} where a variable was expected")
                    place = place._replace(end=stream.position + inner)
                name, tree = self._elements.variable(stream, place)
                if name:  # what function handles refer to has none, and is no variable
                    yield name, tree
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

    def _read_leaf(self, leaf: Leaf, slices: tuple[slice, ...]) -> NDArray[Any]:
        place: Place = leaf.source
        if place.compressed:
            if self._last is None or self._last[0] != place:
                self._last = None  # not two arrays in memory at once
                self._last = place, self._unpack(leaf)
            return self._last[1][slices].copy(order="K")
        shape, dtype = leaf.info.shape, leaf.info.dtype
        with self.path.open("rb") as file:
            stream = _stream(file, place)
            stream.skip(place.offset)
            first = self._mapped_part(stream, place.start, shape, slices)
            if not place.is_complex:
                return first
            return _joined(first, self._mapped_part(stream, place.start, shape, slices), dtype)

    def _unpack(self, leaf: Leaf) -> NDArray[Any]:
        """Read a compressed array, whole."""
        place, shape = leaf.source, leaf.info.shape
        with self._unpacked_to(place) as stream:
            whole = self._part(stream, shape)
            if place.is_complex:
                whole = _joined(whole, self._part(stream, shape), leaf.info.dtype)
            if stream.position > place.end - 8:  # not counting how the last element is padded
                stream.finish()
        return whole

    @contextmanager
    def _unpacked_to(self, place: Place) -> Iterator[Plain]:
        """Unpack up to a variable: on from the last one, if that lies before it."""
        kept = self._unpacking
        if kept is None or kept[0] != place.start or kept[2].position > place.offset:
            self.close()
            file = self.path.open("rb")
            kept = self._unpacking = place.start, file, _stream(file, place)
        try:
            kept[2].skip(place.offset - kept[2].position)
            yield kept[2]
        except BaseException:
            self.close()
            raise

    def _part(self, stream: Plain, shape: tuple[int, ...]) -> NDArray[Any]:
        """Read the real or the imaginary part, whole."""
        dtype, length, content = self._part_tag(stream, shape)
        if content is not None:
            return np.frombuffer(content, dtype).reshape(shape, order="F")
        if length > stream.most_left:
            raise ValueError(f"{length} bytes of values, of which most are missing")
        values = np.empty(length // dtype.itemsize, dtype)
        stream.read_into(values.view(np.uint8).data)
        stream.skip(-length % 8)
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
        stored, length, content = self._elements.tag(stream)
        dtype = np.dtype(STORED[stored]).newbyteorder(self._elements.order)
        if length != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{length} bytes for an array of shape {shape}")
        return dtype, length, content

    def _text_of(self, leaf: Leaf) -> str:
        place: Place = leaf.source
        with self.path.open("rb") as file:
            stream = _stream(file, place)
            stream.skip(place.offset)
            kind, content = self._elements.element(stream)
        encoding = _TEXTS[kind]
        if not encoding.endswith(("8", "1")):
            encoding += "-le" if self._elements.order == "<" else "-be"
        return content.decode(encoding)


def _stream(file: IO[bytes], place: Place) -> Plain:
    return (Inflated if place.compressed else Plain)(file, place.start, place.length)


def _joined(real: NDArray[Any], imaginary: NDArray[Any], dtype: Any) -> NDArray[Any]:
    result = np.empty(real.shape, dtype, order="F")
    result.real, result.imag = real, imaginary
    return result
