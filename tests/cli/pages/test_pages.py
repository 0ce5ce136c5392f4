"""Pages of what was found: whole and self-contained, escaped, and true to what they show."""

import base64
import dataclasses
import hashlib
import io
import math
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from musim.cli.pages.evaluation import evaluation_page
from musim.cli.pages.findings import read_findings
from musim.cli.pages.map import TALLEST, WIDEST
from musim.cli.pages.outlines import outline
from musim.cli.pages.plane import NOT_FINITE, Plane
from musim.cli.pages.recording import Links, recording_page
from musim.cli.pages.sources import KnownTrain
from musim.cli.pages.trains import BREADTH
from musim.cli.pages.unit_tables import SCORES as TABLES
from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.simulator.errors import InputError
from musim.training.identification.explanation import explained
from musim.training.identification.frame_faults import Span
from musim.training.identification.other_motion import OtherMotion
from musim.training.identification.remarks import REMARKS
from musim.training.identification.results import recording_of
from musim.training.identification.rows import IdentificationEvaluation
from musim.training.identification.units import Units
from musim.training.identification.ways import Way

HOSTILE = "<script>alert(1)</script>&\"'"
VOID = {"meta", "link", "img", "br"}


class Parsed(HTMLParser):
    """A page's elements as (name, attributes, text inside), its tags checked to be balanced."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"twice the same in {tag}"
        found = {"tag": tag, "attributes": dict(attrs), "text": "", "inside": list(self.open)}
        self.elements.append(found)
        if tag not in VOID:
            self.open.append(found)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for one in self.open:
            one["text"] += data

    def all(self, tag=None, style=None, **attributes):
        return [
            one
            for one in self.elements
            if (tag is None or one["tag"] == tag)
            and (style is None or style in (one["attributes"].get("class") or "").split())
            and all(one["attributes"].get(k.replace("_", "-")) == v for k, v in attributes.items())
        ]

    def drawn(self, picker):
        (figure,) = self.all(data_picker=picker)
        return [one for one in self.all("div", "row") if figure in one["inside"]]

    def rows(self, picker):
        (table,) = self.all("table", data_picker=picker)
        rows = [one for one in self.all("tr") if any(up is table for up in one["inside"])]
        return [[c for c in self.elements if c["tag"] in {"th", "td"} and row in c["inside"]]
                for row in rows]  # fmt: skip


def made(path, units=4, sequences=1, seed=0, **values):
    shape = {"pixels": (24, 24), "size": (24.0, 24.0), "diameter": Range(4, 7), "frames": 120}
    shape |= {"frame_rate": 200.0, "units": Range(units, units)} | values
    return generate(
        Parameters(**shape), path, seed=seed, sequences=sequences, kind="rendered", workers=1,
        pool="threads",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def source(folder):
    return made(folder / "muscle.zarr")


@pytest.fixture(scope="module")
def found(folder, source, store_of_units, nearly):
    return read_findings(
        store_of_units(folder / "units.zarr", source, [nearly(source.truth(0))]), 0
    )


@pytest.fixture(scope="module")
def without_truth(found):
    units = tuple(dataclasses.replace(u, verdict=None) for u in found.units)
    return dataclasses.replace(
        found, units=units, true_units=(), score=None, truth_note="The recording has no truth."
    )


@pytest.fixture(scope="module")
def nothing_found(folder, source, store_of_units, nearly):
    store = store_of_units(folder / "none.zarr", source, [nearly(source.truth(0))], counts=[0])
    return read_findings(store, 0)


SCORES = ("detection_recall", "detection_precision", "mask_recall", "mask_precision", "mask_iou",
          "rate_of_agreement", "firing_recall", "firing_precision")  # fmt: skip
TRAIN_SCORES = ("train_recall", "train_precision", "train_match_correlation", "train_chance",
                "firing_agreement", "firing_chance", "detection_recall_iou03")  # fmt: skip


def evaluation(method="refine", protocol="ali-2020", axis="units", older=False):
    """An evaluation as musim writes it, or as an older one did: without scores by trains."""
    scores = SCORES if older else (*SCORES, *TRAIN_SCORES)
    sequences = [
        {"units": float(units), "snr": snr, "synchrony": 0.1, "sequence": float(index),
         "matches": 1.0, "predictions": 2.0, "seconds": 0.5,
         **({} if older else {"train_matches": 2.0}),
         **dict.fromkeys(scores, math.nan if units == 1 else 0.5 + 0.1 * index)}
        for units in (1, 5) for snr in (10.0, math.inf) for index in range(2)
    ]  # fmt: skip
    units = [
        {"overlap": overlap, "found": float(overlap < 0.5), "iou": 0.9, "snr": 10.0, "units": 5.0}
        for overlap in (0.0, 0.1, 0.3, 0.9)
    ]
    if older:
        return IdentificationEvaluation(method, protocol, axis, sequences, units)
    units = [{**row, "train_found": 1.0, "found_iou03": 1.0} for row in units]
    predictions = [{"confidence": 0.75, "train_matched": n % 2, "units": 5.0, "snr": 10.0}
                   for n in range(4)]  # fmt: skip
    return IdentificationEvaluation(method, protocol, axis, sequences, units, predictions)


def with_firings():
    """An evaluation as musim writes it of a store, with scores of firings and those of rules."""
    plain = evaluation(axis="")
    scores = dict.fromkeys(
        ("firing_agreement_5ms", "firing_oracle", "train_firing_rate_error", "rules_recall",
         "rules_f1", "rules_duplicates", "rules_recall_5ms"), 0.25,
    )  # fmt: skip
    units = [
        {**row, "firing_rate": rate, "firing_agreement": agreement, "firing_chance": 0.3,
         "firing_oracle": math.nan}
        for row, rate, agreement in zip(
            plain.units, (9.0, 12.0, 30.0, 50.0), (0.9, 0.8, 0.5, math.nan), strict=True
        )
    ]  # fmt: skip
    rows = [{**row, **scores} for row in plain.sequences]
    return dataclasses.replace(plain, sequences=rows, units=units, rules="munitquest")


VERSIONS = {"musim": "1", "numpy": "2"}
CASES = ("found", "told", "without_truth", "nothing_found", "nothing_known", "hostile",
         "evaluation", "older", "overlap", "one_store", "with_firings")  # fmt: skip


def renamed(unit):
    return dataclasses.replace(unit, verdict=dataclasses.replace(unit.verdict, words=HOSTILE))


@pytest.fixture(scope="module")
def pages(found, told, without_truth, nothing_found):
    empty = dataclasses.replace(without_truth, units=())
    hostile = dataclasses.replace(
        found, store=HOSTILE, source=HOSTILE, method=HOSTILE, origin=HOSTILE,
        software={HOSTILE: HOSTILE}, truth_note=HOSTILE,
        known=(KnownTrain(0, HOSTILE, np.array([0.1])), KnownTrain(1, "&lt;", np.array([0.2]))),
        units=tuple(renamed(u) for u in found.units),
        true_units=tuple(renamed(u) for u in found.true_units),
    )  # fmt: skip
    return {
        "found": recording_page(found, Links("a-1.html", "a-3.html")),
        "told": recording_page(told),
        "without_truth": recording_page(without_truth),
        "nothing_found": recording_page(nothing_found),
        "nothing_known": recording_page(empty),
        "hostile": recording_page(hostile, Links(f"{HOSTILE}.html", "javascript:alert(1).html")),
        "evaluation": evaluation_page(evaluation(), "folder", VERSIONS),
        "older": evaluation_page(evaluation(older=True), "folder", VERSIONS),
        "overlap": evaluation_page(evaluation(HOSTILE, HOSTILE, "overlap"), HOSTILE, VERSIONS),
        "with_firings": evaluation_page(with_firings(), "folder", VERSIONS),
        "one_store": evaluation_page(evaluation(axis=""), "folder", {HOSTILE: HOSTILE}),
    }


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_sound(pages, case):
    assert pages[case].startswith('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"')
    page = Parsed(pages[case])
    named = [one["attributes"]["id"] for one in page.elements if "id" in one["attributes"]]
    assert len(set(named)) == len(named)
    for one in page.elements:
        for key, value in one["attributes"].items():
            assert not key.startswith("on"), "a script in an attribute"
            if key in {"aria-labelledby", "aria-describedby", "for"}:
                assert set(value.split()) <= set(named)
            for target in re.findall(r"url\(#([^)]*)\)", value or ""):
                assert target in named
        if one["attributes"].get("role") in {"button", "region", "group"} or one["tag"] == "nav":
            assert one["attributes"].keys() & {"aria-label", "aria-labelledby"}
        if one["tag"] == "img":
            assert one["attributes"]["alt"]
    levels = [int(one["tag"][1]) for one in page.elements if re.fullmatch("h[1-6]", one["tag"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in page.all("table"):
        widths = {
            len([c for c in page.elements if c["tag"] in {"th", "td"} and row in c["inside"]])
            for row in page.all("tr")
            if table in row["inside"]
        }
        assert len(widths) == 1


@pytest.mark.parametrize("case", CASES)
def test_a_page_asks_for_nothing_outside(pages, case):
    page = Parsed(pages[case])
    for one in page.elements:
        for key in ("href", "src", "xlink:href", "srcset", "data", "action", "poster"):
            value = one["attributes"].get(key)
            if value is not None:
                # A link to the next page is followed when it is clicked, not before.
                start = "./" if one["tag"] == "a" else "data:"
                assert value.startswith(start)
                assert ":" not in value.removeprefix("data:") or one["tag"] != "a"
    bare = re.sub(r"data:[a-z+/]+;base64,[\w+/=]+", "", pages[case])
    assert not re.search(r"https?:|@import|//[\w.]|url\((?!#)", bare)
    for kind, content in re.findall(r"data:([a-z+/]+);base64,([\w+/=]+)", pages[case]):
        drawing = base64.b64decode(content)
        if kind == "image/svg+xml":
            assert not re.search(rb"<script|href=\"(?!#)|@import|url\((?!#)", drawing)
        else:
            assert drawing.startswith(b"\x89PNG")


@pytest.mark.parametrize("case", CASES)
def test_only_the_pages_own_script_may_run(pages, case):
    page = Parsed(pages[case])
    (script,) = page.all("script")
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy["attributes"]["content"].split(";"))
    digest = base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert rules.keys() == {"default-src", "img-src", "style-src", "script-src", "base-uri",
                            "form-action"}  # fmt: skip


def test_text_from_outside_stays_text(pages):
    page = Parsed(pages["hostile"])
    assert page.all("h1")[0]["text"] == "script>&\"', sequence 0"
    assert "alert(1)" in page.all("p", "summary")[0]["text"]
    values = [one["text"] for one in page.all("dd")]
    for expected in (f"{HOSTILE}, sequence 0", HOSTILE, f"{HOSTILE} {HOSTILE}"):
        assert expected in values
    assert any(HOSTILE in (one["attributes"].get("aria-label") or "") for one in page.all("g"))
    targets = [one["attributes"]["href"] for one in page.all("a")]
    assert targets[0].startswith("./%3Cscript%3E")
    assert targets[1] == "./javascript%3Aalert%281%29.html"
    rows = page.all("div", "row", data_key="k0") + page.all("div", "row", data_key="k1")
    assert [one["attributes"]["title"] for one in rows] == [HOSTILE, HOSTILE, "&lt;", "&lt;"]
    assert f"k0 ({HOSTILE}) and k1 (&lt;)." in page.all("figcaption")[1]["text"]
    other = Parsed(pages["overlap"])
    assert other.all("h1")[0]["text"] == f"{HOSTILE} on {HOSTILE}"
    assert HOSTILE in other.all("img")[0]["attributes"]["alt"]


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])
def test_text_is_escaped_once(pages, case):
    assert not re.search(r"&amp;(lt|gt|amp|quot|#\d+);", pages[case])


def test_a_store_in_a_folder_with_a_hostile_name(tmp_path, store_of_units, nearly):
    source = made(tmp_path / HOSTILE / "a&b.zarr")
    store = store_of_units(tmp_path / HOSTILE / "<b>.zarr", source, [nearly(source.truth(0))])
    page = Parsed(recording_page(read_findings(store, 0)))
    assert page.all("h1")[0]["text"] == "a&b.zarr, sequence 0"
    assert not page.all("b")
    assert len(page.all("script")) == 1
    assert any(HOSTILE in one["text"] for one in page.all("dd"))


def test_the_same_each_time(found, source, pages):
    assert recording_page(found, Links("a-1.html", "a-3.html")) == pages["found"]
    assert evaluation_page(evaluation(), "folder", VERSIONS) == pages["evaluation"]


def test_summary_and_scores_are_those_of_the_metrics(found, pages):
    page, row = Parsed(pages["found"]), found.score.to_row()
    first, second = (one["text"] for one in page.all("p", "summary"))
    assert first == (
        "4 units found, confidence 0.50 to 0.95 in a recording of 0.60 s, by the method “refine”."
    )
    assert not page.all("p", "remark")  # nobody said how much they explain
    assert not page.all("svg", "remainder")
    assert "3 of 4 true units matched by their trains (recall 0.75, precision 0.75)" in second
    assert f"the size of the correlation is {row['train_match_correlation']:.2f}" in second
    assert f"the agreement of firings {row['firing_agreement']:.2f}" in second
    assert "By outlines, with an IoU above 0.5, 3 (recall 0.75, precision 0.75)" in second
    assert f"the IoU of those matched by trains is {row['mask_iou']:.2f} on average" in second
    assert second.index("trains") < second.index("outlines")
    texts = [one["text"] for one in page.all("tr")]
    places = [
        next(place for place, text in enumerate(texts) if text.startswith(start))
        for start in (
            f"Correlation{row['train_match_correlation']:.2f}",
            f"Firing recall{row['train_firing_recall']:.2f}",
            f"Mask IoU{row['mask_iou']:.2f}",
            f"Rate of agreement{row['rate_of_agreement']:.2f}",
        )
    ]
    assert places == sorted(places)


def test_every_score_has_a_value(found):
    names = [name for lines in TABLES.values() for _, name, _ in lines]
    assert len(set(names)) == len(names)
    assert found.score.to_row().keys() >= set(names)


def test_the_table_of_units(found, pages):
    head, *rows = Parsed(pages["found"]).rows("units")
    names = [cell["text"] for cell in head]
    assert [row[0]["text"] for row in rows] == ["0", "1", "2", "3*"]
    assert [row[names.index("Verdict")]["text"] for row in rows] == ["matches"] * 3 + ["false"]
    assert [row[names.index("True unit")]["text"] for row in rows] == ["0", "1", "2", "–"]
    iou = [row[names.index("Mask IoU")] for row in rows]
    assert iou[3]["attributes"]["data-value"] == ""
    matching = found.score.matching
    for true, value in zip(matching.true, matching.iou, strict=True):
        assert float(iou[true]["attributes"]["data-value"]) == pytest.approx(value)
        assert iou[true]["text"] == f"{value:.2f}"
    correlation = [row[names.index("Correlation")]["text"] for row in rows]
    assert correlation == [*(f"{one:.2f}" for one in found.score.trains.matching.correlation), "–"]
    agreement = [row[names.index("Firing agreement")]["text"] for row in rows]
    assert agreement == [*(f"{one.agreement:.2f}" for one in found.score.trains.firing), "–"]
    firings = [int(row[names.index("Firings")]["text"]) for row in rows]
    assert firings == [len(unit.firings) for unit in found.units]
    assert [cell["attributes"]["aria-sort"] for cell in head] == ["ascending"] + ["none"] * (
        len(head) - 1
    )


def test_the_missed_unit_stands_in_a_table_of_its_own(found, pages):
    head, *rows = Parsed(pages["found"]).rows("missed")
    assert [row[0]["text"] for row in rows] == ["t3"]
    values = {name["text"]: cell["text"] for name, cell in zip(head, rows[0], strict=True)}
    assert values["Verdict"] == "missed"
    rows, columns = np.nonzero(found.true_units[3].mask)
    assert values["Depth (mm)"] == f"{rows.mean() + 0.5:.1f}"
    assert values["Width (mm)"] == f"{columns.mean() + 0.5:.1f}"


def polygon(path):
    """Return the corners of a path of one closed line."""
    assert path.count("M") == 1
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", path)]
    return np.array(numbers).reshape(-1, 2)


def area(corners):
    x, y = corners.T
    return 0.5 * abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1)))


def test_the_map_shows_found_over_true(found, pages):
    page = Parsed(pages["found"])
    (drawing,) = page.all("svg", "map")
    scale = 360 / 24
    for unit in found.units:
        (group,) = [g for g in page.all("g", "unit", data_key=unit.key) if drawing in g["inside"]]
        paths = [one for one in page.all("path") if group in one["inside"]]
        styles = [one["attributes"]["class"] for one in paths]
        assert styles == (["found"] if unit.partner is None else ["true", "found"])
        corners = polygon(paths[-1]["attributes"]["d"]) / scale
        rows, columns = np.nonzero(unit.mask)
        assert area(corners) == pytest.approx(unit.mask.sum(), rel=0.12)
        assert corners[:, 0].min() == pytest.approx(columns.min(), abs=0.6)
        assert corners[:, 0].max() == pytest.approx(columns.max() + 1, abs=0.6)
        assert corners[:, 1].min() == pytest.approx(rows.min(), abs=0.6)
        assert corners[:, 1].max() == pytest.approx(rows.max() + 1, abs=0.6)
    # The first unit was found a pixel to the right of where it is.
    (group,) = page.all("g", "unit", data_key="u0")
    true, ours = (polygon(p["attributes"]["d"]) for p in page.all("path") if group in p["inside"])
    moved = (ours.mean(axis=0) - true.mean(axis=0)) / scale
    np.testing.assert_allclose(moved, (1, 0), atol=0.2)
    assert len(page.all("path", "missed")) == 1
    labels = [g["text"] for g in page.all("g", "label")]
    assert sorted(labels) == ["0", "1", "2", "3*", "t3"]


def test_the_grey_image_is_the_map(found):
    values = found.velocity_sd.copy()
    values[3, 5] = np.nan
    page = recording_page(dataclasses.replace(found, velocity_sd=values))
    content = re.search(r"data:image/png;base64,([\w+/=]+)", page).group(1)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(float)
    assert tuple(pixels[3, 5]) == NOT_FINITE
    values[3, 5], pixels[3, 5] = 0, 255
    assert pixels.shape == (24, 24, 3)
    np.testing.assert_allclose(pixels[..., 0], 255 - 115 * values / values.max(), atol=0.51)


def test_the_trains_show_found_over_true(found, pages):
    page = Parsed(pages["found"])
    rows = page.drawn("trains")
    assert [row["attributes"]["data-key"] for row in rows] == ["u0", "u1", "u2", "u3", "t3"]
    truths = {unit.number: unit for unit in found.true_units}
    for row, unit in zip(rows, [*found.units, found.missed[0]], strict=True):
        paths = {
            style: [p["attributes"]["d"] for p in page.all("path", style) if row in p["inside"]]
            for style in ("found", "true")
        }
        true = truths.get(getattr(unit, "partner", unit.number))
        shown = {"true": true, "found": unit if unit in found.units else None}
        for style, one in shown.items():
            assert len(paths[style]) == (0 if one is None else 2)
            if one is None:
                continue
            line, instants = paths[style]
            x = [float(text) for text in re.findall(r"M([\d.]+) ", instants)]
            np.testing.assert_allclose(x, one.firings / found.duration * BREADTH, atol=0.06)
            points = polygon(line.replace("L", " "))
            np.testing.assert_allclose(points[:, 0], np.arange(120) / 120 * BREADTH, atol=0.51)
            assert np.corrcoef(points[:, 1], -one.train)[0, 1] > 0.999
    missing = {u.key: len(truths[u.partner].firings) - len(u.firings) for u in found.units[:3]}
    assert missing == {"u0": 1, "u1": 0, "u2": 0}


def test_all_rows_have_one_scale(found, pages):
    page, heights = Parsed(pages["found"]), []
    for row, unit in zip(page.drawn("trains"), found.units, strict=False):
        path = next(p for p in page.all("path", "found") if row in p["inside"])
        y = polygon(path["attributes"]["d"].replace("L", " "))[:, 1]
        heights.append((y.max() - y.min()) / np.ptp(unit.train))
    np.testing.assert_allclose(heights, heights[0], rtol=0.03)
    bar = re.search(r'M3 0V([\d.]+)".*? ([\d.]+) mm/s', pages["found"])
    assert float(bar.group(1)) / float(bar.group(2)) == pytest.approx(heights[0], rel=0.03)


def test_of_many_units_the_strongest_are_drawn_and_the_tables_have_all(without_truth):
    findings = without_truth
    (first, *_) = findings.units
    # From strong to weak, but for the first, which is the weakest.
    many = tuple(
        dataclasses.replace(first, number=n, train=first.train * np.float32(100 - n if n else 0.1))
        for n in range(45)
    )
    assert [unit.number for unit in findings.drawn] == [unit.number for unit in findings.units]
    page = Parsed(recording_page(dataclasses.replace(findings, units=many)))
    wanted = [str(number) for number in range(1, 41)]
    for picker in ("trains", "rates"):
        rows = page.drawn(picker)
        assert [one["text"].strip() for row in rows for one in page.all("span", "label")
                if row in one["inside"]] == wanted  # fmt: skip
        assert [row["attributes"]["tabindex"] for row in rows].count("0") == 1
    assert len(page.all("path", "found")) == 40 + 2 * 40 + 2 * 40
    assert len(page.rows("units")) == 1 + 45
    for figure in ("map", "trains", "rates"):
        (caption,) = page.all("figcaption", id=f"{figure}-caption")
        assert "the strongest 40 of 45 units found; the tables have all" in caption["text"]


def test_without_truth_nothing_is_said_of_it(pages):
    page = Parsed(pages["without_truth"])
    assert page.all("path", "found")
    assert not page.all(style="true")
    assert not page.all(style="missed")
    assert page.all("p", "summary")[1]["text"] == "The recording has no truth."
    assert "True unit" not in pages["without_truth"]
    assert [row[0]["text"] for row in page.rows("units")[1:]] == ["0", "1", "2", "3"]
    assert "Against the truth" not in pages["without_truth"]


@pytest.fixture(scope="module")
def told(folder, source, store_of_units, nearly):
    """Two of four units, one of an uncertain outline, with what they leave."""
    near = nearly(source.truth(0))
    units = explained(
        recording_of(source, 0),
        Units(
            near.territory[:2], near.train[:2], near.firing[:2], near.confidence[:2],
            np.array([0.8, 0.3]), ("copies-left-out",),
        ),
    )  # fmt: skip
    return read_findings(store_of_units(folder / "told.zarr", source, [units]), 0)


def test_what_is_left_is_shown_beside_the_velocity_on_one_scale(told, source):
    page_text = recording_page(told)
    page = Parsed(page_text)
    assert 0.05 < told.explained_share < 0.95
    velocity, left = page.all("svg", "remainder")
    assert velocity["text"].startswith("Velocity")
    assert left["text"].startswith("Left unexplained")
    scales = [one["text"].split("Depth (mm)")[1] for one in (velocity, left)]
    assert scales[0] == scales[1]
    shown = []
    for drawing in (velocity, left):
        (image,) = [one for one in page.all("image") if drawing in one["inside"]]
        content = image["attributes"]["href"].split(",")[1]
        shown.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(float))
    highest = told.velocity_sd.max()
    for pixels, values in zip(shown, (told.velocity_sd, told.residual_sd), strict=True):
        np.testing.assert_allclose(pixels[..., 0], 255 - 115 * values / highest, atol=0.51)
    # What is left is where the units lie that were not found.
    inside = told.true_units[0].mask
    assert told.residual_sd[inside].mean() < 0.3 * told.velocity_sd[inside].mean()
    unit = max(told.missed, key=lambda one: float(told.residual_sd[one.mask].mean()))
    assert told.residual_sd[unit.mask].mean() > 0.5 * told.velocity_sd[unit.mask].mean()
    ghosts = [one["attributes"] for one in page.all("path", "ghost") if left in one["inside"]]
    assert [one["data-key"] for one in ghosts] == ["u0", "u1"]
    assert ["uncertain" in one["class"] for one in ghosts] == [False, True]


def test_frames_without_an_image_are_named_with_the_remark(told):
    faults = (Span("lost", 3, 9), Span("spoilt", 1, 1))
    remarks = ("frames-lost", "frames-spoilt")
    said = dataclasses.replace(told, frame_faults=faults, remarks=remarks)
    page = Parsed(recording_page(said))
    lost, spoilt = (one["text"] for one in page.all("p", "remark"))
    assert "7 frames lost (3-9). " + REMARKS["frames-lost"].advice in lost
    assert "1 frame spoilt (1). " in spoilt
    assert "lost (" not in spoilt


def test_motion_that_is_no_units_is_marked_and_named_with_the_remark(told):
    mask = np.zeros(told.velocity_sd.shape, bool)
    mask[1:3, 2:4] = True
    said = dataclasses.replace(
        told, other_motion=(OtherMotion("artery", mask),), remarks=("pulsation-left-out",)
    )
    page = Parsed(recording_page(said))
    (mark,) = page.all("path", "other-motion")
    scale = Plane(said.size, WIDEST, TALLEST).scale
    assert mark["attributes"]["d"] == outline(mask, scale, said.size)
    (remark,) = page.all("p", "remark")
    step = np.divide(said.size, said.shape[1:])
    assert f"Artery at {2 * step[0]:.1f} mm deep, {3 * step[1]:.1f} mm across. " in remark["text"]
    assert not Parsed(recording_page(told)).all("path", "other-motion")


def test_the_share_and_the_remarks_are_said(told):
    low = dataclasses.replace(told, explained_share=0.312, remarks=("motion-unexplained",))
    page = Parsed(recording_page(low))
    first = page.all("p", "summary")[0]["text"]
    assert first.endswith(
        "The units explain 31 % of the energy of the velocity above noise: "
        "0.69 of the motion is left unexplained."
    )
    (remark,) = page.all("p", "remark")
    for text in (REMARKS["motion-unexplained"].sentence, REMARKS["motion-unexplained"].advice):
        assert text in remark["text"]
    assert remark["text"].startswith("Motion unexplained. ")
    page = Parsed(recording_page(told))
    said = [one["text"].split(".")[0] for one in page.all("p", "remark")]
    assert said == [REMARKS[name].words.capitalize() for name in told.remarks]
    assert "copies-left-out" in told.remarks
    none = dataclasses.replace(low, units=(), explained_share=0.0)
    said = "0 % of the energy of the velocity above noise is explained: "
    assert f"{said}1.00 of the motion is left unexplained." in recording_page(none)


def test_the_method_and_its_way_are_said(told):
    assert told.told == ""
    way = Way("spread", 0.81, 0.97).words
    page = Parsed(recording_page(dataclasses.replace(told, told=f"learned; {way}")))
    said = [one["text"] for one in page.all("p", "summary")]
    assert said[1] == (
        "Method: learned; units' motion spreads (sharp territories explain 0.81 of it, "
        "0.97 wanted), so each got an outline of its own."
    )


def test_uncertain_outlines_are_marked(told, pages):
    page = Parsed(recording_page(told))
    (drawing,) = page.all("svg", "map")
    dashed = [one for one in page.all("path", "uncertain") if drawing in one["inside"]]
    assert len(dashed) == 1
    group = dashed[0]["inside"][-1]["attributes"]
    assert group["data-key"] == "u1"
    assert group["aria-label"].endswith("; outline uncertain")
    head, *rows = page.rows("units")
    place = [cell["text"] for cell in head].index("Outline")
    assert [row[place]["text"] for row in rows] == ["0.80", "0.30 uncertain"]
    assert [row[place]["attributes"]["data-value"] for row in rows] == ["0.8", "0.3"]
    assert "outline uncertain, though the train is not: 1" in page.all("figcaption")[0]["text"]
    assert "uncertain" not in Parsed(pages["found"]).all("body")[0]["text"].split('"use strict"')[0]


def test_a_store_of_an_earlier_version_has_a_page_as_before(folder, source, store_of_units, nearly):
    store = store_of_units(folder / "earlier.zarr", source, [nearly(source.truth(0))], earlier=True)
    findings = read_findings(store, 0)
    assert (findings.residual_sd, findings.remarks) == (None, ())
    assert math.isnan(findings.explained_share)
    page = Parsed(recording_page(findings))
    assert not page.all("svg", "remainder")
    assert not page.all(style="uncertain")
    assert "Outline" not in [cell["text"] for cell in page.rows("units")[0]]


def test_nothing_found(pages, nothing_found):
    page = Parsed(pages["nothing_found"])
    assert page.all("p", "summary")[0]["text"].startswith("No unit was found in a recording")
    assert (
        "0 of 4 true units matched by their trains (recall 0.00, precision –)"
        in (pages["nothing_found"])
    )
    assert len(page.all("path", "missed")) == len(nothing_found.missed) == 4
    assert [g["attributes"]["data-key"] for g in page.all(role="button", tabindex="0")] == [
        "t0", "t0", "t0",
    ]  # fmt: skip
    bare = Parsed(pages["nothing_known"])
    assert bare.all("p", "nothing")[0]["text"] == "No unit was found."
    assert not bare.all(role="button")


def test_one_stop_of_tab_for_each_figure_and_table(pages):
    page = Parsed(pages["found"])
    for picker in ("map", "trains", "rates", "units", "missed"):
        (place,) = page.all(data_picker=picker)
        picks = [one for one in page.elements
                 if place in one["inside"] and "data-pick" in one["attributes"]]  # fmt: skip
        assert sum(one["attributes"]["tabindex"] == "0" for one in picks) == (
            0 if picker == "map" and not picks else 1
        )
        assert all(one["attributes"]["aria-pressed"] == "false" for one in picks)


def test_split_and_joined_units_are_named(folder, source, store_of_units):
    truth = source.truth(0)
    halves = truth.territory[[0, 0]].copy()
    middle = round(float(np.nonzero(halves[0])[0].mean())) + 1
    halves[0, middle:] = 0
    halves[1, :middle] = 0
    both = truth.territory[1:3].max(axis=0, keepdims=True)
    territory = np.concatenate([halves, both])
    trains = np.random.default_rng(0).standard_normal((3, 120)).astype(np.float32)
    trains[0] = truth.twitch_train[0]
    units = Units(territory, trains, np.full((3, 1), np.nan), np.array([0.9, 0.8, 0.7]))
    findings = read_findings(store_of_units(folder / "split.zarr", source, [units]), 0)
    verdicts = {unit.key: unit.verdict.words for unit in (*findings.units, *findings.true_units)}
    assert verdicts == {
        "u0": "matches", "u1": "part of 0", "u2": "joins 1 and 2", "t0": "found",
        "t1": "joined with others in 2", "t2": "joined with others in 2", "t3": "missed",
    }  # fmt: skip
    Parsed(recording_page(findings))


def test_a_train_that_matches_counts_wherever_its_outline_lies(
    folder, source, store_of_units, nearly
):
    near = nearly(source.truth(0))
    territory = np.roll(near.territory, 12, axis=1)  # half an image too deep
    units = Units(territory, near.train, near.firing, near.confidence)
    findings = read_findings(store_of_units(folder / "deep.zarr", source, [units]), 0)
    page = Parsed(recording_page(findings))
    head, *rows = page.rows("units")
    names = [cell["text"] for cell in head]
    assert [row[names.index("Verdict")]["text"] for row in rows][:3] == ["matches"] * 3
    assert all(float(row[names.index("Mask IoU")]["text"]) < 0.5 for row in rows[:3])
    assert names.index("Verdict") < names.index("Correlation") < names.index("Mask IoU")
    second = page.all("p", "summary")[1]["text"]
    assert "3 of 4 true units matched by their trains" in second
    (group,) = page.all("g", "unit", data_key="u1")
    assert "; true unit 1, matches, outline IoU 0." in group["attributes"]["aria-label"]
    # The true unit is drawn where it lies, in the group of that which its train matches.
    assert [p["attributes"]["class"] for p in page.all("path") if group in p["inside"]] == [
        "true", "found",
    ]  # fmt: skip


def test_a_source_that_has_gone_or_changed_tells_no_truth(tmp_path, store_of_units, nearly):
    source = made(tmp_path / "a.zarr")
    store = store_of_units(tmp_path / "u.zarr", source, [nearly(source.truth(0))])
    assert read_findings(store, 0).score is not None
    shutil.rmtree(tmp_path / "a.zarr")
    gone = read_findings(store, 0)
    assert (gone.score, gone.true_units) == (None, ())
    assert "cannot be read any more" in gone.truth_note
    assert all(unit.verdict is None for unit in gone.units)
    made(tmp_path / "a.zarr", seed=1)
    other = read_findings(store, 0)
    assert other.score is None
    assert "Another recording" in other.truth_note
    shutil.rmtree(tmp_path / "a.zarr")
    made(tmp_path / "a.zarr", frames=60)
    assert "Another recording" in read_findings(store, 0).truth_note
    shutil.rmtree(tmp_path / "a.zarr")
    made(tmp_path / "a.zarr")
    assert read_findings(store, 0).score is not None


def test_only_what_was_identified_is_reported(source):
    with pytest.raises(InputError, match=r"found recordings \(rendered\).*run musim identify"):
        read_findings(source, 0)


def test_a_large_recording_makes_a_page_of_bounded_size(tmp_path, store_of_units, nearly):
    source = made(tmp_path / "a.zarr", units=25, pixels=(128, 128), size=(40.0, 40.0), frames=1024,
                  frame_rate=512.0)  # fmt: skip
    store = store_of_units(tmp_path / "u.zarr", source, [nearly(source.truth(0))])
    page = recording_page(read_findings(store, 0))
    assert len(page.encode()) < 2_000_000
    lines = [p["attributes"]["d"] for p in Parsed(page).all("path", "found")]
    assert max(line.count("L") for line in lines) < 1000


def test_an_evaluation_has_a_row_for_each_condition(pages):
    page = Parsed(pages["evaluation"])
    for name, score in (("train-means", "Recall"), ("means", "Recall, IoU > 0.3")):
        head, *rows = page.rows(name)
        names = [cell["text"] for cell in head]
        assert names[:4] == ["Units", "SNR (dB)", "Sequences", score]
        assert [[cell["text"] for cell in row[:3]] for row in rows] == [
            ["1", "10", "2"], ["1", "∞", "2"], ["5", "10", "2"], ["5", "∞", "2"],
        ]  # fmt: skip
        assert [row[3]["text"] for row in rows] == ["–", "–", "0.550 (0.071)", "0.550 (0.071)"]
    assert len(page.all("img")) == 6
    assert "Reliability of confidence" in page.all("img")[-1]["attributes"]["alt"]
    (text,) = [one["text"] for one in page.all("p", "summary")]
    assert text.startswith("8 sequences with 24 true units: 16 units found, 16 of them matched")
    assert "their confidence is off by 0.250" in text
    store = Parsed(pages["one_store"])
    assert len(store.all("img")) == 1
    assert [cell["text"] for cell in store.rows("means")[1]][:2] == ["all", "8"]


def test_firings_are_told_by_rate_and_by_rules(pages):
    page = Parsed(pages["with_firings"])
    image, _ = page.all("img")
    assert "Firings by the true units' rates" in image["attributes"]["alt"]
    head, *rows = page.rows("firing-rates")
    assert [cell["text"] for cell in head] == [
        "Hz", "True units", "Recall", "Agreement", "With a wrong unit", "The oracle",
    ]  # fmt: skip
    assert [[cell["text"] for cell in row] for row in rows] == [
        ["8–13", "2", "1.000", "0.850 (0.071)", "0.300 (0.000)", "–"],
        ["20–35", "1", "1.000", "0.500", "0.300", "–"],
        ["35 and more", "1", "1.000", "–", "0.300", "–"],
    ]
    head, row = page.rows("firing-means")
    assert [cell["text"] for cell in head][2:] == [
        "Agreement, 5\u00a0ms", "Agreement, 10\u00a0ms", "The oracle, 10\u00a0ms",
        "Rate error (Hz)",
    ]  # fmt: skip
    assert [cell["text"] for cell in row][:3] == ["all", "8", "0.250 (0.000)"]
    for name, headings in (("rules-means", ["Recall", "F1 of those found", "Copies dropped"]),
                           ("rules-means-5ms", ["Recall"])):  # fmt: skip
        head, row = page.rows(name)
        assert [cell["text"] for cell in head][2:] == headings
        assert {cell["text"] for cell in row[2:]} == {"0.250 (0.000)"}
    assert "rules" not in pages["one_store"]


def test_trains_lead_and_outlines_follow(pages):
    text = pages["evaluation"]
    places = [text.index(f'id="{name}-title"') for name in (
        "chart-trains", "chart-firings", "chart-detection", "train-means", "means",
    )]  # fmt: skip
    assert places == sorted(places)


def test_an_evaluation_of_an_older_musim_is_shown_as_far_as_it_goes(pages):
    page = Parsed(pages["older"])
    assert len(page.all("img")) == 3
    assert [cell["text"] for cell in page.rows("means")[0]][3] == "Recall, IoU > 0.5"
    assert "train-means" not in pages["older"]
    assert "8 sequences with 24 true units: 16 units found, 8 of them" in pages["older"]
    assert "confidence" not in page.all("p", "summary")[0]["text"]
