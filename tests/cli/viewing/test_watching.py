"""A store that changes or vanishes while it is seen is noticed, and said in one line."""

import json
import shutil

import pytest

from musim.cli.viewing import watching
from musim.cli.viewing.watching import ChangedError, VanishedError, Watched
from musim.datasets import generate
from musim.datasets.store_files import ROOT, SEAL


@pytest.fixture
def store(tiny_parameters, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "OFTEN", 0.0)
    return make(tiny_parameters, tmp_path / "a.zarr", 1)


@pytest.fixture
def tiny_parameters():
    from musim.simulator import Parameters, Range

    return Parameters(
        units=Range(2, 2), pixels=(9, 7), size=(9.0, 7.0), diameter=Range(2, 4), frames=30
    )


def make(parameters, path, seed):
    return generate(
        parameters, path, sequences=2, seed=seed, workers=1, pool="threads", overwrite=True
    )


def test_a_store_that_stays_is_given(store):
    watched = Watched(str(store.location))
    assert watched.store is watched.store
    assert not watched.refresh()


def test_a_store_that_is_gone_is_told(store):
    watched = Watched(str(store.location))
    shutil.rmtree(store.location.path)
    for ask in (lambda: watched.store, watched.refresh):
        with pytest.raises(VanishedError, match=r"a\.zarr: found no store there any more"):
            ask()


def test_one_that_is_being_made_anew_is_told(store):
    watched = Watched(str(store.location))
    (store.location.path / ROOT).unlink()
    with pytest.raises(VanishedError, match="found an unfinished store") as caught:
        _ = watched.store
    assert len(str(caught.value).splitlines()) == 1


def test_another_store_in_its_place_is_told_until_it_is_opened(store, tiny_parameters):
    watched = Watched(str(store.location))
    make(tiny_parameters, store.location.path, 2)
    with pytest.raises(ChangedError, match=r"a\.zarr: found another store than was opened"):
        _ = watched.store
    assert watched.refresh()
    assert watched.store.seed == 2


def test_another_of_the_same_parameters_is_told_by_its_seal(store):
    watched = Watched(str(store.location))
    (store.location.path / SEAL).write_bytes(b"another")
    with pytest.raises(ChangedError, match="found another store than was opened"):
        _ = watched.store


def test_the_server_says_so(store, tiny_parameters, serving):
    with serving([str(store.location)]) as client:
        assert client.get("/api/state").status == 200
        make(tiny_parameters, store.location.path, 2)
        for path in ("/api/state", "/api/frames?layer=velocity", "/api/units"):
            answer = client.get(path)
            assert answer.status == 409
            assert "load the page again" in json.loads(answer.body)["error"]
        assert client.json("/api/about")["recordings"][0]["made_by"].endswith("seed 2")
        assert client.get("/api/frames?layer=velocity").status == 200
        shutil.rmtree(store.location.path)
        for path in ("/api/state", "/api/frames?layer=velocity", "/api/about"):
            answer = client.get(path)
            assert answer.status == 410
            error = json.loads(answer.body)["error"]
            assert "found no store there any more" in error
            assert len(error.splitlines()) == 1


def test_damage_is_told_in_one_line(store, serving):
    for chunk in store.location.path.glob("tvi/c.*"):
        chunk.write_bytes(b"\0" * chunk.stat().st_size)
    with serving([str(store.location)]) as client:
        answer = client.get("/api/frames?layer=velocity")
        assert answer.status == 500
        assert "damaged" in json.loads(answer.body)["error"]
