"""Commands are typed all day: none imports what it does not use, and help imports nothing heavy."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from musim.cli.main import COMMANDS
from musim.datasets import generate
from musim.simulator import Parameters
from musim.training.identification.results import identify_stores

HEAVY = {"dask", "distributed", "h5py", "lightning", "matplotlib", "numba", "pandas", "scipy.fft",
         "scipy.ndimage", "scipy.signal", "scipy.special", "scipy.stats", "sklearn", "torch",
         "xarray", "zarr"}  # fmt: skip
"""Packages that take from a tenth of a second to several to import."""

RUN = """
import json, sys
from musim.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as stop:
        assert not stop.code, arguments
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def modules_after(*commands):
    """Return the names of the modules that a process has after some commands."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(commands)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return the path of a small store whose voxels are written."""
    place = tmp_path_factory.mktemp("startup") / "small.zarr"
    parameters = Parameters(units=(2, 2), pixels=(16, 16), frames=240)
    generate(parameters, place, sequences=2, workers=1, pool="threads")
    return str(place)


def test_help_of_no_command_imports_anything_heavy():
    helps = [[name, "--help"] for name in COMMANDS]
    groups = {
        "evaluate": ("identify", "translate"),
        "train": ("detect", "diffuse", "judge", "twitch", "translate"),
    }
    helps += [[name, one, "--help"] for name, ones in groups.items() for one in ones]
    assert modules_after(*helps) & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["verify"], {"zarr"}),
        (["info", "--no-card"], {"zarr"}),
        (["info"], {"zarr"}),
        (["events"], {"zarr"}),
        # This process, where no other finds the units; and one that others work for.
        (["identify", "--workers", "1"],
         {"zarr", "numba", "scipy.fft", "scipy.ndimage", "scipy.special"}),
        (["identify", "--workers", "2"], {"zarr"}),
    ],
)  # fmt: skip
def test_a_command_imports_what_it_uses_alone(store, arguments, needed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = modules_after([arguments[0], store, *arguments[1:]])
    assert found & HEAVY <= needed, (found & HEAVY) - needed


def test_a_preview_imports_what_it_uses_alone(store, tmp_path):
    found = modules_after(["preview", store, "--out", str(tmp_path / "picture.png")])
    assert found & HEAVY <= {"zarr", "matplotlib"}


def test_a_report_imports_what_it_uses_alone(store, tmp_path):
    units, page = str(tmp_path / "units.zarr"), str(tmp_path / "page.html")
    identify_stores(store, units, workers=1)
    found = modules_after(["report", units, "--out", page])
    # Of Matplotlib its colours and contours; no figures.
    assert found & HEAVY <= {"zarr", "numba", "scipy.ndimage", "scipy.special", "matplotlib"}
    assert found & {"scipy.optimize", "matplotlib.figure"} == set()


@pytest.mark.parametrize("more", [[], ["--pictures", "pictures"]], ids=["table", "pictures"])
def test_measuring_imports_what_it_uses_alone(tmp_path, monkeypatch, more):
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:13] = mask[50:53] = 255
    for name in ("a.png", "a_mask.png"):
        Image.fromarray(mask).save(name)
    found = modules_after(["measure", "a.png", *more])
    assert found & HEAVY <= {"scipy.ndimage", "scipy.special"} | ({"matplotlib"} if more else set())
    assert ("matplotlib" in found) == bool(more)


def test_info_keeps_to_a_budget_of_modules(store):
    # 702 as this is written; xarray alone brings a thousand.
    assert len(modules_after(["info", store, "--no-card"])) < 750


@pytest.mark.parametrize(
    "process",
    [
        "from musim.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass",
        "from musim.datasets import parallel\nparallel._obey_parent()",
    ],
    ids=["command", "worker"],
)
def test_processes_end_without_looking_through_their_libraries(process):
    script = f"import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count()))\n{process}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[-1]) > 1000
