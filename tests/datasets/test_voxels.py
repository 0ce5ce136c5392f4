"""Voxels that are read straight from their files, against what Zarr's own reader makes of them."""

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musim.datasets import generate, open_store, schema, voxels
from musim.simulator import FailureError, Parameters

FRAMES = 37


@pytest.fixture(scope="module", params=["float32", "float16"])
def store(request, tmp_path_factory):
    """Return a dense store whose sequences are cut into chunks of five frames."""
    patch = pytest.MonkeyPatch()
    with patch.context() as local:
        size = 2 if request.param == "float16" else 4
        local.setattr(schema, "CHUNK_BYTES", 5 * 8 * 6 * size)
        parameters = Parameters(units=(2, 2), pixels=(8, 6), frames=FRAMES, frame_rate=100.0)
        place = tmp_path_factory.mktemp("voxels") / "set.zarr"
        generate(parameters, place, sequences=3, dtype=request.param, workers=1)
        yield open_store(place)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), piece=st.sampled_from([7, 64, 1 << 20]))
def test_any_window_is_what_zarr_reads(store, data, piece):
    window = []
    for length in store.layout.shape:
        start = data.draw(st.integers(0, length - 1))
        window.append(slice(start, data.draw(st.integers(start + 1, length))))
    wanted = zarr.open_array(store.location.path / "tvi", mode="r")[(1, *window)]
    with pytest.MonkeyPatch().context() as local:
        local.setattr(voxels, "PIECE", piece)
        found = store.tvi(1, time=window[0], depth=window[1], width=window[2])
        for dtype, order in (("float32", "C"), ("float16", "C"), ("float32", "F")):
            out = np.empty(found.shape, dtype, order)
            filled = store.tvi(1, time=window[0], depth=window[1], width=window[2], out=out)
            assert filled is out
            np.testing.assert_array_equal(out, np.asarray(wanted).astype(dtype))
    assert found.dtype == store.layout.dtype
    np.testing.assert_array_equal(found, wanted)


def test_memory_of_another_shape_is_refused(store):
    with pytest.raises(ValueError, match=r"out: found shape \(2, 8, 6\), wanted \(37, 8, 6\)"):
        store.tvi(0, out=np.empty((2, 8, 6), np.float32))


@pytest.mark.parametrize("place", [0, 300, -5, -1])
def test_damage_anywhere_in_a_chunk_is_found_whatever_is_read_of_it(store, place):
    path = store.location.path / "tvi" / "c.2.1.0.0"
    content = path.read_bytes()
    try:
        changed = bytearray(content)
        changed[place] ^= 1
        for bad in (
            bytes(changed),
            content[:-1],
            content[: len(content) // 2],
            content + b"\0",
            b"",
        ):
            path.write_bytes(bad)
            for frame in range(5, 10):
                with pytest.raises(FailureError, match=r"part 0 is damaged in tvi/c\.2\.1\.0\.0"):
                    store.tvi(2, time=slice(frame, frame + 1))
        path.unlink()
        with pytest.raises(FailureError, match=r"part 0 lacks tvi/c\.2\.1\.0\.0"):
            store.tvi(2)
        store.tvi(2, time=slice(10, 20))  # of other chunks
    finally:
        path.write_bytes(content)
