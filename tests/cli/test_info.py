"""``musim info``: tables for people, JSON for programs."""

import dataclasses
import hashlib
import json
import re

import numpy as np

from musim.datasets import open_store
from musim.datasets.datacard import Entry
from musim.training.identification.remarks import REMARKS


def test_it_shows_parameters_variables_and_the_data_card(musim, tiny):
    assert musim("generate", *tiny, "-n", 4, "--workers", 1, "--diameter", "4-9").code == 0
    shown = musim("info", "musim.zarr")
    assert shown.code == 0
    for word in ("dense", "4-9", "twitch_train", "measured SNR", "realised rate", "overlap"):
        assert word in shown.out, word


def test_without_the_card_no_truth_is_read(musim, tiny, monkeypatch):
    assert musim("generate", *tiny, "-n", 1, "--workers", 1).code == 0
    monkeypatch.setattr("musim.datasets.datacard.data_card", lambda *_: 1 / 0)
    shown = musim("info", "musim.zarr", "--no-card")
    assert shown.code == 0
    assert "measured SNR" not in shown.out


def test_json_holds_what_the_store_holds(musim, tiny):
    assert musim("generate", *tiny, "-n", 3, "--seed", 9, "--snr", "inf", "--workers", 1).code == 0
    told = json.loads(musim("info", "musim.zarr", "--json").out)
    store = open_store("musim.zarr")
    assert told["seed"] == 9
    assert told["sequences"] == 3
    assert told["parameters"] == store.parameters.to_json()
    card = {entry["name"]: entry for entry in told["data_card"]}
    assert card["SNR"]["mean"] == "inf"
    diameters = np.concatenate([store.truth(i).diameter for i in range(3)])
    assert np.isclose(card["diameter"]["mean"], diameters.mean())
    assert card["diameter"]["count"] == diameters.size
    assert card["units"]["minimum"] >= 2


def test_what_was_found_is_told_for_each_recording(musim, tiny, store_of_units, nearly, tmp_path):
    assert musim("generate", *tiny, "-n", 23, "--frames", 80, "--workers", 1).code == 0
    source = open_store("musim.zarr")
    found = [
        dataclasses.replace(
            nearly(source.truth(n)), explained_share=0.01 * n,
            remarks=("motion-unexplained",) if n < 2 else (),
        )
        for n in range(23)
    ]  # fmt: skip
    store_of_units(tmp_path / "units.zarr", source, found)
    shown = musim("info", "units.zarr").out
    rows = [
        line.split() for line in shown.splitlines() if " % " in line and line.split()[0].isdigit()
    ]
    assert [row[:4] for row in rows] == [
        [str(n), str(found[n].count), str(n), "%"] for n in range(20)
    ]
    assert [row[4:] for row in rows[:3]] == [["motion", "unexplained"]] * 2 + [[]]
    assert "and 3 more" in shown
    words = " ".join(shown.split())
    assert "The units explain" in words
    assert "Try another" in words
    assert "no motion" not in shown
    told = json.loads(musim("info", "units.zarr", "--json").out)
    assert [one["units"] for one in told["found"]] == [one.count for one in found]
    assert np.allclose([one["explained_share"] for one in told["found"]], 0.01 * np.arange(23))
    assert [one["remarks"] for one in told["found"]] == [list(one.remarks) for one in found]
    remark = REMARKS["motion-unexplained"]
    assert told["remarks"] == {
        "motion-unexplained": {"meaning": remark.sentence, "advice": remark.advice}
    }
    assert json.loads(musim("info", "musim.zarr", "--json").out)["found"] == []


def test_results_of_an_earlier_version(musim, tiny, store_of_units, nearly, tmp_path):
    assert musim("generate", *tiny, "-n", 1, "--workers", 1).code == 0
    source = open_store("musim.zarr")
    found = nearly(source.truth(0))
    store_of_units(tmp_path / "units.zarr", source, [found], earlier=True)
    shown = musim("info", "units.zarr")
    assert shown.code == 0
    assert ["0", str(found.count), "–"] in [line.split() for line in shown.out.splitlines()]
    told = json.loads(musim("info", "units.zarr", "--json").out)
    assert told["found"] == [
        {
            "units": found.count,
            "explained_share": None,
            "remarks": [],
            "frame_faults": [],
            "cut": 0,
            "other_motion": "",
            "way": None,
        }
    ]
    # Its units are listed with what is known of them.
    assert ["0", "0.95"] in [line.split()[:2] for line in shown.out.splitlines()]
    for command in (["verify", "units.zarr"], ["preview", "units.zarr"], ["report", "units.zarr"]):
        assert musim(*command).code == 0


