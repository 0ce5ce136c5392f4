"""What a page asks for, checked before anything is read."""

import threading
from collections.abc import Iterable, Mapping
from typing import TypeVar

from ...simulator.errors import InputError

Chosen = TypeVar("Chosen")

LONGEST = 20
"""Figures of a whole number are fewer."""


class AbandonedError(Exception):
    """Nobody waits for an answer any more."""


class Query:
    """Named values of a request.

    Parameters
    ----------
    values : mapping of str to str
    abandoned : threading.Event, optional
        Set where nobody waits for the answer any more.
    """

    def __init__(self, values: Mapping[str, str], abandoned: threading.Event | None = None) -> None:
        self.values = values
        self.abandoned = abandoned or threading.Event()

    def check(self) -> None:
        """Raise AbandonedError if nobody waits for the answer: what takes long calls it often."""
        if self.abandoned.is_set():
            raise AbandonedError

    def text(self, name: str, default: str = "") -> str:
        """Return a value as it is."""
        return self.values.get(name, default)

    def integer(self, name: str, default: int | None, low: int, high: int) -> int:
        """Return a whole number within bounds.

        Raises
        ------
        InputError
            If it is something else, or not given and without default.
        """
        text = self.values.get(name)
        if text is None and default is not None:
            return default
        # Not what `int` reads beyond it: spaces, underscores, figures of other scripts, any length.
        plain = text is not None and text.isascii() and text.isdecimal() and len(text) < LONGEST
        number = int(text) if plain and text is not None else low - 1
        if not low <= number <= high:
            raise InputError(f"{name}: found {_shown(text)}, wanted {low} to {high}")
        return number

    def choice(self, name: str, among: Mapping[str, Chosen]) -> Chosen:
        """Return one of several things by its name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        text = self.values.get(name)
        if text is None or text not in among:
            raise InputError(f"{name}: found {_shown(text)}, wanted one of {', '.join(among)}")
        return among[text]

    def some(self, name: str, count: int) -> list[int]:
        """Return whole numbers from 0, below `count`, that commas part; all if not given.

        Raises
        ------
        InputError
            If one is something else, or comes twice.
        """
        text = self.values.get(name)
        if text is None:
            return list(range(count))
        numbers = [Query({name: part}).integer(name, None, 0, count - 1) for part in _parts(text)]
        if len(set(numbers)) < len(numbers):
            raise InputError(f"{name}: found {_shown(text)}, wanted each once")
        return numbers


def _parts(text: str) -> Iterable[str]:
    return [part for part in text.split(",") if part]


def _shown(text: str | None) -> str:
    return "nothing" if text is None else repr(text[:40])
