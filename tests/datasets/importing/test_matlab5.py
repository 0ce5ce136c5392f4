"""MATLAB 5 files, and what MATLAB 7.3 files have in common with them."""

import struct
import zlib

import h5py
import numpy as np
import pytest
import scipy.io

from musim.datasets.importing.formats import open_file
from tests.datasets.importing.foreign_files import assert_same, matlab5, matlab5_array, values_of


def test_both_matlab_versions_give_structs_and_texts_alike(tmp_path, matlab73):
    values = {
        "RF": values_of("i2"),
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
            assert_same(file.array("RF").read(), values["RF"])
            assert_same(file.array("param/angles").read(), values["param"]["angles"])


def test_structs_within_structs_are_reached(tmp_path):
    inner = values_of("f8", (3, 2))
    scipy.io.savemat(tmp_path / "a.mat", {"a": {"b": {"c": inner, "d": 2.0}, "e": 3.0}})
    with open_file(tmp_path / "a.mat") as file:
        assert_same(file.array("a/b/c").read(), inner)
        assert (file.value("a/b/d"), file.value("a/e")) == (2, 3)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_matlab_files_of_either_byte_order_agree_with_scipy(order, packed, tmp_path):
    values = values_of("i2", (3, 3, 5))  # 90 bytes: the parts are padded to a multiple of 8
    content = [values.astype(f"{order}i2").tobytes(order="F")] * 2
    element = matlab5_array(order, 10, 3, values.shape, content, flags=0x800)
    if packed:
        data = zlib.compress(element)
        element = struct.pack(f"{order}2I", 15, len(data)) + data
    path = tmp_path / "a.mat"
    path.write_bytes(matlab5(order, element))
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
        element = matlab5_array("<", kind, 1, (3, 4), [values.tobytes(order="F")])
        path.write_bytes(matlab5("<", element))
        with open_file(path) as file:
            assert_same(file.array("x").read(), values.astype(dtype))
            assert file.info("x").attributes["MATLAB_class"] == name


def _function_handle(order="<"):
    def element(code, data):
        return struct.pack("<2I", code, len(data)) + data + b"\0" * (-len(data) % 8)

    opaque = element(6, struct.pack("<2I", 17, 0)) + element(1, b"when") + element(1, b"MCOS")
    opaque += element(1, b"datetime") + matlab5_array("<", 13, 6, (1, 1), [b"\1\0\0\0"])
    return (
        matlab5_array(order, 16, 2, (1, 1), [], name=b"handle")
        + element(14, opaque)
        + matlab5_array(order, 9, 2, (1, 8), [b"\0" * 8], name=b"")  # its workspace
        + matlab5_array(order, 6, 2, (1, 1), [b"\5"], name=b"x")
    )


def test_matlab_objects_are_passed_over(tmp_path, refused, matlab73):
    old = tmp_path / "old.mat"
    old.write_bytes(matlab5("<", _function_handle()))
    with open_file(old) as file:
        assert [v.name for v in file.variables] == ["handle", "when", "x"]
        assert file.value("x") == 5
        for name, word in (("handle", "function handle"), ("when", "object")):
            with refused("old.mat", name, word):
                file.array(name)
    scipy.io.savemat(
        old,
        {"c": np.array([[1], "a"], object), "s": scipy.sparse.eye_array(3), "x": 5,
         "many": np.zeros(2, [("a", object)])},
    )  # fmt: skip
    with open_file(old) as file:
        assert file.value("x") == 5
        for name, word in (("c", "cell"), ("s", "sparse"), ("many", "2 structs")):
            with refused("old.mat", name, word):
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
            with refused("new.mat", name, "found"):
                file.array(name)


def test_the_sum_is_checked_though_it_lies_in_the_next_piece(tmp_path, refused):
    # Compressed files are taken 64 KiB at a time; here the sum at the end crosses that border.
    random = np.random.default_rng(0).integers(0, 64, 100_000, dtype="u1").tobytes()
    for count in range(80_000, 100_000, 8):
        data = zlib.compress(matlab5_array("<", 9, 2, (count, 1), [random[:count]]))
        if len(data) - 65_536 in {1, 2, 3, 4}:
            break
    else:
        pytest.fail("no array packs into that size")
    path, tag = tmp_path / "a.mat", struct.pack("<2I", 15, len(data))
    path.write_bytes(matlab5("<", tag + data))
    with open_file(path) as file:
        assert file.array("x").read().tobytes() == random[:count]
    path.write_bytes(matlab5("<", tag + data[:-1] + bytes([data[-1] ^ 1])))
    with open_file(path) as file, refused("a.mat", "x", "damaged"):
        file.array("x").read()
