"""Stores of scanned labels, of files of both kinds."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from musim.datasets.verification import verify
from musim.datasets.volumes.labels import generate_labels, plan_labels, read_labels
from musim.datasets.volumes.slices import slices_of
from musim.datasets.volumes.slicing import picture
from musim.datasets.volumes.summary import slices_card
from musim.simulator.resonance.labels import scan_labels
from musim.simulator.resonance.scan import Scan

BRAIN = Path(__file__).parents[4] / "shared" / "data" / "mri" / "brain2D.mat"
QUICK = Scan(samples=1)


@pytest.fixture
def brain(tmp_path):
    """Return a file as KomaMRI's, and its labels: axial is y, x; coronal x, z; sagittal y, z."""
    labels = np.zeros((14, 10, 12), np.uint8)  # x, y, z
    labels[2:12, 2:9, 1:11] = 6
    labels[3:11, 3:7, 2:10] = 3
    labels[3:5, 5, 6] = 1  # to the left
    grey = np.round(labels * (255 / 11)).astype(np.int32)
    place = tmp_path / "brain.mat"
    scipy.io.savemat(
        place, {"axial": grey[:, :, 6].T, "coronal": grey[:, 5], "sagittal": grey[7]}
    )  # fmt: skip
    return place, labels


@pytest.fixture
def volume(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    labels = np.zeros((9, 8, 6), np.int16)
    labels[1:8, 1:7, 1:5] = 2
    labels[2:4, 3, 3] = 1
    place = tmp_path / "labels.nii.gz"
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = 10, 20, 30
    nibabel.save(nibabel.Nifti1Image(labels, affine), place)
    return place, labels


def test_slices_of_a_mat_file_are_seen_from_their_planes(brain, tmp_path):
    place, labels = brain
    store = generate_labels(place, tmp_path / "brain.zarr", QUICK, seed=1, workers=1)
    axial, coronal, sagittal = slices_of(store)
    assert np.array_equal(axial.tissue, labels[:, ::-1, 6].T)
    assert np.array_equal(coronal.tissue, labels[:, 5, ::-1].T)
    assert np.array_equal(sagittal.tissue, labels[7, :, ::-1].T)
    assert axial.pixel_size == (0.5, 0.5)
    assert store.seed == 1
    assert store.origin.file == "brain.mat"
    assert "labels of brain.mat, scanned with seed 1" in store.origin.made_by
    assert verify(tmp_path / "brain.zarr").origin == store.origin
    # Pictures of one file have noise of their own, each by its number.
    planned = [
        scan_labels(each.labels, each.voxel_size, scan=dataclasses.replace(QUICK, voxel=0.5),
                    seed=1, index=index)
        for index, each in enumerate(read_labels(place))
    ]  # fmt: skip
    for one, scanned in zip((axial, coronal, sagittal), planned, strict=True):
        assert np.array_equal(one.image, picture(scanned.image, one.plane, 0))


def test_halves_of_labels_share_no_slice(brain, volume, tmp_path):
    left = generate_labels(brain[0], tmp_path / "left.zarr", QUICK, half="left")
    assert [one.plane for one in slices_of(left)] == ["axial", "coronal"]  # one layer has no half
    assert slices_of(left)[0].tissue.shape == (10, 7)
    stores = [
        generate_labels(volume[0], tmp_path / f"{half}.zarr", QUICK, half=half, overwrite=True)
        for half in ("left", "right")
    ]
    places = [
        {one.position for one in slices_of(store) if one.plane == "sagittal"} for store in stores
    ]
    assert max(places[0]) < 18 < min(places[1])  # the middle of 9 voxels is in neither
    for store, part in zip(stores, (volume[1][:4], volume[1][5:]), strict=True):
        assert np.array_equal(slices_of(store)[3].tissue, part[:, ::-1, 3].T)


def test_a_volume_of_labels_is_cut_in_all_planes(volume, tmp_path):
    place, labels = volume
    store = generate_labels(place, tmp_path / "head.zarr", QUICK, seed=2)
    (axial, coronal, sagittal) = slices_card(store).planes
    # With noise no slice is constant; positions are those of the file.
    assert (axial.slices, coronal.slices, sagittal.slices) == (6, 8, 9)
    assert axial.positions == (30, 40)
    assert sagittal.positions == (10, 26)
    assert np.array_equal(slices_of(store)[3].tissue, labels[:, ::-1, 3].T)
    quiet = Scan(samples=1, snr="inf", snr_b="inf", turn=0, shift=0)
    quiet_store = generate_labels(place, tmp_path / "quiet.zarr", quiet, seed=2)
    assert quiet_store.origin.left_out == {"axial": 2, "coronal": 2, "sagittal": 2}


def test_voxels_are_those_of_labels_unless_others_are_asked_for(volume):
    assert plan_labels(volume[0], QUICK).layout.pixel_size == (2, 2)
    coarse = plan_labels(volume[0], Scan(voxel=4, samples=2), own_voxel=False)
    assert coarse.layout.pixel_size == (4, 4)
    assert coarse.scanned[0].image.shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"axial": np.full((4, 4), 11)}, ("no multiples of 255/11",)),
        ({"other": np.ones((4, 4))}, ("found no slice called axial",)),
        ({"axial": np.ones((2, 2, 2))}, ("found axial of shape (2, 2, 2)",)),
        ({"axial": np.zeros((4, 4))}, None),
    ],
)
def test_mat_files_of_something_else_are_refused(refused, tmp_path, content, words):
    place = tmp_path / "brain.mat"
    scipy.io.savemat(place, content)
    if words is None:
        assert read_labels(place)[0].planes == ("axial",)
        return
    with refused(*words):
        read_labels(place)


def test_files_that_are_no_labels_are_refused(refused, tmp_path):
    place = tmp_path / "brain.mat"
    place.write_bytes(b"nothing of the kind")
    with refused("brain.mat", "cannot be read"):
        read_labels(place)
    with refused("wanted"):
        read_labels(tmp_path / "none.mat")
    nibabel = pytest.importorskip("nibabel")
    picture = tmp_path / "t1.nii"
    nibabel.save(
        nibabel.Nifti1Image(np.random.default_rng(1).random((4, 4, 4)), np.eye(4)), picture
    )
    with refused("found values from", "is it a picture?"):
        read_labels(picture)


@pytest.mark.skipif(not BRAIN.exists(), reason="the labels of KomaMRI are not there")
def test_the_brain_of_komamri_is_read():
    axial, coronal, sagittal = read_labels(BRAIN)
    assert axial.labels.shape == (362, 434, 1)
    assert coronal.labels.shape == (362, 1, 362)
    assert sagittal.labels.shape == (1, 434, 362)
    assert np.unique(axial.labels).tolist() == list(range(12))
    # The head's top is the end of z, and the face that of y: there is air around, below is a neck.
    assert not coronal.labels[:, 0, -1].any()
    assert (coronal.labels[:, 0, 0] > 0).mean() > 0.3
