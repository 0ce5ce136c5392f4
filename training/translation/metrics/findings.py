"""What an evaluation of translations finds, put together of what was kept of their sequences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .alarms import AlarmSettings, alarm_lines
from .features import Features, FeatureSettings
from .sequence import Values
from .table import NO_TRANSLATION, Row, Score, cross_row, pool, score_of, within_row


@dataclass(frozen=True)
class Domain:
    """What is kept of a store's sequences: some 150 kB each at 128 x 128 px, and a few frames.

    Parameters
    ----------
    name : str
    address : str
        Where the store is.
    features : tuple of Features
        One a sequence.
    signals : float32 array of shape (sequence, time)
        One pixel of each sequence, standardised with it: of A and B the one that moves most, of a
        translated sequence the same as of its input.
    frames : float32 array of shape (example, frame, depth, width)
        Of the first sequences, standardised; of a translated sequence the same as of its input.
    instants : float64 array of shape (example, frame)
        When they are, s.
    checkerboard : float64 array of shape (sequence,)
        Strength of the most isolated peak in K-space.
    """

    name: str
    address: str
    features: tuple[Features, ...]
    signals: NDArray[np.float32]
    frames: NDArray[np.float32]
    instants: NDArray[np.float64]
    checkerboard: NDArray[np.float64]


@dataclass(frozen=True)
class TranslatedDomain(Domain):
    """What is kept of a translated store besides.

    Parameters
    ----------
    difference, distance : float32 arrays of shape (sequence, depth, width)
        See :class:`.metrics.similarity.SimilarityMap`.
    sequences : list of dict
        A row for each sequence: scores beside its input, and what the alarms look at.
    units : list of dict
        A row for each unit; none if the stores know no truth.
    survival : dict of str to Score
        Over units: ``correlation_before`` and so on; empty if the stores know no truth.
    alarms : tuple of str
        One line each.
    """

    difference: NDArray[np.float32]
    distance: NDArray[np.float32]
    sequences: list[Values] = field(default_factory=list)
    units: list[Values] = field(default_factory=list)
    survival: dict[str, Score] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class TranslationEvaluation:
    """Scores of translations, and what their figures show.

    Parameters
    ----------
    settings : FeatureSettings
    alarm_settings : AlarmSettings
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        mm.
    rows : tuple of Row
        The table: no translation, each translation, and the experimental sequences with one
        another.
    a, b : Domain
        The simulated and the experimental sequences.
    translations : tuple of TranslatedDomain
    """

    settings: FeatureSettings
    alarm_settings: AlarmSettings
    frame_rate: float
    pixel_size: tuple[float, float]
    rows: tuple[Row, ...]
    a: Domain
    b: Domain
    translations: tuple[TranslatedDomain, ...]


def domain_of(name: str, address: str, kept: Sequence[Values]) -> Domain:
    """Put together what was kept of a store's sequences by :func:`.sequence.keep`."""
    return Domain(name, address, **_common(kept))


def translation_of(
    name: str,
    address: str,
    kept: Sequence[Values],
    domains: Sequence[Domain],
    settings: AlarmSettings,
) -> TranslatedDomain:
    """Put together what was kept of a translated store, and raise its alarms.

    Parameters
    ----------
    name, address : str
    kept : sequence of dict
        What :func:`.sequence.keep` and :func:`.sequence.beside` gave for each sequence.
    domains : sequence of Domain
        Checkerboards that they have themselves are no alarm.
    settings : AlarmSettings
    """
    known = np.nan_to_num(np.concatenate([domain.checkerboard for domain in domains]))
    limit = max(settings.checkerboard, float(known.max(initial=0.0)))
    sequences = [
        {
            "translation": name,
            "sequence": index,
            "cross_correlation": values["cross_correlation"]["mean"],
            "cross_correlation_sd": values["cross_correlation"]["sd"],
            "lag": values["lag"]["mean"],
            "lag_sd": values["lag"]["sd"],
            "pixels": values["lag"]["count"],
            "inverted": values["inverted"],
            "inversion_alarm": int(values["inverted"] > settings.inverted),
            "checkerboard": values["checkerboard"],
            "checkerboard_period": _period(values["checkerboard_period"]),
            # Unknown where images are too small to look for one.
            "checkerboard_alarm": math.nan
            if math.isnan(values["checkerboard"])
            else int(values["checkerboard"] > limit),
        }
        for index, values in enumerate(kept)
    ]
    units = [
        {"translation": name, "sequence": index, **unit}
        for index, values in enumerate(kept)
        for unit in values["units"]
    ]
    measures = [f"{what}_{when}" for what in ("correlation", "agreement")
                for when in ("before", "after")]  # fmt: skip
    return TranslatedDomain(
        name,
        address,
        **_common(kept),
        difference=np.stack([values["difference"] for values in kept]),
        distance=np.stack([values["distance"] for values in kept]),
        sequences=sequences,
        units=units,
        survival={each: score_of([unit[each] for unit in units]) for each in measures}
        if units
        else {},
        alarms=alarm_lines(sequences, settings, limit),
    )


def _common(kept: Sequence[Values]) -> Values:
    """Return the fields of a domain."""
    examples = [values for values in kept if len(values["frames"])]
    return {
        "features": tuple(
            Features(values["variance"], values["frequency"], values["spectrum"]) for values in kept
        ),
        "signals": np.stack([values["signal"] for values in kept]),
        "frames": np.stack([values["frames"] for values in examples]),
        "instants": np.stack([values["instants"] for values in examples]),
        "checkerboard": np.array([values["checkerboard"] for values in kept]),
    }


def _period(period: Sequence[float]) -> str:
    """Return the period of a pattern over depth and width, px, as text."""
    return " x ".join("inf" if math.isinf(each) else f"{each:g}" for each in period)


def rows_of(
    a: Domain, b: Domain, translations: Sequence[TranslatedDomain], settings: FeatureSettings
) -> tuple[Row, ...]:
    """Return the table: no translation, each translation, and `b` compared with itself."""
    return (
        cross_row(NO_TRANSLATION, a.features, b.features, settings),
        *(_row(each, b, settings) for each in translations),
        within_row(b.features, settings),
    )


def _row(translation: TranslatedDomain, experimental: Domain, settings: FeatureSettings) -> Row:
    row = cross_row(translation.name, translation.features, experimental.features, settings)
    for name in ("cross_correlation", "lag"):
        row.scores[name] = pool(
            [Score(each[name], each[f"{name}_sd"], each["pixels"])
             for each in translation.sequences]
        )  # fmt: skip
    return row
