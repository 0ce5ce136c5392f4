"""What the tests of the viewer share: stores to look at, a server, and a browser."""

import asyncio
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from musim.cli.viewing.curating import begin
from musim.cli.viewing.serving import bound, serve
from musim.cli.viewing.shown import open_shown
from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.identification.explanation import explained
from musim.training.identification.results import recording_of
from tests.cli.viewing.client import Client


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory, store_of_units, nearly):
    """Return a recording of two sequences and what two methods found in it; not to be changed."""
    folder = tmp_path_factory.mktemp("viewing")
    parameters = Parameters(units=Range(4, 4), pixels=(32, 24), size=(32.0, 24.0), frames=300)
    recording = generate(
        parameters, folder / "<i>&.zarr", sequences=2, workers=1, pool="threads", seed=2
    )
    found = [explained(recording_of(recording, n), nearly(recording.truth(n))) for n in range(2)]
    units = store_of_units(folder / "units.zarr", recording, found)
    other = store_of_units(folder / "other.zarr", recording, found[::-1], method="velbss")
    return SimpleNamespace(
        folder=folder, recording=recording, units=units, other=other,
        paths=[str(one.location) for one in (recording, units, other)],
    )  # fmt: skip


@contextmanager
def served(paths, sequence=0, frame=0, curate=None, by="anna"):
    """Serve some stores in a thread; yields a client."""
    shown = open_shown(paths, sequence, frame)
    session = None if curate is None else begin(shown, curate, by)
    started, known = threading.Event(), {}

    async def main():
        known["loop"], known["until"] = asyncio.get_running_loop(), asyncio.Event()

        def on_start(address):
            known["address"] = address
            started.set()

        await serve(shown, bound(0), on_start, known["until"], session)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert started.wait(20)
        yield Client(known["address"])
    finally:
        known["loop"].call_soon_threadsafe(known["until"].set)
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def serving():
    """Return a context that serves some stores; see :func:`served`."""
    return served


@pytest.fixture(scope="session")
def client(looked_at):
    """Return a client of a server of the recording and what was found in it."""
    with served(looked_at.paths) as one:
        yield one
