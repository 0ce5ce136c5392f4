"""Loops of :mod:`.model`: the memberships of each pixel, given the trains."""

import numpy as np

from ....simulator.acceleration import inline, kernel

SMALLEST_GAIN = 1e-3
"""Steps that lower the energy by less are not taken."""

SMALLEST_MEMBERSHIP = 0.01

WHOLE = 0.02
"""A membership this close to 1 is 1."""

SLOPE, VALUE, NOW, ABSENT, PRESENT = range(5)
"""Rows of a pixel's state: the derivative of half its squares by each membership, the membership,
its cost, and what it would cost to be 0 or 1."""


@inline
def prior(value, neighbours, costs):
    """Return the cost of a membership by itself and beside its neighbours'."""
    cost = 0.0
    if value > 0:
        cost = costs[0]
        if abs(value - 1) > WHOLE:
            cost += costs[1]
    inside = min(value, 1.0)
    for side in range(4):
        if neighbours[side] >= 0:
            cost += costs[2] * abs(inside - min(neighbours[side], 1.0))
    return cost


@kernel
def gather(pixel, products, gram, membership, size, costs, neighbours, state):
    """Fill in a pixel's state and its neighbours' memberships, -1 beyond the image's edge."""
    depth, width = size
    row, column = pixel // width, pixel % width
    units = len(gram)
    for unit in range(units):
        value = membership[pixel, unit]
        beside = neighbours[unit]
        beside[0] = membership[pixel - width, unit] if row > 0 else -1.0
        beside[1] = membership[pixel + width, unit] if row < depth - 1 else -1.0
        beside[2] = membership[pixel - 1, unit] if column > 0 else -1.0
        beside[3] = membership[pixel + 1, unit] if column < width - 1 else -1.0
        state[SLOPE, unit] = -products[pixel, unit]
        state[VALUE, unit] = value
        state[NOW, unit] = prior(value, beside, costs)
        state[ABSENT, unit] = prior(0.0, beside, costs)
        state[PRESENT, unit] = prior(1.0, beside, costs)
    for other in range(units):
        if membership[pixel, other] > 0:
            for unit in range(units):
                state[SLOPE, unit] += gram[other, unit] * membership[pixel, other]


@kernel
def best_change(weight, gram, state, neighbours, costs, allowed):
    """Return the change of one membership that gains most: gain, unit and new value."""
    best, chosen, chosen_value = -SMALLEST_GAIN, -1, 0.0
    for unit in range(len(gram)):
        if not allowed[unit]:
            continue
        bend, slope, value = gram[unit, unit], state[SLOPE, unit], state[VALUE, unit]
        fitted = min(max(value - slope / max(bend, 1e-30), 0.0), costs[3])
        for candidate in range(3):
            if candidate == 0:
                wanted, cost = 0.0, state[ABSENT, unit]
            elif candidate == 1:
                wanted, cost = 1.0, state[PRESENT, unit]
            elif fitted > SMALLEST_MEMBERSHIP and abs(fitted - 1) > WHOLE:
                wanted, cost = fitted, prior(fitted, neighbours[unit], costs)
            else:
                continue
            step = wanted - value
            gain = weight * (slope + 0.5 * bend * step) * step + cost - state[NOW, unit]
            if gain < best:
                best, chosen, chosen_value = gain, unit, wanted
    return best, chosen, chosen_value


@kernel
def best_exchange(weight, gram, state, allowed, best):
    """Return the exchange of a unit for another that gains more than `best`, or -1 and -1."""
    left, joined = -1, -1
    for unit in range(len(gram)):
        value = state[VALUE, unit]
        if value == 0 or not allowed[unit]:
            continue
        out = weight * (-state[SLOPE, unit] + 0.5 * gram[unit, unit] * value) * value
        out += state[ABSENT, unit] - state[NOW, unit]
        for other in range(len(gram)):
            if state[VALUE, other] > 0 or not allowed[other]:
                continue
            slope = state[SLOPE, other] - value * gram[unit, other]
            gain = out + weight * (slope + 0.5 * gram[other, other])
            gain += state[PRESENT, other] - state[ABSENT, other]
            if gain < best:
                best, left, joined = gain, unit, other
    return left, joined


