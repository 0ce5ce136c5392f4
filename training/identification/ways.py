"""Which of its ways a method took in a recording, and what it saw that decided it.

Methods of the family of ``refine`` - ``learned``, ``refine``, ``ica`` - look whether units move
alike inside sharp territories and nothing else moves. If so, trains and territories are fitted
together; else each unit gets an outline of its own. A store keeps a way as its place in
:data:`WAYS`: extend that at its end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

APART = "so each got an outline of its own"
TOGETHER = "so trains and territories were fitted together"

WAYS: dict[str, str] = {
    "sharp": f"units move alike inside sharp territories (which explain {{}} of the motion seen, "
    f"{{}} wanted), {TOGETHER}",
    "unseen": f"too little was found to tell how motion ends beside units, {TOGETHER}",
    "spread": f"units' motion spreads (sharp territories explain {{}} of it, {{}} wanted), {APART}",
    "too-many": "sharp territories would take more units than there are independent motions ({} "
    f"units, at most {{}} wanted), {APART}",
    "repeated": "with sharp territories units would repeat one another ({} of them, at most {} "
    f"wanted), {APART}",
}
"""The ways by name, in words: braces are what was found and what was wanted."""

WHY_USUAL = {
    "learned": "it found most units in simulated recordings of several makers",
    "network": "runs of musim train were given",
}
"""Why a method is taken where none is asked for."""

FITTED_TOGETHER = ("sharp", "unseen")
"""Ways on which trains and territories are fitted together."""


@dataclass(frozen=True)
class Way:
    """The way that a method took in a recording, and why.

    Parameters
    ----------
    name : str
        One of :data:`WAYS`.
    found, wanted : float
        The number that decided it, and the one that it was compared with: shares 0..1, or numbers
        of units (``too-many``); NaN where none did.
    """

    name: str
    found: float = math.nan
    wanted: float = math.nan

    @property
    def together(self) -> bool:
        """Whether trains and territories were fitted together."""
        return self.name in FITTED_TOGETHER

    @property
    def words(self) -> str:
        """What was seen, and what was done about it."""
        return in_words([self])


def in_words(ways: Sequence[Way]) -> str:
    """Say what was seen in some recordings that went the same way, and what was done about it.

    Parameters
    ----------
    ways : sequence of Way
        One or more, of one name.
    """
    name = ways[0].name
    number = _number if name == "too-many" else _share
    told = [sorted({number(one) for one in values})
            for values in ([one.found for one in ways], [one.wanted for one in ways])]  # fmt: skip
    return WAYS[name].format(*(_range(texts) for texts in told))


def _share(value: float) -> str:
    # Never rounded up to what was wanted: 0.969 is not 0.97.
    return f"{math.floor(100 * value + 1e-9) / 100:.2f}" if math.isfinite(value) else ""


def _number(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else ""


def _range(texts: list[str]) -> str:
    low, high = min(texts, key=_value), max(texts, key=_value)
    return low if low == high else f"{low}-{high}"


def _value(text: str) -> float:
    return float(text or "nan")


def to_code(way: Way | None) -> int:
    """Return the number that stands for a way in stores; 0 for none."""
    return 0 if way is None else 1 + list(WAYS).index(way.name)


def from_code(code: int, found: float, wanted: float) -> Way | None:
    """Return the way that a store's numbers tell; None for those of a later musim."""
    return Way(list(WAYS)[code - 1], found, wanted) if 1 <= code <= len(WAYS) else None


def told(method: str, usual: bool, ways: Sequence[Way | None]) -> str:
    """Say which method some recordings were given to, and why, and which of its ways it took.

    Parameters
    ----------
    method : str
    usual : bool
        Whether none was asked for.
    ways : sequence of Way or None
        Of the recordings, one each.

    Returns
    -------
    str
        Empty for a method that was asked for and has one way alone.
    """
    parts = [f"{method}, the usual method ({WHY_USUAL[method]})"] if usual else [method]
    same = {name: [way for way in ways if way is not None and way.name == name] for name in WAYS}
    for group in filter(None, same.values()):
        where = f"in {len(group)} of {len(ways)} recordings " if len(ways) > 1 else ""
        parts.append(where + in_words(group))
    return "; ".join(parts) if usual or len(parts) > 1 else ""
