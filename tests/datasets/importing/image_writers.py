"""Image files as their own libraries write them."""

import numpy as np
import pytest
import tifffile

VELOCITY = np.random.default_rng(1).integers(-3000, 3000, (12, 8, 6)).astype("i2")
"""Frames, rows and columns."""


def write_tiff(path, values, **options):
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(path, values, **options)
    return path


def write_nifti(path, values, units=("mm", "sec"), steps=(), line=(), version=1, pair=False):
    """Write an array with its axes as NIfTI orders them: x, y, z, t."""
    nibabel = pytest.importorskip("nibabel")
    kind = getattr(nibabel, f"Nifti{version}{'Pair' if pair else 'Image'}")
    image = kind(values, None)
    image.header.set_xyzt_units(*units)
    if steps:
        image.header.set_zooms(steps)
    if line:
        image.header.set_slope_inter(*line)
    nibabel.save(image, path)
    return path


def dicom_item(**elements):
    """Return an item of a sequence."""
    dataset = pytest.importorskip("pydicom.dataset").Dataset()
    for key, value in elements.items():
        setattr(dataset, key, value)
    return dataset


def write_dicom(path, values, syntax="ExplicitVRLittleEndian", **elements):
    """Write frames as an ultrasound image of many frames; elements that are None are left out."""
    pydicom = pytest.importorskip("pydicom")
    data = dicom_item(
        SOPClassUID=pydicom.uid.UltrasoundMultiFrameImageStorage,
        SOPInstanceUID=pydicom.uid.generate_uid(),
        NumberOfFrames=values.shape[0],
        Rows=values.shape[1],
        Columns=values.shape[2],
        SamplesPerPixel=1 if values.ndim == 3 else values.shape[3],
        PhotometricInterpretation="MONOCHROME2",
    )
    data.file_meta = pydicom.dataset.FileMetaDataset()
    plain = "ExplicitVRLittleEndian" if syntax == "RLELossless" else syntax
    data.file_meta.TransferSyntaxUID = getattr(pydicom.uid, plain)
    if values.dtype.kind == "f":
        key = {4: "FloatPixelData", 8: "DoubleFloatPixelData"}[values.itemsize]
        setattr(data, key, values.tobytes())
    else:
        bits = 8 * values.itemsize
        data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
        data.PixelRepresentation = int(values.dtype.kind == "i")
        order = ">" if syntax == "ExplicitVRBigEndian" else "<"
        data.PixelData = values.astype(values.dtype.newbyteorder(order)).tobytes()
        data["PixelData"].VR = "OW"
    for key, value in elements.items():
        setattr(data, key, value)
    if syntax == "RLELossless":
        data.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)
    return path
