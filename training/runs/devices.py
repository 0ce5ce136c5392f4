"""Where a run computes: devices, what computes on them, and the processes of several."""

import contextlib
import logging
import os
import signal
import socket
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.strategies.ddp import DDPStrategy
from torch import multiprocessing
from torch.multiprocessing.spawn import (
    ProcessExitedException,
    ProcessRaisedException,
    start_processes,
)

from ...datasets.processes import without_main
from ...simulator.errors import FailureError, InputError, MusimError

ACCELERATORS = ("auto", "cpu", "cuda", "mps")

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "alloc_failed")
"""What else than torch.OutOfMemoryError says that there is no room, by library."""


def device_of(accelerator: str) -> torch.device:
    """Return the kind of device that a name stands for; ``auto``: CUDA's if there is one.

    Raises
    ------
    InputError
        If there is no such device.
    """
    if accelerator == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = "cuda" if accelerator == "gpu" else accelerator
    if name not in ACCELERATORS:
        raise InputError(f"accelerator: found {name!r}, wanted one of {', '.join(ACCELERATORS)}")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[name]:
        raise InputError(
            f"accelerator: found no {name} device here, wanted one; use `accelerator='cpu'`"
        )
    return torch.device(name)


def check_devices(accelerator: str, devices: int, batch_size: int, precision: str) -> torch.device:
    """Return the kind of device of a run; raise InputError unless it can run there.

    Parameters
    ----------
    accelerator : str
        One of :data:`ACCELERATORS`.
    devices : int
    batch_size : int
        Of all processes together.
    precision : str
        One of :data:`.settings.PRECISIONS`.
    """
    device = device_of(accelerator)
    most = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type)
    if devices < 1 or (most is not None and devices > most):
        raise InputError(
            f"devices: found {devices}, wanted 1 to {most} of {device.type}"
            if most
            else f"devices: found {devices}, wanted 1 or more"
        )
    if batch_size % devices:
        raise InputError(
            f"batch_size: found {batch_size} for {devices} devices, wanted a multiple of {devices}"
        )
    if precision == "16-mixed" and device.type == "cpu":
        raise InputError(
            "precision: found 16-mixed on a CPU, which has no such arithmetic, wanted 32-true or "
            "bf16-mixed"
        )
    return device


def make_fabric(device: torch.device, devices: int, precision: Any) -> Fabric:
    """Return what brings networks to a device, computes in a precision and shares gradients."""
    return Fabric(
        accelerator=device.type,
        devices=devices,
        strategy=DDPStrategy(find_unused_parameters=True) if devices > 1 else "auto",
        # Whatever a cluster's scheduler has set: processes are ours to start.
        plugins=[LightningEnvironment()],
        precision=precision,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's hints and advertisements off the terminal."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Of workers for reading, of a device left unused: not the user's to change.
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def interruptible(stop: Any) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM set an event, which the loop asks after every step; twice is at once.

    SIGTERM is what a cluster's scheduler sends when it wants its machine back.

    Parameters
    ----------
    stop : Event
        Of threads or of processes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: types.FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        stop.set()

    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_processes(
    work: Callable[..., None], devices: int, take: Callable[[Any], None], *arguments: Any
) -> None:
    """Run a function in several processes that share gradients, and wait for them.

    Parameters
    ----------
    work : callable
        Of a module; called with what `arguments` hold, and with a function that takes reports.
    devices : int
    take : callable
        Gets each report, in this process.
    *arguments
        Whatever can be pickled.

    Raises
    ------
    MusimError, torch.OutOfMemoryError
        As raised in a process.
    FailureError
        If a process died.
    """
    context = multiprocessing.get_context("spawn")
    reports = context.SimpleQueue()
    shared = (devices, _free_port(), reports, work, arguments)
    # The script's own task, if it has one, is found in the script alone.
    own = any(getattr(each, "__module__", None) == "__main__" for each in arguments)
    with _terse(), contextlib.nullcontext() if own else without_main():
        processes = start_processes(
            _start, args=shared, nprocs=devices, join=False, start_method="spawn"
        )
    assert processes is not None

    def drain() -> None:
        while not reports.empty():
            report = reports.get()
            if isinstance(report, Exception):
                raise report
            take(report)

    try:
        while not processes.join(timeout=0.1):
            drain()
        drain()
    except ProcessExitedException as error:
        drain()
        if own:
            raise FailureError(
                f"a process died ({error.signal_name or error.exit_code}); what the script defines "
                "wants the training under `if __name__ == '__main__':`, or a module of its own"
            ) from None
        raise FailureError(
            f"a process died ({error.signal_name or error.exit_code}), perhaps for lack of "
            "memory; go on with `resume=True`, or train with smaller batches"
        ) from None
    except ProcessRaisedException:
        drain()
        raise
    finally:
        for process in filter(None, processes.processes):
            if process.is_alive():
                process.kill()
            process.join()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device has no room."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in _MEMORY_WORDS
    )


def _start(
    rank: int, devices: int, port: int, reports: Any, work: Callable[..., None], arguments: Any
) -> None:
    """Begin a process: its place among the others, its signals, and the way of its errors."""
    os.environ.update(
        MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), LOCAL_RANK=str(rank), NODE_RANK="0",
        WORLD_SIZE=str(devices),
    )  # fmt: skip
    parent = os.getppid()

    def note(number: int, frame: types.FrameType | None) -> None:
        # Ctrl-C reaches all processes; the first of them says when to stop. This also comes when
        # it dies: nothing may go on writing then.
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGINT, note)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // devices))
    try:
        with quiet():
            work(*arguments, reports.put)
    except Exception as error:
        if isinstance(error, MusimError):
            reports.put(error)
        elif is_out_of_memory(error):
            reports.put(torch.OutOfMemoryError(str(error)))
        else:
            raise
        raise SystemExit(1) from None
    finally:
        with contextlib.suppress(Exception):
            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()


@contextmanager
def _terse() -> Iterator[None]:
    """Let torch, in processes that are started, tell of errors alone: it reads this but once."""
    name = "TORCH_CPP_LOG_LEVEL"
    before = os.environ.get(name)
    os.environ.setdefault(name, "ERROR")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
