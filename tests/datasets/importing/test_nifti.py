"""NIfTI: axes, steps and scale of its header; compressed files and pairs, and headers that lie."""

import gzip
import shutil
import sys
import tempfile
import tomllib
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.hashing import sha256_of
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.chain import Chain
from tests.datasets.importing.foreign_files import assert_same
from tests.datasets.importing.image_writers import VELOCITY, write_nifti

nibabel = pytest.importorskip("nibabel")

STORED = VELOCITY.transpose(2, 1, 0)[:, :, None]
"""Axes as NIfTI orders them: x, y, z, t."""

STEPS = (0.2, 0.4, 1.0, 0.0025)
GRID = {"axes": ["width", "depth", "time"], "frame_rate": 400, "depth_step": 0.4,
        "width_step": 0.2}  # fmt: skip


def _guessed(path):
    with open_file(path) as file:
        return describe(file).values


@pytest.mark.parametrize(
    ("name", "options", "wanted"),
    [
        ("a.nii", {"steps": STEPS}, GRID),
        ("a.nii", {"steps": STEPS, "version": 2}, GRID),
        ("a.nii.gz", {"steps": STEPS}, GRID),
        ("a.hdr", {"steps": STEPS, "pair": True}, GRID),
        ("a.nii", {"steps": (200, 400, 1, 2.5), "units": ("micron", "msec")}, GRID),
        ("a.nii", {"steps": (2e-4, 4e-4, 1, 2500), "units": ("meter", "usec")}, GRID),
        # What is not said is not known, but for steps that can hardly be others than mm.
        ("a.nii", {"steps": STEPS, "units": ("unknown", "unknown")},
         {"width_step": "images@pixel_width", "frame_rate": None}),
        ("a.nii", {"units": ("unknown", "unknown")}, {"width_step": None, "frame_rate": None}),
        ("a.nii", {"steps": STEPS, "units": ("mm", "hz")}, {"frame_rate": None}),
    ],
)  # fmt: skip
def test_what_a_header_says_is_a_description(tmp_path, name, options, wanted):
    found = _guessed(write_nifti(tmp_path / name, STORED, **options))
    numbers = {key: value for key, value in wanted.items() if isinstance(value, int | float)}
    assert {key: found[key] for key in numbers} == pytest.approx(numbers, rel=1e-9)
    others = wanted.keys() - numbers.keys()
    assert {key: found.get(key) for key in others} == {key: wanted[key] for key in others}
    assert found["kind"] == "velocity"


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((6, 8, 12), "width,depth,time"),
        ((6, 1, 8, 12), "width,depth,time"),
        ((6, 8, 3, 12), "width,depth,sequence,time"),
    ],
)
def test_axes_follow_from_which_there_are(tmp_path, shape, axes):
    path = write_nifti(tmp_path / "a.nii", np.ones(shape, "f4"))
    assert ",".join(_guessed(path)["axes"]) == axes


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img", "a.hdr"])
def test_a_guess_imports_with_the_values_of_the_header(tmp_path, name):
    pair = name.startswith("a.i") or name.startswith("a.h")
    path = write_nifti(tmp_path / name, STORED, steps=STEPS, line=(0.01, -3), pair=pair)
    with open_file(path) as file:
        survey = describe(file)
    assert survey.missing == ()
    description = Description.parse(tomllib.loads(survey.to_toml()))
    store = import_recordings([path], tmp_path / "a.zarr", description, Chain())
    assert store.dataset["tvi"].values[0] == pytest.approx(VELOCITY * 0.01 - 3, rel=1e-6)
    # Of a pair both files count, whichever was given.
    both = [tmp_path / "a.hdr", tmp_path / "a.img"]
    assert store.origin.cuts[0].sha256 == sha256_of(both if pair else path)


def test_pairs_may_be_packed_and_are_wanted_whole(tmp_path, refused):
    path = write_nifti(tmp_path / "a.hdr", STORED, pair=True)
    values = tmp_path / "a.img"
    (tmp_path / "a.img.gz").write_bytes(gzip.compress(values.read_bytes()))
    values.unlink()
    for name in ("a.hdr", "a.img.gz"):
        with open_file(tmp_path / name) as file:
            assert_same(file.array("images").read(), STORED)
    (tmp_path / "a.img.gz").unlink()
    with refused("a.hdr", "header alone", "wanted a.img"):
        open_file(path)


def test_components_are_arrays_of_their_own(tmp_path):
    both = np.stack([STORED, -STORED], 4)
    with open_file(write_nifti(tmp_path / "a.nii", both)) as file:
        assert_same(file.array("component2").read((slice(2, 4),)), -STORED[2:4])


def test_a_compressed_file_is_unpacked_once_and_never_in_memory(tmp_path, monkeypatch):
    values = np.zeros((128, 256, 1, 64), "f4")  # 8 MiB
    values[..., 3] = 7
    path = write_nifti(tmp_path / "a.nii.gz", values)
    made, make = [], tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: made.append(make()) or made[-1])
    with open_file(path) as file:
        assert made == []  # looking at it unpacks nothing
        tracemalloc.start()
        for frame in (3, 2):
            piece = file.array("images").read((*[slice(None)] * 3, slice(frame, frame + 1)))
            assert np.all(piece == (7 if frame == 3 else 0))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20
    assert [one.closed for one in made] == [True]


def test_a_disk_without_room_is_named(tmp_path, monkeypatch, refused):
    path = write_nifti(tmp_path / "a.nii.gz", STORED)
    monkeypatch.setattr(shutil, "disk_usage", lambda where: SimpleNamespace(free=10))
    with open_file(path) as file, refused("a.nii.gz", "1e-08 GB free", "TMPDIR"):
        file.array("images").read()


def test_a_checksum_that_does_not_fit_is_damage(tmp_path, refused):
    path = write_nifti(tmp_path / "a.nii.gz", STORED)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with open_file(path) as file, refused("a.nii.gz", "images", "damaged"):
        file.array("images").read()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_sizes_are_checked_before_memory_or_disk_is_asked_for(tmp_path, refused, name):
    path = write_nifti(tmp_path / name, STORED)
    packed = name.endswith(".gz")
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    header = nibabel.Nifti1Header(content[:348])
    header.set_data_shape((30_000, 30_000, 1, 1000))
    content = header.binaryblock + content[348:]
    path.write_bytes(gzip.compress(content) if packed else content)
    with refused(name, "wanted 1800000000352", "header is wrong"):
        open_file(path)


def test_colours_are_explained(tmp_path, refused):
    colours = np.zeros((6, 8, 1, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    with open_file(write_nifti(tmp_path / "a.nii", colours)) as file, refused("in colours"):
        file.array("images")


def test_without_its_package_the_extra_is_named(tmp_path, monkeypatch, refused):
    path = write_nifti(tmp_path / "a.nii", STORED)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with refused("a.nii: found NIfTI", "nibabel", "pip install 'musim[formats]'"):
        open_file(path)


def test_a_header_of_another_kind_is_not_nifti(tmp_path, refused):
    (tmp_path / "a.hdr").write_text("ENVI\nsamples = 3\n")
    (tmp_path / "a.img").write_bytes(bytes(100))
    for name in ("a.hdr", "a.img"):
        with refused(name, "not NIfTI"):
            open_file(tmp_path / name)
