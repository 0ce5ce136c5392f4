"""Stores of images from files: what they hold, how they are scaled, grouped, cropped, refused."""

import numpy as np
import pytest
from PIL import Image

from musim.datasets import open_store, verify
from musim.datasets.images.importing import import_images
from musim.datasets.images.places import entries_of
from musim.datasets.images.planning import plan_images
from musim.datasets.images.resizing import resized_mask
from musim.datasets.images.stored import groups_of, images_of
from musim.datasets.importing.hashing import sha256_of
from musim.datasets.notebook import html_of
from musim.datasets.origin import ImportedImages
from musim.simulator.errors import FailureError
from musim.training.sections.image_sets import read_image_set

FIRST = np.random.default_rng(1).integers(0, 256, (40, 60), np.uint8)
SECOND = np.random.default_rng(2).integers(0, 256, (80, 40), np.uint8)
MASK = np.zeros((40, 60), bool)
MASK[8:12], MASK[30:34] = True, True


@pytest.fixture
def folder(tmp_path):
    """Three images, one of which is drawn on, and one nearly the same as another."""
    scans = tmp_path / "scans"
    scans.mkdir()
    Image.fromarray(FIRST).save(scans / "a.png")
    Image.fromarray(MASK).save(scans / "a_mask.png")
    Image.fromarray(SECOND).save(scans / "b.tif")
    Image.fromarray(np.clip(FIRST.astype(int) + 3, 0, 255).astype(np.uint8)).save(scans / "c.png")
    return scans


def test_images_become_one_size_by_averaging(folder, tmp_path):
    store = import_images(folder, tmp_path / "i.zarr", pixels=(20, 20), workers=1)
    averaged = FIRST.reshape(20, 2, 20, 3).mean(axis=(1, 3))
    # Triangles that are twice as wide as a pixel: near the mean over it.
    assert np.corrcoef(store.read("bmode", 0)[0].ravel(), averaged.ravel())[0, 1] > 0.8
    rows = np.flatnonzero(store.read("aponeurosis_mask", 0)[0].any(axis=1))
    assert rows.tolist() == [4, 5, 15, 16]
    assert [int(store.read("aponeurosis_drawn", i)) for i in range(3)] == [1, 0, 0]
    assert not store.read("aponeurosis_mask", 1).any()
    assert groups_of(store).tolist() == [0, 1, 0]
    # Pixels were square.
    shapes = [float(store.read("pixel_shape", i)) for i in range(3)]
    assert shapes == pytest.approx([1.5, 0.5, 1.5])
    assert all(np.isnan(store.read("pixel_depth", i)) for i in range(3))
    assert (store.layout.pixel_unit, str(store.layout.image)) == ("px", "20 x 20 px")
    assert store.dataset.depth.attrs["units"] == "px"
    np.testing.assert_allclose(store.dataset.depth, np.arange(20) + 0.5)
    assert "<path" in html_of(store)
    assert len(verify(store.location)) == 3


def test_the_origin_tells_files_sizes_and_crops(folder, tmp_path):
    store = import_images(folder, tmp_path / "i.zarr", crop=(2, 4, 36, 30), workers=1)
    origin = open_store(store.location).origin
    assert isinstance(origin, ImportedImages)
    assert [one.name for one in origin.images] == ["a", "b", "c"]
    first = origin.images[0]
    assert (first.size, first.crop) == ((40, 60), (2, 4, 36, 30))
    assert first.sha256 == sha256_of(folder / "a.png")
    assert (first.mask, first.mask_sha256) == ("a_mask.png", sha256_of(folder / "a_mask.png"))
    assert origin.images[1].mask is None
    assert origin.grouped_by == "likeness"
    assert "imported from a.png and 2 more" in origin.made_by


def test_a_crop_is_taken_of_images_and_masks_alike(folder, tmp_path):
    store = import_images(folder, tmp_path / "i.zarr", crop=(2, 4, 36, 30), pixels=(36, 30),
                          workers=1)  # fmt: skip
    np.testing.assert_array_equal(store.read("bmode", 0)[0], FIRST[2:38, 4:34])
    np.testing.assert_array_equal(store.read("aponeurosis_mask", 0)[0], MASK[2:38, 4:34])
    assert float(store.read("pixel_shape", 0)) == 1  # what is cut off makes no pixel wider


def test_scales_and_masks_follow_a_size_whatever_is_read(folder, tmp_path):
    table, size = tmp_path / "t.csv", (20, 30)
    table.write_text("name,pixel_depth_mm,pixel_width_mm\na,0.1,0.2\nb,0.1,0.1\nc,0.3,0.3\n")
    small = import_images(folder, tmp_path / "s.zarr", sizes=table, pixels=size, workers=1)
    whole = import_images(folder / "a.png", tmp_path / "w.zarr", pixel_size=(0.1, 0.2),
                          pixels=MASK.shape, workers=1)  # fmt: skip
    of_store, of_folder = read_image_set(small), read_image_set(folder, sizes=table, size=size)
    for name in ("images", "masks", "has_mask"):
        np.testing.assert_array_equal(getattr(of_folder, name), getattr(of_store, name))
    later = read_image_set(whole, size=size)
    np.testing.assert_array_equal(later.masks[0], of_store.masks[0])
    for read in (of_store, of_folder):
        shapes, depths = zip(*[(scale.shape, scale.depth_mm) for scale in read.scales], strict=True)
        # Of 40 x 60, 80 x 40 and 40 x 60 px.
        assert shapes == pytest.approx((2, 1 / 3, 1))
        assert depths == pytest.approx((0.2, 0.4, 0.6))
    assert (later.scales[0].shape, later.scales[0].depth_mm) == pytest.approx((2, 0.2))


