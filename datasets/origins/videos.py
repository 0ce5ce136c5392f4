"""Origins of B-mode videos of muscle with the signals of its state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from ...simulator.calf.study import TRIALS_REVISION, Study
from ...simulator.calf.tasks import TASKS
from .attributes import (
    EXTRACTED_FROM,
    PARAMETERS,
    SEED,
    SOURCES,
    TASK_NAMES,
    Attributes,
    revised,
    revision_of,
    software_of,
    software_versions,
    text_of,
    value_of,
)


@dataclass(frozen=True, kw_only=True)
class SimulatedTrials:
    """Trials of participants that were drawn from a study and a seed.

    Sequence i is task ``i % len(tasks)`` of participant ``i // len(tasks)``.

    Parameters
    ----------
    study : Study
    seed : int
    tasks : tuple of str
        Of each participant, some of :data:`musim.simulator.calf.tasks.TASKS`.
    revision : int
        Of what made them; this musim's, if not given. Another one gives other images or signals.
    software : mapping of str to str
    """

    name: ClassVar[str] = "trials"
    version: ClassVar[int] = 1

    study: Study
    seed: int
    tasks: tuple[str, ...] = tuple(TASKS)
    revision: int = TRIALS_REVISION
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def own_revision(self) -> int:
        """The revision of what this musim makes."""
        return TRIALS_REVISION

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        return f"trials of the calf drawn with seed {self.seed}"

    @property
    def advice(self) -> str:
        """How the store is made again: from itself."""
        return "make it again from its parameters and seed"

    def trial(self, index: int) -> tuple[int, str]:
        """Return the participant and the task of a sequence."""
        participant, task = divmod(index, len(self.tasks))
        return participant, self.tasks[task]

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {
            PARAMETERS: text_of(self.study.to_json()),
            SEED: self.seed,
            TASK_NAMES: " ".join(self.tasks),
            **revised(self.revision),
        }

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        tasks = tuple(str(attributes[TASK_NAMES]).split())
        if not tasks or not set(tasks) <= set(TASKS):
            raise ValueError(f"there are no tasks {tasks}")
        return cls(
            study=Study.from_json(value_of(attributes, PARAMETERS)),
            seed=int(attributes[SEED]),
            tasks=tasks,
            revision=revision_of(attributes),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class ImportedVideo:
    """The files of which one trial was made.

    Parameters
    ----------
    name : str
        Of the trial.
    file, sha256 : str
        The video's name, without folders, and its SHA-256 in hexadecimal.
    size : tuple of int
        Depth and width of the video's images [px].
    crop : tuple of int
        What of them was taken: the first row and column, depth and width [px].
    signals, signals_sha256 : str, optional
        The table of its signals, if there is one.
    participant : str
        Who takes part, as the user calls them; empty where it is not known.
    task : str
        Empty where it is not known.
    """

    name: str
    file: str
    sha256: str
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    signals: str | None = None
    signals_sha256: str | None = None
    participant: str = ""
    task: str = ""

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
class ImportedVideos:
    """B-mode videos of muscle that were read from files, with signals from tables.

    Parameters
    ----------
    videos : tuple of ImportedVideo
        Of each trial where it comes from.
    software : mapping of str to str
    """

    name: ClassVar[str] = "videos"
    version: ClassVar[int] = 1

    videos: tuple[ImportedVideo, ...]
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in the order in which they come first."""
        return tuple(dict.fromkeys(one.task for one in self.videos if one.task))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the trials."""
        return tuple(one.name for one in self.videos)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        first, *rest = [one.file for one in self.videos] or ["no file"]
        return f"videos imported from {first}" + (f" and {len(rest)} more" if rest else "")

    @property
    def advice(self) -> str:
        """How the store is made again: from its files."""
        return "import its files again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        return {SOURCES: json.dumps([one.to_json() for one in self.videos])}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        return cls(
            videos=tuple(ImportedVideo.from_json(one) for one in value_of(attributes, SOURCES)),
            software=software_of(attributes),
        )


@dataclass(frozen=True, kw_only=True)
class ExtractedRegions:
    """Regions of muscles that were taken out of the images of another store of videos.

    Parameters
    ----------
    store : str
        Its address.
    names, tasks : tuple of str
        Of the trials, and of the tasks, as that store has them.
    run : str
        Folder of the run of training that found the aponeuroses; empty: the one that comes with
        musim.
    checkpoint : str
        SHA-256 of its checkpoint, in hexadecimal.
    every : int
        Aponeuroses were looked for in one of so many images.
    source : str
        What made that store, in words.
    software : mapping of str to str
    """

    name: ClassVar[str] = "regions"
    version: ClassVar[int] = 1

    store: str
    names: tuple[str, ...]
    tasks: tuple[str, ...]
    run: str
    checkpoint: str
    every: int
    source: str
    software: Mapping[str, str] = field(default_factory=software_versions)

    @property
    def made_by(self) -> str:
        """What made the store, in words."""
        return f"regions of muscles in {self.store} ({self.source})"

    @property
    def advice(self) -> str:
        """How the store is made again: from the other one."""
        return "take the regions out again"

    def to_attributes(self) -> dict[str, Any]:
        """Return what :meth:`from_attributes` reads back."""
        known = ("store", "names", "tasks", "run", "checkpoint", "every", "source")
        return {EXTRACTED_FROM: text_of({name: getattr(self, name) for name in known})}

    @classmethod
    def from_attributes(cls, attributes: Attributes) -> Self:
        """Read what :meth:`to_attributes` made."""
        told = value_of(attributes, EXTRACTED_FROM)
        return cls(
            store=str(told["store"]),
            names=tuple(told["names"]),
            tasks=tuple(told["tasks"]),
            run=str(told["run"]),
            checkpoint=str(told["checkpoint"]),
            every=int(told["every"]),
            source=str(told["source"]),
            software=software_of(attributes),
        )
