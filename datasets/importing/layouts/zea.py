"""The layout of zea, a toolbox of cognitive ultrasound imaging: ``data``, ``scan`` and ``probe``.

github.com/tue-bmd/zea, of which ``zea/data/spec.py`` says what its files hold.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..files import File
from ..plausibility import Guess
from .geometry import CURVED, NOT_PLANE, pitch_of, rounded
from .layout import ONE_FRAME, PublishedLayout, axes_of

ORDER = ("time", "transmit", "sample", "channel", "part")
PLACES = ("", "tracks/track_0/")
"""Where the groups lie: at the top, or in the first track."""

UNEVEN = 0.01
"""Share by which the durations of frames may differ."""


class ZeaLayout(PublishedLayout):
    """Channel data of zea, with the transmits' delays and angles."""

    name = "zea"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        self._place = _place_of(file) or ""
        self._scan = f"{self._place}scan"

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether it holds channel data and a scan where zea has them."""
        return _place_of(file) is not None

    def guesses(self) -> Iterator[Guess]:
        """Yield what the file says, in the units of zea: Hz, m, s and rad."""
        data, scan = self.file.info(f"{self._place}data/raw_data"), self._scan
        yield Guess("kind", "rf", "zea holds channel data")
        yield Guess("variable", data.name, "where zea has them")
        axes = axes_of(data, ORDER)
        yield Guess("axes", axes, "the order of zea")
        durations = self._durations()
        if durations is not None:
            name = f"{scan}/time_to_next_transmit"
            yield Guess("frame_rate", rounded(1 / float(durations.mean())), f"the sums of {name}")
        yield from self.named("centre_frequency", f"{scan}/center_frequency", "Hz")
        if "part" in axes:
            yield from self.named("demodulation_frequency", f"{scan}/demodulation_frequency", "Hz")
        yield from self.named("sampling_frequency", f"{scan}/sampling_frequency", "Hz")
        yield from self.named("sound_speed", f"{scan}/sound_speed", "m/s")
        pitch = self._pitch()
        if pitch is not None:
            yield Guess("pitch", pitch, "the steps of probe_geometry")
        for group in ("probe", scan):
            width = self.number(f"{group}/element_width")
            if width and pitch and 1000 * width <= pitch:
                yield from self.named("element_width", f"{group}/element_width", "m")
                break
        if self.has(f"{scan}/polar_angles") and not self._not_plane():
            yield Guess("angles", f"{scan}/polar_angles [rad]", "zea has them in rad")
        if self.has(f"{scan}/initial_times"):
            yield Guess(
                "first_sample",
                f"{scan}/initial_times [s]",
                "zea counts time from the first element on, in s",
            )

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported, and what has to be minded."""
        data = self.file.info(f"{self._place}data/raw_data")
        axes = axes_of(data, ORDER)
        if "time" not in axes:
            yield ONE_FRAME
        if self._pitch() is None:
            yield CURVED
        bent = self._not_plane()
        if bent:
            yield f"found {bent} of {data.shape[1]} transmits that are no plane waves, {NOT_PLANE}"
        durations = self._durations()
        if durations is not None and np.ptp(durations) > UNEVEN * durations.mean():
            yield (
                f"found frames that take {durations.min():g} to {durations.max():g} s, wanted even "
                "ones; frame_rate is their mean"
            )
        others = {
            info.name.split("/")[1]
            for info in self.file.variables
            if info.name.startswith("tracks/") and not info.name.startswith(self._place or "tracks")
        }
        if others:
            yield f"found {len(others)} more tracks ({', '.join(sorted(others))}), not taken"

    def _durations(self) -> NDArray[np.float64] | None:
        """Return how long each frame takes, s; None if the file does not say."""
        steps = self.numbers(f"{self._scan}/time_to_next_transmit")
        if steps is None or steps.ndim != 2 or not np.isfinite(steps).all():
            return None
        durations = steps.sum(axis=1)
        return durations if (durations > 0).all() else None

    def _pitch(self) -> float | None:
        for group in ("probe", self._scan):
            places = self.numbers(f"{group}/probe_geometry")
            if places is not None and places.ndim == 2 and places.shape[1] == 3:
                return pitch_of(places)
        return None

    def _not_plane(self) -> int:
        """Return how many transmits are focused or diverge."""
        focus = self.numbers(f"{self._scan}/focus_distances")
        if focus is None:
            return 0
        # Of plane waves it is infinite, or 0.
        return int(np.count_nonzero(np.isfinite(focus) & (focus != 0)))


def _place_of(file: File) -> str | None:
    names = {info.name for info in file.variables if len(info.shape) == len(ORDER)}
    known = {info.name for info in file.variables}
    for place in PLACES:
        if f"{place}data/raw_data" in names and f"{place}scan/sampling_frequency" in known:
            return place
    return None
