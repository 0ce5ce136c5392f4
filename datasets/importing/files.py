"""What every foreign file looks like once open: named variables that are read piece by piece."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .memory import check_memory
from .packing import Packing, packing_of

LONGEST_TEXT = 10_000
"""Characters of the longest text that is taken as a value."""


@dataclass(frozen=True)
class VariableInfo:
    """What a file says about a variable, without its values.

    Parameters
    ----------
    name : str
        Path of the variable, such as ``param/fs``.
    shape : tuple of int
        Lengths of its axes, in MATLAB's own order for MATLAB files.
    dtype : numpy.dtype or None
        Type of its values, in this machine's byte order; None if it cannot be read.
    attributes : mapping of str to object
        Attributes, such as ``units``; plain numbers, texts and arrays.
    dims : tuple of str
        Names of its axes, where the file has them; else empty.
    refusal : str
        Why it cannot be read; empty if it can.
    packing : Packing, optional
        How the stored numbers become the values; None if they are the values.
    together : int
        Bytes that reading any piece unpacks: of the largest chunk, or of all values.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    dims: tuple[str, ...] = ()
    refusal: str = ""
    packing: Packing | None = None
    together: int = 0

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers (or true and false)."""
        return self.dtype is not None and self.dtype.kind in "biufc" and not self.refusal

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.dtype is not None and self.dtype.kind in "SU" and not self.refusal

    @property
    def stored(self) -> np.dtype[Any] | None:
        """Type of the numbers that the file stores, in this machine's byte order."""
        return self.packing.stored if self.packing else self.dtype

    @property
    def units(self) -> str:
        """Units of its values, as the file states them; empty if it does not."""
        for key, value in self.attributes.items():
            if key.lower() in {"units", "unit"} and np.size(value) == 1:
                text = np.ravel(value)[0]
                text = text.decode(errors="replace") if isinstance(text, bytes) else text
                return text.strip() if isinstance(text, str) else ""
        return ""

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=object)) if self.shape else 1


