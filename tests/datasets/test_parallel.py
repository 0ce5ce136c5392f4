import os
import signal
import threading
import time

import pytest

from musim.datasets import parallel
from musim.datasets.location import Location
from musim.datasets.parallel import default_workers, open_workers
from musim.simulator import FailureError


def count(calls):
    return lambda: calls.append(threading.get_ident())


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 1},
        {"workers": 1, "pool": "threads"},
        {"workers": 3, "pool": "threads"},
        {"pool": "threads"},
    ],
    ids=str,
)
def test_every_task_is_done_once_and_reported_here(tmp_path, options):
    done, calls = [], []
    with open_workers(**options) as run:
        run(lambda *task: done.append(task), [(n, str(n)) for n in range(20)], count(calls))
    assert sorted(done) == [(n, str(n)) for n in range(20)]
    assert calls == [threading.get_ident()] * 20


@pytest.mark.timeout(120)
def test_processes_share_the_tasks(tmp_path):
    calls = []
    with open_workers(workers=2) as run:
        run(os.mkdir, [(str(tmp_path / str(n)),) for n in range(6)], count(calls))
    assert sorted(path.name for path in tmp_path.iterdir()) == list("012345")
    assert calls == [threading.get_ident()] * 6


def test_no_task_is_no_work():
    with open_workers(workers=4) as run:
        run(os.mkdir, [], lambda: None)


def test_threads_work_side_by_side():
    barrier = threading.Barrier(3, timeout=20)
    with open_workers(workers=3, pool="threads") as run:
        run(barrier.wait, [()] * 3, lambda: None)


def test_no_more_threads_than_workers_work_at_a_time():
    now, most = [], []

    def work(n):
        now.append(n)
        most.append(len(now))
        time.sleep(0.01)
        now.remove(n)

    with open_workers(workers=2, pool="threads") as run:
        run(work, [(n,) for n in range(12)], lambda: None)
    assert max(most) == 2


def test_the_default_is_one_worker_a_processor():
    assert default_workers() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("workers", [0, -1])
@pytest.mark.parametrize("scheduler", [None, "tcp://127.0.0.1:1"])
def test_no_workers_are_refused(refused, workers, scheduler):
    with (
        refused("workers", f"found {workers}", "wanted 1 or more"),
        open_workers(workers=workers, scheduler=scheduler),
    ):
        pass


def test_an_unknown_pool_is_refused(refused):
    with refused("'fibres'", "processes or threads"), open_workers(pool="fibres"):
        pass


@pytest.mark.parametrize(
    "text", ["", "localhost", "tcp://localhost", "localhost:8786", "http://localhost:1", "tcp://:1"]
)
def test_a_scheduler_that_is_no_address_is_refused(refused, text):
    with refused(repr(text), "tcp://host:8786"), open_workers(scheduler=text):
        pass


@pytest.mark.parametrize(
    "address",
    [
        "tcp://no-such-host.invalid:8786",
        "tcp://127.0.0.1:999999",
        "tls://127.0.0.1:8786",
        "ws://127.0.0.1:1",
    ],
)
@pytest.mark.timeout(60)
def test_an_address_that_cannot_be_is_refused(monkeypatch, refused, address):
    # Nor can one of tls where dask's configuration names no keys.
    monkeypatch.setattr(parallel, "CONNECT_SECONDS", 0.5)
    with refused(address, "dask scheduler"), open_workers(scheduler=address):
        pass


@pytest.mark.parametrize("pool", ["threads", "processes"])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.timeout(120)
def test_an_error_in_a_task_arrives_as_it_was(refused, pool, workers):
    with (
        refused("unheard://a", "wanted a path or an fsspec URL"),
        open_workers(workers=workers, pool=pool) as run,
    ):
        run(Location, [("unheard://a",), ("unheard://a",)], lambda: None)


def no_memory():
    raise MemoryError


def test_too_little_memory_is_a_failure_that_says_what_to_do(fails):
    with fails(FailureError, "memory", "fewer workers"), open_workers(workers=1) as run:
        run(no_memory, [(), ()], lambda: None)


@pytest.mark.timeout(60)
def test_a_worker_process_that_dies_is_a_failure(fails):
    with (
        fails(FailureError, "a worker process died", "`resume=True`", "`workers`"),
        open_workers(workers=2) as run,
    ):
        run(signal.raise_signal, [(signal.SIGKILL,)] * 3, lambda: None)


def _wait_long(path):
    """Say that a task runs, then do nothing for longer than a test may take."""
    Location(path).path.touch()
    time.sleep(300)


@pytest.fixture
def heard():
    """Let an interruption be heard, which processes that run tests side by side ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("heard")
def test_an_interruption_ends_processes_at_once(tmp_path):
    started = [tmp_path / name for name in "ab"]

    def interrupt():
        while not all(path.exists() for path in started):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt), open_workers(workers=2) as run:
        run(_wait_long, [(str(path),) for path in started], lambda: None)
    thread.join()


class _OddError(Exception):
    pass


def _go_wrong():
    raise _OddError("of this module")


@pytest.mark.timeout(60)
def test_an_error_says_where_in_a_process_it_was_raised():
    with pytest.raises(_OddError, match="of this module") as caught, open_workers(workers=2) as run:
        run(_go_wrong, [(), ()], lambda: None)
    assert "in _go_wrong" in caught.value.__notes__[0]


@pytest.mark.timeout(60)
def test_after_an_error_no_more_tasks_are_begun(tmp_path):
    tasks = [(str(tmp_path / "missing" / "a"),)] + [(str(tmp_path / str(n)),) for n in range(40)]
    with pytest.raises(FileNotFoundError), open_workers(workers=2) as run:
        run(os.mkdir, tasks, lambda: None)
    assert len(list(tmp_path.iterdir())) < 40
