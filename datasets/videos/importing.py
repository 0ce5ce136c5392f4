"""From files to a store: videos, cropped and in grey, with the signals that go with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ..images.cropping import Crop
from ..location import Location
from ..parallel import Pool
from ..production import Input, Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .planning import VideoImport, plan_videos
from .signal_tables import EMG_CUTOFF, SIGNALS


def import_videos(
    places: Sequence[str | Path] | str | Path,
    out: Any,
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
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of B-mode videos of muscles, with the signals of their state.

    Parameters
    ----------
    places : sequence of path
        Folders, and single videos: films that ffmpeg reads (MP4, AVI, ...), and DICOM of several
        frames.
    out : str or path
        A path or an fsspec URL.
    signals, trials, participant, task, frame_rate, sample_rate, resample, emg_cutoff
        See :func:`.planning.plan_videos`.
    pixel_size, crop
        See :func:`.planning.plan_videos`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened; each video is a sequence. Its :class:`origin
        <musim.datasets.origin.ImportedVideos>` tells of each the file, its SHA-256, what was cut
        out of it, and the same of its signals.

    Raises
    ------
    InputError
        If a video or its signals cannot be used. Nothing is left behind.
    FailureError
        If the store cannot be written. What is written can be resumed.
    """
    planned = plan_videos(
        places, signals=signals, trials=trials, participant=participant, task=task,
        frame_rate=frame_rate, sample_rate=sample_rate, resample=resample, emg_cutoff=emg_cutoff,
        pixel_size=pixel_size, crop=crop,
    )  # fmt: skip
    return carry_out(planned, out, Work(**work))


def carry_out(planned: VideoImport, out: Any, work: Work) -> Store:
    """Do what was planned; see :func:`import_videos`."""
    return produce(VideoImporting(layout=planned.layout, planned=planned), out, work)


@dataclass(frozen=True, kw_only=True)
class VideoImporting(Maker[int]):
    """Makes sequences of videos: each is a part and a task, read and written in blocks.

    Parameters
    ----------
    layout : Layout
    planned : VideoImport
    """

    less: ClassVar[str] = "a `crop`, fewer videos"

    planned: VideoImport

    @property
    def pool(self) -> Pool:
        """Threads: films are decoded by other processes, DICOM by libraries."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The videos, and the tables of their signals."""
        entries = [one.entry for one in self.planned.prepared]
        videos = [Input("the video", Location(one.path)) for one in entries]
        tables = [one.signals for one in entries if one.signals is not None]
        return [*videos, *(Input("the signals", Location(path)) for path in tables)]

    def make(self, task: int) -> Iterator[Part]:
        """Make the sequence of one video."""
        planned, samples = self.planned, self.layout.sizes["sample"]
        one = planned.prepared[task]
        found = planned.signals_of(task)
        arrays: dict[str, NDArray[Any]] = {
            "frame_count": np.array([one.video.frames], np.int32),
            "participant": np.array([planned.participants[task]], np.int32),
            "task": np.array([planned.tasks[task]], np.int8),
        }
        for name in SIGNALS:
            arrays[name] = np.full((1, samples), np.nan, np.float32)
            if name in found:
                arrays[name][0, : len(found[name])] = found[name]
        yield Part(task, arrays, [self._blocks(task)])

    def _blocks(self, index: int) -> Iterator[NDArray[np.uint8]]:
        one = self.planned.prepared[index]
        top, left, depth, width = one.crop
        for block in one.video.blocks():
            yield block[:, top : top + depth, left : left + width]
