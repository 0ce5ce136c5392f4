"""The experiments of Katakis et al. 2023: what each trains on, its score, and that they resume."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.datasets.images.scale import PixelScale  # noqa: E402
from musim.datasets.sections import generate_sections  # noqa: E402
from musim.simulator.section.parameters import SectionParameters  # noqa: E402
from musim.training.sections.image_sets import ImageSet  # noqa: E402
from musim.training.sections.image_source import ImageSource  # noqa: E402
from musim.training.sections.protocol import evaluation  # noqa: E402
from musim.training.sections.protocol.evaluation import evaluate_thickness  # noqa: E402
from musim.training.sections.protocol.experiments import experiments  # noqa: E402
from musim.training.sections.protocol.scoring import score_images, summary  # noqa: E402

MADE = ("generated", "simulated")
TEXTS = {"steps": 2, "validate_every": 1, "save_every": 1, "maps": 2, "levels": 2, "fold": 1,
         "batch_size": 2, "validation_batches": 1}  # fmt: skip
SIZE = (32, 32)


def lines(tops, deeps, size=(48, 64)):
    """Return masks of level lines of 3 px."""
    masks = np.zeros((len(tops), *size), bool)
    for mask, top, deep in zip(masks, tops, deeps, strict=True):
        mask[top : top + 3], mask[deep : deep + 3] = True, True
    return masks


class Known:
    """A network that finds what it is told."""

    def __init__(self, masks):
        self.masks = masks

    def probabilities(self, images):
        """Return it."""
        assert len(images) == len(self.masks)
        return np.where(self.masks, np.float32(0.55), np.float32(0.45))


def images_of(masks, shape=1.0):
    count = len(masks)
    return ImageSet(
        tuple(f"{i}" for i in range(count)), np.zeros(masks.shape, np.uint8), masks,
        np.ones(count, bool), (PixelScale(shape),) * count, np.arange(count),
    )  # fmt: skip


def test_each_experiment_trains_on_what_the_paper_says():
    real = ImageSource(images=("real",), masks="drawn", sizes="sizes.csv", seed=3)
    places = {"generated": ["gen"], "simulated": ["sim", "more"]}
    found = {each.name: each.source(real, places) for each in experiments(MADE)}
    assert set(found) == {
        "real", "generated", "real+generated", "simulated", "real+simulated", "real+both",
        *(f"{start} after {kind}" for start in ("real", "10%") for kind in MADE),
        *(f"{share}%{kind}" for share in (50, 30, 10) for kind in ("", "+generated", "+simulated")),
    }  # fmt: skip
    assert found["real"] == replace(real, shares=(0.4, 0.2, 0.4))
    assert (found["generated"].images, found["generated"].also) == (("gen",), ())
    generated = found["generated"]
    assert (generated.masks, generated.sizes, generated.shares) == ("", "", (0.85, 0.15, 0.0))
    assert found["real+both"].also == ("gen", "sim", "more")
    few = found["10%+simulated"]
    assert (few.images, few.also, few.seed) == (("real",), ("sim", "more"), 3)
    for each in experiments(MADE):
        if each.table == 6:
            source = found[each.name]
            share = int(each.name.partition("%")[0]) / 100
            assert source.shares[0] * source.kept == pytest.approx(share)
    assert {each.shares[2] for name, each in found.items() if name not in MADE} == {0.4}
    assert len({each.file for each in experiments(MADE)}) == len(found)


def test_no_experiment_trains_or_validates_on_a_test_image(monkeypatch):
    def read(self, places):
        count = 40 * len(places)
        images = images_of(np.ones((count, *SIZE), bool))
        # Two images a group; names tell where an image lies.
        names = tuple(f"{place} {number}" for place in places for number in range(40))
        return replace(images, names=names, groups=np.arange(count) // 2)

    monkeypatch.setattr(ImageSource, "_read", read)
    real = ImageSource(images=("real",), seed=3)
    for each in experiments(MADE):
        source = each.source(real, {"generated": ["gen"], "simulated": ["sim"]})
        seen = {*source.train.names, *source.validation.names}
        assert not seen & set(real.test.names), each.name
        validated = {name.split()[0] for name in source.validation.names}
        assert validated == ({"real"} if each.real else set(source_places(each)))
        assert {name.split()[0] for name in source.train.names} == {
            *(["real"] if each.real else []), *source_places(each)
        }  # fmt: skip
        if each.real:
            assert source.test.names == real.test.names


def source_places(experiment):
    return [{"generated": "gen", "simulated": "sim"}[kind] for kind in experiment.made]


def test_scores_are_those_of_the_definitions():
    drawn = lines([5, 6, 7, 8], [30, 31, 32, 33])
    given = lines([5, 7, 7, 8], [30, 31, 35, 33])
    given[3] = False
    rows = score_images(Known(given), images_of(drawn))
    assert [row["manual_px"] for row in rows] == pytest.approx([25.0] * 4)
    assert [row["automatic_px"] for row in rows[:3]] == pytest.approx([25, 24, 28])
    assert math.isnan(rows[3]["automatic_px"])
    assert rows[3]["reason"] == "no aponeurosis found"
    assert rows[0]["dice"] == 1
    assert (rows[3]["precision"], rows[3]["recall"]) == (1, 0)  # nothing found, nothing wrong
    # The upper line lies one row deeper of three: 2 of 3 rows are common to both lines together 5.
    assert rows[1]["dice"] == pytest.approx(5 / 6)
    found = summary(rows)
    difference = np.array([0, -1, 3.0])
    assert found["images"] == found["drawn"] == 4
    assert found["measured"] == 3
    assert found["rmse"] == pytest.approx(math.sqrt((difference**2).mean()))
    assert found["bias"] == pytest.approx(2 / 3)
    assert found["upper_limit"] == pytest.approx(2 / 3 + 1.96 * difference.std(ddof=1))
    assert found["lower_limit"] == pytest.approx(2 / 3 - 1.96 * difference.std(ddof=1))
    assert (found["manual"], found["manual_sd"]) == pytest.approx((25, 0))
    assert found["automatic"] == pytest.approx(25 + 2 / 3)
    assert found["automatic_sd"] == pytest.approx(difference.std())
    assert found["error"] == pytest.approx(1 / 25)
    assert found["dice"] == pytest.approx((1 + 5 / 6 + 0.5 + 0) / 4)
    nothing = summary([row for row in rows if row["reason"]])
    assert nothing["measured"] == 0
    assert math.isnan(nothing["rmse"])
    undrawn = score_images(Known(drawn[:1]), images_of(~drawn[:1] & drawn[:1]))[0]
    assert undrawn["reason"] == "drawn: no aponeurosis found"
    assert (undrawn["precision"], undrawn["recall"]) == (0, 1)


def test_thickness_is_as_the_muscle_is_shaped_whatever_the_pixels():
    masks = np.zeros((1, 64, 64), bool)
    for column in range(64):  # a slope of 1 in rows and columns
        for depth in (0, 30):
            masks[0, (column // 2 + depth) : (column // 2 + depth + 3), column] = True
    both = np.repeat(masks, 2, axis=0)
    images = replace(images_of(both), scales=(PixelScale(2.0), PixelScale(1.0)))
    for measured in ("manual_px", "automatic_px"):
        wide, square = (row[measured] for row in score_images(Known(both), images))
        assert square == pytest.approx(30 * math.cos(math.atan(1 / 2)), rel=0.03)
        assert wide == pytest.approx(30 * math.cos(math.atan(1 / 4)), rel=0.03)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    parameters = replace(SectionParameters(), pixels=SIZE)
    for seed, name in enumerate(("real", "sim")):
        generate_sections(parameters, folder / f"{name}.zarr", sequences=20, seed=seed, workers=1)
    return folder


def test_the_whole_protocol_resumes_and_gives_the_tables(stores, tmp_path, monkeypatch, refused):
    real = ImageSource(images=(str(stores / "real.zarr"),), size=SIZE)
    given = {"simulated": [str(stores / "sim.zarr")], "texts": TEXTS, "accelerator": "cpu"}
    trained, real_train = [], evaluation.train

    def train(task, place, **options):
        trained.append(place.name)
        if place.name == "simulated" and len(trained) == 2:
            raise KeyboardInterrupt
        return real_train(task, place, **options)

    monkeypatch.setattr(evaluation, "train", train)
    with pytest.raises(KeyboardInterrupt):
        evaluate_thickness(real, tmp_path / "out", **given)
    with refused("found an evaluation there", "`resume=True`"):
        evaluate_thickness(real, tmp_path / "out", **given)
    steps = []
    found = evaluate_thickness(real, tmp_path / "out", resume=True, **given,
                               on_progress=lambda *done: steps.append(done))  # fmt: skip
    assert trained == [
        "real",
        "simulated",
        "simulated",
        *(each.file for each in found.experiments[2:]),
    ]
    assert steps[-1] == (22, 22)
    assert steps == sorted(steps)
    assert found.trained_on["10%"] < found.trained_on["30%"] < found.trained_on["50%"]
    assert found.trained_on["real+simulated"] == found.trained_on["real"] + 20
    again = json.loads(
        (tmp_path / "out-runs" / "10-percent-after-simulated" / "run.json").read_text()
    )
    assert again["settings"]["start"] == str(tmp_path / "out-runs" / "simulated")
    assert found.trained_on["10% after simulated"] == found.trained_on["10%"]
    tests = [[row["image"] for row in rows] for rows in found.images.values()]
    assert all(each == tests[0] for each in tests)
    with (tmp_path / "out" / "segmentation.csv").open() as file:
        rows = {row["experiment"]: row for row in csv.DictReader(file)}
    assert float(rows["50%"]["paper_dice"]) == 0.842
    assert rows["simulated"]["paper_dice"] == ""
    for name, each in found.summaries.items():
        assert float(rows[name]["dice"]) == pytest.approx(each["dice"], rel=1e-4)
    assert set(found.doubtful) <= set(tests[0])
    likeness = json.loads((tmp_path / "out-simulated" / "likeness.json").read_text())["likeness"]
    assert likeness["images"]["real"] == len(tests[0])
    assert likeness["images"]["other"] == found.trained_on["simulated"]
    assert likeness["images"]["train"] is None
    figures = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert [each["name"] for each in figures] == [
        "thickness-agreement", "thickness-found", "thickness-fewer"
    ]  # fmt: skip
    assert all((tmp_path / "out" / f"{each['name']}.png").stat().st_size > 5000 for each in figures)
    other = {**given, "texts": {**TEXTS, "steps": 3}}
    with refused("found an evaluation with other settings"):
        evaluate_thickness(real, tmp_path / "out", resume=True, **other)
    with refused("found a run of other settings", "choose another folder"):
        evaluate_thickness(real, tmp_path / "new", runs=tmp_path / "out-runs", **other)


def test_drawings_that_nobody_finds_are_named():
    rows = {"one": [0.1, 0.1, 0.9], "other": [0.19, 0.3, 0.1]}
    images = {name: [{"image": f"{i}", "dice": dice} for i, dice in enumerate(each)]
              for name, each in rows.items()}  # fmt: skip
    assert evaluation.ThicknessEvaluation("", (), images, {}, {}).doubtful == ["0"]
