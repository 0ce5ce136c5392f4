"""DICOM: the grid, times and scale of its elements, frames one at a time, and what is refused."""

import sys
import tomllib

import numpy as np
import pytest

from musim.datasets.importing.description import Description
from musim.datasets.importing.dicom import DicomFile
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.foreign_files import assert_same
from tests.datasets.importing.image_writers import VELOCITY, dicom_item, write_dicom

pydicom = pytest.importorskip("pydicom")

SPACING = {"depth_step": 0.4, "width_step": 0.2}


def _region(width=0.02, units=3, **more):
    """A region of an ultrasound image, with its steps in cm."""
    return dicom_item(
        RegionSpatialFormat=1, RegionDataType=1, PhysicalUnitsXDirection=units,
        PhysicalUnitsYDirection=units, PhysicalDeltaX=width, PhysicalDeltaY=0.04, **more,
    )  # fmt: skip


def _shared(**macros):
    """What holds for all frames, as in enhanced images."""
    return [dicom_item(**{key: [dicom_item(**one)] for key, one in macros.items()})]


def _units(code):
    return [dicom_item(CodeValue=code, CodingSchemeDesignator="UCUM", CodeMeaning=code)]


def _guessed(path):
    with open_file(path) as file:
        return describe(file).values


@pytest.mark.parametrize(
    ("elements", "wanted"),
    [
        ({"FrameTime": "2.5", "CineRate": "30"}, {"frame_rate": 400}),
        ({"FrameTimeVector": ["0", *["2.5"] * 11]}, {"frame_rate": 400}),
        ({"CineRate": "40"}, {"frame_rate": "images@CineRate"}),
        ({"RecommendedDisplayFrameRate": "40"},
         {"frame_rate": "images@RecommendedDisplayFrameRate"}),
        ({"PixelSpacing": ["0.4", "0.2"]}, {**SPACING, "depth_start": 0.2, "width_start": 0.1}),
        ({"SequenceOfUltrasoundRegions": [_region()]}, SPACING),
        ({"SequenceOfUltrasoundRegions": [_region(), _region()]}, SPACING),
        # Two panes with steps of their own, and what is no length.
        ({"SequenceOfUltrasoundRegions": [_region(), _region(0.03)]}, {"width_step": None}),
        ({"SequenceOfUltrasoundRegions": [_region(units=4)]}, {"width_step": None}),
        ({"SharedFunctionalGroupsSequence": _shared(
            PixelMeasuresSequence={"PixelSpacing": ["0.4", "0.2"]})}, SPACING),
        ({}, {"frame_rate": None, "depth_step": None, "velocity_unit": "mm/s"}),
    ],
)  # fmt: skip
def test_what_elements_say_is_a_description(tmp_path, elements, wanted):
    found = _guessed(write_dicom(tmp_path / "a.dcm", VELOCITY, **elements))
    assert {key: found.get(key) for key in wanted} == {
        key: pytest.approx(value) if isinstance(value, float) else value
        for key, value in wanted.items()
    }
    assert (found["kind"], found["axes"]) == ("velocity", ["time", "depth", "width"])


def test_a_gap_in_the_times_of_frames_is_said(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, FrameTimeVector=["0", *["2.5"] * 10, "9"])
    with open_file(path) as file:
        survey = describe(file)
    assert survey.values["frame_rate"] == 400
    assert ["frame: has a gap of 0.0065 s" in remark for remark in survey.remarks] == [True]


def test_rates_of_display_are_to_be_checked(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", np.abs(VELOCITY).astype("u1"), CineRate="40")
    with open_file(path) as file:
        text = describe(file).to_toml()
    assert "40 fits Hz; so fast it is shown, CHECK" in text
    assert "(uint8) are rather BRIGHTNESS" in text


def test_a_guess_imports_with_the_scale_of_the_modality(tmp_path):
    region = {"FrameTime": "2.5", "SequenceOfUltrasoundRegions": [_region()]}
    path = write_dicom(
        tmp_path / "a.dcm", VELOCITY, **region, RescaleSlope="0.01", RescaleIntercept="-3",
        RescaleType="cm/s",
    )  # fmt: skip
    with open_file(path) as file:
        survey = describe(file)
    assert survey.missing == ()
    description = Description.parse(tomllib.loads(survey.to_toml()))
    store = import_recordings([path], tmp_path / "a.zarr", description, Chain())
    assert store.dataset["tvi"].values[0] == pytest.approx(10 * (VELOCITY * 0.01 - 3), rel=1e-5)
    assert store.layout.pixel_size == pytest.approx((0.4, 0.2))


def test_what_maps_to_the_real_world_goes_before_the_modality(tmp_path):
    mapping = {
        "RealWorldValueSlope": 0.5, "RealWorldValueIntercept": 1.0,
        "MeasurementUnitsCodeSequence": _units("mm/s"),
    }  # fmt: skip
    shared = _shared(
        RealWorldValueMappingSequence=mapping,
        PixelValueTransformationSequence={"RescaleSlope": "7", "RescaleIntercept": "0"},
    )
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, SharedFunctionalGroupsSequence=shared)
    with open_file(path) as file:
        assert file.info("images").units == "mm/s"
        assert file.array("images").read() == pytest.approx(VELOCITY * 0.5 + 1)
    mapping["MeasurementUnitsCodeSequence"] = _units("[hnsf'U]")
    shared = _shared(
        RealWorldValueMappingSequence=mapping,
        PixelValueTransformationSequence={"RescaleSlope": "7", "RescaleIntercept": "0"},
    )
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, SharedFunctionalGroupsSequence=shared)
    with open_file(path) as file:
        assert file.info("images").units == ""
        assert file.array("images").read() == pytest.approx(VELOCITY * 7.0)


