"""What the tests of stores share: small stores, copies to damage, how an error must look."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from musim.datasets import generate

SEQUENCES, PART_SIZE, SEED = 5, 3, 7

GENERATE = """
import json, sys
from musim.datasets import generate
from musim.simulator import Parameters
parameters, out, options = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
if __name__ == "__main__":
    generate(Parameters.from_json(parameters), out, **options)
"""


@pytest.fixture(scope="session")
def make(tiny):
    """Generate five sequences in two parts, the last of which is not full."""
    defaults = {"sequences": SEQUENCES, "part_size": PART_SIZE, "seed": SEED, "workers": 1}

    def call(out, parameters=tiny, **options):
        return generate(parameters, out, **(defaults | options))

    return call


@pytest.fixture(scope="session")
def dense(make, tmp_path_factory):
    """A store with voxels; not to be changed."""
    return make(tmp_path_factory.mktemp("dense") / "set.zarr")


@pytest.fixture(scope="session")
def rendered(make, tmp_path_factory):
    """The same sequences without voxels; not to be changed."""
    return make(tmp_path_factory.mktemp("rendered") / "set.zarr", kind="rendered")


@pytest.fixture(params=["dense", "rendered"])
def store(request):
    """A store of either kind; not to be changed."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def copy(tmp_path):
    """Copy a store to a place where it may be damaged; returns its path."""

    def call(store, name="copy.zarr"):
        return Path(shutil.copytree(store.location.path, tmp_path / name))

    return call


@pytest.fixture(scope="session")
def tree():
    """Return all files below a folder, hidden ones too: relative path to content."""

    def call(folder):
        files = (path for path in Path(folder).rglob("*") if not path.is_dir())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    return call


@pytest.fixture(scope="session")
def assert_same_files(tree):
    """Assert that two folders hold the same files, byte by byte, and no leftovers."""

    def call(found, wanted):
        found, wanted = tree(found), tree(wanted)
        assert sorted(found) == sorted(wanted)
        assert [name for name in wanted if found[name] != wanted[name]] == []
        assert [name for name in found if name.endswith(".partial")] == []

    return call


@pytest.fixture(scope="session")
def fails():
    """Assert that a block raises an error of a class, of one line, that says certain words."""

    @contextmanager
    def context(kind, *words):
        with pytest.raises(kind) as caught:
            yield
        text = str(caught.value)
        assert type(caught.value).__name__ == kind.__name__
        assert text.strip()
        assert len(text.splitlines()) == 1
        assert [word for word in words if word not in text] == [], text

    return context


@pytest.fixture
def spawn(tiny):
    """Start another process that generates a store; killed when the test ends."""
    started = []

    def call(out, parameters=tiny, **options):
        parameters = json.dumps(parameters.to_json())
        arguments = [parameters, str(out), json.dumps(options)]
        started.append(subprocess.Popen([sys.executable, "-c", GENERATE, *arguments]))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def wait_for():
    """Wait until a condition holds, for a minute at most."""

    def call(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.002)

    return call


@pytest.fixture
def memory():
    """Return a function from a name to a URL in memory, which is emptied afterwards."""
    yield "memory://{}.zarr".format
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


@pytest.fixture(scope="module")
def start_cluster(tmp_path_factory, wait_for):
    """Start a dask scheduler and workers as processes of their own, in a folder of their own."""
    processes = []

    def call(workers=2, protocol="tcp", **settings):
        folder = tmp_path_factory.mktemp("cluster")
        file = folder / "scheduler.json"
        environment = os.environ | {f"DASK_{key}": str(value) for key, value in settings.items()}

        def start(name, *options):
            command = [sys.executable, "-m", f"distributed.cli.dask_{name}", "--no-dashboard"]
            with (folder / f"{name}.log").open("ab") as log:
                processes.append(
                    subprocess.Popen([*command, *options], cwd=folder, env=environment, stderr=log)
                )
            return processes[-1]

        here = ["--host", "127.0.0.1"]
        known = ["--port", "0", "--protocol", protocol, "--scheduler-file", str(file)]
        scheduler = start("scheduler", *here, *known)
        wait_for(lambda: file.exists() and file.read_text().endswith("}"))
        address = json.loads(file.read_text())["address"]
        crew = [
            start("worker", address, *here, "--no-nanny", "--nthreads", "1") for _ in range(workers)
        ]
        return address, scheduler, crew

    yield call
    for process in processes:
        process.kill()
        process.wait()
