"""Stores of earlier versions stay readable, whole and remakeable; the same seeds give the same."""

import json
import zipfile

import numpy as np
import pytest

from musim.datasets import generate, verify
from musim.datasets.origins import simulated
from musim.simulator import Parameters
from musim.simulator.experiment.doses import Doses
from tests.datasets.format_1 import make as recorded

DIGESTS = json.loads((recorded.FOLDER / "digests.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The recorded settings, made by this version."""
    return recorded.make(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("name", DIGESTS)
def test_the_same_settings_and_seed_give_the_same_values_as_ever(made, name):
    found = recorded.digests(made[name])
    assert {variable: found[variable] for variable in DIGESTS[name]} == DIGESTS[name]


def test_the_experiment_does_not_depend_on_its_parts(tmp_path):
    store = generate(
        Parameters.from_texts(recorded.EXPERIMENT, "experiment"), tmp_path / "set.zarr",
        sequences=2, seed=12, doses=Doses(**recorded.DOSES), part_size=2, workers=1,
    )  # fmt: skip
    assert (len(store), store.layout.parts) == (2, 1)
    found = recorded.digests(store)
    assert {name: found[name] for name in DIGESTS["experiment"]} == DIGESTS["experiment"]


def unpacked(name, folder):
    with zipfile.ZipFile(recorded.FOLDER / f"{name}.zip") as archive:
        archive.extractall(folder / "old.zarr")
    return folder / "old.zarr"


@pytest.mark.parametrize("name", ["fibres", "experiment"])
def test_stores_of_earlier_versions_open_verify_and_are_remade(made, name, tmp_path):
    store = verify(unpacked(name, tmp_path), remake=3)
    assert store.parameters == made[name].parameters
    assert store.seed == made[name].seed
    assert store.domain == made[name].domain
    np.testing.assert_array_equal(store.tvi(1), made[name].tvi(1))


def test_a_store_of_another_revision_is_whole_and_told_apart(made, tmp_path, refused):
    store = verify(unpacked("experiment_revision_1", tmp_path))
    assert (store.origin.revision, made["experiment"].origin.revision) == (1, 2)
    assert not np.array_equal(store.tvi(1), made["experiment"].tvi(1))
    np.testing.assert_array_equal(
        store.read("territory", 1), made["experiment"].read("territory", 1)
    )
    with refused("old.zarr: found recordings drawn with seed 12 by revision 1", "revision 2"):
        verify(tmp_path / "old.zarr", remake=1)


def test_a_store_that_another_revision_began_is_not_gone_on_with(tmp_path, monkeypatch, refused):
    parameters = Parameters.from_texts(recorded.EXPERIMENT, "experiment")
    asked = {"sequences": 1, "seed": 12, "doses": Doses(**recorded.DOSES), "workers": 1}
    with monkeypatch.context() as patch:
        patch.setattr(simulated, "BAND_PASS_REVISION", 1)
        generate(parameters, tmp_path / "set.zarr", **asked)
    with refused("found a store there by revision 1", "wanted revision 2", "`overwrite=True`"):
        generate(parameters, tmp_path / "set.zarr", **asked, resume=True)
