"""Convolutive separation of trains, or straight of velocity."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from .....datasets.event_tables import padded
from .....simulator.errors import InputError
from ...units import Recording, Units
from .convolutive import Source, of_train, separate
from .descriptions import CbssSettings, StaSettings, VelBssSettings
from .noise_edge import MARGIN
from .parts import Part, prepared
from .pooling import Component, pooled, upright
from .preparing import check_recording, windows
from .sta import averaged
from .velbss import velbss, whitened


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
    return _with_pulses(recording, velbss(recording, band), _copies(recording, settings))


def _with_pulses(recording: Recording, units: Units, factor: int) -> Units:
    """Return units with the pulses of each train by itself, the most certain first."""
    firing, confidence = [], []
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
    """Find sources in windows of velocity, their pulses, and maps by their averages."""
    depth, width = recording.tvi.shape[1:]
    places = windows((depth, width), settings.window, max(settings.window // 2, 1))
    whole, noise = prepared(recording, settings)
    found: list[Component] = []
    for place in places:
        part = whole if len(places) == 1 else Part(whole.velocity[:, *place])
        images = whitened(part, settings.components, MARGIN * noise.strongest(place))
        if not images.shape[1]:
            continue
        channels = (part.flat @ images).T.astype(np.float64) / math.sqrt(len(images))
        sources = _of_channels(channels, recording, settings)
        found += [_averaged(recording, part, place, source) for source in sources]
    units = pooled(recording, found, settings.agreement, 1, places)
    return _with_pulses(recording, units, _copies(recording, settings))


def _averaged(
    recording: Recording, part: Part, place: tuple[slice, slice], source: Source
) -> Component:
    """Return what moves in a window with a source, by the average velocity around its pulses."""
    rate, usual = recording.frame_rate, StaSettings()
    flat = part.flat
    lags = np.arange(-round(usual.before / 1e3 * rate), round(usual.after / 1e3 * rate) + 1)
    image, _, _ = averaged(flat, source.frames / rate, rate, lags)
    weights = image / max(float(image @ image), 1e-30)
    raw = recording.tvi[:, *place]
    own = raw.reshape(len(raw), -1).astype(np.float64)
    own = (own - own.mean(axis=0)) @ weights
    return Component(
        place, *upright(image.reshape(raw.shape[1:]), flat @ weights, own), source.silhouette
    )


def _of_channels(
    channels: NDArray[np.float64], recording: Recording, settings: CbssSettings
) -> list[Source]:
    """Return the sources of channels (channel, time) whose pulses are as those of a unit.

    Each source is undone as a train is, for what a few copies leave of a twitch.
    """
    factor, rate = _copies(recording, settings), recording.frame_rate
    few = max(factor // 2, 1)
    found = []
    for course in separate(channels, rate, few, settings.sources, settings.peel_off):
        source = of_train(course, rate, factor)
        if source is None or source.silhouette < settings.silhouette:
            continue
        gaps = np.diff(source.frames) / rate
        if float(np.abs(gaps - gaps.mean()).mean()) <= settings.deviation / 1e3:
            found.append(Source(source.frames + few - 1, source.silhouette))
    return found
