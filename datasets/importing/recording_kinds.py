"""The kinds of recordings: their axes, and the quantities without which they have no meaning."""

from collections.abc import Mapping
from typing import Any

KINDS = ("rf", "iq", "velocity")

PART = "part"
"""The axis of real and imaginary part (I and Q), in this order, where both lie in one array."""

AXES = {
    "rf": (("time", "sample", "channel"), ("transmit", "sequence", PART)),
    "iq": (("time", "depth", "width"), ("sequence", PART)),
    "velocity": (("time", "depth", "width"), ("sequence",)),
}
"""Axes of each kind of recording: those that it must have, and those that it may have."""

ORDER = {
    "rf": ("sequence", "time", "transmit", "channel", "sample"),
    "iq": ("sequence", "time", "depth", "width"),
    "velocity": ("sequence", "time", "depth", "width"),
}
"""Order in which :meth:`.recording.DescribedRecording.array` hands out the axes of each kind."""

REQUIRED = {
    "rf": ("frame_rate", "centre_frequency", "sampling_frequency", "pitch"),
    "iq": ("frame_rate", "centre_frequency"),
    "velocity": ("frame_rate",),
}
"""Quantities without which a kind of recording has no meaning; of images, steps or a size too."""


def missing_keys(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys that a description of this kind still needs.

    Coordinates of the file may stand in for frame_rate and for the steps.
    """
    if values.get("kind") not in KINDS:
        return ("kind", *(key for key in ("axes", "frame_rate") if key not in values))
    wanted = ["axes", *REQUIRED[values["kind"]]]
    if values["kind"] != "rf" and "size" not in values:
        wanted += ["depth_step", "width_step"]
    if "transmit" in (values.get("axes") or ()) and "delays" not in values:
        wanted.append("angles")
    return tuple(key for key in wanted if key not in values)
