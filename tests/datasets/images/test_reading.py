"""Images and masks of whatever names, kinds and depths; what cannot be read is one line."""

import numpy as np
import pytest
from PIL import Image

from musim.datasets.images.finding import find_images
from musim.datasets.images.reading import read_image, read_mask

GREY = (np.arange(20 * 30) % 251).astype(np.uint8).reshape(20, 30)
MASK = np.zeros((20, 30), bool)
MASK[5:7], MASK[15:17] = True, True


def save(path, values, **options):
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(values).save(path, **options)
    return path


@pytest.mark.parametrize("ending", ["png", "tif", "TIFF"])
def test_grey_images_are_read_as_they_are(tmp_path, ending):
    found = read_image(save(tmp_path / f"a.{ending}", GREY))
    np.testing.assert_array_equal(found.values, GREY)
    assert (found.values.dtype, found.coloured) == (np.uint8, 0)


def test_photographs_of_screens_are_read(tmp_path):
    smooth = np.linspace(0, 255, 600).reshape(20, 30).astype(np.uint8)
    found = read_image(save(tmp_path / "a.jpg", smooth, quality=95))
    assert np.abs(found.values.astype(int) - smooth).mean() < 3


def test_other_depths_and_modes_become_grey(tmp_path):
    deep = save(tmp_path / "deep.png", GREY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(deep).values, GREY)
    clear = save(tmp_path / "clear.png", np.stack([GREY, GREY // 2], axis=2))
    np.testing.assert_array_equal(read_image(clear).values, GREY)
    colours = np.repeat(GREY[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(read_image(save(tmp_path / "c.png", colours)).values, GREY)


def test_annotations_in_colour_are_noticed(tmp_path):
    colours = np.repeat(GREY[:, :, None], 3, axis=2)
    colours[2:4, 3:18] = (255, 220, 0)
    assert read_image(save(tmp_path / "a.png", colours)).coloured == pytest.approx(30 / 600)


@pytest.mark.parametrize(
    "values",
    [
        MASK,
        MASK * np.uint8(255),
        MASK * np.uint8(1),
        np.cumsum(MASK[:, 0])[:, None].astype(np.uint8) * MASK,
        MASK[:, :, None] * np.array([0, 200, 0], np.uint8),
        MASK.astype(np.uint16) * 65535,
    ],
    ids=["bits", "white", "ones", "labels", "green", "deep"],
)
def test_masks_of_all_kinds_are_read(tmp_path, values):
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", values)), MASK)


def test_palettes_are_labels_and_compression_is_no_line(tmp_path):
    labels = Image.fromarray(MASK * np.uint8(2))
    labels.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    labels.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "p.png"), MASK)
    large = MASK.repeat(8, 0).repeat(8, 1)
    blurred = read_mask(save(tmp_path / "m.jpg", large * np.uint8(255), quality=90))
    assert (blurred == large).mean() > 0.99


@pytest.mark.parametrize(
    ("images", "mask", "given"),
    [
        ("images", "masks/a.png", None),
        ("images", "masks/a.png", "masks"),
        ("scans", "scans/masks/a_mask.tif", None),
        ("scans", "scans/aponeuroses/a.tif", None),
        ("scans", "scans/a_mask.png", None),
        ("scans", "scans/a-apo.png", None),
        ("scans", "elsewhere/a_seg.png", "elsewhere"),
        ("scans", "scans/a_mask.png", "scans"),
        ("scans/a.png", "elsewhere/b.png", "elsewhere/b.png"),
        ("scans/a.png", "scans/a_mask.png", None),
    ],
)
def test_masks_are_found_by_usual_names(tmp_path, images, mask, given):
    folder = images.removesuffix("/a.png")
    save(tmp_path / folder / "a.png", GREY)
    save(tmp_path / mask, MASK)
    (tmp_path / folder / "notes.txt").write_text("x")
    (tmp_path / folder / "._a.png").write_text("x")
    (entry,) = find_images(tmp_path / images, given and tmp_path / given)
    assert (entry.name, entry.path.name, entry.mask) == ("a", "a.png", tmp_path / mask)


def test_images_come_in_order_and_one_may_lack_its_mask(tmp_path):
    for name in ("b.png", "a.png", "c.png", "c.tif"):
        save(tmp_path / name, GREY)
    save(tmp_path / "masks" / "a.png", MASK)
    found = find_images(tmp_path)
    assert [entry.name for entry in found] == ["a", "b", "c.png", "c.tif"]
    assert [entry.mask is None for entry in found] == [False, True, True, True]


def test_what_is_not_there_is_refused(tmp_path, refused):
    with refused("none: found nothing", "wanted a folder of images"):
        find_images(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with refused("empty: found no images", ".png"):
        find_images(tmp_path / "empty")
    save(tmp_path / "images" / "a.png", GREY)
    save(tmp_path / "images" / "b.png", GREY)
    with refused("found no mask of a.png", "wanted a.png", "a_mask.png", "`masks`"):
        find_images(tmp_path / "images")
    with refused("other: found nothing"):
        find_images(tmp_path / "images", tmp_path / "other")
    mask = save(tmp_path / "m.png", MASK)
    with refused("`masks`: found a file for 2 images", "wanted a folder"):
        find_images(tmp_path / "images", mask)


def test_masks_of_another_size_are_refused(tmp_path, refused):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "a_mask.png", MASK[:, :-1])
    with refused("a_mask.png: found a mask of 29 x 20 px", "wanted 30 x 20 px"):
        find_images(tmp_path)


def test_what_cannot_be_read_is_refused(tmp_path, refused):
    (tmp_path / "text.png").write_text("no image")
    with refused("text.png: found no image", "wanted PNG, TIFF, JPEG or DICOM"):
        read_image(tmp_path / "text.png")
    noise = np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8)
    content = save(tmp_path / "a.png", noise).read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    with refused("cut.png: found an image that cannot be read"):
        read_image(tmp_path / "cut.png")
    pages = [Image.fromarray(GREY)] * 3
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    with refused("pages.tif: found 3 pages", "wanted one image"):
        read_image(tmp_path / "pages.tif")
    save(tmp_path / "f.tif", GREY.astype(np.float32))
    with refused("f.tif: found F values"):
        read_image(tmp_path / "f.tif")


def test_more_pixels_than_any_image_has_are_refused(tmp_path, refused, monkeypatch):
    path = save(tmp_path / "a.png", GREY)
    for most in (400, 100):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with refused("a.png: found more pixels", f"wanted {most}"):
            read_image(path)
