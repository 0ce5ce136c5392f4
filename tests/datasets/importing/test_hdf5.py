"""HDF5 files: what is no array of numbers, or lies elsewhere."""

import h5py
import numpy as np

from musim.datasets.importing.formats import open_file


def test_hdf5_objects_and_what_lies_elsewhere_are_refused(tmp_path, refused):
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
            with refused("a.h5", name, "found"):
                file.array(name)
