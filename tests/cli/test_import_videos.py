"""``musim import`` of videos: told apart from recordings and images, imported, or one line."""

import json

import numpy as np
import pytest
from PIL import Image

from musim.datasets.store import open_store
from musim.datasets.videos.signal_tables import EMG_CUTOFF
from tests.datasets.importing.image_writers import write_dicom
from tests.datasets.videos.films import FRAMES, SIGNALS, write_film, write_table

pytest.importorskip("imageio_ffmpeg")


@pytest.fixture
def film(tmp_path):
    write_table(tmp_path / "a.csv", SIGNALS)
    return write_film(tmp_path / "a.avi")


def test_a_film_becomes_a_store(musim, film, tmp_path):
    done = musim("import", "a.avi", "--pixel-size", "0.1,0.2", "--participant", "3", "--task",
                 "combined", "--crop", "2,4,20,40", "--out", "v.zarr")  # fmt: skip
    assert done.code == 0, done.err
    assert "1 video of 20 x 40 px of 0.1 x 0.2 mm, 40 frames at 25 Hz" in done.err
    assert "with angle, emg, emg_amplitude, torque at 1000 Hz -> v.zarr" in done.err
    assert "v.zarr is done" in done.out
    store = open_store(tmp_path / "v.zarr")
    np.testing.assert_array_equal(store.bmode(0), FRAMES[:, 2:22, 4:44])
    assert musim("verify", "v.zarr").code == 0
    again = musim("import", "a.avi", "--out", "v.zarr")
    assert again.code == 2
    assert "--overwrite" in again.err


def test_help_tells_the_low_pass_that_is_taken(musim):
    told = " ".join(musim("import", "--help").out.split())
    option = told[told.index("--emg-cutoff") :]
    assert f"[default: {EMG_CUTOFF:g}]" in option[: option.index("]") + 1]


def test_programs_are_told_what_was_imported(musim, film):
    done = musim("import", "a.avi", "--json", "--resample", "500", "--out", "v.zarr")
    told = json.loads(done.out)
    assert (told["videos"], told["frames"], told["image"]) == (1, [40], [30, 44])
    assert (told["frame_rate"], told["sample_rate"]) == (25, 500)
    assert told["participants"] == [-1]
    assert any("--participant or --trials tells" in text for text in told["remarks"])


def test_kinds_are_told_apart(musim, film, tmp_path):
    folder = tmp_path / "cines"
    folder.mkdir()
    write_dicom(folder / "a.dcm", FRAMES, FrameTime=40.0)
    assert musim("import", "cines", "--out", "c.zarr").code == 0
    assert open_store(tmp_path / "c.zarr").is_video
    assert musim("import", "cines/a.dcm", "--out", "d.zarr").code == 0
    Image.fromarray(FRAMES[0]).save(tmp_path / "a.png")
    assert musim("import", "a.png", "--out", "i.zarr").code == 0
    assert open_store(tmp_path / "i.zarr").is_section
    # Sixteen bits may be velocities: somebody has to say.
    write_dicom(tmp_path / "deep.dcm", FRAMES.astype(np.uint16), FrameTime=40.0)
    unsure = musim("import", "deep.dcm", "--out", "e.zarr")
    assert unsure.code == 2
    assert "found a file that may be a recording" in unsure.err
    assert musim("import", "deep.dcm", "--videos", "--out", "e.zarr").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["text.avi"], ["text.avi: found a video that cannot be decoded", "Invalid data"]),
        (["cut.mp4"], ["cut.mp4: found a video that cannot be decoded"]),
        (["a.avi", "--kind", "iq"], ["found --kind for videos"]),
        (["a.avi", "--masks", "."], ["found --masks for videos"]),
        (["a.png", "--signals", "a.csv"], ["found --signals, wanted it for videos alone"]),
        (["a.avi", "--frame-rate", "fast"], ["--frame-rate: found 'fast'", "25"]),
        (["a.avi", "--frame-rate", "24"], ["1000 samples a second and 24", "--resample 1008"]),
        (["a.avi", "--crop", "0,0,99,9"], ["found an image of 30 x 44 px", "--crop 0,0,99,9"]),
        (["a.avi", "--signals", "none.csv"], ["none.csv: found nothing there"]),
        (["none.avi"], ["none.avi: found no such file"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(musim, film, tmp_path, arguments, words):
    (tmp_path / "text.avi").write_text("no film\n" * 90)
    Image.fromarray(FRAMES[0]).save(tmp_path / "a.png")
    whole = write_film(tmp_path / "cut.mp4", FRAMES[:9], "libx264", "yuv420p").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    before = sorted(tmp_path.rglob("*"))
    done = musim("import", *arguments, "--out", "v.zarr")
    assert done.code == 2
    (line,) = [text for text in done.err.splitlines() if not text.startswith("reading: ")]
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert sorted(tmp_path.rglob("*")) == before
