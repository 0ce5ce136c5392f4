"""Examples for networks of states: rows of frames, and the labels that belong to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .gathering import TrialRows

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial

_PIECE = 256
"""Rows that are added up at a time."""


@dataclass(frozen=True)
class Examples:
    """All examples of some trials.

    Parameters
    ----------
    rows : tuple of arrays of shape (row, ...)
        Of each trial, see :class:`.gathering.TrialRows`.
    trial : int64 array of shape (example,)
        Which of them.
    first : int64 array of shape (example,)
        Row with which what tells of the example begins.
    labels : float32 array of shape (example, output)
        Changes of EMG (V), torque (N m) and angle (deg) from the first to the second frame; then
        their states at the second, if those are told.
    span : int
        Successive rows of an example.
    with_rest : bool
        Whether the last row of its trial, of a frame at rest, comes before them.
    """

    rows: tuple[NDArray[Any], ...]
    trial: NDArray[np.int64]
    first: NDArray[np.int64]
    labels: NDArray[np.float32]
    span: int
    with_rest: bool

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.first)

    def take(self, chosen: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Return a batch: ``rows`` (example, row, ...), and ``labels`` (example, output)."""
        batch = []
        for trial, first in zip(self.trial[chosen], self.first[chosen], strict=True):
            rows = self.rows[trial]
            some = rows[first : first + self.span]
            batch.append(np.concatenate([rows[-1:], some]) if self.with_rest else some)
        return {
            "rows": torch.from_numpy(np.stack(batch)),
            "labels": torch.from_numpy(self.labels[chosen]),
        }

    def row_moments(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and variance of every value of a row, float64 Tensors."""
        count, total, squares = 0, 0.0, 0.0
        for rows in self.rows:
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
        found = np.hstack([changes, states[each.pairs + 1]]) if absolute else changes
        known = np.isfinite(found).all(axis=1)
        firsts.append(each.first[known])
        labels.append(found[known].astype(np.float32))
        numbers.append(np.full(int(known.sum()), number))
    if not sum(map(len, firsts)):
        raise _no_signals(trials)
    return Examples(
        tuple(each.rows for each in kept), np.concatenate(numbers), np.concatenate(firsts),
        np.concatenate(labels), span, absolute,
    )  # fmt: skip


def check_signals(trials: "Sequence[MuscleTrial]") -> None:
    """Raise InputError unless some trial has EMG, torque and angle of one frame and the next."""
    for trial in trials:
        known = np.isfinite(trial.states()).all(axis=1)
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
