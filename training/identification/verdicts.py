"""What each unit is in the light of the truth: by its train first, with its outline beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .metrics import SequenceScore
from .metrics.detection import Matching, intersection_over_union
from .metrics.faults import Faults, find_faults
from .metrics.train_score import TrainScore


@dataclass(frozen=True)
class FoundVerdict:
    """What a unit that was found is.

    Parameters
    ----------
    words : str
        ``matches``, ``copy of 2``, ``joins 1 and 3``, ``part of 0``, ``outline of 4 alone`` or
        ``false``, and what else is to be said of a match.
    partner : int, optional
        The true unit that its train matches.
    correlation : float
        Of the two trains at their best lag, -1..1; NaN without a match, as all that follows.
    iou : float
        Of the two masks, 0..1, however little they share.
    firing_agreement, firing_recall, firing_precision : float
        Of the two's firings at their best lag, 0..1.
    """

    words: str
    partner: int | None = None
    correlation: float = math.nan
    iou: float = math.nan
    firing_agreement: float = math.nan
    firing_recall: float = math.nan
    firing_precision: float = math.nan


@dataclass(frozen=True)
class TrueVerdict:
    """What has become of a true unit.

    Parameters
    ----------
    words : str
        ``found``, ``split into 0 and 1``, ``joined with others in 2``, ``outline alone, in 3`` or
        ``missed``.
    found_as : int, optional
        The found unit whose train matches it.
    """

    words: str
    found_as: int | None = None


def judge(
    score: SequenceScore, predicted: NDArray[np.bool_], true: NDArray[np.bool_]
) -> tuple[tuple[FoundVerdict, ...], dict[int, TrueVerdict]]:
    """Say what each found and each true unit of a sequence is.

    A unit is found if a train matches its own (:func:`.metrics.match_trains`), whatever the
    outline. Of the others, one whose train matches a unit that has been found is a copy; what the
    rest are, their outlines tell: they join several units or are a part of one, as
    :func:`.metrics.faults.find_faults` has it, or match one though the train does not.

    Parameters
    ----------
    score : SequenceScore
        Of the sequence, with trains.
    predicted : bool array of shape (prediction, depth, width)
        The masks that were scored.
    true : bool array of shape (unit, depth, width)

    Returns
    -------
    found : tuple of FoundVerdict
        Of each prediction.
    units : dict of int to TrueVerdict
        Of each true unit that shows in the image, rising.

    Raises
    ------
    InputError
        If the score is not one of trains, or the masks are not bool masks of one image.
    """
    if score.trains is None:
        raise InputError("score: found one without trains, wanted one with; score trains too")
    iou = intersection_over_union(predicted, true)
    trains = score.trains.matching
    matching = Matching(
        predicted=trains.predicted,
        true=score.visible[trains.true],
        iou=iou[trains.predicted, score.visible[trains.true]],
        false=trains.false,
        missed=score.visible[trains.missed],
    )
    faults = find_faults(predicted, true, matching)
    outlines = _outlines_alone(score.matching, matching)
    places = {unit: place for place, unit in enumerate(matching.predicted.tolist())}
    found = tuple(
        _matched(score.trains, matching, faults, places[unit])
        if unit in places
        else FoundVerdict(_copy_of(score, unit) or _outline_of(unit, faults, outlines))
        for unit in range(len(predicted))
    )
    partners = dict(zip(matching.true.tolist(), matching.predicted.tolist(), strict=True))
    units = {
        unit: TrueVerdict("found", partners[unit])
        if unit in partners
        else TrueVerdict(_fate_of(unit, faults, outlines))
        for unit in score.visible.tolist()
    }
    return found, units


def _matched(scored: TrainScore, matching: Matching, faults: Faults, place: int) -> FoundVerdict:
    """Return the verdict on a unit whose train matches."""
    unit, partner = int(matching.predicted[place]), int(matching.true[place])
    correlation = float(scored.matching.correlation[place])
    words = "matches" if correlation > 0 else "matches inverted"
    others = [one for one in faults.merged.get(unit, ()) if one != partner]
    if others:
        words += f", outline joins {_listed(others)} too"
    firing = scored.firing[place] if scored.firing else None
    return FoundVerdict(
        words=words,
        partner=partner,
        correlation=correlation,
        iou=float(matching.iou[place]),
        firing_agreement=math.nan if firing is None else firing.agreement,
        firing_recall=math.nan if firing is None else firing.recall,
        firing_precision=math.nan if firing is None else firing.precision,
    )


def _copy_of(score: SequenceScore, unit: int) -> str:
    """Say which unit, found already, a train matches; nothing if none."""
    assert score.trains is not None
    matching = score.trains.matching
    sizes = np.abs(matching.correlations[unit])
    if not (sizes > matching.threshold).any():
        return ""
    return f"copy of {score.visible[int(sizes.argmax())]}"


def _outline_of(unit: int, faults: Faults, outlines: dict[int, int]) -> str:
    """Say what the outline of a unit tells whose train matches none."""
    if unit in faults.merged:
        return f"joins {_listed(faults.merged[unit])}"
    if unit in outlines:
        return f"outline of {outlines[unit]} alone"
    whole = next((whole for whole, pieces in faults.split.items() if unit in pieces), None)
    return "false" if whole is None else f"part of {whole}"


def _fate_of(unit: int, faults: Faults, outlines: dict[int, int]) -> str:
    """Say what has become of a true unit whose train no found one has."""
    if unit in faults.split:
        return f"split into {_listed(faults.split[unit])}"
    for whole, joined in faults.merged.items():
        if unit in joined:
            return f"joined with others in {whole}"
    alone = {one: found for found, one in outlines.items()}
    return f"outline alone, in {alone[unit]}" if unit in alone else "missed"


def _outlines_alone(by_outline: Matching, by_train: Matching) -> dict[int, int]:
    """Return predictions to the units that their outlines match, of those without a train's."""
    found = set(by_train.predicted.tolist())
    pairs = zip(by_outline.predicted.tolist(), by_outline.true.tolist(), strict=True)
    return {unit: one for unit, one in pairs if unit not in found}


def _listed(numbers: Sequence[int]) -> str:
    """Return numbers as a sentence lists them."""
    texts = [str(one) for one in numbers]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
