"""What a store of videos from files will hold: their crops, scale, rates, signals and tasks."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..grid import MILLIMETRES, PIXELS
from ..images.cropping import AUTO, Crop, check_crop, find_image, whole
from ..images.scale import PixelScale
from ..importing.hashing import sha256_of
from ..layout import Layout
from ..origin import ImportedVideo, ImportedVideos, to_attributes
from ..schema import VIDEO
from .agreement import Prepared, frame_rate_of, samples_of, scale_of
from .finding import find_videos
from .reading import Video, open_video
from .signal_tables import EMG_CUTOFF, SIGNALS, read_signals
from .signals import on_frames

OFFSET = 0.2
"""Mean of a raw EMG over its SD that is worth a word: rectified, it is taken for activity."""

COLOURED = 0.001
"""Share of pixels with a colour above which a video has annotations in it."""


@dataclass(frozen=True)
class VideoImport:
    """What a store of videos will hold.

    Parameters
    ----------
    layout : Layout
    prepared : tuple of Prepared
    participants, tasks : tuple of int
        Of each video: a number of who takes part, and an index into the origin's tasks; -1 where
        they are not known.
    remarks : tuple of str
        What is worth a word.
    """

    layout: Layout
    prepared: tuple[Prepared, ...]
    participants: tuple[int, ...]
    tasks: tuple[int, ...]
    remarks: tuple[str, ...]

    def signals_of(self, index: int) -> Mapping[str, NDArray[np.float32]]:
        """Return a video's signals as the store has them, beginning with its first frame."""
        return _signals_of(self.prepared[index], self.layout)


