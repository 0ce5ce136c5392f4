"""Reading TIFF: stacks of pages, ImageJ's hyperstacks and OME-TIFF, page by page."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .files import VariableInfo
from .image_files import (
    IMAGES,
    Image,
    ImageFile,
    Positions,
    library,
    parts_of,
    plain_attributes,
)
from .mapped import piece_of_file
from .tiff_headers import (
    calibration_of,
    check_chain,
    dims_of,
    ome_steps_of,
    read_ome,
    steps_of,
)

MOST_PACKED = {1: 1, 32773: 64}
"""How many times its packed size a page may be, by compression: none and PackBits."""

MOST_OTHERWISE = 2000
"""The same for all others; deflate, which packs zeros best, reaches 1032."""

# What ImageJ and tifffile keep of their own among the rest.
_OWN = (
    "ImageJ", "images", "channels", "slices", "frames", "hyperstack", "mode", "loop", "min", "max",
    "unit", "spacing", "finterval", "tunit", "cf", "c0", "c1", "vunit", "axes", "shape", "Info",
    "order", "truncated",
)  # fmt: skip


@dataclass(frozen=True)
class _Stack:
    """Where a variable lies: a series, and one place along one axis; -1 for all of it."""

    series: Any
    place: int
    index: int


class TiffFile(ImageFile):
    """A TIFF file: one array of images a series, ``images``, and where it is known their grid.

    Pages that lie one after another as in memory are mapped; of others one at a time is unpacked.
    """

    format = "TIFF"
    suffixes = (".tif", ".tiff", ".btf", ".tf8")
    guarded = True  # tifffile hands what is compressed to libraries in C
    libraries = ("tifffile",)
    loggers = ("tifffile",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it begins as TIFF or BigTIFF does, in either byte order."""
        return content.starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._stacks: dict[str, _Stack] = {}
        with damage(path), library(*self.loggers):
            self._tiff = self._open()

    def _open(self, **flags: Any) -> Any:
        import tifffile

        # What other files hold is not this recording, whose checksum is kept.
        return tifffile.TiffFile(self.path, _multifile=False, **flags)

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()

    def _images(self) -> Iterator[Image]:
        check_chain(self.path)
        every = self._tiff.series
        if len(every) > 1 and {(one.kind, len(one.shape)) for one in every} == {("shaped", 2)}:
            # Images that were appended one by one are frames.
            self._tiff.close()
            self._tiff = self._open(is_shaped=False)
            every = self._tiff.series
        tiff = self._tiff
        ome, self._files = read_ome(tiff.ome_metadata) if tiff.is_ome else ([], 1)
        for number, series in enumerate(every):
            name = IMAGES if len(every) == 1 else f"series{number + 1}/{IMAGES}"
            yield from self._describe(
                name,
                series,
                self._meta(series, number),
                ome[number] if len(ome) == len(every) else {},
            )

    def _meta(self, series: Any, number: int) -> dict[str, Any]:
        """Return what ImageJ, or whoever wrote it with tifffile, says of a series by name."""
        if series.kind == "imagej":
            return dict(self._tiff.imagej_metadata or {})
        if series.kind == "shaped":
            return dict([*(self._tiff.shaped_metadata or ()), *[{}] * (number + 1)][number])
        return {}

    def _describe(
        self, name: str, series: Any, meta: Mapping[str, Any], ome: Mapping[str, str]
    ) -> Iterator[Image]:
        shape, letters = tuple(int(n) for n in series.shape), str(series.axes)
        dims = dims_of(letters)
        refusal = self._refusal(series, letters)
        is_imagej = series.kind == "imagej"
        calibration, curved = calibration_of(meta) if is_imagej else ({}, "")
        refusal = refusal or curved
        steps = ome_steps_of(ome) or steps_of(series.keyframe, meta if is_imagej else {})
        attributes = plain_attributes(meta, (*_OWN, "fps") if is_imagej else _OWN)
        if is_imagej and "T" not in steps and "fps" in meta:
            attributes["playback_frame_rate"] = meta["fps"]
        attributes |= calibration
        dtype = None if refusal else np.dtype(series.dtype).newbyteorder("=")
        is_mapped = series.dataoffset is not None
        together = 0 if refusal or is_mapped else int(series.keyframe.nbytes)
        info = VariableInfo(name, shape, dtype, attributes, dims, refusal, together=together)
        if refusal:
            yield Image(info)
            return
        self._check_size(name, series)
        coordinates = [
            one
            for letter, axis, count in zip(letters, dims, shape, strict=True)
            # Frames that ImageJ calls slices have the step of time.
            if (key := "T" if axis == "frame" else letter) in steps
            for one in Positions.even(axis, count, *steps[key])
        ]
        image = Image(info, tuple(coordinates))
        if "channel" not in dims:
            self._stacks[name] = _Stack(series, -1, 0)
            yield image
            return
        place = dims.index("channel")
        for part, index in parts_of(image, place, "channel"):
            self._stacks[part.info.name] = _Stack(series, place, index)
            yield part

    def _refusal(self, series: Any, letters: str) -> str:
        """Return why a series is not read; empty if it is."""
        import tifffile

        page = series.keyframe
        if "S" in letters or (page.photometric == 3 and series.kind != "imagej"):
            return (
                f"found a picture in colours ({_name(page.photometric)}), wanted one number a "
                "pixel; the colours of a screen hold no velocity, export the numbers themselves"
            )
        if series.dtype is None or np.dtype(series.dtype).kind not in "biufc":
            return "found pixels of a type that is not known, wanted numbers; save them as float32"
        for table, code in ((tifffile.TIFF.DECOMPRESSORS, page.compression),
                            (tifffile.TIFF.UNPREDICTORS, page.predictor)):  # fmt: skip
            try:
                table[code]
            except KeyError:
                return (
                    f"found it compressed ({_name(code)}), wanted it plain or with deflate; save "
                    "it so, or pip install imagecodecs"
                )
        if self._files > 1 or any(series[i] is None for i in range(len(series))):
            return "found frames that lie in other files, wanted them in one; save them in one file"
        return "" if series.dataoffset is not None or _leading(series) is not None else (
            f"found pages that do not make up an array of shape {series.shape}; save it again"
        )  # fmt: skip

    def _check_size(self, name: str, series: Any) -> None:
        """Raise InputError if the file is too short for what its headers claim."""
        present = self._tiff.filehandle.size
        wanted = math.prod(series.shape) * series.dtype.itemsize
        if series.dataoffset is not None:
            ends, packed = series.dataoffset + wanted, wanted
        else:
            spans = [
                (offset + count, count)
                for i in range(len(series))
                for offset, count in zip(
                    series[i].dataoffsets, series[i].databytecounts, strict=True
                )
            ]
            ends = max((end for end, _ in spans), default=0)
            packed = sum(count for _, count in spans)
        most = MOST_PACKED.get(int(series.keyframe.compression), MOST_OTHERWISE)
        # A bit a pixel is the least that plain pages take.
        most = 8 if most == 1 and series.dtype.kind == "b" else most
        if ends > present or packed * most < wanted:
            raise InputError(
                f"{self.path}: {name}: found {present} bytes, wanted {max(ends, wanted)} for shape "
                f"{series.shape}; the file is cut short or its header is wrong, copy or save it "
                "again"
            )

    def _pixels(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        stack = self._stacks[info.name]
        series, place = stack.series, stack.place
        if place >= 0:
            slices = (*slices[:place], slice(stack.index, stack.index + 1), *slices[place:])
        if series.dataoffset is not None:
            stored = series.dtype.newbyteorder(self._tiff.byteorder)
            offset, shape = int(series.dataoffset), tuple(int(n) for n in series.shape)
            found = piece_of_file(self.path, offset, shape, stored, slices)
        else:
            found = _from_pages(series, slices)
        return found if place < 0 else found.squeeze(place)


def _from_pages(series: Any, slices: tuple[slice, ...]) -> NDArray[Any]:
    """Return a piece of a series, unpacking one page after another."""
    lead = _leading(series) or 0
    shape = series.shape
    result = np.empty([s.stop - s.start for s in slices], series.dtype)
    for place in np.ndindex(result.shape[:lead]):
        at = [s.start + i for s, i in zip(slices, place, strict=False)]
        number = int(np.ravel_multi_index(at, shape[:lead])) if lead else 0
        page = series[number].asarray(maxworkers=1)
        result[place] = page.reshape(shape[lead:])[slices[lead:]]
    return result


def _leading(series: Any) -> int | None:
    """Return how many axes the pages lie along; None if they are not as many as these make."""
    for lead in range(len(series.shape) + 1):
        pages, pixels = math.prod(series.shape[:lead]), math.prod(series.shape[lead:])
        if (pages, pixels) == (len(series), math.prod(series.keyframe.shape)):
            return lead
    return None


def _name(code: Any) -> str:
    return str(getattr(code, "name", code)).replace("_", " ")
