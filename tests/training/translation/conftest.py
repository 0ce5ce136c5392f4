"""Two small domains, a translator that is trained on them in a second, and stores to refuse."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from musim.datasets import generate
from musim.datasets.importing.description import Description
from musim.datasets.importing.stores import import_recordings
from musim.datasets.layout import Layout
from musim.simulator import Parameters, Range
from musim.simulator.imaging.chain import Chain
from musim.training.tasks import train
from musim.training.translation.domains import Domains
from musim.training.translation.translation_task import TranslateTask
from tests import makers
from tests.threads import assert_no_reader_stays

SCENES = Parameters(
    units=Range(2, 3), pixels=(32, 32), size=(32.0, 32.0), diameter=Range(5, 9), frames=48,
    frame_rate=200.0, snr=Range(20, 20),
)  # fmt: skip
SEQUENCES = 8

TINY = {
    "maps": "2", "blocks": "1", "discriminator_maps": "2", "discriminator_layers": "2",
    "predictor_maps": "2", "predictor_depth": "3", "frames": "8", "steps": "4",
    "validate_every": "4", "validation_batches": "1", "save_every": "2", "log_every": "1",
}  # fmt: skip
"""What makes every architecture train in no time, as a user would type it."""


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    assert_no_reader_stays()


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """Return a function that generates a store of small scenes, some of them otherwise."""
    folder = tmp_path_factory.mktemp("domains")

    def make(name, *, sequences=SEQUENCES, seed=1, kind="dense", **changes):
        path = folder / f"{name}.zarr"
        if not path.exists():
            parameters = dataclasses.replace(SCENES, **changes)
            generate(parameters, path, sequences=sequences, seed=seed, kind=kind, workers=1,
                     pool="threads")  # fmt: skip
        return path

    return make


@pytest.fixture(scope="session")
def domains(make_store):
    """Two stores of 8 sequences: 5 to train on, 2 to validate."""
    return Domains(str(make_store("a")), str(make_store("b", seed=2, mask="soft")))


@pytest.fixture(scope="session")
def texts():
    """Return a function that gives settings of a small translator."""
    return lambda **changes: {**TINY, **{name: str(value) for name, value in changes.items()}}


@pytest.fixture(scope="session")
def trained(domains, texts, tmp_path_factory):
    """A run that is not to be changed."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("trained") / "run"
    train(TranslateTask, path, texts=texts(learning_rate=0.01), source=domains, accelerator="cpu")
    return path


@pytest.fixture(scope="session")
def contents():
    """Return a function from a folder to its files, hidden ones too."""

    def call(folder):
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    return call


@pytest.fixture
def store_of(tmp_path):
    """Return a function that stores given sequences as they are, without any labels."""

    def make(name, sequences, frame_rate=200.0, pixel_size=(1.0, 1.0)):
        sizes = dict(zip(("time", "depth", "width"), sequences[0].shape, strict=True))
        layout = Layout(
            kind="dense", variables=("tvi",), sizes={"sequence": len(sequences), **sizes},
            part_size=1, dtypes={}, frame_rate=frame_rate, pixel_size=pixel_size, attributes={},
        )  # fmt: skip

        path = tmp_path / f"{name}.zarr"
        makers.store_of(path, layout, lambda part: ({}, [sequences[part]]))
        return path

    return make


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A store of eight recordings as `musim import` makes it: no truth, no labels."""
    folder = tmp_path_factory.mktemp("recorded")
    random = np.random.default_rng(5)
    np.save(folder / "tvi.npy", random.normal(0, 2, (8, 48, 32, 32)).astype(np.float32))
    description = Description.parse(
        {"kind": "velocity", "axes": "sequence,time,depth,width", "frame_rate": 200,
         "size": [32, 32]}
    )  # fmt: skip
    import_recordings(
        [folder / "tvi.npy"], folder / "recorded.zarr", description, Chain(), workers=1
    )
    return folder / "recorded.zarr"


@pytest.fixture
def identified(make_store, tmp_path):
    """A store that says of itself that it holds units that were found."""
    path = Path(shutil.copytree(make_store("a"), tmp_path / "identified.zarr"))
    plan = path / ".musim" / "plan.json"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "kind": "identified"}))
    return path
