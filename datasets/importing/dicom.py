"""Reading DICOM: images of many frames, frame by frame, with their grid and their values' unit."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .files import VariableInfo, plain_text
from .image_files import IMAGES, Image, ImageFile, Positions, library, line, package
from .mapped import piece_of_file
from .quantities import VELOCITY_UNITS, spelled
from .ultrasound_regions import regions_of

AXES = ("frame", "row", "column")

LARGEST = 65_536
"""Bytes of the longest element that is read with the header."""

MOST_PACKED = 64
"""How many times its size a frame may be that is packed by RLE: 2 bytes stand for up to 128."""

# Transfer syntaxes of PS3.5, section 10 and annex A: plain pixels and their byte order, RLE.
_PLAIN = {"1.2.840.10008.1.2": "<", "1.2.840.10008.1.2.1": "<", "1.2.840.10008.1.2.2": ">"}
_RLE = "1.2.840.10008.1.2.5"
_DEFLATED = "1.2.840.10008.1.2.1.99"

# Elements that may hold the pixels; integers say elsewhere how many bits they have.
_ELEMENTS = {"PixelData": "", "FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


@dataclass(frozen=True)
class _Pixels:
    """Where the pixels lie, and as what.

    Parameters
    ----------
    start : int
        Where their value begins in the file, bytes.
    dtype : numpy.dtype
        As stored.
    unused : int
        Bits of each that do not count, the highest.
    """

    start: int
    dtype: np.dtype[Any]
    unused: int


class DicomFile(ImageFile):
    """A DICOM file with numbers for pixels: one array, ``images``.

    Pixels that are not compressed are mapped; those packed by RLE are unpacked one frame at a time.
    """

    format = "DICOM"
    suffixes = (".dcm", ".dicom")
    guarded = True  # pydicom asks for as much memory as an element says
    libraries = ("pydicom", "pydicom.pixels")
    loggers = ("pydicom",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether DICOM's mark stands behind its preamble."""
        return content.head[128:132] == b"DICM"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._dicom = package(path, self.format, "pydicom")
        with damage(path), library(*self.loggers):
            meta = self._dicom.filereader.read_file_meta_info(path)
            self._syntax = str(meta.get("TransferSyntaxUID", "1.2.840.10008.1.2"))
            # What is deflated would be unpacked into memory as a whole.
            self._data: Any = (
                {} if self._syntax == _DEFLATED else self._dicom.dcmread(path, defer_size=LARGEST)
            )

    @property
    def header(self) -> Any:
        """What the file says of its images: a dataset of pydicom, without their pixels."""
        return self._data

    def _images(self) -> Iterator[Image]:
        shape = self._shape()
        refusal = self._refusal()
        if refusal:
            yield Image(VariableInfo(IMAGES, shape, None, {}, AXES, refusal))
            return
        self._pixels_at = self._find(shape)
        attributes = self._line()
        times = self._times(shape[0])
        # How fast they are shown means nothing where it is said when they were recorded.
        for key in () if times else ("CineRate", "RecommendedDisplayFrameRate"):
            if self._data.get(key):
                attributes[key] = float(self._data.get(key))
        dtype = self._pixels_at.dtype.newbyteorder("=")
        together = shape[1] * shape[2] * dtype.itemsize if self._syntax == _RLE else 0
        info = VariableInfo(IMAGES, shape, dtype, attributes, AXES, together=together)
        yield Image(info, (*times, *self._places(shape)))

    def _shape(self) -> tuple[int, int, int]:
        frames, rows, columns = (
            int(self._data.get(key) or 0) for key in ("NumberOfFrames", "Rows", "Columns")
        )
        return max(frames, 1), rows, columns

    def _refusal(self) -> str:
        """Return why the pixels are not read; empty if they are."""
        if self._syntax not in {*_PLAIN, _RLE}:
            name = self._dicom.uid.UID(self._syntax).name
            return (
                f"found it compressed ({plain_text(name)}), wanted it plain or with RLE; "
                "decompress it with GDCM or DCMTK, best where it is recorded"
            )
        if not any(key in self._data for key in _ELEMENTS):
            kind = getattr(self._data.get("SOPClassUID"), "name", "of no known kind")
            raise InputError(
                f"{self.path}: found DICOM without images ({plain_text(kind)}), wanted some; what "
                "a vendor keeps in elements of its own cannot be read, export velocity as numbers"
            )
        colours = str(self._data.get("PhotometricInterpretation", "MONOCHROME2"))
        if int(self._data.get("SamplesPerPixel") or 1) != 1 or "MONOCHROME" not in colours:
            return (
                f"found a picture in colours ({plain_text(colours)}), wanted one number a pixel "
                "(MONOCHROME2); the colours of a screen hold no velocity, export the numbers "
                "themselves"
            )
        if "ModalityLUTSequence" in self._data:
            return (
                "found values that stand in a table, wanted plain ones or a slope; export the "
                "numbers themselves"
            )
        if len({_line_of(item) for item in self._macro("PixelValueTransformationSequence")}) > 1:
            return (
                "found frames with a slope of their own each, wanted one for all; export the "
                "numbers themselves"
            )
        return ""

    def _find(self, shape: tuple[int, int, int]) -> _Pixels:
        """Find the pixels in the file, and check that they are all there."""
        keyword = next(key for key in _ELEMENTS if key in self._data)
        kind, unused = _ELEMENTS[keyword], 0
        if not kind:
            bits = int(self._data.get("BitsAllocated") or 0)
            stored = int(self._data.get("BitsStored") or bits)
            highest = int(self._data.get("HighBit", stored - 1))
            if bits not in {8, 16, 32} or not 0 < stored <= bits or highest != stored - 1:
                raise InputError(
                    f"{self.path}: {IMAGES}: found {stored} of {bits} bits a pixel, up to bit "
                    f"{highest}, wanted the lowest of 8, 16 or 32; export the numbers themselves"
                )
            kind, unused = f"{'ui'[self._is_signed]}{bits // 8}", bits - stored
        element = self._data.get_item(keyword)
        start = int(getattr(element, "value_tell", None) or element.file_tell)
        is_packed = self._syntax == _RLE
        # RLE is put together in this machine's byte order.
        dtype = np.dtype(("=" if is_packed else _PLAIN[self._syntax]) + kind)
        wanted, present = math.prod(shape) * dtype.itemsize, self.path.stat().st_size - start
        if present * (MOST_PACKED if is_packed else 1) < wanted or 0 in shape:
            raise InputError(
                f"{self.path}: {IMAGES}: found {present} bytes of values, wanted {wanted} for "
                f"shape {shape}; the file is cut short or its header is wrong, copy or export it "
                "again"
            )
        return _Pixels(start, dtype, unused)

    @property
    def _is_signed(self) -> bool:
        return int(self._data.get("PixelRepresentation") or 0) == 1

    def _macro(self, keyword: str) -> Iterator[Any]:
        """Yield the items of a sequence: of the file, of all its frames, or of each frame."""
        yield from self._data.get(keyword) or ()
        for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            for group in self._data.get(groups) or ():
                yield from group.get(keyword) or ()

    def _line(self) -> dict[str, Any]:
        """Return attributes of the values' line, and of their unit if it is one of velocity.

        What maps to a quantity of the real world goes before what the modality maps to.
        """
        for item in self._macro("RealWorldValueMappingSequence"):
            codes = item.get("MeasurementUnitsCodeSequence")
            unit = spelled(str(codes[0].get("CodeValue", ""))) if codes else ""
            if unit in VELOCITY_UNITS and item.get("RealWorldValueSlope") is not None:
                slope, intercept = item.RealWorldValueSlope, item.get("RealWorldValueIntercept")
                return {**line(slope, intercept or 0), "units": unit}
        items = [self._data, *self._macro("PixelValueTransformationSequence")]
        given = next((one for one in items if one.get("RescaleSlope") is not None), self._data)
        unit = spelled(str(given.get("RescaleType", "")))
        return {**line(*_line_of(given)), **({"units": unit} if unit in VELOCITY_UNITS else {})}

    def _times(self, frames: int) -> tuple[Positions, ...]:
        """Return when the frames were recorded: steps of time are in ms."""
        step, steps = self._data.get("FrameTime"), self._data.get("FrameTimeVector")
        if step is not None:
            return Positions.even(AXES[0], frames, float(step) / 1000, "s", "FrameTime")
        if steps is not None and np.size(steps) == frames:
            times = np.cumsum(np.asarray(steps, np.float64)) / 1000
            return (Positions(AXES[0], times - times[0], "s", "FrameTimeVector"),)
        return ()

    def _places(self, shape: tuple[int, int, int]) -> Iterator[Positions]:
        found = [(one.get("PixelSpacing"), "PixelSpacing") for one in (
            self._data, *self._macro("PixelMeasuresSequence"),
        )]  # fmt: skip
        regions = {one.pixel_size for one in regions_of(self._data) if one.pixel_size is not None}
        # Of regions with grids of their own none holds for the whole image.
        if len(regions) == 1:
            found.append((regions.pop(), "PhysicalDelta of an ultrasound region, in cm"))
        steps, source = next((one for one in found if np.size(one[0] or ()) == 2), ((), ""))
        for axis, count, step in zip(AXES[1:], shape[1:], steps, strict=False):
            yield from Positions.even(axis, count, float(step), "mm", source)

    def _pixels(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        at = self._pixels_at
        if self._syntax == _RLE:
            stored = self._unpacked(info.shape, slices)
        else:
            stored = piece_of_file(self.path, at.start, info.shape, at.dtype, slices)
        if at.unused:
            # Shifted to and fro, the sign fills the bits that do not count, and zeros do else.
            stored = stored.astype(at.dtype.newbyteorder("="), copy=False)
            stored = (stored << at.unused) >> at.unused
        return stored

    def _unpacked(self, shape: tuple[int, ...], slices: tuple[slice, ...]) -> NDArray[Any]:
        decoder = self._dicom.pixels.get_decoder(self._syntax)
        options = {
            "rows": shape[1], "columns": shape[2], "number_of_frames": shape[0],
            "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2",
            "bits_allocated": self._pixels_at.dtype.itemsize * 8,
            "bits_stored": self._pixels_at.dtype.itemsize * 8 - self._pixels_at.unused,
            "pixel_representation": int(self._is_signed), "pixel_keyword": "PixelData",
        }  # fmt: skip
        frames = []
        with self.path.open("rb") as file:
            for number in range(slices[0].start, slices[0].stop):
                file.seek(self._pixels_at.start)
                values, _ = decoder.as_array(
                    file, index=number, raw=True, decoding_plugin="pydicom", **options
                )
                frames.append(values.astype(self._pixels_at.dtype)[slices[1:]])
        return np.stack(frames)


def _line_of(item: Any) -> tuple[float, float]:
    """Return slope and intercept of an item of a file."""
    slope, intercept = item.get("RescaleSlope"), item.get("RescaleIntercept")
    return float(1 if slope is None else slope), float(0 if intercept is None else intercept)
