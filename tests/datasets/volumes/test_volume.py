"""Volumes turned and resampled, and slices of them: against nibabel, and by what must hold."""

import tracemalloc

import numpy as np
import pytest

from musim.datasets.volumes.slices import PLANES
from musim.datasets.volumes.slicing import (
    NORMALS,
    half_of,
    parse_planes,
    picture,
    picture_size,
    pixel_size,
    positions,
    volume_of_pictures,
)
from musim.datasets.volumes.volume import Volume, canonical, check_affine, distance, resampled
from musim.simulator.errors import InputError
from tests.volumes import AFFINE, OFF, ORIENTATIONS, SHAPE, VOXEL, marked, turned


def volume(values=None, affine=AFFINE):
    values = marked() if values is None else values
    return Volume(values.astype(np.float32), affine)


def shifted(*millimetres):
    return np.array([[1, 0, 0, millimetres[0]], [0, 1, 0, millimetres[1]],
                     [0, 0, 1, millimetres[2]], [0, 0, 0, 1.0]])  # fmt: skip


@pytest.mark.parametrize("oblique", [np.eye(4), OFF], ids=["straight", "oblique"])
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_a_volume_is_the_same_however_its_axes_are_stored(order, signs, oblique):
    wanted = canonical(volume(affine=oblique @ AFFINE))
    found = canonical(volume(*turned(marked(), oblique @ AFFINE, order, signs)))
    assert np.array_equal(found.values, wanted.values)
    assert np.array_equal(wanted.values, marked())
    assert found.affine == pytest.approx(wanted.affine, abs=1e-12)
    assert found.voxel_size == pytest.approx(VOXEL)


@pytest.mark.parametrize("oblique", [np.eye(4), OFF], ids=["straight", "oblique"])
@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS[::5])
def test_axes_are_turned_as_nibabel_turns_them(order, signs, oblique):
    nibabel = pytest.importorskip("nibabel")
    values, affine = turned(marked(), oblique @ AFFINE, order, signs)
    wanted = nibabel.as_closest_canonical(nibabel.Nifti1Image(values, affine))
    found = canonical(volume(values, affine))
    assert np.array_equal(found.values, np.asanyarray(wanted.dataobj))
    assert found.affine == pytest.approx(wanted.affine, abs=1e-9)


def test_pictures_are_seen_as_it_is_said():
    values = np.zeros((3, 4, 5), np.float32)
    x, y, z = np.meshgrid(*map(np.arange, values.shape), indexing="ij")
    for plane, normal, down, across in (
        ("axial", z, -y, x), ("coronal", y, -z, x), ("sagittal", x, -z, y)
    ):  # fmt: skip
        for number in range(values.shape[NORMALS[plane]]):
            assert (picture(normal.astype(np.float32), plane, number) == number).all()
            rows, columns = (picture(a.astype(np.float32), plane, number) for a in (down, across))
            assert (np.diff(rows, axis=0) == 1).all()
            assert (np.diff(columns, axis=1) == 1).all()
            assert rows.shape == picture_size(values.shape, plane)
    assert [pixel_size(volume(), plane) for plane in PLANES] == [(1, 1.5), (2, 1.5), (2, 1)]


@pytest.mark.parametrize("plane", PLANES)
def test_a_stack_of_pictures_gives_them_back(plane):
    values = marked().astype(np.float32)
    pictures = np.stack([picture(values, plane, n) for n in range(SHAPE[NORMALS[plane]])])
    assert np.array_equal(volume_of_pictures(pictures, plane), values)


@pytest.mark.parametrize("plane", PLANES)
def test_a_picture_takes_no_copy_of_the_volume(plane):
    # As NIfTI lays them out, and turned.
    values = np.asfortranarray(np.zeros((60, 70, 80), np.float32))[::-1]
    tracemalloc.start()
    try:
        taken = picture(values, plane, 7)
        assert tracemalloc.get_traced_memory()[1] < 2 * taken.nbytes + 5000
    finally:
        tracemalloc.stop()


def test_positions_are_coordinates_along_the_normal():
    for plane, axis in NORMALS.items():
        found = positions(volume(), plane)
        assert found == pytest.approx(AFFINE[axis, 3] + VOXEL[axis] * np.arange(SHAPE[axis]))
    oblique = volume(affine=OFF @ AFFINE)
    for plane, axis in NORMALS.items():
        found = positions(oblique, plane)
        assert found.shape == (SHAPE[axis],)
        assert np.diff(found) == pytest.approx(VOXEL[axis])
        # A turned body about the origin: coordinates along turned axes are those of before.
        assert found == pytest.approx(positions(volume(), plane))


