"""Means and SDs of scores over sequences, by number of units and SNR, as the papers draw them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....simulator.errors import InputError
from .ratios import known, mean_of_known


def summarise(
    rows: Sequence[Mapping[str, Any]], by: Sequence[str] = ("units", "snr")
) -> list[dict[str, Any]]:
    """Group the rows of sequences and return each group's means and SDs.

    So Ali et al. 2020 draw Fig. 4 to 6: each point is the mean, with the SD, over the sequences
    that have as many units and one SNR. The SD is that of a sample (n - 1). Values that are NaN
    (scores that are not defined in a sequence, such as the precision of no prediction) are left
    out, and each measure says over how many sequences it ran.

    Parameters
    ----------
    rows : sequence of mapping of str to number
        One a sequence, all with the same names: what :meth:`.sequence.SequenceScore.to_row` gives,
        with what the sequence was added to it (such as ``snr``, dB).
    by : sequence of str
        Names that make a group where their values are equal.

    Returns
    -------
    list of dict
        One a group, by rising values of `by`: those values; ``sequences``, their number; and of
        every other name N ``N_mean`` (NaN where nothing is known), ``N_sd`` (NaN with fewer than
        two known, or an infinite one) and ``N_count`` (sequences where N is known).

    Raises
    ------
    InputError
        If rows differ in their names, lack one of `by`, or have NaN there.

    Examples
    --------
    >>> from musim.training.identification.metrics.summary import summarise
    >>> rows = [{"units": 5, "recall": 1.0}, {"units": 5, "recall": 0.5}]
    >>> summarise(rows, by=["units"])[0]["recall_mean"]
    0.75
    """
    names = list(rows[0]) if rows else []
    lacking = [name for name in by if rows and name not in names]
    if lacking:
        raise InputError(
            f"rows: found no {lacking[0]!r} to group by, wanted it in each; there are "
            f"{', '.join(names)}"
        )
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for place, row in enumerate(rows):
        if set(row) != set(names):
            odd = sorted(set(row) ^ set(names))
            raise InputError(
                f"rows: found {odd[0]!r} in some only (row {place}), wanted the same names in all"
            )
        key = tuple(row[name] for name in by)
        if any(isinstance(value, float | np.floating) and math.isnan(value) for value in key):
            raise InputError(f"rows: found NaN to group by (row {place}), wanted a value")
        groups.setdefault(key, []).append(row)
    measures = [name for name in names if name not in by]
    return [
        {
            **dict(zip(by, key, strict=True)),
            "sequences": len(groups[key]),
            **{
                entry: value
                for name in measures
                for entry, value in _statistics(name, [row[name] for row in groups[key]]).items()
            },
        }
        for key in sorted(groups)
    ]


def _statistics(name: str, values: Sequence[float]) -> dict[str, float]:
    found = known(values)
    spread = found.size > 1 and np.isfinite(found).all()
    return {
        f"{name}_mean": mean_of_known(found),
        f"{name}_sd": float(found.std(ddof=1)) if spread else math.nan,
        f"{name}_count": found.size,
    }
