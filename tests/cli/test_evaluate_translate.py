"""``musim evaluate translate`` and its page: tables, figures, alarms, or one line and no trace."""

import csv
import dataclasses
import io
import json
import math
import re
import shutil
import struct
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from musim.cli import main
from musim.cli.pages.translation import translation_page
from musim.cli.translation_table import print_translation
from musim.datasets import generate, open_store
from musim.datasets.location import Location
from musim.simulator import FailureError, Parameters, Range
from musim.training.translation import evaluation, figures
from musim.training.translation.evaluation import PAPER, evaluate_translation
from musim.training.translation.metrics.table import METRICS, PAIR_METRICS
from tests.browsers import headless
from tests.makers import store_of, translated

SCENES = Parameters(
    units=Range(2, 3), pixels=(32, 32), size=(32.0, 32.0), diameter=Range(5, 9), frames=64,
    frame_rate=200.0,
)  # fmt: skip
EVIL = "_<script>alert('1')&[red]$x_$.zarr"
"""A name that is HTML, that is markup of the terminal, and mathematics to matplotlib."""

NAME = EVIL.removesuffix(".zarr")

TABLES = ["figures.json", "sequences.csv", "table.csv", "table.json", "units.csv"]
FEATURES, SIGNALS, DIFFERENCES = (
    f"translation-{name}.png" for name in ("features", "signals", "differences-{}")
)


def like(path, source, change, *, labels=True, sequences=None, origin=True):
    """Store what `change` makes of each sequence, as a translation of a store would be stored."""
    store = open_store(source)
    layout = store.layout
    names = [name for name in layout.variables if labels and name != "tvi"]
    attributes = {}
    if origin:
        attributes = translated(source, len(store))
    layout = dataclasses.replace(
        layout, variables=("tvi", *names), part_size=1, attributes=attributes,
        sizes={**layout.sizes, "sequence": sequences or len(store)},
    )  # fmt: skip

    def given(part):
        arrays = {name: np.asarray(store.read(name, part))[None] for name in names}
        return arrays, [np.asarray(change(store.tvi(part), part), np.float32)]

    store_of(path, layout, given)
    return path


def noisy(tvi, index):
    return tvi + np.random.default_rng(index).normal(0, 0.1 * tvi.std(), tvi.shape)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of stores: domains, translations, and what fits neither."""
    folder = tmp_path_factory.mktemp("stores")
    for name, seed, changes in (
        ("a", 1, {}),
        ("b", 2, {"mask": "soft"}),
        ("rate", 3, {"frame_rate": 250.0}),
        ("size", 4, {"pixels": (32, 36)}),
        ("frames", 5, {"frames": 48}),
        ("other", 6, {}),
    ):
        generate(dataclasses.replace(SCENES, **changes), folder / f"{name}.zarr", sequences=3,
                 seed=seed, workers=1, pool="threads")  # fmt: skip
    a = folder / "a.zarr"
    like(folder / "t.zarr", a, noisy)
    like(folder / "inverted.zarr", a, lambda tvi, _: -tvi, sequences=2)
    like(folder / "plain.zarr", a, noisy, labels=False)
    like(folder / "nan.zarr", a, lambda tvi, index: tvi * (math.nan if index == 1 else 1))
    like(folder / "still.zarr", a, lambda tvi, _: 0 * tvi)
    like(folder / "silent.zarr", a, noisy, origin=False)
    like(folder / EVIL, a, noisy)
    unlabelled = like(folder / "recorded.zarr", a, noisy, labels=False, origin=False)
    like(folder / "of-recorded.zarr", unlabelled, noisy)
    like(folder / "one.zarr", folder / "b.zarr", noisy, sequences=1, origin=False)
    return folder


@pytest.fixture
def stores(made, tmp_path):
    """Let the stores lie where musim runs."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)


@pytest.fixture
def no_figures(monkeypatch):
    """Draw none: they take seconds."""
    monkeypatch.setattr(figures, "draw_charts", lambda found: [])


@pytest.fixture(scope="module")
def found(made, tmp_path_factory):
    """An evaluation of a store whose name is not meant well, as the library returns it."""
    out = tmp_path_factory.mktemp("found") / "e"
    return evaluate_translation(None, made / "b.zarr", [made / EVIL], out, workers=1)


def shown_in(found, columns):
    """Return what a terminal of some width shows of an evaluation."""
    text = io.StringIO()
    print_translation(found, Console(width=columns, file=text, highlight=False))
    return text.getvalue()


