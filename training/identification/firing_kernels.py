"""Loops of :mod:`.firing`: least squares with amplitudes that are not negative."""

import numpy as np

from ...simulator.acceleration import kernel

MOST_STEPS = 1000
TOLERANCE = 1e-5


@kernel
def fit_amplitudes(gram, products, sparsity, amplitude):
    """Fit amplitudes, none negative, always changing the one that gains most.

    Minimises ``a G a / 2 - b a + sparsity max(b) sum(a)``.

    Parameters
    ----------
    gram : float64 array of shape (onset, onset)
    products : float64 array of shape (onset,)
        Products of the train with the twitches.
    sparsity : float
        Share of the largest product that a twitch's product with what is left has to exceed.
    amplitude : float64 array of shape (onset,), changed in place
        0 at first.

    Returns
    -------
    float
        By how much the fit lowers the sum of squares.
    """
    onsets = products.size
    cost = sparsity * max(products.max(), 0.0)
    slope = cost - products
    bends = np.diag(gram).copy()
    first = -1.0
    for _ in range(MOST_STEPS):
        best, chosen, step = 0.0, -1, 0.0
        for onset in range(onsets):
            # Most onsets are no firings and stay none.
            if (slope[onset] >= 0 and amplitude[onset] == 0) or bends[onset] <= 1e-30:
                continue
            change = max(-slope[onset] / bends[onset], -amplitude[onset])
            gain = -change * (slope[onset] + 0.5 * bends[onset] * change)
            if gain > best:
                best, chosen, step = gain, onset, change
        if first < 0:
            first = best
        if chosen < 0 or best <= TOLERANCE * first:
            break
        amplitude[chosen] += step
        for onset in range(onsets):
            slope[onset] += gram[chosen, onset] * step
    gain = 0.0
    for onset in range(onsets):
        # b a - a G a / 2 twice over, with G a = slope + b - cost.
        gain += amplitude[onset] * (products[onset] - slope[onset] + cost)
    return gain
