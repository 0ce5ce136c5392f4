"""The table of the units found, which stands beside their store: one row a unit, as CSV."""

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.location import Location
from ...datasets.origin import Identified
from ...datasets.store import Store
from ...simulator.errors import InputError
from .confidence.model import reasons_of
from .stored import PARTS, outline_confidence_of, parts_in

COLUMNS = (
    "source",
    "source_sequence",
    "sequence",
    "unit",
    "centre_depth_mm",
    "centre_width_mm",
    "area_mm2",
    "firings",
    "firing_rate_hz",
    "interval_variation",
    "peak_velocity_mm_s",
    "confidence",
    "outline_confidence",
    "method_confidence",
    "map_repeatability",
    "train_repeatability",
    "firing_repeatability",
    "pulse_to_noise_db",
    "local_share",
    "local_share_of_all",
    "mixture_share",
    "stronger_likeness",
    "epoch_jaccard",
    "epoch_agreement",
    "doubts",
)

_EARLIER_COLUMNS = (COLUMNS[:12], COLUMNS[:13])
"""Of tables of earlier versions."""

UNITS = {"pulse_to_noise": "pulse_to_noise_db"}
"""Columns that say their unit, by their variables."""

_READ = (
    "territory",
    "twitch_train",
    "firing",
    "centre_depth",
    "centre_width",
    "firing_rate",
    "interval_variation",
    "confidence",
)


def table_rows(store: Store, index: int) -> list[dict[str, Any]]:
    """Return one plain row for each unit found in a sequence: see :data:`COLUMNS`."""
    dz, dx = store.layout.pixel_size
    count = int(store.read("unit_count", index))
    read = {name: store.read(name, index)[:count] for name in _READ}
    outlines = outline_confidence_of(store, index)
    parts = parts_in(store, index)
    reasons = ((),) * count if parts is None else reasons_of(parts, read["confidence"])
    source, place = store.layout.origin_as(Identified).source_of(index)
    duration = store.layout.shape[0] / store.layout.frame_rate
    rows = []
    for unit in range(count):
        firing = read["firing"][unit]
        rows.append(
            {
                "source": source,
                "source_sequence": place,
                "sequence": index,
                "unit": unit,
                "centre_depth_mm": float(read["centre_depth"][unit]),
                "centre_width_mm": float(read["centre_width"][unit]),
                "area_mm2": float((read["territory"][unit] > 0.5).sum() * dz * dx),
                "firings": int(((firing >= 0) & (firing < duration)).sum()),
                "firing_rate_hz": float(read["firing_rate"][unit]),
                "interval_variation": float(read["interval_variation"][unit]),
                "peak_velocity_mm_s": float(np.abs(read["twitch_train"][unit]).max()),
                "confidence": float(read["confidence"][unit]),
                "outline_confidence": float(outlines[unit]),
                **{
                    UNITS.get(name, name): math.nan
                    if parts is None
                    else float(getattr(parts, name)[unit])
                    for name in PARTS
                },
                "doubts": "; ".join(reasons[unit]),
            }
        )
    return rows


def table_path(location: Location) -> Path:
    """Return where the table of a store of results stands: beside it."""
    return location.path.with_name(location.path.name.removesuffix(".zarr") + ".csv")


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"


def write_table(store: Store, path: Path) -> None:
    """Write one row for each unit of each sequence, as CSV with the names of :data:`COLUMNS`.

    What is not known (the rate of a single firing, an outline of an earlier version) is empty.

    Raises
    ------
    FailureError
        If it cannot be written.
    """
    text = io.StringIO()
    table: Any = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for index in range(len(store)):
        for row in table_rows(store, index):
            table.writerow({key: _cell(value) for key, value in row.items()})
    Location(path.parent).write(path.name, text.getvalue().encode())


def check_table(location: Location, *, replace: bool) -> None:
    """Raise InputError if the table would replace anything but an older table, or any at all."""
    path = table_path(location)
    if not path.exists():
        return
    ours = False
    if path.is_file():
        with path.open("rb") as file:
            heading = file.readline(1000).decode(errors="replace").strip()
            ours = tuple(heading.split(",")) in (COLUMNS, *_EARLIER_COLUMNS)
    if not ours:
        raise InputError(
            f"{path}: found something where the table of units will stand, wanted nothing; move "
            "it away or choose another place"
        )
    # Of a store that is there, too, its own check speaks.
    if not replace and not location.exists():
        raise InputError(
            f"{path}: found a table of units there, wanted none; add `overwrite=True` to replace "
            "it, or choose another place"
        )
