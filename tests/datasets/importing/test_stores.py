"""Recordings become stores: the same from every format, right in sign and size, or not at all."""

import dataclasses
import json
import math
import shutil
import subprocess
import sys

import numpy as np
import pytest
import scipy.signal
import xarray as xr

from musim.cli.pictures.stills import draw_preview
from musim.datasets import generate, open_store, verify, writer
from musim.datasets.events import export_events
from musim.datasets.importing import stores
from musim.datasets.importing.description import Description
from musim.datasets.importing.hashing import sha256_of
from musim.datasets.importing.stores import import_recordings
from musim.datasets.production import Work
from musim.simulator import FailureError, InputError, Parameters, Range
from musim.simulator.imaging.chain import Chain
from tests import moments

RATE, SOUND, CARRIER = 1000.0, 1540.0, 5e6
FORMATS = ("a.npy", "fortran.npy", "a.npz", "packed.npz", "v5.mat", "v73.mat", "a.h5", "v2.zarr",
           "v3.zarr", "a3.nc", "a4.nc")  # fmt: skip
VELOCITY = {"kind": "velocity", "axes": "time,depth,width", "frame_rate": RATE, "size": [8, 6]}
IQ = {
    "kind": "iq", "axes": "time,depth,width", "frame_rate": RATE, "centre_frequency": CARRIER,
    "depth_step": 0.05, "width_step": 0.3,
}  # fmt: skip
NONE = Chain()


def motion(frames=60, depth=16, width=12):
    """Return a velocity that each voxel knows of, mm/s, float32 (time, depth, width)."""
    t, z, x = np.ogrid[:frames, :depth, :width]
    return (np.cos(2 * np.pi * 30 * t / RATE + 0.1 * z * x) + 0.1 * z).astype(np.float32)


@pytest.fixture
def save(tmp_path):
    """Save an array as .npy; returns its path."""

    def call(name, values):
        np.save(tmp_path / name, values)
        return tmp_path / name

    return call


@pytest.fixture
def bring(tmp_path):
    """Import recordings; returns the store."""

    def call(files, description, chain=NONE, out="set.zarr", **options):
        described = Description.parse(description) if isinstance(description, dict) else description
        options = {"workers": 1} | options
        return import_recordings(files, tmp_path / out, described, chain, **options)

    return call


# Every format


def test_every_format_gives_the_same_store_even_mixed(write, bring):
    values = motion()
    files = [write(name, values) for name in FORMATS]
    store = bring(files, VELOCITY)
    assert len(store) == len(FORMATS)
    for index in range(len(store)):
        np.testing.assert_array_equal(store.tvi(index), values)
    assert [(cut.file, cut.sha256) for cut in store.origin.cuts] == [
        (path.name, sha256_of(path)) for path in files
    ]
    assert not store.has_truth
    assert not store.has_units
    assert (store.parameters, store.seed, store.kind) == (None, None, "dense")
    assert len(verify(store.location)) == len(FORMATS)


def test_axes_come_in_any_order(write, bring):
    values = motion()
    for axes in ("depth,width,time", "width,time,depth"):
        order = [["time", "depth", "width"].index(name) for name in axes.split(",")]
        files = [write(name, values.transpose(order)) for name in ("a.npy", "v73.mat", "v5.mat")]
        store = bring(files, VELOCITY | {"axes": axes}, overwrite=True)
        for index in range(3):
            np.testing.assert_array_equal(store.tvi(index), values)


def test_the_store_opens_as_a_labelled_dataset_without_musim(save, bring, tmp_path):
    bring([save("a.npy", motion())], VELOCITY)
    dataset = xr.open_zarr(tmp_path / "set.zarr")
    assert dataset.tvi.dims == ("sequence", "time", "depth", "width")
    assert dataset.tvi.attrs["units"] == "mm/s"
    np.testing.assert_allclose(dataset.time, np.arange(60) / RATE)
    np.testing.assert_allclose(dataset.depth, (np.arange(16) + 0.5) * 0.5)
    np.testing.assert_array_equal(dataset.tvi[0], motion())


def test_half_precision_is_the_rounded_single_precision(save, bring):
    store = bring([save("a.npy", motion())], VELOCITY, dtype="float16")
    assert store.tvi(0).dtype == np.float16
    np.testing.assert_array_equal(store.tvi(0), motion().astype(np.float16))
    verify(store.location)


