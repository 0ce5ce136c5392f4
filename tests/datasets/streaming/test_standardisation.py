"""A store's mean and spread: right, computed once, and kept without harm to the store."""

import dataclasses
import json

import numpy as np
import pytest
import torch
import xarray as xr

from musim.datasets import open_store, statistics, verify
from musim.datasets.origins.attributes import MEAN, SD
from musim.datasets.statistics import standardisation
from musim.datasets.streaming import SequenceLoader, reading
from musim.simulator import Range
from musim.simulator.errors import FailureError


def voxels_of(store):
    return np.stack([store.tvi(index) for index in range(len(store))]).astype(float)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_mean_and_spread_are_those_of_all_voxels(build, dtype):
    store = build(dtype=dtype)
    mean, sd = standardisation(store, keep=False)
    voxels = voxels_of(store)
    assert mean == pytest.approx(voxels.mean(), rel=1e-6, abs=1e-9)
    assert sd == pytest.approx(voxels.std(), rel=1e-6)


def test_a_rendered_stores_follow_from_its_truth(dense, rendered):
    mean, sd = standardisation(rendered, keep=False)
    voxels = voxels_of(dense)
    assert sd == pytest.approx(voxels.std(), rel=0.02)
    assert mean == pytest.approx(voxels.mean(), abs=4 * sd / np.sqrt(voxels.size))


def test_without_noise_the_truth_gives_them_exactly(build, noiseless, scene):
    quiet = build(dataclasses.replace(scene, snr=Range(np.inf, np.inf)), kind="rendered")
    found, wanted = standardisation(quiet, keep=False), standardisation(noiseless, keep=False)
    assert found == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_they_are_computed_once_and_kept(build, kind, monkeypatch):
    store = build(kind=kind)
    steps = []
    wanted = standardisation(store, on_progress=lambda *step: steps.append(step))
    assert steps == [(done + 1, len(store)) for done in range(len(store))]

    def again(store, index):
        raise AssertionError("computed again")

    monkeypatch.setattr(statistics, "_dense_moments", again)
    monkeypatch.setattr(statistics, "_rendered_moments", again)
    assert standardisation(store) == wanted
    assert standardisation(open_store(store.location.address)) == wanted


def test_a_store_that_keeps_them_is_whole_and_opens_elsewhere(build):
    store = build()
    before = voxels_of(store)
    wanted = standardisation(store)
    opened = verify(store.location.address, remake=2)
    np.testing.assert_array_equal(voxels_of(opened), before)
    with xr.open_zarr(store.location.address) as dataset:
        assert (dataset.attrs[MEAN], dataset.attrs[SD]) == wanted
        assert dataset.attrs["musim_kind"] == "dense"
        np.testing.assert_array_equal(dataset.tvi.values, before)


def test_altered_statistics_are_noticed(build):
    store = build(sequences=2)
    standardisation(store)
    root = store.location.path / "zarr.json"
    document = json.loads(root.read_text())
    document["attributes"][MEAN] += 1
    root.write_text(json.dumps(document, indent=2))
    with pytest.raises(FailureError, match=r"zarr\.json"):
        verify(store.location.address)


def test_a_store_that_cannot_be_written_is_computed_anew(build, monkeypatch, assert_same_files):
    store, other = build(sequences=2), build(sequences=2)

    def refuse(location, attributes):
        raise FailureError("read-only")

    monkeypatch.setattr(statistics, "set_attributes", refuse)
    assert standardisation(store) == standardisation(store)
    assert_same_files(store.location.path, other.location.path)


def test_without_keeping_nothing_is_written(build, assert_same_files):
    store, other = build(sequences=2), build(sequences=2)
    standardisation(store, keep=False)
    assert_same_files(store.location.path, other.location.path)


def test_voxels_without_truth_are_standardised_too(untold):
    random = np.random.default_rng(1)
    voxels = random.normal(3, 2, (4, 8, 6, 5)).astype(np.float32)
    found = standardisation(untold(voxels))
    assert found == pytest.approx((voxels.mean(dtype=float), voxels.std(dtype=float)), rel=1e-6)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_voxels_that_cannot_be_standardised_are_refused(untold, refused, value):
    voxels = np.zeros((3, 4, 5, 2), np.float32)
    voxels[1, 2, 3, 1] = value
    store = untold(voxels)
    with refused(store.location.address, "standard deviation"):
        SequenceLoader(store, batch_size=1, standardise=True)


@pytest.mark.parametrize(
    ("kind", "device"), [("dense", None), ("rendered", None), ("rendered", "cpu")]
)
def test_standardised_batches_have_mean_0_and_variance_1(build, kind, device):
    store = build(kind=kind)
    loader = SequenceLoader(store, batch_size=4, standardise=True, device=device, flips=("depth",))
    voxels = torch.cat([batch["tvi"] for batch in loader]).double()
    assert abs(voxels.mean()) < 0.02
    assert abs(voxels.var() - 1) < (1e-4 if kind == "dense" else 0.04)


def test_standardised_voxels_go_back_to_the_stored_ones(build):
    store = build()
    (batch,) = SequenceLoader(store, batch_size=11, shuffle=False, standardise=True)
    mean, sd = standardisation(store)
    np.testing.assert_allclose(batch["tvi"].numpy() * sd + mean, voxels_of(store), atol=1e-5 * sd)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_voxels_are_worked_on_piece_by_piece(request, kind, same, monkeypatch):
    options = {"batch_size": 3, "flips": ("depth", "width"), "standardise": True}
    store = request.getfixturevalue(kind)
    wanted = list(SequenceLoader(store, **options))
    mean, sd = np.float32(standardisation(store))
    for batch in wanted:
        index = int(batch["index"][0])
        upright = (store.tvi(index) - mean) * np.float32(1 / float(sd))
        found = batch["tvi"][0].numpy()
        turned = [upright[:, ::down, ::across] for down in (1, -1) for across in (1, -1)]
        assert any(np.allclose(found, one, rtol=1e-6, atol=1e-6) for one in turned)
    monkeypatch.setattr(reading, "PIECE", 250)  # two frames, or two and a bit
    same(list(SequenceLoader(store, **options)), wanted)
