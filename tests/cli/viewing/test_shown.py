"""Which stores belong together."""

import shutil

import numpy as np
import pytest

from musim.cli.viewing.answers import Answers
from musim.cli.viewing.queries import Query
from musim.cli.viewing.shown import open_shown, place_of
from musim.datasets import generate, open_store
from musim.simulator import InputError, Parameters, Range


def test_units_alone_bring_their_recording(looked_at):
    shown = open_shown([looked_at.units])
    (recording,) = shown.recordings
    assert recording.watched.name == "<i>&.zarr"
    assert [units.name for units in recording.sets] == ["truth", "refine"]


def test_two_results_of_one_method_are_called_by_their_stores(looked_at, tmp_path):
    again = shutil.copytree(looked_at.units.location.path, tmp_path / "again.zarr")
    (recording,) = open_shown([looked_at.recording, looked_at.units, again]).recordings
    assert [units.name for units in recording.sets] == ["truth", "units.zarr", "again.zarr"]


def test_a_recording_that_has_moved_is_known_by_its_values(looked_at, tmp_path):
    moved = shutil.copytree(looked_at.recording.location.path, tmp_path / "moved.zarr")
    (recording,) = open_shown([moved, looked_at.units]).recordings
    store = recording.watched.store
    assert [recording.sets[1].place_of(store, n) for n in range(2)] == [0, 1]


def test_units_whose_recording_is_gone_are_seen_for_themselves(looked_at, tmp_path):
    source = shutil.copytree(looked_at.recording.location.path, tmp_path / "gone.zarr")
    from musim.training.identification.results import identify_stores

    units = tmp_path / "of_gone.zarr"
    identify_stores(source, units, workers=1, method="oracle-territories")
    shutil.rmtree(source)
    (recording,) = open_shown([units]).recordings
    assert recording.watched.name == "of_gone.zarr"
    assert [one.kind for one in recording.sets] == ["found"]
    answers, store = Answers(open_shown([units])), open_store(units)
    assert answers.sequence(Query({}))["facts"] == ["their recording is not found any more"]
    made = answers.frames(Query({"layer": "reconstruction", "first": "5", "count": "3"}))
    np.testing.assert_allclose(made, store.tvi(0, time=slice(5, 8)), atol=1e-6)
    found = answers.map(Query({"layer": "sd"}))
    np.testing.assert_array_equal(found, store.read("velocity_sd", 0))
    with pytest.raises(InputError, match="wanted one of sd, reconstruction"):
        answers.frames(Query({"layer": "residual"}))


def test_units_of_another_recording_are_refused(looked_at, tmp_path, refused):
    parameters = Parameters(units=Range(4, 4), pixels=(32, 24), size=(32.0, 24.0), frames=300)
    other = generate(parameters, tmp_path / "b.zarr", sequences=2, seed=9, workers=1,
                     pool="threads")  # fmt: skip
    assert place_of(looked_at.units, other, 0) is None
    with refused("units.zarr", "found units of", "wanted those of", "b.zarr"):
        open_shown([other, looked_at.units])


def test_several_recordings_are_seen_together(looked_at, slices_store):
    shown = open_shown([looked_at.recording, slices_store, looked_at.units])
    assert [len(one.sets) for one in shown.recordings] == [2, 0]


@pytest.mark.parametrize(
    ("more", "words"),
    [({"sequence": 2}, ["`sequence=2`", "0 to 1"]), ({"frame": 300}, ["`frame=300`", "0 to 299"]),
     ({"sequence": -1}, ["`sequence=-1`"])],
)  # fmt: skip
def test_what_is_not_there_cannot_be_seen_first(looked_at, refused, more, words):
    with refused(*words):
        open_shown([looked_at.recording], **more)


def test_stores_are_opened_once(looked_at):
    store = open_store(str(looked_at.recording.location))
    assert open_shown([store]).recordings[0].watched.store is store
