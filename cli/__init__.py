"""The command line: each command translates its options into one call of the library."""

from .main import main

__all__ = ["main"]
