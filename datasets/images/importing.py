"""From files to a store of B-mode images: cropped, of one size, with scale, masks and groups."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..location import Location
from ..parallel import Pool
from ..production import Input, Maker, Part, Work, WorkOptions, produce
from ..store import Store
from .cropping import Crop, cropped
from .planning import ImageImport, Prepared, plan_images
from .resizing import SIZE, resized, resized_mask


def import_images(
    places: Sequence[str | Path] | str | Path,
    out: Any,
    *,
    masks: str | Path | None = None,
    pixels: tuple[int, int] = SIZE,
    pixel_size: tuple[float, float] | None = None,
    sizes: str | Path | None = None,
    crop: Crop | str | None = None,
    part_size: int | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Make a store of B-mode images of the longitudinal section, with masks that were drawn.

    Parameters
    ----------
    places : sequence of path
        Folders, and single images: PNG, TIFF, JPEG, and DICOM.
    out : str or path
        A path or an fsspec URL.
    masks, pixels, pixel_size, sizes, crop, part_size
        See :func:`.planning.plan_images`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened. Its :class:`origin <musim.datasets.origin.ImportedImages>` tells
        of each image the file, its SHA-256 and what was cut out of it.

    Raises
    ------
    InputError
        If an image cannot be used. Nothing is left behind.
    FailureError
        If the store cannot be written. What is written can be resumed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> Image.effect_noise((80, 60), 40).save(folder / "calf.png")
    >>> store = import_images(folder, "memory://calf.zarr", pixel_size=(0.5, 0.5), pixels=(30, 40))
    >>> store.read("bmode", 0).shape, float(store.read("pixel_depth", 0))
    ((1, 30, 40), 1.0)
    """
    planned = plan_images(
        places, masks=masks, pixels=pixels, pixel_size=pixel_size, sizes=sizes, crop=crop,
        part_size=part_size,
    )  # fmt: skip
    return carry_out(planned, out, Work(**work))


def carry_out(planned: ImageImport, out: Any, work: Work) -> Store:
    """Do what was planned; see :func:`import_images`."""
    maker = ImageImporting(layout=planned.layout, prepared=planned.prepared, groups=planned.groups)
    return produce(maker, out, work)


@dataclass(frozen=True, kw_only=True)
class ImageImporting(Maker[int]):
    """Makes images of files: a part is a task.

    Parameters
    ----------
    layout : Layout
    prepared : tuple of Prepared
    groups : (images,) array of int64
    """

    prepared: tuple[Prepared, ...]
    groups: NDArray[np.int64]

    @property
    def pool(self) -> Pool:
        """Threads: images are unpacked by libraries that release the interpreter."""
        return "threads"

    @property
    def inputs(self) -> list[Input]:
        """The images, and their masks."""
        images = [Input("the image", Location(one.entry.path)) for one in self.prepared]
        masks = [one.entry.mask for one in self.prepared if one.entry.mask is not None]
        return [*images, *(Input("the mask", Location(path)) for path in masks)]

    def make(self, task: int) -> Iterator[Part]:
        """Make the images of one part."""
        indices = self.layout.sequences_of(task)
        kept = [self._values(self.prepared[index]) for index in indices]
        arrays = {name: np.stack([values[name] for values in kept]) for name in kept[0]}
        arrays["image_group"] = self.groups[indices.start : indices.stop]
        yield Part(task, {name: arrays[name] for name in self.layout.variables})

    def _values(self, one: Prepared) -> dict[str, Any]:
        """Return an image's variables by their names in the store."""
        size = self.layout.shape[1:]
        mask = one.entry.read_mask()
        drawn = (
            np.zeros(size, bool) if mask is None else resized_mask(cropped(mask, one.crop), size)
        )
        return {
            "bmode": resized(cropped(one.entry.read().values, one.crop), size)[None],
            "aponeurosis_mask": drawn.astype(np.uint8)[None],
            "aponeurosis_drawn": np.uint8(mask is not None),
            "pixel_depth": np.float64(one.scale.depth_mm),
            "pixel_shape": np.float64(one.scale.shape),
        }
