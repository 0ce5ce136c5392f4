"""Why a file is of no known format, and what to do about it."""

from collections.abc import Mapping
from pathlib import Path

from .content import Content
from .files import File
from .zarr_folders import MARKS

# Contents that are recognised but not read, each with what to do.
_REFUSED = (
    (b"CDF\x05", "found NetCDF with 64-bit data, wanted NetCDF 3 or 4; run nccopy -k nc4"),
    (b"\x1f\x8b", "found it compressed with gzip; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "found a 7z archive; unpack it first"),
    (b"Rar!", "found a RAR archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "found it compressed with zstd; unpack it first"),
    (
        b"MATLAB 7.3",
        "found the beginning of a MATLAB 7.3 file and no more; the file is cut short or damaged, "
        "copy or save it again",
    ),
)
_PICKLE = "found a Python pickle, which is never loaded; save the numbers with numpy.save"


def why_unknown(content: Content, formats: Mapping[str, type[File]]) -> str:
    """Return what was found instead of a recording, what was wanted and what to do.

    Parameters
    ----------
    content : Content
        What none of the formats recognised.
    formats : mapping of str to type of File
        Those that are known, by name.
    """
    if content.is_folder:
        return (
            f"found a folder that is not a Zarr store (no {' or '.join(MARKS)} in it), wanted a "
            "file or a Zarr folder; give the path of one"
        )
    if content.members:
        return "found a zip archive without NumPy arrays or a Zarr store; unpack it first"
    for mark, reason in _REFUSED:
        if content.starts_with(mark):
            return reason
    head = content.head
    if head[:1] == b"\x80" and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return _PICKLE
    known = ", ".join(formats)
    return _why_not_as_named(content.path, formats) or (
        f"found an unknown format (it may be encrypted), wanted {known}; convert it to one"
    )


def _why_not_as_named(path: Path, formats: Mapping[str, type[File]]) -> str:
    suffix = path.suffix.lower()
    named = [name for name, reader in formats.items() if suffix in reader.suffixes]
    if suffix == ".mat":
        return (
            "found a content that is not MATLAB 4, 5 or 7.3, though it is named .mat; it may be "
            "damaged or encrypted: save it again with -v7.3"
        )
    if named:
        return (
            f"found a content that is not {' or '.join(named)}, though it is named {suffix}; it "
            "may be damaged or encrypted, copy or save it again"
        )
    return ""
