"""Methods side by side: the same sequences, one table, one figure."""

import csv

import pytest

from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.identification import comparison as comparing
from musim.training.identification.comparison import compare, comparison
from musim.training.identification.evaluation import evaluate
from musim.training.identification.methods.network import WEIGHTS

SMALL = Parameters(
    units=Range(2, 2), pixels=(14, 14), size=(14.0, 14.0), diameter=Range(4, 6), frames=160,
    snr=Range(20, 20),
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return generate(SMALL, tmp_path / "musim.zarr", sequences=2, seed=4, workers=1)


def test_each_method_is_scored_as_it_is_alone(store, tmp_path):
    found = compare(
        store.location.path, ["velbss", "oracle-trains"], tmp_path / "both", workers=1,
        settings={"velbss.components": "9"},
    )  # fmt: skip
    alone = evaluate(
        store.location.path, "velbss", tmp_path / "alone", workers=1, settings={"components": 9}
    )
    rows = comparison(found)
    assert [row["method"] for row in rows] == ["velbss", "oracle-trains"]
    assert rows[0]["train_recall_mean"] == comparison([alone])[0]["train_recall_mean"]
    assert rows[1]["train_recall_mean"] == 1
    assert rows[0]["seconds_mean"] > 0
    with (tmp_path / "both" / "comparison.csv").open() as file:
        written = list(csv.DictReader(file))
    assert float(written[1]["train_recall_mean"]) == 1
    assert (tmp_path / "both" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "both" / "velbss" / "units.csv").exists()


def test_each_method_is_given_its_own_runs(tmp_path, monkeypatch):
    given = {}

    def noted(on, name, folder, *, runs, **options):
        given[name] = runs
        if len(given) == 3:
            raise LookupError("all have been asked")

    monkeypatch.setattr(comparing, "evaluate", noted)
    runs = [str(WEIGHTS / task) for task in ("detect", "twitch")]
    with pytest.raises(LookupError, match="all have been asked"):
        compare("a.zarr", ["ica", "network", "learned"], tmp_path / "all", runs=runs)
    assert given == {"ica": [], "network": runs, "learned": []}


def test_what_cannot_be_compared_is_refused(store, tmp_path, refused):
    place, out = store.location.path, tmp_path / "both"
    with refused("found ica, wanted two or more different methods"):
        compare(place, ["ica"], out)
    with refused("found ica, ica, wanted two or more different methods"):
        compare(place, ["ica", "ica"], out)
    with refused("found 'pca', wanted one of"):
        compare(place, ["ica", "pca"], out)
    with refused("found 'window', wanted METHOD.NAME with one of ica, stica"):
        compare(place, ["ica", "stica"], out, settings={"window": 3})
    with refused("setting: found 'windw'"):
        compare(place, ["ica", "stica"], out, settings={"stica.windw": 3})
    run = str(WEIGHTS / "detect")
    with refused(f"{run}: found a run of musim train detect, wanted one that one of ica, learned"):
        compare(place, ["ica", "learned"], out, runs=[run])
    assert not out.exists()
