"""NumPy's files: pieces, texts, headers that lie, and nothing that is unpickled."""

import numpy as np
import pytest

from musim.datasets.importing.formats import open_file
from tests.datasets.importing.foreign_files import Trap, assert_same


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
                assert_same(file.array(key).read(), value)


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
    assert_same(last, np.arange(512, dtype="i2").reshape(1, 8, 64))


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "packed.npz", "fields.npy"])
def test_objects_are_never_unpickled(name, tmp_path, refused):
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
            with refused(name, variable, "never loaded"):
                get(variable)
    assert not mark.exists()
    np.load(path, allow_pickle=True)["x" if path.suffix == ".npz" else ...]
    assert mark.exists()  # the trap works


def test_texts_and_unknown_names_are_not_arrays(tmp_path, refused):
    np.savez(tmp_path / "a.npz", name=np.array("abc"), frames=np.zeros(3), times=np.zeros(1, "M8"))
    with open_file(tmp_path / "a.npz") as file:
        assert file.value("name") == "abc"
        with refused("a.npz", "name", "text"):
            file.array("name")
        with refused("a.npz", "'frame'", "did you mean 'frames'", "times"):
            file.array("frame")
        with refused("a.npz", "frames", "(3,)", "one value"):
            file.value("frames")
        with refused("a.npz", "times", "numeric"):
            file.array("times")


def test_absurd_headers_of_numpy_files_are_refused(tmp_path, refused):
    for shape in ((1 << 60, 1 << 60), (-3, 2), (10**6,)):
        with (tmp_path / "a.npy").open("wb") as file:
            header = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(b"\0" * 80)
        with refused("a.npy"), open_file(tmp_path / "a.npy") as file:
            file.array("array").read()


def test_encrypted_members_are_refused(tmp_path, refused):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag in the central directory
    (tmp_path / "a.npz").write_bytes(content)
    with open_file(tmp_path / "a.npz") as file, refused("a.npz", "x", "encrypted"):
        file.array("x")
