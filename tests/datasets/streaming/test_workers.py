"""Worker processes make the same batches, and never leave the main process waiting."""

import itertools
import multiprocessing
import os
import signal
import threading

import pytest

from musim.datasets.streaming import SequenceLoader
from musim.simulator.errors import FailureError

VARIED = {"batch_size": 3, "window": 9, "flips": ("depth", "width"), "snr": "5-15", "seed": 3}


def test_processes_make_the_batches_of_a_thread(rendered, same):
    wanted = SequenceLoader(rendered, **VARIED)
    epochs = [list(wanted) for _ in range(3)]
    loader = SequenceLoader(rendered, workers=2, **VARIED)
    same(list(loader), epochs[0])
    # Left early, an epoch begins again; the same processes go on.
    workers = set(multiprocessing.active_children())
    list(itertools.islice(loader, 2))
    same(list(loader), epochs[1])
    # A state goes from processes to a thread and back.
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    batches.close()
    wanted.load_state_dict(state)
    same(list(wanted), epochs[2][1:])
    loader.load_state_dict(state)
    same(list(loader), epochs[2][1:])
    assert set(multiprocessing.active_children()) == workers


def test_damage_in_a_process_is_reported_with_its_part(rendered, copy, fails):
    folder = copy(rendered)
    chunk = folder / "territory" / "c.1.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    loader = SequenceLoader(folder, batch_size=3, shuffle=False, workers=1)
    batches = iter(loader)
    assert next(batches)["index"].tolist() == [0, 1, 2]
    with fails(FailureError, "part 1", str(folder)):
        list(batches)


@pytest.fixture
def kill_worker(wait_for):
    """Return a function that kills the one process that started during the test."""
    before = set(multiprocessing.active_children())

    def call():
        wait_for(lambda: set(multiprocessing.active_children()) - before)
        (worker,) = set(multiprocessing.active_children()) - before
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()

    return call


@pytest.mark.timeout(100)
def test_a_process_that_dies_at_work_is_an_error(dense, fails, kill_worker):
    killer = threading.Thread(target=kill_worker)
    batches = iter(SequenceLoader(dense, batch_size=1, workers=1))
    killer.start()
    with fails(FailureError, "worker process died", "restore the last state"):
        list(batches)
    killer.join()


@pytest.mark.timeout(100)
def test_a_process_that_dies_meanwhile_is_an_error_and_replaced(dense, fails, kill_worker, indices):
    handler = signal.getsignal(signal.SIGCHLD)
    loader = SequenceLoader(dense, batch_size=1, workers=1)
    batches = iter(loader)
    next(batches)
    kill_worker()
    with fails(FailureError, "worker process died", "restore the last state"):
        list(batches)
    assert signal.getsignal(signal.SIGCHLD) is handler
    state = loader.state_dict()
    assert 1 <= state["batch"] < 11
    loader.load_state_dict(state)
    rest = SequenceLoader(dense, batch_size=1)
    rest.load_state_dict(state)
    assert indices(loader) == indices(rest)
