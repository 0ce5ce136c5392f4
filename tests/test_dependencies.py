"""What musim imports is named where it is installed from: else a smaller environment lacks it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import musim.simulator

ROOT = Path(musim.simulator.__file__).resolve().parents[1]
TOGETHER = {
    "PIL": "matplotlib",
    "contourpy": "matplotlib",
    "llvmlite": "numba",
    "numcodecs": "zarr",
}
"""Packages of which a dependency that is named is made."""


def _imported():
    for folder in ("simulator", "datasets", "training", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((alias.name.partition(".")[0], path.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    yield node.module.partition(".")[0], path.name


def _plain(name):
    return re.match(r"[\w.-]+", name)[0].lower().replace("_", "-")


def test_every_package_that_is_imported_is_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = {_plain(one) for one in project["dependencies"]}
    named |= {_plain(one) for extra in ("formats", "s3", "hdf5", "video", "tracking", "train")
              for one in extras[extra]}  # fmt: skip
    installed = packages_distributions()
    missing = set()
    for package, file in _imported():
        if package in sys.stdlib_module_names or package == "musim":
            continue
        owners = {_plain(one) for one in installed.get(package, [package])}
        if not owners & named and TOGETHER.get(package) not in named:
            missing.add((package, file))
    assert missing == set()
    assert {"numpy", "numba", "torch"} <= {package for package, _ in _imported()}


def test_every_pin_is_for_the_oldest_python_too():
    """Else `make docs` fails where a system has an early 3.11."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [Requirement(line) for line in text.splitlines() if line and not line.startswith("#")]
    pinned = {_plain(pin.name): pin.specifier for pin in pins}
    seen, wrong = 0, []
    for found in distributions():
        name, wanted = _plain(found.metadata["Name"]), found.metadata.get("Requires-Python")
        if name in pinned and pinned[name].contains(found.version) and wanted:
            seen += 1
            if not SpecifierSet(wanted).contains("3.11.0"):
                wrong.append((name, found.version, wanted))
    assert wrong == []
    assert seen > 20
