"""Slices in a store: to the bit what was put there, in the middle of a canvas, and shown."""

import shutil

import numpy as np
import pytest

from musim.datasets import open_store
from musim.datasets.notebook import html_of
from musim.datasets.origin import ImportedVolumes
from musim.datasets.schema import CHUNK_BYTES
from musim.datasets.store import check_velocity
from musim.datasets.verification import verify
from musim.datasets.volumes.slices import (
    PLANES,
    Slice,
    canvas_for,
    cut,
    padded,
    slices_layout,
    slices_of,
)
from musim.datasets.volumes.summary import slices_card
from musim.simulator.errors import FailureError, InputError
from tests.slices import drawn_slices, store_of_slices


@pytest.fixture(scope="module")
def drawn():
    """What the store holds."""
    return drawn_slices()


def test_slices_come_out_as_they_went_in(slices_store, drawn):
    stored = slices_of(slices_store)
    assert len(stored) == len(drawn)
    for one, was in zip(stored, drawn, strict=True):
        assert (one.index, one.plane, one.position) == (was.index, was.plane, was.position)
        assert one.pixel_size == was.pixel_size
        for name in ("image", "image_b", "tissue"):
            value = getattr(one, name)
            assert value.dtype == getattr(was, name).dtype
            assert value.tobytes() == np.ascontiguousarray(getattr(was, name)).tobytes()
    assert stored[-1].index == 6
    assert [one.index for one in stored[2:5]] == [2, 3, 4]
    for outside in (7, -8):
        with pytest.raises(IndexError, match="wanted 0 to 6"):
            stored[outside]


def test_what_lies_around_a_slice_is_zero(slices_store, drawn):
    dataset = slices_store.dataset
    assert dataset.image.dims == ("sequence", "time", "depth", "width")
    assert dataset.image.shape == (7, 1, 64, 64)
    for was in drawn:
        canvas = dataset.image_b[was.index, 0].values
        rows, columns = was.image_b.shape
        first, second = (64 - rows) // 2, (64 - columns) // 2
        inside = canvas[first : first + rows, second : second + columns].copy()
        canvas[first : first + rows, second : second + columns] = 0
        assert np.array_equal(inside, was.image_b)
        assert not canvas.any()


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (5, 6), (8, 8)])
def test_cutting_undoes_padding(size):
    image = np.random.default_rng(0).normal(size=(3, *size))
    assert np.array_equal(cut(padded(image, 8), size), image)
    assert np.array_equal(cut(padded(image, (9, 12)), size), image)


def test_what_does_not_fit_a_canvas_is_refused():
    with pytest.raises(InputError, match=r"found 8 x 8 px, wanted 9 x 3 px or more"):
        padded(np.zeros((9, 3)), 8)
    with pytest.raises(InputError, match=r"found 9 x 3 px, wanted 1 x 1 to 8 x 8 px"):
        cut(np.zeros((8, 8)), (9, 3))


def test_the_canvas_is_the_smallest_that_holds_all_planes():
    assert canvas_for([(91, 109), (45, 91)]) == 128
    assert canvas_for([(32, 32)]) == 32
    assert canvas_for([(1, 33)]) == 64
    assert canvas_for([(512, 200)]) == 512


def test_coordinates_are_in_mm_where_all_pixels_are_one_size(slices_store, drawn, tmp_path):
    assert slices_store.layout.pixel_unit == "px"
    same = [Slice(0, "axial", 0.0, drawn[0].image, drawn[0].image_b, (0.6, 0.6 + 1e-9))]
    store = store_of_slices(same, tmp_path / "same.zarr")
    assert store.layout.pixel_unit == "mm"
    assert store.layout.pixel_size == (0.6, 0.6)
    assert "tissue" not in store.layout.variables
    assert slices_of(store)[0].tissue is None


def test_large_slices_make_small_parts(slices_store):
    def part_size(canvas):
        return slices_layout(
            slices_store.origin, sequences=1000, canvas=canvas, pixel_sizes=[(1.0, 1.0)]
        ).part_size

    assert (part_size(256), part_size(512)) == (32, 8)
    assert CHUNK_BYTES == 8 * 512**2 * 4
    with pytest.raises(InputError, match="sequences: found 0"):
        slices_layout(slices_store.origin, sequences=0, canvas=32, pixel_sizes=[(1.0, 1.0)])


def test_the_origin_is_read_back(slices_store):
    again = open_store(slices_store.location.address)
    assert isinstance(again.origin, ImportedVolumes)
    assert again.origin == slices_store.origin
    assert again.origin.planes == PLANES
    assert again.is_slices
    assert [again.is_section, again.is_video, again.has_units] == [False] * 3


def test_a_store_of_slices_is_proved_and_damage_found(slices_store, tmp_path):
    assert len(verify(slices_store)) == 7
    path = shutil.copytree(slices_store.location.path, tmp_path / "copy.zarr")
    chunk = next((path / "image_b").glob("c.1*"))
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(FailureError, match=r"part 1: image_b/\S+ is altered"):
        verify(path)
    with pytest.raises(FailureError, match="image_b"):
        slices_of(path)[4]
    with pytest.raises(InputError, match="simulated"):
        verify(slices_store, remake=1)


def test_the_card_tells_each_plane_and_the_intensities(slices_store, drawn):
    card = slices_card(slices_store)
    assert [(one.plane, one.slices, one.left_out) for one in card.planes] == [
        ("axial", 3, 2), ("coronal", 2, 0), ("sagittal", 2, 0),
    ]  # fmt: skip
    axial = card.planes[0]
    assert axial.sizes == ((40, 40), (31, 31))
    assert axial.pixel_sizes == ((1.0, 1.0), (1.5, 1.5))
    assert axial.positions == (-3.0, 9.0)
    values = np.concatenate([one.image_b.ravel() for one in drawn]).astype(float)
    found = card.image_b
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std()))


def test_notebooks_show_slices(slices_store):
    page = html_of(slices_store)
    assert "slice 3, axial at 3.0 mm" in page
    assert "one slice, in two pictures" in page
    assert "pairs of slices of 64 x 64 px" in repr(slices_store)


def test_other_stores_have_no_slices(dense):
    with pytest.raises(InputError, match="wanted paired slices"):
        slices_of(dense)


def test_a_slice_is_constant_where_either_picture_is(drawn):
    one = drawn[0]
    flat = np.full_like(one.image, 7)
    assert not one.is_constant
    for a, b in ((flat, one.image_b), (one.image, flat)):
        assert Slice(0, "axial", 0.0, a, b, (1.0, 1.0)).is_constant


def test_what_wants_velocity_refuses_slices(slices_store):
    for use in (check_velocity, lambda store: store.tvi(0), lambda store: store.bmode(0)):
        with pytest.raises(InputError, match="paired slices"):
            use(slices_store)