# Echoes and images


def speckle(velocity, frames=24, demodulated=CARRIER, seed=2):
    """Return IQ images of scatterers that move towards the probe at `velocity`, mm/s, exactly.

    An echo is a Gaussian about its depth, and has the carrier's phase there, less what demodulation
    takes off.
    """
    rng = np.random.default_rng(seed)
    depth = 10 + 0.05 * np.arange(60)
    image = np.empty((frames, 60, 4), np.complex64)
    for column in range(4):
        places = rng.uniform(8, 15, 150)
        amplitudes = rng.normal(size=(150, 2)) @ (1, 1j)
        for frame in range(frames):
            late = 2e-3 / SOUND * (depth[:, None] - (places - velocity * frame / RATE))
            turns = CARRIER * late - demodulated * 2e-3 / SOUND * depth[:, None]
            shape = np.exp(-((late * CARRIER / 1.5) ** 2))
            image[frame, :, column] = (shape * np.exp(2j * np.pi * turns)) @ amplitudes
    return image


@pytest.mark.parametrize("velocity", [12.0, -30.0])
def test_iq_gives_velocity_towards_the_transducer(save, bring, velocity):
    iq = speckle(velocity)
    files = [
        save("rising.npy", iq),
        save("falling.npy", iq.conj()),
        save("slow.npy", speckle(velocity, demodulated=0.8 * CARRIER)),
        save("carrying.npy", speckle(velocity, demodulated=0)),
    ]
    np.savez(files[0].with_name("parts.npz"), i=iq.real, q=iq.imag)
    files.append(files[0].with_name("parts.npz"))
    descriptions = [
        Description.parse(IQ | more)
        for more in (
            {},
            {"sign": -1},
            {"demodulation_frequency": 0.8 * CARRIER},
            {"demodulation_frequency": 0},
            {"real": "i", "imaginary": "q"},
        )
    ]
    store = bring(files, descriptions)
    assert store.layout.shape == (23, 60, 4)
    for index in range(5):
        found = store.tvi(index)
        assert np.median(found) == pytest.approx(velocity, rel=0.01)
        assert np.abs(found - velocity).mean() < 0.06 * abs(velocity)
    np.testing.assert_array_equal(store.tvi(1), store.tvi(0))
    np.testing.assert_array_equal(store.tvi(4), store.tvi(0))
    assert [cut.start for cut in store.origin.cuts] == [0.5 / RATE] * 5


def turning_disk(frames, turn, elements=32, samples=420, fs=20e6, pitch=0.3):
    """Return echoes of plane waves from scatterers that turn about (9, 0) mm, (t, element, sample).

    `turn` is in rad/s, from width towards depth. Pulses are Gaussians of 60 % bandwidth; a wave
    passes the array's face at time 0.
    """
    rng = np.random.default_rng(5)
    radius, angle = 4 * np.sqrt(rng.uniform(size=400)), rng.uniform(0, 2 * np.pi, 400)
    strength = rng.normal(size=400)
    places = (np.arange(elements) - (elements - 1) / 2) * pitch
    spread = math.sqrt(2 * math.log(2)) / (math.pi * 0.6 * CARRIER)
    rf = np.zeros((frames, elements, samples))
    near = np.arange(-9, 10)
    for frame in range(frames):
        turned = angle + turn * frame / RATE
        depth, width = 9 + radius * np.sin(turned), radius * np.cos(turned)
        arrival = (depth + np.hypot(depth, width - places[:, None])) / (1e3 * SOUND)
        where = np.round(arrival * fs).astype(int)[..., None] + near
        late = where / fs - arrival[..., None]
        echo = np.exp(-((late / spread) ** 2) / 2) * np.cos(2 * np.pi * CARRIER * late)
        rows = np.arange(elements)[:, None, None]
        np.add.at(rf[frame], (rows, np.clip(where, 0, samples - 1)), strength[:, None] * echo)
    return rf


