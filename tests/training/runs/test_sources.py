"""Batches by their number: the same whichever is begun with, ranks apart, validation unseen."""

import itertools
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from musim.datasets import generate, open_store
from musim.datasets.grid import Grid
from musim.simulator.experiment.doses import Doses
from musim.simulator.parameters import Parameters
from musim.simulator.ranges import Range
from musim.training.runs.sources import Source

TINY = Parameters(units=Range(2, 3), pixels=(8, 8), frames=16, frame_rate=100.0, size=(20.0, 20.0))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("sources") / "training.zarr"
    generate(TINY, path, sequences=40, seed=3, kind="rendered", workers=1, pool="threads")
    return Source(store=str(path))


@pytest.fixture(params=["endless", "stored"])
def source(request):
    if request.param == "endless":
        return Source(parameters=TINY)
    return request.getfixturevalue("stored")


def take(batches, count):
    with closing(batches):
        return list(itertools.islice(batches, count))


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[key].nan_to_num(-9), other[key].nan_to_num(-9)) for key in one
    )


def noises(batches):
    """Return the keys of the noise: no two sequences share one."""
    return {tuple(key.tolist()) for batch in batches for key in batch["noise_key"]}


def test_a_store_its_place_or_parameters_are_sources(stored):
    for given in (stored, stored.store, Path(stored.store), open_store(stored.store)):
        assert Source.of(given).open().location.address == stored.open().location.address
    assert Source.of(TINY) == Source(parameters=TINY)


def test_a_batch_is_the_same_whichever_step_is_begun_with(source):
    options = {"batch_size": 3, "seed": 5, "snr": "10-20"}
    whole = take(source.batches(0, **options), 40)
    for step in (1, 2, 10, 11, 12, 24, 37):
        part = take(source.batches(step, **options), 3)
        assert all(map(same, whole[step : step + 3], part)), step
    assert not same(whole[0], whole[1])
    other = take(source.batches(0, **{**options, "seed": 6}), 1)
    assert not same(whole[0], other[0])


def test_ranks_share_out_a_batch(source):
    options = {"batch_size": 2, "seed": 5}
    each = [take(source.batches(0, rank=rank, ranks=2, **options), 20) for rank in (0, 1)]
    # Of a store, in an epoch.
    epoch = 20 if source.parameters else len(source.loader("train", batch_size=2, ranks=2))
    assert not noises(each[0][:epoch]) & noises(each[1][:epoch])
    later = [take(source.batches(17, rank=rank, ranks=2, **options), 1)[0] for rank in (0, 1)]
    assert all(same(part[17], late) for part, late in zip(each, later, strict=True))
    if source.parameters is not None:
        alone = take(source.batches(0, batch_size=4, seed=5), 20)
        for number, batch in enumerate(alone):
            halves = torch.cat([part[number]["tvi"] for part in each])
            assert torch.equal(batch["tvi"], halves)


def test_validation_is_always_the_same_and_never_trained_on(source):
    options = {"batch_size": 2, "seed": 5}
    seen = noises(take(source.batches(0, **options), 60))
    found = take(source.validation(20, **options), 100)
    assert noises(found)
    assert not noises(found) & seen
    assert all(map(same, found, take(source.validation(20, **options), 100)))
    assert len(found) == (20 if source.parameters is not None else len(found)) <= 20
    noisy = take(source.validation(2, snr="5", **options), 2)
    again = take(source.validation(2, snr="5", **options), 2)
    assert all(map(same, noisy, again))
    assert all(bool((batch["snr"] == 5).all()) for batch in noisy)


def test_an_epoch_of_a_store_has_every_training_sequence_once(stored):
    loader = stored.loader("train", batch_size=3)
    batches = take(stored.batches(0, batch_size=3, seed=5), len(loader))
    indices = torch.cat([batch["index"] for batch in batches]).tolist()
    assert sorted(indices) == sorted(set(indices))
    assert len(indices) == loader.plan.indices.size


