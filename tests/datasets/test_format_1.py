"""Stores of earlier versions stay readable, whole and remakeable; the same seeds give the same."""

import json
import zipfile

import numpy as np
import pytest

from musim.datasets import generate, open_store, verify
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


@pytest.mark.parametrize("name", ["fibres", "experiment"])
def test_stores_of_earlier_versions_open_verify_and_are_remade(made, name, tmp_path):
    with zipfile.ZipFile(recorded.FOLDER / f"{name}.zip") as archive:
        archive.extractall(tmp_path / "old.zarr")
    store = verify(tmp_path / "old.zarr", remake=3)
    assert store.parameters == made[name].parameters
    assert store.seed == made[name].seed
    assert store.domain == made[name].domain
    np.testing.assert_array_equal(open_store(tmp_path / "old.zarr").tvi(1), made[name].tvi(1))
