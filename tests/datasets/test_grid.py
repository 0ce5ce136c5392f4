"""The grid of a sequence: its words, its tolerance and its JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.grid import SAME, Grid

GRID = Grid((400, 64, 32), 400.0, (0.625, 1.25))


def test_its_words_name_all_of_it():
    assert str(GRID) == "64 x 32 px of 0.625 x 1.25 mm and 400 frames at 400 Hz"
    assert GRID.image == "64 x 32 px of 0.625 x 1.25 mm"
    assert GRID.pixel == "0.625 x 1.25 mm"


@given(
    st.tuples(*[st.integers(1, 9999)] * 3), st.floats(1e-3, 1e6),
    st.tuples(*[st.floats(1e-3, 1e3)] * 2),
)  # fmt: skip
def test_json_brings_it_back(shape, frame_rate, pixel_size):
    grid = Grid(shape, frame_rate, pixel_size)
    assert Grid.from_json(json.loads(json.dumps(grid.to_json()))) == grid


@pytest.mark.parametrize("plain", [{}, {**GRID.to_json(), "shape": [1, 2]},
                                   {**GRID.to_json(), "frame_rate": "fast"}])  # fmt: skip
def test_what_is_no_grid_is_refused(plain):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Grid.from_json(plain)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"frame_rate": 400 * (1 + 0.9 * SAME)}, True),
        ({"frame_rate": 400 * (1 + 1.1 * SAME)}, False),
        ({"pixel_size": (0.625 * (1 - 0.9 * SAME), 1.25)}, True),
        ({"pixel_size": (0.625 * (1 - 1.1 * SAME), 1.25)}, False),
        ({"pixel_size": (0.625, 1.25 * (1 + 1.1 * SAME))}, False),
        ({"shape": (401, 64, 32)}, False),
        ({"shape": (400, 65, 32)}, False),
        ({"shape": (400, 64, 33)}, False),
    ],
)
def test_grids_fit_but_for_rounding(changes, fits):
    other = dataclasses.replace(GRID, **changes)
    assert GRID.fits(other) is other.fits(GRID) is fits


def test_lengths_and_images_may_differ_where_asked():
    longer = dataclasses.replace(GRID, shape=(500, 64, 32))
    assert GRID.fits(longer, frames=False)
    assert not GRID.fits(longer, image=False)
    larger = dataclasses.replace(GRID, shape=(400, 80, 32))
    assert GRID.fits(larger, image=False)
    assert not GRID.fits(larger, frames=False)
    assert GRID.fits(dataclasses.replace(GRID, shape=(1, 2, 3)), frames=False, image=False)
