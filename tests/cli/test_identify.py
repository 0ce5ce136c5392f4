"""``musim identify``: from recordings to units that every command takes, or one line."""

import csv
import json
import re

import numpy as np
import pytest

from musim.datasets import generate, open_store
from musim.simulator import InputError, Parameters, Range
from musim.training.identification.methods import METHODS, USUAL, Method
from musim.training.identification.remarks import REMARKS
from musim.training.identification.results import MOST_UNITS, identify_stores
from musim.training.identification.stored import outcome_of
from musim.training.identification.units import Units, none

SMALL = Parameters(
    units=Range(3, 3), pixels=(12, 10), size=(12.0, 10.0), diameter=Range(3, 5), frames=60,
    snr=Range(10, 10),
)  # fmt: skip


@pytest.fixture
def source(tmp_path):
    """Three simulated recordings in the folder where musim runs."""
    return generate(SMALL, tmp_path / "musim.zarr", sequences=3, seed=2, workers=1)


@pytest.fixture
def stub(monkeypatch, nearly):
    """Let a method find the true units nearly, and none in recordings without truth."""

    def method(recording, truth=None):
        return none(recording) if truth is None else nearly(truth)

    for name in (USUAL, "ica"):
        monkeypatch.setitem(METHODS, name, Method(name, "", method, "used", keeps_confidence=True))


@pytest.fixture
def refused(musim, tmp_path):
    """Assert that a command ends with one line that says certain words, and changes nothing."""

    def call(words, *arguments, code=2):
        before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
        done = musim("identify", *arguments)
        lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert done.code == code, done.err
        assert len(lines) == 1
        assert done.err.strip().endswith(lines[0])
        assert "Traceback" not in done.err
        assert done.out == ""
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        after = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
        assert after == before

    return call


# What goes well


