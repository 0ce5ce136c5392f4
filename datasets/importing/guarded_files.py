"""Files that are read by another process, as libraries in C may crash on what they hold."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .content import Content
from .damage import damage
from .files import File, VariableInfo
from .reading_processes import ReadingProcess
from .wire import from_json, receive_values


class GuardedFile(File):
    """A file that is read by another process, see :mod:`.reading_processes`.

    It is what its reader would be here, but that a crash, a hang or a lack of memory is an
    InputError.

    Parameters
    ----------
    path : path
    readers : sequence of type of File
        Those that recognise the file; the first that confirms it reads it. They must be importable
        by their names.
    """

    format = "guarded"

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return False: it stands for other formats, and is none of its own."""
        return False

    def __init__(self, path: Path, readers: Sequence[type[File]]) -> None:
        super().__init__(path)
        names = [f"{one.__module__}:{one.__qualname__}" for one in readers]
        with damage(path):
            folder = "" if path.is_absolute() else str(Path.cwd())
            self._process = ReadingProcess(path, names)
            try:
                told = self._ask("open", path=str(path), folder=folder, readers=names)
                self._infos = [VariableInfo(**info) for info in told["variables"]]
            except BaseException:
                self._process.close()
                raise
        self._others: dict[str, VariableInfo | None] = {}
        self.format = str(told["format"])
        self.suffixes = told["suffixes"]
        self.column_major = bool(told["column_major"])
        self.drops_last_axes = bool(told["drops_last_axes"])

    def close(self) -> None:
        """Close the file."""
        self._process.close()

    def _ask(self, what: str, name: str = "", **more: Any) -> Any:
        return from_json(self._process.ask({"what": what, "name": name, **more}, name=name))

    def _list(self) -> Iterator[VariableInfo]:
        yield from self._infos

    def _unlisted(self, name: str) -> VariableInfo | None:
        if name not in self._others:
            told = self._ask("unlisted", name)
            self._others[name] = told and VariableInfo(**told)
        return self._others[name]

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        ends = [(one.start, one.stop) for one in slices]
        shape = tuple(stop - start for start, stop in ends)
        stored = self._stored_info(info.name)
        assert stored is not None
        dtype = np.dtype(stored.dtype)
        return self._process.ask(
            {"what": "read", "name": info.name, "slices": ends},
            name=info.name,
            size=int(np.prod(shape, dtype=object)) * dtype.itemsize + info.together,
            take=partial(receive_values, dtype=dtype, shape=shape),
        )

    def _text(self, info: VariableInfo) -> str:
        return str(self._ask("text", info.name))

    def _attributes(self) -> Mapping[str, Any]:
        return self._ask("attributes")

    def _attribute(self, variable: str, attribute: str) -> Any:
        return self._ask("attribute", variable, attribute=attribute)
