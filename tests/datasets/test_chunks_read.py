"""Truth that is read without Zarr, against what Zarr's own reader makes of it."""

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec

from musim.datasets import generate, open_store, store
from musim.datasets.chunks import is_ours, read_truth
from musim.simulator import FailureError, Parameters

BLOSC = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle")


@pytest.fixture(scope="module", params=["dense", "rendered"])
def opened(request, tmp_path_factory):
    """Return a store of two parts, the last of which is not full."""
    parameters = Parameters(units=(1, 3), pixels=(8, 6), frames=20, frame_rate=100.0)
    place = tmp_path_factory.mktemp("chunks") / "set.zarr"
    generate(parameters, place, sequences=5, part_size=3, kind=request.param, workers=1)
    return open_store(place)


def truth_of(opened):
    return [name for name in opened.layout.variables if name != "tvi"]


def test_every_variable_is_what_zarr_reads(opened):
    group = zarr.open_group(opened.location.path, mode="r")
    for name in truth_of(opened):
        array = group[name]
        assert is_ours(array, opened.layout, name)
        for part, sequences in enumerate((slice(0, 3), slice(3, 5))):
            found = read_truth(opened.location, opened.layout, name, part)
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, array[sequences], err_msg=name)


def test_voxels_are_no_truth(opened):
    if opened.kind == "dense":
        array = zarr.open_group(opened.location.path, mode="r")["tvi"]
        assert not is_ours(array, opened.layout, "tvi")
        np.testing.assert_array_equal(opened.read_part("tvi", 1), array[3:5])


def test_what_others_wrote_is_read_by_zarr(opened, monkeypatch):
    wanted = {name: opened.read_part(name, 1) for name in truth_of(opened)}
    monkeypatch.setattr(store, "is_ours", lambda *_: False)
    monkeypatch.setattr(store, "read_truth", None)
    for name, values in wanted.items():
        np.testing.assert_array_equal(
            open_store(opened.location.address).read_part(name, 1), values
        )


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({}, True),
        ({"compressors": [BLOSC]}, False),
        ({"compressors": [GzipCodec(), Crc32cCodec()]}, False),
        ({"compressors": [Crc32cCodec(), BLOSC]}, False),
        ({"serializer": BytesCodec(endian="big")}, False),
        ({"chunks": (2, 3, 20)}, False),
        ({"dtype": "float64"}, False),
        ({"shape": (6, 3, 20)}, False),
    ],
    ids=str,
)
def test_only_what_is_written_so_is_read_so(opened, change, ours):
    made = {
        "shape": (5, 3, 20), "chunks": (3, 3, 20), "dtype": "float32",
        "serializer": BytesCodec(endian="little"), "compressors": [BLOSC, Crc32cCodec()],
    }  # fmt: skip
    array = zarr.create_array(zarr.storage.MemoryStore(), **made | change)
    assert is_ours(array, opened.layout, "twitch_train") == ours


@pytest.mark.parametrize("name", ["territory", "unit_count"])
def test_damage_anywhere_is_found(opened, name):
    (key,) = opened.layout.chunk_keys(name, 1)
    path = opened.location.path / key
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    try:
        for bad in (changed, content[:-1], content[:middle], content + b"\0", content[:3]):
            path.write_bytes(bad)
            with pytest.raises(FailureError, match=f"part 1 is damaged in {key}"):
                open_store(opened.location.address).read(name, 4)
        path.write_bytes(b"\0" * 4)  # a checksum that is right, of nothing
        with pytest.raises(FailureError, match=f"part 1 is damaged in {name}"):
            open_store(opened.location.address).read(name, 4)
        path.unlink()
        with pytest.raises(FailureError, match=f"part 1 lacks {key}"):
            open_store(opened.location.address).read(name, 4)
    finally:
        path.write_bytes(content)
