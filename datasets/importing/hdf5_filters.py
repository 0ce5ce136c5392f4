"""Filters that HDF5 packs chunks with: which of them lack here, and what to do about it."""

import importlib

import h5py

# As registered with The HDF Group (github.com/HDFGroup/hdf5_plugins, RegisteredFilterPlugins).
_NAMES = {
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    305: "LZO", 307: "bzip2", 32000: "LZF", 32001: "blosc", 32004: "LZ4", 32008: "bitshuffle",
    32013: "ZFP", 32015: "zstd", 32017: "SZ", 32018: "FCIDECOMP", 32024: "SZ3", 32026: "blosc2",
    32028: "SPERR",
}  # fmt: skip

_OWN = range(256)
"""Numbers of HDF5's own filters."""

PLUGINS = "hdf5plugin"
"""The package that brings the usual ones. It is imported for a file that needs it, and no other."""


def missing_filter(dataset: h5py.Dataset) -> str:
    """Return why a dataset's chunks cannot be unpacked, and what to do; empty if they can."""
    for number, name in _filters_of(dataset):
        if h5py.h5z.filter_avail(number):
            continue
        installed = _load_plugins()
        if installed and h5py.h5z.filter_avail(number):
            continue
        hint = "" if installed else f"pip install {PLUGINS}, or "
        return (
            f"found it packed with {_called(number, name)}, which is not installed here; {hint}"
            "save it with gzip where it is (h5repack -f GZIP=4)"
        )
    return ""


def foreign_filters(dataset: h5py.Dataset) -> str:
    """Return the numbers and names of a dataset's filters that are not HDF5's own."""
    return " and ".join(_called(*one) for one in _filters_of(dataset) if one[0] not in _OWN)


def _called(number: int, name: str) -> str:
    return f"HDF5's filter {number} ({_NAMES.get(number) or name or 'of no known name'})"


def _filters_of(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    """Return the numbers and names of the filters that the first chunk went through."""
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(i) for i in range(properties.get_nfilters())]
    # What is optional is left out where it is not installed; then a bit of the mask says so.
    mask = 0
    if filters and dataset.id.get_num_chunks():
        mask = dataset.id.get_chunk_info(0).filter_mask
    return [
        (number, name.decode(errors="replace"))
        for i, (number, _, _, name) in enumerate(filters)
        if not mask >> i & 1
    ]


def _load_plugins() -> bool:
    """Return whether the package with more filters is here; importing it registers them."""
    try:
        importlib.import_module(PLUGINS)
    except (ImportError, OSError):  # not there, or built for another machine
        return False
    return True
