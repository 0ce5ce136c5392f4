"""The examples of docstrings do what they say."""

import doctest
import importlib
import importlib.util
from pathlib import Path

import fsspec
import pytest

PACKAGES = ["simulator", "datasets", "training", "cli"]


def _modules():
    """Return the modules whose sources hold examples; nothing is imported to find them."""
    found = []
    for package in PACKAGES:
        for folder in importlib.util.find_spec(f"musim.{package}").submodule_search_locations:
            for file in sorted(Path(folder).rglob("*.py")):
                if ">>> " in file.read_text("utf-8"):
                    parts = file.relative_to(folder).with_suffix("").parts
                    found.append(".".join(["musim", package, *parts]).removesuffix(".__init__"))
    return found


MODULES = _modules()


@pytest.fixture(autouse=True)
def _nothing_is_left_in_memory():
    yield
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("name", MODULES)
def test_examples_do_what_they_say(name):
    if name.startswith("musim.datasets.streaming"):
        pytest.importorskip("torch")
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name), name)
    examples = [test for test in found if test.examples]
    assert examples, "examples in a docstring that nothing has"
    for test in examples:
        # None is passed over.
        assert not any(example.options.get(doctest.SKIP) for example in test.examples)
        text = []
        runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
        runner.run(test, out=text.append)
        assert runner.failures == 0, "".join(text)


def test_examples_are_found():
    assert "musim.datasets.generation" in MODULES
    assert len(MODULES) >= 8
