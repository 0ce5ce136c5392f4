"""Cells and arrays of structs, in MATLAB 5 (plain and packed) and 7.3 alike."""

import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
import scipy.io

from musim.datasets.importing import matlab_trees
from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.matlab73 import Matlab73File
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.conftest import write_matlab73
from tests.datasets.importing.foreign_files import (
    assert_same,
    matlab5,
    matlab5_array,
    matlab5_element,
    values_of,
)

WRITERS = {
    "plain.mat": scipy.io.savemat,
    "packed.mat": lambda path, values: scipy.io.savemat(path, values, do_compression=True),
    "new.mat": write_matlab73,
}


@pytest.fixture(params=WRITERS)
def mat(request, tmp_path):
    """Write values into a file of each level; returns its path."""

    def call(values):
        WRITERS[request.param](tmp_path / request.param, values)
        return tmp_path / request.param

    return call


def cell(values, shape=None):
    result = np.empty(len(values), object)
    for place, value in enumerate(values):
        result[place] = value
    return result.reshape(shape or (1, -1), order="F")


def structs(**fields):
    count = len(next(iter(fields.values())))
    result = np.empty((1, count), [(name, object) for name in fields])
    for name, values in fields.items():
        for place, value in enumerate(values):
            result[0, place][name] = value
    return result


def names_of(file):
    return [info.name for info in file.variables]


def test_buffers_of_a_scanner_are_elements_of_a_cell(mat):
    first, second = values_of("i2", (8, 4, 5)), values_of("i2", (6, 4, 3))
    with open_file(mat({"RcvData": cell([first])})) as file:
        assert names_of(file) == ["RcvData{1}"]
        assert_same(file.array("RcvData{1}").read(), first)
    with open_file(mat({"RcvData": cell([first, second])})) as file:
        assert names_of(file) == ["RcvData{1}", "RcvData{2}"]
        assert file.info("RcvData{2}").attributes["MATLAB_class"] == "int16"
        assert_same(file.array("RcvData{1}").read(), first)
        assert_same(file.array("RcvData{2}").read((slice(2, 4),)), second[2:4])
        assert_same(file.array("RcvData{1}").read(), first)


def test_a_cell_of_frames_is_one_array(mat):
    frames = values_of("c8", (6, 5, 20))
    with open_file(mat({"IQ": cell([*np.moveaxis(frames, 2, 0)]), "x": 1.0})) as file:
        assert set(names_of(file)) == {"IQ{:}", "x"}
        assert_same(file.array("IQ{:}").read(), frames)
        piece = slice(1, 4), slice(2, 5), slice(3, 9)
        assert_same(file.array("IQ{:}").read(piece), frames[piece])
        assert_same(file.array("IQ{17}").read(), frames[:, :, 16])
        assert_same(file.array("IQ{2}").read(), frames[:, :, 1])  # back again
        assert_same(file.array("IQ{1, 4}").read(), frames[:, :, 3])


def test_a_cell_of_two_axes_keeps_them(mat):
    values = values_of("f4", (4, 3, 2, 5))
    parts = [values[:, :, i, k] for k in range(5) for i in range(2)]
    with open_file(mat({"IQ": cell(parts, (2, 5))})) as file:
        assert_same(file.array("IQ{:}").read(), values)
        piece = slice(2), slice(1, 3), slice(1, 2), slice(2, 4)
        assert_same(file.array("IQ{:}").read(piece), values[piece])
        assert_same(file.array("IQ{2,4}").read(), values[:, :, 1, 3])
        assert_same(file.array("IQ{8}").read(), values[:, :, 1, 3])


def test_fields_of_an_array_of_structs_are_one_array(mat):
    images, times = values_of("i2", (4, 3, 6)), np.arange(6) / 100
    values = structs(
        img=[*np.moveaxis(images, 2, 0)],
        t=[*times],
        probe=[{"name": "L11-5v", "angles": np.array([[k, 2.0 * k]])} for k in range(6)],
    )
    with open_file(mat({"frames": values})) as file:
        assert set(names_of(file)) == {
            "frames/img", "frames/t", "frames/probe/name", "frames/probe/angles",
        }  # fmt: skip
        assert_same(file.array("frames/img").read(), images)
        assert_same(file.array("frames.img").read(), images)  # as MATLAB writes it
        assert file.info("frames.img").name == "frames/img"
        assert_same(file.array("frames(3).img").read(), images[:, :, 2])
        assert_same(file.array("frames(:)/t").read(), times.reshape(1, 1, 6))
        assert file.value("frames(4)/t") == 0.03
        assert file.value("frames(2).probe.name") == "L11-5v"
        angles = file.array("frames/probe/angles").read()
        assert np.array_equal(angles[0], [np.arange(6), 2.0 * np.arange(6)])


