"""The layout of PICMUS, the challenge of plane-wave imaging in 2016.

Liebgott et al. 2016, doi:10.1109/ULTSYM.2016.7728908.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..files import File
from ..plausibility import Guess
from .geometry import CURVED, first_samples, pitch_of
from .layout import ONE_FRAME, PublishedLayout, axes_of

GROUP = "US/US_DATASET0000"
ORDER = ("time", "transmit", "channel", "sample")
CENTRE_FREQUENCY = 5.208e6
"""Of all pulses of the challenge, Hz; its files do not hold it."""


class PicmusLayout(PublishedLayout):
    """Channel data of plane waves, in a group ``US/US_DATASET0000``."""

    name = "PICMUS"

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds channel data where PICMUS has them."""
        needed = {f"{GROUP}/{name}" for name in ("data/real", "data/imag", "probe_geometry")}
        return needed <= {info.name for info in file.variables if len(info.shape) <= len(ORDER)}

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of PICMUS: Hz, m, s and rad."""
        data = self.file.info(f"{GROUP}/data/real")
        yield Guess("kind", "rf", "PICMUS holds channel data")
        if self._is_demodulated():
            yield Guess("real", data.name, "where PICMUS has the parts of demodulated data")
            yield Guess("imaginary", f"{GROUP}/data/imag", "it holds more than 0")
            yield from self.named("demodulation_frequency", f"{GROUP}/modulation_frequency", "Hz")
        else:
            yield Guess("variable", data.name, "where PICMUS has them; the imaginary part is 0")
        yield Guess("axes", axes_of(data, ORDER), "the order of PICMUS")
        angles, rate = self.numbers(f"{GROUP}/angles"), self.number(f"{GROUP}/PRF")
        waves = 1 if angles is None else angles.size
        if rate:
            yield Guess("frame_rate", rate / waves, f"PRF is {rate:g} Hz, for {waves} waves")
        yield Guess("centre_frequency", CENTRE_FREQUENCY, "that of all recordings of the challenge")
        yield from self.named("sampling_frequency", f"{GROUP}/sampling_frequency", "Hz")
        yield from self.named("sound_speed", f"{GROUP}/sound_speed", "m/s")
        places = self._positions()
        pitch = pitch_of(places)
        if pitch is not None:
            yield Guess("pitch", pitch, f"the steps of {GROUP}/probe_geometry")
        if angles is None:
            return
        yield Guess("angles", f"{GROUP}/angles [rad]", "PICMUS has them in rad")
        start = self.number(f"{GROUP}/initial_time")
        speed = self.number(f"{GROUP}/sound_speed")
        if start is not None and speed:
            times = np.full(waves, start)
            yield from first_samples(times, angles.ravel(), places[:, 0], speed)

    def remarks(self) -> Iterator[str]:
        """Yield that there is one frame, or what else keeps the file from being imported."""
        if "time" not in axes_of(self.file.info(f"{GROUP}/data/real"), ORDER):
            yield ONE_FRAME
        if pitch_of(self._positions()) is None:
            yield CURVED

    def _is_demodulated(self) -> bool:
        """Return whether the imaginary part of the first signals is not 0 throughout."""
        part = self.file.array(f"{GROUP}/data/imag")
        signals = tuple(slice(0, 1) for _ in part.shape[:-2])
        return bool(part.read(signals).any())

    def _positions(self) -> NDArray[np.float64]:
        """Return the places of the elements, (element, 3) in m."""
        places = self.file.array(f"{GROUP}/probe_geometry").read().astype(np.float64)
        return places.T if len(places) == 3 else places
