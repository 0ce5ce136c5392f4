"""Round numbers along an axis and beside a signal, on pictures and pages."""

import math

from matplotlib.ticker import MaxNLocator

STEPS = (1, 2, 5, 10)
"""Of round numbers, times any power of ten."""


def round_ticks(highest: float, most: int = 6) -> list[float]:
    """Return round numbers from 0 to at most `highest`, evenly apart.

    Parameters
    ----------
    highest : float
        Where it is not finite and above 0, there is 0 alone.
    most : int
        Steps, at most.

    Examples
    --------
    >>> round_ticks(0.33)
    [0.0, 0.1, 0.2, 0.3]
    """
    if not (math.isfinite(highest) and highest > 0):
        return [0.0]
    found = MaxNLocator(most, steps=STEPS).tick_values(0.0, highest)
    # The locator's last tick may lie beyond; its products of steps are round again.
    return [float(f"{tick:.12g}") for tick in found if tick <= highest * (1 + 1e-9)]


def round_length(longest: float) -> float:
    """Return the largest round number that is at most `longest`, for a bar of a scale.

    Parameters
    ----------
    longest : float
        Above 0.

    Examples
    --------
    >>> round_length(0.33)
    0.2
    """
    power = 10.0 ** math.floor(math.log10(longest))
    # A half, for the logarithm of what is just below a power of ten may be rounded up to it.
    return power * max(step for step in (0.5, *STEPS) if step * power <= longest)
