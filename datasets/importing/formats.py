"""Opening foreign files: the format is found in the content, whatever the name says."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ...simulator.errors import InputError
from .variables import File, LazyArray, VariableInfo, damage

__all__ = ["File", "LazyArray", "VariableInfo", "open_file", "sha256_of"]

BLOCK = 1 << 20
"""Bytes that are hashed at once."""

KNOWN = "MATLAB 5 or 7.3, HDF5, NetCDF 3 or 4, NumPy .npy or .npz, Zarr"

_HDF5 = b"\x89HDF\r\n\x1a\n"
_USUAL_SUFFIXES = {
    "NumPy .npy": {".npy"},
    "NumPy .npz": {".npz"},
    "MATLAB 5": {".mat"},
    "MATLAB 7.3": {".mat"},
    "HDF5": {".h5", ".hdf5", ".hdf", ".he5", ".uff"},
    "NetCDF 3": {".nc", ".nc3", ".cdf", ".netcdf"},
    "NetCDF 4": {".nc", ".nc4", ".h5", ".hdf5", ".netcdf"},
    "Zarr": {".zarr"},
}
# Contents that are recognised but not read, each with what to do.
_REFUSED = (
    (b"CDF\x05", "found NetCDF with 64-bit data, wanted NetCDF 3 or 4; run nccopy -k nc4"),
    (b"\x1f\x8b", "found it compressed with gzip; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "found a 7z archive; unpack it first"),
    (b"Rar!", "found a RAR archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "found it compressed with zstd; unpack it first"),
)
_PICKLE = "found a Python pickle, which is never loaded; save the numbers with numpy.save"


def open_file(path: str | Path) -> File:
    """Open a recording of any known format.

    MATLAB 5 and 7.3, HDF5, NetCDF 3 and 4, NumPy's ``.npy`` and ``.npz``, and Zarr folders are
    known by their content. Nothing is ever unpickled.

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
        if not path.exists():
            raise InputError(f"{path}: found no such file; check the path")
        opener = _opener_of_folder(path) if path.is_dir() else _opener_of(path)
        file = opener(path)
    try:
        usual = _USUAL_SUFFIXES[file.format]
        suffix = path.suffix.lower()
        others = set().union(*_USUAL_SUFFIXES.values()) - usual
        if suffix in others:
            file.mismatch = f"{path}: found {file.format}, though it is named {suffix}"
        # A first look, so that a damaged file is found here and not halfway through the work.
        if not file.variables:
            raise InputError(f"{path}: found no variables in it; wanted a recording")
    except BaseException:
        file.close()
        raise
    return file


def _opener_of_folder(path: Path) -> Callable[[Path], File]:
    from .zarr_folders import MARKS, ZarrFolder

    if not any((path / mark).is_file() for mark in MARKS):
        raise InputError(
            f"{path}: found a folder that is not a Zarr store (no {' or '.join(MARKS)} in it), "
            "wanted a file or a Zarr folder; give the path of one"
        )
    return ZarrFolder


def _opener_of(path: Path) -> Callable[[Path], File]:
    if not path.is_file():
        raise InputError(f"{path}: found something that is not a file; give the path of one")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: found an empty file, wanted a recording; copy it again")
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(b"\x93NUMPY"):
        from .numpy_files import NpyFile

        return NpyFile
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _opener_of_archive(path)
    if head.startswith((b"CDF\x01", b"CDF\x02")):
        return _netcdf("scipy")
    if _hdf5_start(path, size) is not None:
        return _opener_of_hdf5(path, head)
    if head.startswith(b"MATLAB 7.3"):
        raise InputError(
            f"{path}: found the beginning of a MATLAB 7.3 file and no more; the file is cut short "
            "or damaged, copy or save it again"
        )
    if head[126:128] in {b"IM", b"MI"} and (head.startswith(b"MATLAB") or b"\1" in head[124:126]):
        from .matlab import MatlabFile

        return MatlabFile
    raise InputError(f"{path}: {_why_unknown(path, head)}")


