"""``musim import`` of images: told apart from recordings, imported, shown, or one line."""

import json

import numpy as np
import pytest
from PIL import Image

GREY = np.random.default_rng(1).integers(0, 256, (60, 80), np.uint8)


@pytest.fixture
def scans(tmp_path):
    """Two images on a screen, one with annotations in colour, both drawn on."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "masks").mkdir()
    screen = np.zeros((120, 160), np.uint8)
    screen[20:80, 40:120] = GREY
    mask = np.zeros((120, 160), bool)
    mask[30:34, 40:120] = mask[60:64, 40:120] = True
    for number in range(2):
        values = np.repeat(screen[:, :, None], 3, axis=2)
        values[100:108, :20] = (255, 255, 0) if number else 0
        Image.fromarray(np.roll(values, -number, axis=0)).save(folder / f"{number}.png")
        Image.fromarray(np.roll(mask, -number, axis=0)).save(folder / "masks" / f"{number}.png")
    return folder


def test_a_folder_becomes_a_store_that_every_command_takes(musim, scans, tmp_path):
    done = musim("import", "scans", "--crop", "auto", "--pixel-size", "0.1", "--pixels", "64x48",
                 "--out", "i.zarr")  # fmt: skip
    assert done.code == 0, done.err
    assert "2 images of 64 x 48 px" in done.err
    assert "2 with aponeuroses drawn, in 1 group by likeness" in done.err
    assert "cropped 2 images (0, 1): from column,row" in done.err
    assert "annotations in colour in 1 image (1)" in done.err
    assert "i.zarr is done" in done.out
    assert musim("verify", "i.zarr").code == 0
    shown = musim("info", "i.zarr").out
    for words in ("images imported from 0.png and 1 more", "on 2 of 2 images", "0.png", "cropped"):
        assert words in shown
    told = json.loads(musim("info", "i.zarr", "--json").out)
    assert [one["file"] for one in told["sources"]] == ["0.png", "1.png"]
    assert (told["images"]["drawn"], told["images"]["cropped"]) == (2, 2)
    assert told["images"]["depths_mm"] == pytest.approx([6, 6], abs=0.4)
    measured = musim("measure", "i.zarr", "--unit", "mm", "--out", "i.csv", "--pictures", "drawn")
    assert measured.code == 0, measured.err
    assert "aponeuroses: as drawn" in measured.out
    assert "2 images, 2 measured" in measured.out
    assert "thickness: median 3.0 mm" in measured.out
    assert "truth" not in measured.out
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["0.png", "1.png"]
    assert musim("preview", "i.zarr", "--out", "i.png").code == 0
    with Image.open(tmp_path / "i.png") as picture:
        assert picture.width > 1000


def test_programs_are_told_what_was_imported(musim, scans):
    done = musim("import", "scans", "--json", "--out", "i.zarr")
    told = json.loads(done.out)
    assert (told["images"], told["image"], told["drawn"]) == (2, [256, 256], 2)
    assert (told["groups"], told["unknown_scale"], told["coloured"]) == (1, 2, ["1"])


def test_single_files_that_may_be_either_need_a_word(musim, scans, tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.tif")
    Image.fromarray(GREY).save(tmp_path / "b.png")
    done = musim("import", "a.tif", "--out", "i.zarr")
    assert done.code == 2
    assert "a.tif: found a file that may be a recording" in done.err
    assert "--images" in done.err
    assert "--kind" in done.err
    assert musim("import", "a.tif", "--images", "--out", "i.zarr").code == 0
    assert musim("import", "b.png", "--out", "j.zarr").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["empty"], ["empty: found no images", ".png"]),
        (["scans", "--crop", "1,2,3"], ["--crop: found '1,2,3'", "or auto"]),
        (["scans", "--crop", "0,0,200,9"], ["found an image of 120 x 160 px", "--crop 0,0,200,9"]),
        (["scans", "--masks", "none"], ["none: found nothing there", "masks of scans"]),
        (["scans", "--masks", "empty"], ["found no mask of 0.png", "--masks"]),
        (["scans", "--pixels", "wide"], ["--pixels: found 'wide'", "256x256"]),
        (["scans", "--pixel-size", "0"], ["--pixel-size: found '0'"]),
        (["scans", "--images", "--kind", "iq"], ["found --kind for images"]),
        (["scans", "--images", "--median", "3"], ["found --median for images"]),
        (["scans", "v.npy"], ["v.npy: found a file that may be a recording"]),
        (["v.npy", "--kind", "velocity", "--crop", "auto"], ["found --crop for recordings"]),
        (["broken.png"], ["broken.png: found an image that cannot be read"]),
    ],
)
def test_what_is_wrong_is_one_line(musim, scans, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "v.npy", np.zeros((9, 8, 8), np.float32))
    content = (scans / "0.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(content[: len(content) // 2])
    before = sorted(tmp_path.rglob("*"))
    done = musim("import", *arguments, "--out", "i.zarr")
    assert done.code == 2
    (line,) = [text for text in done.err.splitlines() if not text.startswith("reading: ")]
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert sorted(tmp_path.rglob("*")) == before


def test_simulated_images_are_measured_beside_their_truth(musim, tmp_path):
    made = musim("generate", "--preset", "katakis-2023", "-n", "2", "--out", "s.zarr")
    assert made.code == 0
    done = musim("measure", "s.zarr", "--out", "s.csv")
    assert done.code == 0, done.err
    for what in ("thickness less the truth: median ", "pennation less the truth: median "):
        assert what in done.out
    assert "true_pennation_deg" in (tmp_path / "s.csv").read_text().splitlines()[0]
    for more in (("--out", "s.zarr/s.csv"), ("--pictures", "s.zarr/p")):
        inside = musim("measure", "s.zarr", *more)
        assert inside.code == 2
        assert "found it in the store of images" in inside.err
    masks = musim("measure", "s.zarr", "--masks", "s.zarr")
    assert masks.code == 2
    assert "found --masks of a store" in masks.err


def test_millimetres_of_images_without_any_are_refused(musim, scans):
    assert musim("import", "scans", "--out", "i.zarr").code == 0
    done = musim("measure", "i.zarr", "--unit", "mm")
    assert done.code == 2
    assert "i.zarr, image 0 (0): found no size of its pixels" in done.err
