"""What a page about a recording shows: the units found and, where it is known, the truth."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets.store import Store
from ..simulator.errors import InputError
from ..simulator.sequence import Truth
from ..training.identification.metrics import SequenceScore, score
from ..training.identification.metrics.firing import firings_within
from ..training.identification.stored import METHOD, optional, outcome_of
from ..training.identification.unit_table import table_rows
from ..training.identification.units import UNCERTAIN_OUTLINE
from .page_sources import KnownTrain, look_up, recorded_source
from .pages.markup import listed


@dataclass(frozen=True)
class FoundUnit:
    """A unit that was found.

    Parameters
    ----------
    number : int
        Its place in the store.
    mask : bool array of shape (depth, width)
    train : float32 array of shape (time,)
        mm/s.
    firings : float64 array of shape (firing,)
        Instants inside the sequence, s.
    measures : dict
        Its row of :data:`musim.training.identification.unit_table.COLUMNS`.
    partner : int, optional
        The true unit that it matches.
    scores : dict of str to float
        Of the match: ``iou``, ``rate_of_agreement``, ``correlation``, ``firing_precision``,
        ``firing_recall``; empty where there is none.
    verdict : str
        What it is in the light of the truth; empty where that is not known.
    """

    number: int
    mask: NDArray[np.bool_]
    train: NDArray[np.float32]
    firings: NDArray[np.float64]
    measures: dict[str, Any]
    partner: int | None
    scores: dict[str, float]
    verdict: str

    @property
    def key(self) -> str:
        """What tells it from all else on the page."""
        return f"u{self.number}"

    @property
    def uncertain(self) -> bool:
        """Whether its outline is; False where that is not known."""
        return self.measures["outline_confidence"] < UNCERTAIN_OUTLINE


@dataclass(frozen=True)
class TrueUnit:
    """A true unit that shows in the image.

    Parameters
    ----------
    number : int
        Its place in the source.
    mask, train, firings
        As of :class:`FoundUnit`.
    properties : dict of str to float
        ``depth`` and ``width`` of the visible mask's centre and ``diameter``, mm;
        ``visible_share`` and ``overlap``.
    found_as : int, optional
        The found unit that matches it.
    verdict : str
    """

    number: int
    mask: NDArray[np.bool_]
    train: NDArray[np.float32]
    firings: NDArray[np.float64]
    properties: dict[str, float]
    found_as: int | None
    verdict: str

    @property
    def key(self) -> str:
        """What tells it from all else on the page."""
        return f"t{self.number}"


@dataclass(frozen=True)
class Findings:
    """All that a page about one recording shows.

    Parameters
    ----------
    store : str
        Where the result lies, as it was given.
    index, sequences : int
        Which of the result's recordings it is, of how many.
    method : str
    source : str
        The recording's store.
    source_index : int
    origin : str
        What the source says of where it comes from; empty if it says nothing or is not there.
    software : dict of str to str
    frame_rate : float
        Hz.
    shape : (int, int, int)
        Frames, depth and width, px.
    size : (float, float)
        Depth and width of the image, mm.
    velocity_sd : float32 array of shape (depth, width)
        SD of the velocity over time, mm/s.
    units : tuple of FoundUnit
    true_units : tuple of TrueUnit
        Empty where there is no truth.
    score : SequenceScore, optional
        None where there is no truth.
    truth_note : str
        Why there is no truth; empty where there is.
    known : tuple of KnownTrain
        Firings that came with a recording without truth.
    explained_share : float
        Share of the velocity's energy above noise that the units explain; NaN if not known.
    residual_sd : float32 array of shape (depth, width), optional
        SD over time of the velocity that they leave unexplained, mm/s; None if not known.
    remarks : tuple of str
        See :mod:`musim.training.identification.remarks`.
    """

    store: str
    index: int
    sequences: int
    method: str
    source: str
    source_index: int
    origin: str
    software: dict[str, str]
    frame_rate: float
    shape: tuple[int, int, int]
    size: tuple[float, float]
    velocity_sd: NDArray[np.float32]
    units: tuple[FoundUnit, ...]
    true_units: tuple[TrueUnit, ...]
    score: SequenceScore | None
    truth_note: str
    known: tuple[KnownTrain, ...] = ()
    explained_share: float = math.nan
    residual_sd: NDArray[np.float32] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Length of the recording, s."""
        return self.shape[0] / self.frame_rate

    @property
    def missed(self) -> tuple[TrueUnit, ...]:
        """The true units that no found one matches."""
        return tuple(unit for unit in self.true_units if unit.found_as is None)


