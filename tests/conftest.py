"""Fixtures that many tests share."""

import importlib.util
import multiprocessing.context
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from musim.simulator import InputError, Parameters, Range, draw

# The same examples in every run; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", max_examples=2000, deadline=None, database=None)
settings.load_profile("fixed")

NEED_TORCH = [
    "cli/test_evaluate_paired.py",
    "cli/test_train.py",
    "cli/test_train_judge.py",
    "cli/test_train_state.py",
    "cli/test_translate.py",
    "datasets/streaming",
    "test_ablations_benchmark.py",
    "training/identification/learning/test_fitting.py",
    "training/identification/learning/test_run.py",
    "training/identification/networks",
    "training/identification/test_network_method.py",
    "training/paired",
    "training/runs",
    "training/test_tasks.py",
    "training/translation",
]
"""Tests of what is not there without torch; of others, single ones are marked `torch`."""

HAS_TORCH = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if HAS_TORCH else NEED_TORCH

PRELOADED = ["musim.datasets.streaming", "musim.training.identification.evaluation"]
"""What the processes that tests start have imported already, as far as it is installed."""


@pytest.fixture(autouse=True)
def _processes_begin_loaded(request, monkeypatch):
    """Let processes begin as copies of one that has imported musim: in a moment, not in seconds.

    They are no less on their own, and what they work on is pickled. But variables of the
    environment are those that the first of them was started with: a test that sets others asks for
    `fresh_processes`.
    """
    contexts = multiprocessing.context._concrete_contexts
    if "forkserver" in contexts and "fresh_processes" not in request.fixturenames:
        multiprocessing.set_forkserver_preload(PRELOADED)
        monkeypatch.setitem(contexts, "spawn", contexts["forkserver"])
        start = multiprocessing.context.ForkServerProcess._Popen
        monkeypatch.setattr(multiprocessing.context.SpawnProcess, "_Popen", staticmethod(start))


@pytest.fixture
def fresh_processes():
    """Let this test's processes begin as those of users do."""


@pytest.fixture(scope="session")
def tiny():
    """Parameters of a sequence that is drawn and rendered in a millisecond."""
    return Parameters(
        units=Range(2, 4), pixels=(9, 7), size=(9.0, 7.0), diameter=Range(2, 4), frames=30
    )


@pytest.fixture(scope="session")
def truth(tiny):
    """One sequence's truth."""
    return draw(tiny, seed=1)


@pytest.fixture(scope="session")
def scaled():
    """Return a function that scales a slow test's number of draws by MUSIM_SLOW_SCALE."""
    scale = float(os.environ.get("MUSIM_SLOW_SCALE", "1"))
    return lambda draws: max(round(draws * scale), 1)


@pytest.fixture
def unchanged(tmp_path):
    """Return a context that leaves what is below the test's folder, and below others, as it was."""

    def contents(folders):
        paths = [path for folder in folders for path in Path(folder).rglob("*")]
        return {path: path.is_file() and path.read_bytes() for path in paths}

    @contextmanager
    def context(*others):
        before = contents((tmp_path, *others))
        yield
        assert contents((tmp_path, *others)) == before

    return context


@pytest.fixture
def refused(unchanged):
    """Return a context that ends in an InputError of one line with some words, and leaves nothing.

    It yields what :func:`pytest.raises` does.
    """

    @contextmanager
    def context(*words):
        with unchanged(), pytest.raises(InputError) as caught:
            yield caught
        text = str(caught.value)
        assert text.strip()
        assert len(text.splitlines()) == 1, text
        assert [word for word in words if word not in text] == [], text

    return context


@pytest.fixture(scope="session")
def slices_store(tmp_path_factory):
    """Seven slices in a store, in three parts of which the last is not full; not to be changed."""
    from tests.slices import drawn_slices, store_of_slices

    out = tmp_path_factory.mktemp("slices") / "slices.zarr"
    return store_of_slices(drawn_slices(), out, tissue=True, part_size=3)


def pytest_collection_modifyitems(items):
    """Skip tests that are marked `torch` where there is none."""
    for item in items:
        if not HAS_TORCH and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="needs torch"))
