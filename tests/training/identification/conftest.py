"""Recordings that results are made of, and a method that finds what it is told."""

import numpy as np
import pytest

from musim.datasets import generate
from musim.datasets.layout import Layout
from musim.datasets.location import Location
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.results import (
    recording_of,
)
from tests.makers import store_of
from tests.training.identification.identified import DEPTH, FRAMES, PIXEL, RATE, WIDTH, some_units


@pytest.fixture
def recordings(tmp_path):
    """Return a function that stores recordings without truth, as an import does."""

    def make(name, voxels, rate=RATE, pixel=PIXEL, dtype="float32"):
        sequences, *shape = np.shape(voxels)
        sizes = dict(zip(("sequence", "time", "depth", "width"), (sequences, *shape), strict=True))
        layout = Layout(
            kind="dense", variables=("tvi",), sizes=sizes, part_size=1, dtypes={"tvi": dtype},
            frame_rate=rate, pixel_size=pixel, attributes={},
        )  # fmt: skip

        place = Location(name if "://" in name else tmp_path / name)
        return store_of(place, layout, lambda part: ({}, [np.asarray(voxels[part], np.float32)]))

    return make


@pytest.fixture
def three(recordings):
    """Three recordings that no method would find anything in."""
    random = np.random.default_rng(3)
    return recordings("three.zarr", random.normal(size=(3, FRAMES, DEPTH, WIDTH)))


@pytest.fixture
def simulated(tiny, tmp_path):
    """Three simulated recordings."""
    return generate(tiny, tmp_path / "simulated.zarr", sequences=3, seed=5, workers=1)


@pytest.fixture
def stub(monkeypatch):
    """Return a function that lets the method "stub" find given units, in each recording its own.

    The recordings it was asked for, and their truths, are in its attribute `asked`.
    """

    def install(*pairs):
        asked = []

        def method(recording, truth=None):
            asked.append((recording, truth))
            for store, found in pairs:
                for index in range(len(store)):
                    if np.array_equal(recording.tvi, recording_of(store, index).tvi):
                        if isinstance(found[index], BaseException):
                            raise found[index]
                        return found[index]
            raise AssertionError("a recording of another store")

        monkeypatch.setitem(
            METHODS, "stub", Method("stub", "", method, "used", keeps_confidence=True)
        )
        return asked

    return install


@pytest.fixture
def found():
    """Units for three recordings; none in the second."""
    random = np.random.default_rng(8)
    return [some_units(random, 4), some_units(random, 0, 0), some_units(random, 1, 7)]
