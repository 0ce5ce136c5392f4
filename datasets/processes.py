"""Worker processes that begin without the user's script.

They are spawned: threads of Zarr do not survive a fork. But Python lets a spawned process
run the main script once more, before anything else. A script without ``if __name__ == "__main__":``
then starts itself over and over, and what comes from a notebook or from standard input cannot be
run again at all. What musim's processes work on lies in its modules, or is pickled whole by
cloudpickle, so that they can leave the script alone.
"""

import atexit
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import spawn
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

_LOCK = threading.RLock()


@contextmanager
def without_main() -> Iterator[None]:
    """Let processes that this thread spawns leave the main script alone; for a moment only."""
    with _LOCK:
        here, usual = threading.get_ident(), spawn.get_preparation_data

        def prepare(name: str) -> dict[str, Any]:
            data = usual(name)
            if threading.get_ident() == here:
                for key in ("init_main_from_name", "init_main_from_path"):
                    data.pop(key, None)
            return data

        spawn.get_preparation_data = prepare
        try:
            yield
        finally:
            spawn.get_preparation_data = usual


class _WorkerProcess(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802 (the name that multiprocessing asks for)
        with without_main():
            return SpawnProcess._Popen(process_obj)  # type: ignore[attr-defined]


class WorkerContext(SpawnContext):
    """A context of :mod:`multiprocessing` whose processes begin without the main script."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[_WorkerProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> _WorkerProcess:  # type: ignore[override]  # noqa: N802
        """Return a process that is not started yet."""
        process = _WorkerProcess(*args, **kwargs)
        self._started.append(process)
        return process

    def terminate(self) -> None:
        """End all processes of this context that are running, at once."""
        for process in self._started:
            if process.is_alive():
                process.terminate()


def end_quickly() -> None:
    """Let this process not look for cycles in its libraries when it ends: it would take 0.3 s.

    But for torch's: of what is left of these when the process ends, Triton says that it leaked.
    """
    atexit.register(lambda: None if "torch" in sys.modules else gc.freeze())


def pack_call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Return a call for :func:`call_packed`: a function of a script or a notebook goes whole."""
    import cloudpickle

    return cloudpickle.dumps((function, arguments))


def call_packed(packed: bytes) -> bytes | None:
    """Call a function for its effects; return what it raised, for :func:`raise_packed`."""
    import pickle

    try:
        # What this process's own parent packed a moment ago.
        function, arguments = pickle.loads(packed)
        function(*arguments)
    except Exception as error:
        import traceback

        import cloudpickle

        error.add_note("".join(traceback.format_exception(error)))
        return cloudpickle.dumps(error)
    return None


def raise_packed(packed: bytes | None) -> None:
    """Raise what :func:`call_packed` returned, if anything; a note says where it was raised."""
    if packed is not None:
        import pickle

        raise pickle.loads(packed)
