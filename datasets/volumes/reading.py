"""Reading volumes of files: NIfTI, series of DICOM, stacks of TIFF and PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..importing.content import HEAD, Content
from ..importing.damage import damage
from ..importing.files import File
from ..importing.hashing import sha256_of
from ..importing.memory import check_memory
from ..importing.nifti import NiftiFile
from ..importing.tiff import TiffFile
from ..origin import ImportedVolume
from .volume import Volume, canonical, check_affine

PNG = b"\x89PNG"

FORMATS = "NIfTI, a folder of DICOM, PNG or TIFF, or a TIFF of many pages"
"""What volumes are read of, in words."""


@dataclass(frozen=True, eq=False)
class FileVolume:
    """What a file or folder says of a volume.

    Parameters
    ----------
    format : str
        In words.
    files : sequence of Path
        In the order of slices.
    values : array of shape (x, y, z)
        Of any real type.
    affine : float64 array of shape (4, 4), optional
        As of :class:`.volume.Volume`; None where the files know none.
    remarks : tuple of str
        What is worth a word.
    """

    format: str
    files: Sequence[Path]
    values: NDArray[Any]
    affine: NDArray[np.float64] | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ReadVolume:
    """A volume that was read.

    Parameters
    ----------
    path : Path
    volume : Volume
        Its axes run to the right, the front and the head.
    source : ImportedVolume
        For the origin of a store.
    is_stack : bool
        Whether the files know neither size nor orientation.
    remarks : tuple of str
    """

    path: Path
    volume: Volume
    source: ImportedVolume
    is_stack: bool
    remarks: tuple[str, ...]


def read_volume(
    path: str | Path,
    *,
    voxel: tuple[float, float, float] | None = None,
    stacked: str = "axial",
) -> ReadVolume:
    """Read a volume, and turn its axes to the right, the front and the head.

    Intensities are what the files say, as float32: neither scaled nor cut.

    Parameters
    ----------
    path : path
        A NIfTI file; a folder of DICOM, PNG or TIFF, or a single TIFF or DICOM of many images.
    voxel : tuple of float, optional
        Size of voxels to the right, the front and the head [mm], of stacks of PNG or TIFF.
    stacked : str
        Plane of a stack's pictures, one of :data:`.slices.PLANES`, seen as there; from the feet,
        the back or the left on.

    Raises
    ------
    InputError
        If there is no volume, or it cannot be read, has more than three dimensions, colours, or
        values that are no numbers.
    """
    path = Path(path)
    found = _read(path, stacked)
    where = str(path)
    if found.values.ndim != 3 or 0 in found.values.shape:
        shape = " x ".join(str(side) for side in found.values.shape)
        raise InputError(
            f"{where}: found {shape} voxels, wanted a volume of three dimensions; save one of its "
            "volumes alone"
        )
    is_stack = found.affine is None
    affine = _affine_of(found, voxel, where)
    values, remarks = _as_float32(found.values, where)
    volume = canonical(Volume(values, check_affine(affine, where)))
    source = ImportedVolume(
        name=path.name,
        format=found.format,
        files=tuple((one.name, sha256_of(one)) for one in found.files),
        shape=volume.shape,
        voxel_size=volume.voxel_size,
    )
    return ReadVolume(path, volume, source, is_stack, (*found.remarks, *remarks))


def _affine_of(
    found: FileVolume, voxel: tuple[float, float, float] | None, where: str
) -> NDArray[np.float64]:
    if found.affine is not None:
        return found.affine
    if voxel is None:
        raise InputError(
            f"`voxel`: found none, wanted the size of the voxels of {where}, which {found.format} "
            "does not say; give it in mm to the right, the front and the head, as 0.6x0.6x0.6"
        )
    middle = (np.array(found.values.shape) - 1) / 2 * voxel
    return np.block([[np.diag(voxel), -middle[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])


def _as_float32(values: NDArray[Any], where: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return values as a store holds them, and whether that rounds them."""
    if values.dtype.kind not in "biuf":
        raise InputError(f"{where}: found {values.dtype} values, wanted one real number a voxel")
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    wrong = int(single.size - np.isfinite(single).sum())
    if wrong:
        raise InputError(
            f"{where}: found {wrong} voxels that are no finite float32 numbers, wanted none; save "
            "it with another value there, such as 0"
        )
    if values.dtype.kind == "f" or np.array_equal(single.astype(values.dtype), values):
        return single, ()
    return single, (f"{where}: integers have more digits than float32 has, and were rounded",)


