"""The layout of UFF, the Ultrasound File Format of the UltraSound ToolBox (USTB).

Rodriguez-Molares et al. 2017, doi:10.1109/ULTSYM.2017.8092389; objects are groups with a class, as
``write_object.m`` writes them, and axes stand in the reverse of MATLAB's order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ..files import File, VariableInfo
from ..plausibility import Guess
from .geometry import CURVED, NOT_PLANE, first_samples, pitch_of, rounded
from .layout import ONE_FRAME, PublishedLayout, axes_of

ORDER = ("time", "transmit", "channel", "sample")
PLANE = 0
"""Number of plane waves in USTB's enumeration of wavefronts; spherical ones are 1."""


@dataclass(frozen=True)
class Wave:
    """A transmitted wave.

    Parameters
    ----------
    is_plane : bool
    azimuth : float
        rad, towards greater width.
    delay : float
        From when the wave passes the origin to the start of its acquisition, s.
    """

    is_plane: bool
    azimuth: float
    delay: float


class UffLayout(PublishedLayout):
    """Channel data of USTB."""

    name = "UFF"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        self._group = group_of(file, "uff.channel_data") or ""

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds an object of channel data."""
        return group_of(file, "uff.channel_data") is not None

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of UFF: Hz, m, s and rad."""
        group, data, waves = self._group, self._data(), self._waves()
        yield Guess("kind", "rf", "UFF holds channel data")
        yield from self._of_the_data(data)
        axes = self._axes()
        yield Guess("axes", axes, "the order of UFF")
        rate = self.number(f"{group}/PRF")
        count = len(waves) or (data.shape[-3] if "transmit" in axes else 1)
        if rate:
            yield Guess("frame_rate", rate / count, f"PRF is {rate:g} Hz, for {count} waves")
        yield from self.named("centre_frequency", f"{group}/pulse/center_frequency", "Hz")
        yield from self.named("sampling_frequency", f"{group}/sampling_frequency", "Hz")
        yield from self.named("sound_speed", f"{group}/sound_speed", "m/s")
        yield from self._of_the_probe()
        bandwidth = self.number(f"{group}/pulse/fractional_bandwidth")
        if bandwidth and 0 < bandwidth < 2:
            yield Guess("bandwidth", rounded(bandwidth), "UFF has it as a fraction")
        yield from self._of_the_waves(waves)

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported, and what has to be minded."""
        axes, waves = self._axes(), self._waves()
        if "time" not in axes:
            yield ONE_FRAME
        if self._has_places() and self._pitch() is None:
            yield CURVED
        bent = sum(not wave.is_plane for wave in waves)
        if bent:
            yield f"found {bent} of {len(waves)} waves that are no plane waves, {NOT_PLANE}"
        if not waves:
            start = self.number(f"{self._group}/initial_time") or 0.0
            yield (
                "found no sequence of waves in it, wanted their angles; give angles, and "
                f"first_sample too: the file's time, from {start:g} s on, counts from when a wave "
                "passes the origin"
            )

    def _data(self) -> VariableInfo:
        name = f"{self._group}/data"
        return self.file.info(name if self.has(name) else f"{name}/real")

    def _of_the_data(self, data: VariableInfo) -> Iterator[Guess]:
        if not data.name.endswith("/real"):
            yield Guess("variable", data.name, "where UFF has them")
            return
        where = "UFF has complex numbers in two parts"
        yield Guess("real", data.name, where)
        yield Guess("imaginary", f"{self._group}/data/imag", where)
        removed = f"{self._group}/modulation_frequency"
        if self.number(removed):
            yield from self.named("demodulation_frequency", removed, "Hz")
        else:
            yield Guess("demodulation_frequency", 0.0, "the file says that nothing was taken off")

    def _axes(self) -> list[str]:
        data = self._data()
        if len(data.shape) == 3 and data.shape[0] > 1 and len(self._waves()) == 1:
            return axes_of(data, ("time", "channel", "sample"))
        return axes_of(data, ORDER)

    def _waves(self) -> list[Wave]:
        """Return the waves of a frame; none if the file does not say."""
        place = re.escape(f"{self._group}/sequence")
        # One wave alone stands in the group itself.
        pattern = re.compile(f"({place}(?:/[^/]+)?)/source/azimuth")
        found = [pattern.fullmatch(info.name) for info in self.file.variables]
        return [self._wave(match[1]) for match in found if match]

    def _wave(self, group: str) -> Wave:
        distance = self.numbers(f"{group}/source/distance")
        front = self.number(f"{group}/wavefront")
        far = distance is not None and bool(np.isinf(distance).any())
        elevation = self.number(f"{group}/source/elevation") or 0.0
        azimuth = self.number(f"{group}/source/azimuth")
        return Wave(
            # A spherical wave from an infinite distance is plane too; older files say it so.
            is_plane=(front == PLANE or far) and elevation == 0 and azimuth is not None,
            azimuth=azimuth or 0.0,
            delay=self.number(f"{group}/delay") or 0.0,
        )

    def _has_places(self) -> bool:
        return self.has(f"{self._group}/probe/geometry")

    def _places(self) -> NDArray[np.float64] | None:
        """Return the places of the elements, (element, 3) in m; None if the file lacks them."""
        table = self.numbers(f"{self._group}/probe/geometry")
        if table is not None and table.ndim == 2 and len(table) == 7:
            return np.asarray(table[:3].T, np.float64)
        pitch, count = (self.number(f"{self._group}/probe/{name}") for name in ("pitch", "N"))
        if not pitch or not count:
            return None
        line = (np.arange(int(count), dtype=np.float64) - (int(count) - 1) / 2) * pitch
        return np.stack([line, np.zeros_like(line), np.zeros_like(line)], 1)

    def _pitch(self) -> float | None:
        places = self._places()
        return None if places is None else pitch_of(places)

    def _of_the_probe(self) -> Iterator[Guess]:
        probe, pitch = f"{self._group}/probe", self._pitch()
        if pitch is None:
            return
        if self._has_places():
            yield Guess("pitch", pitch, f"the steps of {probe}/geometry")
        else:
            yield from self.named("pitch", f"{probe}/pitch", "m")
        width = self.number(f"{probe}/element_width")
        if width and 0 < 1000 * width <= pitch:
            yield from self.named("element_width", f"{probe}/element_width", "m")

    def _of_the_waves(self, waves: list[Wave]) -> Iterator[Guess]:
        if not waves or not all(wave.is_plane for wave in waves):
            return
        azimuths = np.array([wave.azimuth for wave in waves])
        reason = "the azimuths of the sequence's sources, which UFF has in rad"
        yield Guess("angles", [rounded(float(a)) for a in np.degrees(azimuths)], reason)
        places, speed = self._places(), self.number(f"{self._group}/sound_speed")
        start = self.number(f"{self._group}/initial_time")
        if start is not None and places is not None and speed:
            times = start + np.array([wave.delay for wave in waves])
            yield from first_samples(times, azimuths, places[:, 0], speed)


def group_of(file: File, kind: str) -> str | None:
    """Return the first group of a class of UFF that has data; None if there is none."""
    for info in file.variables:
        found = re.fullmatch(r"(.+?)/data(/real)?", info.name)
        if found and len(info.shape) <= 5 and _class_of(file, found[1]) == kind:
            return found[1]
    return None


def _class_of(file: File, group: str) -> str:
    try:
        return str(file.value(f"{group}@class"))
    except InputError:  # none of such a name
        return ""
