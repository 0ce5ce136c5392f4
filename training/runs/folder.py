"""A run's folder: what was asked for, what came of it, and checkpoints that are safe to load."""

import csv
import io
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ...datasets.location import PARTIAL, Location
from ...datasets.locking import LOCK
from ...datasets.origin import software_versions
from ...datasets.replacing import unfinished_exchange, workplace
from ...simulator.errors import FailureError, InputError
from . import history

RUN = "run.json"
LAST, BEST = "last.ckpt", "best.ckpt"
TRAINING, VALIDATION = "training.csv", "validation.csv"
CURVES = "tensorboard"
JUDGEMENT, OUTLINES, MEASURES = "judgement.json", "outlines.json", "measures.json"
EXAMPLES = "examples"
_EVENTS = "events.out.tfevents."
_WEIGHTS = (LAST, BEST, JUDGEMENT)
_FILES = (*_WEIGHTS, OUTLINES, MEASURES, "network-*.json", TRAINING, VALIDATION, RUN)
_INSIDE = {CURVES: f"{_EVENTS}*", EXAMPLES: "*.npz"}
"""Folders in a run's, and what their files are called."""
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

    @contextmanager
    def at_work(self, *, resume: bool = False, overwrite: bool = False) -> Iterator[Self]:
        """Hold the folder's lock, and give the folder to train in.

        It is this one, or one beside a run that has weights and will be replaced; that is exchanged
        for the new one at the end. What else lies in it stays.

        Raises
        ------
        InputError
            If another process trains there, or both `resume` and `overwrite` are asked for.
        """
        if resume and overwrite:
            raise InputError("found both `resume` and `overwrite`, wanted one of them")
        target = Location(self.path)
        with workplace(
            target,
            resume=resume,
            overwrite=overwrite,
            is_whole=_has_weights,
            is_begun=lambda folder: (folder / RUN).is_file(),
            is_foreign=_is_foreign,
        ) as place:
            yield self if place is target else type(self)(place.path)

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
        self.check_free(overwrite=overwrite)
        self._remove()
        self._write_description({**description, "format": FORMAT, "software": versions()})

    def check_free(self, *, overwrite: bool = False) -> None:
        """Raise InputError unless a run may begin here."""
        if self.exists:
            if not overwrite:
                raise InputError(
                    f"{self}: found a run there, wanted a new folder; add `resume=True` to go on "
                    "with it, `overwrite=True` to replace it, or choose another"
                )
            return
        if self.path.exists() and not self._is_free():
            raise InputError(
                f"{self}: found something that is not a run, wanted a new or empty folder; choose "
                "another"
            )

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace the settings of the run that is here; all else stays as it was."""
        self._write_description({**self.describe(), "settings": dict(settings)})

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
            missing = (
                f"found no run there ({RUN} is missing), wanted the folder that musim train wrote; "
                "check the path"
            )
            raise InputError(f"{self}: {unfinished_exchange(self.path) or missing}")
        try:
            description = json.loads((self.path / RUN).read_bytes())
            complete = isinstance(description, dict) and description.keys() >= _KEYS
        except (OSError, ValueError, RecursionError):
            complete, description = False, {}
        if not complete:
            raise InputError(
                f"{self}: found {RUN} damaged or written by something else, wanted what musim "
                "train wrote; restore it, or use another run"
            )
        if description["format"] != FORMAT:
            raise InputError(
                f"{self}: found a run of format {description['format']}, wanted {FORMAT}; use the "
                f"version of musim that wrote it"
            )
        if task is not None and description["task"] != task:
            raise InputError(
                f"{self}: found a run of musim train {description['task']}, wanted one of musim "
                f"train {task}; name another"
            )
        return description

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Write a checkpoint aside and rename it into place: a kill leaves the last one whole.

        Raises
        ------
        FailureError
            If it cannot be written.
        """
        import torch

        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **state}, buffer)
        self.write(name, buffer.getbuffer())

    def load(self, name: str) -> dict[str, Any]:
        """Read a checkpoint; nothing that it holds is executed.

        Raises
        ------
        InputError
            If it is missing, damaged, or not a checkpoint of musim.
        """
        import torch

        path = self.path / name
        if not path.is_file():
            raise InputError(
                f"{path}: found no checkpoint, wanted one; train on with `resume=True`, or train "
                "anew"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Of archives of other kinds, refused below.
                state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # What bytes that mean nothing make of a reader has no bounds.
            raise InputError(
                f"{path}: found a checkpoint that is damaged or holds more than tensors, wanted "
                "one that musim train wrote; nothing of it was run. Copy it again, or use another "
                "run"
            ) from None
        if not _is_state(state, LAST_KEYS if name == LAST else BEST_KEYS):
            raise InputError(
                f"{path}: found a checkpoint of another program or version, wanted one that this "
                "version of musim train wrote"
            )
        return state

    def append(self, name: str, row: Mapping[str, float]) -> None:
        """Add a row to a history.

        Raises
        ------
        FailureError
            If it cannot be written.
        """
        with self.reporting(name):
            history.append(self.path / name, row)

    @contextmanager
    def reporting(self, name: str) -> Iterator[None]:
        """Raise FailureError where something of the run cannot be written, in place of OSError."""
        try:
            yield
        except OSError as error:
            raise _failure(self.path / name, error) from error

    def history(self, name: str) -> list[dict[str, float]]:
        """Return the rows of a history; none if it has not begun.

        Raises
        ------
        InputError
            If it is not what musim train wrote.
        """
        try:
            return history.rows(self.path / name)
        except (ValueError, TypeError, csv.Error):
            raise self._spoilt(name) from None

    def forget(self, step: int) -> None:
        """Take rows of later steps than `step` out of the histories: they will be made again.

        What a kill left half written goes too.

        Raises
        ------
        InputError
            If a history is not what musim train wrote.
        FailureError
            If it cannot be written.
        """
        self.sweep()
        for name in (TRAINING, VALIDATION):
            try:
                history.keep_until(self.path / name, step)
            except (ValueError, TypeError, KeyError, csv.Error):
                raise self._spoilt(name) from None
            except OSError as error:
                raise _failure(self.path / name, error) from error

    def write(self, name: str, content: bytes | memoryview) -> None:
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
        self.sweep()
        try:
            for folder, names in _INSIDE.items():
                for file in (self.path / folder).glob(names):
                    file.unlink()
                if _is_empty(self.path / folder):
                    (self.path / folder).rmdir()
            # The description last: what a kill leaves can still be resumed or replaced.
            for name in _FILES:
                for file in self.path.glob(name):
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise _failure(self.path, error) from error

    def sweep(self) -> None:
        """Remove what a kill left half written.

        Raises
        ------
        FailureError
            If it cannot be removed.
        """
        try:
            for name in (*_FILES, *(f"{inside}/{names}" for inside, names in _INSIDE.items())):
                for file in self.path.glob(f"{name}.*{PARTIAL}"):
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise _failure(self.path, error) from error

    def _is_free(self) -> bool:
        if not self.path.is_dir():
            return False
        # A kill may leave a description that was not finished.
        ours = set(self.path.glob(f"{RUN}.*{PARTIAL}"))
        return all(file in ours or file.name == LOCK for file in self.path.iterdir())

    def _write_description(self, description: Mapping[str, Any]) -> None:
        self.write(RUN, json.dumps(description, indent=1).encode() + b"\n")

    def _spoilt(self, name: str) -> InputError:
        return InputError(
            f"{self.path / name}: found a table that musim train did not write, wanted the run's; "
            "restore it, or move it away"
        )


_KEYS = {"format", "task", "model", "settings", "source", "grid", "software"}

BEST_KEYS = {"task": str, "settings": str, "step": int, "networks": dict}
"""What every checkpoint holds; settings as JSON."""

LAST_KEYS = {
    **BEST_KEYS,
    "optimisers": dict,
    "scaler": dict,
    "best": dict,
    "waited": int,
    "extra": dict,
    "seconds": float,
}
"""What there is in the one that training goes on from."""


def versions() -> dict[str, str]:
    """Return the versions of musim and of the libraries that shape a run."""
    return software_versions(*_LIBRARIES)


def _is_state(state: Any, wanted: Mapping[str, type]) -> bool:
    return (
        isinstance(state, dict)
        and state.get("format") == FORMAT
        and all(isinstance(state.get(name), kind) for name, kind in wanted.items())
    )


def _has_weights(folder: Path) -> bool:
    return (folder / RUN).is_file() and any((folder / name).is_file() for name in _WEIGHTS)


def _is_foreign(file: Path) -> bool:
    names = _FILES if file.parent == Path() else (_INSIDE.get(str(file.parent)),)
    return not any(
        name and (file.match(name) or file.match(f"{name}.*{PARTIAL}")) for name in names
    )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _failure(path: Path, error: OSError) -> FailureError:
    reason = error.strerror or type(error).__name__
    return FailureError(f"{path}: could not be written ({reason}); free space or choose another")
