"""Chances that a fit is worse by chance, in closed form: SciPy's numbers without its import."""

import math


def kolmogorov(distance: float) -> float:
    """Return the chance that a Kolmogorov-Smirnov distance is larger, in the limit of many values.

    A. Kolmogorov, "Sulla determinazione empirica di una legge di distribuzione", Giornale
    dell'Istituto Italiano degli Attuari 4 (1933). The series for small distances is the other one's
    transform by Jacobi's theta function, and converges where that does not.

    Parameters
    ----------
    distance : float
        Largest distance of the distribution functions times the square root of the number of
        values; 0 or more.
    """
    if distance >= 1:
        return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * distance) ** 2) for k in range(1, 6))
    if distance < 0.1:  # less than 1 by 1e-50
        return 1.0
    steepness = math.pi**2 / (8 * distance**2)
    nearer = sum(math.exp(-steepness * k**2) for k in (1, 3, 5, 7))
    return 1 - math.sqrt(2 * math.pi) / distance * nearer


def chi_square(statistic: float, freedom: int) -> float:
    """Return the chance that chi-squared of some degrees of freedom is larger.

    M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.4.4 and 26.4.5.

    Parameters
    ----------
    statistic : float
        0 or more.
    freedom : int
        1 or more.
    """
    half = statistic / 2
    if half == 0:
        return 1.0
    chance, power = (math.erfc(math.sqrt(half)), 0.5) if freedom % 2 else (0.0, 0.0)
    while power < freedom / 2:
        chance += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
        power += 1
    return min(chance, 1.0)
