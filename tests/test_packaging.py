"""What releases, containers and citations are made of goes together with `pyproject.toml`."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OF_CONDA = {"dask-core": "dask", "matplotlib-base": "matplotlib", "python-isal": "isal"}
"""Packages that conda-forge calls otherwise."""


def _yaml(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def _needed(requirement):
    name, bound = re.match(r"([\w.-]+)(?:\[.*\])?\s*(>=[\d.]+)?", requirement).groups()
    return OF_CONDA.get(name, name), bound or ""


def test_the_conda_recipe_needs_what_the_project_needs():
    found = {
        _needed(one) for one in _yaml(".github/packaging/conda/recipe.yaml")["requirements"]["run"]
    }
    wanted = {_needed(one) for one in PROJECT["dependencies"]}
    assert found == wanted | {("python", PROJECT["requires-python"])}


def test_the_container_installs_extras_that_there_are():
    text = (ROOT / ".github/packaging/Containerfile").read_text(encoding="utf-8")
    for extras in re.findall(r"EXTRAS=([\w,]+)", text):
        assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_workflows_run_what_there_is():
    targets = re.findall(
        r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    seen = set()
    for file in sorted((ROOT / ".github/workflows").glob("*.yml")):
        for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values():
            for command in [step["run"] for step in job["steps"] if "run" in step]:
                seen.add(command)
                if command.startswith("make "):
                    assert command.split()[1] in targets
                if command.startswith(".ci/"):
                    assert (ROOT / command).stat().st_mode & 0o100
    assert {".ci/run", "make docs", "make release"} <= seen


def test_the_citation_names_what_the_project_is():
    citation = _yaml("CITATION.cff")
    assert citation["license"] == PROJECT["license"]
    assert citation["title"].startswith(PROJECT["name"])
    assert all(one.get("title") and one.get("year") for one in citation["references"])
