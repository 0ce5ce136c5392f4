"""``musim import`` as a user types it: from files to a store, or one line and nothing left."""

import json
import os
import pickle
import tomllib
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.signal
import xarray as xr
import zarr

from musim.cli.import_recordings import DESCRIBING
from musim.datasets import open_store, verify
from musim.datasets.importing.description import Description
from musim.datasets.importing.hashing import sha256_of
from musim.simulator.imaging.chain import PRESETS, Chain
from musim.simulator.imaging.filtering import BandPass, band_pass

VELOCITY = ["--kind", "velocity", "--axes", "time,depth,width", "--frame-rate", 512,
            "--image-size", "8x6"]  # fmt: skip
IQ = ["--kind", "iq", "--axes", "time,depth,width", "--frame-rate", 1000, "--centre-frequency",
      "5 MHz", "--depth-step", 0.1, "--width-step", 0.3]  # fmt: skip
RF = ["--kind", "rf", "--axes", "time,channel,sample", "--frame-rate", 1000, "--centre-frequency",
      "5 MHz", "--pitch", 0.3, "--sampling-frequency", "20 MHz"]  # fmt: skip


def velocity(frames=60, depth=8, width=6):
    t, z, x = np.ogrid[:frames, :depth, :width]
    return np.cos(0.4 * t + 0.1 * z * x).astype(np.float32)


def images(frames=12):
    random = np.random.default_rng(4)
    speckle = random.normal(size=(2, 40, 4))
    turned = np.exp(0.3j * np.arange(frames))[:, None, None]  # so all move towards the probe
    return (turned * (speckle[0] + 1j * speckle[1])).astype(np.complex64)


def echoes(frames=4):
    return np.random.default_rng(4).normal(scale=1000, size=(frames, 16, 200)).astype(np.int16)


@pytest.fixture
def files(tmp_path):
    """Write one recording of each kind into the folder where musim runs."""
    np.save(tmp_path / "v.npy", velocity())
    np.save(tmp_path / "iq.npy", images())
    np.save(tmp_path / "rf.npy", echoes())


@pytest.fixture
def refused(musim, tmp_path):
    """Assert that a command ends with one line that says certain words, and leaves nothing."""

    def call(words, *arguments):
        before = sorted(tmp_path.rglob("*"))
        done = musim("import", *arguments)
        lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert done.code == 2, done.err
        assert len(lines) == 1
        assert done.err.strip().endswith(lines[0])
        assert "Traceback" not in done.err
        assert done.out == ""
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        assert sorted(tmp_path.rglob("*")) == before

    return call


# What goes well


def test_a_recording_becomes_a_store_that_every_command_takes(musim, files, tmp_path):
    done = musim("import", "v.npy", *VELOCITY)
    assert done.code == 0, done.err
    assert "1 sequence of 8 x 6 px of 1 x 1 mm and 60 frames at 512 Hz, from 1 file " in done.err
    assert "imported.zarr is done" in done.out
    assert "musim view imported.zarr" in done.out
    store = open_store("imported.zarr")
    np.testing.assert_array_equal(store.tvi(0), velocity())

    told = musim("info", "imported.zarr")
    assert told.code == 0, told.err
    assert all(word in told.out for word in ("v.npy", sha256_of("v.npy")[:16], "imaging chain"))
    card = json.loads(musim("info", "imported.zarr", "--json").out)
    (source,) = card["sources"]
    assert (source["file"], source["sha256"]) == ("v.npy", sha256_of("v.npy"))
    assert (card["parameters"], card["seed"], card["data_card"]) == (None, None, [])
    assert Chain.from_json(card["chain"]) == Chain()
    assert "is whole: 1 sequence in 1 part" in musim("verify", "imported.zarr").out
    for name in ("a.png", "a.gif"):
        drawn = musim("preview", "imported.zarr", "--out", name, "--speed", 0.05)
        assert drawn.code == 0, drawn.err
        assert (tmp_path / name).stat().st_size > 1000
    no_firings = musim("events", "imported.zarr")
    assert no_firings.code == 2
    assert "--events" in no_firings.err


