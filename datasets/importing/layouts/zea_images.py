"""The layout of images in zea: beamformed IQ, and Doppler maps; see :mod:`.zea`."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..files import File, VariableInfo
from ..plausibility import Guess
from .geometry import rounded
from .layout import ONE_FRAME, PublishedLayout, axes_of
from .zea import PLACES

IQ, VELOCITIES, PICTURES = (
    ("beamformed_data",),
    ("tissue_doppler", "color_doppler"),
    ("image", "image_sc", "envelope_data"),
)
"""Names of what zea holds, below ``data``: IQ, velocity, and images of echoes' strength."""

UNEVEN = 1e-2
"""Share of a step by which steps may differ (coordinates are float32)."""


class ZeaImagesLayout(PublishedLayout):
    """Beamformed IQ or velocity of zea."""

    name = "zea (images)"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        found = _find(file)
        assert found is not None
        self._place, self._kind, self._data = found
        self._order = ("time", "depth", "width", "part" if self._kind == "iq" else "height")

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds images and a scan where zea has them."""
        return _find(file) is not None

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of zea: Hz, m, s and m/s."""
        data, scan = self._data, f"{self._place}scan"
        if self._kind == "pictures":
            return
        yield Guess("kind", self._kind, f"{data.name} is a name that zea gives to such images")
        yield Guess("variable", data.name, "where zea has them")
        yield Guess("axes", self._axes(), "the order of zea")
        steps = self.numbers(f"{scan}/time_to_next_transmit")
        if steps is not None and steps.ndim == 2 and steps.sum() > 0:
            rate = 1 / float(steps.sum(axis=1).mean())
            yield Guess("frame_rate", rounded(rate), f"the sums of {scan}/time_to_next_transmit")
        if self._kind == "iq":
            yield from self.named("centre_frequency", f"{scan}/center_frequency", "Hz")
            yield from self.named("demodulation_frequency", f"{scan}/demodulation_frequency", "Hz")
            yield from self.named("sound_speed", f"{scan}/sound_speed", "m/s")
        else:
            yield Guess("velocity_unit", "m/s", "zea has velocity in m/s")
        for axis, places in zip(("depth", "width"), self._grid() or (), strict=False):
            step = 1000 * float(places[-1] - places[0]) / (places.size - 1)
            yield Guess(f"{axis}_step", float(f"{step:.5g}"), "the steps of its coordinates")
            yield Guess(f"{axis}_start", rounded(1000 * float(places[0])), "its coordinates")

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported."""
        if self._kind == "pictures":
            yield (
                f"found {self._data.name}, the strength of echoes without their phase, wanted "
                "channel data, IQ or velocity; velocity cannot be told from it"
            )
            return
        axes = self._axes()
        if "time" not in axes:
            yield ONE_FRAME
        if self._kind == "iq" and "part" not in axes:
            yield "found beamformed RF, wanted I and Q; demodulate it first, or import raw_data"
        if "height" in axes:
            yield "found volumes, wanted images of depth and width; save one plane by itself"
        if self.has(self._coordinates) and self._grid() is None:
            yield "found pixels on no even grid of depth and width, wanted one; scan-convert them"

    @property
    def _coordinates(self) -> str:
        return f"{self._data.name.removesuffix('/values')}/coordinates"

    def _axes(self) -> list[str]:
        length = len(self._data.shape)
        return axes_of(self._data, self._order[:length])

    def _grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return the depths of rows and the widths of columns, m; None if they are on no grid."""
        if not self.has(self._coordinates):
            return None
        array = self.file.array(self._coordinates)
        if len(array.shape) not in {3, 4} or array.shape[-1] != 3:
            return None
        first = [slice(0, 1)] * (len(array.shape) - 3)
        points = array.read(first).reshape(array.shape[-3:]).astype(np.float64)
        depths, widths = points[:, 0, 2], points[0, :, 0]
        step = min(_step(depths), _step(widths))
        if not step > 0:
            return None
        wide = np.abs(points[..., 0] - widths).max(), np.abs(points[..., 2] - depths[:, None]).max()
        return (depths, widths) if max(wide) < UNEVEN * step else None


def _step(places: NDArray[np.float64]) -> float:
    """Return the step of rising, even places; 0 of others."""
    steps = np.diff(places)
    if not steps.size or not np.isfinite(steps).all():
        return 0.0
    mean = float(steps.mean())
    return mean if np.ptp(steps) < UNEVEN * mean else 0.0


def _find(file: File) -> tuple[str, str, VariableInfo] | None:
    """Return where the groups lie, the kind of the images, and the images; None without any."""
    known = {info.name: info for info in file.variables if info.is_numeric}
    for place in PLACES:
        if f"{place}scan/sampling_frequency" not in known and f"{place}scan/n_tx" not in known:
            continue
        for kind, names in (("iq", IQ), ("velocity", VELOCITIES), ("pictures", PICTURES)):
            for name in names:
                for path in (f"{place}data/{name}/values", f"{place}data/{name}"):
                    if path in known and len(known[path].shape) in {3, 4}:
                        return place, kind, known[path]
    return None
