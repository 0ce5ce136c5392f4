"""The layout of beamformed images in UFF; see :mod:`.uff`."""

from collections.abc import Iterator

import numpy as np

from ..files import File, VariableInfo
from ..plausibility import Guess
from .geometry import rounded
from .layout import ONE_FRAME, PublishedLayout, axes_of
from .uff import group_of

ORDER = ("time", "transmit", "channel", "width", "depth")
UNEVEN = 1e-2
"""Share of a step by which steps may differ (float32 has few digits for small ones)."""


class UffImagesLayout(PublishedLayout):
    """Beamformed IQ images of USTB, on the grid of a linear scan."""

    name = "UFF (beamformed)"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        self._group = group_of(file, "uff.beamformed_data") or ""

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds an object of beamformed data."""
        return group_of(file, "uff.beamformed_data") is not None

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of UFF: Hz and m."""
        data, group = self._data(), self._group
        if data is None:
            return
        where = "UFF has complex numbers in two parts"
        yield Guess("kind", "iq", "UFF holds beamformed, complex images")
        yield Guess("axes", axes_of(data, ORDER), "the order of UFF")
        yield Guess("real", data.name, where)
        yield Guess("imaginary", f"{group}/data/imag", where)
        yield from self.named("centre_frequency", f"{group}/pulse/center_frequency", "Hz")
        removed = self.number(f"{group}/modulation_frequency") or 0.0
        yield Guess(
            "demodulation_frequency",
            removed,
            "modulation_frequency of the images; CHANGE it to 0 if they carry it along depth, as "
            "images of USTB's older versions do"
            if removed
            else "nothing was taken off",
        )
        for axis, name in (("depth", "z_axis"), ("width", "x_axis")):
            places = self.numbers(f"{group}/scan/{name}")
            if places is not None and _is_even(places.ravel()):
                first, last = float(places.ravel()[0]), float(places.ravel()[-1])
                step = 1000 * (last - first) / (places.size - 1)
                yield Guess(f"{axis}_step", float(f"{step:.5g}"), f"the steps of scan/{name}")
                yield Guess(f"{axis}_start", rounded(1000 * first), f"the first of scan/{name}")

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported."""
        data = self._data()
        if data is None:
            yield (
                "found beamformed images that are not complex or not of a linear scan, wanted IQ "
                "on a grid of depth and width; import the channel data, or beamform them anew"
            )
            return
        axes = axes_of(data, ORDER)
        if "time" not in axes:
            yield ONE_FRAME
        for name, length in zip(ORDER[-len(data.shape) :], data.shape, strict=True):
            if name in {"transmit", "channel"} and length > 1:
                yield f"found {length} images a frame, one a {name}, wanted one; compound them"

    def _data(self) -> VariableInfo | None:
        """Return the real part of the images; None if they are not complex or on no grid."""
        name = f"{self._group}/data/real"
        if not self.has(name) or self.file.info(name).dims[-2:] != ("x", "z"):
            return None
        return self.file.info(name)


def _is_even(places: np.ndarray) -> bool:
    steps = np.diff(places)
    return steps.size > 0 and bool(steps.mean() > 0 and np.ptp(steps) < UNEVEN * steps.mean())
