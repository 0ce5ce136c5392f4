"""Which variables may be which quantities: guesses from their names, in units that make sense."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .files import File
from .quantities import QUANTITIES, factor_of, likely_unit
from .vocabulary import NAMES, PLAYBACK, TIME_STEPS, last_part, numbers_called, single_number


@dataclass(frozen=True)
class Guess:
    """One value of a description, and why.

    Parameters
    ----------
    key : str
        A key of :class:`Description`.
    value : object
        As :meth:`Description.parse` takes it.
    reason : str
    """

    key: str
    value: Any
    reason: str


def guess_numbers(
    file: File, kind: str, axes: Guess | None, *, demodulated: bool = False
) -> list[Guess]:
    """Guess the quantities of a kind of recording, from the names in its file.

    Parameters
    ----------
    file : File
    kind : {"rf", "iq", "velocity"}
    axes : Guess or None
        Of the data.
    demodulated : bool
        Whether ``rf`` are complex numbers.
    """
    guesses: list[Guess] = []
    named = list(axes.value) if axes else []
    for key, names in NAMES.items():
        quantity = QUANTITIES[key]
        if kind not in quantity.kinds:
            continue
        # Real echoes carry it still.
        if key == "demodulation_frequency" and kind == "rf" and not demodulated:
            continue
        if key == "angles" and any(guess.key == "delays" for guess in guesses):
            continue
        for name, unit, size in numbers_called(file, names):
            if (size != 1) != quantity.is_list and not (quantity.is_list and size == 1):
                continue
            if key == "delays" and "transmit" in named:
                continue
            guess = _guess_number(file, key, name, unit)
            if guess is None:
                continue
            if key == "frame_rate" and last_part(name) in {"prf", "pulserepetitionfrequency"}:
                guess = _frames_of_pulses(file, guess, named)
            if key == "frame_rate" and last_part(name) in PLAYBACK:
                reason = f"{guess.reason}; so fast it is shown, CHECK whether it was recorded so"
                guess = Guess(guess.key, guess.value, reason)
            guesses.append(guess)
            break
    return guesses + _from_time_steps(file, kind, guesses)


def _guess_number(file: File, key: str, name: str, unit: str) -> Guess | None:
    """Guess that a variable is a quantity, and in which unit; None if no unit makes it fit."""
    quantity = QUANTITIES[key]
    if "@" in name:
        values = np.atleast_1d(np.asarray(file.value(name), np.float64))
    else:
        values = file.array(name).read().ravel().astype(np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        return None
    shown = f"{values[0]:g}" if values.size == 1 else f"{values.size} values"
    if unit:
        factor = factor_of(unit, quantity)
        fits = factor is not None and _fits(values * factor, key)
        return Guess(key, name, f"its name; it is {shown} {unit}") if fits else None
    largest = float(values[np.abs(values).argmax()])
    if key == "angles" and 0 < abs(largest) < 0.6:
        return Guess(key, f"{name} [rad]", f"its name; {shown} up to {largest:g}, taken as radians")
    if _fits(values, key):
        unit = quantity.unit or "no unit"
        return Guess(key, name, f"its name; {shown} fits {unit}")
    likely = likely_unit(largest, quantity)
    if not likely:
        return None
    return Guess(key, f"{name} [{likely}]", f"its name; {shown} fits {likely}")


def _fits(values: Any, key: str) -> bool:
    quantity = QUANTITIES[key]
    return bool(((values >= quantity.low) & (values <= quantity.high)).all())


def _frames_of_pulses(file: File, guess: Guess, axes: list[str]) -> Guess:
    """Say that a frame takes several pulses where there is an axis of transmits."""
    if "transmit" not in axes:
        return guess
    return Guess(
        guess.key,
        guess.value,
        f"{guess.reason}; DIVIDE it by the number of transmits if it counts single pulses",
    )


def _from_time_steps(file: File, kind: str, guesses: list[Guess]) -> list[Guess]:
    """Guess rates from steps of time: those below 1 us are of fast time."""
    known = {guess.key for guess in guesses}
    found = single_number(file, TIME_STEPS)
    if found is None or found[1] <= 0:
        return []
    name, step = found
    key = "sampling_frequency" if kind == "rf" and step < 1e-6 else "frame_rate"
    if key in known or not _fits(np.array([1 / step]), key):
        return []
    return [Guess(key, 1 / step, f"{name} is {step:g}, taken as s")]
