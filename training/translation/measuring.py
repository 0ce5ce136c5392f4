"""Measuring one sequence and its translations, wherever dask puts it; and keeping what is found."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store, open_sequences
from ...simulator.errors import InputError
from .metrics import AlarmSettings, FeatureSettings
from .metrics.sequence import Values, beside, keep, most_active

EXAMPLES = 3
"""Sequences of each store of which frames are kept for the figures."""


def measure_sequence(
    aside: str,
    addresses: Sequence[str],
    index: int,
    settings: FeatureSettings,
    alarm_settings: AlarmSettings,
    label: str,
) -> None:
    """Measure a sequence of the first store, and its translations; keep what is found in files."""
    from threadpoolctl import threadpool_limits

    source, *outputs = (open_sequences(address) for address in addresses)
    rate = source.layout.frame_rate
    truth = source.truth(index) if source.has_truth and outputs else None
    with threadpool_limits(1):  # the other cores have sequences of their own
        before = _read(source, index)
        pixel, frames = most_active(before)
        shown = frames if index < EXAMPLES else []
        _keep(Path(aside, f"{label}-{index}"), keep(before, rate, settings, pixel, shown))
        for number, output in enumerate(outputs):
            if index >= len(output):
                continue
            check_truth(source, output, index)
            after = _read(output, index)
            values = keep(after, rate, settings, pixel, shown)
            values |= beside(before, after, rate, truth, settings, alarm_settings)
            _keep(Path(aside, f"t{number}-{index}"), values)


def _read(store: Store, index: int) -> NDArray[np.float32]:
    sequence = store.tvi(index).astype(np.float32, copy=False)
    if not np.isfinite(sequence.sum(dtype=np.float64)) or np.ptp(sequence) == 0:
        raise InputError(
            f"{store.location}: found values that are not finite or all alike in sequence {index}, "
            "wanted motion; leave it out"
        )
    return sequence


def check_truth(source: Store, output: Store, index: int) -> None:
    """Raise InputError if both stores know a sequence's truth, and not the same."""
    if not (source.has_truth and output.has_truth):
        return
    if not np.array_equal(source.truth(index).twitch_train, output.truth(index).twitch_train):
        raise InputError(
            f"{output.location}: found another truth of sequence {index} than in "
            f"{source.location}, wanted the same; name the store that it was translated from"
        )


def _keep(path: Path, values: Values) -> None:
    """Write what was found of a sequence: arrays and plain values apart."""
    arrays: Values = {name: each for name, each in values.items() if isinstance(each, np.ndarray)}
    np.savez(path.with_suffix(".npz"), **arrays)
    plain = {name: each for name, each in values.items() if name not in arrays}
    path.with_suffix(".json").write_text(json.dumps(plain))


def load(path: Path) -> Values:
    """Read what was kept of a sequence."""
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays | json.loads(path.with_suffix(".json").read_text())
