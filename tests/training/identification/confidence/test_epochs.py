"""Units that are found anew in epochs."""

import numpy as np
import pytest

from musim.training.identification.confidence.epochs import spans_of
from musim.training.identification.firing import firings
from musim.training.identification.methods import METHODS, Method, identify
from musim.training.identification.units import Units
from tests.training.identification.confidence.made import FRAMES, RATE, SHAPE, disc, two_units


@pytest.fixture
def method(monkeypatch):
    """Let the method "stub" fit trains to maps, which a function chooses by the frames."""
    asked = []

    def install(maps_for):
        def find(recording):
            asked.append(len(recording.tvi))
            maps = maps_for(len(recording.tvi), len(asked))
            flat = maps.reshape(len(maps), -1)
            train = np.linalg.pinv(flat).T @ recording.tvi.reshape(len(recording.tvi), -1).T
            train = train.astype(np.float32)
            return Units(maps, train, firings(train, RATE), np.ones(len(maps)))

        monkeypatch.setitem(METHODS, "stub", Method("stub", "", find))
        return asked

    return install


def test_what_comes_back_is_told_from_what_is_found_once(method):
    recording, units = two_units(noise=0.3)
    chance = disc((9.0, 3.0), 1.8)[None]

    def maps_for(frames, call):
        # A map in pure noise is found in the whole alone; there its train is what noise is.
        return np.concatenate([units.territory, chance]) if frames == FRAMES else units.territory

    asked = method(maps_for)
    found = identify(recording, "stub", epochs=3)
    assert asked == [FRAMES, FRAMES // 2, FRAMES // 2, FRAMES // 2]
    for unit in range(3):
        true = any(np.array_equal(found.territory[unit], one) for one in units.territory)
        assert found.parts.epoch_jaccard[unit] == (1.0 if true else 0.0)
        if true:
            assert found.parts.epoch_agreement[unit] > 0.7
        else:
            assert found.parts.epoch_agreement[unit] == 0.0


def test_a_map_that_differs_and_an_epoch_without_it_count_less(method):
    recording, units = two_units(noise=0.3)

    def maps_for(frames, call):
        if call == 2:
            return units.territory[:1]  # the second unit is not found
        if call == 3:
            half = units.territory.copy()
            half[1, :, : SHAPE[1] * 8 // 12] = 0  # at 8 mm of 12: half of its disc
            return half
        return units.territory

    method(maps_for)
    found = identify(recording, "stub", epochs=2)
    second = next(u for u in range(2) if np.array_equal(found.territory[u], units.territory[1]))
    kept = units.territory[1, :, SHAPE[1] * 8 // 12 :].sum() / units.territory[1].sum()
    assert found.parts.epoch_jaccard[second] == pytest.approx(kept / 2)
    assert found.parts.epoch_jaccard[1 - second] == 1.0


def test_epochs_are_equal_and_overlap_by_half():
    assert spans_of(400, 400.0, 3) == [slice(0, 200), slice(100, 300), slice(200, 400)]
    assert spans_of(300, 400.0, 2) == [slice(0, 200), slice(100, 300)]


@pytest.mark.parametrize(
    ("epochs", "words"),
    [(1, "found 1, wanted 2 or more"), (-3, "found -3"), (8, "found 8, of 0.22")],
)
def test_epochs_that_tell_nothing_are_refused(epochs, words, refused):
    with refused("`epochs`", words):
        spans_of(400, 400.0, epochs)


def test_without_asking_nothing_is_found_anew(method):
    recording, units = two_units()
    asked = method(lambda frames, call: units.territory)
    found = identify(recording, "stub")
    assert asked == [FRAMES]
    assert np.isnan(found.parts.epoch_jaccard).all()


def test_a_still_epoch_brings_nothing_back(method):
    recording, units = two_units(noise=0.3)
    tvi = recording.tvi.copy()
    tvi[FRAMES // 2 :] = 0.5
    still = type(recording)(tvi, RATE, recording.pixel_size)
    method(lambda frames, call: units.territory)
    found = identify(still, "stub", epochs=2)
    assert (found.parts.epoch_jaccard <= 1).all()
