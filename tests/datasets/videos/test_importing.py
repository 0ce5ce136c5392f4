"""Videos and signals become a store: pixels and samples as they were, or one line."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from musim.datasets.origin import ImportedVideos
from musim.datasets.production import Work
from musim.datasets.store import open_store
from musim.datasets.videos import reading
from musim.datasets.videos.finding import find_videos
from musim.datasets.videos.importing import carry_out, import_videos
from musim.datasets.videos.planning import plan_videos
from musim.datasets.videos.signal_tables import EMG_CUTOFF
from musim.datasets.videos.trials import trials_of
from musim.simulator.calf.electromyography import amplitude
from tests.datasets.importing.image_writers import write_dicom

from .films import FRAMES, SIGNALS, TIMES, write_film, write_table

pytest.importorskip("imageio_ffmpeg")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    write_film(folder / "a.avi")
    write_film(folder / "b.avi", FRAMES[::-1][:30])
    for name in "ab":
        write_table(folder / f"{name}.csv", SIGNALS)
    return folder


@pytest.fixture
def videos(tmp_path, kept):
    """Two films with signals, of different length."""
    return Path(shutil.copytree(kept, tmp_path / "videos"))


@pytest.fixture
def trials(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("name,participant,task\na.avi,12,passive\nb,7,combined\n")
    return path


def test_pixels_and_signals_come_back(videos, trials, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 7 * 30 * 44)
    out = tmp_path / "v.zarr"
    store = import_videos(videos, out, trials=trials, pixel_size=(0.1, 0.2), workers=1)
    assert store.is_video
    layout = store.layout
    assert (layout.frame_rate, layout.sample_rate, layout.pixel_size) == (25, 1000, (0.1, 0.2))
    np.testing.assert_array_equal(store.bmode(0), FRAMES)
    np.testing.assert_array_equal(store.bmode(1)[:30], FRAMES[::-1][:30])
    np.testing.assert_array_equal(store.bmode(0, time=slice(9, 12)), FRAMES[9:12])
    first, second = trials_of(store)
    assert (first.name, first.participant, first.task, first.frames) == ("a", 12, "passive", 40)
    assert (second.participant, second.task, second.frames) == (7, "combined", 30)
    np.testing.assert_array_equal(store.read("torque", 0), SIGNALS["torque"].astype(np.float32))
    np.testing.assert_allclose(
        store.read("emg_amplitude", 0), amplitude(SIGNALS["emg"], EMG_CUTOFF, 1000), atol=1e-9
    )
    torque = SIGNALS["torque"][: 30 * 40 : 40]
    np.testing.assert_allclose(second.states()[:, 1], torque, rtol=1e-6)
    assert np.isnan(store.read("angle", 1)[1200:]).all()
    (one, _) = store.layout.origin_as(ImportedVideos).videos
    assert (one.file, one.size, one.crop, one.signals) == ("a.avi", (30, 44), (0, 0, 30, 44),
                                                           "a.csv")  # fmt: skip


def test_cines_and_crops_come_back(tmp_path):
    write_dicom(tmp_path / "a.dcm", FRAMES, FrameTime=40.0, PixelSpacing=[0.1, 0.2])
    path = tmp_path / "a.dcm"
    store = import_videos(path, tmp_path / "v.zarr", crop=(2, 3, 20, 30), participant="anna")
    np.testing.assert_array_equal(store.bmode(0), FRAMES[:, 2:22, 3:33])
    assert store.layout.pixel_size == (0.1, 0.2)
    (trial,) = trials_of(store)
    assert (trial.participant, trial.task) == (0, "")
    assert np.isnan(trial.states()).all()


def test_the_image_is_found_on_the_screen(tmp_path):
    screen = np.full((3, 90, 120), 20, np.uint8)
    screen[:, 20:70, 30:100] = np.random.default_rng(0).integers(0, 256, (3, 50, 70))
    plan = plan_videos(write_film(tmp_path / "a.avi", screen), crop="auto")
    assert plan.layout.shape[1:] == pytest.approx((50, 70), abs=4)
    empty = plan_videos(write_film(tmp_path / "b.avi", 0 * screen), crop="auto")
    assert empty.layout.shape[1:] == (90, 120)
    assert "found no image on the screen" in empty.remarks[0]


def test_what_is_not_known_is_said(videos):
    (videos / "b.csv").unlink()
    write_table(videos / "a.csv", {**SIGNALS, "emg": SIGNALS["emg"] + 0.02})
    words = "; ".join(plan_videos(videos).remarks)
    assert "no signals of b: states can be found in it, but not learned" in words
    assert "who takes part in a, b" in words
    assert "millimetres are not known" in words
    assert "a.csv: emg has an offset of 0.02 V" in words


def test_participants_have_numbers(videos, tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("name,participant\na,eve\nb,adam\n")
    assert plan_videos(videos, trials=path).participants == (0, 1)
    assert plan_videos(videos, participant="5").participants == (5, 5)
    assert plan_videos(videos).participants == (-1, -1)


def test_tables_of_signals_may_lie_elsewhere(videos, tmp_path):
    apart = tmp_path / "apart"
    apart.mkdir()
    (videos / "a.csv").rename(apart / "a.csv")
    plan = plan_videos(videos, signals=apart)
    assert [one.entry.signals for one in plan.prepared] == [apart / "a.csv", None]
    (tmp_path / "t.csv").write_text("name,signals\na,apart/a.csv\nb,\n")
    plan = plan_videos(videos, trials=tmp_path / "t.csv")
    assert [one.entry.signals for one in plan.prepared] == [apart / "a.csv", videos / "b.csv"]
    plan = plan_videos(videos / "a.avi", signals=apart / "a.csv")
    assert plan.prepared[0].entry.signals == apart / "a.csv"


def test_one_rate_can_be_asked_for(videos):
    slow = {name: values[::2] for name, values in SIGNALS.items()}
    write_table(videos / "b.csv", slow)
    plan = plan_videos(videos, resample=500)
    assert plan.layout.sample_rate == 500
    np.testing.assert_array_equal(plan.signals_of(1)["torque"], slow["torque"][:600].astype("f4"))
    inside = slice(40, 700)
    np.testing.assert_allclose(plan.signals_of(0)["torque"][inside], slow["torque"][inside],
                               atol=1e-3)  # fmt: skip


def refuse(tmp_path, refused, *words, **options):
    with refused(*words):
        import_videos(tmp_path / "videos", tmp_path / "v.zarr", **options)


def test_videos_that_do_not_go_together_are_one_line(videos, tmp_path, refused):
    write_film(videos / "b.avi", FRAMES[:, :28])
    refuse(tmp_path, refused, "b.avi: found frames of 28 x 44 px", "wanted 30 x 44 px as a.avi")
    assert plan_videos(videos, crop=(0, 0, 28, 44)).layout.shape == (40, 28, 44)
    write_film(videos / "b.avi", FRAMES, rate=20)
    refuse(tmp_path, refused, "b.avi: found 20 frames a second, wanted 25 as a.avi has")
    write_film(videos / "b.avi", FRAMES)
    write_table(videos / "b.csv", {name: values[::2] for name, values in SIGNALS.items()})
    refuse(tmp_path, refused, "b.csv: found 500 samples a second, wanted 1000 as a.csv has",
           "`resample=1000`")  # fmt: skip
    (videos / "b.avi").unlink()
    write_dicom(videos / "c.dcm", FRAMES, FrameTime=40.0, PixelSpacing=[0.1, 0.1])
    refuse(tmp_path, refused, "c.dcm: found pixels of 0.1 x 0.1 mm, wanted no known size as a.avi")
    write_film(videos / "c.avi")
    refuse(tmp_path, refused, "found two videos of the name c")


def test_frames_that_are_not_even_are_one_line(videos, tmp_path, refused):
    (videos / "a.avi").unlink()
    (videos / "b.avi").unlink()
    gap = ("-vf", "setpts='(N+gte(N,9))/25/TB'", "-fps_mode", "passthrough")
    write_film(videos / "a.mkv", FRAMES, more=gap)
    refuse(tmp_path, refused, "a.mkv: found frames 0.08 s apart", "give `frame_rate` if they are")
    assert plan_videos(videos, frame_rate=25).layout.frame_rate == 25
    refuse(tmp_path, refused, "`frame_rate`: found -25 Hz", frame_rate=-25)
    (videos / "a.mkv").unlink()
    write_dicom(videos / "a.dcm", FRAMES)
    refuse(tmp_path, refused, "a.dcm: found no frame rate in it", "give `frame_rate`")


def test_signals_that_do_not_fit_are_one_line(videos, tmp_path, refused):
    refuse(tmp_path, refused, "found signals from 0 to 1.599 s", "4.875 s", frame_rate=8)
    refuse(tmp_path, refused, "`signals`: found a file for 2 videos", signals=videos / "a.csv")
    refuse(tmp_path, refused, "found no signals of a.avi, wanted a table a.csv", signals=tmp_path)
    write_table(videos / "b.csv", {"time": TIMES, "force": TIMES})
    refuse(tmp_path, refused, "b.csv: found a column force")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant\n1\n", ("found columns participant; wanted name",)),
        ("name,age\na,3\n", ("found columns name, age",)),
        ("name,task\na,x\n", ("found no row of b.avi",)),
        ("name\na\nb\nc\n", ("found a row of c",)),
        ("name\na\na.avi\n", ("line 3: found name 'a.avi'", "once")),
        ("name,signals\na,none.csv\nb,\n", ("line 2: found no file", "none.csv")),
    ],
)
def test_tables_of_trials_that_are_wrong_are_one_line(videos, tmp_path, refused, text, words):
    path = tmp_path / "trials.csv"
    path.write_text(text)
    refuse(tmp_path, refused, "trials.csv", *words, trials=path)


def test_a_film_that_ends_early_leaves_no_store(videos, tmp_path, refused):
    plan = plan_videos(videos)
    write_film(videos / "a.avi", FRAMES[:9])
    with refused("a.avi: found 9 frames as it was read"):
        carry_out(plan, tmp_path / "v.zarr", Work(workers=1))


def test_a_store_is_not_laid_where_its_videos_are(videos, refused):
    with refused("found the video", "wanted one apart from it"):
        import_videos(videos, videos / "a.avi")
    assert not open_store(import_videos(videos, "memory://v.zarr").location).is_section


def test_the_table_of_trials_goes_before_what_is_said_of_all(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.avi").write_bytes(b"")
    table = tmp_path / "trials.csv"
    table.write_text("name,participant,task\na,7,passive\nb,,\n")
    found = find_videos(tmp_path, trials=table, participant="3", task="combined")
    assert [(one.participant, one.task) for one in found] == [("7", "passive"), ("3", "combined")]
