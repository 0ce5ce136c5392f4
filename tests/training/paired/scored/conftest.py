"""Paired slices, and runs whose networks are functions of which all is known."""

import sys
import types

import numpy as np
import pytest

from musim.datasets.volumes.slices import Slice
from musim.training.runs.folder import BEST, RunFolder
from tests.slices import store_of_slices

SIZES = {"axial": (40, 36), "coronal": (34, 36), "sagittal": (34, 40)}
CANVAS = (64, 64)
HIGH = 900.0
VALUES = (0, 200, 400, 400, 100), (0, 300, 150, 600, HIGH - 30)
"""Intensities of tissues in either image; two tissues look alike in the first."""


def body(shape, number):
    """Return tissues of a slice: air, a body, and two kinds in it that one image shows alike."""
    z, x = (np.arange(side) - side / 2 for side in shape)
    away = np.hypot(z[:, None] / shape[0], x / shape[1])
    tissue = np.where(away < 0.45, 1, 0)
    tissue[(away < 0.3) & (x > 0)] = 2
    tissue[(away < 0.3) & (x <= 0)] = 3
    tissue[12 : 14 + number % 3] = np.where(tissue[12 : 14 + number % 3], 4, 0)
    return tissue.astype(np.uint8)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Return a store of nine slices, three of each plane, whose tissues are not known."""
    folder = tmp_path_factory.mktemp("pairs")
    random, made = np.random.default_rng(2), []
    for number in range(9):
        plane = list(SIZES)[number % 3]
        tissue = body(SIZES[plane], number)
        noise = random.normal(0, 4, (2, *tissue.shape)) * (tissue > 0)
        images = [np.array(VALUES[number])[tissue] + noise[number] for number in (0, 1)]
        images = [np.maximum(image, 0).astype(np.float32) for image in images]
        made.append(Slice(number, plane, 3.0 * number, *images, (1.5, 1.5), None))
    made[4].image_b[20, 18] = HIGH
    store_of_slices(made, folder / "right<b>.zarr")
    return folder / "right<b>.zarr"


@pytest.fixture
def networks(monkeypatch):
    """Return a function that lets runs be opened as translators that it is given the class of."""

    def use(translator):
        module = types.ModuleType("applying")
        module.load = translator
        monkeypatch.setitem(sys.modules, "musim.training.paired.applying", module)

    return use


@pytest.fixture
def run(tmp_path):
    """Return a function that makes the folder of a run, without its network."""

    def make(name, architecture="pix2pix", task="translate-paired", source=None):
        folder = RunFolder(tmp_path / "runs" / name)
        folder.path.mkdir(parents=True)
        folder.create({"task": task, "model": "small", "settings": {"architecture": architecture},
                       "source": source or {}, "grid": {}})  # fmt: skip
        (folder.path / BEST).write_bytes(name.encode())
        return str(folder.path)

    return make
