"""Volumes for the tests, written as scanners and their users write them."""

import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.datasets.importing.image_writers import dicom_item, write_dicom

SHAPE, VOXEL = (7, 9, 5), (1.5, 1.0, 2.0)
AFFINE = np.array([[1.5, 0, 0, -4], [0, 1, 0, 3], [0, 0, 2, 10], [0, 0, 0, 1.0]])

OFF = np.eye(4)
OFF[:3, :3] = Rotation.from_euler("zyx", [12, -8, 20], degrees=True).as_matrix()
"""Turns a body a little, so that no axis of its volume is straight."""

ORIENTATIONS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
"""Orders and senses of axes in which a file may hold a volume."""


def marked(shape=SHAPE, dtype=np.int16):
    """Return a volume in which every voxel has a value of its own, so that no turn looks alike."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape) * 7 - 300


def turned(values, affine, order, signs):
    """Return a volume as a file holds it whose axes have another order and other senses."""
    values, affine = values.transpose(order), affine[:, [*order, 3]].copy()
    for axis, sign in enumerate(signs):
        if sign < 0:
            values = np.flip(values, axis)
            affine[:, 3] += (values.shape[axis] - 1) * affine[:, axis]
            affine[:, axis] *= -1
    return np.ascontiguousarray(values), affine


def write_volume(path, values, affine=AFFINE, *, unit="mm", line=()):
    """Write a volume as NIfTI; one without orientation where there is no affine."""
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units(unit, "sec")
    if line:
        image.header.set_slope_inter(*line)
    nibabel.save(image, path)
    return path


def write_series(folder, values, affine=AFFINE, *, order=None, series="1.2.3", **elements):
    """Write a volume (x, y, z) as files of DICOM, one a slice, in any order; z is their normal."""
    folder.mkdir(exist_ok=True)
    to_patient = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    steps = np.linalg.norm(to_patient[:3, :3], axis=0)
    along = to_patient[:3, :3] / steps
    for number, z in enumerate(order if order is not None else range(values.shape[2])):
        corner = to_patient @ [0, 0, z, 1]
        write_dicom(
            folder / f"{number:03d}.dcm",
            values[None, :, :, z].transpose(0, 2, 1).copy(),
            NumberOfFrames=None, SeriesInstanceUID=series, InstanceNumber=number,
            ImagePositionPatient=[f"{value:.10g}" for value in corner[:3]],
            ImageOrientationPatient=[f"{value:.10g}" for value in along[:, :2].T.ravel()],
            PixelSpacing=[f"{steps[1]:.10g}", f"{steps[0]:.10g}"],
            **elements,
        )  # fmt: skip
    return folder


def write_enhanced(path, values, affine=AFFINE, *, order=None):
    """Write a volume as one file of DICOM in which every image says where it lies."""
    to_patient = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    steps = np.linalg.norm(to_patient[:3, :3], axis=0)
    along = to_patient[:3, :3] / steps
    order = range(values.shape[2]) if order is None else order
    places = [
        dicom_item(PlanePositionSequence=[dicom_item(
            ImagePositionPatient=[f"{value:.10g}" for value in (to_patient @ [0, 0, z, 1])[:3]]
        )])
        for z in order
    ]  # fmt: skip
    shared = dicom_item(
        PlaneOrientationSequence=[dicom_item(
            ImageOrientationPatient=[f"{value:.10g}" for value in along[:, :2].T.ravel()]
        )],
        PixelMeasuresSequence=[dicom_item(PixelSpacing=[f"{steps[1]}", f"{steps[0]}"])],
    )  # fmt: skip
    return write_dicom(
        path, values[:, :, list(order)].transpose(2, 1, 0).copy(),
        PerFrameFunctionalGroupsSequence=places, SharedFunctionalGroupsSequence=[shared],
    )  # fmt: skip


def pages_of(values):
    """Return the axial pictures of a volume (x, y, z), feet first."""
    return np.stack([values[:, ::-1, z].T for z in range(values.shape[2])])


def write_stack(path, values, *, folder=False, png=False):
    """Write the axial pictures of a volume as pages of TIFF, or as files in a folder."""
    pages = pages_of(values)
    if not folder:
        tifffile.imwrite(path, pages, photometric="minisblack")
        return path
    path.mkdir(exist_ok=True)
    for number, page in enumerate(pages):
        if png:
            Image.fromarray(page).save(path / f"slice{number + 8}.png")  # 8, 9, 10, ...
        else:
            tifffile.imwrite(path / f"slice{number + 8}.tif", page, photometric="minisblack")
    return path