@dataclass(frozen=True)
class LazyArray:
    """A variable whose values are read piece by piece.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        In this machine's byte order.
    read_piece : callable
        Takes one slice an axis, with step 1, and returns those values in memory of their own.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read_piece: Callable[[tuple[slice, ...]], NDArray[Any]]

    def read(self, slices: Sequence[slice] = ()) -> NDArray[Any]:
        """Return a piece, or all, as an array of its own.

        Parameters
        ----------
        slices : sequence of slice
            One an axis, with step 1 and as Python reads them; axes that are left out are whole.

        Returns
        -------
        array of dtype `dtype`
            In this machine's byte order; its memory may be laid out in any order.

        Raises
        ------
        InputError
            If the file is damaged there.
        ValueError
            If the slices are more than the axes, or skip values.
        """
        if len(slices) > len(self.shape):
            raise ValueError(f"found {len(slices)} slices for {len(self.shape)} axes")
        rest = [slice(None)] * (len(self.shape) - len(slices))
        bounds = [s.indices(n) for s, n in zip((*slices, *rest), self.shape, strict=True)]
        if any(step != 1 for _, _, step in bounds):
            raise ValueError("found a slice with a step, wanted pieces without gaps")
        ranges = [(start, max(start, stop)) for start, stop, _ in bounds]
        shape = tuple(stop - start for start, stop in ranges)
        if 0 in shape:
            return np.empty(shape, self.dtype)
        piece = self.read_piece(tuple(slice(*ends) for ends in ranges))
        if piece.shape != shape:
            raise ValueError(f"read a piece of shape {piece.shape}, wanted {shape}")
        return piece.astype(self.dtype, order="K", copy=False)


@dataclass(frozen=True)
class Derived:
    """An array that a file holds in another order, as its layout knows.

    Parameters
    ----------
    info : VariableInfo
    read_piece : callable
        As that of :class:`LazyArray`.
    """

    info: VariableInfo
    read_piece: Callable[[tuple[slice, ...]], NDArray[Any]]


class File(ABC):
    """An open file; use it in a ``with`` block.

    Each format is one class, listed in :mod:`.formats`. It says how it is called and recognised,
    lists its variables (:meth:`_list`) and reads pieces of them (:meth:`_read`).

    Parameters
    ----------
    path : path
    """

    format: str
    """Name of the format, for the user."""

    suffixes: tuple[str, ...] = ()
    """Endings that such files usually have, in lower case and with the dot."""

    drops_last_axes: bool = False
    """Whether last axes of length 1 are left out."""

    column_major: bool = False
    """Whether the first axis, and not the last, is the one whose values lie side by side."""

    guarded: bool = False
    """Whether a library in C reads it, which damaged bytes may crash: it works in a process of its
    own, which imports the class by its name."""

    libraries: tuple[str, ...] = ()
    """Modules that reading imports, of a format that is guarded: once, and not for every file."""

    derive: Callable[["File", str], Derived | None] = staticmethod(lambda file, name: None)
    """Finds what a name means that the file's published layout gives; set when it is opened."""

    mismatch: str = ""
    """How the file's name disagrees with its content; empty if it does not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, VariableInfo] | None = None
        self._stored: dict[str, VariableInfo] | None = None
        self._derived: dict[str, Derived] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files or folders that it lies in, which tell it from every other."""
        return (self.path,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027, as most formats hold nothing open
        """Close the file."""

    @property
    def variables(self) -> tuple[VariableInfo, ...]:
        """All variables, in the file's own order."""
        return tuple(self._by_name().values())

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes of the file itself."""
        with damage(self.path):
            return self._attributes()

    def _by_name(self) -> dict[str, VariableInfo]:
        if self._known is None:
            with damage(self.path):
                stored = self._stored_by_name().values()
                self._known = {info.name: _unpacked(info) for info in stored}
        return self._known

    def _stored_by_name(self) -> dict[str, VariableInfo]:
        if self._stored is None:
            self._stored = {info.name: info for info in self._list()}
        return self._stored

    def _stored_info(self, name: str) -> VariableInfo | None:
        """Return what is known about a variable as it is stored, whether it is listed or not."""
        known = self._stored_by_name()
        return known[name] if name in known else self._unlisted(name)

    def info(self, name: str) -> VariableInfo:
        """Return what the file says about a variable.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        known = self._by_name()
        with damage(self.path, name):
            found = known.get(name)
            if found is None:
                other = self._unlisted(name)
                found = (other and _unpacked(other)) or self._derive(name)
        if found is None:
            close = [other for other in known if other.lower() == name.lower()]
            close = close or get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise InputError(
                f"{self.path}: found no variable {name!r}; {hint}the file has {_enumerate(known)}"
            )
        return found

    def _derive(self, name: str) -> VariableInfo | None:
        if name not in self._derived:
            try:
                found = self.derive(self, name)
            except InputError as error:
                raise InputError(f"{self.path}: {name}: {error}") from error
            if found is None:
                return None
            self._derived[name] = found
        return self._derived[name].info

    def array(self, name: str) -> LazyArray:
        """Return a numeric variable, which is read when its pieces are asked for.

        Raises
        ------
        InputError
            If there is no such variable, or it does not hold numbers.
        """
        info = self.info(name)
        if info.refusal:
            raise InputError(f"{self.path}: {name}: {info.refusal}")
        if info.dtype is None or not info.is_numeric:
            raise InputError(f"{self.path}: {name}: found text, wanted numbers")

        if name in self._derived:
            return LazyArray(info.shape, info.dtype, self._derived[name].read_piece)

        def read_piece(slices: tuple[slice, ...]) -> NDArray[Any]:
            with damage(self.path, name):
                itemsize = np.dtype(info.dtype).itemsize
                count = math.prod(one.stop - one.start for one in slices)
                check_memory(f"{self.path}: {name}", count * itemsize, info.together)
                numbers = self._read(info, slices)
            return info.packing.decode(numbers) if info.packing else numbers

        return LazyArray(info.shape, info.dtype, read_piece)

    def value(self, name: str) -> bool | int | float | complex | str:
        """Return a single number, a short text, or an attribute (``variable@attribute``).

        ``@attribute`` is one of the file itself.

        Raises
        ------
        InputError
            If there is no such variable or attribute, or it holds more than one value.
        """
        variable, mark, attribute = name.rpartition("@")
        if mark and name not in self._by_name():
            return self._attribute(variable, attribute)
        info = self.info(name)
        if info.refusal:
            raise InputError(f"{self.path}: {name}: {info.refusal}")
        if info.is_text:
            with damage(self.path, name):
                return self._text(info)[:LONGEST_TEXT]
        if info.size != 1:
            raise InputError(
                f"{self.path}: {name}: found an array of shape {info.shape}, wanted one value"
            )
        return self.array(name).read().ravel()[0].item()

    def _attribute(self, variable: str, attribute: str) -> Any:
        with damage(self.path, variable):
            known = self.info(variable).attributes if variable.strip("/") else self._attributes()
        if attribute not in known:
            raise InputError(
                f"{self.path}: found no attribute {attribute!r} of {variable or 'the file'}; "
                f"known are {_enumerate(known)}"
            )
        found = np.asarray(known[attribute])
        if found.size != 1 or found.dtype.kind not in "biufcSU":
            raise InputError(
                f"{self.path}: {variable}@{attribute}: found {found.size} values, wanted one"
            )
        value = found.ravel()[0].item()
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    @classmethod
    @abstractmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether a file or folder is of this format, by its content alone.

        Of a format that is guarded: whether it may be, without the library that reads it.
        """

    @classmethod
    def confirms(cls, path: Path) -> bool:
        """Return whether a file that was recognised is of this format, by what its library says.

        Asked of formats that are guarded, in the process that reads the file.
        """
        return True

    @abstractmethod
    def _list(self) -> Iterator[VariableInfo]:
        """Yield what is known about each variable, as it is stored: packed, if it is."""

    @abstractmethod
    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        """Return a piece of a numeric variable, in any byte order and memory of its own."""

    def _unlisted(self, name: str) -> VariableInfo | None:
        """Return what a name means that is not listed, as stored; None if it means nothing."""
        return None

    def _text(self, info: VariableInfo) -> str:
        """Return the text of a variable that holds texts."""
        raise InputError(f"{self.path}: {info.name}: found text, wanted numbers")

    def _attributes(self) -> Mapping[str, Any]:
        """Return the attributes of the file itself."""
        return {}


def _unpacked(info: VariableInfo) -> VariableInfo:
    """Return what is known about a variable's values, of one that may be packed."""
    if info.dtype is None or not info.is_numeric:
        return info
    try:
        packing = packing_of(info.attributes, info.dtype)
    except InputError as error:
        return replace(info, dtype=None, refusal=str(error))
    return replace(info, dtype=packing.dtype, packing=packing) if packing else info


def open_with(path: Path, readers: Sequence[type[File]]) -> File:
    """Open a file, in this process, with the first reader that confirms it, or else the last."""
    with damage(path):
        reader = next((one for one in readers if one.confirms(path)), readers[-1])
        return reader(path)


def plain_text(text: str) -> str:
    """Return a text from a file as one line that a message can hold."""
    return " ".join(text.split())[:100]


def _enumerate(names: Mapping[str, Any], most: int = 12) -> str:
    listed = ", ".join([*names][:most]) or "none"
    return listed + (f" and {len(names) - most} more" if len(names) > most else "")
