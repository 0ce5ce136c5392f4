"""Small stores that the tests of streaming share, and what they compare."""

import dataclasses

import numpy as np
import pytest

from musim.datasets import generate, open_store
from musim.datasets.generation import plan
from musim.datasets.location import Location
from musim.datasets.writer import begin, finalise, write_part
from musim.simulator import Parameters, Range
from tests.makers import imported

SEQUENCES, PART_SIZE, SEED = 11, 3, 5


@pytest.fixture(scope="session")
def scene():
    """Parameters of sequences that differ in their numbers of units."""
    return Parameters(
        units=Range(1, 3), pixels=(12, 10), size=(6.0, 10.0), diameter=Range(2, 4), frames=22
    )


@pytest.fixture(scope="session")
def build(scene, tmp_path_factory):
    """Generate a small store."""

    def call(parameters=scene, **options):
        defaults = {"sequences": SEQUENCES, "part_size": PART_SIZE, "seed": SEED, "workers": 1}
        out = tmp_path_factory.mktemp("streaming") / "set.zarr"
        return generate(parameters, out, **(defaults | options))

    return call


@pytest.fixture(scope="session")
def dense(build):
    """A store with voxels and noise; not to be changed."""
    return build()


@pytest.fixture(scope="session")
def rendered(build):
    """The same sequences without voxels; not to be changed."""
    return build(kind="rendered")


@pytest.fixture(scope="session")
def noiseless(build, scene):
    """The same sequences with voxels, but no noise; not to be changed."""
    return build(dataclasses.replace(scene, snr=Range(np.inf, np.inf)))


@pytest.fixture(scope="session")
def untold(scene, tmp_path_factory):
    """Build a store of given voxels, (sequence, time, depth, width), that knows no units."""

    def call(voxels, **changes):
        sizes = dict(zip(("sequence", "time", "depth", "width"), voxels.shape, strict=True))
        layout = dataclasses.replace(
            plan(scene, sequences=len(voxels), part_size=PART_SIZE),
            variables=("tvi",), sizes=sizes, attributes=imported(len(voxels)), **changes,
        )  # fmt: skip
        location = Location(tmp_path_factory.mktemp("untold") / "set.zarr")
        begin(location, layout, overwrite=False)
        for part in range(layout.parts):
            write_part(location, layout, part, {}, (voxels[i] for i in layout.sequences_of(part)))
        finalise(location, layout)
        return open_store(location.address)

    return call


@pytest.fixture(scope="session")
def same():
    """Assert that two lists of batches are equal, bit for bit."""

    def call(found, wanted):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert sorted(one) == sorted(other)
            for name, value in one.items():
                np.testing.assert_array_equal(value.numpy(), other[name].numpy(), err_msg=name)

    return call


@pytest.fixture(scope="session")
def indices():
    """Return the sequences of some batches, batch after batch."""
    return lambda batches: [index for batch in batches for index in batch["index"].tolist()]