def _read(path: Path, stacked: str) -> FileVolume:
    if path.is_dir():
        return _read_folder(path, stacked)
    if not path.is_file():
        raise InputError(f"{path}: found nothing there, wanted a volume: {FORMATS}")
    with damage(path):
        head = _head(path)
        content = Content(path, head)
        if is_dicom(head):
            from .dicom_series import read_series

            return read_series(path, [path])
        if NiftiFile.recognises(content):
            return _read_nifti(path)
    if TiffFile.recognises(content):
        from .stacks import read_stack

        return read_stack([path], "TIFF", stacked)
    if head.startswith(PNG):
        raise InputError(f"{path}: found one picture, wanted a folder of them, or {FORMATS}")
    raise InputError(f"{path}: found no volume that can be read, wanted {FORMATS}")


def _read_nifti(path: Path) -> FileVolume:
    with NiftiFile(path) as file:
        values = values_of(file)
        while values.ndim > 3 and values.shape[-1] == 1:
            values = values[..., 0]
        remarks = () if file.is_placed else (
            f"{path}: the file does not say which way its axes run; they are taken to run to the "
            "left, the front and the head",
        )  # fmt: skip
        return FileVolume(file.format, file.paths, values, file.affine(), remarks)


def _read_folder(path: Path, stacked: str) -> FileVolume:
    files = [one for one in path.iterdir() if one.is_file() and not one.name.startswith(".")]
    with damage(path):
        heads = {one: _head(one) for one in sorted(files)}
    series = [one for one, head in heads.items() if is_dicom(head) and one.name != "DICOMDIR"]
    pictures = {
        "PNG": [one for one, head in heads.items() if head.startswith(PNG)],
        "TIFF": [one for one, head in heads.items() if TiffFile.recognises(Content(one, head))],
    }
    kinds = [kind for kind, found in {"DICOM": series, **pictures}.items() if found]
    if not kinds:
        raise InputError(f"{path}: found no DICOM, PNG or TIFF in it, wanted a volume: {FORMATS}")
    if len(kinds) > 1:
        raise InputError(
            f"{path}: found {' and '.join(kinds)} in it, wanted files of one volume alone; give "
            "each a folder of its own"
        )
    if series:
        from .dicom_series import read_series

        return read_series(path, series)
    from .stacks import read_stack

    return read_stack(pictures[kinds[0]], kinds[0], stacked)


def values_of(file: File) -> NDArray[Any]:
    """Return the values of the one array of an image file.

    Raises
    ------
    InputError
        If there are several, or they are colours, or cannot be read.
    """
    # Beside them lie positions along their axes.
    images = [info for info in file.variables if len(info.shape) != 1]
    if len(images) != 1 or "colours" in images[0].refusal:
        names = ", ".join(info.name for info in images)
        found = "colours" if len(images) == 1 else f"{len(images)} arrays ({names})"
        raise InputError(f"{file.path}: found {found}, wanted one number a voxel; save it so")
    (info,) = images
    check_memory(f"{file.path}: {info.name}", 16 * info.size)  # as they are, as float32, turned
    return file.array(info.name).read()


def is_dicom(head: bytes) -> bool:
    """Return whether a file that begins so is DICOM."""
    return head[128:132] == b"DICM"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
