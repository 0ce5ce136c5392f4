"""What every published layout is: a way to recognise its files, and what they mean."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ..files import Derived, File, VariableInfo
from ..plausibility import Guess

ONE_FRAME = "found one frame, wanted two or more: velocity is what changes between frames"


class PublishedLayout(ABC):
    """The meaning of a file that is laid out as a publication or a program says.

    Each layout is one class, listed in :data:`.LAYOUTS`. It recognises an open file by what that
    holds, and says what a description of it is; nothing that it does not say is guessed.

    Parameters
    ----------
    file : File
        Open, and recognised.
    """

    name: ClassVar[str]
    """Name of the layout, for the user."""

    def __init__(self, file: File) -> None:
        self.file = file

    @classmethod
    @abstractmethod
    def recognises(cls, file: File) -> bool:
        """Return whether a file is laid out so, by its variables and attributes."""

    @abstractmethod
    def guesses(self) -> Iterator[Guess]:
        """Yield the values of a description, each with its reason.

        A value is a number in the unit of :data:`.QUANTITIES`, or a variable's name with its unit
        in brackets. What the file does not say is left out, and is then called missing.
        """

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported, or has to be minded, in a line each."""
        yield from ()

    def derived(self, name: str) -> Derived | None:
        """Return an array that the file holds in another order, by a name that a guess gives it."""
        return None

    def has(self, name: str) -> bool:
        """Return whether the file has numbers of that name."""
        return any(info.name == name and info.is_numeric for info in self.file.variables)

    def numbers(self, name: str) -> NDArray[np.float64] | None:
        """Return all values of a variable; None without one of that name."""
        if not self.has(name) or self.file.info(name).dtype == np.complex128:
            return None
        return self.file.array(name).read().astype(np.float64)

    def number(self, name: str) -> float | None:
        """Return a finite number, or that which all values of a variable are; None without one."""
        values = self.numbers(name)
        if values is None or values.size == 0 or not np.isfinite(values).all():
            return None
        first = float(values.ravel()[0])
        return first if (values == first).all() else None

    def named(self, key: str, name: str, unit: str) -> Iterator[Guess]:
        """Guess that a variable is a quantity, if it is there and not 0."""
        if self.number(name):
            yield Guess(key, f"{name} [{unit}]", f"{self.name} has it in {unit}")


def axes_of(info: VariableInfo, order: Sequence[str]) -> list[str]:
    """Return the names of an array's axes that are longer than 1; `order` names all, from behind.

    Raises
    ------
    InputError
        If the array has more axes than names.
    """
    if len(info.shape) > len(order):
        raise InputError(
            f"{info.name}: found {len(info.shape)} axes, wanted {', '.join(order)} or less"
        )
    named = zip(order[len(order) - len(info.shape) :], info.shape, strict=True)
    return [name for name, length in named if length > 1]
