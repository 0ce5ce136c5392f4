"""Findings of a recording of a second and a few pixels, for tests of what pages draw of them."""

import numpy as np

from musim.cli.pages.findings import Findings, FoundUnit


def unit(number, firings, verdict=None):
    measures = {"confidence": 0.9, "firing_rate_hz": 1.0, "outline_confidence": 1.0}
    return FoundUnit(number, np.ones((2, 2), bool), np.zeros(400, np.float32), np.array(firings),
                     measures, verdict)  # fmt: skip


def findings(units, **more):
    values = {
        "store": "u.zarr", "index": 0, "sequences": 1, "method": "ica", "source": "a.zarr",
        "source_index": 0, "origin": "", "software": {}, "frame_rate": 400.0, "shape": (400, 2, 2),
        "size": (2.0, 2.0), "velocity_sd": np.ones((2, 2), np.float32), "units": tuple(units),
        "true_units": (), "score": None, "truth_note": "",
    }  # fmt: skip
    return Findings(**(values | more))
