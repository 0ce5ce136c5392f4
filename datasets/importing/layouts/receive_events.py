"""What a Vantage's workspace says of its acquisitions: Receive, TX, Event and SeqControl."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ..files import File
from .receive_buffers import Acquisitions, period_of

PAIRED = ("BS100BW", "BS50BW")
"""Modes of sampling in which two samples are kept, a quarter of a period apart, and others not."""

Numbers = Callable[[str], NDArray[np.float64] | None]


class ReceiveEvents:
    """The acquisitions of a workspace.

    Parameters
    ----------
    file : File
    numbers : callable
        Returns all values of a variable; None without one of that name.
    """

    def __init__(self, file: File, numbers: Numbers) -> None:
        self._file = file
        self._numbers = cache(numbers)

    def of_each(self, name: str) -> NDArray[np.float64] | None:
        """Return one number of each struct of an array, such as Receive/startSample."""
        values = self._numbers(name)
        return None if values is None else values.ravel()

    @property
    def steers(self) -> NDArray[np.float64] | None:
        """The angle of each TX in the image plane, rad."""
        values = self._numbers("TX/Steer")
        return None if values is None else np.atleast_3d(values)[0, 0]

    @property
    def focused(self) -> int:
        """How many TX are focused, or diverge from a point."""
        focus = self.of_each("TX/focus")
        return 0 if focus is None else int(np.count_nonzero(focus))

    @property
    def apertures(self) -> int:
        """How many apertures of a multiplexer are received with."""
        found = self.of_each("Receive/aperture")
        return 1 if found is None else len(np.unique(found))

    @property
    def is_paired(self) -> bool:
        """Whether samples lie in pairs of quadrature."""
        for name in ("Receive(1)/sampleMode", "Receive/sampleMode"):
            with suppress(InputError):
                return str(self._file.value(name)) in PAIRED
        skipped = self.of_each("Receive/quadDecim")
        return skipped is not None and skipped[0] > 1

    @property
    def sampling_frequency(self) -> float | None:
        """Of the samples, or of the pairs of them, Hz."""
        rate, skipped = self.of_each("Receive/decimSampleRate"), self.of_each("Receive/quadDecim")
        if rate is None or (skipped is None and self.is_paired):
            return None
        kept = 1.0 if skipped is None else float(skipped[0])
        return 1e6 * float(rate[0]) / kept / (1 + self.is_paired)

    def of_buffer(self, buffer: str) -> NDArray[np.bool_]:
        """Return which elements of Receive belong to a buffer, such as ``RcvData{1}``."""
        starts, of = self.of_each("Receive/startSample"), self.of_each("Receive/bufnum")
        number = int(buffer[8:-1]) if buffer.endswith("}") else 1
        return np.ones(0 if starts is None else len(starts), bool) if of is None else of == number

    def acquisitions(self, buffer: str) -> Acquisitions | None:
        """Return how the frames of a buffer are parted; None if the workspace does not say.

        Raises
        ------
        InputError
            If acquisitions differ in length, or frames in their acquisitions, or they reach beyond
            the buffer.
        """
        chosen = self.of_buffer(buffer)
        starts, ends = (self.of_each(f"Receive/{name}Sample") for name in ("start", "end"))
        if starts is None or ends is None or not chosen.any():
            return None
        frames = self.of_each("Receive/framenum")
        frames = np.ones(len(starts)) if frames is None else frames
        starts, lengths, frames = starts[chosen], (ends - starts + 1)[chosen], frames[chosen]
        if (lengths != lengths[0]).any() or lengths[0] < 2:
            raise InputError(
                f"found acquisitions of {lengths.min():g} to {lengths.max():g} samples in Receive, "
                "wanted them alike; beamform them and import the images"
            )
        # What is accumulated lies in the rows of the one before.
        rows = [np.unique(starts[frames == frame]) for frame in np.unique(frames)]
        if any(not np.array_equal(rows[0], others) for others in rows):
            raise InputError(
                "found frames whose acquisitions differ in Receive, wanted them alike; beamform "
                "them and import the images"
            )
        order = self._wave_of_rows(chosen, rows[0])
        period = len(rows[0]) if order is None else period_of(order)
        shape = self._file.info(buffer).shape
        found = Acquisitions(
            starts=rows[0].astype(np.int64).reshape(-1, period) - 1,
            length=int(lengths[0]),
            channels=self._channels(shape[1]),
            waves=None if order is None else order[:period],
            is_paired=self.is_paired,
        )
        found.check(shape)
        return found

    def _wave_of_rows(
        self, chosen: NDArray[np.bool_], rows: NDArray[np.float64]
    ) -> NDArray[np.int64] | None:
        """Return which TX the acquisition at each row is of, from 0; None if it is not known."""
        found = {row: wave for row, wave, _ in self._events(chosen)}
        if len(found) == len(rows):
            return np.array([found[row] for row in rows])
        if found or self.steers is None or len(rows) % len(self.steers):
            return None
        return np.arange(len(rows)) % len(self.steers)

    def _events(self, chosen: NDArray[np.bool_]) -> list[tuple[float, int, int]]:
        """Return first row, TX and number of the events that fill the first frame of a buffer."""
        received, transmitted = self.of_each("Event/rcv"), self.of_each("Event/tx")
        starts, frames = self.of_each("Receive/startSample"), self.of_each("Receive/framenum")
        if received is None or transmitted is None or starts is None:
            return []
        first = chosen if frames is None else chosen & (frames == frames[chosen].min())
        found: dict[float, tuple[float, int, int]] = {}
        for event, (number, wave) in enumerate(zip(received, transmitted, strict=True)):
            place = int(number) - 1
            if wave > 0 and 0 <= place < len(first) and first[place]:
                found.setdefault(starts[place], (starts[place], int(wave) - 1, event))
        return list(found.values())

    def duration(self, buffer: str, transmits: int) -> float | None:
        """Return the time that the first transmits of a buffer take, s; None if it is not said."""
        total = 0.0
        for _, _, event in self._events(self.of_buffer(buffer))[:transmits]:
            wait = self._wait_after(event)
            if wait is None:
                return None
            total += wait
        return 1e-6 * total or None

    def _wait_after(self, event: int) -> float | None:
        """Return the time from an event's acquisition to the next one, us."""
        try:
            for number in self._file.array(f"Event({event + 1})/seqControl").read().ravel():
                of = f"SeqControl({int(number)})"
                if self._file.value(f"{of}/command") == "timeToNextAcq":
                    return float(self._file.array(f"{of}/argument").read().ravel()[0])
        except InputError:  # a single SeqControl, or a field that is not there
            return None
        return None

    def _channels(self, columns: int) -> NDArray[np.int64]:
        """Return the channel of each element, from 0."""
        count = self._numbers("Trans/numelements")
        for field in ("Connector", "ConnectorES"):
            values = self._numbers(f"Trans/{field}")
            if values is None or count is None or values.size < count.ravel()[0]:
                continue
            # One column for each aperture of a multiplexer, which Receive.aperture counts.
            values = values.T if len(values) == 1 else values
            aperture = self.of_each("Receive/aperture")
            column = 0 if aperture is None else int(aperture[0]) - 1
            return values[:, column if 0 <= column < values.shape[1] else 0].astype(np.int64) - 1
        return np.arange(columns)
