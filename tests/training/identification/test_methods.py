"""Methods by their names: what each is given, what it refuses, and how another is added."""

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import (
    METHODS,
    identify,
    method_named,
    register,
    usual_method,
)
from musim.training.identification.methods.network import WEIGHTS
from musim.training.identification.units import Recording, Units

PARAMETERS = Parameters(
    units=Range(2, 2), pixels=(12, 10), size=(12.0, 10.0), diameter=Range(3, 5), frames=60,
    snr=Range(20, 20),
)  # fmt: skip


@pytest.fixture(scope="module")
def truth():
    return draw(PARAMETERS, seed=3, index=0)


@pytest.fixture(scope="module")
def recording(truth):
    return Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)


@pytest.fixture
def added(monkeypatch):
    """Let what a test registers be forgotten after it."""
    for name in METHODS:
        monkeypatch.setitem(METHODS, name, METHODS[name])
    before = dict(METHODS)
    yield
    for name in METHODS.keys() - before.keys():
        del METHODS[name]


def active(recording, **given):
    """Find one unit: the pixels that move more than half as much as the most active one."""
    sd = recording.tvi.std(axis=0)
    mask = sd > sd.max() / 2
    train = recording.tvi[:, mask].mean(axis=1)
    return Units(mask[None].astype(np.float32), train[None], np.zeros((1, 0)), np.ones(1))


def test_a_method_is_a_function_that_is_registered(added, recording, truth, refused):
    @register("active", "Whatever moves most.")
    def find(recording):
        return active(recording)

    found = identify(recording, "active", truth=truth)
    np.testing.assert_array_equal(found.territory, active(recording).territory)
    assert 0 < found.explained_share <= 1
    assert METHODS["active"].summary == "Whatever moves most."
    with refused("found active with a run of musim train, wanted learned or network"):
        identify(recording, "active", runs=["run"])


def test_a_method_is_given_what_it_says_that_it_uses(added, recording, truth, refused):
    given = {}

    def noting(name):
        def find(recording, **more):
            given[name] = more
            return active(recording)

        return find

    for name, uses in (
        ("neither", {}),
        ("used", {"truth": "used"}),
        ("needed", {"truth": "needed"}),
        ("runs", {"takes_runs": ("detect",)}),
    ):
        register(name, "", **uses)(noting(name))
        identify(recording, name, truth=truth)
    assert given == {
        "neither": {}, "used": {"truth": truth}, "needed": {"truth": truth}, "runs": {"runs": ()},
    }  # fmt: skip
    identify(recording, "used")
    assert given["used"] == {"truth": None}
    with refused("needed: found no truth"):
        identify(recording, "needed")
    with refused("found needed for a recording without truth"):
        method_named("needed").check(False)
    assert method_named("used").check(False) == []
    assert method_named("runs").check(False, ["a", "b"]) == ["a", "b"]


def test_a_name_is_taken_once(added, refused):
    with pytest.raises(ValueError, match="another method named 'ica'"):
        register("ica", "")
    with refused("found 'pca', wanted one of ica, refine"):
        method_named("pca")


def test_what_comes_with_musim_says_what_it_needs():
    needing = {name for name, method in METHODS.items() if method.truth == "needed"}
    assert needing == {"oracle-maps", "oracle-territories", "oracle-trains"}
    assert {name for name, method in METHODS.items() if method.truth == "used"} == {"sta"}
    taking = {name: method.takes_runs for name, method in METHODS.items() if method.takes_runs}
    assert taking == {"learned": ("judge",), "network": ("detect", "twitch")}
    assert all(method.name == name and method.summary for name, method in METHODS.items())
    assert usual_method() == "learned"
    assert usual_method([str(WEIGHTS / "detect")]) == "network"
