"""What is made ahead is what is asked for next, whatever is asked for."""

import itertools
import threading

import pytest
import torch

from musim.datasets.streaming import SequenceLoader, ahead
from musim.datasets.streaming.ahead import Threads, free
from musim.simulator import FailureError
from tests.threads import readers


class Number:
    """A batch of two items that say its number."""

    def __init__(self, maker, number):
        self.maker, self.number, self.items = maker, number, [None, None]

    def __len__(self):
        return 2

    def make(self, place):
        self.maker.gate.wait(10)
        if self.number in self.maker.bad:
            raise FailureError(f"batch {self.number} is damaged")
        self.items[place] = self.number

    def finish(self):
        self.maker.made.append(self.number)
        return {"number": torch.tensor(self.items)}


class Numbers:
    """Make batches of numbers, and remember which were begun and made."""

    def __init__(self):
        self.begun, self.made, self.bad = [], [], set()
        self.gate = threading.Event()
        self.gate.set()

    def begin(self, number):
        self.begun.append(number)
        return Number(self, number)


@pytest.fixture
def maker():
    return Numbers()


@pytest.fixture
def threads(maker):
    made = Threads(maker, 2, batch_size=2)
    yield made
    made.drop()
    assert readers() == []


def numbers(batches):
    found = [batch["number"].tolist() for batch in batches]
    assert all(one == other for one, other in found)
    return [one for one, _ in found]


def test_what_follows_is_made_while_the_last_batch_is_used(maker, threads, wait_for):
    epoch = threads.stream(range(3), itertools.count(3))
    assert numbers(itertools.islice(epoch, 3)) == [0, 1, 2]
    wait_for(lambda: maker.made == [0, 1, 2, 3, 4])
    assert numbers(threads.stream(range(3, 6), itertools.count(6))) == [3, 4, 5]
    wait_for(lambda: maker.made == [0, 1, 2, 3, 4, 5, 6, 7])
    assert maker.begun == list(range(8))  # each of them once


def test_no_more_than_is_said_is_made_ahead(maker, threads, wait_for):
    batches = threads.stream(range(9))
    next(batches)
    wait_for(lambda: len(maker.made) == 3)
    assert maker.begun == [0, 1, 2]
    next(batches)
    assert maker.begun == [0, 1, 2, 3]
    assert Threads(maker, 7, batch_size=2).ahead == 5  # as many as keep seven threads at work


def test_an_epoch_shorter_than_what_is_made_ahead(maker, threads):
    for start in range(3):
        assert numbers(threads.stream(range(start, start + 1), itertools.count(start + 1))) == [
            start
        ]
    assert maker.begun == [0, 1, 2, 3, 4]
    assert numbers(threads.stream(range(3, 3))) == []
    assert numbers(threads.stream(range(3, 7))) == [3, 4, 5, 6]


def test_something_else_may_be_asked_for_instead(maker, threads):
    assert numbers(threads.stream(range(3), itertools.count(3))) == [0, 1, 2]
    assert numbers(threads.stream(range(7, 9), [3])) == [7, 8]
    assert numbers(threads.stream([3, 5])) == [3, 5]
    assert maker.begun == [0, 1, 2, 3, 4, 7, 8, 3, 5]


def test_what_is_left_early_is_not_made_to_its_end(maker, threads):
    batches = threads.stream(range(100))
    next(batches)
    batches.close()
    assert readers() == []
    assert not threads.busy
    assert len(maker.begun) == 3
    assert numbers(threads.stream(range(2))) == [0, 1]


def test_an_epoch_that_is_over_may_end_after_the_next_began(maker, threads):
    # Who counts batches leaves the iterator after the last one, and may let it go at any time.
    first = threads.stream(range(2), itertools.count(2))
    assert numbers(itertools.islice(first, 2)) == [0, 1]
    second = threads.stream(range(2, 6), itertools.count(6))
    assert next(second)["number"].tolist() == [2, 2]
    first.close()
    assert numbers(second) == [3, 4, 5]
    assert maker.begun == list(range(8))


def test_an_error_is_raised_when_its_batch_is_asked_for(maker, threads, fails, wait_for):
    maker.bad = {2}
    assert numbers(threads.stream(range(2), itertools.count(2))) == [0, 1]
    wait_for(lambda: 3 in maker.made)
    with fails(FailureError, "batch 2 is damaged"):
        next(threads.stream(range(2, 4)))
    assert readers() == []
    maker.bad = set()  # it was mended
    assert numbers(threads.stream(range(2, 4))) == [2, 3]


def test_iterations_at_once_do_not_disturb_one_another(dense, same):
    wanted = list(SequenceLoader(dense, batch_size=2))
    loader = SequenceLoader(dense, batch_size=2)
    one, other = iter(loader), iter(loader)
    pairs = list(zip(one, other, strict=True))
    for found in zip(*pairs, strict=True):
        same(found, wanted)


def test_another_process_has_threads_of_its_own(maker, monkeypatch):
    first = Threads(maker, 1, 2)
    assert free(first, lambda: Threads(maker, 1, 2)) is first
    monkeypatch.setattr(ahead.os, "getpid", lambda: first.process + 1)
    second = free(first, lambda: Threads(maker, 1, 2))
    assert second is not first
    assert second.inherited is first  # kept: it is not ours to end


def test_batches_are_made_once_over_many_epochs(dense, monkeypatch):
    loader = SequenceLoader(dense, batch_size=4)
    begun, begin = [], loader._reader.begin

    def count(request):
        begun.append((int(request.epochs[0]), request.indices.tolist()))
        return begin(request)

    monkeypatch.setattr(loader._reader, "begin", count)
    seen = []
    for epoch in range(3):
        seen += [(epoch, batch["index"].tolist()) for batch in loader]
    assert begun[: len(seen)] == seen
    assert len(begun) == len(seen) + 2


def test_processes_go_on_from_epoch_to_epoch(rendered, same, monkeypatch):
    begun, undisturbed = [], ahead._undisturbed

    def count():
        begun.append(True)
        return undisturbed()

    monkeypatch.setattr(ahead, "_undisturbed", count)
    wanted = SequenceLoader(rendered, batch_size=4, seed=1)
    loader = SequenceLoader(rendered, batch_size=4, seed=1, workers=1)
    for _ in range(3):
        same(list(loader), list(wanted))
    # Restored where it is, nothing of what was made ahead is lost.
    loader.load_state_dict(loader.state_dict())
    same(list(loader), list(wanted))
    assert len(begun) == 1
    for each in (loader, wanted):
        each.set_epoch(1)
    same(list(loader), list(wanted))
    assert len(begun) == 2
