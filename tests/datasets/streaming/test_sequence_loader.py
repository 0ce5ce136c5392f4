"""A loader goes through epochs, stops and goes on anywhere, and refuses what cannot be."""

import gc
import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.datasets.streaming import SequenceLoader, memory
from musim.datasets.voxels import aligned_empty
from musim.simulator.errors import FailureError, InputError
from tests.threads import assert_no_reader_stays, readers

VARIED = {"window": 9, "flips": ("depth", "width"), "snr": "5-15", "seed": 3}


def test_each_epoch_has_every_sequence_once_in_another_order(dense, indices):
    loader = SequenceLoader(dense, batch_size=3)
    epochs = []
    for epoch in range(3):
        assert loader.epoch == epoch
        batches = list(loader)
        assert len(batches) == len(loader) == 4
        epochs.append(indices(batches))
    assert all(sorted(order) == list(range(11)) for order in epochs)
    assert len({tuple(order) for order in epochs}) == 3


def test_the_same_seed_and_epoch_give_the_same_batches(rendered, same):
    one, other = (SequenceLoader(rendered, batch_size=4, **VARIED) for _ in range(2))
    same(list(one), list(other))
    third = SequenceLoader(rendered, batch_size=4, **VARIED)
    third.set_epoch(1)
    same(list(third), list(one))
    third = SequenceLoader(rendered, batch_size=4, **VARIED | {"seed": 4})
    assert [b["index"].tolist() for b in third] != [b["index"].tolist() for b in other]


def test_without_shuffling_sequences_come_in_their_order(dense, indices):
    loader = SequenceLoader(dense, batch_size=4, shuffle=False)
    assert indices(loader) == indices(loader) == list(range(11))


def test_splits_are_seen_apart(build, indices):
    store = build(sequences=40, kind="rendered")
    seen = [
        indices(SequenceLoader(store, batch_size=1, split=name, shares={"a": 0.7, "b": 0.3}))
        for name in ("a", "b")
    ]
    assert sorted(seen[0] + seen[1]) == list(range(40))
    assert all(seen)
    # Whatever a run's seed, what was held out stays held out.
    other = SequenceLoader(store, batch_size=1, split="b", shares={"a": 0.7, "b": 0.3}, seed=9)
    assert sorted(indices(other)) == sorted(seen[1])


@pytest.mark.parametrize(("ranks", "batch_size"), [(2, 2), (3, 4), (4, 1), (11, 1)])
def test_ranks_share_an_epoch(dense, indices, ranks, batch_size):
    batches = [
        list(SequenceLoader(dense, batch_size=batch_size, rank=rank, ranks=ranks))
        for rank in range(ranks)
    ]
    assert len({len(each) for each in batches}) == 1
    assert sorted(index for each in batches for index in indices(each)) == list(range(11))


@settings(max_examples=12)
@given(
    st.fixed_dictionaries(
        {
            "batch_size": st.integers(1, 5),
            "buffer_parts": st.integers(1, 4),
            "shuffle": st.booleans(),
            "ranks": st.integers(1, 2),
            "seed": st.integers(0, 99),
        }
    ),
    st.data(),
)
def test_a_restored_loader_gives_exactly_what_was_left(rendered, same, options, data):
    options |= {"window": 3, "snr": "5-15", "flips": ("width",)}
    options["rank"] = data.draw(st.integers(0, options["ranks"] - 1))
    loader = SequenceLoader(rendered, **options)
    stop = data.draw(st.integers(0, len(loader) - 1))
    loader.set_epoch(data.draw(st.integers(0, 3)))
    batches = iter(loader)
    for _ in range(stop):
        next(batches)
    state = json.loads(json.dumps(loader.state_dict()))
    other = SequenceLoader(rendered, **options)
    other.load_state_dict(state)
    left = list(other)
    assert len(left) == len(loader) - stop
    same(left, list(batches))
    # And on with the next epoch.
    assert other.epoch == loader.epoch
    same(list(other), list(loader))


def test_a_state_between_epochs_goes_on_with_the_next(dense, same):
    loader = SequenceLoader(dense, batch_size=4, seed=1)
    list(loader)
    state = loader.state_dict()
    assert (state["epoch"], state["batch"]) == (1, 0)
    other = SequenceLoader(dense, batch_size=4, seed=1)
    other.load_state_dict(state)
    assert other.state_dict() == state
    same(list(other), list(loader))