def test_eighty_columns_cut_no_number_and_no_name(musim, tiny, monkeypatch):
    assert musim("generate", *tiny, "-n", 2, "--workers", 1, "--snr", "10-30").code == 0
    monkeypatch.setenv("COLUMNS", "80")
    shown = musim("info", "musim.zarr").out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    store = open_store("musim.zarr")
    for name in (*store.layout.variables, *store.parameters.to_json()):
        assert f" {name} " in shown
    # One line for each variable's sizes, and the card's ranges whole.
    assert " tvi                 2x20x16x16  float32" in shown
    assert "1.66667" in shown
    assert "1.666666" not in shown


def test_where_an_imported_store_comes_from_is_told(musim, monkeypatch, tmp_path):
    np.save("v.npy", np.random.default_rng(0).standard_normal((60, 8, 6)))
    assert musim("import", "v.npy", "--kind", "velocity", "--axes", "time,depth,width",
                 "--frame-rate", 80, "--image-size", "8x3", "--frames", 20,
                 "--band", "5-20", "--out", "v.zarr").code == 0  # fmt: skip
    digest = hashlib.sha256((tmp_path / "v.npy").read_bytes()).hexdigest()
    told = json.loads(musim("info", "v.zarr", "--json").out)
    assert (told["frame_rate"], told["pixel_size"], told["seed"]) == (80, [1.0, 0.5], None)
    assert [one["sha256"] for one in told["sources"]] == [digest] * 3
    assert [one["start"] for one in told["sources"]] == [0.0, 0.25, 0.5]
    assert told["chain"]["band"] == [5.0, 20.0]
    sizes = {name: told["sizes"][name] for name in ("sequence", "time", "depth", "width")}
    assert sizes == {"sequence": 3, "time": 20, "depth": 8, "width": 6}
    monkeypatch.setattr("musim.cli.store_tables.MOST_SOURCES", 2)
    lines = [" ".join(line.split()) for line in musim("info", "v.zarr").out.splitlines()]
    assert "sequence 20 frames at 80 Hz" in lines
    assert "image 8 x 6 px of 1 x 0.5 mm (depth x width)" in lines
    assert "band 5-20" in lines
    (first,) = [line for line in lines if line.startswith("0 ")]
    assert first.endswith(f"v.npy {digest[:16]}… 0.000 s")
    (second,) = [line for line in lines if line.startswith("1 ")]
    assert second.endswith("0.250 s")
    assert "… and 1 more (see --json)" in lines
    assert "sequences 3 in 3 parts of 1" in lines
    assert "origin " + open_store("v.zarr").origin.made_by in lines
    assert not any(line.startswith("seed") for line in lines)


def test_the_card_shows_what_was_counted(musim, tiny, monkeypatch):
    assert musim("generate", *tiny, "-n", 2, "--seed", 0, "--workers", 1).code == 0
    entry = Entry(
        name="depth", units="mm", requested="1-9", expected_mean=5.0, count=17, mean=4.25, sd=1.5,
        minimum=2.0, maximum=8.0, p_value=0.0004,
    )  # fmt: skip
    monkeypatch.setattr("musim.datasets.datacard.data_card", lambda *_: [entry])
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("FORCE_COLOR", "1")
    for p_value, colour in ((0.0004, "31"), (0.4, "32")):
        changed = dataclasses.replace(entry, p_value=p_value)
        monkeypatch.setattr("musim.datasets.datacard.data_card", lambda *_, card=changed: [card])
        shown = musim("info", "musim.zarr").out
        assert f"\x1b[{colour}m{p_value:.3f}" in shown
        (row,) = [line for line in shown.splitlines() if "depth, mm" in line]
        plain = re.sub(r"\x1b\[[\d;]*m", "", row).split()
        assert " ".join(plain) == f"depth, mm 1-9 5 4.25 (1.5) 2..8 17 {p_value:.3f}"
    shown = re.sub(r"\x1b\[[\d;]*m", "", musim("info", "musim.zarr").out)
    assert re.search(r"seed +0 *$", shown, re.MULTILINE)
    # Where there is no room for two columns, the mean that was asked for stands in for no range.
    monkeypatch.setenv("COLUMNS", "80")
    entry = dataclasses.replace(entry, requested="")
    monkeypatch.setattr("musim.datasets.datacard.data_card", lambda *_: [entry])
    shown = re.sub(r"\x1b\[[\d;]*m", "", musim("info", "musim.zarr").out)
    assert re.search(r"depth, mm +mean 5 +4.25", shown)