def test_cells_structs_and_arrays_of_them_lie_in_one_another(mat):
    inner = [structs(x=[np.full((2, 3), 10.0 * k + i) for i in range(2)]) for k in range(4)]
    values = {"run": {"parts": cell([{"s": one, "n": float(k)} for k, one in enumerate(inner)])}}
    with open_file(mat(values)) as file:
        wanted = np.array([[10.0 * k + i for k in range(4)] for i in range(2)])
        found = file.array("run/parts{:}/s/x").read()
        assert np.array_equal(found, np.broadcast_to(wanted, (2, 3, 2, 4)))
        assert np.array_equal(file.array("run.parts{3}.s(2).x").read(), np.full((2, 3), 21.0))
        assert np.array_equal(file.array("run/parts{:}/n").read().ravel(), range(4))


def test_types_are_widened_where_elements_differ(tmp_path):
    # MATLAB saves doubles in the smallest type that holds them, each element in its own.
    parts = [np.array([[1, 2]], "u1"), np.array([[-3, 4]], "i2"), np.array([[0.5, 6]])]
    stored = {"|u1": 2, "<i2": 3, "<f8": 9}
    elements = [
        matlab5_array("<", 6, stored[part.dtype.str], (1, 2), [part.tobytes()], name=b"")
        for part in parts
    ]
    path = tmp_path / "a.mat"
    path.write_bytes(matlab5("<", matlab5_array("<", 1, 0, (1, 3), [], name=b"c", within=elements)))
    with open_file(path) as file:
        assert file.info("c{:}").attributes == {"MATLAB_class": "double"}
        assert_same(file.array("c{:}").read(), np.stack([p.astype("f8") for p in parts], -1))
        assert file.info("c{2}").dtype == "i2"


def test_elements_that_differ_are_refused_by_name_and_shape(mat, refused):
    values = {
        "odd": cell([np.zeros((4, 3))] * 11 + [np.zeros((4, 2))] + [np.zeros((4, 3))]),
        "mixed": cell([np.zeros((4, 3)), "text"]),
        "words": cell(["left", "right"]),
        "s": structs(img=[np.zeros((2, 2)), np.zeros((2, 3))]),
        "one": {"x": 1.0},
    }
    path = mat(values)
    with open_file(path) as file:
        for name, words in {
            "odd{:}": ("(4, 3) in odd{1}", "(4, 2) in odd{12}"),
            "mixed{:}": ("an array in mixed{1}", "a text in mixed{2}"),
            "words{:}": ("2 texts", "words{1}"),
            "s.img": ("(2, 2) in s(1)/img", "(2, 3) in s(2)/img"),
            "odd": ("cell array of 13", "odd{1}", "odd{:}"),
            "s": ("2 structs", "img"),
            "one": ("a struct", "x"),
            "odd{14}": ("beyond", "up to odd{13}"),
            "odd{0}": ("beyond",),
            "odd(3)": ("no variable", "odd{:}"),
            "s.no": ("no variable",),
            "odd{3}.x": ("no variable",),
        }.items():
            with refused(path.name, *words):
                file.array(name)
        assert file.value("words{2}") == "right"
        assert file.array("odd{12}").read().shape == (4, 2)
        # Of many, the reason stands in the list; of few, each does.
        listed = {info.name: info.refusal for info in file.variables}
        assert "(4, 2)" in listed["odd{:}"]
        assert "mixed{:}" not in listed
        assert listed["mixed{1}"] == ""


def test_what_cannot_be_read_within_cells_is_refused(tmp_path, refused, mat):
    path = tmp_path / "a.mat"
    sparse, hollow = scipy.sparse.eye_array(3), np.empty((0, 0), object)
    scipy.io.savemat(path, {"c": cell([sparse, np.zeros((2, 2))]), "empty": hollow})
    with open_file(path) as file:
        for name, word in (("c{1}", "sparse"), ("c{:}", "sparse"), ("empty", "empty")):
            with refused("a.mat", name, word):
                file.array(name)
        assert_same(
            file.array("c{2}").read(), np.zeros((2, 2), "u1").astype(file.info("c{2}").dtype)
        )


def test_a_joined_piece_takes_the_memory_of_a_piece(mat):
    frames = [np.full((128, 256), k, "f4") for k in range(64)]  # 8 MiB
    with open_file(mat({"IQ": cell(frames)})) as file:
        array = file.array("IQ{:}")
        tracemalloc.start()
        for first in range(0, 64, 4):
            found = array.read((slice(None), slice(None), slice(first, first + 4)))
            assert np.array_equal(found[0, 0], np.arange(first, first + 4))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 << 20


