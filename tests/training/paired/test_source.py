"""Which pairs are trained on, which validate, and in what order they come."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from musim.datasets.splits import split
from musim.datasets.statistics import standardisation
from musim.datasets.volumes.slices import padded
from musim.training.paired.paired_settings import MODELS, PairedSettings
from musim.training.paired.slice_pairs import held_out
from musim.training.paired.source import Pairs
from tests.pairs import drawn
from tests.slices import store_of_slices


@pytest.mark.parametrize("count", [3, 7, 20, 76, 223, 491])
def test_a_tenth_of_a_plane_validates_in_blocks(count):
    held = held_out(count)
    assert 0.05 <= held.mean() <= 0.34 if count > 19 else held.sum() == 1
    runs = [sum(1 for _ in group) for value, group in itertools.groupby(held) if value]
    assert max(runs) <= 4


def test_neighbours_of_validating_slices_are_not_trained_on(pairs_store):
    pairs = Pairs.of(pairs_store).examples_of
    assert set(pairs.trained(False)) == set(range(24))
    for index in pairs.validated:
        one = pairs.slices[index]
        near = [
            other.index
            for other in pairs.slices
            if other.plane == one.plane and abs(other.position - one.position) <= 2
        ]
        assert len(near) == 3
        assert not set(near) & set(pairs.trained(True))
    assert {pairs.slices[index].plane for index in pairs.validated} == {"axial", "coronal"}


def test_hands_that_lie_side_by_side_in_a_store_validate_together(tmp_path):
    # Two subjects, whose slices have the same positions, in the order of the store.
    some = drawn(160, side=(6, 7))
    slices = [dataclasses.replace(one, plane="axial", position=0.6 * (one.index % 80))
              for one in some]  # fmt: skip
    pairs = Pairs.of(store_of_slices(slices, tmp_path / "two.zarr")).examples_of
    validated = {pairs.slices[index].position for index in pairs.validated}
    assert len(pairs.validated) == 2 * len(validated)
    for index in pairs.trained(True):
        away = min(abs(pairs.slices[index].position - position) for position in validated)
        assert away > 0.6 + 1e-9


def test_every_pair_is_seen_once_an_epoch_and_batches_follow_from_their_number(pairs_store):
    source = Pairs.of(pairs_store)
    settings = PairedSettings(held_out=True, seed=3)
    count = source.examples(settings)
    options = {"unpaired": False, "rank": 0, "ranks": 1}
    batches = list(itertools.islice(source.batches(0, settings, **options), 2 * count))
    slices = source.examples_of.slices
    for epoch in (batches[:count], batches[count:]):
        for name, kind in (("a", "image"), ("b", "image_b")):
            sums = sorted(float(batch[name].double().sum()) for batch in epoch)
            wanted = sorted(
                float(getattr(slices[index], kind).astype(np.float64).sum())
                for index in source.examples_of.trained(True)
            )
            assert sums == pytest.approx(wanted)
    orders = [[float(batch["a"].double().sum()) for batch in batches[first : first + count]]
              for first in (0, count)]  # fmt: skip
    assert orders[0] != orders[1]
    later = next(source.batches(count + 2, settings, **options))
    assert torch.equal(later["a"], batches[count + 2]["a"])
    first = batches[0]
    which = [float(np.abs(padded(one.image, 32) - first["a"][0, 0].numpy()).max())
             for one in slices].index(0.0)  # fmt: skip
    assert np.array_equal(first["b"][0, 0], padded(slices[which].image_b, 32))


def test_without_pairs_nothing_belongs_together(pairs_store):
    source, settings = Pairs.of(pairs_store), PairedSettings()
    batches = source.batches(0, settings, unpaired=True, rank=0, ranks=1)
    slices = source.examples_of.slices
    together = 0
    for batch in itertools.islice(batches, 24):
        which = {
            name: [np.array_equal(padded(getattr(one, kind), 32), batch[name][0, 0])
                   for one in slices].index(True)
            for name, kind in (("a", "image"), ("b", "image_b"))
        }  # fmt: skip
        together += which["a"] == which["b"]
    assert together <= 4


def test_left_and_right_are_exchanged_in_both_images_or_in_none(pairs_store):
    source, settings = Pairs.of(pairs_store), PairedSettings(flips=True, canvas="slice")
    plain = dataclasses.replace(settings, flips=False)
    options = {"unpaired": False, "rank": 0, "ranks": 1}
    count = source.examples(settings)
    turned = 0
    both = (
        itertools.islice(source.batches(0, one, **options), 4 * count) for one in (settings, plain)
    )
    for batch, straight in zip(*both, strict=True):
        as_they_were = all(torch.equal(batch[kind], straight[kind]) for kind in "ab")
        turned += not as_they_were
        assert as_they_were or all(
            torch.equal(batch[kind], straight[kind].flip(-1)) for kind in "ab"
        )
    assert 0.3 * 4 * count < turned < 0.7 * 4 * count
    later = next(source.batches(count + 2, settings, **options))
    wanted = next(itertools.islice(source.batches(0, settings, **options), count + 2, None))
    assert torch.equal(later["a"], wanted["a"])


def test_sagittal_slices_have_no_left_and_right(pairs_store):
    pairs = Pairs.of(pairs_store).examples_of
    sides = {one.plane: pairs.has_sides(one.index) for one in pairs.slices}
    assert sides == {plane: plane != "sagittal" for plane in sides}
    pairs.slices[0] = dataclasses.replace(pairs.slices[0], plane="sagittal")
    try:
        assert not pairs.has_sides(0)
    finally:
        del pairs.slices


def test_processes_share_a_batch(pairs_store):
    source, settings = Pairs.of(pairs_store), PairedSettings(batch_size=4)
    whole = next(source.batches(1, settings, unpaired=False, rank=0, ranks=1))
    parts = [next(source.batches(1, settings, unpaired=False, rank=rank, ranks=2))
             for rank in range(2)]  # fmt: skip
    assert torch.equal(whole["b"], torch.cat([part["b"] for part in parts]))


def test_intensities_have_one_scale_for_all_slices(pairs_store):
    pairs = Pairs.of(pairs_store).examples_of
    (low, high), other = pairs.scales
    assert (low, high) == (0, pytest.approx(600))
    assert other[1] < 0.95 * high
    assert other[1] == max(float(one.image_b.max()) for one in pairs.slices)


def test_steps_follow_from_epochs(pairs_store):
    source = Pairs.of(pairs_store)
    chosen = PairedSettings(**MODELS["pix2pix"]).on(source)
    assert (chosen.steps, chosen.validate_every, chosen.output) == (15 * 24, 24, "tanh")
    assert chosen.on(source) == chosen
    assert PairedSettings(steps=7).on(source).steps == 7


def frames_in(images, store):
    """Return which sequence of a store images (T, depth, width) are of, and their first frame."""
    for index in range(len(store)):
        tvi = np.asarray(store.tvi(index))
        for first in range(len(tvi) - len(images) + 1):
            if np.array_equal(tvi[first : first + len(images)], images):
                return index, first
    return None


def test_twins_are_split_and_scaled_each_by_itself(twins):
    pairs = Pairs(str(twins / "a.zarr"), str(twins / "b.zarr")).examples_of
    shares = {name: split(10, name).tolist() for name in ("train", "validation")}
    assert (pairs.trained(False), pairs.validated) == (shares["train"], shares["validation"])
    for found, store in zip(pairs.scales, (pairs.store, pairs.other), strict=True):
        mean, sd = standardisation(store)
        assert found == (mean - sd, mean + sd)
    assert pairs.scales[1][1] > 1.02 * pairs.scales[0][1]  # of more noise
    for found, store in zip(pairs.pair(7, PairedSettings()), (pairs.store, pairs.other),
                            strict=True):  # fmt: skip
        assert np.array_equal(found, store.tvi(7))


def test_twins_show_the_same_frames(twins):
    source = Pairs(str(twins / "a.zarr"), str(twins / "b.zarr"))
    settings = PairedSettings(frames=4).on(source)
    assert settings.output == "linear"
    source.examples_of.check(settings)
    batch = next(source.batches(5, settings, unpaired=False, rank=0, ranks=1))
    assert batch["a"].shape == (4, 1, 32, 32)
    places = [
        frames_in(batch["a"][:, 0].numpy(), source.examples_of.store) for batch in
        itertools.islice(source.batches(0, settings, unpaired=False, rank=0, ranks=1), 8)
    ]  # fmt: skip
    assert len({first for _, first in places}) > 3
    assert {index for index, _ in places} == set(source.examples_of.trained(True))
    place = frames_in(batch["a"][:, 0].numpy(), source.examples_of.store)
    assert frames_in(batch["b"][:, 0].numpy(), source.examples_of.other) == place
    assert not torch.equal(batch["a"], batch["b"])
    clip = dataclasses.replace(settings, dimensions=3)
    (found,) = {tuple(one.shape) for one in next(
        source.batches(5, clip, unpaired=False, rank=0, ranks=1)).values()}  # fmt: skip
    assert found == (1, 1, 4, 32, 32)
    again = Pairs.from_json(source.to_json())
    assert again == source


def test_what_is_not_paired_is_refused(twins, pairs_store, tmp_path, refused):
    a = str(twins / "a.zarr")
    with refused("found a store without pairs", "musim generate --paired"):
        _ = Pairs(a).grid
    with refused("other.zarr", "wanted the same truth"):
        _ = Pairs(a, str(twins / "other.zarr")).grid
    with refused("paired slices through volumes", "sequences of tissue velocity"):
        _ = Pairs(a, str(pairs_store.location)).grid
    with refused("found 3 stores"):
        Pairs.of([a, a, a])
    with refused("frames: found 41", "at most the 40"):
        source = Pairs(a, str(twins / "b.zarr"))
        source.examples_of.check(PairedSettings(frames=41))
    with refused("wanted 2 and 1"):
        Pairs.of(pairs_store).examples_of.check(PairedSettings(dimensions=3, frames=4))
    few = store_of_slices(drawn(3), tmp_path / "few.zarr")
    with refused("found 3 slices of 2 planes", "wanted a plane of 3"):
        Pairs.of(few).examples_of.check(PairedSettings())
