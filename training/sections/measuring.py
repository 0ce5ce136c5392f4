"""Measuring muscles in images, whoever made the masks; each image is a row of a table."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.finding import ImageEntry
from ...datasets.images.reading import BmodeImage
from ...datasets.images.scale import PixelScale
from ...datasets.images.sizes import ImageSize
from ...simulator.errors import InputError
from .aponeuroses import Aponeuroses, aponeuroses_of
from .fascicles import Fascicles, fascicles_of
from .thickness import Thickness, thickness_of

if TYPE_CHECKING:
    from ...datasets.images.stored import StoredImage

MASKLESS = "no mask"
"""Why an image was not measured that nobody drew a mask on."""

MaskSource = Callable[["ImageEntry | StoredImage", BmodeImage], NDArray[np.bool_] | None]
"""What gives the mask of an image, True where an aponeurosis is; None if it has none."""


@dataclass(frozen=True)
class Measurement:
    """What was measured in an image.

    Parameters
    ----------
    name : str
    size : tuple of int
        Depth and width of the image [px].
    coloured : float
        Share of the image's pixels that have a colour.
    scale : PixelScale
    aponeuroses : Aponeuroses
    thickness : Thickness
    fascicles : Fascicles
    truth : mapping of str to float
        What is true of a simulated image, by columns; empty of any other.
    """

    name: str
    size: tuple[int, int]
    coloured: float
    scale: PixelScale
    aponeuroses: Aponeuroses
    thickness: Thickness
    fascicles: Fascicles
    truth: Mapping[str, float] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return it as a row of a table; what is not known is NaN."""
        chords = self.thickness.chords * (1, self.scale.shape)
        lengths = np.hypot(*np.moveaxis(chords[:, 1] - chords[:, 0], -1, 0))
        return {
            "image": self.name,
            "depth_px": self.size[0],
            "width_px": self.size[1],
            "pixel_depth_mm": self.scale.depth_mm,
            "pixel_shape": self.scale.shape,
            "lines_found": self.aponeuroses.found,
            "thickness_px": self.thickness.pixels,
            "thickness_mm": self.thickness.millimetres,
            "shortest_chord_px": float(lengths.min()) if len(lengths) else math.nan,
            "longest_chord_px": float(lengths.max()) if len(lengths) else math.nan,
            "pennation_deg": self.fascicles.pennation_deg,
            "fascicle_angle_deg": self.fascicles.angle_deg,
            "fascicle_length_px": self.fascicles.length_pixels,
            "fascicle_length_mm": self.fascicles.length_mm,
            "fascicle_seen": self.fascicles.seen,
            "clearness": self.fascicles.clearness,
            "coloured_share": self.coloured,
            "reason": self.thickness.reason,
            "fascicle_reason": self.fascicles.reason,
            **{f"true_{name}": value for name, value in self.truth.items()},
        }


def drawn_mask(entry: "ImageEntry | StoredImage", image: BmodeImage) -> NDArray[np.bool_] | None:
    """Return the mask that lies with an image, on the disk or in its store."""
    return entry.read_mask()


def measure(
    name: str, image: BmodeImage, mask: NDArray[np.bool_] | None, scale: PixelScale
) -> Measurement:
    """Measure the muscle in an image.

    Parameters
    ----------
    name : str
        Of the image.
    image : BmodeImage
    mask : (depth, width) array of bool, or None
        True where an aponeurosis is.
    scale : PixelScale

    Raises
    ------
    InputError
        If the mask has another size than the image.
    """
    size = image.values.shape
    if mask is not None and mask.shape != size:
        raise InputError(
            f"{name}: found a mask of {' x '.join(map(str, mask.shape))} px, wanted "
            f"{' x '.join(map(str, size))}, depth x width, as the image has"
        )
    found = Aponeuroses(None, None, 0, MASKLESS) if mask is None else aponeuroses_of(mask)
    thickness = thickness_of(found, size[1], scale)
    fascicles = fascicles_of(image.values, found, thickness, scale)
    return Measurement(
        name, (size[0], size[1]), image.coloured, scale, found, thickness, fascicles
    )  # fmt: skip


