"""Names that recordings' variables usually go by, and finding what goes by them.

The names are those of PyMUST, MUST, Verasonics' Vantage, USTB and common usage: last parts of
paths, in lower case without "_", "-", "." and spaces, the surest first.
"""

import re
from typing import Any

import numpy as np

from .files import File, VariableInfo

MOST_VALUES = 100_000
"""Values of the longest list of numbers that is looked at, such as delays."""

CHANNELS = (64, 128, 192, 256, 96, 80, 32, 512)
"""Numbers of elements that arrays have, the common ones first."""

NAMES = {
    "frame_rate": ("framerate", "framefrequency", "fps", "framespersecond", "volumerate", "prf",
                   "pulserepetitionfrequency", "cinerate", "recommendeddisplayframerate",
                   "playbackframerate"),
    "centre_frequency": ("fc", "f0", "centrefrequency", "centerfrequency", "transmitfrequency",
                         "txfrequency", "frequency"),
    "sampling_frequency": ("fs", "samplingfrequency", "samplingrate", "samplerate",
                           "decimsamplerate", "adcrate"),
    "sound_speed": ("c", "c0", "soundspeed", "speedofsound", "soundvelocity"),
    "demodulation_frequency": ("fdemod", "demodfrequency", "demodulationfrequency",
                               "modulationfrequency", "fdemodulation"),
    "pitch": ("pitch", "elementpitch", "spacingmm", "elementspacing"),
    "element_width": ("elementwidth", "elwidth", "width"),
    "first_sample": ("t0", "firstsample", "initialtime", "starttime", "tstart"),
    "delays": ("txdelay", "txdelays", "delays"),
    "angles": ("angles", "angle", "theta", "thetas", "steeringangles", "txangles", "steer"),
    "bandwidth": ("bandwidth", "bw", "fractionalbandwidth"),
    "f_number": ("fnumber", "fnum"),
    "depth_step": ("depthstep", "dz", "axialstep", "pixelheight"),
    "width_step": ("widthstep", "dx", "lateralstep", "pixelwidth"),
    "depth_start": ("depthstart", "z0", "zstart"),
    "width_start": ("widthstart", "x0", "xstart"),
    "saturation": ("saturation", "fullscale"),
}  # fmt: skip
PLAYBACK = ("cinerate", "recommendeddisplayframerate", "playbackframerate")
"""Of these the names that tell how fast images are shown."""

ELEMENT_COUNTS = ("nelements", "numelements", "elements", "nchannels", "numchannels", "nelem")
TIME_STEPS = ("dt", "timestep", "frameinterval")
DIMS = {
    "time": ("time", "t", "times", "frame", "frames", "slowtime", "pulse"),
    "sample": ("sample", "samples", "fasttime"),
    "channel": ("channel", "channels", "element", "elements", "receiver", "receivers", "rx"),
    "transmit": ("transmit", "angle", "angles", "tx", "transmission"),
    "depth": ("depth", "z", "axial", "depths", "height", "row", "rows"),
    "width": ("width", "x", "lateral", "column", "columns", "col", "cols"),
    "part": ("part", "parts", "component", "components", "complex", "ri", "iq"),
    "sequence": ("sequence", "sequences", "trial", "trials", "repeat", "recording", "slice"),
}
DATA_NAMES = {
    "rf": ("rf", "rfdata", "rcvdata", "channeldata", "rawdata", "echoes"),
    "iq": ("iq", "iqdata", "iqs", "bfiq"),
    "velocity": ("tvi", "velocity", "velocities", "tissuevelocity", "v", "tdi"),
}
UNIT_NAMES = ("units", "unit", "velocityunits", "velocityunit")
REAL_PARTS = ("i", "real", "re", "idata", "inphase", "iqreal", "iqi")
IMAGINARY_PARTS = ("q", "imag", "im", "qdata", "quadrature", "iqimag", "iqq", "imaginary")


def last_part(name: str) -> str:
    """Return the last part of a path, as the names here are spelled, without indices."""
    name = re.sub(r"[({][\d:,]+[)}]", "", name)  # of elements of MATLAB's cells and structs
    return re.sub(r"[_\-\s.]", "", re.split(r"[/@]", name)[-1].lower())


def single_number(file: File, names: tuple[str, ...]) -> tuple[str, float] | None:
    """Return the name and value of the first single number that has one of the names."""
    for wanted in names:
        for info in file.variables:
            if last_part(info.name) == wanted and info.is_numeric and info.size == 1:
                value = file.value(info.name)
                if not isinstance(value, str | complex) and np.isfinite(value):
                    return info.name, float(value)
    return None


def numbers_called(file: File, names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Return names of variables and attributes that go by the names, their units and sizes."""
    found = []
    for wanted in names:
        for info in file.variables:
            if last_part(info.name) == wanted and _is_real(info) and info.size <= MOST_VALUES:
                found.append((info.name, info.units, info.size))
            found += [
                (f"{info.name}@{key}", "", 1)
                for key, value in info.attributes.items()
                if last_part(key) == wanted and np.size(value) == 1 and _is_number(value)
            ]
        found += [
            (f"@{key}", "", 1)
            for key, value in file.attributes.items()
            if last_part(key) == wanted and np.size(value) == 1 and _is_number(value)
        ]
    return found


def _is_real(info: VariableInfo) -> bool:
    return info.is_numeric and np.dtype(info.dtype).kind in "iuf"


def _is_number(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "iuf"
