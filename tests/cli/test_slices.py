"""What commands say and draw of a store of slices."""

import json

import numpy as np
from PIL import Image


def test_slices_are_told_of(slices_store, musim):
    place = slices_store.location.address
    told = musim("info", place)
    assert told.code == 0
    for words in (
        "slices (intensities written, float32)", "one slice, in two pictures",
        "data card of slices", "sagittal", "20 x 40", "slices imported from t1.nii", "image_b",
    ):  # fmt: skip
        assert words in told.out
    plain = json.loads(musim("info", place, "--json").out)
    assert plain["slices"]["planes"][2]["slices"] == 2
    assert plain["sources"][0]["files"] == [["t1.nii", "0" * 64]]
    assert musim("verify", place).code == 0


def test_slices_are_drawn(slices_store, musim, tmp_path):
    place, picture = slices_store.location.address, tmp_path / "slice.png"
    drawn = []
    for _ in range(2):
        assert musim("preview", place, "--sequence", "2", "--out", picture).code == 0
        drawn.append(picture.read_bytes())
    assert drawn[0] == drawn[1]
    assert np.asarray(Image.open(picture)).std() > 10


def test_what_cannot_be_drawn_is_refused(slices_store, musim):
    place = slices_store.location.address
    moving = musim("preview", place, "--out", "slice.gif")
    assert moving.code == 2
    assert "found paired slices through volumes" in moving.err
    beyond = musim("preview", place, "--sequence", "7")
    assert beyond.code == 2
    assert "found sequence 7, wanted 0 to 6" in beyond.err
