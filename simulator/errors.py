"""The errors that musim raises on purpose: one line, saying what was found, wanted and to do."""


class MusimError(Exception):
    """Base of all errors that musim raises on purpose; its text is one line for the user."""

    exit_code = 1


class InputError(MusimError, ValueError):
    """What the user asked for or gave cannot be used (exit code 2)."""

    exit_code = 2


class FailureError(MusimError, RuntimeError):
    """The request was sound, but the work could not be finished (exit code 1)."""