def test_what_is_packed_is_unpacked_once_and_checked(tmp_path, monkeypatch, refused):
    frames = [np.random.default_rng(k).standard_normal((64, 32)) for k in range(30)]
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"IQ": cell(frames)}, do_compression=True)
    whole, opened = path.read_bytes(), []
    original = zlib.decompressobj
    with open_file(path) as file:
        monkeypatch.setattr(zlib, "decompressobj", lambda: opened.append(1) or original())
        for first in range(0, 30, 5):
            file.array("IQ{:}").read((slice(None), slice(None), slice(first, first + 5)))
    assert len(opened) == 1
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with open_file(path) as file:
        file.array("IQ{:}").read((slice(None), slice(None), slice(0, 20)))
        with refused("a.mat", "IQ{:}", "damaged"):
            file.array("IQ{:}").read()


def test_claims_beyond_the_file_are_refused(tmp_path, refused):
    path = tmp_path / "a.mat"
    huge = {"cell": (1, (30_000, 30_000)), "struct": (2, (60_000, 60_000))}
    names = matlab5_element("<", 5, b"\10\0\0\0") + matlab5_element("<", 1, b"x".ljust(8, b"\0"))
    for kind, (code, shape) in huge.items():
        inner = [names] if kind == "struct" else []
        element = matlab5_array("<", code, 0, shape, [], name=b"c", within=inner)
        for content in (element, _packed(element)):
            path.write_bytes(matlab5("<", content))
            with refused("a.mat", "elements in", "damaged"):
                open_file(path)


def test_values_that_are_claimed_but_not_there_take_no_memory(tmp_path, refused):
    shape = 20_000, 20_000  # 3.2 GB of doubles
    claim = np.array([9, 8 * shape[0] * shape[1]], "<u4").tobytes()
    inner = matlab5_array("<", 6, 0, shape, [], name=b"", within=[claim])
    element = matlab5_array("<", 1, 0, (1, 1), [], name=b"c", within=[inner])
    path = tmp_path / "a.mat"
    for content in (element, _packed(element)):
        path.write_bytes(matlab5("<", content))
        tracemalloc.start()
        with refused("a.mat", "c{1}", "most are missing"):
            open_file(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
        tracemalloc.stop()


def _packed(element):
    data = zlib.compress(element)
    return np.array([15, len(data)], "<u4").tobytes() + data


def test_elements_beyond_all_use_are_refused_and_the_rest_is_read(mat, monkeypatch, refused):
    monkeypatch.setattr(matlab_trees, "MOST_NODES", 50)
    monkeypatch.setattr("musim.datasets.importing.matlab_files.MOST_NODES", 50)
    path = mat({"a": cell([1.0] * 60), "x": 5.0})
    reader = Matlab73File if path.name == "new.mat" else open_file  # not in another process
    with reader(path) as file:
        with refused("more than 50 elements"):
            file.array("a{1}")
        assert file.value("x") == 5


def test_references_in_a_circle_end(tmp_path, refused):
    def circle(file):
        one = file.create_dataset("#refs#/a", (2, 1), h5py.ref_dtype)
        one.attrs["MATLAB_class"] = np.bytes_("cell")
        one[0, 0] = one[1, 0] = one.ref
        file["c"] = one

    write_matlab73(tmp_path / "a.mat", {"x": 5.0}, circle)
    with open_file(tmp_path / "a.mat") as file:
        assert file.value("x") == 5
        with refused("c{2}", "holds itself"):
            file.array("c{2}")


def test_frames_in_a_cell_are_described_and_imported(mat, tmp_path):
    shift = np.exp(0.3j * np.arange(40))  # of a movement towards the transducer
    image = values_of("c8", (24, 16))
    values = {
        "IQ": cell([image * turn for turn in shift]),
        "param": {"PRF": 400.0, "fc": 5e6, "c": 1540.0},
    }
    path = mat(values)
    with open_file(path) as file:
        found = describe(file)
    assert found.values["variable"] == "IQ{:}"
    assert found.values["axes"] == ["depth", "width", "time"]
    assert found.missing == ("depth_step", "width_step")
    (tmp_path / "a.toml").write_text(found.to_toml() + "size = [12, 8]\n")
    description = Description.load(tmp_path / "a.toml")
    store = import_recordings(path, tmp_path / "a.zarr", description, Chain(estimator="one-lag"))
    wanted = 0.3 * 400 * 1540 / (4 * np.pi * 5e6) * 1000  # mm/s
    np.testing.assert_allclose(store[0]["tvi"].values, wanted, rtol=1e-3)
