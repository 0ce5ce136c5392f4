"""Batches that are made before they are asked for, by threads or by processes.

What an epoch will bring is known long before: so while its last batches are used, those of the next
one are made. Whether they are what is then wanted is found by comparing what was asked for; so
whoever goes elsewhere in between, or stops early, needs to tell nobody.
"""

import itertools
import os
import signal
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from torch.utils.data import DataLoader, Dataset, Sampler

from ...simulator.errors import FailureError
from ..parallel import default_workers
from ..processes import WorkerContext
from .collate import Batch
from .sharing import worker

READ_AHEAD = 2
"""Batches that are made while the network works on the last one."""


class Begun(Protocol):
    """A batch whose items are made one by one, in any order and side by side."""

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def make(self, place: int) -> None:
        """Make one of them."""
        ...

    def finish(self) -> Batch:
        """Return the batch, once each of its items is made."""
        ...


class Maker(Protocol):
    """Whoever makes batches of requests."""

    def begin(self, request: Any) -> Begun:
        """Return a batch whose items are still to be made."""
        ...


class Ahead(ABC):
    """Makes batches in the order in which they are asked for, some of them ahead.

    Parameters
    ----------
    ahead : int
        Batches that are under way while another one is used.
    """

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self.busy, self.process = False, os.getpid()
        self.inherited: Ahead | None = None
        self._asked: deque[Any] = deque()

    def stream(
        self, requests: Sequence[Any], following: Iterable[Any] = ()
    ) -> Generator[Batch, None, None]:
        """Yield the batch of each request.

        Parameters
        ----------
        requests : sequence
        following : iterable
            What will probably be asked for next: made ahead too, and used if it then is.

        Raises
        ------
        FailureError
            If the store is damaged or a worker process died.
        """
        if not requests:
            return
        self.busy = unfinished = True
        try:
            if any(a != b for a, b in zip(self._asked, requests, strict=False)):
                self.drop()
            coming = itertools.chain(requests, following)
            list(itertools.islice(coming, len(self._asked)))  # are under way
            self._fill(coming)
            for number in range(1, len(requests) + 1):
                batch = self._take()
                self._asked.popleft()
                self._fill(coming)
                # Before it is handed out: some ask for no more than the batches that they count.
                self.busy = unfinished = number < len(requests)
                yield batch
        finally:
            if unfinished:
                self.busy = False
                self.drop()

    def _fill(self, coming: Iterator[Any]) -> None:
        for request in itertools.islice(coming, max(0, self.ahead - len(self._asked))):
            self._ask(request)
            self._asked.append(request)

    @abstractmethod
    def _ask(self, request: Any) -> None:
        """Have a batch made."""

    @abstractmethod
    def _take(self) -> Batch:
        """Wait for the batch that was asked for first, and return it."""

    @abstractmethod
    def drop(self) -> None:
        """Forget what was asked for."""


def free(ahead: Ahead | None, make: Callable[[], Ahead]) -> Ahead:
    """Return `ahead` if it is free, or what `make` makes where another iteration has it."""
    ours = ahead is not None and ahead.process == os.getpid()
    if ahead is not None and ours and not ahead.busy:
        return ahead
    made = make()
    if not ours:
        # It came with a fork: not ours to use, nor to end, as Python would where nobody holds it.
        made.inherited = ahead
    return made


def threads_here() -> int:
    """Return in how many threads this process makes batches."""
    # A DataLoader's process has one processor; it has as many processes as are wanted.
    return default_workers() if worker() is None else 1


class Threads(Ahead):
    """Makes batches in threads of this process, several items side by side.

    Parameters
    ----------
    maker : Maker
    threads : int
    batch_size : int
        Items of a batch: where threads are many, more batches are under way.
    """

    def __init__(self, maker: Maker, threads: int, batch_size: int) -> None:
        super().__init__(max(READ_AHEAD, 1 + -(-threads // batch_size)))
        self.maker, self.threads = maker, threads
        self._pool: ThreadPoolExecutor | None = None
        self._end: weakref.finalize[..., Any]
        self._made: deque[Future[Batch]] = deque()

    def _ask(self, request: Any) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "musim-read-ahead")
            # Without it, threads whose loader went would still make all that was asked for.
            end = self._pool.shutdown
            self._end = weakref.finalize(self, end, wait=False, cancel_futures=True)
        making = _Making(self.maker.begin(request))
        self._made.append(making.batch)
        for place in range(len(making.begun)):
            self._pool.submit(making.make, place)

    def _take(self) -> Batch:
        return self._made.popleft().result()

    def drop(self) -> None:
        """Forget what was asked for, and end all threads."""
        self._asked.clear()
        self._made.clear()
        if self._pool is not None:
            self._end.detach()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


class _Making:
    """A batch that is being made by threads: the one that makes the last item finishes it."""

    def __init__(self, begun: Begun) -> None:
        self.begun, self.batch = begun, Future[Batch]()
        self._left, self._lock = len(begun), threading.Lock()

    def make(self, place: int) -> None:
        try:
            self.begun.make(place)
            with self._lock:
                self._left -= 1
                last = self._left == 0
            if last:
                self.batch.set_result(self.begun.finish())
        except BaseException as error:  # whatever it is, the one who waits is told
            with self._lock:
                if not self.batch.done():
                    self.batch.set_exception(error)


class Processes(Ahead):
    """Makes batches in worker processes, which stay until this object goes.

    Parameters
    ----------
    maker : torch Dataset
        Makes the batch of ``maker[request]``; what is wrong with the store is told in ``"error"``.
    workers : int
    """

    def __init__(self, maker: Dataset[Batch], workers: int) -> None:
        # One is waiting to be sent to a process once a batch of it was taken.
        super().__init__(READ_AHEAD * workers + 1)
        self.maker, self.workers = maker, workers
        self._waiting = _Requests()
        self._loader: DataLoader[Batch] | None = None
        self._batches: Iterator[Batch] | None = None

    def _ask(self, request: Any) -> None:
        self._waiting.requests.append(request)

    def _take(self) -> Batch:
        if self._loader is None:
            self._loader = DataLoader(
                self.maker,
                batch_size=None,
                sampler=self._waiting,
                num_workers=self.workers,
                prefetch_factor=READ_AHEAD,
                persistent_workers=True,
                multiprocessing_context=WorkerContext(),
            )
        try:
            if self._batches is None:
                with _undisturbed():
                    self._batches = iter(self._loader)
            batch = next(self._batches)
        except RuntimeError as error:
            self._loader = None
            raise FailureError(
                "a worker process died (out of memory, or killed); restore the last state, perhaps "
                "with fewer workers"
            ) from error
        if "error" in batch:
            raise FailureError(str(batch["error"]))
        return batch

    def drop(self) -> None:
        """Forget what was asked for; the processes stay."""
        self._asked.clear()
        self._waiting.requests.clear()
        self._batches = None


class _Requests(Sampler[Any]):
    """What waits to be sent to a process; more may come after it was found empty."""

    def __init__(self) -> None:
        self.requests: deque[Any] = deque()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.requests:
            raise StopIteration
        return self.requests.popleft()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Take torch's handler of processes that end away again.

    It raises in the midst of whatever the main thread does just then, which nobody could make an
    error of ours; without it, the loader itself notices within seconds when it waits for a batch.
    """
    child_ended = getattr(signal, "SIGCHLD", None)
    if child_ended is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(child_ended)
    try:
        yield
    finally:
        signal.signal(child_ended, signal.SIG_DFL if before is None else before)
