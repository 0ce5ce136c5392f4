"""Damaged files of every format through the import: each ends in an import, or in one line.

    python -m benchmarks.fuzzing --files 1000

Each file is a sound one with a few faults in it (`benchmarks.mutations`), drawn by its index. It is
opened, its meaning guessed, all its values read and, as far as it can be, imported. Whatever ends
otherwise than in a store or in an `InputError` of one line, takes too much time or memory, or
leaves something behind, is kept and reported.
"""

import multiprocessing
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import click
import numpy as np

from benchmarks.fuzzing_seeds import SEEDS, Seed
from musim.datasets.datacard import data_card
from musim.datasets.event_tables import read_events
from musim.datasets.importing import memory, reading_processes
from musim.datasets.importing.description import Description
from musim.datasets.importing.files import File
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.datasets.store import open_store
from musim.datasets.verification import verify
from musim.simulator.errors import InputError, MusimError
from musim.simulator.imaging.chain import Chain

SECONDS = 20.0
"""Of the processor, in which a file must have been read."""

ROOM = 1 << 30
"""Bytes of memory that there seem to be."""

PIECE = 1 << 22
"""Values that are read together."""


@dataclass(frozen=True)
class Fault:
    """What should not have happened.

    Parameters
    ----------
    seed : str
    index : int
    what : str
    """

    seed: str
    index: int
    what: str


class TooLongError(BaseException):
    """A file took too much of the processor; nothing that reads files takes it for damage."""


def examine(seed: Seed, index: int, folder: Path) -> str | Fault:
    """Damage a file and use it; return what came of it: ``used``, ``opened`` or ``refused``."""
    work = folder / "work"
    work.mkdir(parents=True)
    path = work / seed.name
    seed.damage(index, path)
    before = _tree(work)
    try:
        with warnings.catch_warnings(), _seconds(SECONDS):
            warnings.simplefilter("error")
            outcome = _TARGETS[seed.target](path, seed)
    except (Exception, TooLongError) as error:
        return Fault(seed.name, index, f"{type(error).__name__}: {error}")
    finally:
        left = _tree(work) - before
        left |= {name for name in _open_files() if str(work) in name}
        shutil.rmtree(work)
    if left:
        return Fault(seed.name, index, f"left behind, or open, {', '.join(sorted(left)[:3])}")
    return outcome


def _open_files() -> list[str]:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            names.append(str(entry.readlink()))
    return names


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@contextmanager
def _seconds(most: float):
    def stop(*_):
        raise TooLongError(f"more than {most:g} s of the processor")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _refusing(path: Path, kind: type[MusimError] = InputError):
    """Take a refusal in one line that names the file for what it should be; others go on."""
    try:
        yield
    except kind as error:
        text, cause = str(error), error
        while cause is not None:
            if isinstance(cause, MemoryError):
                raise AssertionError(
                    f"memory was asked for before it was checked: {text}"
                ) from None
            cause = cause.__cause__ or cause.__context__
        if len(text.splitlines()) != 1 or path.name not in text:
            raise


def _use_recording(path: Path, seed: Seed) -> str:
    outcome = "refused"
    with _refusing(path):
        file = open_file(path)
        with file:
            outcome = "opened"
            guessed = describe(file).description
            with _refusing(path):
                dict(file.attributes)
            for info in file.variables:
                _read(file, info.name, path)
        for description in filter(None, (guessed, Description.parse(seed.given))):
            # Also a FailureError: what a header claims may be more than a disk has room for.
            with _refusing(path, MusimError):
                _import(path, description)
                outcome = "used"
    return outcome