def test_an_epoch_is_over_with_its_last_batch(dense, same):
    # Who counts batches, as Lightning does, does not ask for one more.
    loader, other = (SequenceLoader(dense, batch_size=4, seed=1) for _ in range(2))
    batches = iter(loader)
    for _ in range(len(loader)):
        next(batches)
    assert (loader.epoch, loader.state_dict()["batch"]) == (1, 0)
    del batches
    list(other)
    same(list(loader), list(other))


def test_a_restored_loader_stopped_again_goes_on_exactly(dense, same):
    def loader():
        return SequenceLoader(dense, batch_size=2, seed=1)

    whole, found, state = list(loader()), [], None
    for _ in range(len(whole)):
        one = loader()
        if state is not None:
            one.load_state_dict(state)
        found.append(next(iter(one)))
        state = one.state_dict()
    same(found, whole)


@pytest.mark.parametrize(
    "change", [{"batch_size": 3}, {"seed": 2}, {"shuffle": False}, {"buffer_parts": 1},
               {"ranks": 2}],
)  # fmt: skip
def test_a_state_of_another_plan_is_refused(dense, refused, change):
    options = {"batch_size": 4, "seed": 1}
    state = SequenceLoader(dense, **options).state_dict()
    with refused("state"):
        SequenceLoader(dense, **options | change).load_state_dict(state)


def test_leaving_an_epoch_early_begins_it_again(dense, same):
    loader = SequenceLoader(dense, batch_size=3, seed=5)
    for _ in loader:
        break
    assert readers() == []
    assert loader.epoch == 0
    first = list(loader)
    same(first, list(SequenceLoader(dense, batch_size=3, seed=5)))
    assert loader.epoch == 1


def test_a_restored_epoch_left_early_begins_from_its_start(dense, same):
    loader = SequenceLoader(dense, batch_size=3, seed=5)
    state = loader.state_dict() | {"batch": 2}
    loader.load_state_dict(state)
    for _ in loader:
        break
    assert loader.state_dict()["batch"] == 3
    same(list(loader), list(SequenceLoader(dense, batch_size=3, seed=5)))


def test_no_thread_outlives_an_epoch_left_early(dense):
    loader = SequenceLoader(dense, batch_size=1)
    batches = iter(loader)
    next(batches)
    assert readers()
    del batches
    gc.collect()
    assert readers() == []


def test_no_thread_outlives_its_loader(dense):
    loader = SequenceLoader(dense, batch_size=1)
    list(loader)
    assert readers()  # they have made what comes next
    del loader
    assert_no_reader_stays()


def test_whatever_is_held_of_a_batch_is_not_overwritten(rendered):
    loader = SequenceLoader(rendered, batch_size=2, **VARIED)
    held = []
    for number, batch in enumerate(itertools.chain(loader, loader, loader)):
        # Some are gone at once, and their memory is used again; of others, parts are held.
        if number % 3 == 0:
            held.append((batch["tvi"][1:, 3], batch["tvi"][1:, 3].clone()))
            held.append((torch.from_numpy(batch["territory"].numpy()), batch["territory"].clone()))
        elif number % 3 == 1:
            held.append((batch["tvi"], batch["tvi"].clone()))
    assert len(held) == 18
    for found, wanted in held:
        assert torch.equal(found, wanted)
    assert len({value.untyped_storage().data_ptr() for value, _ in held}) == 18


def test_voxels_are_put_where_those_of_earlier_batches_were(dense, monkeypatch):
    made = []

    def count(*arguments):
        made.append(arguments)
        return aligned_empty(*arguments)

    monkeypatch.setattr(memory, "aligned_empty", count)
    loader = SequenceLoader(dense, batch_size=2)
    for _ in range(4):
        for batch in loader:
            for index, voxels in zip(batch["index"].tolist(), batch["tvi"], strict=True):
                np.testing.assert_array_equal(voxels, dense.tvi(index))
    # Of voxels and of territories: what is under way, what is used, and what is about to be.
    assert 2 <= len(made) <= 2 * (loader._ahead.ahead + 2)


