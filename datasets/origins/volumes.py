"""Origins of paired slices through volumes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from .attributes import (
    SLICING,
    SOURCES,
    TRANSLATED_FROM,
    Attributes,
    software_of,
    software_versions,
    text_of,
    value_of,
)


@dataclass(frozen=True, kw_only=True)
class ImportedVolume:
    """The file or files of which one volume was read.

    Parameters
    ----------
    name : str
        Of the file, or of the folder that the files lie in.
    format : str
        In words, such as NIfTI.
    files : tuple of (str, str)
        Each file's name, without folders, and its SHA-256 in hexadecimal, in the order of slices.
    shape : tuple of int
        Voxels to the right, to the front and to the head.
    voxel_size : tuple of float
        Likewise [mm].
    """

    name: str
    format: str
    files: tuple[tuple[str, str], ...]
    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made."""
        right, front, head = (int(side) for side in plain["shape"])
        x, y, z = (float(side) for side in plain["voxel_size"])
        return cls(
            name=str(plain["name"]),
            format=str(plain["format"]),
            files=tuple((str(name), str(sha256)) for name, sha256 in plain["files"]),
            shape=(right, front, head),
            voxel_size=(x, y, z),
        )


@dataclass(frozen=True, kw_only=True)
class ImportedVolumes:
    """Slices through two volumes of one anatomy that were read from files.

    Parameters
    ----------
    first, second : ImportedVolume
        Of ``image`` and of ``image_b``.
    planes : tuple of str
        Planes that slices were taken in, in this order.
    half : str
        ``"left"`` or ``"right"``, or empty: both.
    resampled : bool
        Whether the second volume was brought onto the first one's grid.
    left_out : mapping of str to int
        How many slices of each plane were left out, as one of their pictures is constant.
    software : mapping of str to str
    """

    name: ClassVar[str] = "volumes"
    version: ClassVar[int] = 1

    first: ImportedVolume
    second: ImportedVolume
    planes: tuple[str, ...]
    half: str
    resampled: bool
    left_out: Mapping[str, int]
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        half = f"{self.half} half of " if self.half else ""
        return f"slices imported from {half}{self.first.name} and {self.second.name}"

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        slicing = {
            "planes": self.planes, "half": self.half, "resampled": self.resampled,
            "left_out": dict(self.left_out),
        }  # fmt: skip
        sources = [self.first.to_json(), self.second.to_json()]
        return {SOURCES: json.dumps(sources), SLICING: text_of(slicing)}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        first, second = (ImportedVolume.from_json(one) for one in value_of(attributes, SOURCES))
        told = value_of(attributes, SLICING)
        return cls(
            first=first,
            second=second,
            planes=tuple(str(plane) for plane in told["planes"]),
            half=str(told["half"]),
            resampled=bool(told["resampled"]),
            left_out={str(plane): int(count) for plane, count in told["left_out"].items()},
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class TranslatedSlices:
    """Slices of another store, of which a run of training made the second picture of the first.

    Parameters
    ----------
    store : str
        Its address.
    sequences : int
        Slices that it has.
    run : str
        Folder of the run.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    settings : mapping of str to object
        Of the run.
    source : str
        What made that store, in words.
    software : mapping of str to str
    """

    name: ClassVar[str] = "translated slices"
    version: ClassVar[int] = 1

    store: str
    sequences: int
    run: str
    checkpoint: str
    settings: Mapping[str, Any]
    source: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        return f"second pictures made by {self.run} of slices in {self.store} ({self.source})"

    @property
    def advice(self) -> str:
        """How the store is made again: from the other one."""
        return "translate again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        known = ("store", "sequences", "run", "checkpoint", "source")
        told = {name: getattr(self, name) for name in known}
        return {TRANSLATED_FROM: text_of({**told, "settings": dict(self.settings)})}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        told = value_of(attributes, TRANSLATED_FROM)
        return cls(
            store=str(told["store"]),
            sequences=int(told["sequences"]),
            run=str(told["run"]),
            checkpoint=str(told["checkpoint"]),
            settings=told["settings"],
            source=str(told["source"]),
            software=software_of(attributes),
        )
