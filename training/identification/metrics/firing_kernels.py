"""Loops of :mod:`.firing`: the best lag of every pair of units."""

from ....simulator.acceleration import kernel


@kernel
def best_lags(ours, our_counts, theirs, their_counts, window, rounding, reach, steps, found, lags):
    """Find the lag at which most firings of a pair match, and count there.

    Parameters
    ----------
    ours : float64 array of shape (prediction, firing)
        Instants in the window, s, rising.
    our_counts : int64 array of shape (prediction,)
        How many of them there are.
    theirs, their_counts
        The same of true units.
    window : (float, float)
        Start and end, s.
    rounding : float
        What rounding may add to a distance, s.
    reach : float
        Largest distance of a pair, s.
    steps : float64 array of shape (lag,)
        Lags that are tried, s, the one first that wins among equals.
    found : int64 array of shape (prediction, unit, 3), changed in place
        Firings in common, and those of the predicted and of the true unit alone.
    lags : float64 array of shape (prediction, unit), changed in place
        The best lag, s.
    """
    for one in range(len(our_counts)):
        for other in range(len(their_counts)):
            best, least = -1, 0.0
            for lag in steps:
                low = max(window[0], window[0] - lag)
                high = min(window[1], window[1] - lag)
                first, last = 0, our_counts[one]
                while first < last and ours[one, first] - lag < low:
                    first += 1
                while last > first and ours[one, last - 1] - lag >= high:
                    last -= 1
                start, stop = 0, their_counts[other]
                while start < stop and theirs[other, start] < low:
                    start += 1
                while stop > start and theirs[other, stop - 1] >= high:
                    stop -= 1
                common, total, i, j = 0, 0.0, first, start
                while i < last and j < stop:
                    distance = ours[one, i] - lag - theirs[other, j]
                    if abs(distance) <= reach:
                        common += 1
                        total += abs(distance)
                        i += 1
                        j += 1
                    elif distance < 0:
                        i += 1
                    else:
                        j += 1
                if common > best or (common == best and total < least - rounding):
                    best, least = common, total
                    found[one, other, 0] = common
                    found[one, other, 1] = last - first - common
                    found[one, other, 2] = stop - start - common
                    lags[one, other] = lag
