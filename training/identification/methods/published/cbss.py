"""Convolutive separation of trains, or straight of velocity."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from .....datasets.event_tables import padded
from .....simulator.errors import InputError
from ...units import Recording, Units, none
from .convolutive import Source, of_train, separate
from .descriptions import CbssSettings, StaSettings, VelBssSettings
from .noise_edge import MARGIN
from .parts import prepared
from .preparing import check_recording
from .sta import sta
from .velbss import velbss, whitened

SHARED = 0.3
"""Sources with this share of common firings are one unit (the rule of EMG competitions)."""

SURE = 0.5
"""A source of velocity counts if its average has twice the energy that shifted firings give."""

TOGETHER = 0.01
"""Firings no further apart than this are common, s."""


def cbss(recording: Recording, settings: CbssSettings) -> Units:
    """Find firings by convolutive blind source separation.

    Raises
    ------
    InputError
        If units cannot be sought in the recording.
    """
    check_recording(recording)
    seconds = len(recording.tvi) / recording.frame_rate
    if 2 * settings.extension / 1e3 >= seconds:
        raise InputError(
            f"extension: found {settings.extension:g} ms of a recording of {seconds:.3g} s, wanted "
            "less than half of it; set a smaller `settings.extension`"
        )
    return (
        _of_trains(recording, settings)
        if settings.source == "trains"
        else _of_velocity(recording, settings)
    )


def _of_trains(recording: Recording, settings: CbssSettings) -> Units:
    """Find units as velbss does, and the firings of each train by itself."""
    band = VelBssSettings(lowest=settings.lowest, highest=settings.highest)
    units = velbss(recording, band)
    factor, firing, confidence = _copies(recording, settings), [], []
    for train, certainty in zip(units.train, units.confidence, strict=True):
        best = of_train(train.astype(np.float64), recording.frame_rate, factor)
        frames = np.zeros(0) if best is None else best.frames
        firing.append((frames / recording.frame_rate).tolist())
        silhouette = 0.0 if best is None else max(best.silhouette, 0.0)
        confidence.append(float(certainty) * silhouette)
    order = np.argsort(-np.array(confidence), kind="stable")
    return dataclasses.replace(
        units,
        territory=units.territory[order],
        train=units.train[order],
        firing=padded(firing)[order],
        confidence=np.array(confidence)[order],
        outline_confidence=units.outline_confidence[order],
    )


def _copies(recording: Recording, settings: CbssSettings) -> int:
    """Return how many copies of a channel span the extension."""
    return max(round(settings.extension / 1e3 * recording.frame_rate), 1)


def _of_velocity(recording: Recording, settings: CbssSettings) -> Units:
    """Find sources in the strongest directions of velocity, and maps by their averages."""
    whole, noise = prepared(recording, settings)
    everywhere = (slice(0, recording.tvi.shape[1]), slice(0, recording.tvi.shape[2]))
    images = whitened(whole, settings.components, MARGIN * noise.strongest(everywhere))
    if not images.shape[1]:
        return none(recording)
    channels = (whole.flat @ images).T.astype(np.float64) / math.sqrt(len(images))
    found = separate(
        channels, recording.frame_rate, _copies(recording, settings), settings.sources,
        settings.silhouette, settings.peel_off,
    )  # fmt: skip
    least = StaSettings().triggers
    kept = [one for one in _different(found, recording.frame_rate) if len(one.frames) >= least]
    if not kept:
        return none(recording)
    events = padded([(one.frames / recording.frame_rate).tolist() for one in kept])
    units = sta(recording, StaSettings(), events)
    sure = units.confidence > SURE
    return dataclasses.replace(
        units,
        territory=units.territory[sure],
        train=units.train[sure],
        firing=units.firing[sure],
        confidence=units.confidence[sure],
        outline_confidence=units.outline_confidence[sure],
    )


def _different(sources: list[Source], frame_rate: float) -> list[Source]:
    """Return sources without those that share firings with a better one."""
    kept: list[Source] = []
    for source in sorted(sources, key=lambda one: -one.silhouette):
        shares = (_shared(source.frames, one.frames, frame_rate) for one in kept)
        if max(shares, default=0.0) < SHARED:
            kept.append(source)
    return kept


def _shared(one: NDArray[np.int64], other: NDArray[np.int64], frame_rate: float) -> float:
    """Return the share of common firings of the one with more, after the best constant lag."""
    gaps = (one[:, None] - other[None]).ravel() / frame_rate
    lags = np.unique(gaps[np.abs(gaps) < 10 * TOGETHER])
    best = max((int((np.abs(gaps - lag) <= TOGETHER).sum()) for lag in lags), default=0)
    return best / max(len(one), len(other))
