"""Recordings in which something went wrong, from their files to what is said of them."""

import json

import numpy as np
import pytest

from musim.datasets.store import open_store
from musim.simulator import Parameters, draw, render

VELOCITY = (
    "--kind", "velocity", "--axes", "time,depth,width", "--frame-rate", 400,
    "--image-size", "20x20", "--workers", 1,
)  # fmt: skip


@pytest.fixture(scope="module")
def velocity():
    parameters = Parameters(
        units=(3, 3), snr=20, pixels=(32, 32), size=(20, 20), diameter=(4, 6), frames=400
    )
    return render(draw(parameters, seed=4))


def test_one_fault_of_several_ends_nothing_and_is_named(musim, velocity):
    lost, spoilt = velocity.copy(), velocity.copy()
    lost[100:160] = 0
    spoilt[133] *= 100
    kinds = {"a": velocity, "b": np.zeros_like(velocity), "c": lost, "d": spoilt}
    for name, values in kinds.items():
        np.save(f"{name}.npy", values)
    files = [f"{name}.npy" for name in kinds]
    assert musim("import", *files, "--out", "all.zarr", *VELOCITY).code == 0
    found = musim("identify", "all.zarr", "--workers", 1)
    assert found.code == 0
    said = [line for line in found.err.splitlines() if line.startswith("sequence ")]
    assert [line.split(",")[0].split(";")[0] for line in said] == [
        "sequence 0: 3 units", "sequence 1: 0 units", "sequence 2: 3 units", "sequence 3: 3 units",
    ]  # fmt: skip
    assert said[2].endswith("; 60 frames lost (100-159)")
    assert said[3].endswith("; 1 frame spoilt (133)")
    told = json.loads(musim("info", "units.zarr", "--json").out)
    assert [one["frame_faults"] for one in told["found"]] == [
        [], [], [{"fault": "lost", "first": 100, "last": 159}],
        [{"fault": "spoilt", "first": 133, "last": 133}],
    ]  # fmt: skip
    assert told["found"][1]["explained_share"] is None
    assert min(told["found"][n]["explained_share"] for n in (0, 2, 3)) > 0.5
    assert set(told["remarks"]) == {"nothing-recorded", "frames-lost", "frames-spoilt"}
    words = " ".join(musim("info", "units.zarr").out.split())
    assert "frames lost: 60 frames lost (100-159)" in words
    np.testing.assert_array_equal(
        np.flatnonzero(open_store("units.zarr").read("frame_fault", 2)), np.arange(100, 160)
    )
    assert musim("report", "units.zarr").code == 0
