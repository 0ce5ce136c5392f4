"""``musim generate --preset grant-jacob-2021``, and what other commands make of such stores."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from musim.datasets import open_store
from musim.simulator.resonance.parameters import PRESET, Phantom

TINY = ("--preset", PRESET, "--set", "voxel=6", "--set", "samples=1", "--workers", 1)


def test_a_hand_is_made_told_of_and_verified(musim):
    done = musim("generate", *TINY, "--half", "left", "--out", "left.zarr", "--seed", 4)
    assert done.code == 0, done.err
    assert "79 slices of 64 x 64 px through 1 hand of 22 x 8 x 49 voxels of 6 mm" in done.err
    store = open_store("left.zarr")
    assert store.is_slices
    assert store.origin.sides == ("left",)
    told = musim("info", "left.zarr")
    words = " ".join(told.out.split())
    assert "slices through the left hand of a subject, drawn and scanned with seed 4" in words
    assert "refocusing 60 deg" in words
    plain = json.loads(musim("info", "left.zarr", "--json").out)
    assert plain["parameters"]["scan"]["voxel"] == 6
    assert "2 made again and equal" in musim("verify", "left.zarr", "--remake", 2).out
    assert musim("preview", "left.zarr", "--sequence", 52, "--out", "slice.png").code == 0


def test_options_say_whose_hands(musim):
    done = musim("generate", *TINY, "--participants", 2, "--half", "right", "--json")
    made = json.loads(done.out)["stores"][0]
    assert (made["sequences"], made["left_out"]) == (2 * 79, 0)
    origin = open_store("musim.zarr").origin
    assert (origin.subjects, origin.sides) == (2, ("right",))
    done = musim("generate", *TINY, "--half", "left", "--set", "snr=inf", "--overwrite")
    assert "left out: one of the two pictures is constant" in " ".join(done.out.split())


def test_labels_are_scanned(musim):
    grey = np.round(np.kron(np.eye(4), np.ones((8, 8))) * 255 / 11 * 3)
    scipy.io.savemat("brain.mat", {"axial": grey, "coronal": grey})
    asked = ("generate", "--preset", PRESET, "--labels", "brain.mat", "--out", "brain.zarr")
    done = musim(*asked, "--set", "samples=1", "--set", "excitation=all", "--seed", 2)
    assert done.code == 0, done.err
    assert "2 slices of 32 x 32 px through labels of brain.mat, seed 2 -> brain.zarr" in done.err
    plain = json.loads(musim("info", "brain.zarr", "--json").out)
    assert plain["sources"][0]["name"] == "brain.mat"
    assert plain["parameters"]["voxel"] == 0.5
    assert plain["parameters"]["excitation"] == "all"
    assert plain["seed"] == 2
    remake = musim("verify", "brain.zarr", "--remake", 1)
    assert remake.code == 2
    assert "scan its labels again" in remake.err
    assert open_store("brain.zarr").origin.tissues == "brain"
    coarse = musim(*asked, "--set", "voxel=1", "--half", "left", "--tissues", "hand",
                   "--overwrite", "--json")  # fmt: skip
    assert json.loads(coarse.out)["stores"][0]["sequences"] == 2
    store = open_store("brain.zarr")
    assert (store.origin.tissues, store.origin.half) == ("hand", "left")
    assert store.layout.pixel_size == (1, 1)
    assert store.read("slice_size", 0).tolist() == [16, 8]
    for more, wanted in (
        (("--set", "muscle=2"), "found --set muscle with --labels"),
        (("--dry-run",), "found --dry-run for slices through labels"),
        (("--participants", 2), "found --participants for slices through labels"),
        (("--tissues", "hand", "--seed", -2), "found -2"),
    ):
        refused = musim(*asked, "--overwrite", *more)
        assert (refused.code, len(refused.err.strip().splitlines())) == (2, 1)
        assert wanted in refused.err


def test_a_dry_run_writes_nothing(musim):
    done = musim("generate", *TINY, "--dry-run")
    assert done.code == 0, done.err
    assert "nothing is written" in done.out
    assert not Path("musim.zarr").exists()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--half", "left"), "found --half without --preset, wanted it with --preset"),
        (("--preset", "ali-2022", "--half", "left"), "found --half with --preset ali-2022"),
        (
            ("--preset", PRESET, "--units", 3),
            "found --units for slices through hands, wanted --set",
        ),
        (("--preset", PRESET, "--tissues", "hand"), "found --tissues without --labels"),
        (("--labels", "a.nii"), "found --labels without --preset"),
        (("--preset", PRESET, "--labels", "a.nii"), "a.nii: found nothing there"),
        (("--preset", PRESET, "-n", 3), "found -n for slices through hands"),
        (("--preset", PRESET, "--domain", "quick"), "found --domain for slices through hands"),
        (("--preset", PRESET, "--set", "flp=3"), "found 'flp', wanted flip (or one of"),
        (("--preset", PRESET, "--set", "te=20"), "te: found 20 ms, wanted less than the 13.5 ms"),
        (("--preset", PRESET, "--set", "train=1600"), "tr_b: found 1500 ms, wanted more than"),
        (("--preset", PRESET, "--set", "voxel=0.1"), "voxel: found 0.1 mm"),
        (("--preset", PRESET, "--set", "extent=10,20"), "extent: found 2 numbers, wanted three"),
        (("--preset", PRESET, "--participants", 0), "subjects: found 0, wanted 1 to"),
    ],
)
def test_what_does_not_go_together_is_one_line(musim, arguments, wanted):
    done = musim("generate", *arguments)
    assert done.code == 2
    (line,) = done.err.strip().splitlines()
    assert wanted in line
    assert not Path("musim.zarr").exists()


def test_the_preset_is_printed_and_makes_the_same_again(musim):
    text = musim("presets", PRESET).out
    read = tomllib.loads(text)
    changes = dict(one.split("=", 1) for one in read["set"])
    assert read["preset"] == PRESET
    assert Phantom().changed(changes) == Phantom()
    assert json.loads(musim("presets", PRESET, "--json").out)["hands"] == {
        PRESET: Phantom().to_json()
    }
    assert f"--preset {PRESET}" in " ".join(musim("presets").out.split())
