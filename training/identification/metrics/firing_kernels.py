"""Loops of :mod:`.firing`: the best lag of all units, and of every pair."""

from ....simulator.acceleration import kernel


@kernel
def match(ours, our_count, theirs, their_count, window, reach, lag):
    """Match the firings of a pair at a lag, in the window and in the window moved by the lag.

    Returns
    -------
    common, only_ours, only_theirs : int
    distance : float
        Of those in common, altogether, s.
    """
    low = max(window[0], window[0] - lag)
    high = min(window[1], window[1] - lag)
    first, last = 0, our_count
    while first < last and ours[first] - lag < low:
        first += 1
    while last > first and ours[last - 1] - lag >= high:
        last -= 1
    start, stop = 0, their_count
    while start < stop and theirs[start] < low:
        start += 1
    while stop > start and theirs[stop - 1] >= high:
        stop -= 1
    common, total, i, j = 0, 0.0, first, start
    while i < last and j < stop:
        distance = ours[i] - lag - theirs[j]
        if abs(distance) <= reach:
            common += 1
            total += abs(distance)
            i += 1
            j += 1
        elif distance < 0:
            i += 1
        else:
            j += 1
    return common, last - first - common, stop - start - common, total


@kernel
def match_at_lags(ours, our_counts, theirs, their_counts, window, reach, lags, common, distance):
    """Match the firings of the same units at each of some lags.

    Parameters
    ----------
    ours : float64 array of shape (unit, firing)
        Instants in the window, s, rising.
    our_counts : int64 array of shape (unit,)
        How many of them there are.
    theirs, their_counts
        The same of true units.
    window : (float, float)
        Start and end, s.
    reach : float
        Largest distance of a pair, s.
    lags : float64 array of shape (lag,)
        s.
    common : int64 array of shape (lag,), changed in place
        Firings in common of all units, 0 at first.
    distance : float64 array of shape (lag,), changed in place
        Their distances, altogether, s, 0 at first.
    """
    for step in range(len(lags)):
        for unit in range(len(our_counts)):
            found, _, _, total = match(
                ours[unit], our_counts[unit], theirs[unit], their_counts[unit],
                window, reach, lags[step],
            )  # fmt: skip
            common[step] += found
            distance[step] += total


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
                common, only_ours, only_theirs, total = match(
                    ours[one], our_counts[one], theirs[other], their_counts[other],
                    window, reach, lag,
                )  # fmt: skip
                if common > best or (common == best and total < least - rounding):
                    best, least = common, total
                    found[one, other, 0] = common
                    found[one, other, 1] = only_ours
                    found[one, other, 2] = only_theirs
                    lags[one, other] = lag
