"""What every published layout is: a way to recognise its files, and what they mean."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from ..files import File
from ..plausibility import Guess


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

    def has(self, name: str) -> bool:
        """Return whether the file has a variable of that name."""
        return any(info.name == name for info in self.file.variables)
