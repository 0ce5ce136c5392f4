"""Whatever pictures show: a sequence of a store, or a truth that no store holds."""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...datasets.schema import chunks_of
from ...datasets.store import Store
from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from ...simulator.rendering import render
from ...simulator.sequence import Truth
from ...training.identification.stored import outline_confidence_of, shown_velocity_sd
from ...training.identification.units import UNCERTAIN_OUTLINE
from ..pages.sources import RECORDED, look_up, noise_of

BLOCK = 64
"""Frames of a truth that are rendered together."""


class DrawnUnits(NamedTuple):
    """The units of a subject.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
        Membership, 0..1.
    train : float32 array of shape (unit, time)
        Velocity, mm/s.
    firing : float64 array of shape (unit, firing)
        Instants, s; padded with NaN.
    uncertain : bool array of shape (unit,)
        Whether the outline is.
    """

    territory: NDArray[np.float32]
    train: NDArray[np.float32]
    firing: NDArray[np.float64]
    uncertain: NDArray[np.bool_]


class Subject(ABC):
    """One sequence, as far as pictures show it."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Frames, depth and width, px."""

    @property
    @abstractmethod
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""

    @property
    @abstractmethod
    def frame_rate(self) -> float:
        """Hz."""

    @property
    def size(self) -> tuple[float, float]:
        """Depth and width of the image, mm."""
        (_, depth, width), (high, wide) = self.shape, self.pixel_size
        return depth * high, width * wide

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in one line."""

    @property
    @abstractmethod
    def units(self) -> DrawnUnits | None:
        """Its units, true or found; None where nobody knows any."""

    @property
    @abstractmethod
    def truth(self) -> Truth | None:
        """Its truth, or that of the recording in which its units were found, where it is known."""

    @property
    def twin_of(self) -> Truth | None:
        """The truth whose analytic sequence was to be recorded; None where there is none."""
        return None

    @property
    def recorded_sd(self) -> NDArray[np.float32] | None:
        """SD over time of the recording that units were found in, mm/s; None of all else."""
        return None

    @abstractmethod
    def velocity(
        self, time: slice, depth: slice = slice(None), width: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return a window of the velocity, mm/s, float32 (time, depth, width)."""

    @property
    @abstractmethod
    def block(self) -> int:
        """Frames that are read together at little cost."""

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield all voxels in spans of time as they are stored, so that memory stays small."""
        for start in range(0, self.shape[0], self.block):
            yield self.velocity(slice(start, start + self.block))

    def frame(self, number: int) -> NDArray[np.float32]:
        """Return one frame, mm/s, as a float32 array of shape (depth, width)."""
        return self.velocity(slice(number, number + 1))[0]

    def titled(self, names: Sequence[str], units: int | None, more: Sequence[str]) -> str:
        """Return a title of names, the number of units, and more, without what is empty."""
        frames, depth, width = self.shape
        counted = [] if units is None else [f"{units} unit" if units == 1 else f"{units} units"]
        parts = [
            *names, *counted, *more, f"{depth} × {width} px",
            f"{frames} {'frame' if frames == 1 else 'frames'} at {self.frame_rate:g} Hz",
        ]  # fmt: skip
        return "  ·  ".join(part for part in parts if part)


class StoredSequence(Subject):
    """A sequence of a store.

    Parameters
    ----------
    store : Store
        Of tissue velocity.
    index : int
        The sequence.
    """

    def __init__(self, store: Store, index: int) -> None:
        self.store, self.index = store, index

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, depth and width, px."""
        return self.store.layout.shape

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.store.layout.pixel_size

    @property
    def frame_rate(self) -> float:
        """Hz."""
        return self.store.layout.frame_rate

    @property
    def title(self) -> str:
        """Name of the store, number of the sequence, and what is in it."""
        store, index = self.store, self.index
        name = str(store.location).rstrip("/").rsplit("/", 1)[-1]
        noise = noise_of(store, index) if store.domain is not None else ""
        kind = "reconstruction from the units" if store.kind == "identified" else store.kind
        return self.titled(
            (name if len(name) <= 40 else f"{name[:39]}…", f"sequence {index}"),
            int(store.read("unit_count", index)) if store.has_units else None,
            (noise, RECORDED.get(store.domain or "", kind)),
        )

    @property
    def units(self) -> DrawnUnits | None:
        """Its units, true or found; None where the store holds none."""
        store, index = self.store, self.index
        if not store.has_units:
            return None
        count = int(store.read("unit_count", index))
        uncertain = np.zeros(count, bool)
        if store.kind == "identified":
            uncertain = outline_confidence_of(store, index) < UNCERTAIN_OUTLINE
        return DrawnUnits(
            store.read("territory", index)[:count].astype(np.float32, copy=False),
            store.read("twitch_train", index)[:count],
            store.read("firing", index)[:count],
            uncertain,
        )

    @property
    def truth(self) -> Truth | None:
        """Its truth, or that of the recording in which its units were found, where it is known."""
        return self._truth

    @functools.cached_property
    def _truth(self) -> Truth | None:
        if self.store.kind == "identified":
            return look_up(self.store, self.index).truth
        return self.store.truth(self.index) if self.store.has_truth else None

    @property
    def twin_of(self) -> Truth | None:
        """The truth of a recording of the virtual experiment."""
        return self.truth if self.store.domain in RECORDED else None

    @property
    def recorded_sd(self) -> NDArray[np.float32] | None:
        """SD over time of the recording that units were found in, mm/s; None of all else."""
        if self.store.kind != "identified":
            return None
        return shown_velocity_sd(self.store, self.index)

    def velocity(
        self, time: slice, depth: slice = slice(None), width: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return a window of the velocity, read or rendered, mm/s."""
        window = self.store.tvi(self.index, time=time, depth=depth, width=width)
        return window.astype(np.float32, copy=False)

    @property
    def block(self) -> int:
        """Frames of a chunk of the store."""
        layout = self.store.layout
        return chunks_of(layout.variable("tvi"), layout.sizes, layout.part_size)[1]


class DrawnTruth(Subject):
    """A truth that :func:`musim.draw` gave.

    Parameters
    ----------
    truth : Truth
    parameters : Parameters
        What it was drawn with: they tell its frame rate and the size of pixels.

    Raises
    ------
    InputError
        If the truth has other frames or pixels.
    """

    def __init__(self, truth: Truth, parameters: Parameters) -> None:
        found = (truth.twitch_train.shape[1], *truth.territory.shape[1:])
        wanted = (parameters.frames, *parameters.pixels)
        if found != wanted:
            raise InputError(
                f"parameters: found {' x '.join(map(str, wanted))} frames and pixels, wanted the "
                f"{' x '.join(map(str, found))} of the truth; give those that it was drawn with"
            )
        self._truth, self.parameters = truth, parameters

    @property
    def truth(self) -> Truth:
        """The truth."""
        return self._truth

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, depth and width, px."""
        return (self.parameters.frames, *self.parameters.pixels)

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Depth and width of a pixel, mm."""
        return self.parameters.pixel_size

    @property
    def frame_rate(self) -> float:
        """Hz."""
        return self.parameters.frame_rate

    @property
    def title(self) -> str:
        """What is in it."""
        snr = self.truth.snr
        noise = "no noise" if snr == math.inf else f"SNR {round(snr, 1):g} dB"
        return self.titled(("drawn sequence",), self.truth.unit_count, (noise,))

    @property
    def units(self) -> DrawnUnits:
        """Its units."""
        truth = self.truth
        certain = np.zeros(truth.unit_count, bool)
        return DrawnUnits(truth.territory, truth.twitch_train, truth.firing, certain)

    def velocity(
        self, time: slice, depth: slice = slice(None), width: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return a window of the velocity, rendered, mm/s."""
        start, stop, _ = time.indices(self.shape[0])
        return render(self.truth, time=slice(start, stop), depth=depth, width=width)

    @property
    def block(self) -> int:
        """Frames that are rendered together."""
        return BLOCK