def plan_videos(
    places: Sequence[str | Path] | str | Path,
    *,
    signals: str | Path | None = None,
    trials: str | Path | None = None,
    participant: str = "",
    task: str = "",
    frame_rate: float | None = None,
    sample_rate: float | None = None,
    resample: float | None = None,
    emg_cutoff: float = EMG_CUTOFF,
    pixel_size: tuple[float, float] | None = None,
    crop: Crop | str | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> VideoImport:
    """Look at videos and their signals, and decide what a store of them will hold.

    Parameters
    ----------
    places : sequence of path
        Folders, and single videos.
    signals, trials, participant, task
        See :func:`.finding.find_videos`.
    frame_rate : float, optional
        Hz; what the files say, without. With it frames are taken for even, whatever files say.
    sample_rate : float, optional
        Hz, of tables without a column of times.
    resample : float, optional
        Hz that signals are brought to, a multiple of the frame rate. Without it their own rate has
        to be one.
    emg_cutoff : float
        Of the low-pass that makes an amplitude of raw EMG, Hz
        (:func:`musim.simulator.calf.electromyography.amplitude`).
    pixel_size : tuple of float, optional
        Depth and width of all files' pixels [mm]; what DICOM says, without.
    crop : tuple of int or "auto", optional
        First row and column, depth and width of what is taken of each frame [px]; or that it is to
        be found: by the region that DICOM tells, or by
        :func:`musim.datasets.images.cropping.find_image` in the first frame.
    on_progress : callable
        Called with the numbers of videos looked at and in all.

    Raises
    ------
    InputError
        If there are no videos, or one or its signals cannot be used, or they do not go together.
    """
    entries = find_videos(
        places, signals=signals, trials=trials, participant=participant, task=task
    )
    if frame_rate is not None and not (math.isfinite(frame_rate) and frame_rate > 0):
        raise InputError(f"`frame_rate`: found {frame_rate:g} Hz, wanted more than 0")
    prepared, origins, remarks = [], [], []
    for number, entry in enumerate(entries):
        video = open_video(entry.path)
        first = video.first()
        taken = whole(video.size) if crop is None else _crop_of(video, first.values, crop, remarks)
        table = None if entry.signals is None else read_signals(entry.signals, sample_rate)
        table = None if table is None else table.with_amplitude(emg_cutoff)
        one = Prepared(entry, video, taken, table, first.coloured > COLOURED)
        prepared.append(one)
        origins.append(
            ImportedVideo(
                name=entry.name, file=entry.path.name, sha256=sha256_of(entry.path),
                size=video.size, crop=taken, participant=entry.participant, task=entry.task,
                signals=None if entry.signals is None else entry.signals.name,
                signals_sha256=None if entry.signals is None else sha256_of(entry.signals),
            )
        )  # fmt: skip
        on_progress(number + 1, len(entries))
    origin = ImportedVideos(videos=tuple(origins))
    rate = frame_rate_of(prepared, frame_rate)
    layout = _layout(
        origin, prepared, rate, samples_of(prepared, rate, resample), scale_of(prepared, pixel_size)
    )
    for one in prepared:
        _signals_of(one, layout)  # what they lack is found before the first byte is written
    names = list(origin.tasks)
    return VideoImport(
        layout=layout,
        prepared=tuple(prepared),
        participants=_numbers([one.entry.participant for one in prepared]),
        tasks=tuple(names.index(one.entry.task) if one.entry.task else -1 for one in prepared),
        remarks=(*remarks, *_remarks(prepared, layout)),
    )


def _crop_of(
    video: Video, first: NDArray[np.uint8], crop: Crop | str, remarks: list[str]
) -> Crop:  # fmt: skip
    if crop == AUTO:
        found = video.region or find_image(first)
        if found is None:
            remarks.append(f"{video.path}: found no image on the screen, and left it whole")
        return whole(video.size) if found is None else found
    assert not isinstance(crop, str)
    check_crop(crop, video.size, str(video.path))
    return crop


def _layout(
    origin: ImportedVideos, prepared: Sequence[Prepared], frame_rate: float, samples: int,
    scale: PixelScale,
) -> Layout:  # fmt: skip
    size = prepared[0].crop[2:]
    for one in prepared:
        if one.crop[2:] != size:
            raise InputError(
                f"{one.video.path}: found frames of {one.crop[2]} x {one.crop[3]} px (depth x "
                f"width), wanted {size[0]} x {size[1]} px as {prepared[0].video.path.name} has; "
                "import them apart, or give a `crop` that all have"
            )
    frames = max(one.video.frames for one in prepared)
    return Layout(
        kind=VIDEO,
        variables=("bmode", "frame_count", "participant", "task", *SIGNALS),
        sizes={
            "sequence": len(prepared), "time": frames, "depth": size[0], "width": size[1],
            "sample": frames * samples,
        },
        part_size=1,
        dtypes={},
        frame_rate=frame_rate,
        sample_rate=frame_rate * samples,
        pixel_size=(scale.depth_mm, scale.depth_mm * scale.shape) if scale.known else (1.0, 1.0),
        pixel_unit=MILLIMETRES if scale.known else PIXELS,
        attributes=to_attributes(origin),
    )  # fmt: skip


def _signals_of(one: Prepared, layout: Layout) -> Mapping[str, NDArray[np.float32]]:
    if one.signals is None:
        return {}
    sample_rate = layout.sample_rate or 0.0
    own = (
        abs(one.signals.rate / sample_rate - 1)
        * one.video.frames
        * (sample_rate / layout.frame_rate)
        < 0.5
    )
    return on_frames(
        one.signals, layout.frame_rate, one.video.frames, None if own else sample_rate
    )  # fmt: skip


def _numbers(names: Sequence[str]) -> tuple[int, ...]:
    """Return numbers of participants: those that they are called by, or in the order they come."""
    known = list(dict.fromkeys(name for name in names if name))
    called = all(name.isdecimal() and int(name) < 2**31 for name in known)
    number = {name: int(name) if called else place for place, name in enumerate(known)}
    return tuple(number.get(name, -1) for name in names)


def _remarks(prepared: Sequence[Prepared], layout: Layout) -> list[str]:
    remarks = []
    without = [one.entry.name for one in prepared if one.signals is None]
    if without:
        remarks.append(
            f"no signals of {_named(without)}: states can be found in it, but not learned from it"
        )
    nobody = [one.entry.name for one in prepared if not one.entry.participant]
    if nobody:
        remarks.append(f"it is not known who takes part in {_named(nobody)}: `participant` or "
                       "`trials` tells")  # fmt: skip
    if layout.pixel_unit == PIXELS:
        remarks.append("millimetres are not known: `pixel_size` tells them")
    coloured = [one.entry.name for one in prepared if one.coloured]
    if coloured:
        remarks.append(f"annotations in colour in {_named(coloured)}: they stay, in grey")
    for one in prepared:
        emg = None if one.signals is None else one.signals.values.get("emg")
        if emg is not None and abs(emg.mean()) > OFFSET * emg.std():
            remarks.append(
                f"{one.entry.signals}: emg has an offset of {emg.mean():.3g} V, which is rectified "
                "with it; take it off"
            )
    return remarks


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
