"""What commands say of what was found: how much it explains, and what is remarked."""

import math
from collections.abc import Sequence

from ..training.identification.frame_faults import in_words
from ..training.identification.remarks import REMARKS
from ..training.identification.stored import Outcome
from .pages.markup import share
from .wording import counted

MOST_NAMED = 5
"""Sequences that are named with a remark."""


def short(outcome: Outcome) -> str:
    """Say how many units were found, how much they explain, and which frames lack images."""
    text = counted(outcome.units, "unit")
    if not math.isnan(outcome.explained_share):
        text += f", {share(outcome.explained_share)} of the velocity's energy above noise explained"
    if outcome.other_motion:
        text += f"; left out: {outcome.other_motion}"
    return f"{text}; {in_words(outcome.frame_faults)}" if outcome.frame_faults else text


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
