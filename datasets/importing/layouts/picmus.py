"""The layout of PICMUS, the challenge of plane-wave imaging in 2016.

Liebgott et al. 2016, doi:10.1109/ULTSYM.2016.7728908.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..files import File
from ..plausibility import Guess
from .geometry import pitch_of
from .layout import PublishedLayout

GROUP = "US/US_DATASET0000"
CENTRE_FREQUENCY = 5.208e6
"""Of all pulses of the challenge, Hz; its files do not hold it."""

AXES = ("time", "transmit", "channel", "sample")


class PicmusLayout(PublishedLayout):
    """Channel data of plane waves, in a group ``US/US_DATASET0000``."""

    name = "PICMUS"

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds channel data where PICMUS has them."""
        needed = {f"{GROUP}/{name}" for name in ("data/real", "data/imag", "probe_geometry")}
        return needed <= {info.name for info in file.variables}

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of PICMUS: Hz, m, s and rad."""
        data = self.file.info(f"{GROUP}/data/real")
        axes = AXES[-len(data.shape) :]
        yield Guess("kind", "rf", "PICMUS holds channel data")
        yield Guess("variable", data.name, "where PICMUS has them")
        if 2 < len(data.shape) <= len(AXES):
            yield Guess("axes", list(axes), "the order of PICMUS")
        rate = self._number("PRF")
        if rate and rate > 0:
            waves = self.file.info(f"{GROUP}/angles").size
            yield Guess("frame_rate", rate / waves, f"PRF is {rate:g} Hz, for {waves} waves")
        yield Guess("centre_frequency", CENTRE_FREQUENCY, "that of all recordings of the challenge")
        yield Guess("sampling_frequency", f"{GROUP}/sampling_frequency [Hz]", "PICMUS has it in Hz")
        yield Guess("sound_speed", f"{GROUP}/sound_speed [m/s]", "PICMUS has it in m/s")
        pitch = pitch_of(self._positions())
        if pitch is not None:
            yield Guess("pitch", pitch, f"the steps of {GROUP}/probe_geometry")
        yield Guess("angles", f"{GROUP}/angles [rad]", "PICMUS has them in rad")

    def remarks(self) -> Iterator[str]:
        """Yield that there is one frame, or what else keeps the file from being imported."""
        if len(self.file.info(f"{GROUP}/data/real").shape) < len(AXES):
            yield "found one frame, wanted two or more: velocity is what changes between frames"
        if self._number("modulation_frequency"):
            yield (
                "found channel data that are demodulated, wanted echoes as they were sampled; "
                "import the RF, or beamform them and import the images"
            )

    def _number(self, name: str) -> float | None:
        name = f"{GROUP}/{name}"
        if not self.has(name) or self.file.info(name).size != 1:
            return None
        return float(self.file.array(name).read().ravel()[0])

    def _positions(self) -> NDArray[np.float64]:
        """Return the places of the elements, (element, 3) in m."""
        places = self.file.array(f"{GROUP}/probe_geometry").read().astype(np.float64)
        return places.T if len(places) == 3 else places
