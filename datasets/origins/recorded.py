"""Origins of sequences that were recorded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...simulator.imaging.chain import Chain
from .attributes import (
    CHAIN,
    DESCRIPTIONS,
    SOURCES,
    Attributes,
    revised,
    revision_of,
    software_of,
    software_versions,
    text_of,
    value_of,
)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A span of a file, of which one sequence was made.

    Parameters
    ----------
    file : str
        Its name, without folders.
    sha256 : str
        Of the file, or of the two of a pair, in hexadecimal.
    recording : int
        Which one of the file's.
    start : float
        Where in it the sequence begins, s.
    events, events_sha256 : str, optional
        Name and SHA-256 of the table of known firings.
    units : tuple of str, optional
        The units' names in that table, in the order of the store's.
    """

    file: str
    sha256: str
    recording: int
    start: float
    events: str | None = None
    events_sha256: str | None = None
    units: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {name: value for name, value in values.items() if value is not None}
        return {**plain, "units": list(self.units)} if self.units is not None else plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        units = {"units": tuple(plain["units"])} if "units" in plain else {}
        return cls(**{**plain, **units})


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Recordings that were read from files and sent through the imaging chain.

    Parameters
    ----------
    cuts : tuple of Cut
        Of each sequence where it comes from.
    descriptions : tuple of mapping
        Of each file what its arrays mean, with its name as ``file``.
    chain : Chain
    revision : int
        Of the chain's steps; this musim's, if not given. Another one gives other values.
    software : mapping of str to str
    """

    name: ClassVar[str] = "imported"
    version: ClassVar[int] = 1

    cuts: tuple[Cut, ...]
    descriptions: tuple[Mapping[str, Any], ...]
    chain: Chain
    revision: int = 0
    software: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "revision", self.revision or self.chain.revision)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        files = dict.fromkeys(cut.file for cut in self.cuts)
        first, *rest = files or ["no file"]
        return f"recordings imported from {first}" + (f" and {len(rest)} more" if rest else "")

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {
            SOURCES: json.dumps([cut.to_json() for cut in self.cuts]),
            DESCRIPTIONS: text_of([dict(one) for one in self.descriptions]),
            CHAIN: text_of(self.chain.to_json()),
            **revised(self.revision),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            cuts=tuple(Cut.from_json(one) for one in value_of(attributes, SOURCES)),
            descriptions=tuple(value_of(attributes, DESCRIPTIONS)),
            chain=Chain.from_json(value_of(attributes, CHAIN)),
            revision=revision_of(attributes),
            software=software_of(attributes),
        )