def test_a_folder_of_mixed_formats_is_one_store(musim, tmp_path):
    folder = tmp_path / "day1"
    folder.mkdir()
    values = [velocity() * number for number in range(1, 9)]
    np.save(folder / "1.npy", values[0])
    np.savez_compressed(folder / "2.npz", v=values[1])
    scipy.io.savemat(folder / "3.mat", {"v": values[2], "note": "left leg"})
    with h5py.File(folder / "4.mat", "w", userblock_size=512) as file:
        file.create_dataset("v", data=values[3].T).attrs["MATLAB_class"] = np.bytes_("single")
    with (folder / "4.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    with h5py.File(folder / "5.h5", "w") as file:
        file["scan/v"] = values[4]
    zarr.create_group(str(folder / "6.zarr")).create_array("v", data=values[5])
    for name, value, engine in (("7.nc", values[6], "h5netcdf"), ("8.nc", values[7], "scipy")):
        data = xr.Dataset({"v": (("time", "depth", "width"), value)})
        data.to_netcdf(folder / name, engine=engine)
    names = sorted(path.name for path in folder.iterdir())
    done = musim("import", *(folder / name for name in names), *VELOCITY, "--out", "all.zarr",
                 "--workers", 2)  # fmt: skip
    assert done.code == 0, done.err
    store = open_store("all.zarr")
    for index in range(8):
        np.testing.assert_array_equal(store.tvi(index), values[index])
    assert [cut.file for cut in store.origin.cuts] == names
    verify("all.zarr")


def test_iq_and_echoes_come_in_by_options_alone(musim, files):
    done = musim("import", "iq.npy", *IQ, "--gate", 0.5, "--ensemble", 2, "--estimator", "one-lag",
                 "--out", "iq.zarr")  # fmt: skip
    assert done.code == 0, done.err
    store = open_store("iq.zarr")
    assert store.layout.shape == (11, 40, 4)
    # The phase turns by 0.3 a frame.
    np.testing.assert_allclose(store.tvi(0), 1.54e6 * 1000 * 0.3 / (4 * np.pi * 5e6), rtol=1e-4)
    assert store.origin.chain == Chain(gate=0.5, ensemble=2, estimator="one-lag")
    turned = musim("import", "iq.npy", *IQ, "--sign", -1, "--gate", 0.5, "--ensemble", 2,
                   "--estimator", "one-lag", "--out", "turned.zarr")  # fmt: skip
    assert turned.code == 0, turned.err
    np.testing.assert_array_equal(open_store("turned.zarr").tvi(0), -store.tvi(0))
    done = musim("import", "rf.npy", *RF, "--out", "rf.zarr")
    assert done.code == 0, done.err
    assert open_store("rf.zarr").layout.shape[0] == 3


def test_the_preset_is_the_papers_chain_and_options_change_it(musim, tmp_path):
    frames = 2 * 530
    t, z, x = np.ogrid[:frames, :42, :42]
    values = np.cos(2 * np.pi * 20 * t / 1024) + np.cos(2 * np.pi * 100 * t / 1024) + 3 + 0 * z * x
    np.save(tmp_path / "a.npy", values.astype(np.float32))
    options = ["--kind", "velocity", "--axes", "time,depth,width", "--frame-rate", 1024,
               "--image-size", "42x42", "--preset", "ali-2022"]  # fmt: skip
    done = musim("import", "a.npy", *options, "--frames", 500, "--pixels", "32x30")
    assert done.code == 0, done.err
    store = open_store("imported.zarr")
    assert (store.layout.shape, store.layout.frame_rate) == ((500, 32, 30), 512)
    np.testing.assert_allclose(store.layout.pixel_size, (40 / 32, 40 / 30))
    chain = store.origin.chain.to_json()
    assert chain == PRESETS["ali-2022"].to_json() | {"frames": 500, "pixels": [32, 30]}
    assert chain["band"] == [5, 50]
    assert (chain["order"], chain["median"], chain["frame_rate"]) == (4, 1, 512)
    told = musim("info", "imported.zarr").out.split()
    assert {"5-50", "32x30", "40x40", "512"} <= set(told)
    # Of 0, 20 and 100 Hz the band keeps 20 Hz, without a delay.
    band = BandPass(low=5, high=50, frame_rate=1024, order=4)
    wanted = band_pass(values[:, :1, :1].astype(np.float32), band)[:1000:2, 0, 0]
    np.testing.assert_allclose(store.tvi(0)[30:, 16, 15], wanted[30:], atol=0.01)
    steady = np.cos(2 * np.pi * 20 * np.arange(500) / 512)[200:300]
    np.testing.assert_allclose(store.tvi(0)[200:300, 3, 3], steady, atol=0.1)
    assert "5-50" in musim("info", "imported.zarr").out
    without = musim("import", "a.npy", *options, "--band", "none", "--frames", "none", "--median",
                    "NONE", "--pixels", "8", "--resample", "none", "--size", "40", "--top", "1.5",
                    "--overwrite")  # fmt: skip
    assert without.code == 0, without.err
    assert open_store("imported.zarr").origin.chain == Chain(pixels=(8, 8), size=(40, 40), top=1.5)


def test_what_fills_no_sequence_is_told(musim, files):
    done = musim("import", "v.npy", *VELOCITY, "--frames", 25)
    assert done.code == 0, done.err
    assert "v.npy: the last 0.0195 s fill no sequence and are left out" in done.err
    assert len(open_store("imported.zarr")) == 2


def test_one_description_for_all_or_one_for_each(musim, files, tmp_path):
    common = 'kind = "velocity"\naxes = ["time", "depth", "width"]\nsize = [8, 6]\n'
    (tmp_path / "a.toml").write_text(common + "frame_rate = 512\n")
    (tmp_path / "b.toml").write_text(common + "frame_rate = 512\nsign = -1\n")
    one = musim("import", "v.npy", "v.npy", "-d", "a.toml", "-o", "one.zarr", "--sign", -1)
    assert one.code == 0, one.err
    two = musim("import", "v.npy", "v.npy", "-d", "a.toml", "-d", "b.toml", "-o", "two.zarr")
    assert two.code == 0, two.err
    for name, signs in (("one.zarr", (-1, -1)), ("two.zarr", (1, -1))):
        for index, sign in enumerate(signs):
            np.testing.assert_array_equal(open_store(name).tvi(index), sign * velocity())


def test_known_firings_go_in_and_out(musim, files, tmp_path):
    (tmp_path / "events.tsv").write_text("onset\tunit\n0.05\tMU2\n0.01\tMU2\n0.1\tMU1\n")
    done = musim("import", "v.npy", *VELOCITY, "--events", "events.tsv")
    assert done.code == 0, done.err
    (source,) = json.loads(musim("info", "imported.zarr", "--json").out)["sources"]
    assert source["units"] == ["MU1", "MU2"]
    assert musim("preview", "imported.zarr").code == 0
    assert musim("events", "imported.zarr", "--out", "out").code == 0
    lines = (tmp_path / "out" / "sequence-000000_events.tsv").read_text().splitlines()
    assert [line.split("\t")[::3] for line in lines[1:]] == [
        ["0.01", "1"], ["0.05", "1"], ["0.1", "0"],
    ]  # fmt: skip
    again = musim("import", "v.npy", *VELOCITY, "--out", "again.zarr", "--events",
                  "out/sequence-000000_events.tsv")  # fmt: skip
    assert again.code == 0, again.err
    np.testing.assert_array_equal(
        open_store("again.zarr").read("firing", 0), open_store("imported.zarr").read("firing", 0)
    )


def test_firings_go_in_and_out_on_the_recordings_clock(musim, files, tmp_path):
    (tmp_path / "events.tsv").write_text("onset\tunit\n0.01\t0\n0.1\t0\n")
    done = musim("import", "v.npy", *VELOCITY, "--frames", 30, "--events", "events.tsv")
    assert done.code == 0, done.err
    assert musim("events", "imported.zarr", "--out", "out").code == 0
    first, second = (
        [line.split("\t")[:3:2] for line in path.read_text().splitlines()[1:]]
        for path in sorted((tmp_path / "out").glob("*.tsv"))
    )
    assert first == [["0.01", "5"]]
    # Twitches of the firing before it are under way in the second sequence.
    assert second == [["0.01", "5"], ["0.1", "51"]]


def test_rates_that_frames_cannot_tell_are_refused(files, tmp_path, refused):
    rows = "".join(f"{n / 300}\tMU1\n" for n in range(20))
    (tmp_path / "events.tsv").write_text(f"onset\tunit\n{rows}")
    refused(["events.tsv: found 300 firings a second of unit MU1", "half of the 512"], "v.npy",
            *VELOCITY, "--events", "events.tsv")  # fmt: skip


def test_a_store_that_is_there_is_kept_resumed_or_replaced(musim, files, tree_of, refused):
    assert musim("import", "v.npy", *VELOCITY).code == 0
    before = tree_of("imported.zarr")
    refused(["imported.zarr", "--resume", "--overwrite"], "v.npy", *VELOCITY)
    refused(["other settings"], "v.npy", *VELOCITY, "--resume", "--band", "5-50")
    assert musim("import", "v.npy", *VELOCITY, "--resume").code == 0
    assert tree_of("imported.zarr") == before
    assert musim("import", "v.npy", *VELOCITY, "--sign", -1, "--overwrite").code == 0
    np.testing.assert_array_equal(open_store("imported.zarr").tvi(0), -velocity())


@pytest.fixture
def tree_of(tmp_path):
    """Return the contents of all files in a folder."""

    def call(name):
        found = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in found}

    return call


