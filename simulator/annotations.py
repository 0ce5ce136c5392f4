"""What the type annotation of a declared field says of its values."""

import types
import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .kinds import (
    FlagKind,
    Kind,
    NumberKind,
    PairKind,
    RangeKind,
    TableKind,
    TextKind,
    TupleKind,
)
from .ranges import Range

T = TypeVar("T")


class Given(Generic[T]):
    """Annotates a field that holds a T and may be given as what is read as one.

    ``units: Given[Range]`` holds a :class:`Range`, and takes ``(5, 30)``, ``[5, 30]``, ``5`` and
    ``"5-30"``. It is for type checkers alone, which see that what is set is not what is got.
    """

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any = None) -> T: ...

        def __set__(self, instance: object, value: T | float | str | Sequence[Any]) -> None: ...


def kind_of(annotation: Any, separator: str = "x") -> tuple[Kind, bool, tuple[str, ...]]:
    """Return what a type annotation says of a field.

    Parameters
    ----------
    annotation : type
        ``Range``, int, float, bool, str, ``Literal`` of texts, or tuples; optional, or in
        :class:`Given`.
    separator : str
        Between the two numbers of a pair.

    Returns
    -------
    kind : Kind
    optional : bool
        Whether it may be None.
    choices : tuple of str
        Those of a ``Literal``, else none.

    Raises
    ------
    TypeError
        If there is no kind for it.
    """
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        (other,) = (each for each in inner if each is not type(None))
        kind, _, choices = kind_of(other, separator)
        return kind, True, choices
    if typing.get_origin(annotation) is Given:
        return kind_of(inner[0], separator)
    if typing.get_origin(annotation) is Literal:
        return TextKind(), False, inner
    return _plain_kind(annotation, separator), False, ()


def _plain_kind(annotation: Any, separator: str) -> Kind:
    simple: dict[Any, Kind] = {Range: RangeKind(), bool: FlagKind(), str: TextKind(),
                               int: NumberKind(int), float: NumberKind(float)}  # fmt: skip
    if annotation in simple:
        return simple[annotation]
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is not tuple or len(inner) != 2:
        raise TypeError(f"found a field annotated {annotation}, wanted a type that kinds has")
    within = _plain_kind(inner[0], separator)
    if inner[1] is not Ellipsis:
        return PairKind(within, separator)
    return TableKind(within) if isinstance(within, PairKind) else TupleKind(within)