def test_a_pixel_of_a_smaller_mask_is_drawn_if_half_of_it_was():
    thin, thick = np.zeros((2, 30, 30), bool)
    thin[13], thick[12:15] = True, True
    assert not resized_mask(thin, (10, 10)).any()  # which the middle of a pixel would not tell
    assert np.flatnonzero(resized_mask(thick, (10, 10)).all(axis=1)).tolist() == [4]


def test_millimetres_of_all_are_the_coordinates(folder, tmp_path):
    store = import_images(folder / "a.png", tmp_path / "i.zarr", pixel_size=(0.2, 0.1),
                          pixels=(20, 20), workers=1)  # fmt: skip
    assert store.layout.pixel_size == pytest.approx((0.4, 0.3))
    assert store.layout.pixel_unit == "mm"
    assert float(store.read("pixel_depth", 0)) == pytest.approx(0.4)
    assert images_of(store)[0].scale.shape == pytest.approx(0.75)


def test_a_table_tells_scales_and_groups(folder, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(
        "name,original_width,original_height,pixel_depth_mm,subject,cluster\n"
        "a,120,40,0.1,x,0\nb.tif,40,80,,y,1\nc,120,40,0.1,y,2\n"
    )
    store = import_images(folder, tmp_path / "i.zarr", sizes=table, pixels=(40, 60), workers=1)
    assert groups_of(store).tolist() == [0, 1, 1]
    read = read_image_set(store)
    assert read.names == ("a", "b", "c")
    assert [scale.shape for scale in read.scales] == pytest.approx([2, 40 / 60 / 2, 2])
    assert [scale.known for scale in read.scales] == [True, False, True]
    assert read.scales[0].depth_mm == pytest.approx(0.1)
    assert read.has_mask.tolist() == [True, False, False]
    np.testing.assert_array_equal(read.images[0], FIRST)
    np.testing.assert_array_equal(read.masks[0], MASK)
    assert read.groups.tolist() == [0, 1, 1]
    assert read_image_set(folder, sizes=table).groups.tolist() == [0, 1, 1]


def test_a_table_of_groups_alone_leaves_scales_unknown(folder, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("name,group\na,1\nc,2\n")
    planned = plan_images(folder, sizes=table, pixel_size=(0.1, 0.1))
    assert planned.groups.tolist() == [0, 1, 2]
    assert planned.unknown == ()
    assert plan_images(folder, sizes=table).unknown == ("a", "b", "c")


def test_what_lies_around_images_is_found_and_told(folder, tmp_path):
    screen = np.zeros((160, 200), np.uint8)
    screen[40:120, 60:160] = np.random.default_rng(3).integers(0, 256, (80, 100), np.uint8)
    place, drawn = tmp_path / "screens", np.zeros((160, 200), bool)
    place.mkdir()
    drawn[30:50, 60:160] = True
    Image.fromarray(screen).save(place / "a.png")
    Image.fromarray(drawn).save(place / "a_mask.png")
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(place / "b.png")
    cuts = plan_images(place, crop="auto").cuts
    assert (cuts.cropped, cuts.not_found, cuts.lost) == (("a",), ("b",), ("a",))
    ((crop, count),) = cuts.crops.items()
    assert count == 1
    np.testing.assert_allclose(crop, (40, 60, 80, 100), atol=3)


def test_images_of_a_store_need_masks_only_where_they_do(folder, tmp_path, refused):
    store = import_images(folder / "b.tif", tmp_path / "i.zarr", workers=1)
    assert "aponeurosis_mask" not in store.layout.variables
    assert not read_image_set(store).has_mask.any()
    assert entries_of(store.location.path, needed=False)[0].read_mask() is None
    with refused("found no aponeuroses drawn on its images", "`masks`"):
        entries_of(store.location.path)
    with refused("found `masks` of a store", "wanted them in the store"):
        entries_of(store.location.path, folder)


def test_an_unfinished_import_is_gone_on_with_and_damage_is_found(folder, tmp_path, refused):
    out = tmp_path / "i.zarr"
    import_images(folder, out, part_size=1, workers=1)
    (out / "zarr.json").unlink()
    (out / ".musim" / "parts" / "000001.json").unlink()
    with refused("unfinished store (2 of 3 parts)"):
        entries_of(out)
    again = import_images(folder, out, part_size=1, workers=1, resume=True)
    assert len(verify(again.location)) == 3
    assert groups_of(again).tolist() == [0, 1, 0]  # each part has its own
    (out / "pixel_shape" / "c.1").write_bytes(b"x")
    with pytest.raises(FailureError, match="pixel_shape/c"):
        verify(out)
    with refused("wanted sequences that were simulated", "import its files again"):
        verify(again.location, remake=1)


def test_what_cannot_be_imported_is_refused(folder, tmp_path, refused):
    out = tmp_path / "i.zarr"
    with refused("a.png: found an image of 40 x 60 px", "`crop=0,0,40,61`"):
        import_images(folder, out, crop=(0, 0, 40, 61))
    with refused("`pixels`: found 4x9, wanted 8x8"):
        import_images(folder, out, pixels=(4, 9))
    with refused("part_size: found 0"):
        import_images(folder, out, part_size=0)
    with refused("found two images of the name a", "rename"):
        import_images([folder, folder / "a.png"], out)
    table = tmp_path / "t.csv"
    table.write_text("name,pixel_depth_mm\na,0.1\n")
    with refused("`sizes`: found no row of b.tif"):
        import_images(folder, out, sizes=table)
    with refused("t.csv: found sizes of images in it, and `pixel_size`"):
        import_images(folder, out, sizes=table, pixel_size=(1, 1))
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes()[:300])
    with refused("d.png: found an image that cannot be read"):
        import_images(folder, out)
    assert not out.exists()
