"""What variables of MATLAB files are made of (numbers, structs, cells), and how they are called.

Names are MATLAB's, but that fields stand behind a slash as in other formats: ``Trans/frequency``,
``RcvData{1}``, ``frames(3)/img``. ``Trans.frequency`` is understood too. What all elements of a
cell, or of an array of structs, have alike is one more variable, with the elements along its last
axes: ``IQ{:}``, ``frames/img``.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...simulator.errors import InputError
from .files import VariableInfo

MOST_NODES = 1_000_000
"""Elements and fields of a file that are looked at."""

DEEPEST = 20
"""Structs and cells within one another that are looked into."""

SHOWN = 8
"""Elements of a cell that are listed one by one; of more, what they have alike is listed alone."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Numbers, a text, or what cannot be read.

    Parameters
    ----------
    info : VariableInfo
        Without a name: the place within the tree gives it.
    source : object
        How its file finds the values; :class:`Joined` for those of several leaves.
    """

    info: VariableInfo
    source: Any = None


@dataclass(frozen=True, slots=True)
class Elements:
    """A cell, or an array of structs.

    Parameters
    ----------
    shape : tuple of int
    is_cell : bool
    members : sequence of Node
        In MATLAB's order, the first axis running fastest.
    """

    shape: tuple[int, ...]
    is_cell: bool
    members: Sequence["Node"]


Node = Leaf | Elements | dict[str, "Node"]
"""A variable: a dict is a struct, by the names of its fields."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Leaves of one shape, one behind the other.

    Parameters
    ----------
    members : tuple of Leaf
    lengths : tuple of int
        The axes along which they stand; the first one runs fastest.
    behind : int
        Axes that follow these: those of what the elements themselves lie in.
    """

    members: tuple[Leaf, ...]
    lengths: tuple[int, ...]
    behind: int = 0


class TooManyElementsError(Exception):
    """A file has more elements and fields than are looked at."""


def refused(reason: str, shape: tuple[int, ...] = ()) -> Leaf:
    """Return a leaf that cannot be read."""
    return Leaf(VariableInfo("", shape, None, refusal=reason))


def too_many() -> Leaf:
    """Return what stands for a variable of too many elements."""
    return refused(
        f"found more than {MOST_NODES} elements in this file, wanted fewer; save what is needed as "
        "an array of numbers"
    )


def listed(name: str, node: Node) -> Iterator[VariableInfo]:
    """Yield what a variable holds, by the names that are shown."""
    if isinstance(node, Leaf):
        yield replace(node.info, name=name)
    elif isinstance(node, dict):
        for field, child in node.items():
            yield from listed(f"{name}/{field}", child)
    elif not node.is_cell:
        yield from listed(name, join(node, name))
    else:
        if len(node.members) > 1:
            together = listed(f"{name}{{:}}", join(node, name))
            many = len(node.members) > SHOWN
            yield from (info for info in together if many or not info.refusal)
        if len(node.members) <= SHOWN:
            for number, member in enumerate(node.members, 1):
                yield from listed(f"{name}{{{number}}}", member)


def find(name: str, node: Node, rest: str) -> tuple[str, Leaf] | None:
    """Return what a name means, with the name as it is shown; None if it means nothing.

    Parameters
    ----------
    name : str
        Of `node`.
    node : Node
    rest : str
        What is left of the whole name: indices and fields.

    Raises
    ------
    InputError
        If it counts beyond the elements.
    """
    if isinstance(node, Leaf):
        return (name, node) if not rest or node.info.refusal else None
    if isinstance(node, Elements):
        return _find_element(name, node, rest)
    if not rest:
        reason = f"found a struct, wanted an array of numbers; name a field, {_some(node)}"
        return name, refused(reason)
    for field in sorted(node, key=len, reverse=True):
        follows = rest[1 + len(field) :]
        if rest[0] in "./" and rest[1:].startswith(field) and follows[:1] in {*"./{(", ""}:
            return find(f"{name}/{field}", node[field], follows)
    return None


_INDEX = {True: re.compile(r"\{([\d,\s]+|\s*:\s*)\}"), False: re.compile(r"\(([\d,\s]+|\s*:\s*)\)")}


def _find_element(name: str, node: Elements, rest: str) -> tuple[str, Leaf] | None:
    index = _INDEX[node.is_cell].match(rest)
    if not node.is_cell and not rest:
        return name, refused(
            f"found an array of {len(node.members)} structs, wanted an array of numbers; name a "
            f"field of all or of one, {name}/... or {name}(1)/...: {_some(node.members[0])}",  # type: ignore[arg-type]
            node.shape,
        )
    if not node.is_cell and not index:  # all elements, as in [frames.img]
        return find(name, join(node, name), rest)
    if not rest:
        choice = f"{name}{{1}}" + (f", or {name}{{:}} for all" if len(node.members) > 1 else "")
        return name, refused(
            f"found a cell array of {len(node.members)}, wanted an array of numbers; give {choice}",
            node.shape,
        )
    if not index:
        return None
    left = rest[index.end() :]
    if index[1].strip() == ":":
        return find(f"{name}{{:}}" if node.is_cell else name, join(node, name), left)
    number = _number(index[1], node.shape)
    if number is None:
        last = element_name(name, node.is_cell, len(node.members) - 1)
        raise InputError(f"found a number beyond the elements, wanted one up to {last}")
    return find(element_name(name, node.is_cell, number), node.members[number], left)


def _number(index: str, shape: tuple[int, ...]) -> int | None:
    """Return which element an index of one number, or of one an axis, means."""
    places = [int(part) - 1 for part in index.split(",") if part.strip()]
    lengths = (math.prod(shape),) if len(places) == 1 else shape
    if len(places) != len(lengths):
        return None
    if any(not 0 <= place < length for place, length in zip(places, lengths, strict=True)):
        return None
    return int(np.ravel_multi_index(places, lengths, order="F"))


def element_name(name: str, is_cell: bool, number: int) -> str:
    """Return the name of an element, counted from 0."""
    return f"{name}{{{number + 1}}}" if is_cell else f"{name}({number + 1})"


def join(elements: Elements, name: str) -> Node:
    """Return what all elements of a cell or of an array of structs have alike, as one variable.

    Numbers of one shape become one array, of the type that holds them all, with the elements along
    last axes; axes of the cell that are of length 1 are left out. What cannot be joined is refused
    by the names of two elements and how they differ.
    """
    lengths = tuple(n for n in elements.shape if n != 1) or (1,)

    def name_of(number: int) -> str:
        return element_name(name, elements.is_cell, number)

    return _join(elements.members, name_of, lengths)


def _join(nodes: Sequence[Node], name_of: Callable[[int], str], lengths: tuple[int, ...]) -> Node:
    first = nodes[0]
    odd = next((k for k, node in enumerate(nodes) if _kind(node) != _kind(first)), None)
    if odd is not None:
        return refused(
            f"found {_kind(first)} in {name_of(0)} and {_kind(nodes[odd])} in {name_of(odd)}, "
            "wanted all elements alike; name one of them"
        )
    if isinstance(first, dict):
        return {
            field: _join([node[field] for node in nodes], _below(name_of, f"/{field}"), lengths)  # type: ignore[index]
            for field in first
        }
    if isinstance(first, Elements):
        inner = [
            _join(
                [node.members[number] for node in nodes],  # type: ignore[union-attr]
                _below(name_of, element_name("", first.is_cell, number)),
                lengths,
            )
            for number in range(len(first.members))
        ]
        return Elements(first.shape, first.is_cell, inner)
    return _join_leaves(nodes, name_of, lengths)  # type: ignore[arg-type]


def _below(name_of: Callable[[int], str], suffix: str) -> Callable[[int], str]:
    return lambda number: name_of(number) + suffix


def _kind(node: Node) -> str:
    """Return what elements must have in common to be joined, in words."""
    if isinstance(node, Leaf):
        return "a text" if node.info.is_text else "an array"
    if isinstance(node, dict):
        return f"a struct of {', '.join(node) or 'nothing'}"
    return f"a {'cell' if node.is_cell else 'struct'} array of shape {node.shape}"


def _join_leaves(
    leaves: Sequence[Leaf], name_of: Callable[[int], str], lengths: tuple[int, ...]
) -> Leaf:
    first = leaves[0].info
    if first.is_text:
        reason = f"found {len(leaves)} texts, wanted numbers; name one of them, such as"
        return refused(f"{reason} {name_of(0)}", lengths)
    dtypes, attributes, together = {}, first.attributes, 0
    for number, leaf in enumerate(leaves):
        info = leaf.info
        if info.refusal:
            return refused(f"{name_of(number)}: {info.refusal}", (*info.shape, *lengths))
        if info.shape != first.shape:
            return refused(
                f"found shape {first.shape} in {name_of(0)} and {info.shape} in "
                f"{name_of(number)}, wanted one shape; name one of them",
                (*first.shape, *lengths),
            )
        dtypes[info.dtype] = True
        together = max(together, info.together)
        if info.attributes is not attributes and not _same(info.attributes, attributes):
            attributes = {}
    source = leaves[0].source  # joined, if what holds these elements is itself one of several
    behind = source.behind + len(source.lengths) if isinstance(source, Joined) else 0
    own = len(first.shape) - behind
    shape = (*first.shape[:own], *lengths, *first.shape[own:])
    dtype = np.result_type(*dtypes)
    info = VariableInfo("", shape, dtype, attributes, together=together)
    return Leaf(info, Joined(tuple(leaves), lengths, behind))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def _some(node: dict[str, Node], most: int = 6) -> str:
    names = ", ".join([*node][:most]) or "of which it has none"
    return names + (f" and {len(node) - most} more" if len(node) > most else "")
