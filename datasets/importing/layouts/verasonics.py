"""The layout of Verasonics' Vantage: workspaces with RcvData or IQData, Trans, Receive and TX.

Lengths are wavelengths of ``Trans.frequency`` (MHz), but for what ends in ``Mm``; what is in
``Trans.units`` may be either. The meanings are those that public readers of such files agree on,
such as zea (github.com/tue-bmd/zea, ``zea/data/convert/verasonics.py``).
"""

from collections.abc import Iterator

import numpy as np

from ....simulator.errors import InputError
from ..files import Derived, File
from ..plausibility import Guess, guess_numbers
from ..recording_kinds import PART
from .geometry import CURVED, NOT_PLANE, rounded
from .layout import PublishedLayout
from .receive_buffers import Acquisitions
from .receive_events import ReceiveEvents

BY_RECEIVE = " by Receive"
"""What stands behind the name of a buffer whose acquisitions are read apart."""

_BUFFERS, _IMAGES = ("RcvData{1}", "RcvData"), ("IQData{1}", "IQData")
_PARTS = (("IData{1}", "QData{1}"), ("IData", "QData"))


class VerasonicsLayout(PublishedLayout):
    """Channel data or images of a Vantage, with what its workspace says of them."""

    name = "Verasonics"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        self._events = ReceiveEvents(file, self.numbers)
        self._buffer = self._first(_BUFFERS)

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds a transducer, and data by Verasonics' names."""
        names = {info.name for info in file.variables if info.is_numeric}
        data = {*_BUFFERS, *_IMAGES, *(name for pair in _PARTS for name in pair)}
        return "Trans/frequency" in names and bool(data & names)

    def guesses(self) -> Iterator[Guess]:
        """Yield what the workspace says, in a description's units."""
        yield from self._channel_data() if self._buffer else self._images()
        yield from self._pulse()
        yield from self.named("sound_speed", "Resource/Parameters/speedOfSound", "m/s")
        if self._buffer:
            yield from self._probe()

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the recording from being imported, and what has to be minded."""
        if not self._buffer:
            return
        others = [info.name for info in self.file.variables if info.name.startswith("RcvData{")]
        others = [name for name in others if name not in {self._buffer, "RcvData{:}"}]
        if others:
            yield f"found more buffers, {', '.join(others)}, not taken; name one in variable"
        if self.number("Trans/type"):
            yield CURVED
        if self._events.focused:
            yield f"found {self._events.focused} transmits that are no plane waves, {NOT_PLANE}"
        if self._events.apertures > 1:
            yield (
                f"found {self._events.apertures} receive apertures of a multiplexer, wanted one; "
                "beamform the echoes first and import the images"
            )
        acquisitions, reason = self._acquisitions()
        if reason:
            yield reason
        elif acquisitions is None:
            yield (
                "found no Receive.startSample, which VSX adds: what lies along the rows of "
                f"{self._buffer} is not known, and is taken for one acquisition"
            )
        elif len(acquisitions.starts) > 1:
            yield (
                f"found {len(acquisitions.starts)} repetitions of the transmits in each frame of "
                "the buffer; its frames are taken to follow one another without gaps"
            )

    def derived(self, name: str) -> Derived | None:
        """Return the acquisitions of a buffer apart, by the name that a guess gives them."""
        buffer = name.removesuffix(BY_RECEIVE)
        if buffer == name or not self.has(buffer):
            return None
        acquisitions = self._events.acquisitions(buffer)
        if acquisitions is None:
            raise InputError(f"found no acquisitions of {buffer} in Receive, wanted some")
        attributes = self.file.info(buffer).attributes
        return acquisitions.of(self.file.array(buffer), name, attributes)

    def _first(self, names: tuple[str, ...]) -> str:
        return next((name for name in names if self.has(name)), "")

    def _acquisitions(self) -> tuple[Acquisitions | None, str]:
        """Return how the buffer is parted, or why it cannot be."""
        try:
            return self._events.acquisitions(self._buffer), ""
        except InputError as error:
            return None, str(error)

    def _channel_data(self) -> Iterator[Guess]:
        yield Guess("kind", "rf", f"{self._buffer} holds a Vantage's channel data")
        name, shape = self._buffer, self.file.info(self._buffer).shape
        axes, why = ["sample", "channel", "time"], "the order of a Vantage's buffers"
        acquisitions, _ = self._acquisitions()
        transmits = 1
        if acquisitions is not None and not acquisitions.are_all_of(self.file.info(name)):
            repeats, transmits = acquisitions.starts.shape
            axes = ["sample", "channel", "transmit", "time", PART]
            shape = acquisitions.shape(shape)
            name = f"{self._buffer}{BY_RECEIVE}"
            why = (
                f"Receive parts the rows of a frame into {transmits} transmits of "
                f"{acquisitions.length} samples, {repeats} times; Trans orders the channels"
            )
        yield Guess("variable", name, why)
        axes = [axis for axis, length in zip(axes, shape, strict=False) if length > 1]
        yield Guess("axes", axes, why)
        yield from self._frame_rate(transmits, Guess("axes", axes, why))
        rate, paired = self._events.sampling_frequency, self._events.is_paired
        if rate:
            reason = "Receive.decimSampleRate, in MHz, less the samples that are left out"
            yield Guess("sampling_frequency", rounded(rate), reason)
        if paired:
            yield from self._demodulation("the samples lie in pairs; ")
        yield from self._waves(acquisitions)

    def _frame_rate(self, transmits: int, axes: Guess) -> Iterator[Guess]:
        duration = self._events.duration(self._buffer, transmits)
        if duration:
            reason = f"SeqControl lets {transmits} transmits take {1e6 * duration:g} us"
            yield Guess("frame_rate", rounded(1 / duration), reason)
            return
        guessed = guess_numbers(self.file, "rf", axes)
        yield from (guess for guess in guessed if guess.key == "frame_rate")

    def _waves(self, acquisitions: Acquisitions | None) -> Iterator[Guess]:
        """Guess the angles, and when the first sample is after the first element fires."""
        steers = self._events.steers
        waves = np.zeros(1, np.int64) if acquisitions is None else acquisitions.waves
        if acquisitions is None and steers is not None and len(steers) > 1:
            waves = None  # nobody knows which one
        if self._events.focused:
            waves = None
        if steers is not None and waves is not None and waves.max() < len(steers):
            angles = [rounded(float(angle)) for angle in np.degrees(steers[waves])]
            yield Guess("angles", angles, "the first number of TX.Steer, in rad")
        depth, frequency = self.number("Receive/startDepth"), self.number("Trans/frequency")
        peak = self.number("TW/peak")
        if depth is None or not frequency:
            return
        lens = self._in_wavelengths("Trans/lensCorrection") or 0.0
        time = (2 * depth - 2 * lens - (peak or 0.0)) / (1e6 * frequency)
        terms = "twice Receive.startDepth, less twice Trans.lensCorrection and TW.peak"
        yield Guess("first_sample", rounded(time), f"{terms}, where it has them, in wavelengths")

    def _pulse(self) -> Iterator[Guess]:
        yield from self.named("centre_frequency", "Trans/frequency", "MHz")
        if not self._buffer:
            yield from self._demodulation()
        band, frequency = self.numbers("Trans/Bandwidth"), self.number("Trans/frequency")
        if band is not None and band.size == 2 and frequency:
            share = rounded(float(np.ptp(band)) / frequency)
            yield Guess("bandwidth", share, "from the first to the second of Trans.Bandwidth, MHz")

    def _demodulation(self, why: str = "") -> Iterator[Guess]:
        demodulation = self.number("Receive/demodFrequency")
        if demodulation:
            reason = f"{why}Receive.demodFrequency is in MHz"
            yield Guess("demodulation_frequency", rounded(1e6 * demodulation), reason)

    def _probe(self) -> Iterator[Guess]:
        if self.number("Trans/type"):
            return
        if self.number("Trans/spacingMm"):
            yield from self.named("pitch", "Trans/spacingMm", "mm")
        elif self.number("Trans/spacing"):
            pitch = rounded((self.number("Trans/spacing") or 0) * self._wavelength())
            yield Guess("pitch", pitch, "Trans.spacing is in wavelengths")
        width = self._in_wavelengths("Trans/elementWidth")
        if width:
            reason = "Trans.elementWidth is in Trans.units"
            yield Guess("element_width", rounded(width * self._wavelength()), reason)

    def _wavelength(self) -> float:
        """Return the wavelength, mm."""
        speed = self.number("Resource/Parameters/speedOfSound") or 1540.0
        return speed / 1000 / (self.number("Trans/frequency") or 1.0)

    def _in_wavelengths(self, name: str) -> float | None:
        """Return a length of Trans, which is in mm or in wavelengths as Trans.units says."""
        value = self.number(name)
        try:
            is_mm = self.file.value("Trans/units") == "mm"
        except InputError:
            is_mm = False
        return value / self._wavelength() if value is not None and is_mm else value

    def _images(self) -> Iterator[Guess]:
        yield Guess("kind", "iq", "a Vantage's IQData are demodulated images")
        name = self._first(_IMAGES)
        if name:
            yield Guess("variable", name, "where a Vantage has them")
        else:
            name, other = next(pair for pair in _PARTS if self.has(pair[0]))
            yield Guess("real", name, "where a Vantage has them")
            yield Guess("imaginary", other, "where a Vantage has them")
        shape = self.file.info(name).shape
        count = sum(length > 1 for length in shape)
        axes = ["depth", "width", "time", "sequence"][:count]
        if 3 <= count <= 4:
            pages = "; its pages are taken as frames, and its frames as sequences" * (count == 4)
            yield Guess("axes", axes, f"the order of a Vantage's images{pages}")
        yield from (g for g in guess_numbers(self.file, "iq", None) if g.key == "frame_rate")
        yield from self._grid(shape[:2])

    def _grid(self, shape: tuple[int, ...]) -> Iterator[Guess]:
        """Guess the pixels, of those PData whose size the images have."""
        sizes, steps, origins = (
            None if values is None else np.atleast_3d(values)[0]
            for values in map(self.numbers, ("PData/Size", "PData/PDelta", "PData/Origin"))
        )
        if sizes is None or steps is None or len(steps) != 3:
            return
        fitting = np.flatnonzero((sizes[:2] == np.array(shape)[:, None]).all(axis=0))
        if not len(fitting):
            return
        place, wavelength = int(fitting[0]), self._wavelength()
        for axis, number in (("depth", 2), ("width", 0)):
            step = rounded(float(steps[number, place]) * wavelength)
            yield Guess(f"{axis}_step", step, "PData.PDelta is in wavelengths")
            if origins is not None:
                start = rounded(float(origins[number, place]) * wavelength)
                yield Guess(f"{axis}_start", start, "PData.Origin is in wavelengths")
