"""``musim train segment`` and ``musim evaluate thickness``, as a user meets them."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from musim.training.sections.image_source import ImageSource

TINY = ("--steps", 2, "--set", "maps=2", "--set", "levels=2", "--set", "fold=1", "--set",
        "validate_every=1", "--batch-size", 2, "--accelerator", "cpu")  # fmt: skip


@pytest.fixture
def images(tmp_path):
    """Write noise with two lines, and these as masks beside, as a folder of each."""
    random = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(20):
        mask = np.zeros((32, 32), np.uint8)
        mask[number % 9 : number % 9 + 2], mask[20:22] = 255, 255
        image = random.integers(0, 200, mask.shape).astype(np.uint8) + mask // 5
        for name, values in (("images", image), ("masks", mask)):
            Image.fromarray(values).save(tmp_path / name / f"{number:02d}.png")
    return tmp_path / "images"


def test_a_network_is_trained_on_a_folder_and_goes_on(musim, images):
    asked = ("train", "segment", "--data", "images", *TINY, "--out", "run", "--json")
    done = musim(*asked, "--shares", "0.6,0.2,0.2", "--split-seed", 3)
    assert done.code == 0, done.err
    run = json.loads((images.parent / "run" / "run.json").read_text())
    source = ImageSource.from_json(run["source"])
    assert (source.shares, source.seed, source.size) == ((0.6, 0.2, 0.2), 3, (256, 256))
    assert len(source.own) == 12
    assert musim("train", "segment", "--out", "run", "--resume", "--steps", 3).code == 0


@pytest.mark.parametrize(("options", "words"), [
    (("--out", "run"), ("found no --data", "images to train on")),
    (("--out", "run", "--shares", "0.4,0.2,0.4"), ("--shares: found no --data",)),
    (("--out", "run", "--data", "images", "--shares", "0.9,0.2,0.4"), ("found [0.9, 0.2, 0.4]",)),
    (("--out", "run", "--data", "nothing"), ("nothing",)),
    (("--out", "run", "--data", "images", "--masks", "empty"), ("empty", "found no mask")),
])  # fmt: skip
def test_what_cannot_be_trained_on_is_one_line(musim, images, options, words):
    (images.parent / "empty").mkdir()
    done = musim("train", "segment", *options)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert all(word in done.err for word in words), done.err
    assert not (images.parent / "run").exists()


def test_tables_say_what_each_network_trained_on(musim, images):
    asked = ("evaluate", "thickness", "--data", "images", *TINY[:-4], "--set", "batch_size=2",
             "--accelerator", "cpu", "--set", "validation_batches=1")  # fmt: skip
    done = musim(*asked)
    assert done.code == 0, done.err
    assert all(word in done.out for word in ("real", "50%", "10%", "0.850", "thickness.csv"))
    assert not any("…" in line for line in done.out.splitlines())
    assert (images.parent / "thickness" / "thickness-found.png").is_file()
    done = musim(*asked, "--resume", "--json")
    assert set(json.loads(done.out)["summaries"]) == {"real", "50%", "30%", "10%"}
    assert musim("report", "thickness").code == 0
    page = (images.parent / "report.html").read_text()
    assert all(f'<th scope="row" data-value="{number}"' in page for number in (0, 1, 2))
    assert page.count("data:image/png;base64") == 3
    assert "0.842" in page
    table = images.parent / "thickness" / "thickness.csv"
    table.rename(images.parent / "kept.csv")
    assert "found an unfinished evaluation" in musim("report", "thickness").err
    (images.parent / "thickness" / "thickness.csv").write_text("experiment,drawn\nreal,x\n")
    assert "evaluate again with --overwrite" in musim("report", "thickness").err
    both = musim(*asked, "--resume", "--overwrite")
    assert both.code == 2
    assert "found both --resume and --overwrite" in both.err
