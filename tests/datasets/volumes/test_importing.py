"""Stores of two volumes' slices: values to the bit, halves apart, grids that agree or are moved."""

import hashlib

import numpy as np
import pytest

from musim.datasets import open_store
from musim.datasets.origin import ImportedVolumes
from musim.datasets.verification import verify
from musim.datasets.volumes.importing import import_volumes
from musim.datasets.volumes.slices import PLANES, slices_of
from musim.datasets.volumes.slicing import NORMALS, picture
from tests.volumes import (
    AFFINE,
    OFF,
    ORIENTATIONS,
    SHAPE,
    VOXEL,
    marked,
    turned,
    write_series,
    write_stack,
    write_volume,
)

VALUES = marked(dtype=np.float32) / 3  # no round numbers
OTHER = np.random.default_rng(5).normal(size=SHAPE).astype(np.float32)
OTHER[3, 5, 2] = 1e30  # one mark that no other place has


@pytest.fixture
def pair(tmp_path):
    """T1 and T2 as files."""
    first = write_volume(tmp_path / "t1.nii.gz", VALUES)
    return first, write_volume(tmp_path / "t2.nii", OTHER)


def pictures_of(store):
    return {(one.plane, round(one.position, 6)): one for one in slices_of(store)}


def assert_holds(store, first=VALUES, second=OTHER):
    """Assert that a store has every slice of two volumes, to the bit."""
    stored = slices_of(store)
    assert len(stored) == sum(SHAPE)
    numbers = [(plane, n) for plane in PLANES for n in range(SHAPE[NORMALS[plane]])]
    for one, (plane, number) in zip(stored, numbers, strict=True):
        axis = NORMALS[plane]
        assert one.plane == plane
        assert one.position == pytest.approx(AFFINE[axis, 3] + VOXEL[axis] * number, abs=1e-5)
        assert one.image.tobytes() == picture(first, plane, number).tobytes()
        assert one.image_b.tobytes() == picture(second, plane, number).tobytes()


def test_slices_are_the_volumes_to_the_bit(pair, tmp_path):
    store = import_volumes(*pair, tmp_path / "a.zarr", part_size=4)
    assert_holds(store)
    assert store.layout.shape == (1, 32, 32)
    assert verify(tmp_path / "a.zarr").is_slices
    sizes = {one.plane: (one.image.shape, one.pixel_size) for one in slices_of(store)}
    assert sizes["axial"] == ((9, 7), pytest.approx((1.0, 1.5)))
    assert sizes["coronal"] == ((5, 7), pytest.approx((2.0, 1.5)))
    assert sizes["sagittal"] == ((5, 9), pytest.approx((2.0, 1.0)))


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS[1::6])
def test_a_mark_is_seen_at_one_place_however_volumes_are_stored(tmp_path, order, signs):
    first = write_volume(tmp_path / "t1.nii", *turned(VALUES, AFFINE, order, signs))
    second = write_volume(tmp_path / "t2.nii", *turned(OTHER, AFFINE, order[::-1], signs[::-1]))
    assert_holds(import_volumes(first, second, tmp_path / "a.zarr"))


def test_workers_and_formats_change_nothing(pair, tmp_path):
    pytest.importorskip("pydicom")
    whole = np.round(VALUES * 3).astype(np.int16)
    series = write_series(tmp_path / "dicom", whole, order=[2, 0, 1, 4, 3])
    store = import_volumes(series, pair[1], tmp_path / "b.zarr", workers=3, part_size=2)
    assert_holds(store, whole.astype(np.float32))
    assert (store.origin.first.format, store.origin.second.format) == ("DICOM series", "NIfTI")


def test_the_origin_tells_the_files(pair, tmp_path):
    store = import_volumes(*pair, tmp_path / "a.zarr", planes="coronal", half="right")
    origin = open_store(tmp_path / "a.zarr").origin
    assert isinstance(origin, ImportedVolumes)
    assert origin == store.origin
    for told, path in zip((origin.first, origin.second), pair, strict=True):
        assert told.name == path.name
        assert told.files == ((path.name, hashlib.sha256(path.read_bytes()).hexdigest()),)
        assert (told.shape, told.voxel_size) == (SHAPE, pytest.approx(VOXEL))
    assert (origin.planes, origin.half, origin.resampled) == (("coronal",), "right", False)
    assert origin.made_by == "slices imported from right half of t1.nii.gz and t2.nii"


def test_halves_share_no_slice_and_no_voxel(tmp_path):
    # Every voxel has a value of its own.
    first = write_volume(tmp_path / "t1.nii", marked(dtype=np.float32))
    halves = {
        half: import_volumes(first, first, tmp_path / f"{half}.zarr", half=half)
        for half in ("left", "right")
    }
    seen = {half: [*slices_of(store)] for half, store in halves.items()}
    voxels = {half: {v for one in found for v in one.image.ravel()} for half, found in seen.items()}
    assert voxels["left"].isdisjoint(voxels["right"])
    assert len(voxels["left"]) == len(voxels["right"]) == 3 * 9 * 5
    assert set(marked()[:3].ravel()) == voxels["left"]
    sagittal = {h: [one.position for one in f if one.plane == "sagittal"] for h, f in seen.items()}
    assert max(sagittal["left"]) < -4 + 3 * 1.5 < min(sagittal["right"])
    pictures = {half: {one.image.tobytes() for one in found} for half, found in seen.items()}
    assert pictures["left"].isdisjoint(pictures["right"])


