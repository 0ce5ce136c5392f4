"""Stores of images that a trained diffusion model makes of noise, with masks if it makes them."""

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np
import torch

from ....datasets.grid import PIXELS
from ....datasets.layout import Layout
from ....datasets.location import Location
from ....datasets.origin import SampledImages, to_attributes
from ....datasets.parallel import Pool
from ....datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ....datasets.schema import SECTION
from ....datasets.sections import FRAME_RATE
from ....datasets.store import Store
from ....simulator.errors import FailureError, InputError
from ....simulator.seeds import check_seed
from ...runs.devices import device_of
from ...runs.folder import RunFolder, versions
from ...tasks import digest_of, open_run
from .channels import from_channels
from .diffuse_task import DiffuseTask
from .sampling import Sampler

PART = 8
"""Images of a part, which are made together: always so many, so that rounding is the same too."""

LARGEST = 4096
"""Depth and width of images, at most [px]."""

_one_at_a_time = threading.Lock()


def plan_samples(
    run: str | Path,
    *,
    images: int,
    seed: int = 0,
    sampler: Sampler | None = None,
    size: tuple[int, int] | None = None,
    accelerator: str = "auto",
) -> Layout:
    """Decide what a store of samples will hold.

    Parameters
    ----------
    run : path
        A run of ``musim train diffuse``.
    images : int
        Number of them, 1 or more.
    seed : int
        Image i depends on (weights, sampler, seed, i) alone.
    sampler : Sampler, optional
        DDIM with 50 steps, if not given.
    size : tuple of int, optional
        Depth and width to make the images [px], by cubic interpolation of what the network makes;
        as it makes them, if not given. No finer speckle is added.
    accelerator : {"auto", "cpu", "cuda", "mps"}
        Where the network works.

    Raises
    ------
    InputError
        If the run cannot be used, or a value is out of bounds.
    """
    if not 1 <= images < 2**31:
        raise InputError(f"images: found {images}, wanted 1 to {2**31 - 1}")
    if size is not None and not all(1 <= length <= LARGEST for length in size):
        raise InputError(f"size: found {size[0]} x {size[1]} px, wanted 1 to {LARGEST} px")
    RunFolder(run).describe(DiffuseTask.name)
    folder = str(Path(run).absolute())
    digest = digest_of(folder)
    device = device_of(accelerator).type
    settings = _open(folder, digest, device).settings
    origin = SampledImages(
        run=folder, checkpoint=digest, settings=settings.to_json(),
        sampler=asdict(sampler or Sampler()), seed=check_seed(seed), device=device,
        software=versions(),
    )  # fmt: skip
    depth, width = size or settings.size
    return Layout(
        kind=SECTION,
        variables=("bmode", "aponeurosis_mask") if settings.masks else ("bmode",),
        sizes={
            "sequence": int(images), "time": 1, "depth": int(depth), "width": int(width),
            # Which aponeurosis is which is not told by what was drawn.
            **({"aponeurosis": 1} if settings.masks else {}),
        },
        part_size=min(PART, int(images)),
        dtypes={},
        frame_rate=FRAME_RATE,
        pixel_size=(1.0, 1.0),
        pixel_unit=PIXELS,  # models know no millimetres
        attributes=to_attributes(origin),
    )  # fmt: skip


def sample_images(
    run: str | Path,
    out: Any,
    *,
    images: int = 10,
    seed: int = 0,
    sampler: Sampler | None = None,
    size: tuple[int, int] | None = None,
    accelerator: str = "auto",
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of images, and of the masks that belong to them, out of noise.

    Parameters
    ----------
    run : path
        A run of ``musim train diffuse``.
    out : str or path
    images, seed, sampler, size, accelerator
        See :func:`plan_samples`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Its :class:`origin <musim.datasets.origin.SampledImages>` names run, weights and sampler.
        How large pixels are in millimetres is not known.

    Raises
    ------
    InputError
        If the run cannot be used, or something is at `out` already.
    FailureError
        If the store cannot be written, or samples are not finite.
    """
    layout = plan_samples(
        run, images=images, seed=seed, sampler=sampler, size=size, accelerator=accelerator
    )
    return produce(Sampling(layout=layout), out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class Sampling(Maker[int]):
    """Makes images of noise: a part is a task."""

    less: ClassVar[str] = "fewer images"

    @property
    def origin(self) -> SampledImages:
        """Run, weights and sampler."""
        return self.layout.origin_as(SampledImages)

    @property
    def pool(self) -> Pool:
        """Processes, unless they would share a device."""
        return "processes" if self.origin.device == "cpu" else "threads"

    @property
    def inputs(self) -> list[Input]:
        """The run."""
        return [Input("the run", Location(self.origin.run))]

    def make(self, task: int) -> Iterator[Part]:
        """Make the images of one part."""
        origin, layout = self.origin, self.layout
        wanted = layout.sequences_of(task)
        # As many as in any other part, whichever are wanted: samples do not depend on how many.
        indices = range(task * PART, (task + 1) * PART)
        channels = self._channels(indices)[: len(wanted)]
        if not torch.isfinite(channels).all():
            raise FailureError(
                f"{origin.run}: found samples {wanted[0]} to {wanted[-1]} that are not finite, "
                "wanted numbers; use another run"
            )
        images, masks = from_channels(channels, layout.shape[1:])
        arrays = {"bmode": images[:, None]}
        if masks is not None:
            arrays["aponeurosis_mask"] = masks[:, None].astype(np.uint8)
        yield Part(task, arrays)

    def _channels(self, indices: range) -> torch.Tensor:
        origin = self.origin
        sampler = Sampler(**origin.sampler)
        # The network is one for all threads; the other processors have samples of their own.
        with _one_at_a_time:
            task = _open(origin.run, origin.checkpoint, origin.device)
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                return task.sample(sampler, origin.seed, indices)
            finally:
                torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _open(run: str, digest: str, device: str) -> DiffuseTask:
    """Return the task of a run; kept, though its training may go on meanwhile."""
    task, _ = open_run(run, DiffuseTask)
    if digest_of(run) != digest:
        raise InputError(
            f"{run}: found another checkpoint than the one that was begun with, wanted the same; "
            "sample when its training is over, or from a copy of the run"
        )
    task.networks.to(device)
    return task
