"""Recordings in which something went wrong, from their files to what is said of them."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy

from musim.cli.pages.findings import read_findings
from musim.cli.pages.recording import recording_page
from musim.cli.pictures.scene import read_scene
from musim.datasets.store import open_store
from musim.simulator import Parameters, draw, render
from musim.training.identification.metrics import match_trains
from musim.training.identification.remarks import REMARKS
from musim.training.identification.stored import outcome_of

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
    clean, *_, spoilt_sd = (open_store("units.zarr").read("velocity_sd", n) for n in range(4))
    np.testing.assert_allclose(spoilt_sd, clean, rtol=0.05)  # but for the frame that was spoilt
    # It is still known as the recording in which they were found.
    assert read_findings(open_store("units.zarr"), 3).truth_note == (
        "The recording comes without truth."
    )


def test_motion_that_no_unit_explains_is_stated_everywhere(musim):
    random, shape = np.random.default_rng(0), (200, 32, 32)
    motion = scipy.ndimage.gaussian_filter(random.standard_normal(shape), (1, 3.5, 3.5))
    velocity = 2 * motion / motion.std() + 0.5 * random.standard_normal(shape)
    np.save("v.npy", velocity.astype(np.float32))
    assert musim("import", "v.npy", "--out", "v.zarr", *VELOCITY).code == 0
    found = musim("identify", "v.zarr", "--method", "ica", "--workers", 1)
    said = "0 % of the velocity's energy above noise explained, 1.00 of the motion left unexplained"
    assert f"sequence 0: 0 units, {said}" in found.err.splitlines()
    assert REMARKS["motion-unexplained"].sentence in found.err
    (told,) = json.loads(musim("info", "units.zarr", "--json").out)["found"]
    assert told.pop("way") is not None
    assert told == {"units": 0, "explained_share": 0.0, "remarks": ["motion-unexplained"],
                    "frame_faults": [], "cut": 0, "other_motion": ""}  # fmt: skip
    shown = musim("info", "units.zarr").out
    assert re.search(r"recording +units +energy explained +remarks", shown)
    assert re.search(r"^ 0 +0 +0 % +motion unexplained", shown, re.MULTILINE)
    assert musim("report", "units.zarr").code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "0 % of the energy of the velocity above noise is explained: 1.00 of the" in page
    assert ">Left unexplained</text>" in page


def test_a_hot_pixel_leaves_the_maps_of_the_others_to_be_seen(musim, velocity):
    hot = velocity.copy()
    hot[:, 5, 5] = 1e4 * np.sign(np.random.default_rng(0).standard_normal(len(hot)))
    np.save("hot.npy", hot)
    assert musim("import", "hot.npy", "--out", "hot.zarr", *VELOCITY).code == 0
    assert musim("identify", "hot.zarr", "--method", "ica", "--workers", 1).code == 0
    store = open_store("units.zarr")
    assert store.read("velocity_sd", 0)[5, 5] > 9e3
    wanted = velocity.std(axis=0)
    wanted[5, 5] = np.delete(wanted, 5 * 32 + 5).max()
    for shown in (read_findings(store, 0).velocity_sd, read_scene(store, 0).recorded_sd):
        np.testing.assert_allclose(shown, wanted, rtol=1e-5)
    assert np.isnan(store.read("residual_sd", 0)[5, 5])
    assert np.isnan(store.read("residual_sd", 0)).sum() == 1
    assert "Sand: pixels that show no tissue." in recording_page(read_findings(store, 0))


def test_an_imported_recording_is_told_with_how_it_was_searched_and_what_is_left(musim):
    """Three units whose motion fades out, and motion that no unit has: a quarter of the energy."""
    parameters = Parameters(
        units=(3, 3), snr=20, pixels=(32, 32), size=(20, 20), diameter=(4, 6), frames=400
    )
    truth = draw(parameters, seed=4)
    spread = scipy.ndimage.gaussian_filter(render(truth, noise=False), (0, 3, 3))
    random = np.random.default_rng(0)
    rest = scipy.ndimage.gaussian_filter(random.standard_normal(spread.shape), (5, 3, 3))
    spread, rest = spread / spread.std(), rest / rest.std()
    velocity = np.sqrt(0.75) * spread + np.sqrt(0.25) * rest
    velocity += 0.3 * random.standard_normal(spread.shape)
    np.save("v.npy", velocity.astype(np.float32))
    assert musim("import", "v.npy", "--out", "v.zarr", *VELOCITY).code == 0
    found = musim("identify", "v.zarr", "--workers", 1)
    store = open_store("units.zarr")
    count, outcome = int(store.read("unit_count", 0)), outcome_of(store, 0)
    trains = match_trains(store.read("twitch_train", 0)[:count], truth.twitch_train, 400.0)
    assert trains.matches >= 2
    assert (store.read("territory", 0)[:count] > 0.5).any(axis=(1, 2)).all()
    assert (np.isfinite(store.read("firing", 0)[:count]).sum(axis=1) >= 4).all()
    sure = store.read("confidence", 0)[:count]
    assert ((sure >= 0.5) & (sure <= 1)).all()
    left = 1 - outcome.explained_share
    assert 0.1 < left < 0.28  # by chance, trains explain a part of it
    assert outcome.way is not None
    assert not outcome.way.together
    console = [line for line in found.err.splitlines() if line.startswith(("sequence", "method"))]
    assert console[0].endswith(f", {left:.2f} of the motion left unexplained")
    assert console[1].startswith("method: learned, the usual method (")
    assert console[1].endswith(f"; {outcome.way.words}")
    shown = " ".join(musim("info", "units.zarr").out.split())
    assert f"; {outcome.way.words}" in shown
    assert musim("report", "units.zarr").code == 0
    page = html.unescape(Path("report.html").read_text(encoding="utf-8"))
    assert f"{left:.2f} of the motion is left unexplained." in page
    assert f"; {outcome.way.words}." in page
    assert musim("verify", "units.zarr").code == 0
    # Who asks for a method knows why, and is told the way alone.
    asked = musim("identify", "v.zarr", "--overwrite", "--method", "learned", "--workers", 1)
    assert f"method: learned; {outcome.way.words}" in asked.err.splitlines()