@kernel
def best_pair(weight, gram, state, allowed):
    """Return the two absent units that gain most when both are added, or -1 and -1."""
    best, first, second = -SMALLEST_GAIN, -1, -1
    for unit in range(len(gram)):
        if state[VALUE, unit] > 0 or not allowed[unit]:
            continue
        one = weight * (state[SLOPE, unit] + 0.5 * gram[unit, unit])
        one += state[PRESENT, unit] - state[ABSENT, unit]
        for other in range(unit):
            if state[VALUE, other] > 0 or not allowed[other]:
                continue
            both = state[SLOPE, other] + 0.5 * gram[other, other] + gram[unit, other]
            gain = one + weight * both + state[PRESENT, other] - state[ABSENT, other]
            if gain < best:
                best, first, second = gain, unit, other
    return first, second


@kernel
def assign(unit, value, gram, neighbours, costs, state):
    """Give a unit a membership and bring the pixel's state up to date."""
    step = value - state[VALUE, unit]
    for other in range(len(gram)):
        state[SLOPE, other] += gram[unit, other] * step
    state[VALUE, unit] = value
    state[NOW, unit] = prior(value, neighbours[unit], costs)


@kernel
def settle(weight, gram, neighbours, costs, allowed, state):
    """Take the best steps of one pixel until none gains; return whether there was any."""
    moved = False
    for _ in range(4 * len(gram) + 8):
        best, unit, value = best_change(weight, gram, state, neighbours, costs, allowed)
        left, joined = best_exchange(weight, gram, state, allowed, best)
        if left >= 0:
            assign(left, 0.0, gram, neighbours, costs, state)
            assign(joined, 1.0, gram, neighbours, costs, state)
        elif unit >= 0:
            assign(unit, value, gram, neighbours, costs, state)
        else:
            first, second = best_pair(weight, gram, state, allowed)
            if first < 0:
                break
            assign(first, 1.0, gram, neighbours, costs, state)
            assign(second, 1.0, gram, neighbours, costs, state)
        moved = True
    return moved


@kernel
def descend(products, gram, weight, membership, size, costs, allowed, waiting, sweeps):
    """Lower the energy of memberships pixel by pixel until nothing changes.

    The energy of a pixel is ``weight |y - sum_k m_k t_k|^2 / 2`` plus the cost of its memberships.
    A step changes one membership to 0, to 1 or to its best value, exchanges one unit for another,
    or adds two units at once.

    Parameters
    ----------
    products : float64 array of shape (pixel, unit)
        Products of pixels and trains.
    gram : float64 array of shape (unit, unit)
        Products of trains.
    weight : float64 array of shape (pixel,)
    membership : float64 array of shape (pixel, unit), changed in place
    size : int64 array of shape (2,)
        Depth and width, px.
    costs : float64 array of shape (4,)
        Of presence, of partial membership and of a step between neighbours; the largest membership.
    allowed : bool array of shape (unit,)
        Units whose memberships may change.
    waiting : bool array of shape (pixel,), changed in place
        Pixels to look at; those beside a pixel that changes are added.
    sweeps : int
        Most passes over the image.
    """
    units = len(gram)
    depth, width = size
    state = np.empty((5, units))
    neighbours = np.empty((units, 4))
    for _ in range(sweeps):
        changed = False
        for pixel in range(len(products)):
            if not waiting[pixel]:
                continue
            waiting[pixel] = False
            gather(pixel, products, gram, membership, size, costs, neighbours, state)
            if not settle(weight[pixel], gram, neighbours, costs, allowed, state):
                continue
            different = np.abs(membership[pixel] - state[VALUE]).max() > 1e-3
            membership[pixel] = state[VALUE]
            if different:
                changed = True
                row, column = pixel // width, pixel % width
                waiting[max(row - 1, 0) * width + column] |= row > 0
                waiting[min(row + 1, depth - 1) * width + column] |= row < depth - 1
                waiting[row * width + max(column - 1, 0)] |= column > 0
                waiting[row * width + min(column + 1, width - 1)] |= column < width - 1
        if not changed:
            break