@pytest.mark.parametrize("width", [2, 7, 8])
def test_halves_share_no_slice_and_no_voxel(width):
    whole = volume(marked((width, 9, 5)))
    left, right = half_of(whole, "left"), half_of(whole, "right")
    assert left.shape == right.shape == (width // 2, 9, 5)
    values = [set(half.values.ravel().tolist()) for half in (left, right)]
    assert values[0].isdisjoint(values[1])
    missing = {*whole.values.ravel().tolist()} - values[0] - values[1]
    assert missing == ({*whole.values[3].ravel().tolist()} if width % 2 else set())
    middle = positions(whole, "sagittal").mean()
    assert (positions(left, "sagittal") < middle).all()
    assert (positions(right, "sagittal") > middle).all()
    assert {*positions(left, "sagittal")}.isdisjoint(positions(right, "sagittal"))
    for half in (left, right):
        for plane in ("axial", "coronal"):
            assert positions(half, plane) == pytest.approx(positions(whole, plane))


def test_halves_of_a_mirrored_body_are_mirrored():
    values = marked().astype(np.float32)
    mirrored = np.concatenate([values, values[::-1]])
    left, right = (half_of(volume(mirrored), half) for half in ("left", "right"))
    assert np.array_equal(left.values, right.values[::-1])


@pytest.mark.parametrize("oblique", [np.eye(4), OFF], ids=["straight", "oblique"])
def test_a_ramp_is_resampled_exactly(oblique):
    def ramp(shape, affine):
        places = np.stack(np.meshgrid(*map(np.arange, shape), np.ones(1), indexing="ij"))[..., 0]
        x, y, z, _ = np.einsum("ij,jxyz->ixyz", affine, places)
        return (3 + 0.5 * x - 0.25 * y + 2 * z).astype(np.float32)

    # Finer and coarser, turned and shifted; the middle of a larger volume holds the smaller one.
    onto = volume(affine=oblique @ AFFINE)
    fine = np.diag([0.7, 1.3, 1.1, 1.0])
    fine[:3, 3] = -25, -20, -5
    source = Volume(ramp((60, 50, 50), fine), fine)
    found, outside = resampled(source, onto)
    assert outside == 0
    assert found.values == pytest.approx(ramp(SHAPE, onto.affine), abs=2e-5)
    assert np.array_equal(found.affine, onto.affine)


def test_resampling_onto_the_same_grid_changes_nothing():
    random = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    found, outside = resampled(volume(random), volume())
    assert outside == 0
    assert found.values.tobytes() == random.tobytes()


def test_what_lies_outside_is_zero_and_counted():
    values = np.ones(SHAPE, np.float32)
    # By two voxels to the right, and by two fifths of one, where the last one still holds.
    moved, outside = resampled(Volume(values, shifted(3.0, 0.4, 0) @ AFFINE), volume())
    assert outside == pytest.approx(2 / 7)
    assert not moved.values[:2].any()
    assert (moved.values[2:] == 1).all()
    assert resampled(Volume(values, shifted(99, 0, 0) @ AFFINE), volume())[1] == 1


def test_distances_of_grids_are_the_largest_there_are():
    other = volume(affine=shifted(3, 4, 0) @ AFFINE)
    assert distance(volume(), other) == pytest.approx(5)
    stretched = AFFINE.copy()
    stretched[2, 2] = 2.1
    assert distance(volume(), volume(affine=stretched)) == pytest.approx(0.1 * (SHAPE[2] - 1))
    # Slow and obvious, of a turned grid.
    turn = volume(affine=OFF @ AFFINE)
    every = np.stack(np.meshgrid(*map(np.arange, SHAPE), np.ones(1), indexing="ij"))[..., 0]
    apart = np.einsum("ij,jxyz->ixyz", turn.affine - AFFINE, every)
    assert distance(volume(), turn) == pytest.approx(np.linalg.norm(apart, axis=0).max())


def test_grids_without_three_axes_are_refused():
    flat, unknown = np.diag([1.0, 1, 0, 1]), np.full((4, 4), np.nan)
    for affine in (flat, unknown, np.ones((4, 4))):
        with pytest.raises(InputError, match=r"a\.nii: found no sound grid"):
            check_affine(affine, "a.nii")
    assert np.array_equal(check_affine(1e-4 * np.eye(4), "a.nii"), 1e-4 * np.eye(4))


def test_planes_have_an_order_of_their_own():
    assert parse_planes("sagittal, Axial") == ("axial", "sagittal")
    assert parse_planes(["coronal", "coronal"]) == ("coronal",)
    for wrong in ("", "axial,top", []):
        with pytest.raises(InputError, match="wanted some of axial, coronal, sagittal"):
            parse_planes(wrong)
