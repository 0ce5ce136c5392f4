"""Small files of every format, sound ones, for `benchmarks.fuzzing` to damage."""

import functools
import gzip
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import tifffile
import xarray as xr
import zarr

from benchmarks.mutations import damaged
from musim.datasets.generation import generate
from musim.simulator.parameters import Parameters

DIMS = ("time", "depth", "width")
TIME, DEPTH, WIDTH = np.arange(6) / 100, np.arange(4) * 0.5, np.arange(5) * 0.5

_VELOCITY = {"kind": "velocity", "axes": DIMS, "frame_rate": 100, "size": [2.0, 2.5]}

Contents = dict[str, bytes]
"""What a file or folder holds, by name; of a file that is one piece, the name is empty."""


@dataclass(frozen=True)
class Seed:
    """A sound file, and how what is in it becomes a file again once it is damaged.

    Parameters
    ----------
    name : str
        With its ending.
    write : callable
        Writes it to a path.
    target : {"recording", "events", "description", "store"}
        What it is used as.
    outcome : {"used", "opened"}
        What comes of the sound file: MATLAB 4 has no arrays of three axes.
    given : mapping of str to object
        What a user says of a recording.
    unpack, pack : callable, optional
        Take a file's bytes apart and put them together, where faults within would else be found by
        a checksum alone.
    """

    name: str
    write: Callable[[Path], None] = field(repr=False)
    target: str = "recording"
    outcome: str = "used"
    given: Mapping[str, object] = field(default_factory=lambda: _VELOCITY)
    unpack: Callable[[bytes], Contents] | None = None
    pack: Callable[[Contents], bytes] | None = None

    @functools.cached_property
    def sound(self) -> Contents:
        """The sound file's bytes; of a folder, those of all files in it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.name
            self.write(path)
            if path.is_file():
                return {"": path.read_bytes()}
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return {str(file.relative_to(path)): file.read_bytes() for file in files}

    def damage(self, index: int, path: Path) -> None:
        """Write the damaged file of that index; -1 is the sound one."""
        contents, within = dict(self.sound), self.unpack is not None and index % 2 == 1
        if within and self.unpack:
            contents = self.unpack(contents[""])
        if index >= 0:
            # What is longer is not damaged more often: metadata are what readers trust.
            names = sorted(contents)
            name = names[index // 2 % len(names)]
            contents[name] = damaged(contents[name], self.name, index)
        if within and self.pack:
            contents = {"": self.pack(contents)}
        for inner, content in contents.items():
            target = path / inner if inner else path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _values(dtype: str = "f4") -> np.ndarray:
    values = np.random.default_rng(1).standard_normal((len(TIME), len(DEPTH), len(WIDTH)))
    return (values * (1000 if dtype.startswith("i") else 1)).astype(dtype)


def _dataset() -> xr.Dataset:
    packed = _values("i2"), {"units": "cm/s", "scale_factor": 0.01, "_FillValue": np.int16(-999)}
    steps = {"time": (TIME, "s"), "depth": (DEPTH, "mm"), "width": (WIDTH, "mm")}
    coordinates = {name: (name, step, {"units": unit}) for name, (step, unit) in steps.items()}
    return xr.Dataset({"velocity": (DIMS, *packed)}, coordinates, {"probe": "L7-4", "PRF": 100.0})


def _npy(path: Path) -> None:
    np.save(path, _values())


def _npz(path: Path) -> None:
    np.savez(path, v=_values(), frame_rate=100.0, probe="L7-4")


def _packed_npz(path: Path) -> None:
    np.savez_compressed(path, v=_values(), frame_rate=100.0)


def _netcdf3(path: Path) -> None:
    _dataset().to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def _netcdf4(path: Path) -> None:
    _dataset().to_netcdf(path, engine="h5netcdf")


def _hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "scan/v", data=_values(), chunks=(3, 4, 5), compression="gzip", shuffle=True,
            fletcher32=True,
        )  # fmt: skip
        data.attrs["units"] = "mm/s"
        pairs = np.zeros((6, 4, 5), [("r", "f4"), ("i", "f4")])
        pairs["r"], pairs["i"] = _values(), 1 - _values()
        file["iq"] = pairs
        file["probe"] = "L7-4"
        file["scan/frame_rate"] = 100.0
        file["scan/lists"] = np.array(["a", "bc"], h5py.string_dtype())
        file["scan"].attrs["PRF"] = np.float32(100)


def _new_hdf5(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("v", data=_values(), maxshape=(None, 4, 5), chunks=(2, 4, 5))
        file["frame_rate"] = 100.0


_ECHOES = {
    "kind": "rf", "variable": "US/US_DATASET0000/data/real", "axes": "time,channel,sample",
    "pitch": 0.3, "centre_frequency": 5.2e6,
    "sampling_frequency": "US/US_DATASET0000/sampling_frequency", "frame_rate": 100,
}  # fmt: skip


def _echoes(path: Path) -> None:
    """Write channel data as PICMUS files have them."""
    random = np.random.default_rng(2)
    with h5py.File(path, "w") as file:
        group = file.create_group("US/US_DATASET0000")
        group["data/real"] = random.standard_normal((6, 16, 128), "f4")
        group["data/imag"] = np.zeros((6, 16, 128), "f4")
        numbers = {"sampling_frequency": 20.8e6, "initial_time": [1e-6], "sound_speed": 1540.0,
                   "modulation_frequency": [0.0], "PRF": [100.0]}  # fmt: skip
        for name, value in {**numbers, "angles": np.radians([-5, 0, 5])}.items():
            group[name] = np.float32(value)
        places = (np.arange(16) - 7.5) * 3e-4
        group["probe_geometry"] = np.stack([places, 0 * places, 0 * places])


def _matlab73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in {"v": _values("f8").T, "fs": np.full((1, 1), 100.0)}.items():
            file[name] = value
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
        file["param/probe"] = np.array([[76], [55]], "u2")
        file["param/probe"].attrs["MATLAB_class"] = np.bytes_("char")
        file["param"].attrs["MATLAB_class"] = np.bytes_("struct")
        frames = [file.create_dataset(f"#refs#/{i}", data=_values()[i].T) for i in range(6)]
        cell = file.create_dataset("frames", (1, 6), h5py.ref_dtype)
        for i, frame in enumerate(frames):
            frame.attrs["MATLAB_class"] = np.bytes_("single")
            cell[0, i] = frame.ref
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")


def _matlab5_values() -> dict[str, object]:
    cell = np.empty((1, 6), object)
    for i, frame in enumerate(_values()):
        cell[0, i] = frame
    return {"v": _values(), "param": {"fs": 100.0, "probe": "L7-4"}, "frames": cell,
            "iq": _values() + 1j}  # fmt: skip


def _matlab4(path: Path) -> None:
    values = {"v": _values("i2")[0], "iq": _values()[1] + 1j, "fs": 100.0, "probe": "L7-4"}
    scipy.io.savemat(path, values, format="4")


def _matlab5(path: Path) -> None:
    scipy.io.savemat(path, _matlab5_values())


def _packed_matlab5(path: Path) -> None:
    scipy.io.savemat(path, _matlab5_values(), do_compression=True)


def _zarr(path: Path, version: int = 3) -> None:
    group = zarr.create_group(str(path), zarr_format=version, attributes={"PRF": 100.0})
    names = {"dimension_names": DIMS} if version == 3 else {}
    group.create_array("v", data=_values(), chunks=(3, 4, 5), **names)
    group.create_array("frame_rate", data=np.array(100.0))


def _zarr2(path: Path) -> None:
    _zarr(path, 2)


def _zarr_sharded(path: Path) -> None:
    zarr.create_array(str(path), data=_values(), chunks=(1, 4, 5), shards=(3, 4, 5))


def _zarr_archive(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _zarr(Path(folder) / "a")
        files = sorted(file for file in Path(folder, "a").rglob("*") if file.is_file())
        contents = {str(file.relative_to(Path(folder, "a"))): file.read_bytes() for file in files}
    path.write_bytes(_zip(contents))


def _uff(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["version"] = "v1.2.0"
        group = file.create_group("channel_data")
        group.attrs["class"] = "uff.channel_data"
        data = np.random.default_rng(2).standard_normal((6, 1, 16, 128), "f4")
        group["data"] = data
        group["data"].attrs["class"] = "single"
        numbers = {"sampling_frequency": 20.8e6, "initial_time": 1e-6, "sound_speed": 1540.0,
                   "modulation_frequency": 0.0, "PRF": 100.0, "probe/pitch": 3e-4, "probe/N": 16.0,
                   "pulse/center_frequency": 5.2e6}  # fmt: skip
        for name, value in numbers.items():
            group[name] = np.full((1, 1), value, "f4")


def _tiff(path: Path) -> None:
    tifffile.imwrite(
        path, _values("i2"), imagej=True, resolution=(20, 20),
        metadata={"unit": "mm", "finterval": 0.01, "axes": "TYX"},
    )  # fmt: skip


def _packed_tiff(path: Path) -> None:
    tifffile.imwrite(path, _values(), compression="zlib", photometric="minisblack", tile=(16, 16))


def _nifti(path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(_values().T[:, :, None], None)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((0.5, 0.5, 1, 0.01))
    image.header.set_slope_inter(0.5, 1)
    nibabel.save(image, path)


def _dicom(path: Path, encoded: bool = False) -> None:
    import pydicom

    values = _values("i2")
    data = pydicom.dataset.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = pydicom.uid.UltrasoundMultiFrameImageStorage, "1.2.3"
    data.NumberOfFrames, data.Rows, data.Columns = values.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.FrameTime, data.PixelSpacing, data.RescaleSlope = 10, [0.5, 0.5], 0.01
    data.PixelData = values.tobytes()
    data["PixelData"].VR = "OW"
    if encoded:
        data.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)


def _encoded_dicom(path: Path) -> None:
    _dicom(path, encoded=True)


def _gunzip(packed: bytes) -> Contents:
    return {"": gzip.decompress(packed)}


def _gzip(contents: Contents) -> bytes:
    return gzip.compress(contents[""], mtime=0)


def _events(path: Path) -> None:
    path.write_text(
        "onset\tduration\ttrial_type\tunit_id\n0.1\t0\tfiring\t1\n0.25\tn/a\tfiring\t2\n"
        "0.3\t0\tfiring\t1\nn/a\t0\tfiring\t\n"
    )


def _description(path: Path) -> None:
    path.write_text(
        'kind = "rf"\nvariable = "rf"\naxes = ["sample", "channel", "transmit", "time"]\n'
        "sampling_frequency = 20.8e6\ncentre_frequency = 5.2e6\npitch = 0.3\nangles = [-5, 0, 5]\n"
        "frame_rate = 100\nsound_speed = 1540\n"
    )


def _store(path: Path) -> None:
    generate(Parameters(frames=20, pixels=(8, 8), units=2), path, sequences=2, seed=1, workers=1)


def _zip(contents: Contents) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _unzip(packed: bytes) -> Contents:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _inflate(packed: bytes) -> Contents:
    """Take the variables of a MATLAB 5 file apart; what is before them is named `head`."""
    contents, start = {"head": packed[:128]}, 128
    while start < len(packed):
        _, length = struct.unpack_from("<2I", packed, start)
        contents[f"{start:08}"] = zlib.decompress(packed[start + 8 : start + 8 + length])
        start += 8 + length
    return contents


def _deflate(contents: Contents) -> bytes:
    result = contents["head"]
    for name in sorted(set(contents) - {"head"}):
        packed = zlib.compress(contents[name])
        result += struct.pack("<2I", 15, len(packed)) + packed
    return result


SEEDS = (
    Seed("a.npy", _npy),
    Seed("a.npz", _npz, unpack=_unzip, pack=_zip),
    Seed("packed.npz", _packed_npz, unpack=_unzip, pack=_zip),
    Seed("a3.nc", _netcdf3),
    Seed("a4.nc", _netcdf4),
    Seed("a.h5", _hdf5, given={**_VELOCITY, "variable": "scan/v"}),
    Seed("new.h5", _new_hdf5),
    Seed("echoes.hdf5", _echoes, given=_ECHOES),
    Seed("a73.mat", _matlab73, given={**_VELOCITY, "variable": "v"}),
    Seed("a4.mat", _matlab4, outcome="opened"),
    Seed("a5.mat", _matlab5, given={**_VELOCITY, "variable": "v"}),
    Seed(
        "packed5.mat",
        _packed_matlab5,
        given={**_VELOCITY, "variable": "v"},
        unpack=_inflate,
        pack=_deflate,
    ),
    Seed("a2.zarr", _zarr2),
    Seed("a3.zarr", _zarr),
    Seed("sharded.zarr", _zarr_sharded),
    Seed("a.zip", _zarr_archive, unpack=_unzip, pack=_zip),
    Seed(
        "a.uff",
        _uff,
        given={
            **_ECHOES,
            "variable": "channel_data/data",
            "sampling_frequency": 20.8e6,
            "axes": "time,transmit,channel,sample",
        },
    ),
    Seed("a.tif", _tiff),
    Seed("packed.tif", _packed_tiff),
    Seed("a.nii", _nifti, given={**_VELOCITY, "axes": "width,depth,time"}),
    Seed(
        "a.nii.gz",
        _nifti,
        given={**_VELOCITY, "axes": "width,depth,time"},
        unpack=_gunzip,
        pack=_gzip,
    ),
    Seed("a.dcm", _dicom),
    Seed("packed.dcm", _encoded_dicom),
    Seed("events.tsv", _events, "events"),
    Seed("description.toml", _description, "description"),
    Seed("store.zarr", _store, "store"),
)
"""One of every format, and of those that are read in several ways one of each."""
