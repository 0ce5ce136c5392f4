"""Stores of slices through simulated hands: which there are, how they lie, and that they remain."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from musim.datasets import open_store
from musim.datasets.origin import ScannedHands
from musim.datasets.verification import verify
from musim.datasets.volumes import trial
from musim.datasets.volumes.hands import generate_hands, plan_hands, scanned
from musim.datasets.volumes.slices import slices_of
from musim.datasets.volumes.summary import slices_card
from musim.datasets.volumes.trial import try_out_hands
from musim.simulator.resonance.parameters import Phantom

COARSE = Phantom().changed({"voxel": 6, "samples": 1})
QUIET = COARSE.changed({"snr": "inf", "snr_b": "inf"})


def test_the_preset_has_the_papers_slices():
    layout = plan_hands(Phantom().changed({"voxel": 0.6}), half="left")
    assert layout.sequences == 790  # 223 sagittal, 76 coronal, 491 axial
    assert layout.shape == (1, 512, 512)
    assert plan_hands(half="left").shape == (1, 256, 256)


def test_slices_lie_in_their_volume_as_they_are_seen(tmp_path):
    store = generate_hands(COARSE, tmp_path / "hands.zarr", seed=2, workers=1)
    slices = slices_of(store)
    across, through, along = COARSE.scan.shape
    assert len(slices) == 2 * (across + through + along)
    assert [one.plane for one in slices[: along + 1]] == ["axial"] * along + ["coronal"]
    right = scanned(COARSE, 2, 0, 1)
    first = len(slices) // 2
    axial, coronal, sagittal = (
        slices[first + number] for number in (3, along + 2, along + through + 7)
    )
    assert np.array_equal(axial.image, right.image[:, ::-1, 3].T)
    assert np.array_equal(coronal.image_b, right.image_b[:, 2, ::-1].T)
    assert np.array_equal(sagittal.tissue, right.tissue[7, :, ::-1].T)
    assert coronal.position == pytest.approx((2 - (through - 1) / 2) * 6)
    assert sagittal.pixel_size == (6, 6)
    # The thumb is to the left of a right hand whose palm is to the front, the fingers above.
    tissue = coronal.tissue if coronal.tissue.any() else slices[first + along + 4].tissue
    assert tissue[-1].any()
    assert not tissue[0].any()


def test_a_half_is_that_hand(tmp_path):
    both = generate_hands(COARSE, tmp_path / "both.zarr", seed=3)
    left = generate_hands(COARSE, tmp_path / "left.zarr", seed=3, half="left", part_size=30)
    right = generate_hands(COARSE, tmp_path / "right.zarr", seed=3, half="right", workers=1)
    halves = [*slices_of(left), *slices_of(right)]
    assert len(both) == len(halves)
    for one, other in zip(slices_of(both), halves, strict=True):
        assert one.image.tobytes() == other.image.tobytes()
        assert one.image_b.tobytes() == other.image_b.tobytes()
    assert "the left hand" in left.origin.made_by
    pictures = [{one.image.tobytes() for one in slices_of(each)} for each in (left, right)]
    assert not pictures[0] & pictures[1]


def test_subjects_come_one_after_the_other(tmp_path):
    two = generate_hands(COARSE, tmp_path / "two.zarr", seed=3, subjects=2, half="right")
    one = generate_hands(COARSE, tmp_path / "one.zarr", seed=3, half="right")
    assert len(two) == 2 * len(one)
    assert np.array_equal(two.read("image", 10), one.read("image", 10))
    assert not np.array_equal(two.read("image", len(one) + 10), one.read("image", 10))


def test_constant_slices_are_left_out_and_counted(tmp_path):
    store = generate_hands(QUIET, tmp_path / "quiet.zarr", half="left")
    left_out = store.origin.left_out
    across, through, along = QUIET.scan.shape
    assert sum(left_out.values()) + len(store) == across + through + along
    assert left_out["axial"] > 0  # above the fingers
    assert not any(one.is_constant for one in slices_of(store))
    both = plan_hands(QUIET)
    assert sum(both.origin_as(ScannedHands).left_out.values()) + both.sequences == 2 * (
        across + through + along
    )
    (axial, *_) = slices_card(store).planes
    assert axial.left_out == left_out["axial"]
    assert slices_card(open_store(tmp_path / "quiet.zarr")).planes[0].slices == axial.slices


@pytest.mark.parametrize("phantom", [COARSE, QUIET])
def test_they_can_be_made_again(tmp_path, phantom):
    generate_hands(phantom, tmp_path / "hand.zarr", seed=9, half="right")
    scanned.__globals__["_scanned"].cache_clear()
    store = verify(tmp_path / "hand.zarr", remake=4)
    assert store.origin.phantom == phantom
    assert store.seed == 9


def test_a_trial_tells_size_and_time_before(tmp_path):
    phantom = Phantom().changed({"voxel": 4, "samples": 2})
    told = try_out_hands(phantom, seed=1, half="left", workers=1)
    made = generate_hands(phantom, tmp_path / "hand.zarr", seed=1, half="left", workers=1)
    size = sum(
        file.stat().st_size for file in (tmp_path / "hand.zarr").rglob("*") if file.is_file()
    )
    assert len(made) == plan_hands(phantom, half="left").sequences
    assert told.bytes == pytest.approx(size, rel=0.5)
    assert 0 < told.seconds < 60


def test_two_subjects_with_both_hands_take_four_times_as_much(monkeypatch):
    clock = SimpleNamespace(process_time=itertools.count(0, 5).__next__)
    monkeypatch.setattr(trial, "time", clock)
    one = try_out_hands(COARSE, seed=1, half="left", workers=1)
    four = try_out_hands(COARSE, seed=1, subjects=2, workers=1)
    assert four.bytes == pytest.approx(4 * one.bytes, rel=1e-3)
    assert four.seconds == pytest.approx(4 * one.seconds)
    assert one.seconds == pytest.approx(5)  # no voxel is made larger to tell


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"subjects": 0}, ("found 0", "wanted 1 to")),
        ({"half": "middle"}, ("found 'middle'", "wanted left or right")),
        ({"seed": -1}, ("found -1",)),
        ({"part_size": 0}, ("found 0", "wanted 1 or more")),
    ],
)
def test_what_cannot_be_is_refused(refused, asked, words):
    with refused(*words):
        plan_hands(COARSE, **asked)


def test_a_volume_that_holds_no_hand_is_refused(refused):
    with refused("all constant", "use a larger extent"):
        plan_hands(QUIET.changed({"extent": "1,1,1", "voxel": 1}), half="left")
