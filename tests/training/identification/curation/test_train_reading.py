"""Trains of outlines that people drew, where motion spreads and in long recordings."""

import dataclasses
import math

import numpy as np
import pytest

from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.simulator.experiment.doses import Doses
from musim.training.identification.curation.edits import Draw, Merge, Redraw, Reject, Split
from musim.training.identification.curation.train_reading import TrainReader
from musim.training.identification.curation.working import Bench
from musim.training.identification.methods import long_recordings
from musim.training.identification.results import recording_of
from tests.training.identification.curation.conftest import WHO, found_in, units_of_truth


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """A quick recording of the virtual experiment, in which motion spreads, and its units."""
    folder = tmp_path_factory.mktemp("spread")
    parameters = Parameters(
        units=Range(4, 4), pixels=(32, 32), size=(40.0, 40.0), diameter=Range(6, 9), frames=400,
        synchrony=Range(0, 0),
    )  # fmt: skip
    recording = generate(
        parameters, folder / "recording.zarr", sequences=1, seed=4, workers=1, domain="quick",
        doses=Doses.from_texts({}, "easy"), kind="rendered",
    )  # fmt: skip
    return Bench(found_in(recording, folder / "units.zarr"), 0), recording.truth(0)


def disc(truth, unit):
    angle = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    radius, z, x = truth.diameter[unit] / 2, truth.centre_depth[unit], truth.centre_width[unit]
    return tuple((float(z + radius * math.sin(a)), float(x + radius * math.cos(a))) for a in angle)


def likeness(train, true):
    return abs(float(np.corrcoef(train, true)[0, 1]))


def test_what_spreads_is_read_beyond_outlines(spread):
    bench, truth = spread
    redrawn, drawn = [], []
    for unit in range(4):
        edit = Redraw(unit=unit, polygon=disc(truth, unit), **WHO)
        redrawn.append(bench.change(bench.start, edit).unit(unit).train)
        gone = bench.change(bench.start, Reject(unit=unit, **WHO))
        drawn.append(bench.change(gone, Draw(polygon=disc(truth, unit), **WHO)).unit(4).train)
    again = [likeness(one, truth.twitch_train[unit]) for unit, one in enumerate(redrawn)]
    anew = [likeness(one, truth.twitch_train[unit]) for unit, one in enumerate(drawn)]
    assert np.mean(again) > 0.9
    assert np.mean(anew) > 0.85


def test_halves_of_what_spreads_are_one_again(spread):
    bench, truth = spread
    depth = float(truth.centre_depth[0])
    split = bench.change(bench.start, Split(unit=0, line=((depth, 0.0), (depth, 1.0)), **WHO))
    merged = bench.change(split, Merge(units=(4, 5), **WHO))
    assert likeness(merged.unit(6).train, truth.twitch_train[0]) > 0.9


def test_long_recordings_are_read_throughout(monkeypatch, recording):
    monkeypatch.setattr("musim.training.identification.curation.train_reading.LONGEST", 0.5)
    monkeypatch.setattr(long_recordings, "TURN", 0.1)
    known = recording_of(recording, 0)
    truth = recording.truth(0)
    units = units_of_truth(truth, len(known.tvi), known.frame_rate)
    reader = TrainReader(known, units.train)
    span = reader.prepared.span
    assert reader.prepared.in_part
    assert span.stop - span.start == 200
    trains, firings = reader.read(units.territory, units.train, [1])
    assert trains.shape == (1, 320)
    assert likeness(trains[0], truth.twitch_train[1]) > 0.98
    outside = np.ones(320, bool)
    outside[span] = False
    assert likeness(trains[0, outside], truth.twitch_train[1, outside]) > 0.95
    assert np.nanmax(firings) > span.stop / 400 or np.nanmin(firings) < span.start / 400
    part = reader.in_part(units)
    np.testing.assert_array_equal(part.train, units.train[:, span])
    inside = units.firing[(units.firing >= span.start / 400) & (units.firing < span.stop / 400)]
    np.testing.assert_allclose(np.sort(part.firing[~np.isnan(part.firing)]),
                               np.sort(inside - span.start / 400))  # fmt: skip


def test_a_recording_without_images_is_refused(recording, refused):
    known = recording_of(recording, 0)
    tvi = known.tvi.copy()
    tvi[4:] = 0
    empty = dataclasses.replace(known, tvi=tvi)
    with refused("found too few frames that hold an image of their own"):
        TrainReader(empty, np.zeros((0, len(tvi)), np.float32))


def test_without_any_unit_the_first_can_be_drawn(recording, tmp_path):
    truth = recording.truth(0)
    bench = Bench(found_in(recording, tmp_path / "units.zarr"), 0)
    state = bench.after([Reject(unit=unit, **WHO) for unit in range(3)])
    drawn = bench.change(state, Draw(polygon=disc(truth, 1), **WHO))
    assert likeness(drawn.unit(3).train, truth.twitch_train[1]) > 0.9
