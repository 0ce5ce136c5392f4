"""How Verasonics' Vantage lays acquisitions into a receive buffer, and reading them apart.

A buffer is an array (row, channel, frame). The acquisitions of a frame lie one behind the other
along its rows: ``Receive(k).startSample`` to ``endSample``, counted from 1. The channels stand in
the order of the connector: ``Trans.Connector`` names that of each element.

In some modes (BS100BW, BS50BW) of every period, or of every second one, two samples are kept that
lie a quarter of a period apart: the real part of the demodulated echo, and less the imaginary one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ..files import Derived, LazyArray, VariableInfo


@dataclass(frozen=True)
class Acquisitions:
    """The acquisitions of each frame of a buffer.

    Parameters
    ----------
    starts : int array of shape (repeat, transmit)
        First row of each, from 0. All transmits follow one another, and that again and again.
    length : int
        Rows of each.
    channels : int array of shape (element,)
        Column of each element, from 0.
    waves : int array of shape (transmit,), optional
        Which element of TX each transmit is, from 0; None if that is not known.
    is_paired : bool
        Whether samples lie in pairs.
    """

    starts: NDArray[np.int64]
    length: int
    channels: NDArray[np.int64]
    waves: NDArray[np.int64] | None
    is_paired: bool = False

    def are_all_of(self, buffer: VariableInfo) -> bool:
        """Return whether a buffer holds one acquisition a frame, as it would be described alone."""
        rows, columns = buffer.shape[:2]
        in_order = np.array_equal(self.channels, np.arange(columns))
        is_whole = self.starts.size == 1 and self.length == rows
        return is_whole and in_order and not self.is_paired

    def check(self, buffer: tuple[int, ...]) -> None:
        """Raise InputError if they reach beyond a buffer of some shape."""
        rows, columns = buffer[:2]
        last, widest = int(self.starts.max()) + self.length, int(self.channels.max()) + 1
        if last > rows or widest > columns or self.starts.min() < 0 or self.channels.min() < 0:
            raise InputError(
                f"found acquisitions of {last} rows and {widest} channels, wanted them within the "
                f"buffer's shape {buffer}; Receive and Trans belong to another recording"
            )

    def shape(self, buffer: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the acquisitions of a buffer of some shape."""
        repeats, transmits = self.starts.shape
        frames = buffer[2] if len(buffer) > 2 else 1
        samples, parts = (self.length // 2, (2,)) if self.is_paired else (self.length, ())
        return samples, len(self.channels), transmits, repeats * frames, *parts

    def of(self, buffer: LazyArray, name: str, attributes: Mapping[str, Any]) -> Derived:
        """Return the acquisitions of a buffer apart: (sample, channel, transmit, time).

        Of samples in pairs, real and imaginary part are a last axis.

        Raises
        ------
        InputError
            If they reach beyond the buffer.
        """
        self.check(buffer.shape)
        info = VariableInfo(name, self.shape(buffer.shape), buffer.dtype, attributes)
        return Derived(info, lambda slices: self._read(buffer, slices))

    def _read(self, buffer: LazyArray, slices: tuple[slice, ...]) -> NDArray[Any]:
        if not self.is_paired:
            return self._rows(buffer, slices)
        samples, *others, parts = slices
        rows = self._rows(buffer, (slice(2 * samples.start, 2 * samples.stop), *others))
        least = np.iinfo(rows.dtype).min if rows.dtype.kind == "i" else -np.inf
        imaginary = -np.maximum(rows[1::2], least + 1)  # -32768 has no opposite
        return np.stack([rows[::2], imaginary], axis=-1)[..., parts].astype(rows.dtype, copy=False)

    def _rows(self, buffer: LazyArray, slices: tuple[slice, ...]) -> NDArray[Any]:
        samples, elements, waves, times = slices
        lengths = [s.stop - s.start for s in slices]
        result = np.empty(lengths, buffer.dtype, order="F")
        channels = self.channels[elements]
        left, right = int(channels.min()), int(channels.max()) + 1
        repeats = len(self.starts)
        for frame in range(times.start // repeats, (times.stop - 1) // repeats + 1):
            first = max(times.start - frame * repeats, 0)
            last = min(times.stop - frame * repeats, repeats)
            starts = self.starts[first:last, waves] + samples.start
            top, bottom = int(starts.min()), int(starts.max()) + lengths[0]
            place = slice(top, bottom), slice(left, right), slice(frame, frame + 1)
            block = buffer.read(place[: len(buffer.shape)]).reshape(bottom - top, right - left)
            for repeat, wave in np.ndindex(starts.shape):
                rows = slice(starts[repeat, wave] - top, starts[repeat, wave] - top + lengths[0])
                time = frame * repeats + first + repeat - times.start
                result[:, :, wave, time] = block[rows, channels - left]
        return result


def period_of(values: NDArray[np.int64]) -> int:
    """Return after how many values they begin again, to the end."""
    count = len(values)
    fitting = (p for p in range(1, count + 1) if count % p == 0)
    return next(p for p in fitting if np.array_equal(values, np.tile(values[:p], count // p)))
