"""``musim measure``: a table of images with drawn masks, pictures, a summary, or one line."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

SHAPE = (90, 130)


def table(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def folder(tmp_path):
    """Four images with masks: two muscles, one of which has writing on it, and two without."""
    rows, columns = np.indices(SHAPE)
    across = rows * np.cos(0.35) + columns * np.sin(0.35)
    grey = (100 + 60 * np.sin(across / 1.5)).astype(np.uint8)
    masks = np.zeros((4, *SHAPE), np.uint8)
    masks[:2, 18:22] = masks[:2, 68:72] = masks[2, 18:22] = 255
    for folder in ("scans", "masks"):
        (tmp_path / folder).mkdir()
    for number, mask in enumerate(masks):
        values = np.repeat(grey[:, :, None], 3, axis=2)
        if number == 1:
            values[:10, :20] = (255, 255, 0)
        Image.fromarray(values).save(tmp_path / "scans" / f"{number}.png")
        Image.fromarray(mask).save(tmp_path / "masks" / f"{number}.png")
    return tmp_path


def test_a_folder_becomes_a_table_with_reasons_and_a_summary(musim, folder):
    done = musim("measure", "scans", "--masks", "masks", "--out", "table.csv")
    assert done.code == 0, done.err
    rows = table(folder / "table.csv")
    assert [row["image"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["reason"] for row in rows] == [
        "", "", "one aponeurosis only", "no aponeurosis found"
    ]  # fmt: skip
    assert float(rows[0]["thickness_px"]) == pytest.approx(50)
    assert float(rows[0]["pennation_deg"]) == pytest.approx(np.degrees(0.35), abs=0.6)
    assert (rows[0]["thickness_mm"], rows[3]["thickness_px"]) == ("", "")
    said = (
        "4 images, 2 measured",
        "thickness: median 50.0 px",
        "pennation: median ",
        "0.7-1.5 degrees",
        "one aponeurosis only in 1 image (2)",
        "annotations in colour in 1 image (1)",
        "--pixel-size",
        "wrote table.csv",
    )
    assert [words for words in said if words not in done.out] == []


def test_millimetres_pictures_and_what_is_usual(musim, folder):
    done = musim("measure", "scans", "--pixel-size", "0.1,0.2", "--unit", "mm",
                 "--pictures", "pictures")  # fmt: skip
    assert done.code == 0, done.err
    assert "thickness: median 5.0 mm" in done.out
    assert "wrote muscles.csv, pictures in pictures" in done.out
    shown = sorted((folder / "pictures").iterdir())
    assert [path.name for path in shown] == ["0.png", "1.png", "2.png", "3.png"]
    with Image.open(shown[0]) as picture:
        # As wide as twice its height and more, below a line of text.
        assert picture.width == 720
        assert picture.height == pytest.approx(720 * 90 / 260 + 48, abs=2)


def test_programs_are_told_the_rows(musim, folder):
    done = musim("measure", "scans", "--json")
    told = json.loads(done.out)
    assert (told["images"], told["measured"], told["table"]) == (4, 2, "muscles.csv")
    assert told["rows"][0]["thickness_px"] == pytest.approx(50)
    assert told["rows"][2]["thickness_px"] is None


def test_a_table_of_sizes_scales_each_image(musim, folder):
    lines = ["name,pixel_depth_mm", "0,0.1", "1,0.2", "2,0.1", "3,0.1"]
    (folder / "sizes.csv").write_text("\n".join(lines))
    assert musim("measure", "scans", "--sizes", "sizes.csv").code == 0
    rows = table(folder / "muscles.csv")
    assert [float(row["thickness_mm"]) for row in rows[:2]] == pytest.approx([5, 10])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none"], ["none: found nothing", "a folder of images"]),
        (["scans", "--masks", "none"], ["none: found nothing", "masks of scans"]),
        (["scans", "--masks", "empty"], ["found no mask of 0.png", "--masks"]),
        (["scans", "--masks", "small"], ["small/0.png", "found a mask of 129 x 90 px"]),
        (["scans", "--unit", "mm"], ["scans/0.png", "no size of its pixels", "--pixel-size"]),
        (["scans", "--pixel-size", "wide"], ["--pixel-size", "'wide'", "0.08,0.1"]),
        (["scans", "--pixel-size", "0"], ["--pixel-size", "'0'"]),
        (["scans", "--pixel-size", "1", "--sizes", "x.csv"], ["both --pixel-size and --sizes"]),
        (["scans", "--sizes", "x.csv"], ["x.csv", "wanted a CSV file"]),
        (["scans", "--sizes", "x.csv", "--out", "./x.csv"], ["found the table of sizes"]),
        (["scans", "--out", "table.txt"], ["table.txt", "'.txt'", ".csv"]),
        (["scans", "--out", "none/table.csv"], ["found no folder none"]),
        (["scans", "--pictures", "scans"], ["scans: found images or masks there"]),
        (["scans", "--pictures", "masks"], ["masks: found images or masks there"]),
        (["broken"], ["broken/1.png", "found no image"]),
        ([], ["IMAGES"]),
    ],
)
def test_what_is_wrong_is_one_line(musim, folder, arguments, words):
    for name in ("empty", "small", "broken"):
        (folder / name).mkdir()
    mask = Image.open(folder / "masks" / "0.png")
    mask.crop((0, 0, 129, 90)).save(folder / "small" / "0.png")
    mask.save(folder / "broken" / "0.png")
    mask.save(folder / "broken" / "0_mask.png")
    (folder / "broken" / "1.png").write_text("no image")
    before = sorted(folder.rglob("*"))
    done = musim("measure", *arguments)
    assert done.code == 2
    (line,) = [text for text in done.err.splitlines() if not text.startswith("measuring: ")]
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert sorted(folder.rglob("*")) == before
