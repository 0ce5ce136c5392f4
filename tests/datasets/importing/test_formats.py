import gzip
import json
import os
import pickle
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import h5py
import numcodecs
import numpy as np
import pytest
import scipy.io
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.datasets.importing.description import Description
from musim.datasets.importing.files import File, VariableInfo
from musim.datasets.importing.formats import FORMATS, open_file
from musim.datasets.importing.stores import import_recordings
from musim.simulator.errors import InputError
from musim.simulator.imaging.chain import Chain

SHAPE = (5, 4, 6)
OPEN = Path("/proc/self/fd")


def _values(dtype, shape=SHAPE):
    random = np.random.default_rng(3)
    if np.dtype(dtype).kind == "c":
        return (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return random.integers(-3000, 3000, shape).astype(dtype)


def _same(found, wanted):
    assert found.dtype == wanted.dtype
    assert found.dtype.isnative
    assert found.shape == wanted.shape
    assert np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(wanted).tobytes()


def _open_files():
    return sorted(str(entry.readlink()) for entry in OPEN.iterdir() if entry.is_symlink())


def _array(file):
    return file.array("array" if file.format == "NumPy .npy" else "x")


_slices = st.tuples(
    *(st.builds(slice, *(st.none() | st.integers(-n - 2, n + 2),) * 2) for n in SHAPE)
)


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
def test_every_format_gives_back_the_same_bits(real_file, dtype, write):
    values = _values(dtype)
    path = write(real_file, values)
    with open_file(path) as file:
        array = _array(file)
        assert array.shape == SHAPE
        _same(array.read(), values)
        info = file.info("array" if path.suffix == ".npy" else "x")
        assert (info.shape, info.dtype, info.is_numeric) == (SHAPE, values.dtype, True)
        assert file.mismatch == ""


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_numbers_come_back_as_such(complex_file, dtype, write):
    values = _values(dtype, (3, 4, 2, 5))
    with open_file(write(complex_file, values)) as file:
        _same(_array(file).read(), values)
        _same(_array(file).read((slice(1, 2), slice(0, 4), slice(1))), values[1:2, :, :1])


def test_pieces_equal_the_whole(real_file, write):
    values = _values("f4")
    path = write(real_file, values)
    with open_file(path) as file:
        array = _array(file)

        @settings(max_examples=25)
        @given(_slices)
        def check(slices):
            piece = array.read(slices)
            _same(piece, values[slices])
            assert piece.flags.writeable
            piece[...] = 7  # a piece is its own: the next ones are what the file holds

        check()
        _same(array.read(), values)
        with pytest.raises(ValueError, match="step"):
            array.read((slice(0, 4, 2),))
        with pytest.raises(ValueError, match="4 slices"):
            array.read((slice(None),) * 4)


def test_nothing_stays_open(real_file, write, tmp_path):
    path = write(real_file, _values("i2"))
    with open_file(path) as file:
        _array(file).read((slice(2),))
    assert [name for name in _open_files() if str(tmp_path) in name] == []


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "v5.mat", "v73.mat", "a.h5", "a4.nc", "a3.nc"])
def test_a_piece_takes_the_memory_of_a_piece(name, write):
    values = np.zeros((64, 256, 128), "f4")  # 8 MiB
    path = write(name, values)
    with open_file(path) as file:
        array = _array(file)
        axis = 2 if file.column_major else 0
        tracemalloc.start()
        array.read(tuple(slice(0, 1) if i == axis else slice(None) for i in range(3)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_single_and_missing_values_of_numpy_are_read(name, tmp_path):
    path = tmp_path / name
    key = "array" if path.suffix == ".npy" else "x"
    for value in (np.array(3.5), np.zeros((0, 3)), np.array("words"), np.array([b"words"])):
        np.save(path, value) if path.suffix == ".npy" else np.savez(path, x=value)
        with open_file(path) as file:
            if value.dtype.kind in "US":
                assert file.value(key) == "words"
            else:
                _same(file.array(key).read(), value)


def test_a_file_larger_than_memory_is_read_in_pieces(tmp_path):
    path, frames = tmp_path / "large.npy", 10 << 20
    with path.open("wb") as file:
        header = {"descr": "<i2", "fortran_order": False, "shape": (frames, 8, 64)}
        np.lib.format.write_array_header_2_0(file, header)
        start = file.tell()
        file.truncate(start + frames * 8 * 64 * 2)  # 10 GiB that take no room on the disk
        file.seek(start + (frames - 1) * 1024)
        file.write(np.arange(512, dtype="<i2").tobytes())
    with open_file(path) as file:
        last = file.array("array").read((slice(-1, None),))
    _same(last, np.arange(512, dtype="i2").reshape(1, 8, 64))


def test_both_matlab_versions_give_structs_and_texts_alike(tmp_path, matlab73):
    values = {
        "RF": _values("i2"),
        "param": {"fs": 6.6e6, "name": "L11-5v µ", "angles": np.array([[-1.5, 0, 2]])},
        "on": np.array([[True]]),
    }
    old, new = tmp_path / "old.mat", matlab73(values, "new.mat")
    packed = tmp_path / "packed.mat"
    scipy.io.savemat(old, values)
    scipy.io.savemat(packed, values, do_compression=True)
    for path in (old, packed, new):
        with open_file(path) as file:
            assert {v.name for v in file.variables} == {
                "RF", "param/fs", "param/name", "param/angles", "on",
            }  # fmt: skip
            assert file.value("param/fs") == 6.6e6
            assert file.value("param/name") == "L11-5v µ"
            assert file.value("on") is True
            assert file.info("param/name").is_text
            _same(file.array("RF").read(), values["RF"])
            _same(file.array("param/angles").read(), values["param"]["angles"])


def test_structs_within_structs_are_reached(tmp_path):
    inner = _values("f8", (3, 2))
    scipy.io.savemat(tmp_path / "a.mat", {"a": {"b": {"c": inner, "d": 2.0}, "e": 3.0}})
    with open_file(tmp_path / "a.mat") as file:
        _same(file.array("a/b/c").read(), inner)
        assert (file.value("a/b/d"), file.value("a/e")) == (2, 3)


def _matlab5(order, elements):
    text = b"MATLAB 5.0 MAT-file".ljust(124)
    return text + struct.pack(f"{order}H", 0x0100) + (b"MI" if order == ">" else b"IM") + elements


def _matlab5_array(order, kind, stored, shape, content, flags=0, name=b"x"):
    def element(code, data):
        return struct.pack(f"{order}2I", code, len(data)) + data + b"\0" * (-len(data) % 8)

    body = element(6, struct.pack(f"{order}2I", kind | flags, 0))
    body += element(5, np.array(shape, f"{order}i4").tobytes()) + element(1, name)
    return element(14, body + b"".join(element(stored, part) for part in content))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_matlab_files_of_either_byte_order_agree_with_scipy(order, packed, tmp_path):
    values = _values("i2", (3, 3, 5))  # 90 bytes: the parts are padded to a multiple of 8
    content = [values.astype(f"{order}i2").tobytes(order="F")] * 2
    element = _matlab5_array(order, 10, 3, values.shape, content, flags=0x800)
    if packed:
        data = zlib.compress(element)
        element = struct.pack(f"{order}2I", 15, len(data)) + data
    path = tmp_path / "a.mat"
    path.write_bytes(_matlab5(order, element))
    with open_file(path) as file:
        found = file.array("x").read()
    assert found.dtype == np.complex64
    assert np.array_equal(found, scipy.io.loadmat(path)["x"])
    assert np.array_equal(found, values + 1j * values)


def test_whole_numbers_that_matlab_saved_small_get_their_class_back(tmp_path):
    path = tmp_path / "a.mat"
    values = np.arange(-6, 6, dtype="i1").reshape(3, 4)
    # int16; double keeps what was saved.
    for kind, dtype, name in ((10, "i2", "int16"), (6, "i1", "double")):
        element = _matlab5_array("<", kind, 1, (3, 4), [values.tobytes(order="F")])
        path.write_bytes(_matlab5("<", element))
        with open_file(path) as file:
            _same(file.array("x").read(), values.astype(dtype))
            assert file.info("x").attributes["MATLAB_class"] == name


def test_attributes_are_values(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("scan/rf", data=_values("i2"))
        data.attrs["fs"] = 4e7
        data.attrs["units"] = "V"
        data.attrs["limits"] = [1.0, 2.0]
        file["scan"].attrs["probe"] = "L7-4"
        file.attrs["PRF"] = np.float32(5000)
        file["name"] = "phantom"
    with open_file(tmp_path / "a.h5") as file:
        assert file.value("scan/rf@fs") == 4e7
        assert file.value("scan@probe") == "L7-4"
        assert file.value("@PRF") == file.value("/@PRF") == 5000
        assert file.value("name") == "phantom"
        assert file.info("scan/rf").units == "V"
        for name, word in (("scan/rf@fz", "fs"), ("scan/rf@limits", "2 values"), ("@x", "PRF")):
            with pytest.raises(InputError, match=word):
                file.value(name)
    group = zarr.create_group(str(tmp_path / "a.zarr"), attributes={"PRF": 100})
    group.create_array("x", data=_values("f4"), dimension_names=("time", "depth", "width"))
    with open_file(tmp_path / "a.zarr") as file:
        assert file.value("@PRF") == 100
        assert file.info("x").dims == ("time", "depth", "width")


@pytest.mark.parametrize("engine", ["scipy", "h5netcdf"])
def test_netcdf_is_unpacked_and_keeps_its_names(engine, tmp_path):
    values = _values("i2")
    coordinate = ("depth", np.arange(4) * 0.1, {"units": "mm"})
    data = xr.Dataset(
        {"v": (("time", "depth", "width"), values, {"scale_factor": 0.5, "units": "mm/s"})},
        coords={
            "depth": coordinate,
            "time": ("time", np.arange(5.0), {"units": "seconds since 1"}),
        },
    )
    data.to_netcdf(tmp_path / "a.nc", engine=engine)
    with open_file(tmp_path / "a.nc") as file:
        assert file.info("v").dims == ("time", "depth", "width")
        assert np.array_equal(file.array("v").read(), values * 0.5)
        assert file.info("depth").units == "mm"
        assert np.array_equal(file.array("time").read(), np.arange(5.0))
        assert (file.info("v").units, file.format[:6]) == ("mm/s", "NetCDF")


def test_the_content_decides_and_a_wrong_name_is_named(tmp_path, write):
    path = write("a.npy", _values("i2")).rename(tmp_path / "a.mat")
    with open_file(path) as file:
        assert file.format == "NumPy .npy"
        assert "a.mat" in file.mismatch
        assert "NumPy .npy" in file.mismatch
        _same(file.array("array").read(), _values("i2"))
    other = write("a.h5", _values("i2")).rename(tmp_path / "recording.dat")
    with open_file(other) as file:
        assert (file.format, file.mismatch) == ("HDF5", "")


class Trap:
    """An object whose unpickling leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "packed.npz", "fields.npy"])
def test_objects_are_never_unpickled(name, tmp_path, fails):
    mark, path = tmp_path / "mark", tmp_path / name
    trap = np.array([Trap(mark), 1], object)
    if name == "fields.npy":
        trap = np.array([(Trap(mark), 1.0)], [("a", object), ("b", "f8")])
    if path.suffix == ".npy":
        np.save(path, trap)
    else:
        save = np.savez_compressed if name == "packed.npz" else np.savez
        save(path, x=trap, y=np.zeros(2))
    variable = "array" if path.suffix == ".npy" else "x"
    with open_file(path) as file:
        assert not file.info(variable).is_numeric
        for get in (file.array, file.value):
            with fails(InputError, name, variable, "never loaded"):
                get(variable)
    assert not mark.exists()
    np.load(path, allow_pickle=True)["x" if path.suffix == ".npz" else ...]
    assert mark.exists()  # the trap works


@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_zarr_that_unpickles_its_chunks_is_refused(place, tmp_path, fails):
    mark, path = tmp_path / "mark", tmp_path / "a.zarr"
    path.mkdir()
    pickler = {"id": "pickle", "protocol": 5}
    for dtype in ("<f8", "|O"):
        document = {
            "zarr_format": 2, "shape": [2], "chunks": [2], "dtype": dtype, "fill_value": 0,
            "order": "C", "compressor": None, "filters": None,
            place: pickler if place == "compressor" else [pickler],
        }  # fmt: skip
        (path / ".zarray").write_text(json.dumps(document))
        (path / "0").write_bytes(pickle.dumps(Trap(mark)))
        with fails(InputError, "a.zarr", "pickle"), open_file(path) as file:
            file.array("array").read()
    assert not mark.exists()


def test_codecs_that_are_not_known_are_refused(tmp_path, fails):
    values = _values("u1")
    group = zarr.create_group(str(tmp_path / "a.zarr"), zarr_format=2)
    group.create_array("odd", data=values, chunks=SHAPE, compressors=numcodecs.Base64())
    group.create_array("x", data=values, chunks=SHAPE, compressors=numcodecs.LZ4())
    with open_file(tmp_path / "a.zarr") as file:
        _same(file.array("x").read(), values)
        with fails(InputError, "a.zarr", "odd", "base64"):
            file.array("odd")


def test_shards_are_read(tmp_path):
    values = _values("f4")
    group = zarr.create_group(str(tmp_path / "a.zarr"))
    group.create_array("deep/x", data=values, chunks=(1, 2, 3), shards=(5, 4, 6))
    with open_file(tmp_path / "a.zarr") as file:
        _same(file.array("deep/x").read((slice(2, 4),)), values[2:4])


def _function_handle(order="<"):
    def element(code, data):
        return struct.pack("<2I", code, len(data)) + data + b"\0" * (-len(data) % 8)

    opaque = element(6, struct.pack("<2I", 17, 0)) + element(1, b"when") + element(1, b"MCOS")
    opaque += element(1, b"datetime") + _matlab5_array("<", 13, 6, (1, 1), [b"\1\0\0\0"])
    return (
        _matlab5_array(order, 16, 2, (1, 1), [], name=b"handle")
        + element(14, opaque)
        + _matlab5_array(order, 9, 2, (1, 8), [b"\0" * 8], name=b"")  # its workspace
        + _matlab5_array(order, 6, 2, (1, 1), [b"\5"], name=b"x")
    )


def test_matlab_objects_are_passed_over(tmp_path, fails, matlab73):
    old = tmp_path / "old.mat"
    old.write_bytes(_matlab5("<", _function_handle()))
    with open_file(old) as file:
        assert [v.name for v in file.variables] == ["handle", "when", "x"]
        assert file.value("x") == 5
        for name, word in (("handle", "function handle"), ("when", "object")):
            with fails(InputError, "old.mat", name, word):
                file.array(name)
    scipy.io.savemat(
        old,
        {"c": np.array([[1], "a"], object), "s": scipy.sparse.eye_array(3), "x": 5,
         "many": np.zeros(2, [("a", object)])},
    )  # fmt: skip
    with open_file(old) as file:
        assert file.value("x") == 5
        for name, word in (("c", "cell"), ("s", "sparse"), ("many", "array of structs")):
            with fails(InputError, "old.mat", name, word):
                file.array(name)

    def extra(file):
        file["#refs#/a"] = np.zeros(3)
        cell = file.create_dataset("cell", (2,), h5py.ref_dtype)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
        handle = file.create_dataset("handle", (1, 1), "u4")
        handle.attrs["MATLAB_class"] = np.bytes_("function_handle")
        when = file.create_dataset("when", (1, 6), "u4")
        when.attrs["MATLAB_class"] = np.bytes_("datetime")
        when.attrs["MATLAB_object_decode"] = np.int32(3)
        file["sparse/data"] = np.zeros(3)
        file["sparse"].attrs["MATLAB_sparse"] = np.uint64(3)
        empty = file.create_dataset("empty", data=np.array([0, 0], "u8"))
        empty.attrs["MATLAB_class"] = np.bytes_("double")
        empty.attrs["MATLAB_empty"] = np.uint8(1)

    with open_file(matlab73({"x": 5.0}, "new.mat", extra=extra)) as file:
        assert "#refs#/a" not in {v.name for v in file.variables}
        for name in ("cell", "handle", "when", "sparse", "empty"):
            with fails(InputError, "new.mat", name, "found"):
                file.array(name)


def test_hdf5_objects_and_what_lies_elsewhere_are_refused(tmp_path, fails):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\7" * 8)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros(3)
        file.create_dataset("reference", (2,), h5py.ref_dtype)
        file.create_dataset("lists", (2,), h5py.vlen_dtype(np.dtype("f4")))
        file.create_dataset("fields", (2,), [("a", "f4"), ("b", "f4"), ("c", "f4")])
        file.create_dataset("raw", (8,), "u1", external=[(str(secret), 0, 8)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", (3,))
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        file.create_dataset("nothing", data=h5py.Empty("f4"))
    with open_file(tmp_path / "a.h5") as file:
        assert "link" not in {v.name for v in file.variables}
        for name in ("reference", "lists", "fields", "raw", "virtual", "nothing", "link"):
            with fails(InputError, "a.h5", name, "found"):
                file.array(name)


def test_texts_and_unknown_names_are_not_arrays(tmp_path, fails):
    np.savez(tmp_path / "a.npz", name=np.array("abc"), frames=np.zeros(3), times=np.zeros(1, "M8"))
    with open_file(tmp_path / "a.npz") as file:
        assert file.value("name") == "abc"
        with fails(InputError, "a.npz", "name", "text"):
            file.array("name")
        with fails(InputError, "a.npz", "'frame'", "did you mean 'frames'", "times"):
            file.array("frame")
        with fails(InputError, "a.npz", "frames", "(3,)", "one value"):
            file.value("frames")
        with fails(InputError, "a.npz", "times", "numeric"):
            file.array("times")


def test_every_file_that_is_cut_short_is_refused(real_file, write, fails):
    path = write(real_file, _values("f8"))
    if path.is_dir():
        (path / "x" / ("zarr.json" if "v3" in path.name else ".zarray")).write_text("{")
        with fails(InputError, path.name), open_file(path) as file:
            _array(file)
        return
    whole = path.read_bytes()
    lengths = sorted({*range(1, len(whole), max(len(whole) // 23, 1)), len(whole) // 2})
    for length in lengths:
        path.write_bytes(whole[:length])
        with fails(InputError, path.name), open_file(path) as file:
            _array(file).read()


# Not HDF5: its library itself may crash on bytes that were changed.
@pytest.mark.parametrize(
    "real_file",
    ["a.npy", "a.npz", "packed.npz", "v5.mat", "packed5.mat", "a3.nc", "v2.zarr", "v3.zarr"],
)
def test_damage_ends_in_one_line_or_in_values(real_file, write):
    path = write(real_file, _values("f8"))
    path = path / "x" / ".zarray" if real_file in {"v2.zarr", "big2.zarr"} else path
    path = path / "x" / "zarr.json" if real_file == "v3.zarr" else path
    whole, top = path.read_bytes(), path.parents[1] if "zarr" in real_file else path
    random = np.random.default_rng(5)
    for _ in range(30):
        content = bytearray(whole)
        start = int(random.integers(0, min(len(whole), 1500)))
        content[start : start + 4] = random.bytes(min(4, len(whole) - start))
        path.write_bytes(content)
        try:
            with open_file(top) as file:
                for info in file.variables:
                    if info.is_numeric and info.size < 1e6:
                        file.array(info.name).read()
        except InputError as error:
            text = str(error)
        else:
            text = top.name
        assert top.name in text
        assert len(text.splitlines()) == 1


@pytest.mark.parametrize("place", ["middle", "end"])
def test_a_packed_array_is_checked_by_its_sum(place, tmp_path, fails):
    for name in ("a.mat", "a.npz") if place == "middle" else ("a.mat",):
        path = tmp_path / name
        if name == "a.mat":
            scipy.io.savemat(path, {"x": _values("f8")}, do_compression=True)
        else:
            np.savez_compressed(path, x=_values("f8"))
        content = bytearray(path.read_bytes())
        content[len(content) // 2 if place == "middle" else -1] ^= 1
        path.write_bytes(content)
        with fails(InputError, name, "x", "damaged"), open_file(path) as file:
            file.array("x").read()


def test_the_sum_is_checked_though_it_lies_in_the_next_piece(tmp_path, fails):
    # Compressed files are taken 64 KiB at a time; here the sum at the end crosses that border.
    random = np.random.default_rng(0).integers(0, 64, 100_000, dtype="u1").tobytes()
    for count in range(80_000, 100_000, 8):
        data = zlib.compress(_matlab5_array("<", 9, 2, (count, 1), [random[:count]]))
        if len(data) - 65_536 in {1, 2, 3, 4}:
            break
    else:
        pytest.fail("no array packs into that size")
    path, tag = tmp_path / "a.mat", struct.pack("<2I", 15, len(data))
    path.write_bytes(_matlab5("<", tag + data))
    with open_file(path) as file:
        assert file.array("x").read().tobytes() == random[:count]
    path.write_bytes(_matlab5("<", tag + data[:-1] + bytes([data[-1] ^ 1])))
    with open_file(path) as file, fails(InputError, "a.mat", "x", "damaged"):
        file.array("x").read()


WRONG = {
    "empty.mat": (b"", "empty"),
    "random.mat": (np.random.default_rng(1).bytes(4000), "named .mat"),
    "random.npy": (np.random.default_rng(2).bytes(4000), "named .npy"),
    "random.h5": (np.random.default_rng(3).bytes(4000), "named .h5"),
    "random.dat": (np.random.default_rng(4).bytes(4000), "unknown format"),
    "notes.txt": (b"plain words", "unknown format"),
    "a.npy": (pickle.dumps(np.zeros(3)), "pickle"),
    "b.npy": (b"\x93NUMPY\x09\x00" + b"x" * 100, "damaged"),
    "a.gz": (gzip.compress(b"values"), "unpack"),
    "a.nc": (b"CDF\x05" + b"\0" * 100, "nccopy"),
    "a.mat": (b"MATLAB 7.3 MAT-file".ljust(600), "cut short"),
    "swapped.mat": (_matlab5("<", _matlab5_array(">", 6, 9, (1, 1), [b"\0" * 8])), "byte order"),
    "absurd.mat": (_matlab5("<", _matlab5_array("<", 6, 9, (9, 9), [b"\0" * 8])), "(9, 9)"),
    "no.mat": (_matlab5("<", b""), "no variables"),
    "a.dcm": (b"\0" * 128 + b"DICM" + b"\0" * 100, "DICOM"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files_are_refused_in_one_line(name, tmp_path, fails):
    content, word = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with fails(InputError, name, word):
        open_file(tmp_path / name)
    assert [file for file in _open_files() if str(tmp_path) in file] == []


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_a_file_that_is_refused_is_closed(engine, tmp_path):
    xr.Dataset().to_netcdf(tmp_path / "a.nc", engine=engine)
    with pytest.raises(InputError, match="no variables") as caught:
        open_file(tmp_path / "a.nc")
    # Also while the error, and with it the frame that had the file, is held.
    assert caught.value.__traceback__ is not None
    assert [file for file in _open_files() if str(tmp_path) in file] == []


def test_absurd_headers_of_numpy_files_are_refused(tmp_path, fails):
    for shape in ((1 << 60, 1 << 60), (-3, 2), (10**6,)):
        with (tmp_path / "a.npy").open("wb") as file:
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(b"\0" * 80)
        with fails(InputError, "a.npy"), open_file(tmp_path / "a.npy") as file:
            file.array("array").read()


def test_files_beside_the_arrays_of_a_store_do_not_matter(write):
    path = write("v3.zarr", _values("f4"))
    (path / "notes.txt").write_text("words")
    (path / ".hidden").mkdir()
    with open_file(path) as file:
        assert [info.name for info in file.variables] == ["x"]


def test_a_single_zarr_array_is_a_store(tmp_path):
    for version in (2, 3):
        array = zarr.create_array(str(tmp_path / f"{version}.zarr"), shape=(4,), dtype="f4",
                                  chunks=(2,), zarr_format=version)  # fmt: skip
        array[:] = np.arange(4)
        with open_file(tmp_path / f"{version}.zarr") as file:
            _same(file.array("array").read((slice(1, 3),)), np.array([1, 2], "f4"))


def test_wrong_folders_and_archives_are_refused(tmp_path, fails, write):
    (tmp_path / "folder").mkdir()
    with fails(InputError, "folder", "not a Zarr store"):
        open_file(tmp_path / "folder")
    with fails(InputError, "nowhere.mat", "no such file"):
        open_file(tmp_path / "nowhere.mat")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "words")
    with fails(InputError, "a.npz", "without NumPy arrays"):
        open_file(tmp_path / "a.npz")
    store = write("v3.zarr", _values("f4"))
    packed = shutil.make_archive(str(tmp_path / "store"), "zip", store)
    with fails(InputError, "store.zip", "Zarr", "unpack"):
        open_file(packed)
    packed_values = xr.Dataset({"x": (("t",), np.zeros(3, "i2"), {"scale_factor": 2.0})})
    packed_values.to_zarr(tmp_path / "packed.zarr", consolidated=False)
    with open_file(tmp_path / "packed.zarr") as file, fails(InputError, "x", "scale_factor"):
        file.array("x")


def test_encrypted_members_are_refused(tmp_path, fails):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag in the central directory
    (tmp_path / "a.npz").write_bytes(content)
    with open_file(tmp_path / "a.npz") as file, fails(InputError, "a.npz", "x", "encrypted"):
        file.array("x")


class RawFile(File):
    """Frames of 8 x 6 numbers behind a mark, as a scanner might write them."""

    format = "raw frames"
    suffixes = (".frames",)

    @classmethod
    def recognises(cls, content):
        return content.starts_with(b"FRAMES")

    def _list(self):
        self._values = np.fromfile(self.path, "<f4", offset=8).reshape(-1, 8, 6)
        yield VariableInfo("v", self._values.shape, self._values.dtype)

    def _read(self, info, slices):
        return self._values[slices].copy()


def test_a_format_is_added_in_one_place_and_imports(tmp_path, monkeypatch, fails):
    values = _values("f4", (20, 8, 6))
    path = tmp_path / "a.frames"
    path.write_bytes(b"FRAMES".ljust(8) + values.tobytes())
    with fails(InputError, "a.frames", "unknown format"):
        open_file(path)
    monkeypatch.setitem(FORMATS, RawFile.format, RawFile)
    description = Description.parse(
        {"kind": "velocity", "axes": "time,depth,width", "frame_rate": 100, "size": [8, 6]}
    )
    store = import_recordings([path], tmp_path / "a.zarr", description, Chain())
    assert np.array_equal(store.dataset["tvi"].values[0], values)
    # Its name is known to the messages too.
    with open_file(path.rename(tmp_path / "a.npy")) as file:
        assert file.mismatch.endswith("found raw frames, though it is named .npy")
    (tmp_path / "b.frames").write_bytes(b"words")
    with fails(InputError, "b.frames", "not raw frames"):
        open_file(tmp_path / "b.frames")
    (tmp_path / "c").write_bytes(b"words")
    with fails(InputError, "unknown format", "Zarr, raw frames"):
        open_file(tmp_path / "c")
