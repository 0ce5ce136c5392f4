"""The errors that musim raises on purpose: one line, saying what was found, wanted and to do."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What ends a line, or tells a terminal to do something: names in foreign files may hold it."""


class MusimError(Exception):
    """Base of all errors that musim raises on purpose; its text is one line for the user.

    An argument that the text advises, such as ``resume=True`` or ``chain.size``, stands in single
    backticks: the command line says its option instead (:mod:`musim.cli.wording`).
    """

    exit_code = 1

    def __init__(self, text: str) -> None:
        super().__init__(_CONTROL.sub(" ", text))


class InputError(MusimError, ValueError):
    """What the user asked for or gave cannot be used (exit code 2)."""

    exit_code = 2


class FailureError(MusimError, RuntimeError):
    """The request was sound, but the work could not be finished (exit code 1)."""