def run_quietly(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code


@pytest.fixture(scope="module")
def evaluated(made, tmp_path_factory):
    """An evaluation of two translations, of which one has turned all signs, and its page."""
    folder = tmp_path_factory.mktemp("evaluated")
    files = [made / EVIL, made / "inverted.zarr"]
    assert run_quietly("evaluate", "translate", *files, "--b", made / "b.zarr", "-o",
                       folder / "e", "--workers", 1) == 0  # fmt: skip
    assert run_quietly("report", folder / "e", "-o", folder / "e.html") == 0
    return SimpleNamespace(folder=folder / "e", page=(folder / "e.html").read_text("utf-8"))


@pytest.fixture
def refused(musim, stores, made, tmp_path):
    """Assert that a command ends with one line that says certain words, and changes nothing."""

    def files():
        paths = [*tmp_path.rglob("*"), *made.rglob("*")]
        return {path: path.is_file() and path.read_bytes() for path in paths}

    def call(words, *arguments, code=2):
        before = files()
        done = musim(*arguments)
        lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert done.code == code, done.err
        assert len(lines) == 1
        assert done.err.strip().endswith(lines[0])
        assert "Traceback" not in done.err
        assert done.out == ""
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        assert files() == before

    return call


def read(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


# What is written


def test_table_rows_and_figures_are_written(evaluated):
    names = sorted(path.name for path in evaluated.folder.iterdir())
    assert names == sorted([*TABLES, FEATURES, SIGNALS,
                            DIFFERENCES.format(1), DIFFERENCES.format(2)])  # fmt: skip
    for name in names:
        if name.endswith(".png"):
            content = (evaluated.folder / name).read_bytes()
            assert content.startswith(b"\x89PNG")
            width, height = struct.unpack(">II", content[16:24])
            assert 800 < width < 4000
            assert 400 < height < 4000


def test_images_too_small_for_a_checkerboard_raise_no_alarm_and_say_so(evaluated):
    rows = read(evaluated.folder / "sequences.csv")
    assert {row["checkerboard"] for row in rows} == {row["checkerboard_alarm"] for row in rows}
    assert {row["checkerboard_alarm"] for row in rows} == {""}
    assert "images below 64 x 64 px are too small to look for one" in evaluated.page


def test_the_table_is_table_1_in_full(evaluated):
    rows = read(evaluated.folder / "table.csv")
    ours = [row for row in rows if row["source"] == "here"]
    named = [(row["direction"], row["translation"]) for row in ours]
    assert named == [("Sim to Exp", "No translation"), ("Sim to Exp", NAME),
                     ("Sim to Exp", "inverted"), ("Exp to Exp", "No translation")]  # fmt: skip
    assert [row["pairs"] for row in ours] == ["9", "9", "6", "3"]
    for row in ours:
        for name in PAIR_METRICS:
            assert math.isfinite(float(row[name]))
            assert float(row[f"{name}_sd"]) >= 0
        assert bool(row["cross_correlation"]) == (row["translation"] in (NAME, "inverted"))
    theirs = [row for row in rows if row["source"] == "paper"]
    assert len(theirs) == len(PAPER)
    for row, wanted in zip(theirs, PAPER, strict=True):
        assert row["translation"] == wanted.name
        for name, score in wanted.scores.items():
            assert float(row[name]) == pytest.approx(score.mean)


def test_rows_of_sequences_and_units_are_well_formed(evaluated, made):
    rows = read(evaluated.folder / "sequences.csv")
    assert [(row["translation"], row["sequence"]) for row in rows] == [
        (NAME, "0"), (NAME, "1"), (NAME, "2"), ("inverted", "0"), ("inverted", "1")
    ]  # fmt: skip
    assert [row["inversion_alarm"] for row in rows] == ["0", "0", "0", "1", "1"]
    assert all(0.5 < float(row["cross_correlation"]) <= 1 for row in rows[:3])
    units = read(evaluated.folder / "units.csv")
    truths = [open_store(made / "a.zarr").truth(index) for index in range(3)]
    visible = sum(truth.unit_count for truth in truths)
    assert 0 < sum(row["translation"] == NAME for row in units) <= visible
    for row in units:
        before, after = float(row["correlation_before"]), float(row["correlation_after"])
        if row["translation"] == "inverted":
            assert after == pytest.approx(-before, abs=1e-5)
        else:
            assert after > 0.5 * before


def strict(text):
    def no(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=no)


def test_json_holds_the_same_and_no_words_that_json_does_not_know(evaluated, made):
    found = strict((evaluated.folder / "table.json").read_text("utf-8"))
    assert found["a"] == str(made / "a.zarr")
    assert found["b"] == str(made / "b.zarr")
    assert found["translated"] == {NAME: str(made / EVIL),
                                   "inverted": str(made / "inverted.zarr")}  # fmt: skip
    rows = read(evaluated.folder / "table.csv")
    for row, wanted in zip(found["rows"], rows, strict=False):
        for name, score in row["scores"].items():
            assert score["mean"] == pytest.approx(float(wanted[name]), rel=1e-5)
    assert found["alarms"][NAME] == []
    assert "contraction comes out as relaxation" in found["alarms"]["inverted"][0]
    survival = found["survival"]
    assert (
        survival[NAME]["agreement_after"]["mean"] > 0.9 * survival[NAME]["agreement_before"]["mean"]
    )
    assert survival["inverted"]["correlation_after"]["mean"] < 0
    figures = strict((evaluated.folder / "figures.json").read_text("utf-8"))
    assert [f"{each['name']}.png" for each in figures] == [
        FEATURES, SIGNALS, DIFFERENCES.format(1), DIFFERENCES.format(2)
    ]  # fmt: skip


# What the terminal shows


@pytest.mark.parametrize("columns", [72, 80, 100, 160])
def test_the_terminal_shows_all_columns(found, columns):
    shown = shown_in(found, columns)
    text = " ".join(shown.split())
    for heading in METRICS.values():
        for word in heading.split():
            assert word in text, word
    assert "(64.60)" in text  # lag's SD of the paper's 2D network, the widest cell
    rows = ("No translation", "Exp to Exp", "Ali et al. 2022", "Sim to Exp: Recycle GAN")
    for row in rows if columns > 100 else ():
        assert row in text
    table = [line for line in shown.splitlines() if line.startswith(" ")]
    assert max(len(line) for line in table) <= columns
    assert ("0.43 (0.10)" in text) == (columns >= 100)


def test_what_is_shown_and_where_it_is(musim, stores, no_figures, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    done = musim("evaluate", "translate", "t.zarr", "--b", "b.zarr", "-o", "e", "--workers", 1)
    assert done.code == 0, done.err
    for name in ("No translation", "t", "2D cycleGAN"):
        assert f"Sim to Exp: {name}" in done.out
    assert "Exp to Exp: No translation" in done.out
    last = done.out.strip().splitlines()[-1]
    assert re.fullmatch(r"e: table\.csv, figures \(\d+ s\)\. Look at them: musim report e", last)
    assert done.err.splitlines()[-1] == "comparing: 6/6 sequences"


def test_alarms_name_their_translation(musim, stores, no_figures):
    done = musim(
        "evaluate", "translate", "t.zarr", "inverted.zarr", "--b", "b.zarr", "--workers", 1
    )
    assert done.code == 0, done.err
    alarms = [line for line in done.out.splitlines() if line.startswith("Alarm: ")]
    assert len(alarms) == 1
    assert alarms[0].startswith("Alarm: inverted: contraction comes out as relaxation in 2 of 2")


def test_names_are_shown_as_they_are(found):
    (translation,) = found.translations
    text = shown_in(found, 160)
    assert f"Sim to Exp: {NAME}" in text
    assert f"\n{NAME}: labels: " in text
    odd = "a [/] [bold]b[/bold] c"
    translation = dataclasses.replace(translation, name="[/x]", alarms=(odd,))
    text = shown_in(dataclasses.replace(found, translations=(translation,)), 160)
    assert f"Alarm: [/x]: {odd}" in text


def test_without_truth_labels_are_not_compared_and_that_is_said(
    musim, stores, tmp_path, no_figures
):
    done = musim("evaluate", "translate", "of-recorded.zarr", "--b", "b.zarr", "-o", "e",
                 "--workers", 1)  # fmt: skip
    assert done.code == 0, done.err
    assert "of-recorded: labels: not compared" in done.out
    assert (tmp_path / "e" / "units.csv").read_bytes() == b""
    assert musim("report", "e").code == 0
    assert "Not compared: there is no truth" in (tmp_path / "report.html").read_text("utf-8")


def test_labels_are_those_of_the_simulated_store(musim, stores, tmp_path, no_figures):
    done = musim("evaluate", "translate", "plain.zarr", "--b", "b.zarr", "-o", "e", "--workers", 1)
    assert done.code == 0, done.err
    assert "plain: labels: correlation before 1" in done.out
    assert read(tmp_path / "e" / "units.csv")


def test_one_experimental_sequence_has_no_other_to_be_compared_with(
    musim, stores, tmp_path, no_figures
):
    done = musim("evaluate", "translate", "t.zarr", "--b", "one.zarr", "-o", "e", "--workers", 1)
    assert done.code == 0, done.err
    last = [row for row in read(tmp_path / "e" / "table.csv") if row["source"] == "here"][-1]
    assert last["direction"] == "Exp to Exp"
    assert [last[name] for name in PAIR_METRICS] == [""] * 4
    found = strict((tmp_path / "e" / "table.json").read_text("utf-8"))
    assert found["rows"][-1]["scores"]["histogram_distance"]["mean"] is None
    assert musim("report", "e").code == 0


def test_an_evaluation_is_replaced_only_when_asked(musim, refused, tmp_path, no_figures):
    command = ["evaluate", "translate", "t.zarr", "--b", "b.zarr", "-o", "e", "--workers", 1]
    assert musim(*command).code == 0
    refused(["e: found an evaluation there", "--overwrite"], *command)
    before = (tmp_path / "e" / "table.csv").read_bytes()
    (tmp_path / "e" / "notes.txt").write_text("mine")
    assert musim(*command, "--overwrite").code == 0
    assert (tmp_path / "e" / "table.csv").read_bytes() == before
    assert (tmp_path / "e" / "notes.txt").read_text() == "mine"


# What does not go


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["STORE", "--help"]),
        (["t.zarr"], ["--b", "--help"]),
        (["none.zarr", "--b", "b.zarr"], ["none.zarr: found nothing there"]),
        (["t.zarr", "--b", "none.zarr"], ["none.zarr: found nothing there"]),
        (["t.zarr", "--b", "b.zarr", "--a", "none.zarr"], ["none.zarr: found nothing there"]),
        (["silent.zarr", "--b", "b.zarr"], ["silent.zarr: found recordings imported"]),
        (["b.zarr", "--b", "b.zarr"], ["b.zarr: found sequences drawn", "a translated"]),
        (["t.zarr", "of-recorded.zarr", "--b", "b.zarr"], ["a.zarr", "recorded.zarr", "apart"]),
        (["t.zarr", "--b", "rate.zarr"], ["rate.zarr: found", "250 Hz", "200 Hz"]),
        (["t.zarr", "--b", "size.zarr"], ["size.zarr: found 32 x 36 px", "32 x 32 px"]),
        (["t.zarr", "--b", "frames.zarr"], ["frames.zarr", "48 frames", "64 frames"]),
        (["t.zarr", "--b", "b.zarr", "--a", "rate.zarr"], ["250 Hz"]),
        (["t.zarr", "--b", "b.zarr", "--a", "other.zarr"], ["t.zarr: found another truth"]),
        (["t.zarr", "--b", "b.zarr", "--a", "one.zarr"], ["t.zarr: found 3 sequences", "the 1"]),
        (["nan.zarr", "--b", "b.zarr"], ["nan.zarr", "not finite", "sequence 1"]),
        (["still.zarr", "--b", "b.zarr"], ["still.zarr", "all alike"]),
        (["t.zarr", "--b", "b.zarr", "--workers", "0"], ["workers: found 0"]),
        (["t.zarr", "--b", "b.zarr", "-o", "s3://x"], ["s3://x: found a URL"]),
        (["t.zarr", "--b", "b.zarr", "-o", "t.zarr"], ["t.zarr", "not an evaluation"]),
        (["t.zarr", "--b", "b.zarr", "-o", "t.zarr", "--overwrite"], ["not an evaluation"]),
    ],
)
def test_what_cannot_be_compared_is_one_line(refused, arguments, words):
    workers = [] if "--workers" in arguments else ["--workers", 1]
    refused(words, "evaluate", "translate", *arguments, *workers)