# Describing


def test_a_description_is_toml_that_can_be_fed_back(musim, tmp_path):
    scipy.io.savemat(
        tmp_path / "scan.mat",
        {"RF": echoes().transpose(2, 1, 0), "fs": 20e6, "fc": 5e6, "pitch": 0.3e-3, "PRF": 1000.0,
         "Nelements": 16.0},
    )  # fmt: skip
    done = musim("import", "scan.mat", "--describe")
    assert done.code == 0, done.err
    assert all(word in done.err for word in ("scan.mat: MATLAB 5", "200 x 16 x 4", "int16", "PRF"))
    described = tomllib.loads(done.out)
    assert described["kind"] == "rf"
    assert described["axes"] == ["sample", "channel", "time"]
    assert "# " in done.out
    (tmp_path / "scan.toml").write_text(done.out)
    made = musim("import", "scan.mat", "--description", "scan.toml")
    assert made.code == 0, made.err
    assert open_store("imported.zarr").layout.shape[0] == 3


def test_what_a_description_lacks_is_named_until_it_is_there(musim, files, tmp_path, refused):
    done = musim("import", "iq.npy", "--describe")
    described = tomllib.loads(done.out)
    assert (described["kind"], described["axes"]) == ("iq", ["time", "depth", "width"])
    missing = [line for line in done.out.splitlines() if line.endswith(" = ")]
    assert missing == [
        "# frame_rate = ", "# centre_frequency = ", "# depth_step = ", "# width_step = ",
        "# size = ",
    ]  # fmt: skip
    (tmp_path / "iq.toml").write_text(done.out)
    lacking = [
        "found no frame_rate (Hz), centre_frequency (Hz), depth_step (mm) and width_step (m",
        "give --frame-rate, --centre-frequency, --depth-step and --width-step (or --image-s",
    ]
    refused(["iq.npy", *lacking], "iq.npy", "-d", "iq.toml")
    given = ["--centre-frequency", "5 MHz", "--frame-rate", 1000]
    refused(["depth_step (mm) and width_step"], "iq.npy", "-d", "iq.toml", *given)
    assert musim("import", "iq.npy", "-d", "iq.toml", *given, "--image-size", "4x2").code == 0


