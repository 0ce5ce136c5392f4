"""What MATLAB files of all levels have in common: trees of variables, and reading joined ones."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .files import File, VariableInfo
from .matlab_trees import MOST_NODES, Joined, Leaf, Node, TooManyElementsError, find, listed

MOST_LISTED = 100_000
"""Variables that are listed; others are found by their names."""


class MatlabFile(File):
    """A MATLAB file: each variable is a tree of structs, cells and numbers.

    Elements of cells and of arrays of structs that are alike can be read as one array, piece by
    piece, though each lies in a place of its own (:mod:`.matlab_trees`).
    """

    suffixes = (".mat",)
    column_major = True
    drops_last_axes = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._trees: dict[str, Node] = {}
        self._found: dict[str, tuple[str, Leaf]] = {}
        self._nodes_left = MOST_NODES

    @abstractmethod
    def _grow(self) -> Iterator[tuple[str, Node]]:
        """Yield the name and the tree of each variable, without reading values."""

    @abstractmethod
    def _read_leaf(self, leaf: Leaf, slices: tuple[slice, ...]) -> NDArray[Any]:
        """Return a piece of one array of the file, in memory of its own."""

    def _text_of(self, leaf: Leaf) -> str:
        """Return the text of a leaf that is one."""
        raise NotImplementedError

    def _spend(self, count: int) -> None:
        """Count elements and fields that are about to be looked at.

        Raises
        ------
        TooManyElementsError
        """
        self._nodes_left -= count
        if self._nodes_left < 0:
            raise TooManyElementsError

    def _list(self) -> Iterator[VariableInfo]:
        self._trees = dict(self._grow())
        named = (info for name, tree in self._trees.items() for info in listed(name, tree))
        return islice(named, MOST_LISTED)

    def _unlisted(self, name: str) -> VariableInfo | None:
        found = self._find(name)
        return found and replace(found[1].info, name=found[0])

    def _find(self, name: str) -> tuple[str, Leaf] | None:
        """Return what a name means, with the name as it is shown; None if it means nothing."""
        if name in self._found:
            return self._found[name]
        # The longest first: names of other programs may hold what separates MATLAB's.
        for top in sorted(self._trees, key=len, reverse=True):
            if not name.startswith(top):
                continue
            try:
                found = find(top, self._trees[top], name[len(top) :])
            except InputError as error:
                raise InputError(f"{self.path}: {name}: {error}") from None
            if found:
                self._found[name] = found
                return found
        return None

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return self._read_any(self._leaf(info), slices)

    def _leaf(self, info: VariableInfo) -> Leaf:
        found = self._find(info.name)
        if found is None:
            raise KeyError(info.name)
        return found[1]

    def _read_any(self, leaf: Leaf, slices: tuple[slice, ...]) -> NDArray[Any]:
        if not isinstance(leaf.source, Joined):
            return self._read_leaf(leaf, slices)
        joined = leaf.source
        end = len(slices) - joined.behind
        own = end - len(joined.lengths)
        inner, along = (*slices[:own], *slices[end:]), slices[own:end]
        result = np.empty([s.stop - s.start for s in slices], leaf.info.dtype, order="F")
        # In the order of the file, so that what is compressed is unpacked once.
        for place in product(*(range(s.start, s.stop) for s in reversed(along))):
            number = int(np.ravel_multi_index(place[::-1], joined.lengths, order="F"))
            within = (n - s.start for n, s in zip(place[::-1], along, strict=True))
            result[(*[slice(None)] * own, *within)] = self._read_any(joined.members[number], inner)
        return result

    def _text(self, info: VariableInfo) -> str:
        if info.shape and info.shape[0] > 1:
            raise InputError(f"{self.path}: {info.name}: found several texts, wanted one")
        return self._text_of(self._leaf(info))