def test_a_turning_disk_of_echoes_has_the_velocity_of_a_turning_disk(bring, tmp_path):
    turn = 3.0
    rf = np.round(turning_disk(12, turn) * 500).astype(np.int16)
    scipy.io.savemat(
        tmp_path / "disk.mat",
        {"RF": rf.transpose(2, 1, 0), "fs": 20e6, "fc": CARRIER, "pitch": 0.3e-3, "PRF": RATE},
    )
    description = {
        "kind": "rf", "variable": "RF", "axes": ["sample", "channel", "time"], "frame_rate": "PRF",
        "sampling_frequency": "fs", "centre_frequency": "fc [Hz]", "pitch": "pitch [m]",
    }  # fmt: skip
    store = bring([tmp_path / "disk.mat"], description)
    # The store counts depth and width from the image's corner: begin at a wavelength, at -4.8 mm.
    depth = store.dataset.depth.values[:, None] + SOUND / CARRIER * 1e3 - 9
    width = store.dataset.width.values[None] - 4.8
    inside = np.hypot(depth, width) < 3.2
    velocity = store.tvi(0).mean(axis=0, dtype=float)
    z, x = (np.broadcast_to(axis, inside.shape)[inside] for axis in (depth, width))
    plane, *_ = np.linalg.lstsq(
        np.column_stack([np.ones(x.size), x, z]), velocity[inside], rcond=None
    )
    # What is at greater width goes deeper, so away from the transducer.
    assert plane == pytest.approx([0, -turn, 0], abs=0.1 * turn)
    rest = velocity[inside] - np.column_stack([np.ones(x.size), x, z]) @ plane
    assert 1 - rest.var() / velocity[inside].var() > 0.97


# Sequences


def test_windows_are_slices_of_the_whole(save, bring):
    values = motion(200)
    chain = Chain(band=(5, 60), median=1.0, pixels=(8, 8), frame_rate=400)
    path = save("a.npy", values)
    whole = bring([path], VELOCITY, chain, out="whole.zarr").tvi(0)
    assert len(whole) == 80
    store = bring([path], VELOCITY, dataclasses.replace(chain, frames=25))
    assert len(store) == 3
    for index in range(3):
        np.testing.assert_array_equal(store.tvi(index), whole[25 * index : 25 * index + 25])
    assert [cut.start for cut in store.origin.cuts] == [0, 0.0625, 0.125]
    assert store.origin.chain == dataclasses.replace(chain, frames=25)


