"""What a page about a recording shows: the units found and, where it is known, the truth."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...datasets.origin import Identified
from ...datasets.store import Store
from ...simulator.errors import InputError
from ...simulator.sequence import Truth
from ...training.identification.curation.summary import told_of
from ...training.identification.frame_faults import Span
from ...training.identification.metrics import SequenceScore, score
from ...training.identification.metrics.firing import firings_within
from ...training.identification.other_motion import OtherMotion, other_motion_in
from ...training.identification.stored import optional, outcome_of, shown_velocity_sd, ways_of
from ...training.identification.unit_table import table_rows
from ...training.identification.units import UNCERTAIN_OUTLINE
from ...training.identification.verdicts import FoundVerdict, TrueVerdict, judge
from ...training.identification.ways import told
from ..pictures.scene import MOST_UNITS, strongest
from .sources import KnownTrain, look_up, recorded_source


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
    verdict : FoundVerdict, optional
        What it is in the light of the truth; None where that is not known.
    """

    number: int
    mask: NDArray[np.bool_]
    train: NDArray[np.float32]
    firings: NDArray[np.float64]
    measures: dict[str, Any]
    verdict: FoundVerdict | None = None

    @property
    def key(self) -> str:
        """What tells it from all else on the page."""
        return f"u{self.number}"

    @property
    def partner(self) -> int | None:
        """The true unit that its train matches."""
        return None if self.verdict is None else self.verdict.partner

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
    verdict : TrueVerdict
        What has become of it.
    """

    number: int
    mask: NDArray[np.bool_]
    train: NDArray[np.float32]
    firings: NDArray[np.float64]
    properties: dict[str, float]
    verdict: TrueVerdict

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
        SD of the velocity over time, mm/s; of pixels that show no tissue at most the others'.
    units : tuple of FoundUnit
        The surest first.
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
    frame_faults : tuple of Span
        Frames that hold no image of their own.
    cut : int
        Units that were left out, less certain than was asked for.
    other_motion : tuple of OtherMotion
        Arteries and whole muscles, which were left out.
    told : str
        Which method it was and why, and which of its ways it took; empty where nothing is to say.
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
    frame_faults: tuple[Span, ...] = ()
    cut: int = 0
    other_motion: tuple[OtherMotion, ...] = ()
    told: str = ""

    @property
    def duration(self) -> float:
        """Length of the recording, s."""
        return self.shape[0] / self.frame_rate

    @property
    def missed(self) -> tuple[TrueUnit, ...]:
        """The true units whose train no found one matches."""
        return tuple(unit for unit in self.true_units if unit.verdict.found_as is None)

    @cached_property
    def drawn(self) -> tuple[FoundUnit, ...]:
        """The units found that figures show: the strongest, where there are many."""
        return _strongest(self.units)

    @cached_property
    def missed_drawn(self) -> tuple[TrueUnit, ...]:
        """The missed units that figures show."""
        return _strongest(self.missed)


Unit = TypeVar("Unit", FoundUnit, TrueUnit)


def _strongest(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    if len(units) <= MOST_UNITS:
        return units
    trains, masks = np.stack([u.train for u in units]), np.stack([u.mask for u in units])
    return tuple(units[place] for place in strongest(trains, masks.astype(np.float32)))


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
    masks = found["territory"] > 0.5
    scored, verdicts, true_units = None, [None] * count, ()
    window = (0.0, frames / layout.frame_rate)
    if truth is not None:
        scored = score(
            masks, found["twitch_train"], found["firing"], found["confidence"],
            truth.territory > 0.5, truth.twitch_train, truth.firing, layout.frame_rate,
        )  # fmt: skip
        verdicts, fates = judge(scored, masks, truth.territory > 0.5)
        true_units = _true_units(truth, fates, window, layout.pixel_size)
    rows, outcome = table_rows(store, index), outcome_of(store, index)
    by = layout.origin_as(Identified)
    return Findings(
        store=str(store.location),
        index=index,
        sequences=len(store),
        method=by.method,
        source=source,
        source_index=source_index,
        origin=origin.text,
        software=dict(layout.origin.software),
        frame_rate=layout.frame_rate,
        shape=layout.shape,
        size=(depth * layout.pixel_size[0], width * layout.pixel_size[1]),
        velocity_sd=shown_velocity_sd(store, index),
        units=tuple(
            FoundUnit(
                number=unit,
                mask=masks[unit],
                train=found["twitch_train"][unit],
                firings=firings_within(found["firing"][unit], window),
                measures=rows[unit],
                verdict=verdicts[unit],
            )
            for unit in np.argsort(-found["confidence"], kind="stable").tolist()
        ),
        true_units=true_units,
        score=scored,
        truth_note=origin.note,
        known=origin.known,
        explained_share=outcome.explained_share,
        residual_sd=optional(store, "residual_sd", index),
        remarks=outcome.remarks,
        frame_faults=outcome.frame_faults,
        cut=outcome.cut,
        other_motion=other_motion_in(optional(store, "other_motion", index)),
        told="; ".join(filter(None, [told(by.method, by.usual, ways_of([outcome])), told_of(by)])),
    )


def _true_units(
    truth: Truth,
    fates: dict[int, TrueVerdict],
    window: tuple[float, float],
    pixel_size: tuple[float, float],
) -> tuple[TrueUnit, ...]:
    units = []
    for number, fate in fates.items():
        mask = truth.territory[number] > 0.5
        rows, columns = np.nonzero(mask)
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
                verdict=fate,
            )
        )
    return tuple(units)
