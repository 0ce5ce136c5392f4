"""Units as a method might find them, and finding them in this process."""

import numpy as np

from musim.datasets.layout import Layout
from musim.datasets.location import Location
from musim.training.identification.results import (
    identify_stores,
    plan,
)
from musim.training.identification.units import Units

FRAMES, DEPTH, WIDTH, RATE, PIXEL = 40, 9, 7, 100.0, (0.5, 0.25)
PULSES = 28
"""Firings of a unit that 40 frames at 100 Hz have room for."""


def some_units(random, count, pulses=5, shape=(FRAMES, DEPTH, WIDTH)):
    """Units with soft, overlapping territories and firings of which some lie outside."""
    territory = random.random((count, *shape[1:]), np.float32)
    train = random.normal(size=(count, shape[0])).astype(np.float32)
    firing = np.sort(random.uniform(-0.05, 1.1 * shape[0] / RATE, (count, pulses)), axis=1)
    for unit in range(count):
        firing[unit, pulses - unit % pulses :] = np.nan
    confidence = np.sort(random.random(count))[::-1].copy()
    return Units(territory, train, firing, confidence, random.random(count))


def run(*stores, out, **options):
    """Find units in this process."""
    options = {"method": "stub", "workers": 1} | options
    return identify_stores([store.location.address for store in stores], out, **options)


def tree(folder):
    """All files below a folder: relative path to content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def bare_layout(sequences=1):
    """The layout of a result whose sizes are those of this file."""
    source = Layout(
        kind="dense", variables=("tvi",), part_size=1, dtypes={}, frame_rate=RATE, attributes={},
        sizes={"sequence": sequences, "time": FRAMES, "depth": DEPTH, "width": WIDTH},
        pixel_size=PIXEL,
    )  # fmt: skip

    class Source:
        layout, location, has_truth = source, Location("x"), False

        def __len__(self):
            return sequences

    return plan([Source()], "ica")
