"""The layout of OME-Zarr, multiscale images of the Open Microscopy Environment.

Versions 0.4 and 0.5, ngff.openmicroscopy.org; Moore et al. 2023, doi:10.1007/s00418-023-02209-1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..files import File, VariableInfo
from ..plausibility import Guess
from ..quantities import QUANTITIES, VELOCITY_UNITS, factor_of, spelled
from .geometry import rounded
from .layout import ONE_FRAME, PublishedLayout

MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What attributes raise that are not as the specification says."""


@dataclass(frozen=True)
class Axis:
    """An axis of an image.

    Parameters
    ----------
    name : str
    unit : str
        Empty if the file does not say.
    step : float
        From pixel to pixel, in that unit.
    start : float or None
        Of the first pixel's centre, in that unit; None if the file does not say.
    length : int
    """

    name: str
    unit: str
    step: float
    start: float | None
    length: int


class OmeZarrLayout(PublishedLayout):
    """Images of OME-Zarr, at their highest resolution."""

    name = "OME-Zarr"

    def __init__(self, file: File) -> None:
        super().__init__(file)
        image = _image_of(file)
        assert image is not None
        self._data, self._axes = image

    @classmethod
    def recognises(cls, file: File) -> bool:
        """Return whether its attributes describe an image that is there."""
        return _image_of(file) is not None

    def guesses(self) -> Iterator[Guess]:
        """Yield what the axes and their transformations say."""
        data, meanings = self._data, self._meanings()
        is_complex, in_parts = np.dtype(data.dtype).kind == "c", "part" in meanings.values()
        reason = "it has two channels, taken as real and imaginary" if in_parts else ""
        reason = reason or f"its values are {data.dtype}"
        kind = "iq" if is_complex or in_parts else "velocity"
        yield Guess("kind", kind, reason)
        yield Guess("variable", data.name, "the first of the resolutions, the highest")
        yield Guess(
            "axes",
            list(meanings.values()),
            f"its axes are {', '.join(axis.name for axis in self._axes)}",
        )
        unit = spelled(data.units)
        if kind == "velocity" and unit in VELOCITY_UNITS:
            yield Guess("velocity_unit", unit, f"{data.name} states it")
        for axis in self._axes:
            meaning = meanings.get(axis.name)
            if meaning == "time":
                factor = factor_of(axis.unit, QUANTITIES["first_sample"]) if axis.unit else None
                if factor and axis.step > 0:
                    yield Guess("frame_rate", rounded(1 / (axis.step * factor)), _scale_of(axis))
            elif meaning in {"depth", "width"}:
                factor = factor_of(axis.unit, QUANTITIES["pitch"]) if axis.unit else None
                if factor:
                    yield Guess(f"{meaning}_step", rounded(axis.step * factor), _scale_of(axis))
                if factor and axis.start is not None:
                    start = rounded(axis.start * factor)
                    yield Guess(f"{meaning}_start", start, f"the translation along {axis.name}")

    def remarks(self) -> Iterator[str]:
        """Yield what keeps the file from being imported."""
        meanings = self._meanings()
        if "time" not in meanings.values():
            yield ONE_FRAME
        left = [axis for axis in self._axes if axis.length > 1 and axis.name not in meanings]
        for axis in left:
            yield (
                f"found {axis.length} along {axis.name}, wanted one: images of depth and width "
                "alone are imported; save one of them by itself"
            )

    def _meanings(self) -> dict[str, str]:
        """Return what each axis is that is longer than 1 and means something here."""
        lengths = {axis.name: axis.length for axis in self._axes if axis.length > 1}
        known = {"t": "time", "x": "width"}
        # Microscopes look down z at planes of y and x; a scanner's plane may be called z and x.
        known["y" if "y" in lengths else "z"] = "depth"
        if lengths.get("c") == 2 and np.dtype(self._data.dtype).kind != "c":
            known["c"] = "part"
        return {name: known[name] for name in lengths if name in known}


def _scale_of(axis: Axis) -> str:
    return f"the scale along {axis.name}, {axis.step:g} {axis.unit}"


def _image_of(file: File) -> tuple[VariableInfo, list[Axis]] | None:
    """Return the image of highest resolution, and its axes; None if the file has none."""
    attributes = file.attributes
    try:
        described = attributes.get("ome", attributes)["multiscales"][0]
        dataset = described["datasets"][0]
        data = {info.name: info for info in file.variables}[dataset["path"].strip("/")]
        if not data.is_numeric or len(described["axes"]) != len(data.shape):
            return None
        scale, shift = np.ones(len(data.shape)), np.zeros(len(data.shape))
        shifted = False
        for step in (*_steps_of(dataset), *_steps_of(described)):
            if step["type"] == "scale":
                factor = np.array(step["scale"], np.float64)
                scale, shift = scale * factor, shift * factor
            elif step["type"] == "translation":
                shift, shifted = shift + np.array(step["translation"], np.float64), True
        axes = [
            Axis(
                str(axis["name"]).lower(),
                str(axis.get("unit") or ""),
                float(step),
                float(start) if shifted else None,
                length,
            )
            for axis, step, start, length in zip(
                described["axes"], scale, shift, data.shape, strict=True
            )
        ]
    except MALFORMED:
        return None
    return data, axes


def _steps_of(described: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(described.get("coordinateTransformations") or ())