def test_units_of_a_store_that_every_command_takes(musim, source, stub, nearly, tmp_path):
    done = musim("identify", "musim.zarr", "--workers", 1)
    assert done.code == 0, done.err
    assert re.fullmatch(
        r"units\.zarr: 9 units in 3 sequences \(\d+\.\d s\)\. "
        r"Look at them: musim report units\.zarr\n",
        done.out,
    )
    assert "identifying: 3/3 recordings" in done.err
    outcomes = [outcome_of(open_store("units.zarr"), index) for index in range(3)]
    assert [line for line in done.err.splitlines() if line.startswith("sequence ")] == [
        f"sequence {index}: 3 units, {100 * outcome.explained_share:.0f} % of the "
        "velocity's energy above noise explained, "
        f"{1 - outcome.explained_share:.2f} of the motion left unexplained"
        for index, outcome in enumerate(outcomes)
    ]
    assert all(outcome.explained_share > 0.5 for outcome in outcomes)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "musim.zarr", "units.csv", "units.zarr"
    ]  # fmt: skip
    store = open_store("units.zarr")
    for index in range(3):
        wanted = nearly(source.truth(index))
        np.testing.assert_array_equal(store.read("territory", index)[:3], wanted.territory)
        np.testing.assert_array_equal(store.read("twitch_train", index)[:3], wanted.train)
    with (tmp_path / "units.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert {row["source"] for row in rows} == {str(tmp_path / "musim.zarr")}
    for command, words in (
        (["verify", "units.zarr"], ["is whole: 3 sequences"]),
        (["info", "units.zarr"], ["identified", "confidence", "velocity_sd", f"3x{MOST_UNITS}x60"]),
        (["preview", "units.zarr", "--out", "a.png"], ["a.png"]),
        (["preview", "units.zarr", "--sequence", "2", "--out", "b.gif"], ["b.gif"]),
        (["events", "units.zarr"], ["wrote 3 tables"]),
        (["report", "units.zarr"], ["3"]),
    ):
        done = musim(*command)
        assert done.code == 0, done.err
        assert [word for word in words if word not in done.out + done.err] == [], done.out
    told = json.loads(musim("info", "units.zarr", "--json").out)
    assert (told["kind"], told["sequences"], told["parameters"]) == ("identified", 3, None)
    # What was found is a recording like any other: the sum of its units.
    done = musim("identify", "units.zarr", "--out", "again.zarr", "--workers", 1)
    assert (done.code, "0 units in 3 sequences" in done.out) == (0, True)


def test_what_is_less_sure_is_left_out_and_counted(musim, source, stub, tmp_path):
    # The confidences of its units are 0.95, 0.725 and 0.5.
    done = musim("identify", "musim.zarr", "--workers", 1, "--min-confidence", 0.6)
    assert done.code == 0, done.err
    assert "units.zarr: 6 units in 3 sequences, 3 of confidence below 0.6 left out (" in done.out
    store = open_store("units.zarr")
    for index in range(3):
        assert store.read("unit_count", index) == 2
        assert outcome_of(store, index).cut == 1
        assert store.read("confidence", index)[:2].tolist() == [0.95, 0.725]
    assert len((tmp_path / "units.csv").read_text().splitlines()) == 1 + 6
    assert store.origin.min_confidence == 0.6
    assert open_store("units.zarr").layout.attributes["musim_min_confidence"] == 0.6
    done = musim("identify", "musim.zarr", "--workers", 1, "--overwrite", "--json")
    assert [row["cut"] for row in json.loads(done.out)["sequences"]] == [0, 0, 0]


def test_a_least_confidence_that_is_none_is_refused(source, refused):
    refused(["--min-confidence: found 1.5, wanted a number of 0 to 1"],
            "musim.zarr", "--min-confidence", 1.5)  # fmt: skip


def test_epochs_shorter_than_a_twitch_are_refused(source, refused):
    refused(["--epochs: found 3, of 0.075 s each, wanted 0.25 s or more"],
            "musim.zarr", "--epochs", 3)  # fmt: skip
    refused(["--epochs: found 1, wanted 2 or more"], "musim.zarr", "--epochs", 1)
    refused(["--epochs: found 2 for oracle-trains, which is told what to find"],
            "musim.zarr", "--epochs", 2, "--method", "oracle-trains")  # fmt: skip


def test_an_imported_recording_from_end_to_end(musim, tmp_path):
    t = np.arange(120)[:, None, None] / 512
    z, x = np.mgrid[:12, :10]
    disc = (z - 5) ** 2 + (x - 4) ** 2 < 10
    random = np.random.default_rng(0)
    velocity = 2 * np.sin(2 * np.pi * 11 * t) * disc + 0.05 * random.normal(size=(120, 12, 10))
    np.save(tmp_path / "v.npy", velocity.astype(np.float32))
    done = musim("import", "v.npy", "--kind", "velocity", "--axes", "time,depth,width",
                 "--frame-rate", 512, "--image-size", "12x10", "--out", "v.zarr")  # fmt: skip
    assert done.code == 0, done.err
    done = musim("identify", "v.zarr", "--out", "u.zarr", "--method", "ica", "--workers", 1)
    assert done.code == 0, done.err
    assert "u.zarr: 1 unit in 1 sequence (" in done.out
    store = open_store("u.zarr")
    mask = store.read("territory", 0)[0] > 0.5
    assert (mask & disc).sum() / (mask | disc).sum() > 0.8
    assert not store.has_truth


def test_several_recordings_make_one_result(musim, source, stub, tmp_path):
    generate(SMALL, tmp_path / "b.zarr", sequences=9, seed=3, workers=1)
    done = musim("identify", "b.zarr", "musim.zarr", "-o", "u.zarr", "-m", "ica", "--workers", "1")
    assert done.code == 0, done.err
    assert "u.zarr: 36 units in 12 sequences" in done.out
    lines = [line.split(",")[0] for line in done.err.splitlines()]
    assert lines[lines.index("and 2 more sequences") - 1] == "sequence 9: 3 units"
    assert "sequence 10: 3 units" not in lines
    assert open_store("u.zarr").origin.method == "ica"


def test_what_is_left_unexplained_is_said_once(musim, source, monkeypatch):
    monkeypatch.setitem(METHODS, USUAL, Method(USUAL, "", none))
    done = musim("identify", "musim.zarr", "--workers", 1)
    assert done.code == 0
    *_, first, second, third, method, remark = done.err.splitlines()
    assert method.startswith("method: learned, the usual method (it found most units")
    assert [first, second, third] == [
        f"sequence {index}: 0 units, 0 % of the velocity's energy above noise explained, "
        "1.00 of the motion left unexplained"
        for index in range(3)
    ]
    said = REMARKS["motion-unexplained"]
    assert remark == (f"motion unexplained (sequences 0, 1, 2): {said.sentence} {said.advice}")
    generate(SMALL, "one.zarr", sequences=1, seed=2, workers=1)
    done = musim("identify", "one.zarr", "--out", "one-units.zarr", "--workers", 1)
    assert done.err.splitlines()[-1].startswith("motion unexplained: The units")


def test_options_are_handed_on(musim, monkeypatch):
    asked = []

    def call(*arguments, **options):
        asked.append((arguments, options))
        raise InputError("stop")

    monkeypatch.setattr("musim.training.identification.results.identify_stores", call)
    assert musim("identify", "a", "b").code == 2
    assert musim("identify", "a", "-o", "c", "-m", "ica", "--workers", 3, "--scheduler", "tcp://h:1",
                 "--resume", "--overwrite", "--set", "window = 8", "--firings", "grid", "--events",
                 "e.tsv", "--min-confidence", 0.25,
                 "--epochs", 4).code == 2  # fmt: skip
    for _, options in asked:
        assert callable(options.pop("on_progress"))
    assert asked == [
        ((("a", "b"), "units.zarr"), {"method": None, "runs": (), "settings": {},
                                      "firings": None, "events": None, "workers": None,
                                      "min_confidence": 0.0, "epochs": 0, "scheduler": None,
                                      "resume": False, "overwrite": False}),
        ((("a",), "c"), {"method": "ica", "runs": (), "settings": {"window": "8"},
                         "firings": "grid", "events": "e.tsv", "workers": 3, "scheduler": "tcp://h:1",
                         "min_confidence": 0.25, "epochs": 4,
                         "resume": True, "overwrite": True}),
    ]  # fmt: skip


def test_names_with_brackets_are_shown_as_they_are(musim, source, stub):
    done = musim("identify", "musim.zarr", "--out", "a[b][/c].zarr", "--workers", 1)
    assert done.code == 0, done.err
    assert done.out.startswith("a[b][/c].zarr: 9 units")


def test_going_on_and_replacing(musim, source, stub, refused, tmp_path):
    assert musim("identify", "musim.zarr", "--workers", 1).code == 0
    refused(["units.zarr", "found a store there", "--resume", "--overwrite"], "musim.zarr")
    refused(["other settings", "method: learned there, ica asked"], "musim.zarr", "--resume",
            "--method", "ica")  # fmt: skip
    refused(["both --resume and --overwrite"], "musim.zarr", "--resume", "--overwrite")
    assert musim("identify", "musim.zarr", "--resume").code == 0
    done = musim("identify", "musim.zarr", "--overwrite", "--method", "ica", "--workers", 1)
    assert done.code == 0, done.err
    assert open_store("units.zarr").origin.method == "ica"


# What does not


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["RECORDING"]),
        (["none.zarr"], ["none.zarr", "found nothing there"]),
        (["musim.zarr", "none.zarr"], ["none.zarr", "found nothing there"]),
        (["musim.zarr", "--method", "best"], ["'best'", "ica", "oracle-trains"]),
        (["musim.zarr", "--workers", "0"], ["workers: found 0"]),
        (["musim.zarr", "--workers", "x"], ["--workers", "'x'"]),
        (["musim.zarr", "--scheduler", "here"], ["scheduler: found 'here'"]),
        (["musim.zarr", "--out", "musim.zarr"], ["found the recording", "musim.zarr"]),
        (["musim.zarr", "--out", "musim.zarr", "--overwrite"], ["found the recording"]),
        (["musim.zarr", "other.zarr"], ["other.zarr", "61 frames", "60 frames", "apart"]),
        (["file.npy"], ["file.npy"]),
        (["musim.zarr", "--out", "file.npy/u.zarr"], ["file.npy/u.zarr"]),
    ],
)
def test_what_is_wrong_is_one_line(source, refused, tmp_path, arguments, words):
    np.save(tmp_path / "file.npy", np.zeros(3))
    if "other.zarr" in arguments:
        other = Parameters(**{**vars(SMALL), "frames": 61})
        generate(other, tmp_path / "other.zarr", sequences=1, workers=1)
    refused(words, *arguments)


