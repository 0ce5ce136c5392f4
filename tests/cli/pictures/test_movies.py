"""Movies: as many frames and as long as asked for, showing what they should, nothing left over."""

import gc
import sys
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageSequence

from musim.cli.pictures.movies import Stage, draw_movie
from musim.cli.pictures.scene import read_scene
from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.simulator.errors import FailureError, InputError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    parameters = Parameters(
        units=Range(3, 3), pixels=(16, 16), size=(16.0, 16.0), diameter=Range(2, 6), frames=40
    )
    path = tmp_path_factory.mktemp("movies") / "some.zarr"
    return generate(parameters, path, sequences=1, workers=1, pool="threads")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "motion.gif"


def read_gif(path):
    """Return the frames, RGB, and their durations, ms."""
    with Image.open(path) as image:
        frames = [
            (np.asarray(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]
    return [frame for frame, _ in frames], [duration for _, duration in frames]


@pytest.mark.parametrize(
    ("speed", "rate", "frames"), [(0.25, 25, 10), (0.1, 30, 30), (1, 25, 2), (100, 25, 1)]
)
def test_a_gif_has_its_length_and_frames(store, out, speed, rate, frames):
    calls = []
    draw_movie(
        store, 0, out, speed=speed, frames_per_second=rate, on_frame=lambda *n: calls.append(n)
    )
    pictures, durations = read_gif(out)
    assert len(pictures) == frames
    assert sum(durations) == pytest.approx(1000 * frames / rate, abs=10)
    assert calls == [(n, frames) for n in range(frames + 1)]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_a_gif_shows_the_frames_that_are_under_way(store, out):
    # 100 Hz of a sequence at 400 Hz: every fourth frame.
    draw_movie(store, 0, out)
    stage = Stage(read_scene(store, 0), 41, smooth=False)
    pictures, _ = read_gif(out)
    for number, picture in enumerate(pictures):
        expected = stage.picture(store.tvi(0)[4 * number], 4 * number)
        difference = np.abs(picture.astype(int) - expected)
        assert difference.mean() < 1
        left, top, right, bottom = stage.image_box
        assert np.median(difference[top:bottom, left:right]) <= 2
    assert any((a != b).any() for a, b in pairwise(pictures))


def test_slow_movies_repeat_frames_and_cost_little(store, out):
    draw_movie(store, 0, out)
    size = out.stat().st_size
    draw_movie(store, 0, out, speed=0.01)
    pictures, durations = read_gif(out)
    assert len(pictures) == 250
    assert sum(durations) == 10_000
    # 2500 Hz of 400 Hz: 6 or 7 times each.
    changes = [(a != b).any() for a, b in pairwise(pictures)]
    assert sum(changes) == 39
    assert out.stat().st_size < 6 * size


def test_same_bytes_each_time(store, out):
    draw_movie(store, 0, out)
    first = out.read_bytes()
    draw_movie(store, 0, out)
    assert out.read_bytes() == first


def test_colours_and_cursor(store):
    scene = read_scene(store, 0)
    stage = Stage(scene, 41, smooth=False)
    left, top, _, _ = stage.image_box
    ends = []
    for velocity in (-scene.limit, 0, scene.limit):
        picture = stage.picture(np.full((16, 16), velocity, np.float32), 0)
        colours, counts = np.unique(
            picture[top : top + 384, left : left + 384].reshape(-1, 3), axis=0, return_counts=True
        )
        ends.append(colours[np.argmax(counts)])
    np.testing.assert_array_equal(ends, stage.colours[[0, 20, 40]])
    start, top, end, _ = stage.trace_box
    for frame in (10, 30):
        changed = stage.picture(np.zeros((16, 16), np.float32), frame) != stage.background
        column = start + round(frame / 40 * (end - start))
        assert changed[top:, column - 1 : column + 1].any(axis=(0, 2)).all()
        assert not changed[top:, column + 1 :].any()


def test_a_pixel_is_where_it_should_be_however_fast(store):
    stage = Stage(read_scene(store, 0), 41, smooth=False)
    velocity = np.zeros((16, 16), np.float32)
    velocity[3, 5] = 1e9
    changed = stage.picture(velocity, 0) != stage.picture(np.zeros((16, 16), np.float32), 0)
    rows, columns = np.nonzero(changed.any(axis=2))
    left, top, _, _ = stage.image_box
    assert rows.min() >= top + 3 * 24
    assert rows.max() < top + 4 * 24
    assert columns.min() >= left + 5 * 24
    assert columns.max() < left + 6 * 24


@pytest.mark.parametrize("size", [(16.0, 16.0), (5.0, 17.0), (23.0, 7.3), (1.0, 90.0), (90.0, 1.0)])
@pytest.mark.parametrize("units", [1, 41])
def test_sides_are_even_and_outlines_fit(tmp_path, size, units):
    parameters = Parameters(
        units=Range(units, units), pixels=(8, 9), size=size, diameter=Range(0.8, 0.9), frames=3
    )
    one = generate(parameters, tmp_path / "a.zarr", sequences=1, kind="rendered", workers=1)
    stage = Stage(read_scene(one, 0), 41, smooth=True)
    height, width = stage.picture(one.tvi(0)[2], 2).shape[:2]
    assert (height % 2, width % 2) == (0, 0)
    assert height >= max(stage.image_box[3], stage.trace_box[3])


def test_an_mp4_has_its_length_and_frames(store, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    out, calls = tmp_path / "motion.mp4", []
    draw_movie(store, 0, out, speed=0.1, on_frame=lambda *n: calls.append(n))
    frames, seconds = ffmpeg.count_frames_and_secs(str(out))
    assert frames == 25
    assert seconds == pytest.approx(1, abs=0.05)
    assert calls == [(n, 25) for n in range(26)]
    reader = ffmpeg.read_frames(str(out))
    width, height = next(reader)["size"]
    shown = np.frombuffer(next(reader), np.uint8).reshape(height, width, 3)
    reader.close()
    stage = Stage(read_scene(store, 0), 255, smooth=True)
    expected = stage.picture(store.tvi(0)[0], 0)
    assert shown.shape == expected.shape
    assert np.abs(shown.astype(int) - expected).mean() < 8
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("ending", [".gif", ".mp4"])
def test_a_failure_midway_keeps_what_was_there(store, tmp_path, ending):
    if ending == ".mp4":
        pytest.importorskip("imageio_ffmpeg")
    out = tmp_path / f"motion{ending}"
    out.write_text("old")

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_movie(store, 0, out, on_frame=stop)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_without_ffmpeg_an_mp4_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"found no ffmpeg, .*musim\[video\].*\.gif"):
        draw_movie(store, 0, tmp_path / "motion.mp4")
    assert not list(tmp_path.iterdir())
    draw_movie(store, 0, tmp_path / "motion.gif")


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Return a function that puts a script in ffmpeg's place."""
    pytest.importorskip("imageio_ffmpeg")

    def put(script):
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
        return program

    return put


# imageio-ffmpeg leaves its end of the pipe to the garbage collector where ffmpeg ended by itself.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_what_ffmpeg_says_is_passed_on(store, tmp_path, pretend, capfd):
    program = pretend("echo first >&2\necho out of luck >&2\nexit 3")
    with pytest.raises(FailureError, match=r"^ffmpeg failed \(.*Broken pipe\)$"):
        draw_movie(store, 0, tmp_path / "motion.mp4")
    gc.collect()
    assert capfd.readouterr().err == "first\nout of luck\n"
    assert list(tmp_path.iterdir()) == [program]


# What comes last in ffmpeg's command is the film; it is read back from what stands after -i.
KEEPS_NOTHING = "cat > /dev/null"
FAILS_AT_THE_END = """case "$*" in *null*) ;; *) for last; do :; done; cat > "$last";; esac
exit 1"""
LOSES_ONE = """case "$*" in *null*) echo "frame=    9 fps=0.0 time=00:00:00.36";; *)
for last; do :; done; cat > "$last";; esac"""


@pytest.mark.parametrize(
    ("script", "frames"), [(KEEPS_NOTHING, 0), (FAILS_AT_THE_END, 0), (LOSES_ONE, 9)]
)
def test_a_film_that_is_not_whole_is_a_failure(store, tmp_path, pretend, script, frames):
    program = pretend(script)
    out = tmp_path / "motion.mp4"
    out.write_text("old")
    with pytest.raises(FailureError, match=f"found {frames} frames in the film, wanted 10"):
        draw_movie(store, 0, out)
    assert out.read_text() == "old"
    assert set(tmp_path.iterdir()) == {out, program}


def test_an_ffmpeg_that_is_not_there(store, tmp_path, monkeypatch):
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    with pytest.raises(FailureError, match=r"^ffmpeg failed \(.*No such file.*none'\)$"):
        draw_movie(store, 0, tmp_path / "motion.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.avi", "a", "a.png"])
def test_other_endings_are_refused(store, tmp_path, name):
    with pytest.raises(InputError, match=r"found .*, wanted one of \.gif, \.mp4"):
        draw_movie(store, 0, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e-9])
def test_speeds_that_make_no_sense(store, tmp_path, out, speed):
    with pytest.raises(InputError, match=r"speed: found .*, wanted 0\.001 to 100"):
        draw_movie(store, 0, out, speed=speed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [0, 51])
def test_rates_that_a_gif_cannot_have(store, out, rate):
    with pytest.raises(InputError, match=f"found {rate}, wanted 1 to 50 for .gif"):
        draw_movie(store, 0, out, frames_per_second=rate)


def test_no_such_sequence(store, tmp_path, out):
    with pytest.raises(InputError, match="found sequence 1, wanted 0 to 0"):
        draw_movie(store, 1, out)
    assert not list(tmp_path.iterdir())


def test_a_usual_movie_is_small_enough_to_send(tmp_path, out):
    parameters = Parameters(units=Range(30, 30))
    store = generate(parameters, tmp_path / "a.zarr", sequences=1, kind="rendered", workers=1)
    draw_movie(store, 0, out)
    assert out.stat().st_size < 6_000_000
