"""MATLAB 4 files: what scipy writes, and by hand what other machines and precisions wrote."""

import struct

import numpy as np
import pytest
import scipy.io

from musim.datasets.importing.formats import open_file
from tests.datasets.importing.foreign_files import assert_same, values_of

PRECISIONS = {"f8": 0, "f4": 10, "i4": 20, "i2": 30, "u2": 40, "u1": 50}
ORDERS = {"<": 0, ">": 1000}


def matrix(values, name=b"x", order="<", code=0, claimed=None):
    """Return a matrix as a program of that byte order writes it; `code` is added to its type."""
    values = np.atleast_2d(values)
    real = values.real.astype(values.real.dtype.newbyteorder(order))
    kind = ORDERS[order] + PRECISIONS[values.real.dtype.str[1:]] + code
    rows, columns = claimed or values.shape
    is_complex = np.iscomplexobj(values)
    head = struct.pack(f"{order}5i", kind, rows, columns, is_complex, len(name) + 1)
    content = head + name + b"\0" + real.tobytes(order="F")
    if is_complex:
        content += values.imag.astype(real.dtype).tobytes(order="F")
    return content


def test_numbers_and_texts_of_scipy_come_back(tmp_path):
    path = tmp_path / "a.mat"
    values = {
        "x": values_of("f8", (4, 5)),
        "z": values_of("c16", (3, 4)),
        "fs": 4e7,
        "probe": "L11",
    }
    scipy.io.savemat(path, values, format="4")
    with open_file(path) as file:
        assert file.format == "MATLAB 4"
        assert file.mismatch == ""
        assert {info.name for info in file.variables} == {"x", "z", "fs", "probe"}
        assert_same(file.array("x").read(), values["x"])
        assert_same(file.array("x").read((slice(1, 3), slice(2, 4))), values["x"][1:3, 2:4])
        assert_same(file.array("z").read(), values["z"])
        assert_same(file.array("z").read((slice(2), slice(3, 4))), values["z"][:2, 3:4])
        assert file.value("fs") == 4e7
        assert file.value("probe") == "L11"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_every_precision_and_byte_order_agrees_with_scipy(dtype, order, tmp_path):
    values = (
        values_of(dtype, (3, 5)) if dtype[0] != "u" else np.arange(15, dtype=dtype).reshape(3, 5)
    )
    pair = values.astype(dtype) + 1j * values[::-1] if dtype[0] == "f" else values
    path = tmp_path / "a.mat"
    path.write_bytes(matrix(values, b"x", order) + matrix(pair.astype(pair.dtype), b"z", order))
    with open_file(path) as file:
        assert_same(file.array("x").read(), values)
        assert np.array_equal(file.array("z").read(), pair)
        assert file.info("x").attributes == {"MATLAB_class": "double"}
    if dtype != "u1":
        wanted = scipy.io.loadmat(path)
        assert np.array_equal(wanted["x"], values)
        assert np.array_equal(wanted["z"], pair)


def test_what_is_no_matrix_of_numbers_is_refused(tmp_path, refused):
    path = tmp_path / "a.mat"
    sparse = scipy.sparse.csc_array(np.diag([1.0, 2, 0]))
    scipy.io.savemat(path, {"s": sparse, "x": 5.0}, format="4")
    vax = matrix(np.ones((2, 2)), b"old", code=2000)
    path.write_bytes(path.read_bytes() + vax + matrix(np.zeros((2, 0)), b"empty"))
    with open_file(path) as file:
        assert file.value("x") == 5
        for name, word in (("s", "sparse"), ("old", "VAX")):
            with refused("a.mat", name, word):
                file.array(name)
        assert file.array("empty").read().shape == (2, 0)


def test_claims_beyond_the_file_and_damage_are_refused(tmp_path, refused):
    path = tmp_path / "a.mat"
    good = matrix(np.ones((2, 3)), b"good")
    for content, words in {
        good + matrix(np.ones((2, 2)), claimed=(2**30, 2**30)): ("x", "cut short", "found 32"),
        good + good[:-1]: ("good", "cut short", "found 47 bytes", "wanted 48"),
        good + b"\1" * 40: (f"byte {len(good)}", "damaged"),
        good + good[:15]: (f"byte {len(good)}", "damaged"),
        matrix(np.ones((2, 2)), b"no name"): ("named .mat", "not MATLAB 4, 5 or 7.3"),
        matrix(np.ones((2, 2)), code=7): ("named .mat",),
        b"\0" * 200: ("named .mat",),
    }.items():
        path.write_bytes(content)
        with refused("a.mat", *words):
            open_file(path)
