"""Tables and figures that a command has left in a folder, for pages."""

import json
from collections.abc import Callable
from typing import Any

from ...datasets.location import Location
from ...simulator.errors import FailureError

Draw = Callable[[Location, dict[str, Any], list[dict[str, str]]], str]


def page_of(folder: Location, files: tuple[str, str], draw: Draw, command: str, again: str) -> str:
    """Return a page drawn of the tables and captions of a folder.

    Parameters
    ----------
    folder : Location
    files : (str, str)
        Names of the JSON of its numbers and of that of its figures' captions.
    draw : callable
        Makes the page of the folder, its numbers and its captions.
    command : str
        What wrote the folder, for messages.
    again : str
        What to do where it is of another form.

    Raises
    ------
    FailureError
        If the files are not of that form.
    """
    try:
        found, figures = (json.loads(folder.read(name)) for name in files)
        return draw(folder, found, figures)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{folder}: found tables of another form ({type(error).__name__}: {error}), wanted "
            f"those of {command}; {again} with --overwrite"
        ) from error
