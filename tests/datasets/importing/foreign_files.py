"""What the tests of several formats share: values, files by hand, and a trap for unpickling."""

import os
import struct

import numpy as np

SHAPE = (5, 4, 6)


def name_of(file):
    """Return what the array of a written file is called in it."""
    images = dict.fromkeys(("TIFF", "NIfTI", "DICOM"), "images")
    return {"NumPy .npy": "array", **images}.get(file.format, "x")


def values_of(dtype, shape=SHAPE):
    random = np.random.default_rng(3)
    if np.dtype(dtype).kind == "c":
        return (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return random.integers(-3000, 3000, shape).astype(dtype)


def assert_same(found, wanted):
    assert found.dtype == wanted.dtype
    assert found.dtype.isnative
    assert found.shape == wanted.shape
    assert np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(wanted).tobytes()


def matlab5(order, elements):
    text = b"MATLAB 5.0 MAT-file".ljust(124)
    return text + struct.pack(f"{order}H", 0x0100) + (b"MI" if order == ">" else b"IM") + elements


def matlab5_element(order, code, data):
    return struct.pack(f"{order}2I", code, len(data)) + data + b"\0" * (-len(data) % 8)


def matlab5_array(order, kind, stored, shape, content, flags=0, name=b"x", within=()):
    """Return a variable; `within` are elements that follow its name, such as those of a cell."""
    body = matlab5_element(order, 6, struct.pack(f"{order}2I", kind | flags, 0))
    body += matlab5_element(order, 5, np.array(shape, f"{order}i4").tobytes())
    body += matlab5_element(order, 1, name) + b"".join(within)
    parts = (matlab5_element(order, stored, part) for part in content)
    return matlab5_element(order, 14, body + b"".join(parts))


class Trap:
    """An object whose unpickling leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)
