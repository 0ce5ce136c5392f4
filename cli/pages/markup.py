"""Elements of HTML and SVG whose text is always text, and numbers and colours as they read."""

import math
from typing import Any

from markupsafe import Markup, escape

from ...training.colours import COLOURS

UNKNOWN = "–"
"""What stands where a number is not known."""

_VOID = {"br", "img", "link", "meta"}


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return an element of HTML or SVG.

    Parameters
    ----------
    name : str
    *children
        Markup as it is, anything else as text, None as nothing.
    **attributes
        An underscore stands for a hyphen, one at the end keeps Python's words apart (``class_``).
        None and False leave the attribute out, True gives it without a value. Values are text,
        markup too: within an attribute there are no elements.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        words.append(attribute if value is True else f'{attribute}="{escape(str(_text(value)))}"')
    start = Markup(f"<{' '.join(words)}>")
    return start if name in _VOID else start + join(*children) + Markup(f"</{name}>")


def join(*children: Any) -> Markup:
    """Return markup and texts after one another; texts are escaped, and None is nothing."""
    return Markup().join(_text(child) for child in children if child is not None)


def _text(value: Any) -> str:
    """Return a value as text; fractions with no more digits than a drawing needs."""
    if isinstance(value, str):
        return value  # markup stays markup
    return f"{round(value, 3):g}" if isinstance(value, float) else str(value)


def fixed(value: float, decimals: int = 2) -> str:
    """Return a number with this many decimals; NaN as a dash, infinity as its sign."""
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    if not text.strip("-0."):
        text = text.removeprefix("-")  # no negative zero
    return text.replace("-", "−")


def share(value: float) -> str:
    """Return a share as a percentage."""
    return UNKNOWN if math.isnan(value) else f"{fixed(100 * value, 0)} %"


def left(explained: float) -> str:
    """Return what a share that is explained leaves, with two decimals; 0.00 is nothing at all."""
    remainder = 1 - explained
    return "less than 0.01" if 0 < remainder < 0.005 else fixed(remainder)


def listed(names: list[str]) -> str:
    """Return names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def colour_class(unit: int) -> str:
    """Return the class that gives an element its unit's colour."""
    return f"c{unit % len(COLOURS)}"


def colour_rules() -> str:
    """Return the style sheet's rules for the units' colours, and for text written on them."""
    return "\n".join(
        f".c{number}{{--unit:{colour};--on-unit:{'#fff' if _is_dark(colour) else '#000'}}}"
        for number, colour in enumerate(COLOURS)
    )


def _is_dark(colour: str) -> bool:
    """Return whether white is read better on a colour than black, by WCAG's contrast."""
    luminance = 0.0
    for weight, place in ((0.2126, 1), (0.7152, 3), (0.0722, 5)):
        value = int(colour[place : place + 2], 16) / 255
        linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        luminance += weight * linear
    return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05
