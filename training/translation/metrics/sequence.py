"""Everything that is kept of one sequence, and of a sequence and its translation."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.sequence import Truth
from .alarms import AlarmSettings, checkerboard_of, inverted_share
from .consistency import cross_correlate
from .features import FeatureSettings, measure, moments
from .similarity import similarity_map
from .survival import label_survival
from .table import score_of

FRAMES = 3
"""Frames that are kept of a sequence to be shown."""

Values = dict[str, Any]
"""Arrays and plain values by name."""


def most_active(sequence: NDArray[Any]) -> tuple[tuple[int, int], list[int]]:
    """Return the pixel that moves most, and the most active frame of each third of a sequence.

    Parameters
    ----------
    sequence : array of shape (time, depth, width)

    Returns
    -------
    pixel : (int, int)
    frames : list of int
    """
    by_pixel = np.einsum("tzx,tzx->zx", sequence, sequence)
    by_frame = np.einsum("tzx,tzx->t", sequence, sequence)
    z, x = np.unravel_index(int(by_pixel.argmax()), by_pixel.shape)
    thirds = np.array_split(np.arange(len(sequence)), FRAMES)
    return (int(z), int(x)), [int(third[by_frame[third].argmax()]) for third in thirds]


def keep(
    sequence: NDArray[Any],
    frame_rate: float,
    settings: FeatureSettings,
    pixel: tuple[int, int],
    frames: list[int],
) -> Values:
    """Measure a sequence by itself.

    Parameters
    ----------
    sequence : array of shape (time, depth, width)
    frame_rate : float
        Hz.
    settings : FeatureSettings
    pixel : (int, int)
        Whose signal is kept.
    frames : list of int
        Which are kept; none is well.

    Returns
    -------
    dict
        ``variance``, ``frequency``, ``spectrum`` as of :class:`.features.Features`; ``signal`` and
        ``frames`` of the standardised sequence, float32; ``instants``, s; ``checkerboard`` and
        ``checkerboard_period``.

    Raises
    ------
    InputError
        If the sequence cannot be measured.
    """
    features = measure(sequence, frame_rate, settings)
    mean, sd, means, variances = moments(sequence)
    found = checkerboard_of(means / sd, variances / sd**2)
    return {
        **vars(features),
        "signal": ((sequence[:, pixel[0], pixel[1]] - mean) / sd).astype(np.float32),
        "frames": ((sequence[frames] - mean) / sd).astype(np.float32),
        "instants": np.array(frames, np.float64) / frame_rate,
        "checkerboard": found.strength,
        "checkerboard_period": list(found.period),
    }


def beside(
    before: NDArray[Any],
    after: NDArray[Any],
    frame_rate: float,
    truth: Truth | None,
    settings: FeatureSettings,
    alarm_settings: AlarmSettings,
) -> Values:
    """Compare a translated sequence with its input.

    Parameters
    ----------
    before, after : arrays of shape (time, depth, width)
    frame_rate : float
        Hz.
    truth : Truth, optional
        Of both.
    settings : FeatureSettings
    alarm_settings : AlarmSettings

    Returns
    -------
    dict
        ``cross_correlation`` and ``lag`` (ms), each with ``mean``, ``sd`` and ``count`` over
        pixels; ``inverted``; ``units``, a row for each; ``difference`` and ``distance`` as of
        :class:`.similarity.SimilarityMap`.

    Raises
    ------
    InputError
        If they do not fit one another.
    """
    found = cross_correlate(before, after, frame_rate, settings.lag)
    maps = similarity_map(before, after)
    units = [] if truth is None else label_survival(truth, before, after, frame_rate)
    return {
        "cross_correlation": asdict(score_of(found.maximum)),
        "lag": asdict(score_of(found.lag)),
        "inverted": inverted_share(found, alarm_settings),
        "units": [asdict(unit) for unit in units],
        "difference": maps.difference,
        "distance": maps.distance,
    }
