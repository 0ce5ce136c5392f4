"""Reading B-mode images in DICOM: what is on the screen, where in it the image is, its scale."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..importing.damage import damage
from ..importing.files import plain_text
from ..importing.image_files import library, package
from ..importing.ultrasound_regions import UltrasoundRegion, regions_of
from .scale import PixelScale

LARGEST = 65_536
"""Bytes of the longest element that is read with the header."""


def dicom_size(path: Path) -> tuple[int, int]:
    """Return depth and width of an image [px], without reading it.

    Raises
    ------
    InputError
        If it holds no image, or several, or is damaged.
    """
    data = header(path)
    return int(data.Rows), int(data.Columns)


def read_dicom(
    path: Path,
) -> tuple[NDArray[np.uint8], PixelScale | None, tuple[int, int, int, int] | None]:
    """Read the picture in a DICOM file, grey or in colours, plain or compressed (JPEG, RLE).

    Parameters
    ----------
    path : path

    Returns
    -------
    values : (depth, width) or (depth, width, 3) array of uint8
        Values of more bits are brought to 8.
    scale : PixelScale or None
        That of the region of tissue, or the spacing of pixels; None if neither is told.
    region : tuple of int or None
        Where the region of tissue is: first row and column, depth and width [px].

    Raises
    ------
    InputError
        If it holds no image, or several, or is damaged.

    References
    ----------
    .. [1] DICOM PS3.3, section C.8.5.5: regions of ultrasound images and their physical deltas.
    """
    data = header(path)
    with damage(path), library("pydicom"):
        from pydicom.pixels.utils import pixel_array

        values = picture_of(path, np.asarray(pixel_array(path)), data)
    return values, *scale_of(data)


def scale_of(data: Any) -> tuple[PixelScale | None, tuple[int, int, int, int] | None]:
    """Return how large pixels are, and where the region of tissue is; see :func:`read_dicom`."""
    size = int(data.Rows), int(data.Columns)
    tissue = [one for one in regions_of(data) if one.is_tissue and one.lies_in(size)]
    largest = max(tissue, key=UltrasoundRegion.area, default=None)
    region = None if largest is None else largest.place
    if largest is not None and largest.pixel_size is not None:
        return PixelScale.of_millimetres(*largest.pixel_size), region
    spacing = data.get("PixelSpacing")
    if np.size(spacing or ()) == 2 and min(float(one) for one in spacing) > 0:
        return PixelScale.of_millimetres(*(float(one) for one in spacing)), region
    return None, region


def header(path: Path, *, cine: bool = False) -> Any:
    """Return what a file says of its image, or of the frames of a cine.

    Raises
    ------
    InputError
        If it is no DICOM, or damaged, or has no image, or several where one is wanted.
    """
    pydicom = package(path, "DICOM", "pydicom")
    try:
        with damage(path), library("pydicom"):
            data = pydicom.dcmread(path, defer_size=LARGEST)
            frames = int(data.get("NumberOfFrames") or 1)
            has_pixels = "PixelData" in data and bool(data.get("Rows") and data.get("Columns"))
    except InputError as error:
        raise InputError(f"{path}: found no DICOM image that can be read ({error})") from error
    if not has_pixels:
        kind = plain_text(getattr(data.get("SOPClassUID"), "name", "of no known kind"))
        raise InputError(f"{path}: found DICOM without an image ({kind}), wanted one")
    if frames > 1 and not cine:
        raise InputError(
            f"{path}: found {frames} frames, wanted one image; export single frames, import it "
            "as a video with `videos=True`, or as a recording with `kind`"
        )
    return data


def picture_of(path: Path, values: NDArray[Any], data: Any) -> NDArray[np.uint8]:
    """Return a frame's values as a picture of 8 bits, in grey or in colours.

    Raises
    ------
    InputError
        If they are of no picture.
    """
    if data.get("PhotometricInterpretation") == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        # Palettes have 16 bits as a rule.
        values = apply_color_lut(values, data)
        values = (values >> 8).astype(np.uint8) if values.dtype == np.uint16 else values
        return values[..., :3]
    if values.ndim not in (2, 3) or values.dtype.kind not in "ui":
        raise InputError(f"{path}: found {values.dtype} values, wanted grey or colours")
    return _eight_bits(values, data)


def _eight_bits(values: NDArray[Any], data: Any) -> NDArray[np.uint8]:
    bits = int(data.get("BitsStored") or 8 * values.itemsize)
    if values.dtype.kind == "i":
        values = values.astype(np.int64) + (1 << (bits - 1))
    shifted = values >> (bits - 8) if bits > 8 else values
    grey = np.clip(shifted, 0, 255).astype(np.uint8)
    return 255 - grey if data.get("PhotometricInterpretation") == "MONOCHROME1" else grey