def test_batches_may_be_changed_without_harm(rendered, same):
    wanted = list(SequenceLoader(rendered, batch_size=4))
    loader = SequenceLoader(rendered, batch_size=4)
    for batch in loader:
        for value in batch.values():
            value.zero_()
    loader.set_epoch(0)
    same(list(loader), wanted)


def test_a_stores_path_holds_wherever_the_process_goes(dense, monkeypatch, tmp_path, indices):
    monkeypatch.chdir(dense.location.path.parent)
    loader = SequenceLoader("set.zarr", batch_size=4)
    monkeypatch.chdir(tmp_path)
    assert sorted(indices(loader)) == list(range(11))


def test_the_shape_that_a_network_wants_is_checked(dense, refused):
    SequenceLoader(dense, batch_size=2, shape=(22, 12, 10))
    SequenceLoader(dense, batch_size=2, window=8, crop=(5, 4), shape=(8, 5, 4))
    with refused("shape", "(22, 12, 10)", "(22, 12, 12)", dense.location.address):
        SequenceLoader(dense, batch_size=2, shape=(22, 12, 12))
    with refused("shape", "(8, 12, 10)"):
        SequenceLoader(dense, batch_size=2, window=8, shape=(22, 12, 10))


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("dense", {"window": 23}, ["window", "23", "22"]),
        ("dense", {"batch_size": 12}, ["batch_size", "12", "11"]),
        ("dense", {"batch_size": 0}, ["batch_size", "0"]),
        ("dense", {"batch_size": 1, "ranks": 12}, ["ranks", "12", "11"]),
        ("dense", {"rank": 1}, ["rank", "1"]),
        ("dense", {"snr": "5-15"}, ["snr", "`snr=inf`"]),
        ("dense", {"snr": "loud"}, ["loud"]),
        ("dense", {"device": "cpu"}, ["device", "rendered"]),
        ("rendered", {"device": "cpu", "crop": (3, 3)}, ["device", "crop"]),
        ("rendered", {"device": "cuda:99"}, ["device", "no 'cuda:99' here", "kernels"]),
        ("rendered", {"device": "abacus"}, ["device", "no 'abacus' here"]),
        ("dense", {"workers": -1}, ["workers", "-1"]),
        ("dense", {"seed": -1}, ["seed", "-1"]),
        ("dense", {"seed": 1.5}, ["seed", "1.5"]),
        ("dense", {"split": "exam"}, ["split", "'exam'"]),
        ("dense", {"flips": ("time",)}, ["flips", "time"]),
    ],
)
def test_what_a_store_cannot_give_is_refused(request, refused, kind, options, words):
    with refused(*words):
        SequenceLoader(request.getfixturevalue(kind), **{"batch_size": 2} | options)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"crop": (3, 3)}, ["crop", "truth"]), ({"snr": 10}, ["snr", "no simulated noise"]),
     ({"device": "cpu"}, ["device"])],
)  # fmt: skip
def test_a_store_without_truth_cannot_give_its(untold, fails, options, words):
    store = untold(np.zeros((4, 5, 3, 3), np.float32))
    with fails(InputError, *words):
        SequenceLoader(store, batch_size=2, **options)


def test_a_place_without_a_store_is_refused(tmp_path, refused):
    with refused("nothing there"):
        SequenceLoader(tmp_path / "none.zarr", batch_size=1)


@pytest.mark.parametrize(
    ("kind", "name", "sound"),
    [("dense", "tvi/c.7.0.0.0", 7), ("rendered", "twitch_train/c.2.0.0", 6)],
)
@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_damage_is_reported_with_its_part(request, copy, fails, kind, name, sound, harm):
    folder = copy(request.getfixturevalue(kind))
    chunk = folder / name
    if harm == "remove":
        chunk.unlink()
    else:
        content = bytearray(chunk.read_bytes())
        content[len(content) // 2] ^= 1
        chunk.write_bytes(content)
    loader = SequenceLoader(folder, batch_size=1, shuffle=False)
    batches = iter(loader)
    for _ in range(sound):
        next(batches)
    with fails(FailureError, "part 2", str(folder)):
        next(batches)
    assert readers() == []
    assert loader.state_dict()["batch"] == sound


def test_batches_are_plain_tensors_on_the_cpu(dense):
    for value in next(iter(SequenceLoader(dense, batch_size=2))).values():
        assert isinstance(value, torch.Tensor)
        assert value.device.type == "cpu"
        assert not value.requires_grad
