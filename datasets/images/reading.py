"""Reading B-mode images, and masks that were drawn on them: PNG, TIFF, JPEG and DICOM."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .scale import PixelScale

DICOM = (".dcm", ".dicom")

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", *DICOM)
"""Endings of files that are read."""

LABELS = 16
"""Masks whose values are below are labels, any but 0 an aponeurosis; others are grey, half is."""

COLOURED = 40
"""By how much channels differ where there is colour: compression alone makes less."""


@dataclass(frozen=True)
class BmodeImage:
    """An image that was read.

    Parameters
    ----------
    values : (depth, width) array of uint8
        Grey.
    coloured : float
        Share of pixels that have a colour: annotations of a scanner.
    scale : PixelScale, optional
        How large its pixels are; None where the file does not say, or is not to be believed: sizes
        for printing are none.
    region : tuple of int, optional
        Where on the scanner's screen the image is: first row and column, depth and width [px].
    """

    values: NDArray[np.uint8]
    coloured: float
    scale: PixelScale | None = None
    region: tuple[int, int, int, int] | None = None


def read_image(path: str | Path) -> BmodeImage:
    """Read an image as grey values of 8 bit.

    Values of 16 bit are divided by 257; transparency is left out. Of DICOM, what stands on the
    screen is read (:func:`.dicom.read_dicom`).

    Raises
    ------
    InputError
        If it cannot be read, is damaged, or holds several pages.
    """
    if Path(path).suffix.lower() in DICOM:
        from .dicom import read_dicom

        return grey_of(*read_dicom(Path(path)))
    with opened(Path(path)) as image:
        if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
            values = np.asarray(image)
            if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
                raise InputError(f"{path}: found {image.mode} values, wanted grey of 8 or 16 bit")
            return BmodeImage((values // 257).astype(np.uint8), 0.0)
        return grey_of(np.asarray(image.convert("RGB")))


def grey_of(
    values: NDArray[np.uint8],
    scale: PixelScale | None = None,
    region: tuple[int, int, int, int] | None = None,
) -> BmodeImage:
    """Return what was read of a file as an image in grey.

    Parameters
    ----------
    values : (depth, width) or (depth, width, 3) array of uint8
        Grey, or red, green and blue.
    scale, region
        See :class:`BmodeImage`.
    """
    if values.ndim == 2:
        return BmodeImage(values, 0.0, scale, region)
    from PIL import Image

    spread = values.max(axis=2).astype(np.int16) - values.min(axis=2)
    grey = np.asarray(Image.fromarray(values).convert("L")).copy()
    return BmodeImage(grey, float((spread > COLOURED).mean()), scale, region)


def size_of(path: str | Path) -> tuple[int, int]:
    """Return depth and width of an image [px], without reading it.

    Raises
    ------
    InputError
        As of :func:`read_image`.
    """
    if Path(path).suffix.lower() in DICOM:
        from .dicom import dicom_size

        return dicom_size(Path(path))
    with opened(Path(path)) as image:
        return image.height, image.width


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask: True where an aponeurosis was drawn.

    Masks may be black and white, labels (any but 0), or of one colour on black.

    Raises
    ------
    InputError
        If it cannot be read, is damaged, or holds several pages.
    """
    if Path(path).suffix.lower() in DICOM:
        raise InputError(f"{path}: found DICOM, wanted a mask as PNG, TIFF or JPEG")
    with opened(Path(path)) as image:
        # Pixels of a palette are labels of their own.
        many = image.mode in {"RGB", "RGBA", "LA", "CMYK", "YCbCr"}
        values = np.asarray(image.convert("RGB") if many else image)
    if values.ndim == 3:
        values = values.max(axis=2)
    largest = values.max()
    return values > 0 if largest < LABELS else values > largest / 2


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an image file, without reading its pixels; see :func:`read_image`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "TIFF", "JPEG")) as image:
                pages = getattr(image, "n_frames", 1)
                if pages > 1:
                    raise InputError(f"{path}: found {pages} pages, wanted one image")
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{path}: found more pixels than an image has, wanted {Image.MAX_IMAGE_PIXELS} at most"
        ) from error
    except InputError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        unknown = isinstance(error, UnidentifiedImageError)
        found = "no image" if unknown else f"an image that cannot be read ({error})"
        raise InputError(f"{path}: found {found}, wanted PNG, TIFF, JPEG or DICOM") from error
