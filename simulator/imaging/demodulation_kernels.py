"""Loops of :mod:`musim.simulator.imaging.demodulation`: filtering and mixing."""

import numpy as np

from ..acceleration import kernel


@kernel
def filter_and_mix(signals, even, odd, mixing, out):
    """Filter signals by a finite complex filter about the present sample, and mix them.

    Parameters
    ----------
    signals : float32 array of shape (signal, sample)
        They count as 0 before and after.
    even, odd : float32 arrays of shape (1 + half,)
        Real and imaginary part of the filter from its middle on: the one is even, the other odd.
    mixing : complex64 array of shape (sample,)
    out : complex64 array of shape (signal, sample), filled
        In any layout.
    """
    count, samples = signals.shape
    half = even.size - 1
    padded = np.zeros(samples + 2 * half, np.float32)
    real, imaginary = np.empty(samples, np.float32), np.empty(samples, np.float32)
    for signal in range(count):
        for sample in range(samples):
            padded[half + sample] = signals[signal, sample]
            real[sample] = even[0] * padded[half + sample]
            imaginary[sample] = np.float32(0)
        for lag in range(1, half + 1):
            # Convolution: what the filter holds after its middle meets what came before.
            before, after = padded[half - lag :], padded[half + lag :]
            even_tap, odd_tap = even[lag], odd[lag]
            for sample in range(samples):
                real[sample] += even_tap * (before[sample] + after[sample])
                imaginary[sample] += odd_tap * (before[sample] - after[sample])
        for sample in range(samples):
            out[signal, sample] = complex(real[sample], imaginary[sample]) * mixing[sample]
