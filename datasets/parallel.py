"""The one parallel layer: independent tasks, spread over threads, processes or a cluster of dask's.

Dask is imported for a cluster alone.
"""

import asyncio
import functools
import itertools
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Literal

from ..simulator.errors import FailureError, InputError, MusimError
from .processes import WorkerContext, call_packed, end_quickly, pack_call, raise_packed

Pool = Literal["processes", "threads"]
CONNECT_SECONDS = 10


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


Run = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]], Callable[[], None]], None]
"""Calls a function once with each tuple of arguments, in any order, for its effects; the last
argument is called here each time that one is done. Function and arguments must be importable or
picklable: other processes use them."""


@contextmanager
def open_workers(
    *, workers: int | None = None, pool: Pool = "processes", scheduler: str | None = None
) -> Iterator[Run]:
    """Find those who do the work; yields a :data:`Run`.

    Parameters
    ----------
    workers : int, optional
        Threads or processes here; the number of processors, if not given.
    pool : {"processes", "threads"}
    scheduler : str, optional
        Address of a running dask scheduler, ``tcp://host:port``; its workers do the work.

    Raises
    ------
    InputError
        If the number of workers is none, or the scheduler's address is, or nobody answers there.
    FailureError
        From the :data:`Run`, if a worker dies.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers: found {workers}, wanted 1 or more")
    if pool not in ("processes", "threads"):
        raise InputError(f"pool: found {pool!r}, wanted processes or threads")
    if scheduler is None:
        yield functools.partial(_run_here, workers or default_workers(), pool)
        return
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^\s/:]+:\d+", scheduler):
        raise InputError(
            f"scheduler: found {scheduler!r}, wanted an address such as tcp://host:8786"
        )
    import distributed

    try:
        # A client waits for ever for someone who listens but does not answer, so greet first.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _greet(scheduler)).result()
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError, OverflowError) as error:
        # TypeError: dask's configuration names no keys for an encrypted connection.
        raise InputError(
            f"scheduler: found nobody at {scheduler} within {CONNECT_SECONDS} s, wanted a running "
            "dask scheduler; start one with: dask scheduler"
        ) from error
    with client:
        yield functools.partial(_run_on_cluster, client)


async def _greet(scheduler: str) -> None:
    """Connect to a scheduler and shake hands, within the time allowed."""
    import distributed
    from distributed.comm.core import connect

    # Keys for encrypted connections come from dask's configuration, as the client's do.
    keys = distributed.Security().get_connection_args("client")
    comm = await asyncio.wait_for(connect(scheduler, CONNECT_SECONDS, **keys), CONNECT_SECONDS)
    await comm.close()


def _run_here(
    workers: int,
    pool: Pool,
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    on_done: Callable[[], None],
) -> None:
    workers = min(workers, len(tasks))
    if workers <= 1:
        for task in tasks:
            with _failures():
                function(*task)
            on_done()
        return
    with _failures(), _pool(workers, pool) as submit:
        waiting = iter(tasks)
        # No more than there are workers: what waits at a worker cannot be called off.
        running = {submit(function, task) for task in itertools.islice(waiting, workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                raise_packed(future.result())
                on_done()
                running |= {submit(function, task) for task in itertools.islice(waiting, 1)}


@contextmanager
def _failures() -> Iterator[None]:
    """Say in the user's terms what ends workers."""
    try:
        yield
    except MusimError:
        raise
    except MemoryError as error:
        raise FailureError(
            "found too little memory; use fewer workers or smaller sequences"
        ) from error
    except BrokenProcessPool as error:
        raise FailureError(
            "a worker process died (out of memory, or killed); run again with `resume=True`, "
            "perhaps with fewer `workers`"
        ) from error


Submit = Callable[[Callable[..., Any], tuple[Any, ...]], "Future[bytes | None]"]


@contextmanager
def _pool(workers: int, pool: Pool) -> Iterator[Submit]:
    """Open a pool of its own; yields what gives it a task.

    After an error it waits for the tasks that are running, so that nobody writes on. After an
    interruption it ends its processes, as a kill would: a task may take minutes, and what it has
    written by then does not count. Threads are waited for.
    """
    if pool == "threads":
        with ThreadPoolExecutor(workers) as threads:
            yield lambda function, task: threads.submit(_call, function, task)
        return
    context = WorkerContext()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_obey_parent) as processes:
        try:
            yield lambda function, task: processes.submit(call_packed, pack_call(function, task))
        except KeyboardInterrupt:
            context.terminate()
            raise


def _call(function: Callable[..., Any], task: tuple[Any, ...]) -> None:
    function(*task)


def _obey_parent() -> None:
    """Let this worker process end with the one that started it, and leave Ctrl-C to it."""
    end_quickly()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True, name="musim-obey-parent").start()


def _run_on_cluster(
    client: Any,
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    on_done: Callable[[], None],
) -> None:
    import distributed
    from distributed.comm.core import CommClosedError

    address = client.scheduler.address
    futures = [client.submit(function, *task, pure=False) for task in tasks]
    try:
        for future in distributed.as_completed(futures, loop=client.loop):
            future.result()
            on_done()
    except MusimError:
        raise
    except (ModuleNotFoundError, RuntimeError) as error:
        # dask wraps what keeps the scheduler from reading a task.
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        if not isinstance(missing, ModuleNotFoundError):
            raise
        raise FailureError(
            f"scheduler: a worker of {address} lacks a module ({missing}); install musim there"
        ) from error
    except (
        distributed.KilledWorker,
        distributed.CancelledError,
        CommClosedError,
    ) as error:
        raise FailureError(
            f"scheduler: a worker of {address} died or went away; run again with `resume=True`"
        ) from error
    finally:
        client.cancel(futures)
