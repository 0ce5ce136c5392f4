"""Runs on pairs put to the test: tables hold what scoring gives; parts are kept; pages show all."""

import csv
import json
import math
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from musim.cli.pages.writing import write_pages
from musim.datasets.volumes.slices import padded, slices_of
from musim.training.paired.metrics import global_similarity, normalised_error, peak_ratio
from musim.training.paired.protocol import figures
from musim.training.paired.protocol.evaluation import evaluate_pairs
from musim.training.paired.protocol.predictions import LIKELIEST, MEAN
from musim.training.paired.protocol.scoring import mean_row, scores_of
from musim.training.paired.protocol.survey import likeliest_levels, mean_levels, survey_of
from musim.training.paired.protocol.tables import shown_tables
from tests.training.paired.scored.conftest import CANVAS, HIGH


@pytest.fixture
def asked(pairs, networks):
    """Let runs make what their names say of the actual images; returns what was asked of them."""
    images = {padded(one.image, CANVAS).tobytes(): padded(one.image_b, CANVAS)
              for one in slices_of(pairs)}  # fmt: skip
    found = []

    class Translator:
        def __init__(self, run):
            self.name = str(run).rpartition("/")[2]

        def batch(self, given):
            found.append((self.name, len(given)))
            actual = np.stack([images[image.tobytes()] for image in given])
            if self.name == "perfect":
                return actual
            if self.name == "grid":
                z, x = np.indices(CANVAS)
                return (actual * (1 + 0.2 * (-1.0) ** (z + x))).astype(np.float32)
            return np.stack([gaussian_filter(image, 1.0) for image in actual])

    networks(Translator)
    return found


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Draw nothing where figures are not what is tested."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(figures, "charts", lambda found: [])


@pytest.fixture
def drawn(monkeypatch):
    """Let figures be drawn, of few pixels; returns their names."""
    monkeypatch.setattr(figures, "new_figure", lambda wide, tall: Figure((wide, tall), 40))
    return [f"paired-{name}" for name in
            ("differences", "planes", "profile", "intensities", "spectrum")]  # fmt: skip


def rows_of(folder, name):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_tables_hold_what_scoring_gives(pairs, asked, run, tmp_path):
    told = []
    found = evaluate_pairs(
        [run("blurred"), run("perfect", "unit")], tmp_path / "out", data=pairs,
        workers=1, on_progress=lambda *numbers: told.append(numbers),
    )  # fmt: skip
    assert (told[0], told[-1]) == ((0, 6 * 9), (6 * 9, 6 * 9))
    assert asked == [("blurred", 8), ("blurred", 1), ("perfect", 8), ("perfect", 1)]
    expected = []
    for one in slices_of(pairs):
        image = padded(one.image_b, CANVAS)
        pair = [np.clip(255 / HIGH * np.float64(each), 0, 255)
                for each in (image, gaussian_filter(image, 1.0))]  # fmt: skip
        expected.append((normalised_error(*pair), peak_ratio(*pair), global_similarity(*pair)))
    slices = [row for row in rows_of(tmp_path / "out", "slices.csv")
              if row["translation"] == "blurred"]  # fmt: skip
    measured = [[float(row[name]) for name in ("nrmse", "psnr", "ssim")] for row in slices]
    assert measured == pytest.approx(np.array(expected), rel=1e-4)
    table = {row["translation"]: row for row in rows_of(tmp_path / "out", "table.csv")}
    for place_, name in enumerate(("nrmse", "psnr", "ssim")):
        values = np.array(expected)[:, place_]
        assert float(table["blurred"][name]) == pytest.approx(values.mean(), rel=1e-4)
        assert float(table["blurred"][f"{name}_sd"]) == pytest.approx(values.std(ddof=1), rel=1e-4)
    assert float(table["blurred"]["paper_ssim"]) == 0.9676
    assert table["copy of the input"]["paper_ssim"] == ""
    coronal = [row for row in rows_of(tmp_path / "out", "planes.csv")
               if (row["translation"], row["plane"]) == ("blurred", "coronal")]  # fmt: skip
    assert float(coronal[0]["ssim"]) == pytest.approx(np.mean(expected, axis=0)[2], abs=0.01)
    assert float(coronal[0]["ssim"]) == pytest.approx(np.array(expected)[1::3, 2].mean(), rel=1e-4)
    assert coronal[0]["slices"] == "3"
    assert coronal[0]["paper_nrmse"] == "0.065"
    # Identical pairs: no error, and no PSNR to take a mean of.
    assert (float(table["perfect"]["nrmse"]), table["perfect"]["psnr"]) == (0, "")
    assert float(table["perfect"]["ssim"]) == pytest.approx(1)
    assert table["perfect"]["identical"] == "9"
    assert found.best == "perfect"
    settings = json.loads((tmp_path / "out" / "paired.json").read_text())
    assert settings["levels"] == pytest.approx([0, found.survey.first.high, 0, HIGH])
    assert settings["found"] == json.loads(json.dumps(found.summary()))


