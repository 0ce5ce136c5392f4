"""``musim info``: tables for people, JSON for programs."""

import json

import numpy as np

from musim.datasets import open_store


def test_it_shows_parameters_variables_and_the_data_card(musim, tiny):
    assert musim("generate", *tiny, "-n", 4, "--workers", 1, "--diameter", "4-9").code == 0
    shown = musim("info", "musim.zarr")
    assert shown.code == 0
    for word in ("dense", "4-9", "twitch_train", "measured SNR", "realised rate", "overlap"):
        assert word in shown.out, word


def test_without_the_card_no_truth_is_read(musim, tiny, monkeypatch):
    assert musim("generate", *tiny, "-n", 1, "--workers", 1).code == 0
    monkeypatch.setattr("musim.cli.info.data_card", lambda *_: 1 / 0)
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
