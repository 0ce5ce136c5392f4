"""``musim import`` of volumes: what it says, and what is refused with one line."""

import json

import numpy as np
import pytest

from musim.datasets import open_store
from musim.datasets.volumes.slices import slices_of
from tests.volumes import AFFINE, SHAPE, marked, write_stack, write_volume

VALUES = marked(dtype=np.float32)


@pytest.fixture
def files(tmp_path):
    """T1, T2 of the same grid, T2 of another one."""
    write_volume(tmp_path / "t1.nii.gz", VALUES)
    write_volume(tmp_path / "t2.nii.gz", -VALUES)
    coarse = np.diag([2.0, 2, 2, 1]) @ AFFINE
    coarse[:3, 3] = AFFINE[:3, 3]
    write_volume(tmp_path / "coarse.nii", -VALUES[::2, ::2, ::2].copy(), coarse)


def test_two_volumes_become_a_store(files, musim):
    done = musim("import", "t1.nii.gz", "--pair", "t2.nii.gz", "--planes", "axial,sagittal",
                 "--half", "left", "--resample", "--out", "left.zarr")  # fmt: skip
    assert done.code == 0, done.err
    assert "8 pairs of slices (5 axial, 3 sagittal) on 32 x 32 px -> left.zarr" in done.err
    assert "the grids of both volumes agree: nothing was resampled" in done.err
    assert "the middle column of voxels, from left to right, is in neither half" in done.err
    assert "musim view left.zarr" in done.out
    stored = slices_of("left.zarr")
    assert all(np.array_equal(one.image, -one.image_b) for one in stored)
    assert musim("verify", "left.zarr").code == 0


def test_programs_are_told_the_same(files, musim):
    told = musim("import", "t1.nii.gz", "--pair", "coarse.nii", "--resample", "--json")
    assert told.code == 0, told.err
    plain = json.loads(told.out)
    assert plain["slices"] == dict(zip(("axial", "coronal", "sagittal"), (5, 9, 7), strict=True))
    assert (plain["resampled"], plain["left_out"]) == (True, {})
    assert any("was resampled onto the grid of t1.nii.gz" in one for one in plain["remarks"])
    for one in slices_of("imported.zarr"):
        assert one.image_b == pytest.approx(-one.image, abs=1e-3)


def test_constant_slices_are_told_of(files, musim, tmp_path):
    flat = VALUES.copy()
    flat[:, :, 1:3] = 4
    write_volume(tmp_path / "flat.nii", flat)
    done = musim("import", "t1.nii.gz", "--pair", "flat.nii", "--out", "a.zarr")
    assert "2 constant slices left out: 2 axial" in done.err
    assert "2 " in musim("info", "a.zarr").out


def test_stacks_are_given_a_size(musim, tmp_path):
    for name, folder in (("a.tif", False), ("b", True)):
        write_stack(tmp_path / name, VALUES, folder=folder)
    asked = ("import", "a.tif", "--pair", "b", "--out", "s.zarr")
    done = musim(*asked, "--voxel", "1.5x1x2mm")
    assert done.code == 0, done.err
    store = open_store("s.zarr")
    assert store.origin.first.voxel_size == (1.5, 1.0, 2.0)
    assert np.array_equal(slices_of(store)[0].image, VALUES[:, ::-1, 0].T)
    done = musim(*asked, "--overwrite", "--voxel", "0.6", "--stacked", "coronal")
    assert done.code == 0, done.err
    assert open_store("s.zarr").origin.first.shape == (SHAPE[0], SHAPE[2], SHAPE[1])


def test_options_stand_in_a_file_too(files, musim, tmp_path):
    text = 'pair = "coarse.nii"\nhalf = "right"\nplanes = ["axial", "coronal"]\nresample = true\n'
    (tmp_path / "pair.toml").write_text(text, encoding="utf-8")
    done = musim("import", "t1.nii.gz", "--config", "pair.toml", "--out", "right.zarr")
    assert done.code == 0, done.err
    origin = open_store("right.zarr").origin
    assert (origin.half, origin.planes) == ("right", ("axial", "coronal"))
    assert origin.resampled


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t1.nii.gz"], ["t1.nii.gz: found a volume alone", "--pair T2", "--kind"]),
        (["t1.nii.gz", "--half", "left"], ["found --half and no --pair"]),
        (["t1.nii.gz", "--resample"], ["found --resample and no --pair"]),
        (["t1.nii.gz", "t2.nii.gz", "--pair", "t2.nii.gz"], ["found 2 files and --pair"]),
        (["t1.nii.gz", "--pair", "gone.nii"], ["gone.nii: found nothing there"]),
        (["t1.nii.gz", "--pair", "coarse.nii"], ["coarse.nii: found 4 x 5 x 3", "--resample"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--kind", "rf"], ["found --kind for volumes"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--masks", "x"], ["found --masks for volumes"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--resample", "5"], ["--resample: found '5'"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--planes", "up"], ["--planes: found 'up'"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--half", "up"], ["--half: found 'up'"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--voxel", "1x1"], ["--voxel: found '1x1'"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--voxel", "1x0x1"], ["--voxel: found '1x0x1'"]),
        (["t1.nii.gz", "--pair", "t2.nii.gz", "--voxel", "1"], ["for NIfTI, which says its own"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_one_line(files, musim, tmp_path, arguments, words):
    before = {path.name for path in tmp_path.iterdir()}
    done = musim("import", *arguments, "--out", "a.zarr")
    lines = [line for line in done.err.splitlines() if not line.startswith("reading")]
    assert done.code == 2, done.err
    assert len(lines) == 1, lines
    assert [word for word in words if word not in lines[0]] == [], lines
    assert {path.name for path in tmp_path.iterdir()} == before
