"""The band-pass, slowly and obviously: of a recording that is written out beyond its ends."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from musim.simulator.imaging.filtering import BandPass


def continued_for_long(velocity: NDArray[np.float32], settings: BandPass) -> NDArray[np.float64]:
    """Both directions over a recording that goes on in straight lines, by SciPy."""
    sections = signal.butter(
        settings.order,
        (settings.low, settings.high),
        "bandpass",
        fs=settings.frame_rate,
        output="sos",
    )
    pixels = velocity.reshape(len(velocity), -1).astype(np.float64)
    count, beyond = min(settings.fitted, len(pixels)), 3 * settings.overlap
    time = np.arange(count)
    parts = [pixels]
    for end, place, times in ((0, 0, np.arange(-beyond, 0)),
                              (2, len(pixels) - count, count + np.arange(beyond))):  # fmt: skip
        inside = pixels[place : place + count]
        line = np.polynomial.polynomial.polyfit(time, inside, min(1, count - 1))
        parts.insert(end, np.polynomial.polynomial.polyval(times, line).T)
    forwards = np.asarray(signal.sosfilt(sections, np.concatenate(parts), axis=0))
    found = np.asarray(signal.sosfilt(sections, forwards[::-1], axis=0))[::-1]
    return found[beyond:-beyond].reshape(velocity.shape)
