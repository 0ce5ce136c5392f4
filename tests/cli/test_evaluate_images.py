"""``musim evaluate images`` and its page."""

import json

import numpy as np
import pytest
from PIL import Image

from musim.cli.pages.likeness import likeness_page
from musim.datasets.location import Location
from musim.simulator import FailureError
from musim.training.sections.likeness import evaluation, figures

EVIL = "_<script>alert('1')&[red]$x_$"
"""A name that is HTML, that is markup of the terminal, and mathematics to matplotlib."""


@pytest.fixture
def folders(tmp_path):
    random = np.random.default_rng(0)
    for name, bright in (("real", 30), (EVIL, 50)):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(8):
            values = np.clip(random.gamma(2, bright / 2, (40, 40)), 0, 255).astype(np.uint8)
            Image.fromarray(values).save(folder / f"{name}{number}.png")


def test_tables_and_a_folder(musim, folders, tmp_path):
    done = musim("evaluate", "images", "real", EVIL, "--out", "likeness")
    assert done.code == 0, done.err
    assert "8 real images in 8 groups, 8 other images, 40 x 40 px." in done.out
    for title in ("Grey levels", "Pairs of images", "distributions of features", "by heart?"):
        assert title in done.out
    assert "LPIPS: not available" in done.out
    assert "Remark: 8 real and 8 other images are few" in done.out
    assert "musim report likeness" in done.out.splitlines()[-1]
    assert (tmp_path / "likeness/measures.csv").exists()
    page = musim("report", "likeness", "--out", "page.html")
    assert page.code == 0, page.err
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text.count("data:image/png") == 5
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "Fréchet distance" in text
    numbers = json.loads((tmp_path / "likeness/likeness.json").read_text())["likeness"]
    ssim = numbers["pairs"]["ssim"]["between"]
    assert f"{ssim['mean']:.2f} ({ssim['sd']:.2f})" in done.out
    assert f"{ssim['mean']:.2f} ({ssim['sd']:.2f})" in text


def test_json(musim, folders, tmp_path):
    done = musim("evaluate", "images", "real", EVIL, "--json", "--train", EVIL)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["evaluation"] is None
    assert found["images"]["train"] == 8
    assert found["memorisation"]["copies"] == 1
    assert not (tmp_path / "likeness").exists()


def test_the_options_that_reach_the_library(musim, folders, monkeypatch):
    calls = []

    def note(*arguments, **options):
        calls.append((arguments, options))
        raise SystemExit(0)

    monkeypatch.setattr(evaluation, "evaluate_images", note)
    musim("evaluate", "images", "a", "b", "--train", "c", "--seed", 4, "--features", "r",
          "-o", "d", "--overwrite")  # fmt: skip
    assert calls == [
        (("a", "b", "d"), {"train": "c", "features": "r", "seed": 4, "overwrite": True})
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("real", "nothing"), ("nothing", "found")),
        (("real", "one"), ("other images: found 1", "wanted 2 or more")),
        (("real", "real", "--out", "real"), ("found something that is not an evaluation",)),
        (("real", "real", "--features", "no-run"), ("no-run", "found")),
        (("real", "real", "--seed", "-1"), ("seed: found -1", "wanted an integer from 0")),
    ],
)
def test_wrong_inputs_are_one_line(musim, folders, tmp_path, unchanged, arguments, words):
    (tmp_path / "one").mkdir()
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "one/a.png")
    with unchanged():
        done = musim("evaluate", "images", *arguments)
    assert done.code == 2
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "Traceback" not in done.err
    assert [word for word in words if word not in errors[0]] == [], errors[0]


def test_a_page_of_damaged_tables(musim, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "draw_charts", lambda found: [])
    assert musim("evaluate", "images", "real", EVIL, "--out", "likeness").code == 0
    place = tmp_path / "likeness/likeness.json"
    content = json.loads(place.read_text())
    del content["likeness"]["pairs"]
    place.write_text(json.dumps(content))
    with pytest.raises(FailureError, match="found tables of another form"):
        likeness_page(Location(tmp_path / "likeness"))
