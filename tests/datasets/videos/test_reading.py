"""Videos of all formats: their frames as they are, their rates, and what is no video."""

import numpy as np
import pytest

from musim.datasets.videos import reading
from musim.datasets.videos.cine import is_cine
from musim.datasets.videos.reading import is_film, open_video
from tests.datasets.importing.image_writers import write_dicom

from .films import FRAMES, SMOOTH, write_film

pytest.importorskip("imageio_ffmpeg")


def all_of(video):
    return np.concatenate(list(video.blocks()))


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.avi", "ffv1", "gray"),
        ("a.avi", "rawvideo", "bgr24"),
        ("a.mkv", "ffv1", "gray"),
        ("a.mov", "png", "rgb24"),
    ],
)
def test_films_without_loss_are_read_to_the_bit(tmp_path, name, codec, pixels):
    video = open_video(write_film(tmp_path / name, FRAMES, codec, pixels))
    np.testing.assert_array_equal(all_of(video), FRAMES)
    assert (video.frames, video.size, video.uneven) == (40, (30, 44), "")
    assert video.frame_rate == pytest.approx(25, rel=1e-9)
    np.testing.assert_array_equal(video.first().values, FRAMES[0])
    assert video.first().coloured == 0


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "most"),
    [("a.mp4", "libx264", "yuv420p", 4), ("a.avi", "mjpeg", "yuvj420p", 6)],
)
def test_films_with_loss_are_read_within_it(tmp_path, name, codec, pixels, most):
    quality = ("-crf", "10") if codec == "libx264" else ("-q:v", "2")
    video = open_video(write_film(tmp_path / name, SMOOTH, codec, pixels, more=quality))
    off = all_of(video).astype(int) - SMOOTH
    assert np.abs(off).max() <= most
    # Neither brighter nor of another range.
    assert abs(off.mean()) < 0.5


def test_blocks_are_of_bounded_length_and_films_of_any_rate(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 7 * 30 * 44 + 5)
    video = open_video(write_film(tmp_path / "a.mp4", FRAMES[:17], "libx264", "gray",
                                  "30000/1001", ("-qp", "0")))  # fmt: skip
    assert [len(block) for block in video.blocks()] == [7, 7, 3]
    monkeypatch.setattr(reading, "BLOCK_BYTES", 8 * 30 * 44)
    assert [len(block) for block in video.blocks()] == [8, 8, 1]
    assert video.frame_rate == pytest.approx(30000 / 1001, rel=1e-9)
    np.testing.assert_array_equal(all_of(video), FRAMES[:17])


def test_colours_become_grey_and_are_told(tmp_path):
    colours = np.repeat(FRAMES[:4, :, :, None], 3, axis=3)
    colours[:, :3] = (255, 255, 0)
    video = open_video(write_film(tmp_path / "a.avi", colours, "rawvideo", "bgr24"))
    np.testing.assert_array_equal(all_of(video)[:, 3:], FRAMES[:4, 3:])
    np.testing.assert_allclose(all_of(video)[:, :3], 226, atol=1)
    assert video.first().coloured == pytest.approx(0.1)


def test_a_frame_that_was_dropped_is_told(tmp_path):
    gap = ("-vf", "setpts='(N+gte(N,9))/25/TB'", "-fps_mode", "passthrough")
    video = open_video(write_film(tmp_path / "a.mkv", FRAMES[:20], more=gap))
    assert video.frames == 20
    assert "found frames 0.08 s apart at 0.320 s" in video.uneven
    # Matroska rounds instants to ms.
    odd = open_video(write_film(tmp_path / "b.mkv", FRAMES, rate="30000/1001"))
    assert (odd.uneven, odd.frame_rate) == ("", pytest.approx(29.97, abs=0.002))


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_films_that_are_cut_short_are_refused(tmp_path, refused, name, share):
    codec = ("libx264", "yuv420p") if name == "a.mp4" else ("rawvideo", "gray")
    path = write_film(tmp_path / name, FRAMES, *codec)
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    with refused("found a video that cannot be decoded", "copy or export it again"):
        open_video(path)


