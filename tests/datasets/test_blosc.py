"""Packing and unpacking leaves nothing behind where a process is ended from outside."""

import multiprocessing

import numcodecs.blosc
import numpy as np

from musim.datasets import generate, open_store
from musim.simulator import Parameters


def test_no_semaphore_is_made(tmp_path, monkeypatch):
    made, usual = [], multiprocessing.Lock
    monkeypatch.setattr(numcodecs.blosc, "_MUTEX_IS_INIT", False)
    monkeypatch.setattr(multiprocessing, "Lock", lambda: made.append(True) or usual())
    parameters = Parameters(units=2, pixels="8x8", size="20x20", frames=16)
    generate(parameters, tmp_path / "set.zarr", sequences=2, workers=1)
    territory = open_store(tmp_path / "set.zarr").read("territory", 1)
    assert made == []
    assert territory.any()
    # Were it made, it would be seen: packing asks for it through the same name.
    monkeypatch.setattr(numcodecs.blosc, "get_mutex", multiprocessing.Lock)
    numcodecs.blosc.compress(np.arange(9.0).tobytes(), b"lz4", 5)
    assert made == [True]
