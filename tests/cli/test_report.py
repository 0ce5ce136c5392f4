"""``musim report``: which pages it writes, how they are linked, and what it refuses."""

import json
import re

import numpy as np
import pytest

from musim.datasets import generate, open_store
from musim.simulator import Parameters, Range
from musim.training.csv_tables import csv_text
from musim.training.identification.units import Units


@pytest.fixture(scope="module")
def results(tmp_path_factory, store_of_units, nearly):
    """Stores of the units found in three recordings, and in one."""
    folder = tmp_path_factory.mktemp("report")
    parameters = Parameters(
        units=Range(3, 3), pixels=(12, 12), size=(12.0, 12.0), diameter=Range(3, 5), frames=60
    )
    for name, count in (("three", 3), ("one", 1)):
        source = generate(
            parameters, folder / f"{name}-source.zarr", sequences=count, kind="rendered",
            workers=1, pool="threads",
        )  # fmt: skip
        found = [nearly(source.truth(index)) for index in range(count)]
        store_of_units(folder / f"{name}.zarr", source, found)
    return folder


@pytest.fixture
def evaluated(tmp_path):
    """Return a folder as musim evaluate writes it."""
    folder = tmp_path / "evaluation"
    folder.mkdir()
    settings = {"method": "refine", "protocol": "ali-2020", "axis": "units",
                "software": json.dumps({"musim": "1"})}  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(settings))
    scores = dict.fromkeys(
        ("detection_recall", "detection_precision", "mask_recall", "mask_precision", "mask_iou",
         "rate_of_agreement", "firing_recall", "firing_precision"), 0.75,
    )  # fmt: skip
    rows = [{"units": units, "snr": 10.0, "sequence": 0, "matches": 1, "predictions": 2,
             "seconds": 0.5, **scores} for units in (1, 5)]  # fmt: skip
    (folder / "sequences.csv").write_text(csv_text(rows))
    (folder / "units.csv").write_text(csv_text([{"unit": 0, "found": 1, "iou": 0.9, "overlap": 0}]))
    return folder


def test_one_recording_makes_one_page_under_the_usual_name(results, musim, tmp_path):
    done = musim("report", results / "one.zarr")
    assert (done.code, done.out) == (0, "report.html is written.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "<h1>one-source.zarr, sequence 0</h1>" in (tmp_path / "report.html").read_text("utf-8")


def test_several_recordings_make_linked_pages(results, musim, tmp_path):
    done = musim("report", results / "three.zarr", "--out", "a b.html")
    assert (done.code, done.out) == (0, "a b-000000.html and 2 more are written.\n")
    assert "drawing: 3/3 pages" in done.err
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"a b-{index:06d}.html" for index in range(3)]
    texts = [(tmp_path / name).read_text("utf-8") for name in names]
    links = [re.findall(r'<a href="([^"]*)" rel="(\w+)"', text) for text in texts]
    first, second, third = (f"./a%20b-{index:06d}.html" for index in range(3))
    assert links == [
        [(second, "next")], [(first, "prev"), (third, "next")], [(second, "prev")],
    ]  # fmt: skip
    for index, text in enumerate(texts):
        assert f"<h1>three-source.zarr, sequence {index}</h1>" in text
        assert f"Recording {index + 1} of 3" in text


def test_one_of_several_recordings(results, musim, tmp_path):
    done = musim("report", results / "three.zarr", "-i", "1", "-o", "second.htm")
    assert done.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["second.htm"]
    text = (tmp_path / "second.htm").read_text("utf-8")
    assert "sequence 1</h1>" in text
    assert "<nav" not in text


def test_the_page_shows_the_numbers_of_the_store(results, musim, tmp_path):
    musim("report", results / "one.zarr")
    store = open_store(results / "one.zarr")
    text = (tmp_path / "report.html").read_text("utf-8")
    values = [float(v) for v in re.findall(r'<td data-value="([\d.]+)">0\.\d+</td>', text)]
    assert float(np.round(store.read("confidence", 0)[0], 9)) in values


