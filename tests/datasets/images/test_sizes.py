"""Tables of pixels' sizes, as people and data sets write them."""

import math

import pytest

from musim.datasets.images.sizes import ImageSize, read_sizes


def table(tmp_path, *lines):
    path = tmp_path / "sizes.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return path


def test_pixels_have_the_size_that_the_table_says(tmp_path):
    sizes = read_sizes(
        table(tmp_path, "name,pixel_depth_mm,pixel_width_mm,who", "a.png,0.1,0.2,x", "b,0.08,,y")
    )
    scale = sizes["a"].scale((10, 10))
    assert (scale.depth_mm, scale.shape) == pytest.approx((0.1, 2))
    scale = sizes["b"].scale((10, 10))
    assert (scale.depth_mm, scale.shape) == pytest.approx((0.08, 1))


def test_images_that_were_resized_have_their_shape(tmp_path):
    lines = ("name,original_width,original_height,pixel_depth_mm", "a,800,600,", "b,800,600,0.3")
    sizes = read_sizes(table(tmp_path, *lines))
    assert sizes["a"] == ImageSize((600, 800))
    scale = sizes["a"].scale((256, 256))
    assert scale.shape == pytest.approx(4 / 3)
    assert math.isnan(scale.depth_mm)
    scale = sizes["b"].scale((256, 256))
    assert (scale.depth_mm, scale.shape) == pytest.approx((0.3, 4 / 3))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["name,size", "a,1"], ["columns name, size", "pixel_depth_mm"]),
        (["pixel_depth_mm", "1"], ["columns pixel_depth_mm", "wanted name"]),
        ([], ["columns none"]),
        (["name,pixel_depth_mm", "a,1", "b,-1"], ["line 3", "'-1'", "above 0"]),
        (["name,pixel_depth_mm", "a,wide"], ["line 2", "'wide'"]),
    ],
)
def test_what_is_no_table_of_sizes_is_refused(tmp_path, refused, lines, words):
    path = table(tmp_path, *lines)
    with refused("sizes.csv", "found", *words):
        read_sizes(path)


def test_a_table_that_cannot_be_read_is_refused(tmp_path, refused):
    with refused("none.csv", "wanted a CSV file"):
        read_sizes(tmp_path / "none.csv")
