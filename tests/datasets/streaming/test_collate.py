"""Batches: padded where samples differ, masked, and no larger than they need be."""

import dataclasses

import numpy as np
import pytest
import torch

from musim.datasets.samples import UNIT_PARAMETERS
from musim.datasets.streaming import SequenceLoader, collate_sequences, collate_units
from musim.datasets.streaming.memory import BatchMemory
from musim.simulator import Range


def sample_of(index, units, firings, room=9):
    """A sample of random values with padded firings, as stores give them."""
    random = np.random.default_rng(index)
    firing = np.full((units, room), np.nan)
    for row, count in zip(firing, firings, strict=True):
        row[:count] = np.sort(random.uniform(-0.1, 1, count))
    return {
        "index": index,
        "start": 2 * index,
        "snr": 10.0 + index,
        "noise_sd": 0.5,
        "noise_key": random.integers(2**32, size=4, dtype=np.uint32),
        "territory": random.random((units, 4, 3), np.float32),
        "twitch_train": random.random((units, 6), np.float32),
        "firing": firing,
        "tvi": random.random((6, 4, 3), np.float32),
        **{name: random.random(units, np.float32) for name in UNIT_PARAMETERS},
        "centre_depth": random.uniform(0, 4, units).astype(np.float32),
        "centre_width": random.uniform(0, 3, units).astype(np.float32),
    }


@pytest.fixture
def samples():
    return [sample_of(3, 2, [4, 1]), sample_of(1, 3, [0, 5, 2]), sample_of(8, 1, [3])]


@pytest.mark.parametrize("memory", [None, BatchMemory(1)], ids=["new", "used"])
def test_units_are_padded_and_masked(samples, memory):
    if memory is not None:  # of an earlier batch, which filled it
        memory.lend((4, 3, 4, 3))[:] = 7
    batch = collate_sequences(samples, memory)
    assert batch["unit_mask"].tolist() == [[True, True, False], [True] * 3, [True, False, False]]
    for name in ("territory", "twitch_train", *UNIT_PARAMETERS):
        for sample, value, mask in zip(samples, batch[name], batch["unit_mask"], strict=True):
            np.testing.assert_array_equal(value[mask].numpy(), sample[name])
            padding = value[~mask]
            none = torch.isnan(padding) if name in UNIT_PARAMETERS else padding == 0
            assert bool(none.all())
    for name in ("index", "start"):
        assert batch[name].dtype == torch.int64
        assert batch[name].tolist() == [sample[name] for sample in samples]
    assert batch["snr"].tolist() == [13, 11, 18]
    for key, sample in zip(batch["noise_key"], samples, strict=True):
        assert key.tolist() == sample["noise_key"].tolist()
    np.testing.assert_array_equal(batch["tvi"], np.stack([sample["tvi"] for sample in samples]))


def test_firings_are_as_long_as_the_longest_train(samples):
    batch = collate_sequences(samples)
    assert batch["firing"].shape == (3, 3, 5)
    for sample, firing in zip(samples, batch["firing"].numpy(), strict=True):
        for row, wanted in zip(firing, sample["firing"], strict=False):
            np.testing.assert_array_equal(row[~np.isnan(row)], wanted[~np.isnan(wanted)])
    assert collate_sequences([sample_of(0, 2, [0, 0])])["firing"].shape == (1, 2, 1)


def test_firings_of_a_stores_batches_are_trimmed(dense):
    for batch in SequenceLoader(dense, batch_size=3, window=5):
        assert not torch.isnan(batch["firing"][..., -1]).all()
    for batch in SequenceLoader(dense, batch_size=1, crop=(3, 3)):
        assert not torch.isnan(batch["firing"][..., -1]).all()


def test_an_item_of_units_is_one_unit(samples):
    batch = collate_units(samples, (3, 3), (1.0, 1.0))
    assert batch["index"].tolist() == [3, 3, 1, 1, 1, 8]
    assert batch["unit"].tolist() == [0, 1, 0, 1, 2, 0]
    assert batch["tvi"].shape == (6, 6, 3, 3)
    assert batch["territory"].shape == (6, 3, 3)
    assert batch["firing"].shape == (6, 5)
    trains = np.concatenate([sample["twitch_train"] for sample in samples])
    np.testing.assert_array_equal(batch["twitch_train"], trains)
    for item, (index, unit) in enumerate(zip(batch["index"], batch["unit"], strict=True)):
        sample = next(sample for sample in samples if sample["index"] == index)
        row, column = (int(sample[f"centre_{axis}"][unit]) for axis in ("depth", "width"))
        middle = sample["territory"][unit, row, column]
        assert batch["territory"][item, 1, 1] == middle
        np.testing.assert_array_equal(batch["tvi"][item, :, 1, 1], sample["tvi"][:, row, column])
        assert batch["start"][item] == sample["start"]


def test_samples_without_truth_give_voxels_alone(untold):
    voxels = np.random.default_rng(2).normal(size=(7, 8, 5, 4)).astype(np.float32)
    store = untold(voxels)
    for batch in SequenceLoader(store, batch_size=3, window=4):
        assert sorted(batch) == ["index", "start", "tvi"]
        places = zip(batch["index"].tolist(), batch["start"].tolist(), strict=True)
        for (index, start), found in zip(places, batch["tvi"].numpy(), strict=True):
            np.testing.assert_array_equal(found, voxels[index, start : start + 4])


def test_voxels_without_truth_are_turned_too(untold):
    voxels = np.random.default_rng(2).normal(size=(9, 2, 5, 4)).astype(np.float32)
    (batch,) = SequenceLoader(untold(voxels), batch_size=9, flips=("width",), shuffle=False)
    turned = 0
    for found, wanted in zip(batch["tvi"].numpy(), voxels, strict=True):
        same = np.array_equal(found, wanted)
        assert same or np.array_equal(found, wanted[..., ::-1])
        turned += not same
    assert 0 < turned < 9


def test_one_pixel_and_one_frame_are_enough(untold):
    voxels = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
    (batch,) = SequenceLoader(untold(voxels), batch_size=4, flips=("depth",), shuffle=False)
    assert batch["tvi"].flatten().tolist() == [0, 1, 2, 3]


def test_hard_masks_and_half_precision_become_single_precision(build, scene):
    parameters = dataclasses.replace(scene, territory="disc", snr=Range(20, 20))
    store = build(parameters, dtype="float16")
    batch = next(iter(SequenceLoader(store, batch_size=4)))
    assert batch["tvi"].dtype == batch["territory"].dtype == torch.float32
    assert set(batch["territory"].unique().tolist()) <= {0.0, 1.0}
    for index, voxels in zip(batch["index"].tolist(), batch["tvi"], strict=True):
        np.testing.assert_array_equal(voxels, store.tvi(index).astype(np.float32))