def test_a_file_without_images_is_described_too(musim, tmp_path, refused):
    np.savez(tmp_path / "a.npz", fs=np.array(20e6), names=np.array(["left", "right"]))
    done = musim("import", "a.npz", "--describe")
    assert done.code == 0, done.err
    assert tomllib.loads(done.out) == {}
    (tmp_path / "a.toml").write_text(done.out)
    refused(["a.toml", "kind", "found none"], "a.npz", "-d", "a.toml")


def test_names_that_look_like_markup_are_shown_as_they_are(musim, tmp_path):
    with h5py.File(tmp_path / "a[bold].h5", "w") as file:
        file["x[/red]"] = velocity()
        file["x[/red]"].attrs["units"] = "[m]"
        file["z[red]"] = 1.0
    done = musim("import", "a[bold].h5", "--describe")
    assert done.code == 0, done.err
    assert all(text in done.err for text in ("a[bold].h5: HDF5", "x[/red]", "z[red]", "[m]"))
    made = musim("import", "a[bold].h5", *VELOCITY, "--velocity-unit", "mm/s", "--frames", 25,
                 "--out", "b[/i].zarr")  # fmt: skip
    assert made.code == 0, made.err
    assert "a[bold].h5: the last" in made.err
    assert "musim view b[/i].zarr" in made.out
    (tmp_path / "b[/i].zarr").rename(tmp_path / "b.zarr")
    told = musim("info", "b.zarr")
    assert told.code == 0, told.err
    assert "a[bold].h5" in told.out


