"""From a store of whole videos to one of the regions of their muscles, with all their signals."""

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ...datasets.grid import MILLIMETRES
from ...datasets.layout import Layout
from ...datasets.location import Location
from ...datasets.origin import ExtractedRegions, to_attributes
from ...datasets.parallel import Pool
from ...datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ...datasets.schema import REGION as OF_REGIONS
from ...datasets.schema import VARIABLES
from ...datasets.store import Store, open_videos
from ...datasets.videos.trials import MuscleTrial, trials_of
from ...simulator.calf.study import REGION, REGION_SIZE
from ...simulator.errors import InputError
from .region import Region, extract, region_of

if TYPE_CHECKING:
    from ..sections.segmentation.segmenting import Segmenter

EVERY = 25
"""Images of which one is looked at, if nothing else is asked for: one a second in the paper."""

TOGETHER = 8
"""Images that are looked at together."""

WIDEST = 1.05
"""A region may be wider than the image by this much: its edges go on beyond."""

_OWN = tuple(one.name for one in VARIABLES if one.only == OF_REGIONS)
_LOST = ("bmode", "first_row")
"""Of the whole images, and none of the regions."""

_one_at_a_time = threading.Lock()


def plan_regions(
    source: Store,
    *,
    run: str | Path | None = None,
    every: int = EVERY,
    pixels: tuple[int, int] | None = None,
    size: tuple[float, float] = REGION_SIZE,
) -> Layout:
    """Decide what a store of regions will hold.

    Parameters
    ----------
    source : Store
        Of videos of whole images, simulated or imported.
    run : path, optional
        A run of ``musim train segment``; the one that comes with musim, without.
    every : int
        Aponeuroses are looked for in one of so many images of a video.
    pixels : tuple of int, optional
        Depth and width of the region, px. Without, its pixels are those of Cunningham et al. 2017:
        120 x 496 px of the size that they have there.
    size : tuple of float
        The same, mm.

    Raises
    ------
    InputError
        If images have no size in mm, or are smaller than the region, or the run cannot be used.
    """
    from ..sections.segmentation.segmenting import SHIPPED
    from ..tasks import digest_of

    if isinstance(source.origin, ExtractedRegions):
        raise InputError(f"{source.location}: found {source.origin.made_by}, wanted whole images")
    layout = source.layout
    if layout.pixel_unit != MILLIMETRES:
        raise InputError(
            f"{source.location}: found pixels of no known size, wanted it in mm; import the videos "
            "with `pixel_size`"
        )
    _check_region(source, size)
    if every < 1:
        raise InputError(f"`every`: found {every}, wanted 1 or more")
    pixels = pixels or (
        max(1, round(size[0] / REGION_SIZE[0] * REGION[0])),
        max(1, round(size[1] / REGION_SIZE[1] * REGION[1])),
    )
    if min(pixels) < 8:
        raise InputError(f"`pixels`: found {pixels[0]}x{pixels[1]}, wanted 8x8 or more")
    folder = SHIPPED if run is None else Path(run).absolute()
    _segmenter(str(folder))  # what is wrong with a run is found before the first byte is written
    origin = ExtractedRegions(
        store=source.location.address,
        names=tuple(trial.name for trial in trials_of(source)),
        tasks=source.origin.tasks,  # type: ignore[union-attr]
        run="" if run is None else str(folder),
        checkpoint=digest_of(folder),
        every=every,
        source=source.origin.made_by,
    )
    return dataclasses.replace(
        layout,
        variables=("bmode", *(name for name in layout.variables if name not in _LOST), *_OWN),
        sizes={**layout.sizes, "depth": pixels[0], "width": pixels[1]},
        part_size=1,
        pixel_size=(size[0] / pixels[0], size[1] / pixels[1]),
        attributes=to_attributes(origin),
    )


