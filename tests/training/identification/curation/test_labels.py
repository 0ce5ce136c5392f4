"""Curated units as the truth of their recordings: read, scored against, and learned from."""

import pickle
import shutil

import numpy as np
import pytest

from musim.datasets import generate, open_store
from musim.datasets.labels import Labelled, open_with_labels
from musim.datasets.statistics import standardisation
from musim.training.identification.curation.curating import curate_store
from musim.training.identification.curation.edits import Accept, Reject
from musim.training.identification.evaluation import evaluate
from musim.training.identification.found_evaluation import evaluate_found
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.results import recording_of
from musim.training.identification.units import none
from tests.training.identification.curation.conftest import PARAMETERS, WHO, found_in


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("labels")


@pytest.fixture(scope="module")
def labels(units, place):
    """Two of three units of the first sequence, all of the second one's; not to be changed."""
    edits = [Reject(unit=1, **WHO), *(Accept(unit=n, **WHO) for n in (0, 2))]
    return curate_store(units, place / "labels.zarr", edits, workers=1)


def test_recordings_are_read_with_what_people_said_of_them(labels, recording):
    store = open_with_labels(labels.location.path)
    assert isinstance(store, Labelled)
    assert store.has_truth
    for index in range(2):
        np.testing.assert_array_equal(store.tvi(index), recording.tvi(index))
        truth = store.truth(index)
        np.testing.assert_array_equal(truth.twitch_train, labels.read("twitch_train", index)
                                      [: truth.unit_count])  # fmt: skip
        assert np.isnan(truth.snr)
        assert np.isnan(truth.displacement).all()
    assert store.truth(0).unit_count == 2
    window = store.tvi(1, time=slice(5, 9), depth=slice(2, 4))
    np.testing.assert_array_equal(window, recording.tvi(1)[5:9, 2:4])
    np.testing.assert_array_equal(store.dataset.tvi[1, 7], recording.tvi(1)[7])
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.tvi(1), recording.tvi(1))
    assert recording_of(store, 0).band == recording_of(recording, 0).band


def test_labels_of_several_recordings_go_with_their_own(recording, tmp_path):
    other = generate(PARAMETERS, tmp_path / "other.zarr", sequences=1, seed=6, workers=1)
    units = found_in([recording, other], tmp_path / "units.zarr")
    store = open_with_labels(curate_store(units, tmp_path / "labels.zarr", [], workers=1))
    sources = [(recording, 0), (recording, 1), (other, 0)]
    for index, (source, place) in enumerate(sources):
        np.testing.assert_array_equal(store.tvi(index), source.tvi(place))
        np.testing.assert_array_equal(store.dataset.tvi[index, 7], source.tvi(place)[7])
        wanted = np.sort(source.truth(place).twitch_train.std(axis=1))
        found = np.sort(store.truth(index).twitch_train.std(axis=1))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_other_stores_are_opened_as_they_are(recording, units):
    assert open_with_labels(recording) is recording
    assert type(open_with_labels(units.location.path)) is type(units)
    assert not open_with_labels(units).has_truth


def test_voxels_are_standardised_by_those_of_the_recordings(labels, recording):
    found = standardisation(open_with_labels(labels))
    voxels = np.concatenate([recording.tvi(index).ravel() for index in range(2)])
    np.testing.assert_allclose(found, (voxels.mean(), voxels.std()), rtol=1e-4, atol=1e-5)
    assert open_store(labels.location.path).location.read("zarr.json") == (
        labels.location.read("zarr.json")
    )  # what is known of recordings is not said of units


def test_other_recordings_in_the_place_are_refused(tmp_path, refused):
    recorded = generate(PARAMETERS, tmp_path / "r.zarr", sequences=1, seed=8, workers=1)
    units = found_in(recorded, tmp_path / "u.zarr")
    made = curate_store(units, tmp_path / "l.zarr", [], workers=1)
    generate(PARAMETERS, tmp_path / "r.zarr", sequences=1, seed=9, workers=1, overwrite=True)
    with refused("r.zarr: found another store than the units of", "curate them anew"):
        open_with_labels(made.location.path)
    shutil.rmtree(tmp_path / "r.zarr")
    with refused("r.zarr: found nothing there"):
        open_with_labels(made.location.path)


