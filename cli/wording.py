"""Words: options for the library's arguments, and numbers of things."""

import difflib
import re
from collections.abc import Iterable

# An argument in backticks, perhaps one of an object, perhaps with its value.
_ARGUMENT = re.compile(
    r"(?<!`)`(?P<name>([a-z]+\.)?[a-z_]+)(=(?P<quote>[\"']?)(?P<value>[^`\"']*)(?P=quote))?`(?!`)"
)

RENAMED = {
    "chain.frame_rate": "--resample",
    "description.size": "--image-size",
    "recordings": "--recording",
    "runs": "--run",
    "source.parameters": "--endless",
}
"""Arguments whose option has another name."""

WITH_VALUE = {"kind=rendered": "--render on-read", "written=False": "--render on-read"}
"""Arguments whose option has another name and other values."""

SETTING = "settings."
"""What names of settings of training begin with that have no option of their own."""


def as_options(text: str) -> str:
    """Return a message of the library as the command line says it.

    Parameters
    ----------
    text : str
        In which arguments stand in backticks, as in :class:`musim.simulator.errors.InputError`.

    Examples
    --------
    >>> as_options("add `resume=True`, or fewer `workers`; `dtype='float16'` takes half the room")
    'add --resume, or fewer --workers; --dtype float16 takes half the room'
    """
    return _ARGUMENT.sub(_option, text)


def _option(argument: re.Match[str]) -> str:
    name, value = argument["name"], argument["value"]
    if f"{name}={value}" in WITH_VALUE:
        return WITH_VALUE[f"{name}={value}"]
    if name.startswith(SETTING):
        return f"--set {name.removeprefix(SETTING)}={value or '...'}"
    option = RENAMED.get(name, "--" + name.rpartition(".")[2].replace("_", "-"))
    return option if value in {None, "True"} else f"{option} {value}"


def not_an_option_of(name: str, scene: str, preset: str, settings: Iterable[str]) -> str:
    """Return what there is to say of an option of other scenes that this one does not have.

    Parameters
    ----------
    name : str
        Of the parameter that the option sets.
    scene, preset : str
        What is simulated, and the preset that lists its settings.
    settings : iterable of str
        Names of those.

    Examples
    --------
    >>> not_an_option_of("frames", "trials", "cunningham-2017", ["duration", "view"])
    'found --frames for trials, wanted --set duration=...; musim presets cunningham-2017 lists all'
    """
    known = list(settings)
    asked = {"frames": "duration"}.get(name, name)
    meant = difflib.get_close_matches(asked, known, 1)
    return (
        f"found --{name.replace('_', '-')} for {scene}, wanted --set "
        f"{meant[0] if meant else 'NAME'}=...; musim presets {preset} lists all"
    )


def counted(number: int, what: str) -> str:
    """Return a number and what is counted, in the plural where it is due.

    Examples
    --------
    >>> counted(1, "sequence"), counted(3, "sequence")
    ('1 sequence', '3 sequences')
    """
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
