"""What a page says of how far units may be believed."""

import dataclasses

import numpy as np
import pytest

from musim.cli.pages.findings import read_findings
from musim.cli.pages.recording import recording_page
from musim.training.identification.confidence.parts import Parts
from musim.training.identification.unit_table import table_rows
from tests.cli.pages.test_pages import HOSTILE, Parsed, made

GOOD, BAD = 0, 2
"""Units as they lie in the store."""


@pytest.fixture(scope="module")
def store(tmp_path_factory, store_of_units, nearly):
    """A result whose units are not in the order of their confidence."""
    folder = tmp_path_factory.mktemp("confidence")
    source = made(folder / "muscle.zarr")
    units = nearly(source.truth(0))
    ones = np.ones(units.count)
    parts = Parts(
        method_confidence=0.4 * ones, map_repeatability=np.array([0.97, 0.9, 0.21, 0.9]),
        train_repeatability=0.98 * ones, firing_repeatability=ones, pulse_to_noise=6.0 * ones,
        local_share=np.array([0.9, 0.8, 0.12, 0.7]), local_share_of_all=ones,
        mixture_share=0 * ones, stronger_likeness=0.2 * ones,
        epoch_jaccard=np.array([0.9, 0.8, 0.0, 0.7]), epoch_agreement=np.nan * ones,
        interval_variation=0.2 * ones,
        area=30.0 * ones,
    )  # fmt: skip
    units = dataclasses.replace(
        units, parts=parts, confidence=np.array([0.9, 0.85, 0.11, 0.97]), cut=2
    )
    return store_of_units(folder / "units.zarr", source, [units])


@pytest.fixture(scope="module")
def page(store):
    return Parsed(recording_page(read_findings(store, 0)))


def test_units_are_sorted_by_confidence(store, page):
    assert [unit.number for unit in read_findings(store, 0).units] == [3, 0, 1, 2]
    for name in ("units", "confidence"):
        _, *rows = page.rows(name)
        assert [row[0]["text"].rstrip("*") for row in rows] == ["3", "0", "1", "2"]
        assert [row[1]["text"] for row in rows] == ["0.97", "0.90", "0.85", "0.11"]
        # They do not pretend to be sorted by number.
        head = page.rows(name)[0]
        assert {cell["attributes"]["aria-sort"] for cell in head} == {"none"}
    assert page.rows("missed")[0][0]["attributes"]["aria-sort"] == "ascending"
    trains = [one["attributes"]["data-key"] for one in page.all("div", "row")]
    assert trains[:4] == ["u3", "u0", "u1", "u2"]


def test_the_numbers_are_the_stores(store, page):
    head, *rows = page.rows("confidence")
    names = [cell["text"] for cell in head]
    for row, unit in zip(rows, (3, 0, 1, 2), strict=True):
        cells = dict(zip(names, (cell["text"] for cell in row), strict=True))
        assert cells["By the method itself"] == "0.40"
        jaccard = float(store.read("map_repeatability", 0)[unit])
        assert cells["Map repeats (Jaccard)"] == f"{jaccard:.2f}"
        share = float(store.read("local_share", 0)[unit])
        assert cells["Explains of motion there"] == f"{100 * share:.0f} %"
        assert cells["Twitches over rest (dB)"] == "6.0"
        assert float(cells["In epochs anew: map (Jaccard)"]) == store.read("epoch_jaccard", 0)[unit]
        assert "In epochs anew: firings" not in cells  # nobody has asked for it


def test_what_is_doubted_says_why(store, page):
    head, *rows = page.rows("confidence")
    place = [cell["text"] for cell in head].index("Why it is doubted")
    said = [row[place]["text"] for row in rows]
    assert said[:3] == ["", "", ""]
    assert "its map does not repeat from epoch to epoch (Jaccard 0.21)" in said[3]
    assert said[3] == table_rows(store, 0)[BAD]["doubts"]
    train = page.all("div", "row", data_key="u2")[0]
    assert "confidence 0.11: its map does not repeat" in train["attributes"]["aria-label"]
    text = page.all("p", "summary")[0]["text"]
    assert "1 unit of confidence below 0.8 is doubted." in text
    assert "2 units less sure than was asked for were left out." in text


def test_reasons_are_text_and_never_markup(store):
    findings = read_findings(store, 0)
    rotten = dataclasses.replace(
        findings.units[0], measures=findings.units[0].measures | {"doubts": HOSTILE}
    )
    text = recording_page(dataclasses.replace(findings, units=(rotten, *findings.units[1:])))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    Parsed(text)


def test_a_store_of_an_earlier_version_has_no_such_table(tmp_path, store_of_units, nearly):
    source = made(tmp_path / "muscle.zarr")
    old = store_of_units(tmp_path / "units.zarr", source, [nearly(source.truth(0))], earlier=True)
    page = Parsed(recording_page(read_findings(old, 0)))
    assert not page.all("table", data_picker="confidence")
    _, *rows = page.rows("units")
    assert [row[0]["text"].rstrip("*") for row in rows] == ["0", "1", "2", "3"]
    assert "doubted" not in page.all("p", "summary")[0]["text"]