def test_a_page_that_is_there_is_replaced_whole(results, musim, tmp_path):
    (tmp_path / "report.html").write_text("x" * 10**6)
    assert musim("report", results / "one.zarr").code == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")


def test_an_evaluation_makes_one_page(evaluated, musim, tmp_path):
    done = musim("report", evaluated, "-o", "scores.html")
    assert (done.code, done.out) == (0, "scores.html is written.\n")
    text = (tmp_path / "scores.html").read_text("utf-8")
    assert "<h1>refine on ali-2020</h1>" in text
    assert text.count("<img ") == 3


def test_known_firings_of_an_imported_recording_are_shown(musim, tmp_path, store_of_units):
    t, z, x = np.ogrid[:60, :8, :6]
    np.save("tvi.npy", np.cos(0.4 * t + 0.1 * z * x).astype(np.float32))
    (tmp_path / "emg.csv").write_text("onset,unit\n0.05,<b>\n0.1,<b>\n0.02,7\n9,7\n")
    done = musim("import", "tvi.npy", "--kind", "velocity", "--axes", "time,depth,width",
                 "--frame-rate", 400, "--image-size", "8x6", "--events", "emg.csv", "-o",
                 "a.zarr")  # fmt: skip
    assert done.code == 0
    territory = np.zeros((1, 8, 6), np.float32)
    territory[0, 2:5, 2:5] = 1
    train = np.sin(np.arange(60) / 3)[None].astype(np.float32)
    units = Units(territory, train, np.array([[0.05, 0.1]]), np.array([0.9]))
    store_of_units(tmp_path / "u.zarr", open_store("a.zarr"), [units])
    assert musim("report", "u.zarr").code == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "comes without truth, but with known firings" in text
    assert "Imported from tvi.npy, from 0 s" in text
    assert 'aria-label="Known unit 7: 1 firing"' in text
    assert 'aria-label="Known unit &lt;b&gt;: 2 firings"' in text
    assert "k0 (7) and k1 (&lt;b&gt;)" in text
    row, rates = re.findall(r'data-key="k1".*?</div>', text)
    assert "<strong>20.0 Hz</strong>" in rates
    x = [float(number) for number in re.findall(r"M([\d.]+) 6.0v", row)]
    np.testing.assert_allclose(x, np.array([0.05, 0.1]) / 0.15 * 1000, atol=0.06)
    assert "Against the truth" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.zarr"], "found nothing there"),
        (["{one}", "-i", "1"], "found sequence 1, wanted 0 to 0"),
        (["{one}", "-i", "-1"], "found sequence -1, wanted 0 to 0"),
        (["{one-source}"], r"found recordings \(rendered\), .* run musim identify"),
        (["{one}", "-o", "page.pdf"], r"found '\.pdf', wanted one of \.html, \.htm"),
        (["{one}", "-o", "no/page.html"], "found no folder no"),
        (["{one}", "-i", "x"], "'x' is not a valid integer"),
        ([], "Missing argument 'RESULT'"),
    ],
)
def test_wrong_input_is_one_line_and_code_2_and_leaves_nothing(
    results, musim, tmp_path, arguments, words
):
    names = {name: results / f"{name}.zarr" for name in ("one", "one-source")}
    done = musim("report", *(argument.format(**names) for argument in arguments))
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(rf"Error: .*{words}.*\n", done.err)
    assert not list(tmp_path.iterdir())


def test_an_evaluation_has_no_sequences_and_must_be_whole(evaluated, musim, tmp_path):
    done = musim("report", evaluated, "-i", "0")
    assert done.code == 2
    assert "wanted no --sequence" in done.err
    (evaluated / "units.csv").unlink()
    done = musim("report", evaluated)
    assert done.code == 2
    assert "unfinished evaluation" in done.err
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("text", ["units,snr\n1,x\n", "some,other\n1,2\n"])
def test_tables_of_another_form_are_a_failure_of_one_line(evaluated, musim, tmp_path, text):
    (evaluated / "sequences.csv").write_text(text)
    done = musim("report", evaluated)
    assert done.code == 1
    assert re.fullmatch("Error: .*evaluate again\n", done.err)
    assert not (tmp_path / "report.html").exists()
