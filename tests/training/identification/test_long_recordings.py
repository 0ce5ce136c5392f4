"""Units of long recordings: sought in a part, and read throughout."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.firings import is_regular
from musim.training.identification.methods import METHODS, identify
from musim.training.identification.methods.long_recordings import read_throughout, searched_span
from musim.training.identification.metrics import match_trains
from musim.training.identification.slow_motion import slow_waves
from musim.training.identification.units import Recording, Units

RATE = 100.0


def _sequence(seconds, size=(24, 24)):
    """Return a recording of three units, and the truth."""
    parameters = Parameters(
        units=Range(3, 3), snr=Range(15.0, 15.0), pixels=size, size=(24.0, 24.0),
        frames=round(seconds * RATE), frame_rate=RATE,
    )  # fmt: skip
    truth = draw(parameters, seed=2)
    return Recording(render(truth), RATE, parameters.pixel_size), truth


def _of(truth, span):
    """Return the true units of a part of a recording."""
    train = truth.twitch_train[:, span]
    return Units(truth.territory, train - train.mean(axis=1)[:, None],
                 np.full((3, 1), np.nan), np.ones(3))  # fmt: skip


def test_a_short_recording_is_searched_throughout():
    recording = Recording(np.zeros((500, 2, 2), np.float32), RATE, (1.0, 1.0))
    assert searched_span(recording, 5.0) == slice(0, 500)
    assert searched_span(recording, np.inf) == slice(0, 500)


def test_those_seconds_are_searched_that_move_most():
    random = np.random.default_rng(0)
    tvi = random.standard_normal((1000, 4, 4)).astype(np.float32)
    tvi[600:800] *= 2
    tvi[100:150] *= 50  # a jerk
    recording = Recording(tvi, RATE, (1.0, 1.0))
    assert searched_span(recording, 2.0) == slice(600, 800)
    span = searched_span(recording, 4.5)
    assert span.stop - span.start == 450
    assert span.start <= 600
    assert span.stop >= 800
    # Where nothing else moves, the jerk is all there is.
    still = dataclasses.replace(recording, tvi=np.where(np.arange(1000)[:, None, None] // 50 == 2,
                                                        tvi, np.float32(1)))  # fmt: skip
    assert searched_span(still, 3.0).start <= 100


@pytest.mark.parametrize("slow", [False, True])
def test_trains_are_read_where_they_were_not_sought(slow):
    recording, truth = _sequence(8)
    span = slice(200, 500)
    train = truth.twitch_train
    units = _of(truth, span)
    if slow:
        # Slow motion that grows to one side, far larger than any twitch's.
        drift = np.float32(30 * recording.tvi.std() * np.sin(0.8 * np.pi * np.arange(800) / RATE))
        tvi = recording.tvi + drift[:, None, None] * np.linspace(1, 2, 24, dtype=np.float32)
        recording = dataclasses.replace(recording, tvi=tvi)
        train, own = (_fast(each) for each in (train, units.train))
        units = dataclasses.replace(units, train=own)
    read = read_throughout(recording, units, span, slow)
    assert read.train.shape == (3, 800)
    np.testing.assert_array_equal(read.train[:, span], units.train)
    for part in (slice(30, 200), slice(500, 770)):
        for one, other in zip(read.train[:, part], train[:, part], strict=True):
            assert np.corrcoef(one, other)[0, 1] > (0.8 if slow else 0.99)
            assert one.std() == pytest.approx(other.std(), rel=0.25 if slow else 0.02)
    assert np.nanmin(read.firing) < 2.0
    assert np.nanmax(read.firing) > 7.0


def _fast(trains):
    waves = slow_waves(trains.shape[1], RATE)
    return (trains - trains @ waves.T @ waves).astype(np.float32)


def test_a_long_recording_is_identified_from_a_part_of_it(monkeypatch):
    monkeypatch.setitem(METHODS, "learned", dataclasses.replace(METHODS["learned"], longest=3.0))
    recording, truth = _sequence(7)
    units = identify(recording)
    assert units.remarks == ("searched-in-part",)
    matching = match_trains(units.train, truth.twitch_train, RATE)
    assert len(matching.true) == units.count == 3
    assert np.abs(matching.correlations[matching.predicted, matching.true]).min() > 0.97
    assert all(is_regular(row) for row in units.firing)
    last = np.nanmax(units.firing, axis=1)
    assert ((last > 6.5) & (last < 7.0)).all()
    short = identify(dataclasses.replace(recording, tvi=recording.tvi[:300].copy()))
    assert "searched-in-part" not in short.remarks
