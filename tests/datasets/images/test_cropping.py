"""Where on a screen the image is: told, or found among borders, text, rulers and bars."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from musim.datasets.images.cropping import check_crop, find_image, parse_crop

PLACE = (50, 70, 260, 200)


def speckle(depth, width, seed=0):
    return np.random.default_rng(seed).rayleigh(50, (depth, width)).clip(0, 255).astype(np.uint8)


def screen(background=0, place=PLACE, size=(400, 400)):
    """Return a scanner's screen: an image among text, a ruler, a logo and a grey bar."""
    picture = Image.new("L", size[::-1], background)
    pen = ImageDraw.Draw(picture)
    for row in range(6):
        pen.text((300, 60 + 14 * row), "Gain 52  66 dB", fill=220)
    pen.text((5, 5), "CALF MEDIAL 10 MHz  MI 0.7", fill=255)
    for row in range(50, 320, 10):
        pen.line((284, row, 290, row), fill=200)
    for row in range(80):
        pen.line((20, 60 + row, 36, 60 + row), fill=255 - 3 * row)
    values = np.asarray(picture).copy()
    top, left, depth, width = place
    values[top : top + depth, left : left + width] = speckle(depth, width)
    return values


@pytest.mark.parametrize("background", [0, 60])
def test_the_image_is_found_among_what_is_on_a_screen(background):
    np.testing.assert_allclose(find_image(screen(background)), PLACE, atol=6)


def test_what_is_all_image_stays_all():
    assert find_image(speckle(120, 90)) == (0, 0, 120, 90)


def test_dark_layers_do_not_part_an_image():
    values = screen()
    values[80:105, 70:270] = 0
    values[220:250, 70:270] = 0
    np.testing.assert_allclose(find_image(values), PLACE, atol=6)


@pytest.mark.parametrize("values", [np.zeros((90, 80)), screen(place=(0, 0, 0, 0))])
def test_where_nothing_is_like_an_image_there_is_none(values):
    assert find_image(values.astype(np.uint8)) is None


def test_a_crop_is_four_numbers_within_the_image(refused):
    assert parse_crop("1,2, 30,40") == (1, 2, 30, 40)
    assert parse_crop("Auto") == "auto"
    for text in ("1,2,3", "-1,0,5,5", "0,0,0,5", "a,b,c,d", ""):
        with refused("`crop`: found", "40,100,400,512, or auto"):
            parse_crop(text)
    check_crop((1, 2, 29, 38), (30, 40), "a.png")
    for crop in ((1, 2, 30, 38), (1, 2, 29, 39)):
        with refused("a.png: found an image of 30 x 40 px", "`crop=1,2,"):
            check_crop(crop, (30, 40), "a.png")
