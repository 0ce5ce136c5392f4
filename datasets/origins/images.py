"""Origins of images of the longitudinal section."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...simulator.section.parameters import SECTION_REVISION, SectionParameters
from .attributes import (
    GROUPED_BY,
    MUSCLE,
    PARAMETERS,
    SAMPLED_FROM,
    SEED,
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
class SectionImages:
    """Images of the longitudinal section that were drawn from parameters and a seed.

    Parameters
    ----------
    parameters : SectionParameters
    seed : int
    muscle : str
        Whose anatomy the parameters are; empty where they are nobody's in particular.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other images or truth.
    software : mapping of str to str
    """

    name: ClassVar[str] = "section"
    version: ClassVar[int] = 1

    parameters: SectionParameters
    seed: int
    muscle: str = ""
    revision: int = SECTION_REVISION
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes."""
        return SECTION_REVISION

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        of = f" of {self.muscle}" if self.muscle else ""
        return f"images of the longitudinal section{of} drawn with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        muscle = {MUSCLE: self.muscle} if self.muscle else {}
        return {
            PARAMETERS: text_of(self.parameters.to_json()), SEED: self.seed, **muscle,
            **revised(self.revision),
        }  # fmt: skip

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            parameters=SectionParameters.from_json(value_of(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            muscle=str(attributes.get(MUSCLE, "")),
            revision=revision_of(attributes),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class SampledImages:
    """Images of the longitudinal section that a run of training makes of noise.

    Parameters
    ----------
    run : str
        Folder of the run.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    settings : mapping of str to object
        Of the run.
    sampler : mapping of str to object
        How samples are drawn.
    seed : int
        Image i depends on (checkpoint, sampler, seed, i) alone, but for rounding on other devices.
    device : str
        Kind of device that they were made on.
    software : mapping of str to str
    """

    name: ClassVar[str] = "sampled"
    version: ClassVar[int] = 1

    run: str
    checkpoint: str
    settings: Mapping[str, Any]
    sampler: Mapping[str, Any]
    seed: int
    device: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        way = self.sampler["name"].upper()
        return f"images sampled by {self.run} ({way}) with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from the run."""
        return "sample again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        origin = {
            "run": self.run,
            "checkpoint": self.checkpoint,
            "settings": dict(self.settings),
            "sampler": dict(self.sampler),
            "device": self.device,
        }
        return {SAMPLED_FROM: text_of(origin), SEED: self.seed}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        origin = value_of(attributes, SAMPLED_FROM)
        return cls(
            run=str(origin["run"]),
            checkpoint=str(origin["checkpoint"]),
            settings=origin["settings"],
            sampler=origin["sampler"],
            seed=int(attributes[SEED]),
            device=str(origin["device"]),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class ImportedImage:
    """A file of which one image was made.

    Parameters
    ----------
    name : str
        Of the image: that of its file without its suffix, if there is no other of that name.
    file, sha256 : str
        The file's name, without folders, and its SHA-256 in hexadecimal.
    size : tuple of int
        Depth and width of the file's image [px].
    crop : tuple of int
        What of it was taken: the first row and column, depth and width [px].
    mask, mask_sha256 : str, optional
        The file of the aponeuroses that were drawn on it, if there is one.
    """

    name: str
    file: str
    sha256: str
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    mask: str | None = None
    mask_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        top, left, depth, width = plain["crop"]
        high, across = plain["size"]
        return cls(**{**plain, "size": (high, across), "crop": (top, left, depth, width)})


@dataclass(frozen=True, kw_only=True)
class ImportedImages:
    """B-mode images of the longitudinal section that were read from files.

    Parameters
    ----------
    images : tuple of ImportedImage
        Of each image where it comes from.
    grouped_by : str
        What tells which images belong together: a column of a table, or that they are alike.
    software : mapping of str to str
    """

    name: ClassVar[str] = "images"
    version: ClassVar[int] = 1

    images: tuple[ImportedImage, ...]
    grouped_by: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        first, *rest = [one.file for one in self.images] or ["no file"]
        return f"images imported from {first}" + (f" and {len(rest)} more" if rest else "")

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        images = json.dumps([one.to_json() for one in self.images])
        return {SOURCES: images, GROUPED_BY: self.grouped_by}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            images=tuple(ImportedImage.from_json(one) for one in value_of(attributes, SOURCES)),
            grouped_by=str(attributes[GROUPED_BY]),
            software=software_of(attributes),
        )
