"""``import musim`` gives what people use, when they use it, and says what it has."""

import ast
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import musim
from musim.datasets.importing.stores import import_recordings

HEAVY = ["numpy", "torch", "zarr", "xarray", "click", "scipy", "numba"]
PLACES = musim._PLACES
TRAINED = ["DetectTask", "DiffuseTask", "TranslateTask", "TwitchTask", "sample_images", "translate"]
"""What needs torch."""


def _python(code, *arguments):
    command = [sys.executable, *arguments, *(["-c", code] if code else [])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_importing_it_imports_nothing_heavy():
    done = _python(f"import sys, musim\nprint([name for name in {HEAVY} if name in sys.modules])")
    assert (done.stderr, done.stdout) == ("", "[]\n")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.torch] if name in TRAINED else []) for name in PLACES],
)
def test_every_name_is_there_and_is_what_its_module_has(name):
    module, attribute = PLACES[name]
    assert getattr(musim, name) is getattr(sys.modules[f"musim.{module}"], attribute)


def test_without_torch_all_is_there_but_what_needs_it():
    code = (
        "import sys, pydoc\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "import musim\n"
        f"print([name for name in {[*PLACES]} if not hasattr(musim, name)])\n"
        "assert 'Chain' in pydoc.render_doc(musim)\n"
        "try:\n    musim.translate\nexcept AttributeError as error:\n    print(error)"
    )
    done = _python(code)
    assert done.stderr == ""
    missing, error = done.stdout.splitlines()
    assert ast.literal_eval(missing) == TRAINED
    assert error.startswith("musim.translate: found torch missing")
    assert 'pip install "musim[train]"' in error


def test_names_are_used_like_those_of_any_package():
    from musim import Parameters, draw

    assert draw(Parameters(), seed=0, index=0).unit_count >= 5
    assert musim.import_recordings is import_recordings
    assert musim.datasets.generate is musim.generate
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", musim.__version__)


def test_they_are_listed():
    assert {*PLACES, "simulator", "datasets", "training", "cli", "__version__"} <= {*dir(musim)}
    public = {name for name in dir(musim) if not name.startswith("__")}
    assert public == {*PLACES, "simulator", "datasets", "training", "cli", "plot"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("open_stor", "did you mean 'open_store'"),
        ("parameters", "did you mean 'Parameters'"),
        ("generate_store", "did you mean 'generate'"),
        ("xyz", "help(musim)"),
    ],
)
def test_unknown_names_get_a_suggestion(name, words):
    with pytest.raises(AttributeError, match=re.escape(words)) as caught:
        getattr(musim, name)
    assert f"'musim' has no attribute {name!r}" in str(caught.value)
    assert not hasattr(musim, "__wrapped__")


def test_help_is_a_table_of_contents():
    text = pydoc.plain(pydoc.render_doc(musim))
    assert len(text.splitlines()) < 90
    lines = musim.__doc__.splitlines()
    for name in PLACES:
        listed = [line for line in lines if re.match(rf" {{4}}(\w+, )*{name}\b", line)]
        assert len(listed) == 1, name


def test_checkers_see_the_names_where_they_lie():
    tree = ast.parse(Path(musim.__file__).read_text("utf-8"))
    seen = {
        alias.name: (node.module.removeprefix("musim."), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("musim.")
        for alias in node.names
    }
    renamed = {
        node.targets[0].id: seen.pop(node.value.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.value, "id", "") in seen
    }
    assert seen | renamed == PLACES
    assert Path(musim.__file__).with_name("py.typed").is_file()


def test_it_runs_as_a_module():
    done = _python("", "-m", "musim", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert musim.__version__ in done.stdout
    done = _python("", "-m", "musim", "generat")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