def read_findings(store: Store, index: int) -> Findings:
    """Read the units found in a recording, and score them if its source still tells the truth.

    Parameters
    ----------
    store : Store
        Made by ``musim identify``.
    index : int
        The sequence.

    Raises
    ------
    InputError
        If the store holds no units that were found, or there is no such sequence.
    FailureError
        If the store is damaged.
    """
    if store.kind != "identified":
        raise InputError(
            f"{store.location}: found recordings ({store.kind}), wanted the units found in them; "
            f"run musim identify {store.location} and report what it writes"
        )
    layout, count = store.layout, int(store.read("unit_count", index))
    frames, depth, width = layout.shape
    found = {
        name: store.read(name, index)[:count]
        for name in ("territory", "twitch_train", "firing", "confidence")
    }
    source, source_index = recorded_source(store, index)
    origin = look_up(store, index)
    truth = origin.truth
    scored = None
    if truth is not None:
        scored = score(
            found["territory"] > 0.5, found["twitch_train"], found["firing"], found["confidence"],
            truth.territory > 0.5, truth.twitch_train, truth.firing, layout.frame_rate,
        )  # fmt: skip
    window = (0.0, frames / layout.frame_rate)
    rows, outcome = table_rows(store, index), outcome_of(store, index)
    return Findings(
        store=str(store.location),
        index=index,
        sequences=len(store),
        method=str(layout.attributes[METHOD]),
        source=source,
        source_index=source_index,
        origin=origin.text,
        software=json.loads(str(layout.attributes.get("musim_software", "{}"))),
        frame_rate=layout.frame_rate,
        shape=layout.shape,
        size=(depth * layout.pixel_size[0], width * layout.pixel_size[1]),
        velocity_sd=store.read("velocity_sd", index),
        units=tuple(
            FoundUnit(
                number=unit,
                mask=found["territory"][unit] > 0.5,
                train=found["twitch_train"][unit],
                firings=firings_within(found["firing"][unit], window),
                measures=rows[unit],
                **_judge(scored, unit),
            )
            for unit in range(count)
        ),
        true_units=_true_units(truth, scored, window, layout.pixel_size),
        score=scored,
        truth_note=origin.note,
        known=origin.known,
        explained_share=outcome.explained_share,
        residual_sd=optional(store, "residual_sd", index),
        remarks=outcome.remarks,
    )


def _judge(scored: SequenceScore | None, unit: int) -> dict[str, Any]:
    """Return a found unit's fields that come from the truth."""
    if scored is None:
        return {"partner": None, "scores": {}, "verdict": ""}
    joined = [str(one) for one in scored.faults.merged.get(unit, ())]
    places = np.flatnonzero(scored.matching.predicted == unit)
    if places.size:
        place = int(places[0])
        partner = int(scored.matching.true[place])
        scores = {
            "iou": float(scored.matching.iou[place]),
            "rate_of_agreement": scored.agreement[place].value,
            "correlation": float(scored.correlation[place]),
            "firing_precision": scored.firing[place].precision,
            "firing_recall": scored.firing[place].recall,
        }
        others = [one for one in joined if one != str(partner)]
        verdict = f"matches, joins {listed(others)} too" if others else "matches"
        return {"partner": partner, "scores": scores, "verdict": verdict}
    parts = [str(true) for true, pieces in scored.faults.split.items() if unit in pieces]
    verdict = "false"
    if joined:
        verdict = f"joins {listed(joined)}"
    elif parts:
        verdict = f"part of {listed(parts)}"
    return {"partner": None, "scores": {}, "verdict": verdict}


def _true_units(
    truth: Truth | None,
    scored: SequenceScore | None,
    window: tuple[float, float],
    pixel_size: tuple[float, float],
) -> tuple[TrueUnit, ...]:
    if truth is None or scored is None:
        return ()
    matching, faults = scored.matching, scored.faults
    partners = dict(zip(matching.true.tolist(), matching.predicted.tolist(), strict=True))
    joined = {true: unit for unit, trues in faults.merged.items() for true in trues}
    units = []
    for number in sorted([*matching.true.tolist(), *matching.missed.tolist()]):
        mask = truth.territory[number] > 0.5
        rows, columns = np.nonzero(mask)
        verdict = "missed"
        if number in partners:
            verdict = "found"
        elif number in faults.split:
            verdict = f"split into {listed([str(one) for one in faults.split[number]])}"
        elif number in joined:
            verdict = f"joined with others in {joined[number]}"
        units.append(
            TrueUnit(
                number=number,
                mask=mask,
                train=truth.twitch_train[number],
                firings=firings_within(truth.firing[number], window),
                properties={
                    "depth": float((rows.mean() + 0.5) * pixel_size[0]),
                    "width": float((columns.mean() + 0.5) * pixel_size[1]),
                    "diameter": float(truth.diameter[number]),
                    "visible_share": float(truth.visible_share[number]),
                    "overlap": float(truth.overlap[number]),
                },
                found_as=partners.get(number),
                verdict=verdict,
            )
        )
    return tuple(units)
