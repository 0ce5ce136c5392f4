"""Examples for networks of states: rows of frames, and the labels that belong to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .gathering import TrialRows

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial

REST = 1.0
"""Seconds from a trial's beginning in which a muscle is at rest."""

_PIECE = 256
"""Rows that are added up at a time."""


@dataclass(frozen=True)
class Examples:
    """All examples of some trials.

    Parameters
    ----------
    kept : tuple of TrialRows
        Of each trial.
    trial : int64 array of shape (example,)
        Which of them.
    first : int64 array of shape (example,)
        Row with which what tells of the example begins.
    labels : float32 array of shape (example, output)
        Changes of EMG (V), torque (N m) and angle (deg) from the first to the second frame; then
        their states at the second, above those at rest, if those are told.
    span : int
        Successive rows of an example.
    """

    kept: tuple[TrialRows, ...]
    trial: NDArray[np.int64]
    first: NDArray[np.int64]
    labels: NDArray[np.float32]
    span: int

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.first)

    def take(self, chosen: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Return a batch.

        It holds ``rows`` (example, row, ...) and ``labels`` (example, output), and, where states
        are told, ``compared`` (example, value) of the last rows.
        """
        where = list(zip(self.trial[chosen], self.first[chosen], strict=True))
        rows = [self.kept[trial].rows[first : first + self.span] for trial, first in where]
        batch = {"rows": np.stack(rows), "labels": self.labels[chosen]}
        if self.kept[0].compared is not None:
            last = self.span - 1
            batch["compared"] = np.stack(
                [_known(self.kept[trial].compared)[first + last] for trial, first in where]
            )
        return {name: torch.from_numpy(values) for name, values in batch.items()}

    def successive(self) -> list[NDArray[np.int64]]:
        """Return the numbers of examples, by stretches of pairs that follow one another."""
        breaks = (np.diff(self.first) != 1) | (np.diff(self.trial) != 0)
        return np.split(np.arange(len(self)), np.flatnonzero(breaks) + 1)

    def row_moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and variance of every value of a row, float64 Tensors."""
        count, total, squares = 0, 0.0, 0.0
        for rows in (each.rows for each in self.kept):
            for begin in range(0, len(rows), _PIECE):
                some = np.asarray(rows[begin : begin + _PIECE], np.float64)
                count += len(some)
                total = total + some.sum(axis=0)
                squares = squares + (some**2).sum(axis=0)
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0)
        return torch.from_numpy(np.asarray(mean)), torch.from_numpy(np.asarray(variance))


def examples_of(
    trials: "Sequence[MuscleTrial]", kept: Sequence[TrialRows], span: int, *, absolute: bool
) -> Examples:
    """Return the examples of trials whose signals are known at both frames.

    Raises
    ------
    InputError
        If there are none.
    """
    numbers, firsts, labels = [], [], []
    for number, (trial, each) in enumerate(zip(trials, kept, strict=False)):
        states = trial.states()
        changes = states[each.pairs + 1] - states[each.pairs]
        above = states[each.pairs + 1] - rest_of(states, trial.frame_rate)
        found = np.hstack([changes, above]) if absolute else changes
        known = np.isfinite(found).all(axis=1)
        firsts.append(each.first[known])
        labels.append(found[known].astype(np.float32))
        numbers.append(np.full(int(known.sum()), number))
    if not sum(map(len, firsts)):
        raise _no_signals(trials)
    return Examples(
        tuple(kept), np.concatenate(numbers), np.concatenate(firsts), np.concatenate(labels), span
    )


def rest_of(states: NDArray[np.float32], frame_rate: float) -> NDArray[np.float32]:
    """Return what states are at rest, in the first second of their trial; NaN if not known.

    Torque at rest is that of a relaxed ankle, which nothing in an image tells.

    Parameters
    ----------
    states : float32 array of shape (frame, 3)
    frame_rate : float
        Hz.
    """
    some = states[: max(1, round(REST * frame_rate))]
    known = np.isfinite(some)
    sums, counts = np.where(known, some, 0).sum(axis=0), known.sum(axis=0)
    rest = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return rest.astype(np.float32)


def _known(values: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert values is not None
    return values


def check_signals(trials: "Sequence[MuscleTrial]") -> None:
    """Raise InputError unless some trial has EMG, torque and angle of one frame and the next."""
    for trial in trials:
        known = np.asarray(np.isfinite(trial.states()).all(axis=1))
        if (known[1:] & known[:-1]).any():
            return
    raise _no_signals(trials)


def _no_signals(trials: "Sequence[MuscleTrial]") -> InputError:
    who = sorted({trial.participant for trial in trials})
    return InputError(
        "found no EMG, torque and angle together in the trials of "
        f"{'participants' if len(who) > 1 else 'participant'} {', '.join(map(str, who))}, wanted "
        "all three; use a store of videos with signals"
    )
