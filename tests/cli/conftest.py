"""What the tests of the command line share: running it as a user does, in this process."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from musim.cli import main
from musim.datasets.origins.attributes import ORIGIN, REMARKS, VERSION
from musim.training.identification.results import plan, recording_of
from musim.training.identification.stored import pack
from musim.training.identification.units import Units
from tests.makers import store_of

TINY = ["--units", "2-3", "--pixels", "16x16", "--frames", "20", "--frame-rate", "200"]


@pytest.fixture
def musim(capfd, monkeypatch, tmp_path):
    """Run ``musim`` with some arguments in an empty folder; returns code, out and err."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        texts = capfd.readouterr()
        return SimpleNamespace(code=stop.value.code, out=texts.out, err=texts.err)

    return run


@pytest.fixture
def tiny():
    """Return options of a simulation that takes no time."""
    return list(TINY)


@pytest.fixture(scope="session")
def store_of_units():
    """Return a function that stores units as though a method had found them in a store.

    `counts` says how many of them a recording has; what else is given is padding. Stores of an
    `earlier` version, up to 1.0, say neither how certain outlines are nor what is left.
    """

    def make(path, source, found, counts=None, method="refine", *, earlier=False):
        def given(part):
            arrays = pack(found[part], recording_of(source, part), plan([source], method))
            if counts is not None:
                arrays["unit_count"] = np.array(counts[part], np.int32)
            return {name: values[None] for name, values in arrays.items()}, ()

        layout = plan([source], method)
        if earlier:
            later = (ORIGIN, VERSION, REMARKS)
            attributes = {k: v for k, v in layout.attributes.items() if k not in later}
            since = layout.variables.index("outline_confidence")
            layout = dataclasses.replace(
                layout, variables=layout.variables[:since], attributes=attributes
            )
        return store_of(path, layout, given)

    return make


@pytest.fixture(scope="session")
def nearly():
    """Return a function that gives a truth's units as a fair method might find them.

    The last of the true units is missed, and in its place there is one that does not exist. The
    first is a pixel off, and lacks its last firing.
    """

    def make(truth):
        territory, train = truth.territory.copy(), truth.twitch_train.copy()
        firing = np.where(truth.firing < 0, np.nan, truth.firing)
        firing = np.sort(firing, axis=1)
        last = np.flatnonzero(np.isfinite(firing[0]))[-1]
        firing[0, last] = np.nan
        territory[0] = np.roll(territory[0], 1, axis=1)
        territory[-1] = np.roll(territory[-1], territory.shape[1] // 2, axis=0)
        # A train that nobody has.
        train[-1] = train[-1].std() * np.random.default_rng(0).standard_normal(train.shape[1])
        train += 0.02 * np.sin(np.arange(train.shape[1]) / 3).astype(np.float32)
        confidence = np.linspace(0.95, 0.5, len(train))
        return Units(territory, train, firing, confidence)

    return make
