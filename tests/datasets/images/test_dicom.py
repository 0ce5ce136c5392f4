"""B-mode images in DICOM: their grey levels, scale and region; cines and damage are one line."""

import io

import numpy as np
import pytest
from PIL import Image

from musim.datasets.images.reading import read_image, size_of
from tests.datasets.importing.image_writers import dicom_item, write_dicom

pytest.importorskip("pydicom")
GREY = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
PLAIN = {"NumberOfFrames": 1}


def region(**more):
    return dicom_item(**{
        "RegionSpatialFormat": 1, "RegionDataType": 1, "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3, "PhysicalDeltaX": 0.02, "PhysicalDeltaY": 0.01,
        "RegionLocationMinX0": 4, "RegionLocationMinY0": 2, "RegionLocationMaxX1": 23,
        "RegionLocationMaxY1": 13, **more,
    })  # fmt: skip


@pytest.mark.parametrize("syntax", ["ExplicitVRLittleEndian", "RLELossless"])
def test_grey_levels_are_read_as_they_are(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    write_dicom(path, GREY[None], syntax, **PLAIN)
    found = read_image(path)
    np.testing.assert_array_equal(found.values, GREY)
    assert (found.scale, found.region, size_of(path)) == (None, None, (20, 30))


def test_other_values_become_grey_of_eight_bits(tmp_path):
    deep = write_dicom(tmp_path / "deep.dcm", GREY[None].astype(np.uint16) * 16, **PLAIN,
                       BitsStored=12, HighBit=11)  # fmt: skip
    np.testing.assert_array_equal(read_image(deep).values, GREY)
    turned = write_dicom(tmp_path / "turned.dcm", GREY[None], **PLAIN,
                         PhotometricInterpretation="MONOCHROME1")  # fmt: skip
    np.testing.assert_array_equal(read_image(turned).values, 255 - GREY)
    colours = np.repeat(GREY[:, :, None], 3, axis=2)
    colours[:2] = (255, 255, 0)
    screen = write_dicom(tmp_path / "rgb.dcm", colours[None], **PLAIN,
                         PhotometricInterpretation="RGB", PlanarConfiguration=0)  # fmt: skip
    found = read_image(screen)
    np.testing.assert_array_equal(found.values[2:], GREY[2:])
    assert found.coloured == pytest.approx(0.1)


def test_jpeg_within_is_read(tmp_path):
    import pydicom

    smooth = np.linspace(0, 255, 600).reshape(20, 30).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(smooth).save(content, "JPEG", quality=95)
    path = write_dicom(tmp_path / "a.dcm", smooth[None], **PLAIN)
    data = pydicom.dcmread(path)
    data.PixelData = pydicom.encaps.encapsulate([content.getvalue()])
    data["PixelData"].VR = "OB"
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    data.save_as(path)
    assert np.abs(read_image(path).values.astype(int) - smooth).mean() < 3


def test_the_largest_region_of_tissue_tells_place_and_scale(tmp_path):
    regions = [
        region(RegionDataType=2, RegionLocationMaxX1=29),
        region(RegionLocationMaxX1=9, PhysicalDeltaX=0.5),
        region(),
        region(RegionLocationMaxX1=99),
    ]
    path = write_dicom(tmp_path / "a.dcm", GREY[None], **PLAIN,
                       SequenceOfUltrasoundRegions=regions, PixelSpacing=[9, 9])  # fmt: skip
    found = read_image(path)
    assert found.region == (2, 4, 12, 20)
    assert found.scale is not None
    assert (found.scale.depth_mm, found.scale.shape) == (pytest.approx(0.1), pytest.approx(2))


def test_spacing_tells_the_scale_without_lengths_of_a_region(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", GREY[None], **PLAIN, PixelSpacing=[0.2, 0.3],
                       SequenceOfUltrasoundRegions=[region(PhysicalUnitsXDirection=4)])  # fmt: skip
    found = read_image(path)
    assert found.scale is not None
    assert (found.scale.depth_mm, found.scale.shape) == (pytest.approx(0.2), pytest.approx(1.5))
    assert found.region == (2, 4, 12, 20)


def test_cines_and_damage_are_refused(tmp_path, refused):
    cine = write_dicom(tmp_path / "a.dcm", np.repeat(GREY[None], 3, axis=0))
    with refused("a.dcm: found 3 frames, wanted one image"):
        read_image(cine)
    (tmp_path / "b.dcm").write_text("no image")
    with refused("b.dcm: found no DICOM image that can be read"):
        read_image(tmp_path / "b.dcm")
    path = write_dicom(tmp_path / "c.dcm", GREY[None], **PLAIN)
    path.write_bytes(path.read_bytes()[:-200])
    with refused("c.dcm: cannot be read"):
        read_image(path)
    report = write_dicom(tmp_path / "d.dcm", GREY[None], **PLAIN, Rows=0)
    with refused("d.dcm: found DICOM without an image"):
        read_image(report)
