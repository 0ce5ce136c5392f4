"""Volumes of files: NIfTI, DICOM and stacks hold the same values, and what is wrong is refused."""

import gzip
import hashlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from musim.datasets.volumes.reading import read_volume
from tests.volumes import (
    AFFINE,
    OFF,
    SHAPE,
    VOXEL,
    marked,
    pages_of,
    turned,
    write_enhanced,
    write_series,
    write_stack,
    write_volume,
)

VALUES = marked()
POSITIVE = (marked() + 300).astype(np.uint16)


def assert_is_marked(read, values=VALUES, affine=AFFINE):
    assert read.volume.values.dtype == np.float32
    assert np.array_equal(read.volume.values, values)
    assert read.volume.affine == pytest.approx(affine, abs=1e-5)
    assert read.source.shape == SHAPE
    assert read.source.voxel_size == pytest.approx(VOXEL, abs=1e-5)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_nifti_is_read_to_the_bit(tmp_path, name, dtype):
    values = (VALUES % 200).astype(dtype) if dtype == "u1" else VALUES.astype(dtype)
    stored = turned(values, AFFINE, (2, 0, 1), (-1, 1, -1))
    nibabel = pytest.importorskip("nibabel")
    kind = nibabel.Nifti1Pair if name == "a.img" else nibabel.Nifti1Image
    nibabel.save(kind(*stored), tmp_path / name)
    read = read_volume(tmp_path / name)
    assert_is_marked(read, values)
    assert (read.source.format, read.is_stack, read.remarks) == ("NIfTI", False, ())
    digests = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in tmp_path.iterdir()}
    assert dict(read.source.files) == digests


def test_nifti_is_scaled_as_its_header_says(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    path = write_volume(tmp_path / "a.nii", VALUES, line=(0.25, -3))
    assert_is_marked(read_volume(path), VALUES * 0.25 - 3)
    awkward = write_volume(tmp_path / "b.nii", VALUES, line=(0.0137, 12.3))
    wanted = nibabel.load(awkward).get_fdata()
    assert read_volume(awkward).volume.values == pytest.approx(wanted, rel=2e-7)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1e-3), ("micron", 1e3)])
def test_places_are_in_mm_whatever_the_file_has_them_in(tmp_path, unit, factor):
    affine = np.diag([factor, factor, factor, 1]) @ AFFINE
    assert_is_marked(read_volume(write_volume(tmp_path / "a.nii", VALUES, affine, unit=unit)))


def test_one_volume_of_four_dimensions_is_a_volume(tmp_path):
    assert_is_marked(read_volume(write_volume(tmp_path / "a.nii", VALUES[..., None])))


def test_a_file_that_knows_no_orientation_is_told_of(tmp_path):
    path = write_volume(tmp_path / "a.nii", VALUES, None)
    read = read_volume(path)
    assert ["which way its axes run" in remark for remark in read.remarks] == [True]
    assert np.array_equal(read.volume.values, VALUES[::-1])


