"""The one parallel layer: independent tasks, spread by dask over threads, processes or a cluster."""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import dask
from dask.callbacks import Callback

from ..simulator.errors import FailureError, InputError, MusimError

Pool = Literal["processes", "threads"]
CONNECT_SECONDS = 10


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_tasks(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    *,
    workers: int | None = None,
    pool: Pool = "processes",
    scheduler: str | None = None,
    on_done: Callable[[], None] = lambda: None,
) -> None:
    """Call `function` once with each tuple of arguments, in any order, for its effects.

    Parameters
    ----------
    function : callable
        Importable, as are its arguments: other processes call it.
    tasks : sequence of tuples
    workers : int, optional
        Threads or processes here; the number of processors, if not given.
    pool : {"processes", "threads"}
    scheduler : str, optional
        Address of a running dask scheduler, ``tcp://host:port``; its workers do the work.
    on_done : callable
        Called here each time that a task is done.

    Raises
    ------
    InputError
        If the scheduler's address is none, or nobody answers there.
    FailureError
        If a worker dies.
    """
    if scheduler is not None:
        _run_on_cluster(function, tasks, scheduler, on_done)
        return
    workers = default_workers() if workers is None else workers
    if workers < 1:
        raise InputError(f"workers: found {workers}, wanted 1 or more")
    if pool not in ("processes", "threads"):
        raise InputError(f"pool: found {pool!r}, wanted processes or threads")
    delayed = [dask.delayed(function, pure=False)(*task) for task in tasks]
    workers = min(workers, len(tasks))
    chosen = "synchronous" if workers <= 1 else pool
    with Callback(posttask=lambda *_: on_done()):
        try:
            # One task at a time: dask's default hands out six, which leaves workers idle.
            dask.compute(
                *delayed,
                scheduler=chosen,
                num_workers=workers,
                chunksize=1,
                optimize_graph=False,
            )
        except MusimError:
            raise
        except MemoryError as error:
            raise FailureError(
                "found too little memory; use fewer workers or smaller sequences"
            ) from error
        except Exception as error:
            if type(error).__name__ == "BrokenProcessPool":
                raise FailureError(
                    "a worker process died (out of memory, or killed); run again with --resume, "
                    "perhaps with fewer --workers"
                ) from error
            raise


def _run_on_cluster(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    scheduler: str,
    on_done: Callable[[], None],
) -> None:
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^\s/:]+:\d+", scheduler):
        raise InputError(
            f"scheduler: found {scheduler!r}, wanted an address such as tcp://host:8786"
        )
    import distributed

    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"scheduler: found nobody at {scheduler} within {CONNECT_SECONDS} s, wanted a running "
            "dask scheduler; start one with: dask scheduler"
        ) from error
    with client:
        futures = [client.submit(function, *task, pure=False) for task in tasks]
        try:
            for future in distributed.as_completed(futures):
                future.result()
                on_done()
        except MusimError:
            raise
        except Exception as error:
            if type(error).__name__ in {"KilledWorker", "CancelledError", "CommClosedError"}:
                raise FailureError(
                    f"scheduler: a worker of {scheduler} died or went away; run again with --resume"
                ) from error
            if isinstance(error, ModuleNotFoundError):
                raise FailureError(
                    f"scheduler: a worker of {scheduler} lacks a module ({error}); install musim there"
                ) from error
            raise
        finally:
            client.cancel(futures)