@pytest.mark.parametrize("frames", [1, 7])
def test_recordings_that_are_too_short(refused, tmp_path, frames):
    few = Parameters(**{**vars(SMALL), "frames": frames})
    generate(few, tmp_path / "few.zarr", sequences=1, workers=1)
    refused([f"few.zarr, sequence 0: recording: found {frames} frames, wanted 8 or more"],
            "few.zarr", "--workers", "1")  # fmt: skip


def test_too_many_units_end_with_a_failure(musim, source, monkeypatch, tmp_path):
    def method(recording):
        count = MOST_UNITS + 1
        ones = np.ones((count, *recording.tvi.shape[1:]), np.float32)
        train = np.ones((count, len(recording.tvi)), np.float32)
        return Units(ones, train, np.zeros((count, 0)), np.ones(count))

    monkeypatch.setitem(METHODS, USUAL, Method(USUAL, "", method, keeps_confidence=True))
    done = musim("identify", "musim.zarr", "--workers", 1)
    assert done.code == 1
    line = done.err.splitlines()[-1]
    assert line.startswith(f"Error: {tmp_path / 'musim.zarr'}, sequence ")
    assert "found 101 (unit)" in line
    assert not (tmp_path / "units.csv").exists()
    assert musim("info", "units.zarr").code == 2