def test_a_sign_that_was_left_out_is_taken_for_plus(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(VALUES, AFFINE)
    image.header.set_sform(None, 0)
    image.header.set_qform(AFFINE, 1)
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[76:80] = np.float32(0).tobytes()  # pixdim[0]
    (tmp_path / "a.nii").write_bytes(content)
    assert_is_marked(read_volume(tmp_path / "a.nii"))


@pytest.mark.parametrize("oblique", [False, True])
def test_dicom_is_put_in_order_by_place(tmp_path, oblique):
    pytest.importorskip("pydicom")
    affine = OFF @ AFFINE if oblique else AFFINE
    shuffled = np.random.default_rng(2).permutation(SHAPE[2])
    read = read_volume(write_series(tmp_path / "a", VALUES, affine, order=shuffled))
    assert_is_marked(read, affine=affine)
    assert read.source.format == "DICOM series"
    # Files are told in the order of slices, and what is no DICOM is none of them.
    wanted = [f"{number:03d}.dcm" for number in np.argsort(shuffled)]
    assert [name for name, _ in read.source.files] == wanted


def test_dicom_is_turned_and_scaled(tmp_path):
    pytest.importorskip("pydicom")
    stored, affine = turned(VALUES, AFFINE, (1, 2, 0), (1, -1, 1))
    folder = write_series(tmp_path / "a", stored, affine, RescaleSlope="2", RescaleIntercept="-5")
    (folder / "notes.txt").write_text("of the scanner")
    assert_is_marked(read_volume(folder), VALUES * 2 - 5)


def test_dicom_of_many_images_in_one_file_is_a_volume(tmp_path):
    pytest.importorskip("pydicom")
    path = write_enhanced(tmp_path / "a.dcm", VALUES, order=[3, 1, 4, 0, 2])
    assert_is_marked(read_volume(path))


def test_stacks_are_axial_pictures(tmp_path):
    centred = AFFINE.copy()
    centred[:3, 3] = -(np.array(SHAPE) - 1) / 2 * VOXEL
    given = {"voxel": VOXEL}
    pages = read_volume(write_stack(tmp_path / "a.tif", VALUES), **given)
    assert_is_marked(pages, affine=centred)
    assert pages.is_stack
    folder = read_volume(write_stack(tmp_path / "b", VALUES, folder=True), **given)
    assert_is_marked(folder, affine=centred)
    names = [name for name, _ in folder.source.files]
    assert names == ["slice8.tif", "slice9.tif", "slice10.tif", "slice11.tif", "slice12.tif"]
    png = read_volume(write_stack(tmp_path / "c", POSITIVE, folder=True, png=True), **given)
    assert_is_marked(png, POSITIVE, centred)
    assert png.source.format == "PNG stack"
    # Pages first, or last, as the file says.
    tifffile.imwrite(
        tmp_path / "d.tif", pages_of(VALUES).transpose(1, 2, 0), metadata={"axes": "YXZ"},
        photometric="minisblack",
    )  # fmt: skip
    assert_is_marked(read_volume(tmp_path / "d.tif", **given), affine=centred)


def test_stacks_may_be_of_another_plane(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([VALUES[:, y, ::-1].T for y in range(SHAPE[1])]))
    read = read_volume(path, voxel=VOXEL, stacked="coronal")
    assert np.array_equal(read.volume.values, VALUES)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGB"])
def test_png_is_grey_whatever_its_mode(tmp_path, mode):
    folder, values = tmp_path / "a", (POSITIVE % 200).astype(np.uint8)
    folder.mkdir()
    for number, page in enumerate(pages_of(values)):
        image = Image.fromarray(page if mode != "1" else 255 * (page > 99).astype(np.uint8))
        image.convert(mode).save(folder / f"{number}.png")
    wanted = values > 99 if mode == "1" else values
    assert np.array_equal(read_volume(folder, voxel=VOXEL).volume.values, wanted)


def test_what_is_no_volume_is_refused(tmp_path, refused):
    folder = tmp_path / "empty"
    folder.mkdir()
    with refused("empty: found no DICOM, PNG or TIFF in it"):
        read_volume(folder)
    with refused("nowhere.nii: found nothing there, wanted a volume: NIfTI"):
        read_volume(tmp_path / "nowhere.nii")
    (tmp_path / "text.nii").write_text("no volume, but enough of it to be looked at" * 20)
    with refused("text.nii: found no volume that can be read"):
        read_volume(tmp_path / "text.nii")
    Image.fromarray(POSITIVE[..., 0]).save(tmp_path / "one.png")
    with refused("one.png: found one picture, wanted a folder"):
        read_volume(tmp_path / "one.png")
    tifffile.imwrite(tmp_path / "one.tif", POSITIVE[..., 0])
    with refused("one.tif: found one picture, wanted a stack"):
        read_volume(tmp_path / "one.tif", voxel=VOXEL)


def test_nifti_that_is_no_volume_is_refused(tmp_path, refused):
    def written(name, values):
        return write_volume(tmp_path / name, values)

    four = written("four.nii", np.stack([VALUES] * 3, axis=3))
    with refused("four.nii: found 7 x 9 x 5 x 3 voxels, wanted a volume of three dimensions"):
        read_volume(four)
    flat = written("flat.nii", VALUES[..., 0])
    with refused("flat.nii: found 7 x 9 voxels"):
        read_volume(flat)
    imaginary = written("imaginary.nii", VALUES + 1j)
    with refused("imaginary.nii: found complex", "wanted one real number a voxel"):
        read_volume(imaginary)
    holes = VALUES.astype(np.float32)
    holes[1, 2, :3] = np.nan, np.inf, -np.inf
    with_holes = written("holes.nii", holes)
    with refused("holes.nii: found 3 voxels that are no finite float32 numbers"):
        read_volume(with_holes)
    large = written("large.nii", VALUES * 1e40)
    with refused("large.nii", "no finite float32"):
        read_volume(large)
    colours = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    coloured = written("colours.nii", colours)
    with refused("colours.nii: found colours, wanted one number a voxel"):
        read_volume(coloured)


@pytest.mark.parametrize("packed", [False, True])
def test_cut_nifti_is_refused(tmp_path, refused, packed):
    whole = write_volume(tmp_path / "whole.nii", VALUES).read_bytes()
    path = tmp_path / f"cut.nii{'.gz' * packed}"
    cut = gzip.compress(whole)[:-50] if packed else whole[:-50]
    path.write_bytes(cut)
    with refused(path.name):
        read_volume(path)


def test_integers_that_float32_rounds_are_told_of(tmp_path):
    values = VALUES.astype(np.int32) + 2**25
    read = read_volume(write_volume(tmp_path / "a.nii", values))
    assert ["were rounded" in remark for remark in read.remarks] == [True]
    assert read_volume(write_volume(tmp_path / "b.nii", VALUES)).remarks == ()


def test_series_that_are_no_volume_are_refused(tmp_path, refused):
    pydicom = pytest.importorskip("pydicom")
    gap = write_series(tmp_path / "gap", VALUES, order=[0, 1, 3, 4])
    with refused("gap: found steps of 2 to 4 mm from image to image", "may be missing"):
        read_volume(gap)
    twice = write_series(tmp_path / "twice", VALUES, order=[0, 1, 2, 2, 3])
    with refused("twice: found several images at one place (14 mm)"):
        read_volume(twice)
    alone = write_series(tmp_path / "alone", VALUES, order=[0])
    with refused("alone: found one image, wanted a folder with a whole series"):
        read_volume(alone)
    two = write_series(tmp_path / "two", VALUES)
    other = pydicom.dcmread(two / "003.dcm")
    other.SeriesInstanceUID = "1.2.4"
    other.save_as(two / "003.dcm")
    with refused("two: found 2 series in it, wanted one"):
        read_volume(two)
    turned_away = write_series(tmp_path / "turned", VALUES)
    one = pydicom.dcmread(turned_away / "002.dcm")
    one.ImageOrientationPatient = [0, 1, 0, 1, 0, 0]
    one.save_as(turned_away / "002.dcm")
    with refused("turned: found images of several orientations"):
        read_volume(turned_away)
    lost = write_series(tmp_path / "lost", VALUES)
    one = pydicom.dcmread(lost / "001.dcm")
    del one.ImagePositionPatient
    one.save_as(lost / "001.dcm")
    with refused("001.dcm: found no place of image 0 in the patient"):
        read_volume(lost)
    damaged = write_series(tmp_path / "damaged", VALUES)
    (damaged / "001.dcm").write_bytes((damaged / "001.dcm").read_bytes()[:-40])
    with refused("001.dcm", "bytes of values"):
        read_volume(damaged)
    small = write_series(tmp_path / "small", VALUES)
    write_series(tmp_path / "part", VALUES[:-1], order=[4])
    (tmp_path / "part" / "000.dcm").rename(small / "004.dcm")
    with refused("004.dcm: found an image of 9 x 6 px, wanted 9 x 7 px"):
        read_volume(small)


def test_stacks_that_are_no_volume_are_refused(tmp_path, refused):
    path = write_stack(tmp_path / "a.tif", VALUES)
    with refused("`voxel`: found none", "a.tif", "0.6x0.6x0.6"):
        read_volume(path)
    with refused("`stacked`: found 'top'"):
        read_volume(path, voxel=VOXEL, stacked="top")
    folder = write_stack(tmp_path / "b", VALUES, folder=True)
    tifffile.imwrite(folder / "slice9.tif", pages_of(VALUES)[0, :-1])
    with refused("slice9.tif: found 8 x 7 px of int16, wanted 9 x 7 px of int16"):
        read_volume(folder, voxel=VOXEL)
    tifffile.imwrite(folder / "slice9.tif", pages_of(VALUES))
    with refused("slice9.tif: found 5 pages, wanted one in each of many files"):
        read_volume(folder, voxel=VOXEL)
    (folder / "slice9.tif").write_bytes(path.read_bytes()[:60])
    with refused("slice9.tif"):
        read_volume(folder, voxel=VOXEL)
    coloured = write_stack(tmp_path / "c", POSITIVE, folder=True, png=True)
    random = np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8)
    Image.fromarray(random).save(coloured / "slice9.png")
    with refused("slice9.png: found colours, wanted grey"):
        read_volume(coloured, voxel=VOXEL)
    tifffile.imwrite(coloured / "other.tif", VALUES[0])
    with refused("c: found PNG and TIFF in it, wanted files of one volume alone"):
        read_volume(coloured, voxel=VOXEL)
    many = np.zeros((2, 5, 9, 7), np.uint8)
    tifffile.imwrite(tmp_path / "many.tif", many, metadata={"axes": "TZYX"})
    with refused("many.tif: found 2 x 5 x 9 x 7 pixels"):
        read_volume(tmp_path / "many.tif", voxel=VOXEL)
