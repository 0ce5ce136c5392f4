"""Signal of spoiled gradient echo and of fast spin echo, for water and for fat.

Times are in ms, angles in degrees, frequencies in Hz. Signals are transverse magnetisation over
the equilibrium magnetisation of the same protons, so that they lie between -1 and 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

PROTON_FREQUENCY = 42.577
"""Of protons, MHz/T (CODATA's gyromagnetic ratio over 2 pi)."""

FAT_PEAKS = (
    (-3.80, 0.087),
    (-3.40, 0.693),
    (-2.60, 0.128),
    (-1.94, 0.004),
    (-0.39, 0.039),
    (0.60, 0.048),
)
"""Chemical shift from water, ppm, and share of each line of fat (Hamilton et al. 2011,
doi:10.1002/nbm.1622)."""

MAIN_PEAK = -3.40
"""Of these the largest, ppm: where fat is put by its chemical shift, and what is not excited."""


def ernst_angle(t1: ArrayLike, tr: ArrayLike) -> NDArray[np.float64]:
    """Return the flip angle of most signal in a spoiled gradient echo, deg.

    ``acos(exp(-TR / T1))`` (Ernst and Anderson 1966, doi:10.1063/1.1719961).
    """
    return np.degrees(np.arccos(np.exp(-np.divide(tr, t1))))


def spoiled_gradient_echo(
    t1: ArrayLike, t2_star: ArrayLike, tr: float, te: float, flip: ArrayLike
) -> NDArray[np.float64]:
    """Return the signal of a spoiled gradient echo in its steady state.

    ``sin a (1 - E1) / (1 - cos a E1) exp(-TE / T2*)`` with ``E1 = exp(-TR / T1)`` (Ernst and
    Anderson 1966, doi:10.1063/1.1719961).

    Parameters
    ----------
    t1, t2_star : array_like
        Relaxation times, ms.
    tr, te : float
        Repetition time and echo time, ms.
    flip : array_like
        Flip angle, deg.
    """
    angle, rest = np.radians(flip), np.exp(-np.divide(tr, t1))
    steady = np.sin(angle) * (1 - rest) / (1 - np.cos(angle) * rest)
    return steady * np.exp(-np.divide(te, t2_star))


def binomial_flip(flip: float, offset: ArrayLike, stop: ArrayLike) -> NDArray[np.float64]:
    """Return the flip angle of protons off resonance under a binomial 1-2-1 pulse, deg.

    Of three pulses whose distance is half a turn of what is not to be excited the flip angles add
    up to ``flip cos^2(pi f / (2 f_stop))`` (Hore 1983, doi:10.1016/0022-2364(83)90240-8; angles
    as small as here add up).

    Parameters
    ----------
    flip : float
        On resonance, deg.
    offset : array_like
        From the resonance of water, Hz.
    stop : array_like
        Offset that is not excited: that of fat, Hz.
    """
    return flip * np.cos(np.pi * np.asarray(offset) / np.multiply(2, stop)) ** 2


def shift_of(ppm: ArrayLike, field: float) -> NDArray[np.float64]:
    """Return a chemical shift in Hz at a field in T."""
    return np.asarray(ppm) * PROTON_FREQUENCY * field


def water_gradient_echo(
    t1: float, t2_star: float, *, tr: float, te: float, flip: float, field: float,
    offset: ArrayLike, excite_water: bool,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the gradient echo of water where the field is off by `offset` Hz, an array of it."""
    offset = np.asarray(offset, np.float64)
    angle = np.full(offset.shape, flip)
    if excite_water:
        angle = binomial_flip(flip, offset, shift_of(MAIN_PEAK, field))
    return spoiled_gradient_echo(t1, t2_star, tr, te, angle)


def fat_gradient_echo(
    t1: float, t2_star: float, *, tr: float, te: float, flip: float, field: float,
    offset: ArrayLike, excite_water: bool,
) -> NDArray[np.complex128]:  # fmt: skip
    """Return the gradient echo of fat, with its phase to water's, where the field is off.

    Each line of the spectrum is excited as its frequency says, and turns until the echo.
    """
    offset = np.asarray(offset, np.float64)
    total = np.zeros(offset.shape, np.complex128)
    for ppm, share in FAT_PEAKS:
        frequency = shift_of(ppm, field)
        angle = np.full(offset.shape, flip)
        if excite_water:
            angle = binomial_flip(flip, frequency + offset, shift_of(MAIN_PEAK, field))
        echo = spoiled_gradient_echo(t1, t2_star, tr, te, angle)
        total += share * echo * np.exp(2j * np.pi * frequency * te * 1e-3)
    return total


def echo_train(
    t1: float, t2: float, spacing: float, echoes: int, refocusing: float
) -> NDArray[np.float64]:
    """Return the echoes of a train of equal refocusing pulses after an excitation by 90 degrees.

    Extended phase graphs (Hennig 1988, doi:10.1016/0022-2364(88)90128-X; Weigel 2015,
    doi:10.1002/jmri.24619): states F+, F- and Z by order, relaxed over half a spacing, dephased by
    an order, mixed by the pulse, dephased and relaxed again. The pulses turn about the axis that
    the excited magnetisation lies on, as Carr, Purcell, Meiboom and Gill have it; the first one
    turns by ``90 + refocusing / 2`` degrees, which brings echoes close to those of the steady
    state (Hennig and Scheffler 2000, Magn. Reson. Med. 44, 983).

    Parameters
    ----------
    t1, t2 : float
        Relaxation times, ms.
    spacing : float
        Between echoes, ms.
    echoes : int
        How many.
    refocusing : float
        Flip angle of the pulses, deg; 180 gives ``exp(-n spacing / T2)``.

    Returns
    -------
    float64 array of shape (echoes,)
    """
    half1, half2 = np.exp(-spacing / 2 / t1), np.exp(-spacing / 2 / t2)
    orders = 2 * echoes + 2
    up, down, along = (np.zeros(orders) for _ in range(3))
    up[0] = down[0] = 1.0
    found = np.empty(echoes)
    for echo in range(echoes):
        angle = np.radians(90 + refocusing / 2 if echo == 0 else refocusing)
        up, down, along = _dephased(up * half2, down * half2, along * half1)
        up, down, along = _turned(up, down, along, angle)
        up, down, along = _dephased(up * half2, down * half2, along * half1)
        found[echo] = up[0]
    return found


def _dephased(
    up: NDArray[np.float64], down: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Move transverse states by an order; recovery makes no echo of what was excited."""
    risen, fallen = np.empty_like(up), np.empty_like(down)
    risen[1:], fallen[:-1] = up[:-1], down[1:]
    risen[0] = fallen[0]
    fallen[-1] = 0.0
    return risen, fallen, along


def _turned(
    up: NDArray[np.float64], down: NDArray[np.float64], along: NDArray[np.float64], angle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mix states by a pulse about the axis of the excited magnetisation."""
    cosine, sine = np.cos(angle), np.sin(angle)
    stay, swap = (1 + cosine) / 2, (1 - cosine) / 2
    return (
        stay * up + swap * down + sine * along,
        swap * up + stay * down - sine * along,
        -sine / 2 * (up - down) + cosine * along,
    )


def fast_spin_echo(
    t1: float, t2: float, *, tr: float, te: float, spacing: float, refocusing: float, train: float
) -> float:
    """Return the signal of a fast spin echo at its effective echo time.

    The echo of :func:`echo_train` nearest to `te`, times what has recovered since the last train:
    ``1 - exp(-(TR - train) / T1)``, as after trains nothing is left along the field.

    Parameters
    ----------
    t1, t2 : float
        Relaxation times, ms.
    tr, te : float
        Repetition time and effective echo time, ms: when the middle of k-space is read.
    spacing : float
        Between echoes, ms.
    refocusing : float
        Flip angle of refocusing pulses, deg. Below 180 stimulated echoes make the contrast that
        of a shorter echo time (Busse et al. 2006, doi:10.1002/mrm.20863).
    train : float
        Length of the train, ms.
    """
    if te <= 0:
        decay = 1.0
    else:
        number = max(round(te / spacing), 1)
        decay = float(echo_train(t1, t2, te / number, number, refocusing)[-1])
    return decay * float(1 - np.exp(-(tr - train) / t1))