def test_one_file_is_described_at_a_time(refused, files):
    # Two descriptions in one file would be no TOML.
    refused(["describe", "2 files", "one"], "v.npy", "iq.npy", "--describe")
    refused(["none.npy", "no such file"], "none.npy", "--describe")


def test_a_file_that_says_all_of_itself_is_imported_by_its_kind(musim, tmp_path, refused):
    values = velocity()
    coordinates = {
        "time": (
            "time",
            np.arange(60) / 400 + np.where(np.arange(60) < 30, 0, 0.01),
            {"units": "s"},
        ),
        "depth": ("depth", np.arange(8)[::-1] * 0.5, {"units": "mm"}),
        "width": ("width", np.arange(6) * 0.5, {"units": "mm"}),
    }
    data = xr.Dataset(
        {"v": (("time", "depth", "width"), values / 1000, {"units": "m/s"})}, coordinates
    )
    packing = {"dtype": "i2", "scale_factor": 1e-7, "_FillValue": -32768}
    data.to_netcdf(tmp_path / "a.nc", engine="scipy", encoding={"v": packing})
    done = musim("import", "a.nc", "--kind", "velocity")
    assert done.code == 0, done.err
    store = open_store("imported.zarr")
    assert (store.layout.frame_rate, store.layout.pixel_size) == (400, (0.5, 0.5))
    np.testing.assert_allclose(store.tvi(0), values[:, ::-1], atol=6e-5)
    said = [
        "a.nc: depth: falls, from 3.5 to 0 mm",
        "a.nc: time: has a gap of 0.01 s (some 4 frames)",
    ]
    assert [line for line in said if line not in done.err] == []
    described = musim("import", "a.nc", "--describe")
    assert [line for line in (*said, "packed as int16") if line not in described.err] == []
    (tmp_path / "a.toml").write_text(described.out)
    again = musim("import", "a.nc", "-d", "a.toml", "--frame-rate", "2 kHz", "--overwrite")
    assert again.code == 0, again.err
    assert "frame_rate: found 2000 Hz given, and 400 Hz in the file (time)" in again.err
    assert "leave out --frame-rate" in again.err
    np.testing.assert_array_equal(open_store("imported.zarr").tvi(0), store.tvi(0))
    (tmp_path / "a.toml").unlink()
    refused(["a.nc: v: found m/s in the file and mm/s in --velocity-unit"], "a.nc", "--kind",
            "velocity", "--velocity-unit", "mm/s", "--overwrite")  # fmt: skip


# Options


