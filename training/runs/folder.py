"""A run's folder: what was asked for, what came of it, and checkpoints that are safe to load."""

import csv
import io
import json
import pickle
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ...datasets.layout import software
from ...datasets.location import PARTIAL, Location
from ...simulator.errors import FailureError, InputError

RUN = "run.json"
LAST, BEST = "last.ckpt", "best.ckpt"
TRAINING, VALIDATION = "training.csv", "validation.csv"
CURVES = "tensorboard"
FORMAT = 1

_LIBRARIES = ("torch", "torchvision", "lightning")


class RunFolder:
    """The folder of one run.

    Parameters
    ----------
    path : str or path
        A local folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        """Return the path."""
        return str(self.path)

    @property
    def exists(self) -> bool:
        """Whether a run is there."""
        return (self.path / RUN).is_file()

    def create(self, description: Mapping[str, Any], *, overwrite: bool = False) -> None:
        """Begin a run here.

        Parameters
        ----------
        description : dict of plain values
            ``task``, ``model``, ``settings``, ``source``, ``grid``.
        overwrite : bool
            Whether a run that is there is replaced.

        Raises
        ------
        InputError
            If something is there that is not to be replaced.
        FailureError
            If the folder cannot be written.
        """
        if self.exists and not overwrite:
            raise InputError(
                f"{self}: found a run there, wanted a new folder; add --resume to go on with it, "
                "--overwrite to replace it, or choose another"
            )
        if not self.exists and self.path.exists() and not _is_empty(self.path):
            raise InputError(
                f"{self}: found something that is not a run, wanted a new or empty folder; choose "
                "another"
            )
        self._remove()
        text = json.dumps({"format": FORMAT, **description, "software": versions()}, indent=1)
        self.write(RUN, text.encode() + b"\n")

    def describe(self, task: str | None = None) -> dict[str, Any]:
        """Return what :meth:`create` was given, with ``software``.

        Parameters
        ----------
        task : str, optional
            The task that the run has to be of.

        Raises
        ------
        InputError
            If there is no run, or one of another task or version.
        """
        if not self.exists:
            raise InputError(
                f"{self}: found no run there ({RUN} is missing), wanted the folder that musim "
                "train wrote"
            )
        try:
            description = json.loads((self.path / RUN).read_bytes())
            complete = isinstance(description, dict) and description.keys() >= _KEYS
        except (OSError, ValueError):
            complete, description = False, {}
        if not complete:
            raise InputError(
                f"{self}: found {RUN} damaged or written by something else, wanted what musim "
                "train wrote"
            )
        if description["format"] != FORMAT:
            raise InputError(
                f"{self}: found a run of format {description['format']}, wanted {FORMAT}; use the "
                f"version of musim that wrote it"
            )
        if task is not None and description["task"] != task:
            raise InputError(
                f"{self}: found a run of musim train {description['task']}, wanted one of musim "
                f"train {task}"
            )
        return description

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Write a checkpoint aside and rename it into place: a kill leaves the last one whole.

        Raises
        ------
        FailureError
            If it cannot be written.
        """
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **state}, buffer)
        self.write(name, buffer.getvalue())

    def load(self, name: str) -> dict[str, Any]:
        """Read a checkpoint; nothing that it holds is executed.

        Raises
        ------
        InputError
            If it is missing, damaged, or not a checkpoint of musim.
        """
        path = self.path / name
        if not path.is_file():
            raise InputError(
                f"{path}: found no checkpoint, wanted one; train on with --resume, or train anew"
            )
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, KeyError):
            raise InputError(
                f"{path}: found a checkpoint that is damaged or holds more than tensors, wanted "
                "one that musim train wrote; nothing of it was run. Copy it again, or use another "
                "run"
            ) from None
        if not isinstance(state, dict) or state.get("format") != FORMAT or "networks" not in state:
            raise InputError(
                f"{path}: found a checkpoint of another program or version, wanted one that this "
                "version of musim train wrote"
            )
        return state

    def append(self, name: str, row: Mapping[str, float]) -> None:
        """Add a row to a history; its first line names the columns.

        Raises
        ------
        FailureError
            If it cannot be written.
        """
        path = self.path / name
        try:
            new = not path.exists()
            with path.open("a", newline="") as file:
                writer: Any = csv.DictWriter(file, list(row), lineterminator="\n")
                if new:
                    writer.writeheader()
                writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
        except OSError as error:
            raise _failure(path, error) from error

    def history(self, name: str) -> list[dict[str, float]]:
        """Return the rows of a history; none if it has not begun."""
        path = self.path / name
        if not path.exists():
            return []
        rows = csv.DictReader(io.StringIO(path.read_text()))
        return [{key: float(value) for key, value in row.items()} for row in rows]

    def forget(self, step: int) -> None:
        """Take rows of later steps than `step` out of the histories: they will be made again."""
        for name in (TRAINING, VALIDATION):
            kept = [row for row in self.history(name) if row["step"] <= step]
            (self.path / name).unlink(missing_ok=True)
            for row in kept:
                self.append(name, row)

    def write(self, name: str, content: bytes) -> None:
        """Write a file aside and rename it into place.

        Raises
        ------
        FailureError
            If it cannot be written.
        """
        Location(self.path).write(name, content)

    def remove(self) -> None:
        """Remove the run, and nothing else that may lie in its folder."""
        self._remove()
        if self.path.is_dir() and _is_empty(self.path):
            self.path.rmdir()

    def _remove(self) -> None:
        try:
            for file in (self.path / CURVES).glob("events.out.tfevents.*"):
                file.unlink()
            if (self.path / CURVES).is_dir() and _is_empty(self.path / CURVES):
                (self.path / CURVES).rmdir()
            for name in (LAST, BEST, TRAINING, VALIDATION, RUN):
                for file in (*self.path.glob(f"{name}.*{PARTIAL}"), self.path / name):
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise _failure(self.path, error) from error


_KEYS = {"format", "task", "model", "settings", "source", "grid", "software"}


def versions() -> dict[str, str]:
    """Return the versions of musim and of the libraries that shape a run."""
    found = json.loads(software())
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _failure(path: Path, error: OSError) -> FailureError:
    reason = error.strerror or type(error).__name__
    return FailureError(f"{path}: could not be written ({reason}); free space or choose another")
