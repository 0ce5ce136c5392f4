"""The table of what each unit's confidence is made of."""

import math

from markupsafe import Markup

from ...training.identification.confidence.model import DOUBTED
from ..wording import counted
from .findings import Findings, FoundUnit
from .map import label_of
from .markup import colour_class
from .tables import Column, RowHead, numbers, shares, table

RATIOS = {
    "method_confidence": "By the method itself",
    "map_repeatability": "Map repeats (Jaccard)",
    "train_repeatability": "Train repeats (correlation)",
    "firing_repeatability": "Firings found again",
    "stronger_likeness": "Like a stronger unit (correlation)",
}
"""Columns with numbers of two decimals."""

ANEW = {
    "epoch_jaccard": "In epochs anew: map (Jaccard)",
    "epoch_agreement": "In epochs anew: firings",
}
"""The same, where epochs were identified anew."""

PERCENTAGES = {
    "local_share": "Explains of motion there",
    "local_share_of_all": "All units explain there",
    "mixture_share": "Mixture of others",
}
"""Columns with percentages."""

CAPTION = (
    "What confidence is made of: whether maps repeat between overlapping halves of the recording, "
    "and trains and firings where one half is read by the maps of the other; twitches over what "
    "they leave (dB); shares of the energy of motion in the territory; and how much of a train is "
    "other units' once more"
)


def is_known(findings: Findings) -> bool:
    """Return whether it is known what confidence is made of; older stores do not say."""
    return any(not math.isnan(unit.measures["local_share"]) for unit in findings.units)


def confidence_table(findings: Findings) -> Markup:
    """Return the table of the numbers that tell how far each unit may be believed."""
    measures = [unit.measures for unit in findings.units]

    def values(name: str) -> list[float]:
        return [row[name] for row in measures]

    anew = {
        name: heading
        for name, heading in ANEW.items()
        if any(not math.isnan(value) for value in values(name))
    }
    columns = [
        Column("Confidence", numbers(values("confidence"), 2)),
        Column("Why it is doubted", [(row["doubts"], row["doubts"]) for row in measures]),
        *(Column(heading, numbers(values(name), 2)) for name, heading in (RATIOS | anew).items()),
        Column("Twitches over rest (dB)", numbers(values("pulse_to_noise_db"), 1)),
        *(Column(heading, shares(values(name))) for name, heading in PERCENTAGES.items()),
        Column("Interval CoV", shares(values("interval_variation"))),
    ]
    heads = [
        RowHead(unit.number, label_of(unit), unit.key, colour_class(unit.number))
        for unit in findings.units
    ]
    return table("confidence", CAPTION, "Unit", heads, columns)


def doubted(findings: Findings) -> list[FoundUnit]:
    """Return the units that there are reasons to doubt."""
    return [unit for unit in findings.units if unit.measures["doubts"]]


def doubts_in_words(findings: Findings) -> str:
    """Say how many units are doubted, and how many were left out; nothing if none."""
    parts = []
    count = len(doubted(findings))
    if count:
        verb = "is" if count == 1 else "are"
        parts.append(f"{counted(count, 'unit')} of confidence below {DOUBTED:g} {verb} doubted.")
    if findings.cut:
        verb = "was" if findings.cut == 1 else "were"
        parts.append(
            f"{counted(findings.cut, 'unit')} less sure than was asked for {verb} left out."
        )
    return " ".join(parts)