def test_a_source_is_read_back_from_wherever(source, tmp_path, monkeypatch):
    again = Source.from_json(source.to_json())
    assert again.grid == source.grid
    if source.store:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "link.zarr").symlink_to(source.store)
        plain = Source(store="link.zarr").to_json()
        assert plain["store"] == str(tmp_path / "link.zarr")
        monkeypatch.chdir("/")
        assert Source.from_json(plain).grid == source.grid
    else:
        assert again == source


def test_too_few_sequences_are_told(tmp_path, refused):
    path = tmp_path / "few.zarr"
    generate(TINY, path, sequences=2, seed=3, workers=1, pool="threads")
    source = Source(store=str(path))
    with refused("found 0 of 2 sequences for validation, wanted 1"):
        source.check_ready()
    with refused("for train, wanted 4"):
        source.check_ready(ranks=4)
    with refused("for validation"):
        next(source.validation(1, batch_size=1, seed=0))


def test_endless_quick_recordings_are_batches_too():
    scene = replace(
        TINY, size=(12.0, 10.0), diameter=Range(2, 4), frames=40, frame_rate=200.0, trials=2
    )
    source = Source(parameters=scene, doses=Doses(image=(80, 40)))
    assert Source.from_json(json.loads(json.dumps(source.to_json()))) == source
    options = {"batch_size": 2, "seed": 5, "snr": "20"}
    whole = take(source.batches(0, **options), 4)
    assert all(map(same, whole[2:], take(source.batches(2, **options), 2)))
    halves = [
        take(source.batches(0, rank=rank, ranks=2, **{**options, "batch_size": 1}), 1)[0]
        for rank in (0, 1)
    ]
    assert torch.equal(torch.cat([half["tvi"] for half in halves]), whole[0]["tvi"])
    plain = take(Source(parameters=scene).batches(0, **options), 1)[0]
    assert torch.equal(plain["index"], whole[0]["index"])
    assert torch.equal(plain["territory"], whole[0]["territory"])
    assert not torch.allclose(plain["tvi"], whole[0]["tvi"], atol=1e-3)
    # Those that validate show a subject each, in their order.
    validated = take(source.validation(2, batch_size=2, seed=5), 2)
    assert [batch["index"].tolist() for batch in validated] == [[0, 1], [2, 3]]
    assert not noises(validated) & noises(whole)


def test_trials_of_a_subject_are_no_sequences_of_others(tmp_path, refused):
    path = tmp_path / "one.zarr"
    scene = replace(TINY, trials=40)
    generate(scene, path, sequences=40, kind="rendered", workers=1, pool="threads")
    source = Source(store=str(path))
    assert source.loader("train", batch_size=4).plan.indices.size == 40
    with refused("found 0 of 40 sequences for validation"):
        source.check_ready()


def test_no_store_is_told(tmp_path, refused):
    source = Source(store=str(tmp_path / "nowhere.zarr"))
    with refused("found nothing"):
        source.check_ready()
    for wrong in ({}, {"store": "a", "parameters": TINY}):
        with refused("both or neither"):
            Source(**wrong)
    with refused("found doses with a store"):
        Source(store="a", doses=Doses())
    with refused("coarser than the point-spread function"):
        Source(parameters=TINY, doses=Doses(image=(8, 8)))


def test_the_grid_is_the_stores(stored):
    endless = Source(parameters=TINY)
    assert endless.grid == stored.grid
    assert np.allclose(stored.grid.pixel_size, 2.5)
    endless.check_ready(4)
    stored.check_ready(4)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"frame_rate": 100.05, "pixel_size": (0.50001, 0.25)}, True),
        ({"frame_rate": 101.0}, False),
        ({"pixel_size": (0.25, 0.5)}, False),
        ({"pixel_size": (0.5, 0.26)}, False),
        ({"shape": (80, 4, 6)}, False),
        ({"shape": (81, 6, 4)}, False),
    ],
)
def test_grids_fit_but_for_rounding(change, fits):
    grid = Grid((80, 6, 4), 100.0, (0.5, 0.25))
    assert grid.fits(replace(grid, **change)) == fits
    assert Grid.from_json(json.loads(json.dumps(grid.to_json()))) == grid
    assert str(grid) == "6 x 4 px of 0.5 x 0.25 mm and 80 frames at 100 Hz"