def test_a_place_that_cannot_be_written_is_told_before_the_work(refused, monkeypatch):
    monkeypatch.setattr(evaluation, "open_workers", None)
    refused(["/proc/x: cannot be written"], "evaluate", "translate", "t.zarr", "--b", "b.zarr",
            "-o", "/proc/x")  # fmt: skip


def test_help_tells_what_comes_out(musim):
    shown = musim("evaluate", "translate", "--help").out
    assert all(word in shown for word in ("--a STORE", "--b STORE", "Table 1", "figures"))


# The page


class Elements(HTMLParser):
    """Notes elements with their attributes, and the text of each."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        one = SimpleNamespace(tag=tag, attributes=dict(attrs), text="")
        self.found.append(one)
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(one)

    def handle_endtag(self, tag):
        while self.open.pop().tag != tag:
            pass

    def handle_data(self, data):
        for one in self.open:
            one.text += data

    def all(self, tag):
        return [one for one in self.found if one.tag == tag]


def test_the_page_has_all_tables_and_figures(evaluated):
    found = Elements(evaluated.page)
    assert [one.text for one in found.all("h1")] == [f"{NAME}, inverted"]
    heads = [one.text for one in found.all("th")]
    rows = ["Sim to Exp: No translation", f"Sim to Exp: {NAME}", "Sim to Exp: inverted",
            "Exp to Exp: No translation", "Sim to Exp: 2D cycleGAN"]  # fmt: skip
    for text in (*rows, *METRICS.values()):
        assert text in heads
    images = found.all("img")
    assert len(images) == 4
    assert all(one.attributes["alt"] for one in images)
    summary = [one.text for one in found.all("p") if one.attributes.get("class") == "summary"]
    assert len(summary) == 1
    assert summary[0].startswith("Alarm: inverted: contraction comes out as relaxation")
    columns = [head for head in heads if head.endswith(("before", "after"))]
    assert columns == ["agreement before", "agreement after", "correlation before",
                       "correlation after"]  # fmt: skip


def test_the_page_needs_nothing_else(evaluated):
    page = evaluated.page
    found = Elements(page)
    for one in found.found:
        for key in ("src", "href"):
            assert one.attributes.get(key, "data:").startswith("data:")
        assert not [key for key in one.attributes if key.startswith("on")]
    assert len(found.all("script")) == 1
    assert not re.search(r"@import|url\((?!.?data:|#)", page)
    policies = [one.attributes.get("content", "") for one in found.all("meta")]
    assert any(text.startswith("default-src 'none'; img-src data:") for text in policies)


def test_names_on_the_page_are_text(evaluated):
    assert "<script>alert" not in evaluated.page
    found = Elements(evaluated.page)
    assert found.all("title")[0].text.startswith(f"{NAME}, inverted: ")
    assert [one.text for one in found.all("th")].count(NAME) == 1  # of the labels
    assert [one.text for one in found.all("h2")].count(f"What the translation {NAME} changes") == 1
    assert f"Translated: {NAME}" in [one.text for one in found.all("dt")]


def test_a_translation_without_visible_units_has_no_row_of_labels(evaluated, tmp_path):
    folder = shutil.copytree(evaluated.folder, tmp_path / "e")
    found = json.loads((folder / "table.json").read_text())
    found["survival"][NAME] = {}
    (folder / "table.json").write_text(json.dumps(found))
    heads = [one.text for one in Elements(translation_page(Location(folder))).all("th")]
    assert "inverted" in heads
    assert NAME not in heads


def test_a_page_is_of_the_whole_evaluation(musim, evaluated, refused):
    refused(["found an evaluation and --sequence"], "report", evaluated.folder, "--sequence", 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [("table.json", "{}"), ("table.json", "[]"), ("table.json", "nothing"),
     ("figures.json", "[{}]"), ("figures.json", "{"), (FEATURES, None)],
)  # fmt: skip
def test_what_is_damaged_is_one_line(evaluated, refused, tmp_path_factory, name, content):
    folder = shutil.copytree(evaluated.folder, tmp_path_factory.mktemp("damaged") / "e")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(FailureError) as caught:
        translation_page(Location(folder))
    assert "\n" not in str(caught.value)
    refused([str(folder)], "report", folder, code=1)


@pytest.fixture(scope="module")
def browser(evaluated):
    """Return a headless browser, without which these tests are skipped."""
    with headless() as opened:
        yield opened


@pytest.mark.parametrize("width", [400, 1280])
def test_in_a_browser_all_is_seen_and_nothing_is_asked_for(browser, evaluated, width):
    url = evaluated.folder.with_suffix(".html").as_uri()
    troubles = []
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message) or dialog.dismiss())
        page.on(
            "request", lambda one: one.url.startswith(("data:", url)) or troubles.append(one.url)
        )
        page.goto(url)
        shown = page.locator("h1, table, img.chart")
        assert shown.count() == 8
        for index in range(shown.count()):
            box = shown.nth(index).bounding_box()
            assert min(box["width"], box["height"]) > 5
        loaded = "(all) => all.every((one) => one.complete && one.naturalWidth > 100)"
        assert page.eval_on_selector_all("img", loaded)
        # Only tables may be wider than the screen, and those scroll by themselves.
        assert page.evaluate("document.documentElement.scrollWidth") == width
        head = page.locator("[data-picker=scores] thead button").nth(1)
        head.click()
        values = page.eval_on_selector_all(
            "[data-picker=scores] tbody tr > :nth-child(2)",
            "(all) => all.map((one) => Number(one.dataset.value))",
        )
        assert values == sorted(values)
    finally:
        context.close()
    assert not troubles