def measure_images(
    entries: "Sequence[ImageEntry] | Sequence[StoredImage]",
    *,
    masks: MaskSource = drawn_mask,
    pixel_size: tuple[float, float] | None = None,
    sizes: Mapping[str, ImageSize] | None = None,
    unit: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Measurement]:
    """Measure the muscles in images.

    Parameters
    ----------
    entries : sequence of ImageEntry or StoredImage
    masks : callable
        Gives the mask of each; that which was drawn by default.
    pixel_size : tuple of float, optional
        Depth and width of all images' pixels [mm].
    sizes : mapping of ImageSize, optional
        What a table says of images, by their names without suffix.
    unit : {"mm", "px"}, optional
        What is asked for: "mm" refuses images of unknown scale.
    on_progress : callable, optional
        Called with the number of images done and in all.

    Raises
    ------
    InputError
        If an image cannot be read or its scale is needed and not known.
    """
    measured = []
    for number, entry in enumerate(entries):
        image = entry.read()
        scale = _scale_of(entry, image, pixel_size, sizes)
        if unit == "mm" and not scale.known:
            raise InputError(
                f"{entry.place}: found no size of its pixels, wanted it for millimetres; give "
                "`pixel_size`, or pixel_depth_mm in the table of `sizes`"
            )
        found = measure(entry.name, image, masks(entry, image), scale)
        measured.append(replace(found, truth=entry.truth))
        if on_progress is not None:
            on_progress(number + 1, len(entries))
    return measured


def _scale_of(
    entry: "ImageEntry | StoredImage",
    image: BmodeImage,
    pixel_size: tuple[float, float] | None,
    sizes: Mapping[str, ImageSize] | None,
) -> PixelScale:
    if pixel_size is not None:
        return PixelScale.of_millimetres(*pixel_size)
    if sizes is None:
        return image.scale or PixelScale()
    if entry.stem not in sizes:
        raise InputError(
            f"`sizes`: found no row of {entry.stem}, wanted one for each image; add it"
        )
    return sizes[entry.stem].scale((image.values.shape[0], image.values.shape[1]))


@dataclass(frozen=True)
class Summary:
    """What was measured in images together.

    Parameters
    ----------
    images : int
    measured : int
        Those with a thickness.
    unit : {"mm", "px"}
        Of lengths.
    thickness, pennation_deg, fascicle_length : tuple of float
        Lower quartile, median and upper quartile; NaN of none.
    with_fascicles : int
        Images with a pennation angle.
    coloured : tuple of str
        Images with annotations in colour.
    reasons : dict of tuple of str
        Images by why there is no thickness.
    off : dict of tuple
        How far simulated images are measured from the truth, by columns: median and SD of what was
        measured less what is true, and the number of images that have both.
    """

    images: int
    measured: int
    unit: str
    thickness: tuple[float, float, float]
    pennation_deg: tuple[float, float, float]
    fascicle_length: tuple[float, float, float]
    with_fascicles: int
    coloured: tuple[str, ...]
    reasons: dict[str, tuple[str, ...]]
    off: dict[str, tuple[float, float, int]]


COLOURED = 0.001
"""Share of pixels with a colour above which an image has annotations in it."""


def summarise(measured: Sequence[Measurement], unit: str | None = None) -> Summary:
    """Return what measurements say together.

    Parameters
    ----------
    measured : sequence of Measurement
    unit : {"mm", "px"}, optional
        Of lengths; mm by default if all that were measured have it.
    """
    good = [each for each in measured if not each.thickness.reason]
    fascicles = [each.fascicles for each in good]
    known = unit != "px" and bool(good) and all(each.scale.known for each in good)
    why = Counter(each.thickness.reason for each in measured if each.thickness.reason)
    thick = [e.thickness.millimetres if known else e.thickness.pixels for e in good]
    return Summary(
        images=len(measured),
        measured=len(good),
        unit="mm" if known else "px",
        thickness=_quartiles(thick),
        pennation_deg=_quartiles([each.pennation_deg for each in fascicles]),
        fascicle_length=_quartiles(
            [each.length_mm if known else each.length_pixels for each in fascicles]
        ),
        with_fascicles=sum(not math.isnan(each.pennation_deg) for each in fascicles),
        coloured=tuple(each.name for each in measured if each.coloured > COLOURED),
        reasons={
            reason: tuple(each.name for each in measured if each.thickness.reason == reason)
            for reason, _ in why.most_common()
        },
        off=_off(good),
    )


def _off(measured: Sequence[Measurement]) -> dict[str, tuple[float, float, int]]:
    found = {}
    for name in dict.fromkeys(name for each in measured for name in each.truth):
        apart = np.array([each.row()[name] - each.truth.get(name, math.nan) for each in measured])
        apart = apart[~np.isnan(apart)]
        if len(apart):
            found[name] = float(np.median(apart)), float(apart.std()), len(apart)
    return found


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    there = [value for value in values if not math.isnan(value)]
    if not there:
        return math.nan, math.nan, math.nan
    low, middle, high = np.percentile(there, [25, 50, 75])
    return float(low), float(middle), float(high)