def test_recordings_along_an_axis_are_sequences(save, bring):
    values = np.stack([motion() + index for index in range(3)], axis=2)
    store = bring(
        [save("a.npy", values)], VELOCITY | {"axes": "time,depth,sequence,width"}, Chain(frames=20)
    )
    assert len(store) == 9
    for index in range(9):
        first = 20 * (index % 3)
        np.testing.assert_array_equal(store.tvi(index), values[first : first + 20, :, index // 3])
    assert [cut.recording for cut in store.origin.cuts] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


# Known firings


def onsets(path, *rows):
    lines = ["onset,unit", *(f"{onset!r},{unit}" for onset, unit in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_firings_are_told_from_the_first_frame_of_each_sequence(save, bring, tmp_path):
    iq = save("a.npy", speckle(1.0, frames=41))
    table = onsets(tmp_path / "a.csv", (0.0105, "b"), (0.0005, "a"), (0.0295, "b"), (0.0304, "10"),
                   (0.0401, "9"))  # fmt: skip
    store = bring([iq], IQ, Chain(frames=20), events=[table])
    assert store.origin.cuts[0].units == ("9", "10", "a", "b")
    assert [int(store.read("unit_count", index)) for index in (0, 1)] == [4, 4]
    first, second = (store.read("firing", index) for index in (0, 1))
    # Time 0 is midway between the first two images.
    np.testing.assert_allclose(first[:, 0], [np.nan, np.nan, 0, 0.01], atol=1e-12)
    np.testing.assert_allclose(second[:, :2], [
        [0.0196, np.nan], [0.0099, np.nan], [-0.02, np.nan], [-0.01, 0.009],
    ], atol=1e-12)  # fmt: skip
    # Those within the sequence alone count for the rate.
    np.testing.assert_allclose(store.read("firing_rate", 0), [0, 0, 50, 50])
    np.testing.assert_allclose(store.read("firing_rate", 1), [50, 50, 0, 50])
    verify(store.location)


def test_firings_at_the_edges_of_windows_fit_the_store(save, bring, tmp_path):
    # 3 * (8 / 10) and (3 * 8) / 10 are not the same in floating point: 3.2 s lies before the end of
    # the fourth window by one of them, and in the fifth by the other.
    table = onsets(tmp_path / "a.csv", (2.45, "a"), (3.2, "a"))
    store = bring(
        [save("a.npy", motion(40))], VELOCITY | {"frame_rate": 10}, Chain(frames=8), events=[table]
    )
    assert store.layout.sizes["pulse"] == 1
    np.testing.assert_allclose(store.read("firing", 3), [[0.05]])
    np.testing.assert_allclose(store.read("firing", 4), [[0]], atol=1e-12)


def test_files_without_events_of_a_kind_are_padded(save, bring, tmp_path):
    files = [save("a.npy", motion()), save("b.npy", motion())]
    tables = [onsets(tmp_path / "a.csv", (0.01, 1), (0.02, 2), (0.03, 2)), tmp_path / "b.tsv"]
    tables[1].write_text("onset\tduration\n0.04\t0\n")
    store = bring(files, VELOCITY, events=tables)
    assert [int(store.read("unit_count", index)) for index in (0, 1)] == [2, 1]
    np.testing.assert_allclose(store.read("firing", 1), [[0.04, np.nan], [np.nan, np.nan]])
    assert np.isnan(store.read("firing_rate", 1)[1])


def test_firings_survive_export_and_import(save, bring, tmp_path):
    simulated = generate(
        Parameters(units=Range(3, 3), frames=400), tmp_path / "sim.zarr", sequences=1, workers=1
    )
    (table,) = export_events(simulated, tmp_path / "events")
    values = np.zeros((400, 16, 12), np.float32)
    store = bring([save("a.npy", values)], VELOCITY | {"frame_rate": 400}, events=[table])
    wanted, found = simulated.read("firing", 0), store.read("firing", 0)
    width = found.shape[1]
    np.testing.assert_allclose(found, wanted[:, :width], atol=5.1e-7)
    assert np.isnan(wanted[:, width:]).all()
    assert store.origin.cuts[0].units == ("0", "1", "2")
    (again,) = export_events(store, tmp_path / "again")
    assert again.read_text() == table.read_text()


# Interruptions

KILLED = """
import sys
from musim.datasets import writer
from musim.datasets.importing.description import Description
from musim.datasets.importing.stores import import_recordings
from musim.simulator.imaging.chain import Chain
import json, os
plain, written = writer.write_part, []

def write_part(location, layout, part, *rest):
    if len(written) == 2:
        os._exit(9)
    plain(location, layout, part, *rest)
    written.append(part)

writer.write_part = write_part
files, out, description = sys.argv[1:3], sys.argv[3], json.loads(sys.argv[4])
import_recordings(files, out, Description.parse(description), Chain(frames=20), workers=1)
"""


def test_a_killed_import_resumes_to_the_same_bytes(
    save, bring, tmp_path, assert_same_files, refused
):
    files = [save("a.npy", motion(60)), save("b.npy", motion(40))]
    out = tmp_path / "set.zarr"
    arguments = [*map(str, files), str(out), json.dumps(VELOCITY)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == 9
    with refused("unfinished store (2 of 5 parts)"):
        open_store(out)
    out.with_name("set.zarr.musim-lock").unlink()  # which the next one would take over
    with refused("unfinished store", "`resume=True`"):
        bring(files, VELOCITY, Chain(frames=20))
    # Neither with another meaning, nor with other files, would the halves fit.
    for other in ({"sign": -1}, {"velocity_unit": "cm/s"}):
        with refused("other settings", f"descriptions.0.{next(iter(other))}: None there"):
            bring(files, VELOCITY | other, Chain(frames=20), resume=True)
    np.save(tmp_path / "c.npy", motion(40) + 1)
    with refused("other settings", "sources.3.file: b.npy there, c.npy asked"):
        bring([files[0], tmp_path / "c.npy"], VELOCITY, Chain(frames=20), resume=True)
    seen = []
    bring(files, VELOCITY, Chain(frames=20), resume=True,
          on_progress=lambda *numbers: seen.append(numbers))  # fmt: skip
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((2, 5), (5, 5))
    bring(files, VELOCITY, Chain(frames=20), out="whole.zarr", workers=2)
    assert_same_files(out, tmp_path / "whole.zarr")


def test_a_finished_import_has_nothing_to_resume(save, bring, tree, tmp_path):
    path = save("a.npy", motion())
    bring([path], VELOCITY)
    before = tree(tmp_path / "set.zarr")
    assert len(bring([path], VELOCITY, resume=True)) == 1
    assert tree(tmp_path / "set.zarr") == before


def test_workers_make_no_difference(save, bring, tmp_path, assert_same_files):
    values = np.stack([motion(200) * index for index in range(1, 4)])
    chain = Chain(band=(5, 60), frames=90)
    description = VELOCITY | {"axes": "sequence,time,depth,width"}
    files = [save("a.npy", values), save("b.npy", -values)]
    for workers in (1, 2):
        bring(files, description, chain, out=f"{workers}.zarr", workers=workers)
    assert len(open_store(tmp_path / "1.zarr")) == 12
    assert_same_files(tmp_path / "2.zarr", tmp_path / "1.zarr")


# Wrong input


def bad_nan(values):
    values[47, 3, 2] = np.nan
    return values


WRONG = [
    (bad_nan, {}, ["b.npy: array", "NaN or infinite", "frame 47"]),
    (lambda v: v * np.float32(1e38), {"velocity_unit": "m/s"}, ["b.npy", "inf mm/s", "float32"]),
]


@pytest.mark.parametrize(("spoil", "changes", "words"), WRONG)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_wrong_with_the_second_file_leaves_nothing(
    save, bring, tmp_path, refused, spoil, changes, words, workers
):
    files = [save("a.npy", motion()), save("b.npy", spoil(motion()))]
    descriptions = [Description.parse(VELOCITY), Description.parse(VELOCITY | changes)]
    with refused(*words):
        bring(files, descriptions, Chain(frames=20), out="deep/er/set.zarr", workers=workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy", "b.npy"]


def test_an_empty_folder_of_the_users_own_stays(save, bring, tmp_path, fails):
    (tmp_path / "set.zarr").mkdir()
    with fails(InputError, "NaN"):
        bring([save("a.npy", bad_nan(motion()))], VELOCITY)
    assert list((tmp_path / "set.zarr").iterdir()) == []


def test_a_store_survives_what_should_have_replaced_it(save, bring, tmp_path, refused, tree):
    good = save("a.npy", motion())
    bring([good], VELOCITY)
    before = tree(tmp_path / "set.zarr")
    saturated = save("c.npy", np.full((60, 60, 4), 100, np.complex64))
    for files, description, words in (
        ([good, save("b.npy", bad_nan(motion()))], VELOCITY, ["NaN"]),
        ([good, tmp_path / "none.npy"], VELOCITY, ["no such file"]),
        ([saturated], IQ | {"saturation": 100}, ["full scale"]),
        ([good], VELOCITY | {"variable": "x"}, ["no variable 'x'"]),
    ):
        with refused(*words):
            bring(files, description, overwrite=True)
        assert tree(tmp_path / "set.zarr") == before
    with refused("`overwrite=True`"):
        bring([good], VELOCITY)
    assert tree(tmp_path / "set.zarr") == before
    store = bring([good], VELOCITY | {"sign": -1}, overwrite=True)
    np.testing.assert_array_equal(store.tvi(0), -motion())


def test_half_precision_refuses_what_it_cannot_hold(save, bring, tmp_path, fails):
    values = motion()
    values[50, 2, 2] = 7e4
    with fails(InputError, "a.npy", "70000 mm/s", "float16", "velocity_unit"):
        bring([save("a.npy", values)], VELOCITY, dtype="float16")
    assert not (tmp_path / "set.zarr").exists()


def test_recordings_are_never_replaced_by_their_store(save, bring, tmp_path, refused, tree):
    store = bring([save("a.npy", motion())], VELOCITY)
    path = store.location.path
    before = tree(path)
    description = VELOCITY | {"variable": "tvi", "axes": "sequence,time,depth,width"}
    for out in ("set.zarr", "set.zarr/new.zarr"):
        with refused("found the recording", "wanted one apart from it"):
            bring([path], description, out=out, overwrite=True)
        assert tree(path) == before
    # A store is a recording like any other, elsewhere.
    copied = bring([path], description, out="copy.zarr")
    np.testing.assert_array_equal(copied.tvi(0), motion())


def test_a_recording_that_vanishes_leaves_nothing(save, bring, tmp_path, refused, monkeypatch):
    path = save("a.npy", motion())
    planned = stores.plan([path], Description.parse(VELOCITY), Chain())
    path.unlink()
    with refused("a.npy", "no such file"):
        stores.carry_out(planned, tmp_path / "set.zarr", Work(workers=1))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_a_run_that_resumes(save, bring, tmp_path, fails, monkeypatch):
    path, parts = save("a.npy", motion()), []
    plain = writer.write_part

    def write_part(location, layout, part, *rest):
        parts.append(part)
        if part == 2:
            raise FailureError("no space is left; go on with `resume=True`")
        plain(location, layout, part, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_part", write_part)
        with fails(FailureError, "`resume=True`"):
            bring([path], VELOCITY, Chain(frames=20))
    assert parts == [0, 1, 2]
    store = bring([path], VELOCITY, Chain(frames=20), resume=True)
    np.testing.assert_array_equal(store.tvi(2), motion()[40:])


def test_too_little_room_names_what_helps(save, bring, fails, monkeypatch, tmp_path):
    monkeypatch.setattr("musim.datasets.location.Location.free_bytes", lambda self: 1.0)
    with fails(FailureError, "0.00 GB free", "`dtype='float16'`"):
        bring([save("a.npy", motion())], VELOCITY)
    assert not (tmp_path / "set.zarr").exists()


# Every later command


def test_loaders_and_pictures_take_an_imported_store(save, bring, tmp_path):
    streaming = pytest.importorskip("musim.datasets.streaming")
    table = onsets(tmp_path / "a.csv", (0.01, 1), (0.02, 2))
    files = [save("a.npy", motion()), save("b.npy", motion() + 1)]
    chain = Chain(frames=20)
    plain = bring(files, VELOCITY, chain)
    known = bring(files, VELOCITY, chain, out="known.zarr", events=[table, table], dtype="float16")
    for store in (plain, known):
        loader = streaming.SequenceLoader(str(store.location), batch_size=2, window=8, seed=1)
        batches = list(loader)
        assert sorted(int(i) for batch in batches for i in batch["index"]) == list(range(6))
        assert all(batch["tvi"].shape[1:] == (8, 16, 12) for batch in batches)
        draw_preview(store, 1, tmp_path / "preview.png")
        assert (tmp_path / "preview.png").stat().st_size > 10_000
    pairs = streaming.UnpairedLoader(
        *(streaming.SequenceLoader(str(s.location), batch_size=2, window=8) for s in (plain, known))
    )
    assert sum(len(pair["a"]["index"]) for pair in pairs) == 6


def test_a_copied_store_is_whole(save, bring, tmp_path, refused):
    store = bring([save("a.npy", motion())], VELOCITY)
    shutil.copytree(store.location.path, tmp_path / "copy.zarr")
    assert len(verify(tmp_path / "copy.zarr")) == 1
    with refused("imported from a.npy", "import its files again"):
        verify(tmp_path / "copy.zarr", remake=1)


def test_what_the_chain_refuses_names_the_file(save, bring, tmp_path, refused):
    echoes = save("rf.npy", np.ones((6, 4, 200), bool))
    description = {
        "kind": "rf", "axes": "time,channel,sample", "frame_rate": RATE, "pitch": 0.3,
        "centre_frequency": CARRIER, "sampling_frequency": 20e6,
    }  # fmt: skip
    with refused(str(echoes), "found bool", "real numbers"):
        bring([echoes], description)
    assert not (tmp_path / "set.zarr").exists()


@pytest.mark.slow
def test_whenever_an_import_is_killed_it_goes_on(save, tmp_path, scaled):
    files = [save("a.npy", motion(60)), save("b.npy", motion(40))]

    def make(path, frames=20, **options):
        described, chain = Description.parse(VELOCITY), Chain(frames=frames)
        import_recordings(files, path, described, chain, workers=1, **options)

    moments.kill_at_random(make, lambda path: make(path, 10), tmp_path / "out", scaled(10), seed=2)