def test_maps_of_levels_are_fitted_to_the_slices(pairs, asked, run, tmp_path):
    found = evaluate_pairs([run("blurred")], tmp_path / "out", data=pairs,
                           workers=1)  # fmt: skip
    survey = survey_of(pairs)
    joint = survey.joint
    assert joint.sum() == sum(one.image.size for one in slices_of(pairs))
    level = round(255 * 400 / survey.first.high)
    seen = slice(level - 1, level + 2)
    # Two tissues look alike there, of which the mean lies between and is neither.
    assert mean_levels(joint)[level] == pytest.approx(255 * 375 / HIGH, abs=25)
    likeliest = likeliest_levels(joint)[seen] / 255 * HIGH
    assert ((abs(likeliest - 150) < 15) | (abs(likeliest - 600) < 15)).all()
    assert likeliest_levels(joint)[0] == 0
    table = {row["translation"]: row for row in found.table if row["plane"] == "all"}
    # No map of levels has a smaller error in the body than the mean: it is the best there is.
    squared = {name: np.mean([row["body_error"] ** 2 for row in rows])
               for name, rows in found.rows.items()}  # fmt: skip
    assert squared[MEAN] < squared[LIKELIEST]
    assert table["blurred"]["nrmse"] < table[MEAN]["nrmse"] < table["copy of the input"]["nrmse"]


def test_levels_between_those_that_are_there_are_between_them():
    joint = np.zeros((256, 256), np.int64)
    joint[10, 50] = 3
    joint[20, 100] = 1
    for function in (likeliest_levels, mean_levels):
        assert function(joint)[[0, 10, 15, 20, 255]].tolist() == [50, 50, 75, 100, 100]


def test_grids_are_alarms_where_actual_slices_have_none(pairs, asked, run, tmp_path):
    found = evaluate_pairs([run("blurred"), run("grid")], tmp_path / "out",
                           data=pairs, workers=1)  # fmt: skip
    grids = {row["translation"]: row["grids"] for row in found.table if row["plane"] == "all"}
    assert grids["blurred"] == grids[MEAN] == 0
    assert grids["grid"] == 9
    row = found.rows["grid"][0]
    assert (row["grid_depth"], row["grid_width"]) == (2, 2)


def test_others_join_an_evaluation_and_nothing_is_made_twice(pairs, asked, run, tmp_path):
    data, blurred = pairs, run("blurred")
    evaluate_pairs([blurred], tmp_path / "out", data=data, workers=1)
    asked.clear()
    found = evaluate_pairs([blurred, run("grid")], tmp_path / "out", data=data, workers=1,
                           resume=True)  # fmt: skip
    assert {name for name, _ in asked} == {"grid"}
    assert {row["translation"] for row in found.table} >= {"blurred", "grid"}
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 6


def test_figures_and_the_page_show_it(pairs, asked, run, tmp_path, drawn):
    found = evaluate_pairs([run("$x_<i>"), run("grid", "unit")], tmp_path / "out",
                           data=pairs, workers=1)  # fmt: skip
    captions = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert [each["name"] for each in captions] == drawn
    page = tmp_path / "page.html"
    write_pages(str(tmp_path / "out"), page, None, lambda *_: None)
    text = page.read_text()
    assert text.count("data:image/png") == 5
    assert re.search("<b>|<i>", re.sub(r"base64,[^\"]+", "", text)) is None
    assert "Alarm: grid in 9 of 9 slices of grid" in text
    for shown in shown_tables(found.summary()["table"]):
        for _, cells in shown.rows:
            assert all(cell in text for cell in cells)
    profile = rows_of(tmp_path / "out", "profile.csv")
    assert len(profile) == 36  # columns of the coronal slice
    one = found.slices[found.profile.slice]
    assert one.plane == "coronal"
    assert float(profile[20]["position"]) == 30
    assert float(profile[20]["actual"]) == pytest.approx(
        255 / HIGH * one.image_b[found.profile.row, 20], rel=1e-4
    )


def test_a_slice_that_is_all_air_but_noise_has_scores():
    zero = np.zeros((32, 32))
    found = scores_of(zero + 1e-3, zero, np.zeros((20, 20), bool), (20, 20))
    assert math.isnan(found[0])  # no range
    assert math.isnan(found[6])  # no body
    rows = [{"psnr": math.inf, "grid": math.nan, "grid_alarm": 0,
             **dict.fromkeys(("nrmse", "ssim", "relative_error", "psnr_of_range",
                              "windowed_ssim", "body_error"), 0.5)}]  # fmt: skip
    row = mean_row({"translation": "t"}, "all", rows)
    assert math.isnan(row["psnr"])
    assert (row["identical"], row["grids_looked_for"], row["ssim"]) == (1, 0, 0.5)


def test_what_cannot_be_scored_is_refused(pairs, asked, run, tmp_path, refused, tiny):
    from musim.datasets import generate

    data, blurred = pairs, run("blurred")
    generate(tiny, tmp_path / "sequences.zarr", sequences=1, workers=1, pool="threads")
    twins = run("twins", source={"a": "a.zarr", "b": "b.zarr"})
    other, taken = run("other", task="translate"), run("mean level")
    for runs, store, words in (
        ([], data, ("found none", "musim train translate")),
        ([blurred, blurred], data, ("found this run twice",)),
        ([other], data, ("found a run of musim train translate",)),
        ([twins], data, ("found a run on sequences", "paired slices")),
        ([taken], data, ("mean level: found a run of this name", "rename")),
        ([str(tmp_path / "nowhere")], data, ("found no run",)),
        ([blurred], tmp_path / "sequences.zarr", ("wanted paired slices",)),
    ):
        with refused(*words):
            evaluate_pairs(runs, tmp_path / "out", data=str(store), workers=1)
