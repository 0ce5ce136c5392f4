"""Chunks are the files that Zarr's own writer makes."""

from contextlib import closing

import numpy as np
import pytest
import zarr
import zarr.storage

from musim.datasets.chunks import _encoded, write_truth
from musim.datasets.chunks_kernels import to_float16
from musim.datasets.location import Batch, Location
from musim.datasets.schema import VARIABLES, chunks_of
from musim.simulator import FailureError


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_every_file_is_the_one_that_zarr_writes(make, tree, tmp_path, monkeypatch, dtype):
    # Chunks of a few frames, and a last part and a last chunk that are not full.
    monkeypatch.setattr("musim.datasets.schema.CHUNK_BYTES", 7 * 64 * 4)
    store = make(tmp_path / "ours.zarr", sequences=5, part_size=3, dtype=dtype)
    layout = store.layout
    frames, length = layout.shape[0], chunks_of(layout.variable("tvi"), layout.sizes, 3)[1]
    assert 1 < length < frames
    assert frames % length

    theirs = tmp_path / "theirs.zarr"
    for key, document in layout.metadata().items():
        (theirs / key).parent.mkdir(parents=True, exist_ok=True)
        (theirs / key).write_bytes(document)
    ours = zarr.open_group(tmp_path / "ours.zarr", mode="r")
    for name, array in zarr.open_group(theirs, mode="r+").arrays():
        array.with_config({"write_empty_chunks": True})[:] = ours[name][:]

    files = tree(store.location.path)
    chunks = {name for name in files if "/c." in name}
    assert len(chunks) > len(layout.variables) + 5 * 2
    written = tree(theirs)
    assert {name for name in written if "/c." in name} == chunks
    assert all(files[name] == written[name] for name in chunks)


def test_float16_is_rounded_as_numpy_rounds():
    exact = np.arange(2**16, dtype=np.uint16).view(np.float16)
    exact = np.sort(exact[np.isfinite(exact)]).astype(np.float32)
    ties = (exact[1:] + exact[:-1]) / 2
    beside = [np.nextafter(ties, np.float32(way)) for way in (np.inf, -np.inf)]
    random = np.random.default_rng(0).integers(2**32, size=10**5, dtype=np.uint32)
    odd = np.float32([-0.0, 65519.99, 65520, 1e30, np.inf, -np.inf, np.nan, 1e-45, 2**-25])
    values = np.concatenate([exact, ties, *beside, random.view(np.float32), odd])
    out = np.empty(values.size, np.uint16)
    to_float16(values, out)
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.array_equal(out, values.astype(np.float16).view(np.uint16))


def test_an_array_that_does_not_fit_is_not_written(dense, tmp_path):
    layout = dense.layout
    arrays = {name: np.zeros((4, *dense.read(name, 0).shape)) for name in layout.variables}
    wanted = pytest.raises(FailureError, match=r"found shape \(4.*wanted \(3")
    with closing(Batch(Location(tmp_path))) as batch, wanted:
        write_truth(batch, layout, 0, arrays)
    assert list(tmp_path.iterdir()) == []


def test_a_chunk_has_the_same_bytes_each_time():
    # Blosc's own threads would order blocks as they are done with them; Zarr forbids them.
    (trains,) = (one for one in VARIABLES if one.name == "twitch_train")
    values = np.random.default_rng(0).normal(size=(1280, 30, 40)).astype(np.float32).round(1)
    chunks = {bytes(_encoded(trains, values, len(values))[0]) for _ in range(5)}
    assert len(chunks) == 1