def _read(file: File, name: str, path: Path) -> None:
    """Read a variable whole, or of one that claims to be large the two ends."""
    with _refusing(path):
        info = file.info(name)
        if info.is_text or info.size == 1:
            file.value(name)
        if not info.is_numeric or not info.shape:
            return
        array, frames = file.array(name), info.shape[0]
        together = max(1, PIECE // max(int(np.prod(info.shape[1:], dtype=object)), 1))
        firsts = range(0, frames, together)
        for first in (*firsts[:4], *firsts[4:][-1:]):
            array.read((slice(first, first + together),))


def _import(path: Path, description: Description) -> None:
    out = path.with_name(f"{path.name}.store")
    import_recordings([path], out, description, Chain(), workers=1).tvi(0)
    shutil.rmtree(out)


def _use_events(path: Path, seed: Seed) -> str:
    outcome = "refused"
    with _refusing(path):
        read_events(path).within(0.0, 1.0)
        outcome = "used"
    return outcome


def _use_description(path: Path, seed: Seed) -> str:
    outcome = "refused"
    with _refusing(path):
        description = Description.load(path)
        description.to_toml()
        outcome = "used"
    return outcome


def _use_store(path: Path, seed: Seed) -> str:
    outcome = "refused"
    with _refusing(path, MusimError):
        store = open_store(path)
        outcome = "opened"
        with _refusing(path, MusimError):
            data_card(store)
            store.tvi(0)
            outcome = "used"
        with _refusing(path, MusimError):
            verify(path)
    return outcome


_TARGETS = {
    "recording": _use_recording,
    "events": _use_events,
    "description": _use_description,
    "store": _use_store,
}


def _work(seed: Seed, indexes: range, folder: Path, answers: Connection) -> None:
    """Examine files one after the other, and say what came of each."""
    reading_processes.SECONDS = SECONDS / 2
    memory.available_memory = lambda: ROOM
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + 4 * ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for index in indexes:
        answers.send(examine(seed, index, folder))


def fuzz(seed: Seed, indexes: range, folder: Path) -> list[str | Fault]:
    """Examine files in a process of their own; one that crashes it is a fault."""
    context, outcomes = multiprocessing.get_context("spawn"), []
    while len(outcomes) < len(indexes):
        answers, theirs = context.Pipe(duplex=False)
        rest = indexes[len(outcomes) :]
        process = context.Process(target=_work, args=(seed, rest, folder, theirs))
        process.start()
        theirs.close()
        try:
            while len(outcomes) < len(indexes):
                outcomes.append(answers.recv())
        except EOFError:
            process.join()
            what = f"the process ended with {process.exitcode}"
            outcomes.append(Fault(seed.name, indexes[len(outcomes)], what))
            shutil.rmtree(folder, ignore_errors=True)
        process.join()
    return outcomes


@click.command()
@click.option("--files", default=1000, show_default=True, help="Damaged files of each seed.")
@click.option("--first", default=0, show_default=True, help="Index of the first.")
@click.option("--only", multiple=True, help="Seeds, by name; all of them if none is given.")
@click.option("--keep", default="faults", show_default=True, help="Folder of what goes wrong.")
def main(files, first, only, keep):
    """Damage files of every format and import them."""
    begin, found = time.monotonic(), []
    print(f"{'seed':20}{'files':>7}{'used':>7}{'opened':>7}{'refused':>8}{'faults':>7}{'s':>7}")
    for seed in SEEDS:
        if only and seed.name not in only:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            outcomes = fuzz(seed, range(first, first + files), Path(folder) / "fuzzing")
        faults = [one for one in outcomes if isinstance(one, Fault)]
        count = Counter(one for one in outcomes if isinstance(one, str))
        seconds = time.monotonic() - start
        print(f"{seed.name:20}{files:7}{count['used']:7}{count['opened']:7}{count['refused']:8}"
              f"{len(faults):7}{seconds:7.0f}", flush=True)  # fmt: skip
        for fault in faults:
            Path(keep).mkdir(exist_ok=True)
            seed.damage(fault.index, Path(keep) / f"{fault.index}-{seed.name}")
            print(f"  {seed.name} {fault.index}: {fault.what}", flush=True)
        found += faults
    print(f"{len(found)} faults in {time.monotonic() - begin:.0f} s")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
