"""The same from every format, told by its content; and one line for what is none of them."""

import gzip
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import h5py
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
from tests.datasets.importing.foreign_files import (
    SHAPE,
    assert_same,
    matlab5,
    matlab5_array,
    name_of,
    values_of,
)

OPEN = Path("/proc/self/fd")


def _open_files():
    return sorted(str(entry.readlink()) for entry in OPEN.iterdir() if entry.is_symlink())


def _array(file):
    return file.array(name_of(file))


_slices = st.tuples(
    *(st.builds(slice, *(st.none() | st.integers(-n - 2, n + 2),) * 2) for n in SHAPE)
)


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
def test_every_format_gives_back_the_same_bits(real_file, dtype, write):
    values = values_of(dtype)
    path = write(real_file, values)
    with open_file(path) as file:
        array = _array(file)
        assert array.shape == SHAPE
        assert_same(array.read(), values)
        info = file.info(name_of(file))
        assert (info.shape, info.dtype, info.is_numeric) == (SHAPE, values.dtype, True)
        assert file.mismatch == ""


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_numbers_come_back_as_such(complex_file, dtype, write):
    values = values_of(dtype, (3, 4, 2, 5))
    with open_file(write(complex_file, values)) as file:
        assert_same(_array(file).read(), values)
        assert_same(_array(file).read((slice(1, 2), slice(0, 4), slice(1))), values[1:2, :, :1])


def test_pieces_equal_the_whole(real_file, write):
    values = values_of("f4")
    path = write(real_file, values)
    with open_file(path) as file:
        array = _array(file)

        @settings(max_examples=25)
        @given(_slices)
        def check(slices):
            piece = array.read(slices)
            assert_same(piece, values[slices])
            assert piece.flags.writeable
            piece[...] = 7  # a piece is its own: the next ones are what the file holds

        check()
        assert_same(array.read(), values)
        with pytest.raises(ValueError, match="step"):
            array.read((slice(0, 4, 2),))
        with pytest.raises(ValueError, match="4 slices"):
            array.read((slice(None),) * 4)


def test_nothing_stays_open(real_file, write, tmp_path):
    path = write(real_file, values_of("i2"))
    with open_file(path) as file:
        _array(file).read((slice(2),))
    assert [name for name in _open_files() if str(tmp_path) in name] == []


@pytest.mark.parametrize(
    "name",
    [
        "a.npy",
        "a.npz",
        "v5.mat",
        "v73.mat",
        "a.h5",
        "a4.nc",
        "a3.nc",
        "a.tif",
        "packed.tif",
        "a.nii",
        "a.nii.gz",
        "a.dcm",
    ],
)
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


def test_attributes_are_values(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("scan/rf", data=values_of("i2"))
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
    group.create_array("x", data=values_of("f4"), dimension_names=("time", "depth", "width"))
    with open_file(tmp_path / "a.zarr") as file:
        assert file.value("@PRF") == 100
        assert file.info("x").dims == ("time", "depth", "width")


def test_the_content_decides_and_a_wrong_name_is_named(tmp_path, write):
    path = write("a.npy", values_of("i2")).rename(tmp_path / "a.mat")
    with open_file(path) as file:
        assert file.format == "NumPy .npy"
        assert "a.mat" in file.mismatch
        assert "NumPy .npy" in file.mismatch
        assert_same(file.array("array").read(), values_of("i2"))
    other = write("a.h5", values_of("i2")).rename(tmp_path / "recording.dat")
    with open_file(other) as file:
        assert (file.format, file.mismatch) == ("HDF5", "")


def test_every_file_that_is_cut_short_is_refused(real_file, write, refused):
    path = write(real_file, values_of("f8"))
    if path.is_dir():
        (path / "x" / ("zarr.json" if "v3" in path.name else ".zarray")).write_text("{")
        with refused(path.name), open_file(path) as file:
            _array(file)
        return
    whole = path.read_bytes()
    lengths = sorted({*range(1, len(whole), max(len(whole) // 23, 1)), len(whole) // 2})
    for length in lengths:
        path.write_bytes(whole[:length])
        with refused(path.name), open_file(path) as file:
            _array(file).read()


# Not HDF5: its library itself may crash on bytes that were changed.
@pytest.mark.parametrize(
    "real_file",
    [
        "a.npy",
        "a.npz",
        "packed.npz",
        "v5.mat",
        "packed5.mat",
        "a3.nc",
        "v2.zarr",
        "v3.zarr",
        "v3.zarr.zip",
        "a.tif",
        "packed.tif",
        "a.nii",
        "a.nii.gz",
        "a.dcm",
    ],
)
def test_damage_ends_in_one_line_or_in_values(real_file, write):
    path = write(real_file, values_of("f8"))
    path = path / "x" / ".zarray" if real_file in {"v2.zarr", "big2.zarr"} else path
    path = path / "x" / "zarr.json" if real_file == "v3.zarr" else path
    whole, top = path.read_bytes(), path.parents[1] if real_file.endswith(".zarr") else path
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
def test_a_packed_array_is_checked_by_its_sum(place, tmp_path, refused):
    for name in ("a.mat", "a.npz") if place == "middle" else ("a.mat",):
        path = tmp_path / name
        if name == "a.mat":
            scipy.io.savemat(path, {"x": values_of("f8")}, do_compression=True)
        else:
            np.savez_compressed(path, x=values_of("f8"))
        content = bytearray(path.read_bytes())
        content[len(content) // 2 if place == "middle" else -1] ^= 1
        path.write_bytes(content)
        with refused(name, "x", "damaged"), open_file(path) as file:
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
    "swapped.mat": (matlab5("<", matlab5_array(">", 6, 9, (1, 1), [b"\0" * 8])), "byte order"),
    "absurd.mat": (matlab5("<", matlab5_array("<", 6, 9, (9, 9), [b"\0" * 8])), "(9, 9)"),
    "no.mat": (matlab5("<", b""), "no variables"),
    "a.dcm": (b"\0" * 128 + b"DICM" + b"\0" * 100, "DICOM"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files_are_refused_in_one_line(name, tmp_path, refused):
    content, word = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with refused(name, word):
        open_file(tmp_path / name)
    assert [file for file in _open_files() if str(tmp_path) in file] == []


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_a_file_that_is_refused_is_closed(engine, tmp_path, refused):
    xr.Dataset().to_netcdf(tmp_path / "a.nc", engine=engine)
    with refused("no variables") as caught:
        open_file(tmp_path / "a.nc")
    # Also while the error, and with it the frame that had the file, is held.
    assert caught.value.__traceback__ is not None
    assert [file for file in _open_files() if str(tmp_path) in file] == []


def test_wrong_folders_and_archives_are_refused(tmp_path, refused, write):
    (tmp_path / "folder").mkdir()
    with refused("folder", "not a Zarr store"):
        open_file(tmp_path / "folder")
    with refused("nowhere.mat", "no such file"):
        open_file(tmp_path / "nowhere.mat")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "words")
    with refused("a.npz", "without NumPy arrays"):
        open_file(tmp_path / "a.npz")


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


def test_a_format_is_added_in_one_place_and_imports(tmp_path, monkeypatch, refused):
    values = values_of("f4", (20, 8, 6))
    path = tmp_path / "a.frames"
    path.write_bytes(b"FRAMES".ljust(8) + values.tobytes())
    with refused("a.frames", "unknown format"):
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
    with refused("b.frames", "not raw frames"):
        open_file(tmp_path / "b.frames")
    (tmp_path / "c").write_bytes(b"words")
    with refused("unknown format", "DICOM, raw frames"):
        open_file(tmp_path / "c")
