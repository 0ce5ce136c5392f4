"""Origins of slices through volumes that a simulated scanner made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...simulator.resonance.parameters import PHANTOM_REVISION, SIDES, Phantom
from ...simulator.resonance.scan import Scan
from .attributes import (
    PARAMETERS,
    SEED,
    SLICING,
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
class ScannedHands:
    """Slices through hands that were drawn from a phantom and a seed.

    Parameters
    ----------
    phantom : Phantom
    seed : int
    subjects : int
    sides : tuple of str
        Hands of each subject, in the order of their slices.
    left_out : mapping of str to int
        How many slices of each plane were left out, as one of their pictures is constant.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other pictures.
    software : mapping of str to str
    """

    name: ClassVar[str] = "hands"
    version: ClassVar[int] = 1

    phantom: Phantom
    seed: int
    subjects: int = 1
    sides: tuple[str, ...] = SIDES
    left_out: Mapping[str, int] = field(default_factory=dict)
    revision: int = PHANTOM_REVISION
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes."""
        return PHANTOM_REVISION

    @property
    def hands(self) -> tuple[tuple[int, int], ...]:
        """Subject and side (0 left, 1 right) of each hand, in the order of their slices."""
        return tuple(
            (subject, SIDES.index(side)) for subject in range(self.subjects) for side in self.sides
        )

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        whose = f"the {self.sides[0]} hand" if len(self.sides) == 1 else "both hands"
        of = "a subject" if self.subjects == 1 else f"{self.subjects} subjects"
        return f"slices through {whose} of {of}, drawn and scanned with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        slicing = {
            "subjects": self.subjects, "sides": self.sides, "left_out": dict(self.left_out),
        }  # fmt: skip
        return {
            PARAMETERS: text_of(self.phantom.to_json()),
            SEED: self.seed,
            SLICING: text_of(slicing),
            **revised(self.revision),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        told = value_of(attributes, SLICING)
        sides = tuple(str(side) for side in told["sides"])
        if not sides or not set(sides) <= set(SIDES):
            raise ValueError(f"there are no sides {sides}")
        return cls(
            phantom=Phantom.from_json(value_of(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            subjects=int(told["subjects"]),
            sides=sides,
            left_out={str(plane): int(count) for plane, count in told["left_out"].items()},
            revision=revision_of(attributes),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class ScannedLabels:
    """Slices through volumes of labels that were scanned.

    Parameters
    ----------
    scan : Scan
    seed : int
    file : str
        Name of the file with the labels.
    sha256 : str
        Of that file, in hexadecimal.
    tissues : str
        What labels stand for, one of :data:`musim.simulator.resonance.labels.TISSUES`.
    half : str
        ``"left"`` or ``"right"``, or empty: both.
    left_out : mapping of str to int
        How many slices of each plane were left out, as one of their pictures is constant.
    revision : int
        Of what scanned them; this musim's, if not given. Another one gives other pictures.
    software : mapping of str to str
    """

    name: ClassVar[str] = "labels"
    version: ClassVar[int] = 1

    scan: Scan
    seed: int
    file: str
    sha256: str
    tissues: str
    half: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    revision: int = PHANTOM_REVISION
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        half = f"the {self.half} half of " if self.half else ""
        return f"slices through {half}labels of {self.file}, scanned with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from its file."""
        return "scan its labels again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        slicing = {"tissues": self.tissues, "half": self.half, "left_out": dict(self.left_out)}
        return {
            PARAMETERS: text_of(self.scan.to_json()),
            SEED: self.seed,
            SOURCES: text_of({"file": self.file, "sha256": self.sha256}),
            SLICING: text_of(slicing),
            **revised(self.revision),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        told, source = value_of(attributes, SLICING), value_of(attributes, SOURCES)
        return cls(
            scan=Scan.from_json(value_of(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            file=str(source["file"]),
            sha256=str(source["sha256"]),
            tissues=str(told["tissues"]),
            half=str(told["half"]),
            left_out={str(plane): int(count) for plane, count in told["left_out"].items()},
            revision=revision_of(attributes),
            software=software_of(attributes),
        )