def test_methods_are_scored_against_labels(labels, units, place):
    def told(recording):
        index = next(
            n for n in range(2) if np.array_equal(recording.tvi, recording_of(units_source, n).tvi)
        )
        from musim.training.identification.stored import units_in

        return units_in(units, index)

    units_source = open_with_labels(labels)
    METHODS["known"] = Method("known", "", told, keeps_confidence=True)
    METHODS["blind"] = Method("blind", "", none, keeps_confidence=True)
    try:
        found = evaluate(labels.location.path, "known", place / "known", workers=1)
        nothing = evaluate(labels.location.path, "blind", place / "blind", workers=1)
    finally:
        del METHODS["known"], METHODS["blind"]
    first, second = found.sequences
    assert (first["units"], first["predictions"]) == (2, 3)
    assert first["train_recall"] == 1.0
    assert first["train_precision"] == pytest.approx(2 / 3)  # one was rejected
    assert second["train_precision"] == second["train_recall"] == 1.0
    assert all(row["train_recall"] == 0 for row in nothing.sequences)
    assert (place / "known" / "summary.csv").exists()


def test_stores_of_units_are_scored_against_labels_and_truth(labels, units, recording, place):
    against = evaluate_found(units, labels, place / "found", workers=1)
    assert [row["train_precision"] for row in against.sequences] == [pytest.approx(2 / 3), 1.0]
    against = evaluate_found(labels, recording, place / "true", workers=1, rules="munitquest")
    assert [row["train_recall"] for row in against.sequences] == [pytest.approx(2 / 3), 1.0]
    assert [row["train_precision"] for row in against.sequences] == [1.0, 1.0]
    assert against.sequences[1]["firing_agreement"] == 1.0


def test_units_of_other_recordings_are_not_scored(labels, units, recording, tmp_path, refused):
    other = generate(PARAMETERS, tmp_path / "other.zarr", sequences=2, seed=5, workers=1)
    with refused("found units of recording 0 of", "wanted those of the 2 recordings of"):
        evaluate_found(units, other, tmp_path / "a")
    with refused("wanted simulated recordings, or curated units, to score against"):
        evaluate_found(units, units, tmp_path / "a")
    with refused("found sequences drawn with seed 4, wanted units that were found"):
        evaluate_found(recording, recording, tmp_path / "a")


@pytest.mark.torch
def test_batches_hold_recordings_and_labels(labels, recording):
    pytest.importorskip("torch")
    from musim.datasets.streaming import SequenceLoader

    (batch,) = SequenceLoader(labels.location.path, batch_size=2, shuffle=False)
    for index in range(2):
        np.testing.assert_array_equal(batch["tvi"][index], recording.tvi(index))
    assert batch["unit_mask"].sum(axis=1).tolist() == [2, 3]
    np.testing.assert_array_equal(batch["territory"][0, :2], labels.read("territory", 0)[:2])


@pytest.mark.torch
def test_networks_are_trained_on_recordings_with_labels(tmp_path):
    pytest.importorskip("torch")
    from musim.training import tasks
    from musim.training.identification.networks.detection_task import DetectTask
    from musim.training.identification.networks.twitch_task import TwitchTask

    small = {"frames": 100, "pixels": (16, 16), "size": (16.0, 16.0), "frame_rate": 100.0}
    recorded = generate(
        type(PARAMETERS)(**{**PARAMETERS.__dict__, **small}), tmp_path / "r.zarr", sequences=12,
        seed=8, workers=1,
    )  # fmt: skip
    units = found_in(recorded, tmp_path / "u.zarr")
    labels = curate_store(units, tmp_path / "l.zarr", [Reject(unit=0, **WHO)], workers=1)
    twitch = {
        "crop": (8, 8), "maps": (2, 2), "kernels": ((5, 3, 3), (3, 3, 3)), "snr": "",
        "strides": ((1, 2, 2), (1, 1, 1)), "dense": (6,), "recurrent": 4, "head": (7,),
        "batch_size": 6, "sequences": 2, "validation_batches": 1, "steps": 2, "validate_every": 2,
    }  # fmt: skip
    found = tasks.train(
        TwitchTask, tmp_path / "twitch", texts=twitch, source=labels, accelerator="cpu"
    )
    assert np.isfinite(list(found.values())).all()
    assert DetectTask.source_class.of(labels).open_with_truth().has_truth
