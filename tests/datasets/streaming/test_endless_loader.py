"""Batches without a store: the set that the seed defines, for ever."""

import itertools
import json

import numpy as np
import pytest

from musim.datasets.samples import UNIT_PARAMETERS
from musim.datasets.streaming import EndlessLoader
from musim.simulator import draw
from musim.simulator.errors import InputError
from musim.simulator.rendering import render
from tests.threads import readers


def first(loader, batches):
    return list(itertools.islice(loader, batches))


def test_batches_are_the_set_that_the_seed_defines(scene):
    for number, batch in enumerate(first(EndlessLoader(scene, batch_size=3, seed=8), 4)):
        assert batch["index"].tolist() == [3 * number, 3 * number + 1, 3 * number + 2]
        assert batch["start"].tolist() == [0, 0, 0]
        for place, index in enumerate(batch["index"].tolist()):
            truth = draw(scene, seed=8, index=index)
            there = batch["unit_mask"][place]
            assert int(there.sum()) == truth.unit_count
            np.testing.assert_array_equal(batch["tvi"][place], render(truth))
            np.testing.assert_array_equal(batch["territory"][place][there], truth.territory)
            np.testing.assert_array_equal(batch["twitch_train"][place][there], truth.twitch_train)
            assert batch["noise_key"][place].tolist() == truth.noise_key.tolist()
            for name in UNIT_PARAMETERS:
                wanted = np.float32(getattr(truth, name))
                np.testing.assert_array_equal(batch[name][place][there], wanted)


def test_batches_are_those_of_a_store_of_the_same_seed(scene, dense):
    for batch in first(EndlessLoader(scene, batch_size=2, seed=5), 5):
        for index, voxels in zip(batch["index"].tolist(), batch["tvi"], strict=True):
            np.testing.assert_array_equal(voxels, dense.tvi(index))


def test_ranks_share_the_sequences(scene, indices):
    ranks = [EndlessLoader(scene, batch_size=2, rank=rank, ranks=3) for rank in range(3)]
    seen = [indices(first(loader, 4)) for loader in ranks]
    assert sorted(index for each in seen for index in each) == list(range(24))


@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_restored_loader_goes_on_exactly(scene, same, stop):
    wanted = first(EndlessLoader(scene, batch_size=2, seed=1), 5)
    loader = EndlessLoader(scene, batch_size=2, seed=1)
    first(loader, stop)
    other = EndlessLoader(scene, batch_size=2, seed=1)
    other.load_state_dict(json.loads(json.dumps(loader.state_dict())))
    same(first(other, 5 - stop), wanted[stop:])
    # The loader itself goes on too.
    same(first(loader, 5 - stop), wanted[stop:])


def test_a_device_gets_the_batches_that_kernels_make(scene):
    options = {"batch_size": 3, "seed": 2}
    wanted = first(EndlessLoader(scene, **options), 3)
    found = first(EndlessLoader(scene, device="cpu", **options), 3)
    for one, other in zip(found, wanted, strict=True):
        assert sorted(one) == sorted(other)
        for name, value in one.items():
            np.testing.assert_allclose(value, other[name], rtol=0, atol=1e-5, err_msg=name)


def test_an_iterator_that_is_left_stops_its_thread(scene):
    batches = iter(EndlessLoader(scene, batch_size=2))
    next(batches)
    assert readers()
    batches.close()
    assert readers() == []
    for _ in EndlessLoader(scene, batch_size=2):
        break
    assert readers() == []


def test_an_error_while_drawing_is_raised_where_batches_are_taken(scene, monkeypatch, refused):
    def refuse(parameters, *, index, **options):
        if index == 4:
            raise InputError("no unit can show")
        return draw(parameters, index=index, **options)

    monkeypatch.setattr("musim.datasets.streaming.endless.draw", refuse)
    batches = iter(EndlessLoader(scene, batch_size=2))
    first(batches, 2)
    with refused("no unit can show"):
        next(batches)
    assert readers() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 0}, ["batch_size", "0"]),
        ({"rank": 2, "ranks": 2}, ["rank", "2"]),
        ({"rank": -1}, ["rank", "-1"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"device": "cuda:99"}, ["device", "no 'cuda:99' here"]),
    ],
)
def test_what_cannot_be_is_refused(scene, refused, changes, words):
    with refused(*words):
        EndlessLoader(scene, **{"batch_size": 2} | changes)