def test_an_avi_that_ends_between_two_frames_is_cut_short(tmp_path, refused):
    path = write_film(tmp_path / "a.avi", FRAMES, "rawvideo")
    content = path.read_bytes()
    end = content.index(b"00dc", len(content) // 2)
    path.write_bytes(content[:end])
    with refused(f"cannot be decoded (it has {end} of {len(content)} bytes)"):
        open_video(path)


def test_what_is_no_film_is_refused(tmp_path, refused):
    (tmp_path / "a.avi").write_text("no film\n" * 90)
    with refused("a.avi: found a video that cannot be decoded", "Invalid data"):
        open_video(tmp_path / "a.avi")
    with refused("none.mp4: found no such file"):
        open_video(tmp_path / "none.mp4")
    write_film(tmp_path / "b.avi", FRAMES[:1])
    with refused("b.avi: found 1 frames, wanted a video of 2 or more"):
        open_video(tmp_path / "b.avi")
    assert is_film(tmp_path / "a.avi")
    write_film(tmp_path / "c.avi").rename(tmp_path / "c.bin")
    assert is_film(tmp_path / "c.bin")
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY")
    assert not is_film(tmp_path / "d.npy")


def test_a_film_that_changes_meanwhile_is_refused(tmp_path, refused):
    video = open_video(write_film(tmp_path / "a.avi", FRAMES))
    write_film(tmp_path / "a.avi", FRAMES[:9])
    with refused("found 9 frames as it was read, wanted the 40"):
        all_of(video)


@pytest.mark.parametrize("syntax", ["ExplicitVRLittleEndian", "RLELossless"])
def test_cines_are_read_to_the_bit(tmp_path, syntax):
    path = write_dicom(tmp_path / "a.dcm", FRAMES, syntax, FrameTime=40.0, PixelSpacing=[0.1, 0.2])
    video = open_video(path)
    np.testing.assert_array_equal(all_of(video), FRAMES)
    assert (video.frames, video.size, video.frame_rate) == (40, (30, 44), 25)
    assert video.scale is not None
    assert (video.scale.depth_mm, video.scale.shape) == (0.1, 2)
    assert is_cine(path)


def test_cines_in_colours_become_grey(tmp_path):
    from pydicom.pixels.processing import convert_color_space

    colours = np.repeat(FRAMES[:5, :, :, None], 3, axis=3)
    plain = write_dicom(tmp_path / "a.dcm", colours, PhotometricInterpretation="RGB",
                        PlanarConfiguration=0, CineRate=30)  # fmt: skip
    assert open_video(plain).frame_rate == 30
    np.testing.assert_array_equal(all_of(open_video(plain)), FRAMES[:5])
    turned = convert_color_space(colours, "RGB", "YBR_FULL", per_frame=True)
    video = write_dicom(tmp_path / "b.dcm", turned, PhotometricInterpretation="YBR_FULL",
                        PlanarConfiguration=0)  # fmt: skip
    assert np.abs(all_of(open_video(video)).astype(int) - FRAMES[:5]).max() <= 1
    assert np.isnan(open_video(video).frame_rate)


def test_a_palette_is_looked_up(tmp_path):
    table = (np.arange(256)[::-1] * 257).astype("<u2").tobytes()
    tables = {
        f"{colour}PaletteColorLookupTable{what}": value
        for colour in ("Red", "Green", "Blue")
        for what, value in (("Descriptor", [256, 0, 16]), ("Data", table))
    }
    path = write_dicom(tmp_path / "a.dcm", FRAMES[:3], PhotometricInterpretation="PALETTE COLOR",
                       **tables)  # fmt: skip
    np.testing.assert_array_equal(all_of(open_video(path)), 255 - FRAMES[:3])


def test_odd_cines_are_refused_or_told(tmp_path, refused):
    write_dicom(tmp_path / "a.dcm", FRAMES[:1])
    with refused("a.dcm: found one frame, wanted a video of 2 or more"):
        open_video(tmp_path / "a.dcm")
    steps = [0.0, *[40.0] * 18, 120.0]
    gap = open_video(write_dicom(tmp_path / "b.dcm", FRAMES[:20], FrameTimeVector=steps))
    assert "found frame 18" in gap.uneven
    short = write_dicom(tmp_path / "c.dcm", FRAMES)
    short.write_bytes(short.read_bytes()[:-9000])
    with refused("c.dcm"):
        open_video(short)
    deep = write_dicom(tmp_path / "d.dcm", FRAMES.astype(np.uint16))
    assert not is_cine(deep)
    assert is_cine(deep, any_bits=True)
