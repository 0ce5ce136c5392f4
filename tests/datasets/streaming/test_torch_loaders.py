"""In a torch DataLoader, loaders are what they are by themselves, whatever its processes are."""

import copy
import itertools
import pickle

import pytest
from torch.utils.data import DataLoader

from musim.datasets.streaming import EndlessLoader, SequenceLoader, UnpairedLoader
from musim.datasets.streaming.sharing import EpochCounter

OPTIONS = {"batch_size": 2, "seed": 3, "window": 9, "snr": "5-15"}

pytestmark = [
    pytest.mark.timeout(120),
    # More processes than this machine may have processors: it is not speed that is looked for.
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),
]


def epochs(loader, count=2):
    return [list(loader) for _ in range(count)]


# Forked as Linux does, spawned (here: from a server) as other systems do, and kept from epoch to
# epoch or not.
PROCESSES = [
    {"num_workers": 0},
    {"num_workers": 2, "multiprocessing_context": "fork"},
    {"num_workers": 3, "multiprocessing_context": "spawn", "persistent_workers": True},
]


@pytest.mark.parametrize("processes", PROCESSES, ids=str)
def test_every_epoch_is_that_of_the_loader_itself(rendered, same, processes):
    wanted = epochs(SequenceLoader(rendered, **OPTIONS))
    loader = DataLoader(SequenceLoader(rendered, **OPTIONS), batch_size=None, **processes)
    assert len(loader) == 6
    for found, batches in zip(epochs(loader), wanted, strict=True):
        same(found, batches)


def test_other_numbers_of_processes_go_on_with_the_epochs(rendered, same):
    wanted = epochs(SequenceLoader(rendered, **OPTIONS), 3)
    loader = SequenceLoader(rendered, **OPTIONS)
    found = [
        list(DataLoader(loader, batch_size=None, num_workers=n, multiprocessing_context="fork"))
        for n in (1, 3, 2)
    ]
    for one, other in zip(found, wanted, strict=True):
        same(one, other)
    # A position that is set holds for the processes that come after.
    loader.set_epoch(1)
    again = DataLoader(loader, batch_size=None, num_workers=2, multiprocessing_context="fork")
    same(list(again), wanted[1])
    loader.load_state_dict(loader.state_dict() | {"epoch": 1, "batch": 4})
    same(list(again), wanted[1][4:])
    same(list(again), wanted[2])


def test_what_a_fork_brings_along_is_left_alone(rendered, scene, same):
    wanted = epochs(SequenceLoader(rendered, **OPTIONS), 3)
    loader = SequenceLoader(rendered, **OPTIONS)
    same(list(loader), wanted[0])  # the next batches are made, and threads wait here
    forked = DataLoader(loader, batch_size=None, num_workers=2, multiprocessing_context="fork")
    same(list(forked), wanted[1])
    same(list(loader), wanted[1])  # iterations here do not know of those there
    endless = EndlessLoader(scene, batch_size=2, seed=4)
    batches = iter(endless)
    first = [next(batches), next(batches)]
    forked = DataLoader(endless, batch_size=None, num_workers=1, multiprocessing_context="fork")
    there = list(itertools.islice(forked, 2))
    same(there, list(itertools.islice(batches, 2)))
    same(first, list(itertools.islice(EndlessLoader(scene, batch_size=2, seed=4), 2)))


def test_pairs_and_endless_sequences_are_shared_out_too(rendered, dense, scene, same):
    def pairs():
        return UnpairedLoader(
            SequenceLoader(rendered, **OPTIONS), SequenceLoader(rendered, **OPTIONS | {"seed": 8})
        )

    processes = {"num_workers": 2, "multiprocessing_context": "fork"}
    wanted, found = pairs(), DataLoader(pairs(), batch_size=None, **processes)
    for _ in range(2):
        one, other = list(found), list(wanted)
        for domain in "ab":
            same([pair[domain] for pair in one], [pair[domain] for pair in other])
    endless = EndlessLoader(scene, batch_size=2, seed=4)
    shared = DataLoader(endless, batch_size=None, **processes)
    same(list(itertools.islice(shared, 5)), list(itertools.islice(endless, 5)))


def test_a_loader_with_processes_of_its_own_has_none_in_anothers(rendered, same):
    loader = SequenceLoader(rendered, workers=1, **OPTIONS)
    wanted = list(loader)
    loader.set_epoch(0)
    processes = {"num_workers": 1, "multiprocessing_context": "spawn"}
    same(list(DataLoader(loader, batch_size=None, **processes)), wanted)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_count_for_themselves(rendered, again, same):
    loader = SequenceLoader(rendered, **OPTIONS)
    list(loader)
    other = again(loader)
    assert other._counter._counts.is_shared()
    same(list(other), list(loader))


def test_a_first_process_that_never_counts_is_not_waited_for(fails, monkeypatch):
    from musim.datasets.streaming import sharing
    from musim.simulator import FailureError

    class Info:
        id, num_workers, seed = 1, 2, 7

    monkeypatch.setattr(sharing, "get_worker_info", Info)
    monkeypatch.setattr(sharing, "WAIT_SECONDS", 0.02)
    with fails(FailureError, "first process", "num_workers=0"):
        EpochCounter().take()