def _opener_of_archive(path: Path) -> Callable[[Path], File]:
    from .numpy_files import NpzFile
    from .zarr_folders import MARKS

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.rpartition("/")[2] in MARKS for name in names):
        raise InputError(f"{path}: found a Zarr store in a zip archive; unpack it first")
    if not any(name.endswith(".npy") for name in names):
        raise InputError(f"{path}: found a zip archive without NumPy arrays; unpack it first")
    return NpzFile


def _hdf5_start(path: Path, size: int) -> int | None:
    """Return where HDF5 begins: at 0, or after a user block of 512, 1024, 2048 ... bytes."""
    start = 0
    with path.open("rb") as file:
        while start + len(_HDF5) <= size:
            file.seek(start)
            if file.read(len(_HDF5)) == _HDF5:
                return start
            start = max(512, start * 2)
    return None


def _opener_of_hdf5(path: Path, head: bytes) -> Callable[[Path], File]:
    import h5py

    from .hdf5 import MATLAB_CLASS, Hdf5File, Matlab73File

    with h5py.File(path, "r", locking="best-effort") as file:
        # Links are not followed, wherever they lead.
        items = [
            file[key] for key in file if isinstance(file.get(key, getlink=True), h5py.HardLink)
        ]
        if head.startswith(b"MATLAB 7.3") or any(MATLAB_CLASS in item.attrs for item in items):
            return Matlab73File
        datasets = any(isinstance(item, h5py.Dataset) for item in items)
        if "_NCProperties" in file.attrs and datasets:
            return _netcdf("h5netcdf")
    # NetCDF 4 with groups alone is opened as the HDF5 that it is: xarray shows one group.
    return Hdf5File


def _netcdf(engine: str) -> Callable[[Path], File]:
    from .netcdf import NetcdfFile

    return lambda path: NetcdfFile(path, engine=engine)


def _why_unknown(path: Path, head: bytes) -> str:
    for mark, reason in _REFUSED:
        if head.startswith(mark):
            return reason
    if head[:1] == b"\x80" and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return _PICKLE
    if head[128:132] == b"DICM":
        return f"found DICOM, wanted {KNOWN}; export the raw data instead"
    suffix = path.suffix.lower()
    named = [name for name, usual in _USUAL_SUFFIXES.items() if suffix in usual]
    if suffix == ".mat":
        return (
            "found a content that is neither MATLAB 5 nor 7.3, though it is named .mat; it may be "
            "damaged, encrypted or of MATLAB 4: save it again with -v7.3"
        )
    if named:
        return (
            f"found a content that is not {' or '.join(named)}, though it is named {suffix}; it "
            "may be damaged or encrypted, copy or save it again"
        )
    return f"found an unknown format (it may be encrypted), wanted {KNOWN}; convert it to one"


def sha256_of(path: str | Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file, or of a folder, in hexadecimal.

    That of a folder is taken over its files, hidden ones too, in the order of their paths below it
    (with ``/`` between the parts, sorted as UTF-8 bytes): of each the path, a zero byte, the size
    in bytes as a decimal number, a zero byte, and the content. For a file it is that of
    ``sha256sum``.

    Parameters
    ----------
    path : path
    on_bytes : callable, optional
        Called with the number of bytes that were read since the last call.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    path, digest = Path(path), hashlib.sha256()
    with damage(path):
        if path.is_dir():
            files = [file for file in path.rglob("*") if not file.is_dir()]
            keyed = {file.relative_to(path).as_posix().encode(): file for file in files}
            for key, file in sorted(keyed.items()):
                digest.update(b"%s\0%d\0" % (key, file.stat().st_size))
                _hash(file, digest, on_bytes)
        else:
            _hash(path, digest, on_bytes)
    return digest.hexdigest()


def _hash(path: Path, digest: "hashlib._Hash", on_bytes: Callable[[int], None] | None) -> None:
    for block in _blocks(path):
        digest.update(block)
        if on_bytes is not None:
            on_bytes(len(block))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
