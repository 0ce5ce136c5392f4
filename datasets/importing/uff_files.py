"""Reading UFF, the HDF5 of the UltraSound ToolBox (USTB): images with one axis for all pixels."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from .files import VariableInfo
from .hdf5 import Hdf5File, topmost

DIMS = ("frame", "wave", "channel", "x", "z")
"""Axes of images, in the order of HDF5."""


class UffFile(Hdf5File):
    """A UFF file. Images on the grid of a linear scan have axes of their own for width and depth.

    USTB has them as (pixel, channel, wave, frame) in MATLAB's order, with the pixels of a column,
    from small to great depth, one after another.
    """

    format = "UFF"
    suffixes = (".uff", ".h5", ".hdf5")

    @classmethod
    def confirms(cls, path: Path) -> bool:
        """Return whether an object of USTB lies at its top."""
        with h5py.File(path, "r", locking="best-effort") as file:
            return any(class_of(item).startswith("uff.") for item in topmost(file))

    def _list(self) -> Iterator[VariableInfo]:
        self._grids: dict[str, tuple[int, int]] = {}
        for info in super()._list():
            grid = self._grid_of(info)
            if not grid or info.shape[-1] != grid[0] * grid[1]:
                yield info
                continue
            self._grids[info.name] = grid
            shape = (*info.shape[:-1], *grid)
            yield dataclasses.replace(info, shape=shape, dims=DIMS[-len(shape) :])

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        if info.name not in self._grids:
            return super()._read(info, slices)
        *others, columns, rows = slices
        height = self._grids[info.name][1]
        pixels = slice(columns.start * height, columns.stop * height)
        values = super()._read(info, (*others, pixels))
        whole = values.reshape(*values.shape[:-1], columns.stop - columns.start, height)
        return whole[..., rows].copy()

    def _grid_of(self, info: VariableInfo) -> tuple[int, int] | None:
        """Return the numbers of columns and rows of the scan of an image; None of what is none."""
        group, _, rest = info.name.partition("/data")
        if rest not in {"", "/real", "/imag"} or not info.shape or len(info.shape) > len(DIMS) - 1:
            return None
        parent = self._file.get(group)
        if not isinstance(parent, h5py.Group) or class_of(parent) != "uff.beamformed_data":
            return None
        axes = [parent.get(f"scan/{name}_axis") for name in "xz"]
        width, height = (axis.size if isinstance(axis, h5py.Dataset) else 0 for axis in axes)
        return (width, height) if width and height else None


def class_of(item: Any) -> str:
    """Return the class that USTB gave to an object; empty if there is none."""
    name = item.attrs.get("class", "")
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
