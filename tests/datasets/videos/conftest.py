import pytest

from musim.datasets.videos.generation import generate_trials
from musim.simulator.calf.study import Study

SMALL = Study().changed({
    "pixels": "64x48", "size": "40x50", "region_rows": 24, "rest": 0.2, "duration": 1,
    "looks": 1,
})  # fmt: skip
"""Thirty small images a trial."""


@pytest.fixture(scope="session")
def study():
    return SMALL


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """Four trials: all three of the first participant, and one of the second."""
    out = tmp_path_factory.mktemp("videos") / "rendered.zarr"
    return generate_trials(SMALL, out, sequences=4, seed=5, workers=1, pool="threads")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The same, with images."""
    out = tmp_path_factory.mktemp("videos") / "written.zarr"
    return generate_trials(SMALL, out, sequences=4, seed=5, written=True, part_size=3, workers=1,
                           pool="threads")  # fmt: skip