def extract_regions(
    source: Any,
    out: Any,
    *,
    run: str | Path | None = None,
    every: int = EVERY,
    pixels: tuple[int, int] | None = None,
    size: tuple[float, float] = REGION_SIZE,
    **work: Unpack[WorkOptions],
) -> Store:
    """Take the regions of muscles out of videos of whole images: one for each video.

    Parameters
    ----------
    source : str, path or Store
    out : str or path
    run, every, pixels, size
        See :func:`plan_regions`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Of videos, with all that is known of them, and where the region lay (``region_depth``,
        ``region_width``, ``region_angle``); its :class:`origin
        <musim.datasets.origin.ExtractedRegions>` names source and run.

    Raises
    ------
    InputError
        If the videos or the run cannot be used, or aponeuroses are not found. Nothing is left.
    FailureError
        If the result cannot be written.
    """
    opened = source if isinstance(source, Store) else open_videos(source)
    layout = plan_regions(opened, run=run, every=every, pixels=pixels, size=size)
    return produce(RegionExtraction(layout=layout), out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class RegionExtraction(Maker[int]):
    """Takes the region out of videos, one a part."""

    less: ClassVar[str] = "a smaller `size`, fewer videos"

    @property
    def origin(self) -> ExtractedRegions:
        """Source and run."""
        return self.layout.origin_as(ExtractedRegions)

    @property
    def pool(self) -> Pool:
        """Threads: they share the network, and what renders and turns images releases them."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The source's store, and the run."""
        places = [Input("the source", Location(self.origin.store))]
        return places + ([Input("the run", Location(self.origin.run))] if self.origin.run else [])

    def make(self, task: int) -> Iterator[Part]:
        """Take the region out of one video."""
        store = open_videos(self.origin.store)
        trial = trials_of(store)[task]
        region = self._region(trial)
        own = dict(zip(_OWN, (region.depth, region.width, region.angle), strict=True))
        arrays = {
            name: np.asarray(own[name] if name in own else store.read(name, task))[None]
            for name in self.layout.variables
            if name != "bmode"
        }
        yield Part(task, arrays, [self._frames(trial, region)])

    def _region(self, trial: MuscleTrial) -> Region:
        from ..sections.segmentation.segmenting import SHIPPED

        network = _segmenter(self.origin.run or str(SHIPPED))
        chosen = range(0, trial.frames, self.origin.every)
        blocks = (
            np.concatenate([trial.images(one, one + 1) for one in chosen[first : first + TOGETHER]])
            for first in range(0, len(chosen), TOGETHER)
        )
        try:
            return region_of(
                blocks, trial.store.layout.pixel_size, lambda some: _seen(network, some), self._size
            )
        except InputError as error:
            raise InputError(f"{trial.store.location}, {trial.name}: {error}") from error

    def _frames(self, trial: MuscleTrial, region: Region) -> Iterator[NDArray[np.uint8]]:
        pixels, before = self.layout.shape[1:], trial.store.layout.pixel_size
        for first in range(0, trial.frames, EVERY):
            images = trial.images(first, first + EVERY)
            yield extract(images, region, before, (pixels[0], pixels[1]), self._size)

    @property
    def _size(self) -> tuple[float, float]:
        (_, depth, width), step = self.layout.shape, self.layout.pixel_size
        return depth * step[0], width * step[1]


def _seen(network: "Segmenter", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    import torch

    with _one_at_a_time:  # of threads that share the network
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return network.probabilities(images)
        finally:
            torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _segmenter(folder: str) -> "Segmenter":
    from ..sections.segmentation.segmenting import segmenter_of_run

    return segmenter_of_run(folder)


def _check_region(source: Store, size: tuple[float, float]) -> None:
    (_, depth, width), step = source.layout.shape, source.layout.pixel_size
    if min(size) <= 0:
        raise InputError(f"`size`: found {size[0]:g} x {size[1]:g} mm, wanted more than 0")
    whole = depth * step[0], width * step[1]
    if whole[0] <= size[0] * WIDEST or whole[1] * WIDEST < size[1]:
        raise InputError(
            f"{source.location}: found images of {whole[0]:.4g} x {whole[1]:.4g} mm (depth x "
            f"width), wanted deeper ones than the region of {size[0]:g} x {size[1]:g} mm, and as "
            "wide; give a smaller `size`, and simulate whole images (view=whole)"
        )