def test_constant_slices_are_left_out_and_counted(tmp_path):
    first, second = VALUES.copy(), OTHER.copy()
    first[:, :, 0] = 7.5
    second[0] = 0
    second[:, :, 4] = 0
    paths = (write_volume(tmp_path / f"{n}.nii", v) for n, v in enumerate((first, second)))
    store = import_volumes(*paths, tmp_path / "a.zarr")
    assert store.origin.left_out == {"axial": 2, "sagittal": 1}
    assert len(store) == sum(SHAPE) - 3
    found = pictures_of(store)
    assert ("axial", 10.0) not in found
    assert ("axial", 18.0) not in found
    assert ("sagittal", -4.0) not in found
    assert ("axial", 12.0) in found
    assert not any(one.is_constant for one in found.values())


def test_volumes_without_any_picture_are_refused(pair, tmp_path, refused):
    flat = write_volume(tmp_path / "flat.nii", np.ones(SHAPE, np.float32))
    with refused("found 21 slices, all of one value"):
        import_volumes(pair[0], flat, tmp_path / "a.zarr")


def test_grids_have_to_agree(pair, tmp_path, refused):
    cut = write_volume(tmp_path / "cut.nii", OTHER[:, :-1])
    with refused("cut.nii: found 7 x 8 x 5 voxels of 1.5 x 1 x 2 mm, wanted 7 x 9 x 5 voxels",
                 "`resample=True`"):  # fmt: skip
        import_volumes(pair[0], cut, tmp_path / "a.zarr")
    moved = AFFINE.copy()
    moved[1, 3] += 0.06
    off = write_volume(tmp_path / "off.nii", OTHER, moved)
    with refused("off.nii: found voxels that lie up to 0.06 mm off", "wanted 0.05 mm at most"):
        import_volumes(pair[0], off, tmp_path / "a.zarr")
    moved[1, 3] -= 0.02
    rounded = write_volume(tmp_path / "rounded.nii", OTHER, moved)
    assert_holds(import_volumes(pair[0], rounded, tmp_path / "a.zarr"))
    # Where they agree, nothing is changed even if it is asked for.
    assert_holds(import_volumes(pair[0], rounded, tmp_path / "b.zarr", resample=True))
    assert not open_store(tmp_path / "b.zarr").origin.resampled


def test_a_ramp_on_another_grid_is_brought_over_exactly(tmp_path):
    def ramp(shape, affine):
        x, y, z = np.meshgrid(*map(np.arange, shape), indexing="ij")
        places = np.einsum("ij,jxyz->ixyz", affine[:3, :3], np.stack([x, y, z]))
        places += affine[:3, 3, None, None, None]
        return np.einsum("i,ixyz->xyz", [0.5, -0.25, 2.0], places).astype(np.float32)

    fine = OFF @ np.diag([0.7, 0.9, 1.1, 1.0])
    middles = [
        a[:3, :3] @ (np.array(n) - 1) / 2 for a, n in ((AFFINE, SHAPE), (fine, (60, 50, 40)))
    ]
    fine[:3, 3] = AFFINE[:3, 3] + middles[0] - middles[1]
    first = write_volume(tmp_path / "t1.nii", ramp(SHAPE, AFFINE))
    second = write_volume(tmp_path / "t2.nii", ramp((60, 50, 40), fine), fine)
    store = import_volumes(first, second, tmp_path / "a.zarr", resample=True)
    assert store.origin.resampled
    for one in slices_of(store):
        assert one.image_b == pytest.approx(one.image, abs=2e-5)


def test_volumes_that_do_not_meet_are_refused(pair, tmp_path, refused):
    away = AFFINE.copy()
    away[0, 3] = 500
    far = write_volume(tmp_path / "far.nii", OTHER, away)
    with refused("far.nii: found no voxel where", "wanted volumes of one anatomy"):
        import_volumes(pair[0], far, tmp_path / "a.zarr", resample=True)


def test_words_that_are_not_known_are_refused(pair, tmp_path, refused):
    for wrong, words in (
        ({"half": "upper"}, "`half`: found 'upper', wanted left or right"),
        ({"planes": "top"}, "`planes`: found 'top'"),
        ({"voxel": VOXEL}, "`voxel`: found a size of voxels for NIfTI, which says its own"),
        ({"part_size": 0}, "part_size: found 0"),
    ):
        with refused(words):
            import_volumes(*pair, tmp_path / "a.zarr", **wrong)
    one = write_volume(tmp_path / "one.nii", VALUES[:1])
    with refused("`half`: found 1 voxel from left to right"):
        import_volumes(one, one, tmp_path / "a.zarr", half="left")


def test_a_store_is_no_place_for_its_own_volumes(pair, tmp_path, refused):
    with refused("found the volume"):
        import_volumes(*pair, pair[0])
    folder = write_stack(tmp_path / "stack", VALUES, folder=True)
    with refused("found the volume"):
        import_volumes(folder, folder, folder / "a.zarr", voxel=VOXEL)
