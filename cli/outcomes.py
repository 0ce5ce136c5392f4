"""What commands say of what was found: how much it explains, and what is remarked."""

import math
from collections.abc import Sequence

from ..datasets.origin import Identified
from ..datasets.store import Store
from ..training.identification.curation.summary import told_of
from ..training.identification.frame_faults import in_words
from ..training.identification.remarks import REMARKS
from ..training.identification.stored import Outcome, ways_of
from ..training.identification.ways import told
from .pages.markup import left, share
from .wording import counted

MOST_NAMED = 5
"""Sequences that are named with a remark."""


def short(outcome: Outcome) -> str:
    """Say how many units there are, what share they explain and leave, and which frames fail."""
    text = counted(outcome.units, "unit")
    if not math.isnan(outcome.explained_share):
        explained = share(outcome.explained_share)
        text += f", {explained} of the velocity's energy above noise explained"
        text += f", {left(outcome.explained_share)} of the motion left unexplained"
    if outcome.other_motion:
        text += f"; left out: {outcome.other_motion}"
    return f"{text}; {in_words(outcome.frame_faults)}" if outcome.frame_faults else text


def method_of(store: Store, outcomes: Sequence[Outcome]) -> str:
    """Say which method found a store's units, and why, and who changed them; empty for nothing.

    Parameters
    ----------
    store : Store
        Made by ``musim identify``.
    outcomes : sequence of Outcome
        Of its sequences.
    """
    origin = store.layout.origin_as(Identified)
    text = told(origin.method, origin.usual, ways_of(outcomes))
    curated = told_of(origin)
    if curated and not text:
        text = origin.method
    return f"method: {text}" + (f"; {curated}" if curated else "") if text else ""


def remarks_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Say each remark of some sequences once, with the sequences and what to try.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of the sequences, from the first on.
    """
    lines = []
    for name, remark in REMARKS.items():
        places = [str(n) for n, outcome in enumerate(outcomes) if name in outcome.remarks]
        if not places:
            continue
        where = ", ".join(places[:MOST_NAMED])
        if len(places) > MOST_NAMED:
            where += f" and {len(places) - MOST_NAMED} more"
        where = f" (sequence{'s' if len(places) > 1 else ''} {where})" if len(outcomes) > 1 else ""
        lines.append(f"{remark.words}{where}: {remark.sentence} {remark.advice}")
    return lines
