"""Who changed what, in short."""

from collections import Counter
from typing import Any

from ....datasets.origin import Curated, Origin
from .edits import EDITS


def changes_of(origin: Curated) -> list[dict[str, Any]]:
    """Return a row for each person who changed units, in the order of their first changes.

    Returns
    -------
    list of dict
        ``by``, ``first`` and ``last`` (when, ISO 8601), the number of changes of each kind by its
        name, and ``words`` that say them.
    """
    rows = []
    edits = [*origin.earlier, *origin.edits]
    for person in origin.people:
        own = [edit for edit in edits if edit["by"] == person]
        counts = Counter(str(edit["edit"]) for edit in own)
        times = sorted(str(edit["when"]) for edit in own)
        words = ", ".join(f"{counts[name]} {EDITS[name].words}" for name in EDITS if counts[name])
        rows.append({"by": person, "first": times[0], "last": times[-1], **counts, "words": words})
    return rows


def told_of(origin: Origin) -> str:
    """Say who changed what of units; empty of units that nobody curated."""
    if not isinstance(origin, Curated):
        return ""
    people = [f"{row['by']}: {row['words']}" for row in changes_of(origin)]
    only = ["only those that were accepted are kept"] if origin.only_accepted else []
    return "curated" + ("; ".join([f" by {'; '.join(people)}" if people else "", *only]))
