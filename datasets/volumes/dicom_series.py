"""Series of DICOM: images of one acquisition, put in order by where they lie in the patient."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..importing.damage import damage
from ..importing.dicom import DicomFile
from ..importing.image_files import IMAGES, library
from ..importing.memory import check_memory
from .reading import FileVolume, values_of

SAME = 1e-3
"""By how much directions of images, and sizes of their pixels, differ by rounding."""

EVEN = 0.02
"""By how much steps between images differ, of a step: more, and an image is missing."""


class _Place(NamedTuple):
    """Where an image lies.

    Parameters
    ----------
    corner : (3,) array
        Centre of the first pixel, to the left, the back and the head [mm].
    directions : (2, 3) array
        Along a row (column numbers rise) and down a column.
    spacing : (2,) array
        From row to row, and from column to column [mm].
    file : int
    frame : int
        Of the file.
    """

    corner: NDArray[np.float64]
    directions: NDArray[np.float64]
    spacing: NDArray[np.float64]
    file: int
    frame: int


def read_series(path: Path, files: Sequence[Path]) -> FileVolume:
    """Read images of DICOM as a volume.

    Parameters
    ----------
    path : path
        The folder, or the file, for messages.
    files : sequence of Path
        In any order; each of one image, or one of many (enhanced) images.

    Raises
    ------
    InputError
        If an image cannot be read or has no place, or if they are of several series, lie at one
        place or unevenly, or are of several sizes.

    References
    ----------
    .. [1] DICOM PS3.3, section C.7.6.2: image position, image orientation and pixel spacing.
    """
    places: list[_Place] = []
    images: list[NDArray[Any]] = []
    series: set[str] = set()
    for number, file in enumerate(files):
        with DicomFile(file) as opened:
            header = opened.header
            check_memory(f"{path}: {IMAGES}", 16 * len(files) * opened.info(IMAGES).size)
            values = values_of(opened)
            with damage(file), library("pydicom"):
                places += _places(header, number, len(values), file)
                series.add(str(header.get("SeriesInstanceUID", "")))
        if images and images[0].shape[1:] != values.shape[1:]:
            raise InputError(
                f"{file}: found an image of {values.shape[1]} x {values.shape[2]} px, wanted "
                f"{images[0].shape[1]} x {images[0].shape[2]} px as {files[0].name} has"
            )
        images.append(values)
    if len(series) > 1:
        raise InputError(
            f"{path}: found {len(series)} series in it, wanted one; give each a folder of its own"
        )
    if len(places) < 2:
        raise InputError(f"{path}: found one image, wanted a folder with a whole series")
    ordered, affine = _in_order(places, path)
    stack = np.stack([images[one.file][one.frame] for one in ordered])  # image, row, column
    used = list(dict.fromkeys(one.file for one in ordered))
    return FileVolume(
        "DICOM series", [files[one] for one in used], stack.transpose(2, 1, 0), affine
    )


def _places(header: Any, file: int, frames: int, path: Path) -> Iterator[_Place]:
    """Yield where each image of a file lies."""
    shared = [*(header.get("SharedFunctionalGroupsSequence") or ())]
    each = [*(header.get("PerFrameFunctionalGroupsSequence") or ())]
    for frame in range(frames):
        groups = [*each[frame : frame + 1], *shared]

        def told(sequence: str, name: str, groups: list[Any] = groups) -> NDArray[np.float64]:
            items = [item for group in groups for item in group.get(sequence) or ()]
            values = next((one.get(name) for one in [*items, header] if one.get(name)), ())
            return np.array([float(value) for value in values], np.float64)

        corner = told("PlanePositionSequence", "ImagePositionPatient")
        directions = told("PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = told("PixelMeasuresSequence", "PixelSpacing")
        if (len(corner), len(directions), len(spacing)) != (3, 6, 2) or spacing.min() <= 0:
            raise InputError(
                f"{path}: found no place of image {frame} in the patient, wanted its position, "
                "orientation and spacing; export the series anew, with its headers"
            )
        yield _Place(corner, directions.reshape(2, 3), spacing, file, frame)


def _in_order(places: list[_Place], path: Path) -> tuple[list[_Place], NDArray[np.float64]]:
    """Return images in the order in which they lie, and what takes voxels to places."""
    first = places[0]
    for one in places[1:]:
        turned = np.abs(one.directions - first.directions).max()
        if turned > SAME or np.abs(one.spacing / first.spacing - 1).max() > SAME:
            raise InputError(
                f"{path}: found images of several orientations or sizes of pixels, wanted one "
                "volume; give each a folder of its own"
            )
    along = np.cross(*first.directions)
    along /= np.linalg.norm(along)
    ordered = sorted(places, key=lambda one: float(one.corner @ along))
    depths = np.array([one.corner @ along for one in ordered])
    steps = np.diff(depths)
    step = float(np.median(steps))
    least, most = float(steps.min()), float(steps.max())
    if least <= SAME * max(step, SAME):
        raise InputError(
            f"{path}: found several images at one place ({depths[steps.argmin()]:.4g} mm), wanted "
            "one; keep one echo or one moment alone"
        )
    if most - step > EVEN * step or step - least > EVEN * step:
        raise InputError(
            f"{path}: found steps of {least:.4g} to {most:.4g} mm from image to image, wanted even "
            "ones; an image may be missing, copy the series again"
        )
    affine = np.eye(4)
    affine[:3, 0] = first.directions[0] * first.spacing[1]
    affine[:3, 1] = first.directions[1] * first.spacing[0]
    affine[:3, 2] = (ordered[-1].corner - ordered[0].corner) / (len(ordered) - 1)
    affine[:3, 3] = ordered[0].corner
    # From the left, the back and the head to the right, the front and the head.
    return ordered, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
