"""Regions of ultrasound images in DICOM: where they lie on the screen, and how large pixels are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Codes of PS3.3, section C.8.5.5.1: a plane, of tissue, in centimetres.
_PLANE, _TISSUE, _CENTIMETRES = 1, 1, 3


@dataclass(frozen=True)
class UltrasoundRegion:
    """A region that shows a plane.

    Parameters
    ----------
    place : tuple of int
        First row and column, depth and width [px]; none of it where it is not told.
    pixel_size : tuple of float or None
        Depth and width of its pixels [mm]; None where they are not lengths.
    is_tissue : bool
        Whether it shows tissue, and no flow.
    """

    place: tuple[int, int, int, int]
    pixel_size: tuple[float, float] | None
    is_tissue: bool

    def area(self) -> int:
        """Return how many pixels it has."""
        return self.place[2] * self.place[3]

    def lies_in(self, size: tuple[int, ...]) -> bool:
        """Return whether it is a part of an image of some depth and width [px]."""
        top, left, depth, width = self.place
        inside = top + depth <= size[0] and left + width <= size[1]
        return inside and min(top, left) >= 0 and min(depth, width) > 0


def regions_of(data: Any) -> Iterator[UltrasoundRegion]:
    """Yield the regions of a DICOM file that show a plane.

    Parameters
    ----------
    data : pydicom.Dataset
    """
    for one in data.get("SequenceOfUltrasoundRegions") or ():
        if int(one.get("RegionSpatialFormat", 0)) != _PLANE:
            continue
        corners = [
            int(one.get(f"RegionLocation{name}") or 0)
            for name in ("MinY0", "MinX0", "MaxY1", "MaxX1")
        ]
        top, left, bottom, right = corners
        units = {one.get(f"PhysicalUnits{axis}Direction") for axis in "XY"}
        steps = [one.get(f"PhysicalDelta{axis}") for axis in "YX"]
        sizes = [10 * abs(float(step)) for step in steps if step]
        known = units == {_CENTIMETRES} and len(sizes) == 2
        yield UltrasoundRegion(
            (top, left, bottom - top + 1, right - left + 1) if bottom and right else (0, 0, 0, 0),
            (sizes[0], sizes[1]) if known else None,
            int(one.get("RegionDataType") or _TISSUE) == _TISSUE,
        )