@pytest.mark.parametrize(
    "syntax",
    ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian", "RLELossless"],
)
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2"])
def test_every_plain_syntax_and_rle_gives_the_same_numbers(tmp_path, syntax, dtype):
    values = VELOCITY.astype(dtype)
    with open_file(write_dicom(tmp_path / "a.dcm", values, syntax)) as file:
        assert_same(file.array("images").read(), values)
        assert_same(file.array("images").read((slice(3, 5), slice(2, 7))), values[3:5, 2:7])


@pytest.mark.parametrize("syntax", ["ExplicitVRLittleEndian", "RLELossless"])
@pytest.mark.parametrize("dtype", ["i2", "u2"])
def test_bits_that_do_not_count_are_left_out(tmp_path, syntax, dtype):
    # Twelve bits, with whatever in the four above them.
    values = np.clip(VELOCITY, -2048, 2047) if dtype == "i2" else np.abs(VELOCITY) % 4096
    stored = (values.astype("u2") & 0x0FFF) | 0x5000
    bits = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": int(dtype == "i2")}
    with open_file(write_dicom(tmp_path / "a.dcm", stored, syntax, **bits)) as file:
        assert_same(file.array("images").read(), values.astype(dtype))


def test_rle_is_unpacked_frame_by_frame(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, "RLELossless")
    decoder, seen = type(pydicom.pixels.get_decoder(pydicom.uid.RLELossless)), []
    whole = decoder.as_array
    monkeypatch.setattr(
        decoder, "as_array", lambda *a, **k: seen.append(k["index"]) or whole(*a, **k)
    )
    with DicomFile(path) as file:  # in this process
        assert seen == []
        file.array("images").read((slice(3, 5),))
    assert seen == [3, 4]


REFUSED = {
    "compressed": ({}, "JPEGBaseline8Bit", "JPEG Baseline (Process 1)"),
    "colours": ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "", "colours (RGB)"),
    "palette": ({"PhotometricInterpretation": "PALETTE COLOR"}, "", "colours (PALETTE COLOR)"),
    "table": ({"ModalityLUTSequence": [dicom_item()]}, "", "stand in a table"),
    "slopes": ({"PerFrameFunctionalGroupsSequence": [
        _shared(PixelValueTransformationSequence={"RescaleSlope": slope})[0] for slope in "12"
    ]}, "", "a slope of their own"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_plain_numbers_is_explained(tmp_path, refused, name):
    elements, syntax, word = REFUSED[name]
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, **elements)
    if syntax:
        data = pydicom.dcmread(path)
        data.file_meta.TransferSyntaxUID = getattr(pydicom.uid, syntax)
        data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8"])
        data.save_as(path)
    with open_file(path) as file, refused("a.dcm", "images", word, "wanted"):
        file.array("images")


def test_what_is_deflated_is_not_unpacked(tmp_path, refused):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, "DeflatedExplicitVRLittleEndian")
    with open_file(path) as file, refused("Deflated Explicit VR", "GDCM"):
        file.array("images")


def test_a_file_without_images_says_what_it_is(tmp_path, refused):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY)
    data = pydicom.dcmread(path)
    del data.PixelData
    data.SOPClassUID = pydicom.uid.RawDataStorage
    data.save_as(path)
    with refused("a.dcm", "without images (Raw Data Storage)", "export velocity"):
        open_file(path)


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, ("wanted 86400000000", "header is wrong")),
        ({"NumberOfFrames": 13}, ("found 1152 bytes", "wanted 1248")),
        ({"BitsStored": 17}, ("17 of 16 bits",)),
        ({"BitsStored": 12, "HighBit": 15}, ("12 of 16 bits", "bit 15")),
    ],
)
def test_headers_that_lie_are_refused_before_memory_is_asked_for(
    tmp_path, refused, elements, words
):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY, **elements)
    with refused("a.dcm", *words):
        open_file(path)


def test_errors_of_the_library_itself_are_damage(tmp_path, refused):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY)
    content = bytearray(path.read_bytes())
    content[136:144] = b"UL\x03\0abc "  # a length in three bytes
    path.write_bytes(content)
    with refused("a.dcm", "damaged"):
        open_file(path)


def test_without_its_package_the_extra_is_named(tmp_path, monkeypatch, refused):
    path = write_dicom(tmp_path / "a.dcm", VELOCITY)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with refused("a.dcm: found DICOM", "pydicom", "pip install 'musim[formats]'"):
        DicomFile(path)  # in this process
