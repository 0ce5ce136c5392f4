"""The axes of a recording: what people call them, and which axis of the data is which."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ...simulator.errors import InputError
from .files import File, VariableInfo
from .recording_kinds import AXES, ORDER, PART
from .vocabulary import DIMS, last_part

_OF_ECHOES = {"depth": "sample", "width": "channel"}
"""What stands in place of depth and width before beamforming."""

_EITHER = "y"
"""Depth where width has a name (t, y, x), and width where depth has one (t, z, y)."""


def parse_axes(given: Mapping[str, Any], kind: str, source: str) -> tuple[str, ...]:
    """Return the names of the axes, from a list or a text with commas; none if none are given.

    Common names are understood: ``z, x, t`` are depth, width and time, and so are ``axial``,
    ``lateral`` and ``frame``; see :data:`.vocabulary.DIMS`.

    Raises
    ------
    InputError
        If a name is not known, or they are not the axes of this kind.
    """
    value = given.get("axes")
    if value is None:
        return ()
    needed, allowed = AXES[kind]
    wanted = f"{', '.join(needed)} and perhaps {', '.join(allowed)}, in the file's order"
    if isinstance(value, str):
        value = _split(value)
    if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{source}: axes: found {value!r}, wanted {wanted}; give them as a list")
    axes = axes_called(value, kind)
    for name, axis in zip(value, axes, strict=True):
        if not axis:
            known = {other: one for one in (*needed, *allowed) for other in (one, *DIMS[one])}
            close = get_close_matches(last_part(name), known, n=1, cutoff=0.6)
            hint = f"did you mean {known[close[0]]}?" if close else "rename it"
            image = axes_called([name], "iq")[0]
            if kind == "rf" and image in _OF_ECHOES:
                hint = (
                    f"of single elements' echoes it is {_OF_ECHOES[image]}; beamformed images are "
                    "imported as iq, demodulated"
                )
            raise InputError(f"{source}: axes: found {name!r}, wanted {wanted}; {hint}")
    for place, axis in enumerate(axes):
        first = axes.index(axis)
        if first < place:
            both = f"{value[first]} and {value[place]}, which are both {axis}"
            if axis == "time" and kind == "rf":
                both += " (frames, not the fast time of samples)"
            raise InputError(f"{source}: axes: found {both}, wanted {wanted}; name each once")
    missing = [name for name in needed if name not in axes]
    if missing:
        alone = "; one frame alone has no velocity" if missing == ["time"] else ""
        raise InputError(
            f"{source}: axes: found {', '.join(value) or 'none'}, wanted {wanted}; name "
            f"{' and '.join(missing)} too{alone}"
        )
    return axes


def axes_called(names: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return the axis of a kind of recording that each name means; empty for a name of none."""
    needed, allowed = AXES[kind]
    known = {name: axis for axis, synonyms in DIMS.items() for name in (axis, *synonyms)}
    found = [known.get(last_part(name), "") for name in names]
    left = [axis for axis in ("depth", "width") if axis in needed and axis not in found]
    if len(left) == 1:
        found = [
            left[0] if last_part(name) == _EITHER else axis
            for name, axis in zip(names, found, strict=True)
        ]
    return tuple(axis if axis in (*needed, *allowed) else "" for axis in found)


def axes_from_dims(info: VariableInfo, kind: str) -> tuple[str, ...]:
    """Return what a file's own names of axes mean, but of those of length 1; empty if unclear."""
    names = [name for name, n in zip(info.dims, info.shape, strict=bool(info.dims)) if n > 1]
    axes = axes_called(names, kind)
    clear = all(axes) and len({*axes}) == len(axes) and {*AXES[kind][0]} <= {*axes}
    return axes if clear else ()


def fit_axes(
    axes: Sequence[str], kind: str, info: VariableInfo, file: File
) -> tuple[tuple[str | None, ...], dict[str, int]]:
    """Match the names of axes with the axes of the data.

    Parameters
    ----------
    axes : sequence of str
        Those of a description.
    kind : {"rf", "iq", "velocity"}
    info : VariableInfo
        The data.
    file : File

    Returns
    -------
    axes : tuple of str or None
        Of each axis of the data its name; None for one of length 1 without a name.
    lengths : dict of str to int
        Length of every axis of :data:`.recording_kinds.ORDER`; of :data:`.recording_kinds.PART`
        too, where the data have it.

    Raises
    ------
    InputError
        If they do not fit.
    """
    named, shape = list(axes), list(info.shape)
    where = f"{file.path}: {info.name}: axes"
    if len(named) > len(shape) and file.drops_last_axes:
        shape += [1] * (len(named) - len(shape))  # last axes of length 1
    surplus = len(shape) - len(named)
    ones = [i for i, n in enumerate(shape) if n == 1]
    fitted: list[str | None] = [*named]
    if surplus > 0 and len(ones) == surplus:
        names = iter(named)
        fitted = [None if i in ones else next(names) for i in range(len(shape))]
    elif surplus:
        raise InputError(
            f"{where}: found {len(named)} names ({', '.join(named)}) for an array of shape "
            f"{info.shape}, wanted one for each axis; name them all"
        )
    lengths = dict.fromkeys(ORDER[kind], 1)
    lengths |= {name: n for name, n in zip(fitted, shape, strict=True) if name}
    # Two are the least that has a step in time; one element or row of pixels has no image.
    for name in AXES[kind][0]:
        if lengths[name] < 2:
            raise InputError(
                f"{where}: found {lengths[name]} along {name} in an array of shape {info.shape}, "
                "wanted 2 or more; change the order of axes"
            )
    if lengths.get(PART, 2) != 2:
        raise InputError(
            f"{where}: found {lengths[PART]} along {PART} in an array of shape {info.shape}, "
            "wanted 2, real and imaginary; change the order of axes"
        )
    if 0 in lengths.values():
        raise InputError(f"{where}: found an empty array, of shape {info.shape}; wanted data")
    return tuple(fitted), lengths


def _split(text: str) -> list[str]:
    """Return the names in a text: ``"z, x, t"``, ``"(z x t)"`` or ``"zxt"``."""
    names = re.split(r"\s*,\s*|\s+", text.strip("[]() "))
    if len(names) == 1 and re.fullmatch(r"[tzxy]{3,4}", names[0].lower()):
        return [*names[0]]
    return names