def test_interrupted(musim, source, monkeypatch, stub):
    method = METHODS[USUAL]
    calls = []

    def interrupted(recording, truth=None):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return method(recording, truth)

    monkeypatch.setitem(METHODS, USUAL, Method(USUAL, "", interrupted, "used"))
    done = musim("identify", "musim.zarr", "--workers", 1)
    assert done.code == 130
    assert "--resume" in done.err.splitlines()[-1]
    assert musim("identify", "musim.zarr", "--workers", 1, "--resume").code == 0
    assert len(calls) == 4


def test_help_tells_what_comes_out(musim):
    done = musim("identify", "--help")
    assert done.code == 0
    assert all(word in done.out for word in ("NAME.csv", "--method", "Examples:", "--resume"))


def test_settings_of_the_method_are_kept_with_what_it_found(musim, source, refused):
    done = musim(
        "identify", "musim.zarr", "--method", "stica", "--set", "window=10", "--set",
        "components=8", "--workers", 1,
    )  # fmt: skip
    assert done.code == 2
    assert "found 0.15 s, wanted 0.35 s or more" in done.err
    refused(["setting: found 'size'"], "musim.zarr", "--method", "stica", "--set", "size=2")
    refused(["found window for ica, which has none"], "musim.zarr", "--method", "ica", "--set",
            "window=2")  # fmt: skip
    refused(["components: found 0, wanted 1 to 1000"], "musim.zarr", "--method", "stica", "--set",
            "components=0")  # fmt: skip
    refused(["--set: found 'window', wanted NAME=VALUE"], "musim.zarr", "--set", "window")
    refused(["found window twice"], "musim.zarr", "--set", "window=1", "--set", "window=2")


def test_what_settings_were_is_read_back(tmp_path):
    place = generate(
        Parameters(units=Range(1, 1), pixels=(12, 12), size=(12.0, 12.0), frames=160),
        tmp_path / "longer.zarr", sequences=1, seed=2, workers=1,
    )  # fmt: skip
    store = identify_stores(
        place, tmp_path / "units.zarr", method="stica", settings={"window": "8"}, workers=1
    )
    assert open_store(tmp_path / "units.zarr").origin == store.origin
    assert store.origin.settings["window"] == 8
    assert store.origin.settings["components"] == 25


def test_firings_that_are_known_are_read_and_kept(musim, tmp_path, refused):
    small = Parameters(units=Range(1, 1), pixels=(12, 12), size=(12.0, 12.0), frames=400)
    store = generate(small, tmp_path / "musim.zarr", sequences=1, seed=2, workers=1)
    firing = store.truth(0).firing[0]
    rows = [f"{onset:.6f}\t1" for onset in firing[~np.isnan(firing)]]
    (tmp_path / "events.tsv").write_text("\n".join(["onset\tunit", *rows]) + "\n", encoding="utf-8")
    done = musim("identify", "musim.zarr", "--method", "sta", "--events", "events.tsv", "--set",
                 "triggers=3", "--workers", 1)  # fmt: skip
    assert done.code == 0, done.err
    early = int((firing < 0).sum())
    assert f"events.tsv: {early} of {len(rows)} firings lie outside the recordings" in done.err
    assert early > 0
    origin = open_store(tmp_path / "units.zarr").origin
    assert origin.events["file"] == "events.tsv"
    assert len(origin.events["sha256"]) == 64
    assert origin.settings["triggers"] == 3
    (tmp_path / "late.tsv").write_text("onset\tunit\n500\t1\n", encoding="utf-8")
    fast = "\n".join(["onset\tunit", *(f"{n / 300}\tx" for n in range(290))])
    (tmp_path / "fast.tsv").write_text(fast)
    refused(["sequence 0", "found 300 firings a second of unit x", "no more than 200"],
            "musim.zarr", "--method", "sta", "--events", "fast.tsv", "--out",
            "fast.zarr")  # fmt: skip
    refused(["sequence 0", "found no firing in the 1 s from 0 s on"], "musim.zarr", "--method",
            "sta", "--events", "late.tsv", "--out", "late.zarr")  # fmt: skip
    refused(["found ica with --events, wanted sta"], "musim.zarr", "--method", "ica", "--events",
            "late.tsv", "--out", "late.zarr")  # fmt: skip
