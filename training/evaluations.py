"""The folder of an evaluation: which files it holds, and how it is begun, resumed and replaced.

Every evaluation declares its files once, as :class:`EvaluationFiles`. All of them are written
through an :class:`EvaluationFolder`, which so knows what it may remove, and what it must leave.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..datasets.location import PARTIAL, Location
from ..datasets.locking import LOCK
from ..datasets.replacing import unfinished_exchange, workplace
from ..simulator.errors import FailureError, InputError
from .charts import Chart, png
from .csv_tables import csv_text
from .parts import packed, unpacked

PARTS = "parts"
"""Folder of the parts of an evaluation that can be resumed."""


@dataclass(frozen=True)
class EvaluationFiles:
    """Which files the folder of an evaluation holds.

    Parameters
    ----------
    settings : str
        JSON that says how the evaluation was made. It marks a folder as such an evaluation.
    keys : frozenset of str
        What `settings` holds at least: by these it is known from JSON of something else.
    tables : tuple of str
        Tables as CSV; the last one is there once the evaluation is finished.
    summary : str
        Table of means, made of the others; empty if there is none.
    figures : str
        Regular expression of the names of figures, which are PNG, without their ending.
    captions : str
        JSON of the figures' names, titles and texts; empty if there is none.
    parts : str
        Regular expression of the names of parts that an interrupted run leaves to be resumed; empty
        if it leaves none. They are JSON, or arrays where names end in ``.npz``.
    changeable : frozenset of str
        Settings that may be others when an evaluation is gone on with: a finished one too then gets
        parts that lack, and loses those that are of no use any more. Names of its parts tell all
        that decides what is in them.
    version : int
        Of what parts hold: those of another one are not gone on with.
    described : callable
        Says in a few words what some settings are of.
    """

    settings: str
    keys: frozenset[str]
    tables: tuple[str, ...]
    summary: str = ""
    figures: str = ""
    captions: str = ""
    parts: str = ""
    changeable: frozenset[str] = frozenset()
    version: int = 1
    described: Callable[[Mapping[str, Any]], str] = lambda settings: ""

    def holds(self, name: str) -> bool:
        """Return whether a file of this name, in the folder itself, is one of the evaluation's."""
        if name in {self.settings, *self.tables, self.summary, self.captions} - {""}:
            return True
        return bool(self.figures) and bool(re.fullmatch(rf"(?:{self.figures})\.png", name))

    def holds_part(self, name: str) -> bool:
        """Return whether a file of this name, in :data:`PARTS`, is one of the evaluation's."""
        return bool(self.parts) and bool(re.fullmatch(self.parts, name))


