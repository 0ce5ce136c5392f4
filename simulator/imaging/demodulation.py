"""From radio-frequency signals to complex envelopes, for band-pass sampling too."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

STOP_ATTENUATION = 60.0
"""How far the filter lowers what lies in its stop band, dB."""


def image_distance(sampling_frequency: float, centre_frequency: float) -> float:
    """Return how far, in Hz, the image of a demodulated band lies from the band.

    A real signal about +fc holds its mirror image about -fc. Mixing by -fc moves the band to 0 and
    the image to -2 fc, and sampling at fs repeats both every fs (band-pass sampling, Vaughan, Scott
    and White 1991, doi:10.1109/78.134430). The image nearest to the band is thus off by the
    distance of 2 fc from the nearest multiple of fs: 2 fc when sampled densely, fs / 2 when
    fs = 4/3 fc or 4 fc, and 0 when fs = 2 fc, where no filter can part them.

    Parameters
    ----------
    sampling_frequency, centre_frequency : float
        fs and fc, Hz.
    """
    doubled = 2 * centre_frequency
    return abs(doubled - sampling_frequency * round(doubled / sampling_frequency))


def demodulate(
    rf: ArrayLike,
    sampling_frequency: float,
    centre_frequency: float,
    *,
    bandwidth: float | None = None,
    axis: int = -1,
) -> NDArray[np.complex64]:
    """Return the complex envelope (IQ) of radio-frequency (RF) signals, sampled as they are.

    With t counted from the first sample, the signal's band about the centre frequency fc is
    ``Re(IQ(t) exp(2 pi i fc t))``: |IQ| is the envelope, and an echo that comes later by dt has a
    phase that is lower by 2 pi fc dt. The band is moved to 0 and kept by a filter of zero phase and
    finite length (Kaiser window, Kaiser and Schafer 1980, doi:10.1109/TASSP.1980.1163349), whose
    stop band takes in the image of the negative frequencies, wherever sampling has folded it to
    (:func:`image_distance`). Beyond the record the signal counts as 0.

    Parameters
    ----------
    rf : array of real numbers
        Signals along `axis`, of any integer or floating-point type.
    sampling_frequency : float
        fs, Hz. It may lie below 2 fc where the signal's band allows it, as with fs = 4/3 fc.
    centre_frequency : float
        fc, Hz.
    bandwidth : float, optional
        Width of the band that passes unchanged, Hz. By default half the distance to the image: then
        a constant offset of the signal is removed too.
    axis : int
        Axis of the samples (fast time).

    Returns
    -------
    complex64 array of the shape of `rf`
        In units of `rf`.

    Raises
    ------
    InputError
        If a frequency is not positive, if band and image overlap, if telling them apart takes a
        filter longer than the record, or if `rf` is complex.
    """
    from .demodulation_kernels import filter_and_mix

    rf = np.asarray(rf)
    if rf.dtype.kind not in "iuf" or rf.dtype.itemsize > 8:
        raise InputError(f"RF: found {rf.dtype}, wanted real numbers; give the signals as recorded")
    if not -rf.ndim <= axis < rf.ndim:
        raise InputError(f"axis of the samples: found {axis}, wanted one of the {rf.ndim} of RF")
    out = np.empty(rf.shape, np.complex64)
    signals, envelopes = np.moveaxis(rf, axis, -1), np.moveaxis(out, axis, -1)
    band_pass = _band_pass(signals.shape[-1], sampling_frequency, centre_frequency, bandwidth)
    even, odd = band_pass.real.astype(np.float32), band_pass.imag.astype(np.float32)
    mixing = _oscillation(-centre_frequency / sampling_frequency, signals.shape[-1])
    mixing = mixing.astype(np.complex64)
    if rf.ndim == 1:
        signals, envelopes = signals[None], envelopes[None]
    for index in np.ndindex(signals.shape[:-2]):
        # A copy of one type and layout: the kernel is compiled once, not for each kind of input.
        plain = np.ascontiguousarray(signals[index], np.float32)
        filter_and_mix(plain, even, odd, mixing, envelopes[index])
    return out


def demodulate_further(
    iq: NDArray[Any],
    sampling_frequency: float,
    centre_frequency: float,
    demodulation_frequency: float,
) -> NDArray[np.complex64]:
    """Return signals that were demodulated at another frequency as :func:`demodulate` gives them.

    Parameters
    ----------
    iq : array of complex numbers of shape (..., sample)
        Signals whose band about the centre frequency fc is ``Re(iq(t) exp(2 pi i f t))``, with t
        counted from the first sample; f is `demodulation_frequency`, 0 of analytic signals.
    sampling_frequency, centre_frequency, demodulation_frequency : float
        Hz.

    Returns
    -------
    complex64 array of the shape of `iq`
        In units of `iq`, an array of its own.

    Raises
    ------
    InputError
        If `iq` is real.
    """
    if iq.dtype.kind != "c":
        raise InputError(f"IQ: found {iq.dtype}, wanted complex numbers; demodulate the signals")
    turns = (demodulation_frequency - centre_frequency) / sampling_frequency
    mixing = _oscillation(turns, iq.shape[-1]).astype(np.complex64)
    return iq.astype(np.complex64) * mixing


def _oscillation(frequency: float, samples: int) -> NDArray[np.complex128]:
    """Return exp(2 pi i frequency n) for samples n from 0, `frequency` in turns a sample."""
    turns = frequency * np.arange(samples)
    return np.exp(2j * np.pi * (turns - np.round(turns)))


def _band_pass(
    samples: int, sampling_frequency: float, centre_frequency: float, bandwidth: float | None
) -> NDArray[np.complex128]:
    """Return a filter that passes the band about +fc, doubled: its middle and what follows."""
    from scipy.signal import firwin, kaiserord

    for name, value in (
        ("sampling frequency", sampling_frequency),
        ("centre frequency", centre_frequency),
        ("bandwidth", sampling_frequency if bandwidth is None else bandwidth),
    ):
        if not 0 < value < np.inf:
            raise InputError(f"{name}: found {value:g} Hz, wanted more than 0")
    distance = image_distance(sampling_frequency, centre_frequency)
    width = distance / 2 if bandwidth is None else bandwidth
    if distance <= 1e-6 * sampling_frequency or width >= distance:
        raise InputError(
            f"sampling: found the band's mirror image {distance:g} Hz from its centre, where it "
            f"overlaps a bandwidth of {width:g} Hz, wanted it further away; give a narrower "
            "bandwidth or record at another sampling frequency (4/3 or 4 times the centre's)"
        )
    # As wide a transition as the image allows, yet not so wide that noise beside the band passes.
    stop = min(distance - width / 2, width)
    taps, beta = kaiserord(STOP_ATTENUATION, (stop - width / 2) / (sampling_frequency / 2))
    taps |= 1  # odd, so that it has a middle
    if taps > 2 * samples:
        raise InputError(
            f"samples: found {samples} a signal, wanted {taps // 2 + 1} or more for a filter that "
            f"passes a bandwidth of {width:g} Hz alone; give longer signals or another bandwidth"
        )
    low_pass: Any = firwin(
        taps,
        (stop + width / 2) / 2,
        window=("kaiser", beta),  # pyright: ignore[reportArgumentType]
        fs=sampling_frequency,
    )
    half = taps // 2
    # A real signal gives half of its amplitude to either band.
    return 2 * low_pass[half:] * _oscillation(centre_frequency / sampling_frequency, half + 1)
