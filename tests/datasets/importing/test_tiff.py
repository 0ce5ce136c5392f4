"""TIFF: axes, steps and units from whoever wrote them, pages one at a time, and mere pictures."""

import logging
import tomllib

import numpy as np
import pytest
import tifffile
from PIL import Image

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.datasets.importing.tiff import TiffFile
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.foreign_files import assert_same
from tests.datasets.importing.image_writers import VELOCITY, write_tiff

FLOATS = (VELOCITY / 100).astype("f4")
GRID = {"frame_rate": 400, "depth_step": 0.4, "width_step": 0.2}
IMAGEJ = {"imagej": True, "resolution": (50, 25)}


def _guessed(path):
    with open_file(path) as file:
        return describe(file).values


@pytest.mark.parametrize(
    ("values", "options", "wanted"),
    [
        (FLOATS, {}, {"axes": "time,depth,width"}),
        (FLOATS, {"metadata": {"axes": "TYX", "frame_rate": 400.0, "units": "cm/s"}},
         {"frame_rate": "images@frame_rate", "velocity_unit": "cm/s"}),
        (FLOATS, {**IMAGEJ, "metadata": {"axes": "TYX", "unit": "cm", "finterval": 2.5e-3,
                                         "fps": 30.0}}, GRID),
        (FLOATS, {**IMAGEJ, "metadata": {"axes": "TYX", "unit": "cm", "finterval": 2.5,
                                         "tunit": "msec"}}, GRID),
        # Frames that ImageJ calls slices, and a rate that is that of playing.
        (FLOATS, {**IMAGEJ, "metadata": {"axes": "ZYX", "unit": "cm", "finterval": 2.5e-3}}, GRID),
        (FLOATS, {**IMAGEJ, "metadata": {"axes": "ZYX", "unit": "cm", "fps": 400.0}},
         {**GRID, "axes": "time,depth,width", "frame_rate": "images@playback_frame_rate"}),
        (FLOATS, {"ome": True, "metadata": {
            "axes": "TYX", "PhysicalSizeX": 200.0, "PhysicalSizeY": 0.4, "PhysicalSizeYUnit": "mm",
            "TimeIncrement": 2.5, "TimeIncrementUnit": "ms"}}, GRID),
        (FLOATS.transpose(1, 2, 0), {"metadata": {"axes": "YXT"}, "compression": "zlib"},
         {"axes": "depth,width,time"}),
        (np.stack([FLOATS] * 2, 1), {"metadata": {"axes": "TZYX"}},
         {"axes": "time,sequence,depth,width"}),
        (VELOCITY, {"resolution": (50, 25), "resolutionunit": "CENTIMETER"},
         {"kind": "velocity", "depth_step": 0.4, "width_step": 0.2}),
        # A resolution to print at is none of the image.
        (FLOATS, {"resolution": (72, 72), "resolutionunit": "INCH"}, {"depth_step": None}),
        (FLOATS + 1j * FLOATS, {"metadata": {"axes": "TYX"}}, {"kind": "iq"}),
    ],
)  # fmt: skip
def test_what_a_header_says_is_a_description(tmp_path, values, options, wanted):
    found = _guessed(write_tiff(tmp_path / "a.tif", values, **options))
    found["axes"] = ",".join(found["axes"])
    compared = {key: found.get(key) for key in wanted}
    assert compared == {
        key: value if value is None or isinstance(value, str) else pytest.approx(value)
        for key, value in wanted.items()
    }


def test_a_description_that_is_guessed_imports(tmp_path):
    metadata = {"axes": "TYX", "unit": "cm", "finterval": 2.5e-3}
    path = write_tiff(tmp_path / "a.tif", FLOATS, **IMAGEJ, metadata=metadata)
    with open_file(path) as file:
        survey = describe(file)
    assert survey.missing == ()
    text = survey.to_toml()
    assert "ImageJ's finterval" in text
    description = Description.parse(tomllib.loads(text))
    store = import_recordings([path], tmp_path / "a.zarr", description, Chain())
    assert np.array_equal(store.dataset["tvi"].values[0], FLOATS)
    assert store.layout.frame_rate == 400
    assert store.layout.pixel_size == pytest.approx((0.4, 0.2))


def test_the_signed_numbers_of_imagej_have_their_sign(tmp_path):
    calibration = {"cf": 0, "c0": -32768.0, "c1": 1.0, "vunit": "um/s"}
    stored = (VELOCITY.astype(int) + 32768).astype("u2")
    metadata = {"axes": "TYX", **calibration}
    path = write_tiff(tmp_path / "a.tif", stored, imagej=True, metadata=metadata)
    with open_file(path) as file:
        assert np.array_equal(file.array("images").read(), VELOCITY)
        assert describe(file).values["velocity_unit"] == "um/s"
        assert "BRIGHTNESS" not in describe(file).to_toml()