class EvaluationFolder:
    """The folder of one evaluation.

    Parameters
    ----------
    place : str or path
        A local folder, which need not be there.
    files : EvaluationFiles

    Raises
    ------
    InputError
        If it is a URL.
    """

    def __init__(self, place: str | Path, files: EvaluationFiles) -> None:
        self.location = Location(place)
        self.files = files
        if not self.location.is_local:
            raise InputError(
                f"{self.location}: found a URL, wanted a local folder for the evaluation"
            )

    def __str__(self) -> str:
        """Return the place."""
        return str(self.location)

    @property
    def exists(self) -> bool:
        """Whether an evaluation is there."""
        return self.location.exists(self.files.settings)

    def settings(self) -> dict[str, Any]:
        """Return how the evaluation that is there was made.

        Raises
        ------
        InputError
            If there is none, or its settings are of something else.
        """
        if not self.exists:
            missing = "found no evaluation there, wanted a folder that holds one"
            raise InputError(f"{self}: {unfinished_exchange(self.location.path) or missing}")
        with suppress(ValueError):
            settings = json.loads(self.location.read(self.files.settings))
            if isinstance(settings, dict) and self.files.keys <= settings.keys():
                return settings
        raise InputError(
            f"{self}: found {self.files.settings} without the settings of an evaluation, wanted "
            "what musim evaluate wrote; choose another folder"
        )

    def check_finished(self) -> None:
        """Raise InputError unless the evaluation that is there, if any, is finished."""
        if self.exists and not self.location.exists(self.files.tables[-1]):
            raise InputError(
                f"{self}: found an unfinished evaluation; run musim evaluate again with "
                "`resume=True`"
            )

    def check(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Raise InputError unless an evaluation may begin here, go on, or replace what is there.

        Parameters
        ----------
        settings : mapping, optional
            Those of the evaluation that would go on.
        resume, overwrite : bool
            Whether to go on with, or to replace, an evaluation that is there.
        """
        if not self.exists:
            if self._holds_anything():
                raise InputError(
                    f"{self}: found something that is not an evaluation, wanted a new or empty "
                    "folder"
                )
            return
        found = self._fixed(self.settings())
        if overwrite:
            return
        if not resume:
            going_on = "add `resume=True` to go on with it, `overwrite=True` to replace it"
            replacing = "add `overwrite=True` to replace it"
            raise InputError(
                f"{self}: found an evaluation there, wanted a new folder; "
                f"{going_on if self.files.parts else replacing}, or choose another"
            )
        if found.get("version", 1) != self.files.version:
            raise InputError(
                f"{self}: found an evaluation of another version of musim, wanted this one's to "
                "resume; use `overwrite=True`, or choose another folder"
            )
        if found != self._fixed(json.loads(json.dumps(settings))):
            raise InputError(
                f"{self}: found an evaluation with other settings "
                f"({self.files.described(found)}), wanted the same to resume; use "
                "`overwrite=True`"
            )

    def _fixed(self, settings: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the settings that are the same whenever the evaluation goes on."""
        free = {"software", *self.files.changeable}
        return {key: value for key, value in (settings or {}).items() if key not in free}

    @contextmanager
    def at_work(self, *, resume: bool = False, overwrite: bool = False) -> Iterator[Self]:
        """Hold the folder's lock, and give the folder to make the evaluation in.

        It is this one; or one beside it, where an evaluation is finished and will be replaced, or
        this one is to be there at once because it cannot be resumed. They are exchanged at the end;
        what else lies in the old one stays.

        Raises
        ------
        InputError
            If another process writes there, or both `resume` and `overwrite` are asked for.
        """
        if resume and overwrite:
            raise InputError("found both `resume` and `overwrite`, wanted one of them")
        resumable = bool(self.files.parts)
        with workplace(
            self.location,
            resume=resume,
            overwrite=overwrite,
            is_whole=self._is_finished,
            is_begun=lambda folder: resumable and (folder / self.files.settings).exists(),
            is_foreign=self._is_foreign,
            apart=not resumable,
        ) as place:
            yield self if place is self.location else type(self)(place.path, self.files)

    def _is_finished(self, folder: Path) -> bool:
        files = self.files
        return (folder / files.settings).exists() and (folder / files.tables[-1]).exists()

    def _is_foreign(self, file: Path) -> bool:
        name = _finished_name(file)
        if file.parent == Path(PARTS):
            return not self.files.holds_part(name)
        return file.parent != Path() or not self.files.holds(name)

    def write_settings(self, settings: Any) -> None:
        """Write how the evaluation was made."""
        self.location.write_json(self.files.settings, settings)

    def write_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write one of the tables, or the summary."""
        self._write(name, csv_text(rows).encode())

    def write_charts(self, charts: Sequence[Chart]) -> None:
        """Write all figures, with their captions if the evaluation keeps them; others go."""
        for chart in charts:
            self._write(f"{chart.name}.png", png(chart))
        if self.files.captions:
            shown = [{"name": one.name, "title": one.title, "text": one.text} for one in charts]
            self.location.write_json(self.files.captions, shown)
        drawn = {f"{chart.name}.png" for chart in charts}
        for path in self.location.path.glob("*.png"):
            if self.files.holds(path.name) and path.name not in drawn:
                path.unlink(missing_ok=True)

    def parts(self) -> set[str]:
        """Return the names of the parts that are there."""
        return set(self.location.list_files(PARTS))

    def write_part(self, name: str, content: Any) -> None:
        """Write a part as JSON, or where its name ends in ``.npz`` arrays by their names."""
        if not self.files.holds_part(name):
            raise ValueError(f"found {name}, wanted the name of a part of this evaluation")
        self.location.write(f"{PARTS}/{name}", packed(name, content))

    def read_part(self, name: str) -> Any:
        """Return what :meth:`write_part` wrote.

        Raises
        ------
        FailureError
            If it is damaged.
        """
        try:
            return unpacked(name, self.location.read(f"{PARTS}/{name}"))
        except ValueError as error:
            raise FailureError(
                f"{self}: found {PARTS}/{name} damaged, wanted what musim evaluate wrote; remove "
                "that file, then go on with `resume=True`"
            ) from error

    def reopen(self, parts: Collection[str]) -> None:
        """Take away what says that the evaluation is finished, and all parts but these.

        Raises
        ------
        FailureError
            If something cannot be removed.
        """
        folder = self.location.path
        try:
            (folder / self.files.tables[-1]).unlink(missing_ok=True)
            for path in (folder / PARTS).glob("*"):
                if self.files.holds_part(path.name) and path.name not in parts:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise self.location.failure("be removed", error) from error

    def remove(self) -> None:
        """Remove the evaluation, and nothing else: last of all what marks the folder as one.

        Raises
        ------
        FailureError
            If something cannot be removed.
        """
        folder = self.location.path
        try:
            for path in sorted((folder / PARTS).glob("*")):
                if self.files.holds_part(_finished_name(path)):
                    path.unlink(missing_ok=True)
            with suppress(OSError):  # there is none, or it holds something else
                (folder / PARTS).rmdir()
            ours = [each for each in folder.glob("*") if self.files.holds(_finished_name(each))]
            # First of all what says that it is finished.
            order = {self.files.tables[-1]: 0, self.files.settings: 2}
            for path in sorted(ours, key=lambda path: order.get(path.name, 1)):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self.location.failure("be removed", error) from error

    def _write(self, name: str, content: bytes) -> None:
        if not self.files.holds(name):
            raise ValueError(f"found {name}, wanted the name of a file of this evaluation")
        self.location.write(name, content)

    def _holds_anything(self) -> bool:
        """Return whether there is more than what a run leaves that was killed as it began."""
        try:
            if not self.location.path.is_dir():
                return self.location.path.exists()
            files = self.location.path.iterdir()
            return any(path.suffix != PARTIAL and path.name != LOCK for path in files)
        except OSError as error:
            raise self.location.failure("be read", error) from error


def _finished_name(path: Path) -> str:
    """Return the name that a file has, or would have if it had not been left half written."""
    return re.sub(rf"\.\w{{8}}{re.escape(PARTIAL)}$", "", path.name)
