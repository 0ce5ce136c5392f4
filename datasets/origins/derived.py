"""Origins of what was made of the sequences of other stores."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from .attributes import (
    CHAIN,
    EPOCHS,
    EVENTS,
    FIRINGS,
    METHOD,
    MIN_CONFIDENCE,
    REMARKS,
    RUNS,
    SETTINGS,
    SOURCES,
    TRANSLATED_FROM,
    USUAL_METHOD,
    Attributes,
    software_of,
    software_versions,
    text_of,
    value_of,
)
from .recorded import Imported


@dataclass(frozen=True)
class Searched:
    """A store in which units were looked for.

    Parameters
    ----------
    store : str
        Its address.
    sequences : int
    """

    store: str
    sequences: int


@dataclass(frozen=True, kw_only=True)
class Identified:
    """Units that a method found in the sequences of other stores.

    Parameters
    ----------
    method : str
    searched : tuple of Searched
        Their sequences follow one another.
    runs : tuple of str
        Folders of the runs of training that the method used.
    remarks : tuple of str
        Names of the bits of the variable ``remarks``, the lowest first.
    settings : mapping of str to object
        Of the method, plain values; none for a method without any.
    events : mapping of str to str
        ``file`` and ``sha256`` of the table of known firings that the method was given; empty
        without.
    firings : str
        How firings were to be found in trains; empty if it was not said.
    min_confidence : float
        Units of less confidence were left out.
    epochs : int
        Epochs in which units were found anew.
    usual : bool
        Whether no method was asked for, so that the usual one was taken.
    software : mapping of str to str
    """

    name: ClassVar[str] = "identified"
    version: ClassVar[int] = 1

    method: str
    searched: tuple[Searched, ...]
    runs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    firings: str = ""
    min_confidence: float = 0.0
    epochs: int = 0
    usual: bool = False
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        first, *rest = [one.store for one in self.searched] or ["no store"]
        more = f" and {len(rest)} more" if rest else ""
        return f"units identified by {self.method} in {first}{more}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the recordings."""
        return "identify again"

    def source_of(self, index: int) -> tuple[str, int]:
        """Return the address of the store that a sequence comes from, and its index there.

        Raises
        ------
        InputError
            If the store does not say.
        """
        first = 0
        for source in self.searched:
            if index < first + source.sequences:
                return source.store, index - first
            first += source.sequences
        raise InputError(f"result: found no source of sequence {index}, wanted one; identify again")

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {
            METHOD: self.method,
            **({RUNS: json.dumps(self.runs)} if self.runs else {}),
            **({SETTINGS: text_of(dict(self.settings))} if self.settings else {}),
            **({EVENTS: text_of(dict(self.events))} if self.events else {}),
            **({FIRINGS: self.firings} if self.firings else {}),
            **({MIN_CONFIDENCE: self.min_confidence} if self.min_confidence else {}),
            **({EPOCHS: self.epochs} if self.epochs else {}),
            **({USUAL_METHOD: 1} if self.usual else {}),
            SOURCES: json.dumps(
                [{"store": one.store, "sequences": one.sequences} for one in self.searched]
            ),
            REMARKS: " ".join(self.remarks),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            method=str(attributes[METHOD]),
            searched=tuple(
                Searched(str(one["store"]), int(one["sequences"]))
                for one in value_of(attributes, SOURCES)
            ),
            runs=tuple(value_of(attributes, RUNS, ())),
            remarks=tuple(str(attributes.get(REMARKS, "")).split()),
            settings=value_of(attributes, SETTINGS, {}),
            events=value_of(attributes, EVENTS, {}),
            firings=str(attributes.get(FIRINGS, "")),
            min_confidence=float(attributes.get(MIN_CONFIDENCE, 0)),
            epochs=int(attributes.get(EPOCHS, 0)),
            usual=bool(attributes.get(USUAL_METHOD, 0)),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Sequences of another store that a run of training made look recorded.

    Parameters
    ----------
    store : str
        Its address.
    sequences : int
    run : str
        Folder of the run.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    settings : mapping of str to object
        Of the run.
    parameters : Parameters, optional
    seed : int, optional
        Of the store that was translated, if it was simulated.
    recorded : Imported, optional
        Where that store's sequences come from, if they were recorded; its software is not known.
    software : mapping of str to str
    """

    name: ClassVar[str] = "translated"
    version: ClassVar[int] = 1

    store: str
    sequences: int
    run: str
    checkpoint: str
    settings: Mapping[str, Any]
    parameters: Parameters | None = None
    seed: int | None = None
    recorded: Imported | None = None
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        return f"translated from {self.store} by {self.run}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the other one."""
        return "translate again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        origin = {
            "store": self.store,
            "sequences": self.sequences,
            "run": self.run,
            "checkpoint": self.checkpoint,
            "settings": dict(self.settings),
            "parameters": None if self.parameters is None else self.parameters.to_json(),
            "seed": self.seed,
        }
        recorded = {} if self.recorded is None else self.recorded.to_attributes()
        return {**recorded, TRANSLATED_FROM: text_of(origin)}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        origin = value_of(attributes, TRANSLATED_FROM)
        parameters = origin.get("parameters")
        recorded = Imported.from_attributes(attributes) if CHAIN in attributes else None
        return cls(
            store=str(origin["store"]),
            sequences=int(origin["sequences"]),
            run=str(origin["run"]),
            checkpoint=str(origin["checkpoint"]),
            settings=origin["settings"],
            parameters=None if parameters is None else Parameters.from_json(parameters),
            seed=origin.get("seed"),
            recorded=None if recorded is None else replace(recorded, software={}),
            software=software_of(attributes),
        )