@pytest.mark.parametrize("compression", [None, "zlib", "lzma", "packbits"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_strips_and_tiles_are_unpacked_page_by_page(tmp_path, monkeypatch, compression, tile):
    values = np.tile(VELOCITY, (1, 3, 4))
    path = tmp_path / "a.tif"
    if compression == "packbits":  # which tifffile cannot write
        pages = [Image.fromarray(page) for page in values.astype("i4")]
        pages[0].save(path, save_all=True, append_images=pages[1:], compression="packbits")
        values = values.astype("i4")
    else:
        predictor = compression == "zlib"
        write_tiff(path, values, compression=compression, tile=tile, predictor=predictor)
    seen = []
    whole = tifffile.TiffFrame.asarray, tifffile.TiffPage.asarray
    for kind, method in zip((tifffile.TiffFrame, tifffile.TiffPage), whole, strict=True):
        monkeypatch.setattr(
            kind,
            "asarray",
            lambda page, *a, method=method, **k: seen.append(page.index) or method(page, *a, **k),
        )
    with TiffFile(path) as file:  # in this process
        found = file.array("images").read((slice(3, 5), slice(2, 9)))
    assert_same(found, values[3:5, 2:9])
    assert set(seen) == (set() if (compression, tile) == (None, None) else {3, 4})


def test_series_and_channels_are_arrays_of_their_own(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for part in (FLOATS, VELOCITY[:5, :4, :3]):
            file.write(part, photometric="minisblack", metadata={"axes": "TYX"})
    with open_file(tmp_path / "a.tif") as file:
        assert_same(file.array("series1/images").read(), FLOATS)
        assert_same(file.array("series2/images").read(), VELOCITY[:5, :4, :3])
    metadata = {"axes": "TCYX", "TimeIncrement": 0.01}
    both = np.stack([FLOATS, -FLOATS], 1)
    with open_file(write_tiff(tmp_path / "b.tif", both, ome=True, metadata=metadata)) as file:
        assert [info.name for info in file.variables] == ["channel1", "channel2", "t"]
        assert_same(file.array("channel2").read((slice(2), slice(1, 3))), -FLOATS[:2, 1:3])
        assert file.array("t").read((slice(3),)) == pytest.approx([0, 0.01, 0.02])
        assert file.info("channel2").dims == ("t", "y", "x")


def test_images_that_were_appended_one_by_one_are_frames(tmp_path):
    for frame in FLOATS:
        write_tiff(tmp_path / "a.tif", frame, append=True)
    with open_file(tmp_path / "a.tif") as file:
        assert_same(file.array("images").read(), FLOATS)
        assert describe(file).values["axes"] == ["time", "depth", "width"]


REFUSED = {
    "rgb": (np.zeros((4, 8, 6, 3), "u1"), {"photometric": "rgb"}, "colours (RGB)"),
    "palette": (np.zeros((4, 8, 6), "u1"),
                {"photometric": "palette", "colormap": np.zeros((3, 256), "u2")}, "PALETTE"),
    "curve": (np.zeros((4, 8, 6), "u1"),
              {"imagej": True, "metadata": {"axes": "TYX", "cf": 3}}, "by a curve (cf=3)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_pictures_and_curves_are_explained(tmp_path, refused, name):
    values, options, word = REFUSED[name]
    path = write_tiff(tmp_path / "a.tif", values, **options)
    with open_file(path) as file:
        assert "# images: found" in describe(file).to_toml()
        with refused("a.tif", "images", word, "wanted"):
            file.array("images")


def test_a_packing_that_is_not_installed_is_named(tmp_path, refused):
    page = Image.fromarray(VELOCITY[0].astype("i4"))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page], compression="tiff_lzw")
    with open_file(tmp_path / "a.tif") as file, refused("LZW", "deflate", "imagecodecs"):
        file.array("images")


def test_sizes_are_checked_before_memory_is_asked_for(tmp_path, refused):
    path = write_tiff(tmp_path / "a.tif", FLOATS[:1], compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            file.pages[0].tags[tag].overwrite(60_000)
    with refused("a.tif", "wanted 14400000000", "header is wrong"):
        open_file(path)


def test_pages_that_end_too_soon_are_not_taken_for_all(tmp_path, refused, caplog):
    path = write_tiff(tmp_path / "a.tif", FLOATS, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        last = file.pages[-1].offset
    path.write_bytes(path.read_bytes()[: last - 1])
    with caplog.at_level(logging.DEBUG), refused("a.tif", "cut short", "page 12"):
        open_file(path)
    assert caplog.records == []


def test_frames_in_other_files_are_not_read(tmp_path, refused):
    write_tiff(tmp_path / "b.tif", FLOATS, ome=True, metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        text = file.ome_metadata
    text = text.replace(
        '<TiffData IFD="0" PlaneCount="12"',
        '<TiffData IFD="0" FirstT="6" PlaneCount="6"><UUID FileName="b.tif">urn:uuid:2</UUID>'
        '</TiffData><TiffData IFD="0" PlaneCount="6"',
    )
    assert "urn:uuid:2" in text
    write_tiff(tmp_path / "a.tif", FLOATS[:6], description=text, metadata=None)
    with open_file(tmp_path / "a.tif") as file, refused("other files"):
        file.array("images")
