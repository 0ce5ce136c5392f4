"""Imports run one way, and the simulator needs little."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

LAYERS = ["simulator", "datasets", "training", "cli"]
FRONT = {"plot": "cli"}
"""Modules that the front door has of its own, and where their files lie."""
HEAVY = ["torch", "zarr", "xarray", "dask", "numba", "matplotlib", "scipy.ndimage"]


def _sources(package):
    """Return the files of an installed package; none if it is not there."""
    spec = importlib.util.find_spec(f"musim.{package}")
    places = [] if spec is None else spec.submodule_search_locations or []
    return [(file, Path(place)) for place in places for file in Path(place).rglob("*.py")]


def _imports(source, module):
    """Return the full names of what a module's source imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A package's own name counts as one level, so `module` ends in `__init__` for it.
            base = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names.update(f"{origin}.{alias.name}" for alias in node.names)
    return names


def _imports_of(package):
    """Return (file, imported name) for all that a package imports."""
    found = []
    for file, place in _sources(package):
        module = ".".join(["musim", package, *file.relative_to(place).with_suffix("").parts])
        found += [(file, name) for name in _imports(file.read_text("utf-8"), module)]
    return found


def test_imports_are_recognised_in_every_form():
    source = (
        "import torch.nn as nn\nfrom musim import cli\nfrom .. import training\n"
        "from ..datasets.store import open_store\nfrom . import errors\n"
        "def f():\n    from ..cli import main\n"
    )
    assert _imports(source, "musim.simulator.module") == {
        "torch.nn",
        "musim.cli",
        "musim.training",
        "musim.datasets.store.open_store",
        "musim.simulator.errors",
        "musim.cli.main",
    }
    assert _imports("from .draw import f", "musim.simulator.__init__") == {"musim.simulator.draw.f"}


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_one_way(package):
    below = LAYERS[: LAYERS.index(package) + 1]
    for file, name in _imports_of(package):
        if name.startswith("musim."):
            found = name.split(".")[1]
            assert FRONT.get(found, found) in below, f"{file} imports {name}"


@pytest.mark.parametrize("package", ["simulator", "datasets"])
def test_torch_is_imported_for_streaming_alone(package):
    for file, name in _imports_of(package):
        if name.split(".")[0] in {"torch", "lightning", "torchvision"}:
            # A module or a package of that name.
            assert package == "datasets", file
            assert "streaming" in {file.stem, file.parent.name}, file


def test_units_are_identified_without_torch():
    code = (
        "import sys, musim.cli.identify, musim.cli.evaluate, musim.cli.report\n"
        "from musim.training.identification.methods import METHODS\n"
        "from musim.training.identification import evaluation, results\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "False\n")


def test_the_simulator_needs_numpy_scipy_and_numba_only():
    allowed = {"musim", "numpy", "scipy", "numba", "llvmlite", *sys.stdlib_module_names}
    assert _sources("simulator")
    for file, name in _imports_of("simulator"):
        assert name.split(".")[0] in allowed, f"{file} imports {name}"


def test_importing_the_simulator_imports_nothing_heavy():
    code = f"import sys, musim.simulator\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "[]\n")
