"""How echoes are recorded and where images are wanted: probe, plane waves, sampling and grid."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


@dataclass(frozen=True)
class Probe:
    """A linear array of elements along the width, its middle at width 0 and depth 0.

    Parameters
    ----------
    elements : int
        Number of elements.
    pitch : float
        Distance between the centres of neighbours, mm.
    element_width : float
        Width of an element, mm, at most the pitch.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    elements: int
    pitch: float
    element_width: float

    def __post_init__(self) -> None:
        """Refuse what is no array."""
        if self.elements < 1:
            raise InputError(f"elements: found {self.elements}, wanted 1 or more")
        _check_positive("pitch", self.pitch, "mm")
        _check_positive("element width", self.element_width, "mm")
        if self.element_width > self.pitch:
            raise InputError(
                f"element width: found {self.element_width:g} mm, wanted at most the pitch, "
                f"{self.pitch:g} mm"
            )

    @property
    def positions(self) -> NDArray[np.float64]:
        """Lateral positions of the elements' centres, mm, float64 (element,)."""
        places = np.arange(self.elements, dtype=np.float64)
        return (places - (self.elements - 1) / 2) * self.pitch


@dataclass(frozen=True)
class PlaneWaves:
    """Plane waves that one frame is made of, in the order of their transmission.

    Parameters
    ----------
    angles : tuple of float
        Steering angles, rad, within (-pi/2, pi/2). A wave of positive angle runs towards greater
        width.

    Raises
    ------
    InputError
        If there is no angle, or one out of range.
    """

    angles: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        """Hold plain floats, and refuse waves that never enter the tissue."""
        object.__setattr__(self, "angles", tuple(float(angle) for angle in self.angles))
        if not self.angles:
            raise InputError("angles: found none, wanted one or more")
        for angle in self.angles:
            if not abs(angle) < math.pi / 2:
                raise InputError(
                    f"angle: found {angle:g} rad, wanted less than pi/2 to either side; "
                    "give radians, not degrees"
                )

    def delays(self, probe: Probe, sound_speed: float) -> NDArray[np.float64]:
        """Return when each element fires after the first one, s, float64 (angle, element).

        Parameters
        ----------
        probe : Probe
        sound_speed : float
            m/s.
        """
        delays = np.sin(self.angles)[:, None] * probe.positions / (1000 * sound_speed)
        return delays - delays.min(axis=1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """How echoes were recorded.

    Parameters
    ----------
    probe : Probe
    waves : PlaneWaves
    sampling_frequency, centre_frequency : float
        Of the samples along fast time, and that of the pulse, Hz.
    sound_speed : float
        m/s.
    first_sample_time : float, or tuple of float
        Time of the first sample, s, from the instant at which the first element of the array
        fires; less the pulse's half length where echoes are wanted at their middle. One for each
        wave where they differ, as they do where time is counted from the array's middle.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    probe: Probe
    waves: PlaneWaves
    sampling_frequency: float
    centre_frequency: float
    sound_speed: float = 1540.0
    first_sample_time: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        _check_positive("sampling frequency", self.sampling_frequency, "Hz")
        _check_positive("centre frequency", self.centre_frequency, "Hz")
        _check_positive("sound speed", self.sound_speed, "m/s")
        times, waves = self.first_sample_times, len(self.waves.angles)
        if len(times) != waves:
            raise InputError(
                f"time of the first sample: found {len(times)} for {waves} waves, wanted one, or "
                "one for each"
            )
        for time in times:
            if not math.isfinite(time):
                raise InputError(f"time of the first sample: found {time:g} s, wanted a finite one")

    @property
    def first_sample_times(self) -> tuple[float, ...]:
        """Time of the first sample of each wave, s."""
        if isinstance(self.first_sample_time, tuple):
            return self.first_sample_time
        return (self.first_sample_time,) * len(self.waves.angles)

    @property
    def wavelength(self) -> float:
        """Wavelength at the centre frequency, mm."""
        return 1000 * self.sound_speed / self.centre_frequency


@dataclass(frozen=True)
class PixelGrid:
    """Where an image's pixels have their centres.

    Parameters
    ----------
    depth, width : float64 arrays of shape (depth,) and (width,)
        mm, rising; depth from the array's face, width from its middle.

    Raises
    ------
    InputError
        If an axis is empty, not finite or does not rise, or if pixels lie behind the probe.
    """

    depth: NDArray[np.float64]
    width: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Hold read-only arrays of their own."""
        for name in ("depth", "width"):
            axis = np.array(getattr(self, name), np.float64)
            if axis.ndim != 1 or axis.size == 0:
                raise InputError(f"{name}: found shape {axis.shape}, wanted one axis of pixels")
            if not (np.isfinite(axis).all() and (np.diff(axis) > 0).all()):
                raise InputError(f"{name}: found values that do not rise, wanted mm that do")
            axis.flags.writeable = False
            object.__setattr__(self, name, axis)
        if self.depth[0] < 0:
            raise InputError(
                f"depth: found {self.depth[0]:g} mm, behind the probe, wanted 0 or more"
            )

    @classmethod
    def spanning(
        cls, depth: tuple[float, float], width: tuple[float, float], pixels: tuple[int, int]
    ) -> Self:
        """Divide a rectangle evenly.

        Parameters
        ----------
        depth, width : (float, float)
            From where to where the outermost pixels reach, mm.
        pixels : (int, int)
            Number of pixels along depth and width.

        Raises
        ------
        InputError
            As of the class, and if a number of pixels is below 1.
        """
        if min(pixels) < 1:
            raise InputError(f"pixels: found {pixels}, wanted 1 or more along depth and width")
        axes = (
            low + (np.arange(number, dtype=np.float64) + 0.5) * ((high - low) / number)
            for (low, high), number in zip((depth, width), pixels, strict=True)
        )
        return cls(*axes)


def _check_positive(name: str, value: float, unit: str) -> None:
    if not 0 < value < math.inf:
        raise InputError(f"{name}: found {value:g} {unit}, wanted more than 0")
