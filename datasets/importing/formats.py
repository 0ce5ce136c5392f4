"""The formats of foreign files, and opening one: the content decides, whatever the name says."""

from pathlib import Path

from ...simulator.errors import InputError
from .content import HEAD, Content
from .damage import damage
from .dicom import DicomFile
from .files import Derived, File, open_with
from .guarded_files import GuardedFile
from .hdf5 import Hdf5File
from .layouts import layout_of
from .matlab4 import Matlab4File
from .matlab5 import Matlab5File
from .matlab73 import Matlab73File
from .netcdf import Netcdf3File, Netcdf4File
from .nifti import NiftiFile
from .numpy_files import NpyFile, NpzFile
from .reading_processes import CAN_FORK
from .tiff import TiffFile
from .uff_files import UffFile
from .unknown_files import why_unknown
from .zarr_archives import ZarrArchive
from .zarr_folders import ZarrFolder

FORMATS: dict[str, type[File]] = {
    reader.format: reader
    for reader in (
        NpyFile,
        NpzFile,
        Netcdf3File,
        Matlab73File,
        Netcdf4File,
        UffFile,
        Hdf5File,
        Matlab5File,
        Matlab4File,
        ZarrFolder,
        ZarrArchive,
        TiffFile,
        NiftiFile,
        DicomFile,
    )
}
"""All formats, by name. The first that recognises a content opens it, so what is special stands
before what is general: MATLAB 7.3, NetCDF 4 and UFF are HDF5 too."""


def open_file(path: str | Path) -> File:
    """Open a recording of any known format.

    MATLAB 4, 5 and 7.3, HDF5, NetCDF 3 and 4, NumPy's ``.npy`` and ``.npz``, Zarr in folders and
    zip archives, TIFF, NIfTI and DICOM are known by their content. Nothing is ever unpickled. What
    libraries in C read is read by another process, so that damaged bytes can crash no more than
    that.

    Parameters
    ----------
    path : path

    Returns
    -------
    File
        Use it in a ``with`` block. Its ``mismatch`` says how the name disagrees with the content.

    Raises
    ------
    InputError
        If there is no such file, or it is empty, damaged or of another format.
    """
    path = Path(path)
    with damage(path):
        content = _look(path)
        readers = [one for one in FORMATS.values() if one.recognises(content)]
        if not readers:
            raise InputError(f"{path}: {why_unknown(content, FORMATS)}")
        if readers[0].guarded and CAN_FORK:
            file = GuardedFile(path, [one for one in readers if one.guarded])
        else:
            file = open_with(path, readers)
    try:
        file.mismatch = _mismatch(file)
        file.derive = _derived
        # A first look, so that a damaged file is found here and not halfway through the work.
        if not file.variables:
            raise InputError(f"{path}: found no variables in it; wanted a recording")
    except BaseException:
        file.close()
        raise
    return file


def _derived(file: File, name: str) -> Derived | None:
    """Return an array that the file's published layout knows by a name."""
    layout = layout_of(file)
    return layout and layout.derived(name)


def _look(path: Path) -> Content:
    """Return the beginning of a file, or that it is a folder."""
    if not path.exists():
        raise InputError(f"{path}: found no such file; check the path")
    if path.is_dir():
        return Content(path)
    if not path.is_file():
        raise InputError(f"{path}: found something that is not a file; give the path of one")
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise InputError(f"{path}: found an empty file, wanted a recording; copy it again")
    return Content(path, head)


def _mismatch(file: File) -> str:
    """Return how a file's name disagrees with its content; empty if it does not."""
    suffix = file.path.suffix.lower()
    others = {ending for other in FORMATS.values() for ending in other.suffixes}
    if suffix not in others - {*file.suffixes}:
        return ""
    return f"{file.path}: found {file.format}, though it is named {suffix}"
