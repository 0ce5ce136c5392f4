"""Reading MATLAB 7.3 files (``save -v7.3``): HDF5 with the axes in reverse order.

Cells, and arrays of structs, hold references to what lies in the group ``#refs#``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .content import Content
from .dtypes import plain_dtype
from .files import VariableInfo
from .hdf5 import Hdf5File, is_hdf5, topmost
from .matlab_files import MatlabFile
from .matlab_trees import DEEPEST, Elements, Leaf, Node, TooManyElementsError, refused, too_many

_HEADER = b"MATLAB 7.3"
_CLASS = "MATLAB_class"
_CLASS_NAME = _CLASS.encode()
_CELL, _STRUCT, _TEXTS = "cell", "struct", "char"
_NUMBERS = {
    "double", "single", "logical",
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
}  # fmt: skip
_COMMON = {_CLASS, "MATLAB_int_decode"}
"""Attributes of plain numbers and texts."""

_APART = ("#refs#", "#subsystem#")
"""Groups of what cells, objects and function handles refer to."""


class Matlab73File(MatlabFile, Hdf5File):
    """A MATLAB 7.3 file; axes stand in MATLAB's order, the reverse of what HDF5 says."""

    format = "MATLAB 7.3"

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is HDF5."""
        return is_hdf5(content)

    @classmethod
    def confirms(cls, path: Path) -> bool:
        """Return whether it has MATLAB's header, or variables of MATLAB's classes."""
        with path.open("rb") as head:
            if head.read(len(_HEADER)) == _HEADER:
                return True
        with h5py.File(path, "r", locking="best-effort") as file:
            return any(_CLASS in item.attrs for item in topmost(file))

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._alike: dict[Any, VariableInfo] = {}

    def _grow(self) -> Iterator[tuple[str, Node]]:
        for name, item in _children(self._file):
            if name not in _APART:
                try:
                    yield name, self._node(item, name, ())
                except TooManyElementsError:
                    yield name, too_many()

    def _node(self, item: Any, source: Any, above: tuple[Any, ...]) -> Node:
        """Return the tree of a group or dataset, which `source` finds again.

        `above` are the structs and cells that hold it.
        """
        if isinstance(item, h5py.Group):
            return self._struct(item, above)
        if not isinstance(item, h5py.Dataset):
            return refused("found a type, wanted an array of numbers")
        if _is_cell(item):
            return self._within(item, above) or Elements(
                item.shape[::-1], True, self._referred(item, (*above, item))
            )
        return Leaf(self._describe("", item), source)

    def _within(self, item: Any, above: tuple[Any, ...]) -> Leaf | None:
        """Return a refusal of a struct or cell that lies within itself, or too deep."""
        if item in above:
            return refused("found a struct or cell that holds itself; the file is damaged")
        if len(above) >= DEEPEST:
            return refused(f"found it within {DEEPEST} structs and cells, wanted fewer")
        return None

    def _struct(self, group: h5py.Group, above: tuple[Any, ...]) -> Node:
        kind = _text(group.attrs.get(_CLASS, _STRUCT))
        if "MATLAB_sparse" in group.attrs:
            return refused("found a sparse matrix, wanted an array of numbers; save it as a full "
                           "array")  # fmt: skip
        if kind != _STRUCT:
            return refused(
                f"found a MATLAB {kind}, wanted an array of numbers; save its numbers as variables "
                "of their own"
            )
        children, reason = _children(group), self._within(group, above)
        if reason is not None:
            return reason
        shape, above = _shape_of_structs(children), (*above, group)
        if shape is None:
            self._spend(len(children))
            prefix = f"{group.name}/"
            return {name: self._node(item, prefix + name, above) for name, item in children}
        columns = [self._referred(item, above) for _, item in children]
        names = [name for name, _ in children]
        structs = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        return Elements(shape, False, structs)

    def _referred(self, dataset: h5py.Dataset, above: tuple[Any, ...]) -> list[Node]:
        """Return the trees of what a dataset of references refers to."""
        references = np.asarray(dataset[()]).ravel()
        self._spend(references.size)
        return [
            self._referred_one(one, above) if one else refused("found nothing in it")
            for one in references
        ]

    def _referred_one(self, reference: h5py.Reference, above: tuple[Any, ...]) -> Node:
        # Most elements are like one before, and there may be very many: what is alike is described
        # once, which takes a quarter of the time.
        likeness = _likeness(h5py.h5r.dereference(reference, self._file.id))
        if likeness in self._alike:
            return Leaf(self._alike[likeness], reference)
        node = self._node(self._file[reference], reference, above)
        known = node.info if likeness and isinstance(node, Leaf) else None
        if known and not known.refusal and set(known.attributes) <= _COMMON:
            self._alike[likeness] = known
        return node

    def _refusal(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> str:
        kind = attributes.get(_CLASS, "double")
        if "MATLAB_object_decode" in attributes or "MATLAB_function_class" in attributes:
            kind = f"object ({kind})"
        if "MATLAB_empty" in attributes:
            return "found an empty array, wanted numbers"
        if kind != _TEXTS and kind not in _NUMBERS:
            return (
                f"found a MATLAB {kind}, wanted an array of numbers; save its numbers as variables "
                "of their own"
            )
        return super()._refusal(dataset, attributes)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[::-1]

    def _dtype(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> np.dtype[Any]:
        kind = attributes.get(_CLASS)
        if kind == _TEXTS:
            return np.dtype("U1")
        return np.dtype(bool) if kind == "logical" else plain_dtype(dataset.dtype)

    def _read_leaf(self, leaf: Leaf, slices: tuple[slice, ...]) -> NDArray[Any]:
        dataset = self._dataset(leaf.source)
        return self._piece(dataset, str(dataset.name), slices[::-1]).T

    def _text_of(self, leaf: Leaf) -> str:
        dataset = self._dataset(leaf.source)
        if dataset.dtype.kind not in "ui":
            return str(np.asarray(dataset.asstr("utf-8", "replace")[()]).ravel()[0])
        return np.asarray(dataset[()]).astype("<u2").tobytes().decode("utf-16-le")


def _children(group: h5py.Group) -> list[tuple[str, Any]]:
    """Return what lies in a group by its name; links are not followed, wherever they lead."""
    names = [str(name) for name in group]
    hard = [name for name in names if isinstance(group.get(name, getlink=True), h5py.HardLink)]
    return [(name, group[name]) for name in hard]


def _shape_of_structs(children: list[tuple[str, Any]]) -> tuple[int, ...] | None:
    """Return the shape of an array of structs; None if a group is a single one.

    The fields of an array are datasets of references, without a class of their own, to the values
    of each struct; the field of a single struct is its value.
    """
    shapes = set()
    for _, item in children:
        if not _is_references(item) or _CLASS in item.attrs or not item.size:
            return None
        shapes.add(item.shape[::-1])
    return shapes.pop() if len(shapes) == 1 else None


def _is_cell(item: h5py.Dataset) -> bool:
    is_cell = _is_references(item) and _text(item.attrs.get(_CLASS, "")) == _CELL
    return is_cell and bool(item.size) and "MATLAB_empty" not in item.attrs


def _is_references(item: Any) -> bool:
    is_dataset = isinstance(item, h5py.Dataset) and item.shape is not None
    return is_dataset and h5py.check_ref_dtype(item.dtype) is h5py.Reference


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _likeness(identity: Any) -> Any:
    """Return what two datasets have in common that are described alike; None of what is none."""
    if not isinstance(identity, h5py.h5d.DatasetID) or not h5py.h5a.exists(identity, _CLASS_NAME):
        return None
    attribute = h5py.h5a.open(identity, _CLASS_NAME)
    kind = np.empty(attribute.shape, attribute.dtype)
    if kind.dtype.hasobject:
        return None
    attribute.read(kind)
    storage = identity.get_create_plist()
    layout = storage.get_layout()
    return (
        identity.shape,
        identity.get_type().encode(),
        kind.tobytes(),
        h5py.h5a.get_num_attrs(identity),
        h5py.h5a.exists(identity, b"MATLAB_empty"),
        layout,
        storage.get_chunk() if layout == h5py.h5d.CHUNKED else (),
        storage.get_external_count(),
    )
