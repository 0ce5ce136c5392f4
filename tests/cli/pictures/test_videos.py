"""Pictures and movies of a muscle's video: its frames, what has moved in them, its signals."""

import numpy as np
import pytest
from PIL import Image

from musim.cli.pictures.movies import draw_movie
from musim.cli.pictures.stills import draw_preview
from musim.cli.pictures.video_movies import LEFT, TOP, VideoStage
from musim.cli.pictures.videos import compose_video, read_video
from musim.datasets.videos.generation import generate_trials
from musim.simulator.calf.study import Study


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    study = Study().changed({
        "pixels": "64x48", "size": "40x50", "region_rows": 24, "rest": 0.2, "duration": 2,
        "looks": 1, "probe_drift": 0,
    })  # fmt: skip
    out = tmp_path_factory.mktemp("videos") / "calf.zarr"
    return generate_trials(study, out, sequences=1, tasks=["combined"], workers=1, pool="threads")


def test_frames_are_those_where_signals_are_extreme(store):
    scene = read_video(store, 0)
    assert list(scene.signals) == ["emg_amplitude", "torque", "angle", "fascicle_length_course"]
    torque, angle = scene.signals["torque"], scene.signals["angle"]
    assert {frame for frame, _ in scene.highlights} == {0, torque.argmax(), angle.argmin()}
    assert scene.duration == pytest.approx(2.2)


def test_a_picture_shows_images_motion_and_signals(store, tmp_path):
    page = compose_video(store, 0)
    images = [axes for axes in page.figure.axes if axes.images]
    scene = read_video(store, 0)
    for axes, (frame, _) in zip(images, scene.highlights, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), store.bmode(0)[frame])
    # Arrows where the fields have moved tissue since the first frame, and none in that.
    arrows = [axes.collections for axes in images]
    assert [len(each) for each in arrows] == [int(frame > 0) for frame, _ in scene.highlights]
    course = store.read("mode_course", 0)
    frame = scene.highlights[-1][0]
    slid = (course[0, frame] - course[0, 0]) * int(store.read("distal", 0))
    assert np.sign(np.median(arrows[-1][0].U)) == np.sign(slid)
    lines = [axes.lines[-1].get_ydata() for axes in page.figure.axes if not axes.images]
    np.testing.assert_array_equal(lines[1], scene.signals["torque"])
    for name in ("a.png", "b.png"):
        draw_preview(store, 0, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_movie_shows_each_frame_with_a_cursor_over_the_signals(store, tmp_path, refused):
    draw_movie(store, 0, tmp_path / "a.gif", speed=1, frames_per_second=25)
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 55
    stage = VideoStage(read_video(store, 0), 255)
    first, last = (stage.picture(image, frame) for image, frame in
                   ((store.bmode(0)[0], 0), (store.bmode(0)[-1], 54)))  # fmt: skip
    left, top, right, bottom = stage.box
    shown = first[top:bottom, left:right].mean(axis=(0, 1))
    assert abs(shown.mean() - store.bmode(0)[0].mean()) < 3
    assert (left, top) == (LEFT, TOP)
    start, above, end, below = stage.signals
    at = [np.flatnonzero((one[above:below, start - 1 : end + 1] == 64).all(axis=(0, 2)))
          for one in (first, last)]  # fmt: skip
    assert at[0].max() < 5
    assert abs(at[1].min() - 54 / 55 * (end - start)) < 3
    with refused("found sequence 1, wanted 0 to 0"):
        draw_movie(store, 1, tmp_path / "b.gif")
    assert not (tmp_path / "b.gif").exists()