def test_every_key_and_every_step_has_an_option_with_help(musim):
    done = musim("import", "--help")
    assert done.code == 0
    names = set(Description.__dataclass_fields__)
    assert names == set(DESCRIBING)
    options = [{"size": "image-size"}.get(name, name.replace("_", "-")) for name in DESCRIBING]
    steps = ["resample" if name == "frame_rate" else name for name in Chain().to_json()]
    assert [name for name in [*options, *steps] if f"--{name} " not in done.out] == []
    assert all(word in done.out for word in ("MATLAB", "ali-2022", "Examples:", "--describe"))
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kind", "sound"], ["kind", "'sound'", "rf, iq, velocity"]),
        (["--axes", "time,depth"], ["axes", "name width too"]),
        (["--axes", "time,depth,depth,width"], ["axes", "name each once"]),
        (["--axes", "time,depth,width,lag"], ["axes", "'lag'"]),
        (["--axes", "time,depth,width,sequence"], ["v.npy: array: axes", "4 names", "(60, 8, 6)"]),
        (["--frame-rate", "fast"], ["v.npy", "'fast'", "array"]),
        (["--frame-rate", "nan"], ["v.npy", "'nan'"]),
        (["--frame-rate", "0"], ["frame_rate", "found 0", "1 to 100000 Hz"]),
        (["--frame-rate", "5 mm"], ["v.npy", "'5 mm'"]),
        (["--image-size", "8x"], ["image-size", "'8x'", "DEPTHxWIDTH"]),
        (["--image-size", "0x6"], ["size", "found 0"]),
        (["--depth-step", "1"], ["size", "depth_step", "remove one"]),
        (["--variable", "tvi"], ["v.npy", "'tvi'", "array"]),
        (["--velocity-unit", "mph"], ["velocity_unit", "'mph'"]),
        (["--sign", "2"], ["sign", "'2'"]),
        (["--pitch", "0.3"], ["pitch", "rf alone"]),
        (["--gate", "wide"], ["gate", "'wide'", "a number"]),
        (["--gate", "none"], ["gate", "'none'", "a number"]),
        (["--ensemble", "2.5"], ["ensemble", "'2.5'"]),
        (["--ensemble", "none"], ["ensemble", "'none'"]),
        (["--estimator", "none"], ["estimator", "'none'", "one-lag"]),
        (["--estimator", "two-lag"], ["estimator", "'two-lag'", "one-lag"]),
        (["--band", "50"], ["band", "'50'", "5-50"]),
        (["--band", "50-5"], ["band", "'50-5'", "did you mean 5-50?"]),
        (["--band", "5-300"], ["v.npy", "band", "300 Hz", "512 Hz", "600 Hz"]),
        (["--band", "5-50", "--order", "none"], ["order", "'none'"]),
        (["--band", "5-50", "--order", "0"], ["v.npy", "order", "found 0"]),
        (["--median", "-1"], ["median", "-1 mm"]),
        (["--median", "inf"], ["median", "inf mm", "more than 0"]),
        (["--pixels", "8x4.5"], ["pixels", "'8x4.5'", "whole"]),
        (["--pixels", "0"], ["pixels", "1 or more"]),
        (["--size", "10x6"], ["v.npy", "size", "8 x 6 mm", "10 x 6 mm"]),
        (["--top", "nan"], ["top", "'nan'", "a number"]),
        (["--top", "20"], ["v.npy", "top", "20 mm"]),
        (["--resample", "0"], ["resample", "more than 0"]),
        (["--frames", "0"], ["frames", "found 0"]),
        (["--frames", "61"], ["v.npy", "found 60 frames", "wanted 61"]),
        (["--dtype", "int8"], ["dtype", "'int8'", "float16"]),
        (["--workers", "0"], ["workers", "found 0"]),
        (["--preset", "ali-1999"], ["--preset", "ali-2022"]),
        (["--preset", "ali-2022"], ["v.npy", "size", "8 x 6 mm", "40 x 40 mm", "--size"]),
        (["--events", "none.tsv"], ["none.tsv", "unreadable"]),
        (["--events", "v.npy"], ["v.npy", "unreadable"]),
        (["--events", "a.tsv", "--events", "b.tsv"], ["events", "2 tables for 1 files"]),
        (["--description", "none.toml"], ["none.toml", "No such file"]),
        (["--description", "v.npy"], ["v.npy", "not TOML"]),
        (["--resume", "--overwrite"], ["--resume", "--overwrite"]),
        (["--out", "gopher://x/y"], ["gopher"]),
        (["--out", "v.npy"], ["v.npy", "choose another"]),
        (["--unheard", "1"], ["--unheard"]),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_nothing(refused, files, options, words):
    refused(words, "v.npy", *VELOCITY, *options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["FILE"]),
        (["v.npy"], ["description", "musim import v.npy --describe > recording.toml"]),
        (["v.npy", "--axes", "time,depth,width"], ["description", "--describe"]),
        (["v.npy", *VELOCITY[:-2]], ["v.npy", "depth_step", "(or --image-size in place of"]),
        (["v.npy", "--kind", "velocity"], ["--axes, --frame-rate, --depth-step and --width"]),
        (["v.npy", "-d", "a.toml", "-d", "b.toml"], ["description", "2 for 1 files"]),
        (["iq.npy", *VELOCITY], ["iq.npy: array", "complex", "kind is iq"]),
        (["v.npy", *IQ], ["v.npy: array", "real numbers", "real and imaginary"]),
        (["iq.npy", *IQ, "--real", "a"], ["imaginary", "both parts"]),
        (["iq.npy", *IQ, "--ensemble", "3"], ["iq.npy", "ensemble", "even"]),
        (["iq.npy", *IQ, "--ensemble", "14"], ["iq.npy", "found 12", "one ensemble"]),
        (["iq.npy", *IQ, "--gate", "0"], ["gate: found 0"]),
        (["rf.npy", *RF, "--sampling-frequency", "10 MHz"], ["rf.npy", "sampling", "mirror"]),
        (["rf.npy", *RF, "--element-width", "0.5"], ["rf.npy", "element width", "0.5 mm"]),
        (["rf.npy", *RF, "--angles", "1,2"], ["rf.npy", "angles", "found 2", "wanted 1"]),
        (["rf.npy", *RF, "--pitch", "300"], ["pitch", "did you mean 0.3, from um"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line_and_leaves_nothing(refused, files, arguments, words):
    refused(words, *arguments)


# Wrong files


def broken(path):
    """Write files that are wrong in one way each; what must be said of each."""

    def with_value(value, name, where=(40, 3, 2)):
        values = velocity()
        values[where] = value
        np.save(path / name, values)

    with_value(np.nan, "nan.npy")
    with_value(np.inf, "inf.npy")
    np.save(path / "objects.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    np.save(path / "short.npy", velocity(1))
    np.save(path / "empty.npy", velocity(0))
    np.save(path / "text.npy", np.array([[["a"] * 6] * 8] * 60))
    (path / "pickle.npy").write_bytes(pickle.dumps(velocity()))
    (path / "nothing.npy").write_bytes(b"")
    whole = (path / "v.npy").read_bytes()
    (path / "cut.npy").write_bytes(whole[:5000])
    (path / "noise.mat").write_bytes(np.random.default_rng(1).bytes(4096))
    (path / "folder").mkdir()
    swapped = np.ascontiguousarray(velocity() * np.random.default_rng(2).normal(size=(60, 8, 6)))
    np.save(path / "swapped.npy", swapped.astype("f4").view("u4").byteswap().view("f4"))
    scipy.io.savemat(path / "cut.mat", {"v": velocity()})
    (path / "cut.mat").write_bytes((path / "cut.mat").read_bytes()[:3000])
    with h5py.File(path / "cut.h5", "w") as file:
        file["v"] = velocity()
    (path / "cut.h5").write_bytes((path / "cut.h5").read_bytes()[:6000])
    np.savez(path / "sealed.npz", v=velocity())
    with zipfile.ZipFile(path / "plain.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with h5py.File(path / "two.h5", "w") as file:
        file["a"], file["b"] = velocity(), velocity()


BROKEN = {
    "nan.npy": ["array", "NaN or infinite", "frame 40"],
    "inf.npy": ["array", "NaN or infinite", "frame 40"],
    "objects.npy": [],
    "short.npy": ["array", "1 along time", "wanted 2"],
    "empty.npy": ["array", "0 along time"],
    "text.npy": ["text"],
    "pickle.npy": ["pickle", "never loaded"],
    "nothing.npy": ["empty file"],
    "cut.npy": ["array", "cut short"],
    "noise.mat": ["encrypted"],
    "folder": ["not a Zarr store"],
    "swapped.npy": ["array", "bytes", "order"],
    "cut.mat": ["cut short"],
    "cut.h5": ["cut short"],
    "plain.zip": ["zip"],
    "two.h5": ["variable", "2 arrays", "(a, b)"],
    "none.npy": ["no such file"],
}


@pytest.mark.parametrize("place", ["alone", "second"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_file_is_one_line_that_names_it_and_leaves_nothing(
    refused, files, tmp_path, name, place
):
    broken(tmp_path)
    names = [name] if place == "alone" else ["v.npy", name]
    refused([name, *BROKEN[name]], *names, *VELOCITY, "--out", "deep/er/set.zarr")


def test_saturated_echoes_are_refused(refused, tmp_path):
    values = echoes()
    values[1] = np.where(values[1] > 0, 32767, -32768)
    np.save(tmp_path / "loud.npy", values)
    refused(["loud.npy", "array", "full scale", "saturated"], "loud.npy", *RF)


def test_mixed_grids_are_refused(refused, files, tmp_path):
    np.save(tmp_path / "w.npy", velocity(width=7))
    refused(
        ["w.npy", "8 x 7 px", "8 x 6 px", "as in v.npy", "--pixels"], "v.npy", "w.npy", *VELOCITY
    )


def test_objects_are_never_unpickled(musim, refused, tmp_path):
    # The object would leave a file behind, were it loaded.
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    for name in ("a.npy", "b.npz", "c.mat"):
        if name == "a.npy":
            np.save(tmp_path / name, np.array([Trap()] * 3, object), allow_pickle=True)
        elif name == "b.npz":
            np.savez(tmp_path / name, v=np.array([Trap()] * 3, object))
        else:
            (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        for arguments in ([*VELOCITY], ["--variable", "v", *VELOCITY]):
            refused([name], name, *arguments)
    named = [*VELOCITY, "--variable"]
    refused(["a.npy: array", "Python objects", "never loaded"], "a.npy", *named, "array")
    refused(["b.npz: v", "Python objects", "never loaded"], "b.npz", *named, "v")
    assert "Python objects" in " ".join(musim("import", "b.npz", "--describe").err.split())
    assert not (tmp_path / "sprung").exists()


# A real recording

DISK = os.environ.get("MUSIM_DISK", "")


@pytest.mark.skipif(not Path(DISK).is_file(), reason="MUSIM_DISK names no file")
def test_the_recorded_disk_turns(musim, tmp_path):
    described = musim("import", DISK, "--describe")
    assert described.code == 0, described.err
    (tmp_path / "disk.toml").write_text(described.out)
    done = musim("import", DISK, "--description", "disk.toml")
    assert done.code == 0, done.err
    store = open_store("imported.zarr")
    depth, width = store.dataset.depth.values[:, None], store.dataset.width.values[None]
    inside = np.hypot(depth - 15.5, width - 18.75) < 8
    velocity = store.tvi(0).mean(axis=0, dtype=float)[inside]
    z, x = (np.broadcast_to(axis, inside.shape)[inside] for axis in (depth, width))
    design = np.column_stack([np.ones(x.size), x, z])
    plane, *_ = np.linalg.lstsq(design, velocity, rcond=None)
    assert abs(plane[2]) < 0.02 * abs(plane[1])
    assert 1 - (velocity - design @ plane).var() / velocity.var() > 0.99
