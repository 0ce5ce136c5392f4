"""Compiled kernels that are kept: never run after an edit of what was compiled into them."""

import ast
import importlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from musim.simulator import acceleration

INNER = "from .acceleration import inline\n@inline\ndef factor(x):\n    return {} * x\n"
OUTER = (
    "from .acceleration import kernel\nfrom .inner_kernels import factor\n"
    "@kernel\ndef apply(x):\n    return factor(x)\n"
)
RUN = (
    "from pack.outer_kernels import apply\n"
    "result = apply(1.0)\nprint(result, sum(apply.stats.cache_hits.values()))\n"
)


def test_a_kernel_is_compiled_again_when_one_within_it_was_edited(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "__init__.py").touch()
    shutil.copy(acceleration.__file__, pack / "acceleration.py")
    (pack / "outer_kernels.py").write_text(OUTER, "utf-8")
    told = []
    for number in (2, 2, 3):
        (pack / "inner_kernels.py").write_text(INNER.format(number), "utf-8")
        # Bytecode is looked at by its time, which has seconds: it may be as old as the edit.
        for stale in (pack / "__pycache__").glob("inner_kernels*.pyc"):
            stale.unlink()
        done = subprocess.run(
            [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        told.append(done.stdout.split())
    # The second run takes what the first has kept.
    assert told == [["2.0", "0"], ["2.0", "1"], ["3.0", "0"]]


MODULES = sorted(
    path
    for package in ("musim.simulator", "musim.datasets", "musim.training")
    for place in importlib.util.find_spec(package).submodule_search_locations
    for path in Path(place).rglob("*_kernels.py")
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_kernels_are_made_of_kernels_alone(path):
    # A constant of another module would be compiled in, and its edit not be seen.
    taken = [
        node.module.rpartition(".")[2]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    others = [name for name in taken if not name.endswith("_kernels")]
    assert "acceleration" in others
    assert set(others) <= {"acceleration", "vectors"}


def test_a_kernel_is_made_of_the_vectors_that_it_takes():
    kernels = importlib.import_module("musim.simulator.experiment.speckle_kernels")
    found = {name for name, _ in acceleration.sources_of(vars(kernels))}
    assert {"musim.simulator.vectors", "musim.simulator.noise_kernels"} <= found
