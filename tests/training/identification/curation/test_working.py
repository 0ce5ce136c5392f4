"""What each change does to the units of a sequence."""

import dataclasses
import math

import numpy as np
import pytest

from musim.datasets import generate
from musim.training.identification.confidence.model import DOUBTED
from musim.training.identification.curation.edits import (
    Accept,
    AddFiring,
    Draw,
    Merge,
    MoveFiring,
    Redraw,
    Reject,
    RemoveFiring,
    Split,
)
from musim.training.identification.curation.finishing import finished
from musim.training.identification.curation.working import (
    ACCEPTED,
    FIRED,
    OUTLINED,
    Bench,
    _strongest_of,
)
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.metrics.firing import score_firings
from tests.training.identification.curation.conftest import PARAMETERS, WHO, found_in


@pytest.fixture(scope="module")
def bench(units):
    """Where the first sequence's units are changed."""
    return Bench(units, 0)


@pytest.fixture(scope="module")
def truth(recording):
    return recording.truth(0)


def outline_of(truth, unit, points=60):
    """A polygon about a true unit, which is a disc."""
    radius, angle = truth.diameter[unit] / 2, np.linspace(0, 2 * math.pi, points, endpoint=False)
    centre = truth.centre_depth[unit], truth.centre_width[unit]
    return tuple(
        (float(centre[0] + radius * math.sin(a)), float(centre[1] + radius * math.cos(a)))
        for a in angle
    )


def likeness(train, true):
    return float(np.corrcoef(train, true)[0, 1])


def test_nothing_changes_by_itself(bench, units):
    done = finished(bench, bench.after([]))
    for name in ("territory", "train", "firing", "confidence", "outline_confidence"):
        np.testing.assert_array_equal(getattr(done.units, name), getattr(bench.found, name))
    assert not done.by_hand.any()
    assert done.units.explained_share == bench.found.explained_share


def test_halves_are_one_again(bench, truth):
    unit = bench.start.units[1]
    line = ((truth.centre_depth[1], 0.0), (truth.centre_depth[1], 1.0))
    split = bench.change(bench.start, Split(unit=1, line=line, **WHO))
    assert [one.number for one in split.units] == [0, 2, 3, 4]
    first, second = split.unit(3), split.unit(4)
    np.testing.assert_array_equal(first.territory + second.territory, unit.territory)
    assert not (first.territory * second.territory).any()
    for half in (first, second):  # both halves move as the unit does
        assert likeness(half.train, truth.twitch_train[1]) > 0.98
        assert half.by_hand == OUTLINED
    merged = bench.change(split, Merge(units=(3, 4), **WHO))
    assert [one.number for one in merged.units] == [0, 2, 5]
    np.testing.assert_array_equal(merged.unit(5).territory, unit.territory)
    assert likeness(merged.unit(5).train, truth.twitch_train[1]) > 0.99
    window = (0.0, 320 / 400)
    scored = score_firings(merged.unit(5).firing, unit.firing, window, tolerance=0.01)
    assert scored.agreement > 0.8


def test_units_that_overlap_are_one_that_lies_wherever_one_does(bench, truth):
    first = dataclasses.replace(bench.start.unit(0), outline_confidence=0.2)
    state = bench.change(
        bench.start.with_unit(first), Redraw(unit=0, polygon=outline_of(truth, 1), **WHO)
    )
    assert state.unit(0).outline_confidence == 1
    one, other = state.unit(0).territory, state.unit(1).territory
    assert (one * other).any()
    merged = bench.change(state, Merge(units=(0, 1), **WHO)).unit(3)
    np.testing.assert_array_equal(merged.territory, np.maximum(one, other))
    assert merged.confidence == max(first.confidence, state.unit(1).confidence)


def test_units_that_are_one_move_as_most_of_them_does(bench):
    unit = bench.start.unit(0)
    for size in (1.0, -1.0, 3.0):
        same = dataclasses.replace(unit, train=(size * unit.train).astype(np.float32))
        np.testing.assert_allclose(_strongest_of([same, same]), size * unit.train, atol=1e-4)
    little = dataclasses.replace(
        bench.start.unit(1), territory=(0.05 * unit.territory).astype(np.float32)
    )
    assert likeness(_strongest_of([little, unit]), unit.train) > 0.99


def test_no_more_firings_are_added_than_a_store_has_room_for(bench, refused):
    room = bench.store.layout.sizes["pulse"]
    full = dataclasses.replace(bench.start.unit(0), firing=np.linspace(0.1, 0.79, room))
    with refused(f"found {room + 1} firings of unit 0, wanted {room} at most"):
        bench.change(bench.start.with_unit(full), AddFiring(unit=0, instant=0.01, **WHO))


def test_an_outline_drawn_right_reads_the_train_that_is_there(bench, truth):
    aside = tuple((12.0 - z, 10.0 - x) for z, x in outline_of(truth, 0))
    wrong = bench.change(bench.start, Redraw(unit=0, polygon=aside, **WHO))
    right = bench.change(wrong, Redraw(unit=0, polygon=outline_of(truth, 0), **WHO))
    assert likeness(wrong.unit(0).train, truth.twitch_train[0]) < 0.9
    assert likeness(right.unit(0).train, truth.twitch_train[0]) > 0.99
    assert np.abs(right.unit(0).territory - truth.territory[0]).mean() < 0.02
    others = [n for n in (1, 2) if wrong.unit(n).train is not bench.start.unit(n).train]
    assert others == []


def test_a_unit_that_was_missed_can_be_drawn(recording, tmp_path, truth):
    units = found_in(recording, tmp_path / "units.zarr", places=[0, 1])
    bench = Bench(units, 0)
    drawn = bench.change(bench.start, Draw(polygon=outline_of(truth, 2), **WHO))
    assert likeness(drawn.unit(2).train, truth.twitch_train[2]) > 0.99
    done = finished(bench, drawn)
    assert done.units.count == 3
    assert done.units.explained_share > bench.found.explained_share + 0.1
    assert sorted(done.by_hand) == [0, 0, OUTLINED]


def test_units_are_rejected_and_taken_back(bench):
    state = bench.after([Reject(unit=0, **WHO), Accept(unit=2, **WHO)])
    done = finished(bench, state)
    assert done.units.count == 2
    np.testing.assert_array_equal(done.units.train[0], bench.found.train[2])  # the surest now
    assert done.units.confidence[0] == 1.0
    assert done.units.confidence[1] < 1.0
    assert done.by_hand.tolist() == [ACCEPTED, 0]
    again = finished(bench, bench.change(state, Accept(unit=0, **WHO)))
    assert again.units.count == 3
    assert again.by_hand.tolist() == [ACCEPTED, ACCEPTED, 0]
    alone = finished(bench, state, only_accepted=True)
    assert alone.units.count == 1
    gone = finished(bench, bench.after([Reject(unit=n, **WHO) for n in range(3)]))
    assert gone.units.count == 0
    assert gone.units.explained_share == 0


def test_a_copy_is_doubted_and_the_other_is_not_once_it_is_gone(recording, tmp_path):
    out = tmp_path / "units.zarr"
    units = found_in(recording, out, places=[0, 1, 2, 0], weaker=0.8, keeps_confidence=False)
    bench = Bench(units, 0)
    likeness_of = bench.found.parts.stronger_likeness
    copy = int(likeness_of.argmax())
    assert likeness_of[copy] > 0.99
    assert bench.found.confidence[copy] < DOUBTED
    state = bench.change(bench.start, Reject(unit=copy, **WHO))
    found_in_method = {"told": Method("told", "", lambda recording: None)}
    METHODS.update(found_in_method)
    try:
        done = finished(bench, state)
    finally:
        del METHODS["told"]
    assert done.units.count == 3
    assert done.units.parts.stronger_likeness.max() < 0.9
    assert (done.units.confidence > DOUBTED).all()


def test_firings_move_come_and_go(bench):
    firing = bench.start.unit(0).firing
    there = float(firing[3])
    moved = bench.change(bench.start, MoveFiring(unit=0, instant=there + 0.001, to=0.0305, **WHO))
    wanted = np.sort(np.append(np.delete(firing, 3), 0.0305))
    np.testing.assert_array_equal(moved.unit(0).firing, wanted)
    assert moved.unit(0).by_hand == FIRED
    back = bench.change(moved, MoveFiring(unit=0, instant=0.0305, to=there, **WHO))
    np.testing.assert_array_equal(back.unit(0).firing, firing)
    less = bench.change(bench.start, RemoveFiring(unit=0, instant=there, **WHO))
    np.testing.assert_array_equal(less.unit(0).firing, np.delete(firing, 3))
    more = bench.change(less, AddFiring(unit=0, instant=there, **WHO))
    np.testing.assert_array_equal(more.unit(0).firing, firing)
    done = finished(bench, less)
    place = int(np.flatnonzero(done.by_hand == FIRED)[0])
    np.testing.assert_array_equal(done.units.train[place], bench.found.train[0])
    assert (~np.isnan(done.units.firing[place])).sum() == firing.size - 1


def test_firings_that_somebody_moved_outlive_another_outline(bench, truth):
    added = bench.change(bench.start, AddFiring(unit=0, instant=0.0305, **WHO))
    redrawn = bench.change(added, Redraw(unit=0, polygon=outline_of(truth, 0), **WHO))
    np.testing.assert_array_equal(redrawn.unit(0).firing, added.unit(0).firing)
    assert redrawn.unit(0).by_hand == FIRED | OUTLINED


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Accept(unit=7, **WHO), "edit 1 (accept): found unit 7, wanted one of 0, 1, 2"),
        (Merge(units=(0, 1), **WHO), "found unit 1 rejected, wanted one that is not; accept it"),
        (AddFiring(unit=1, instant=0.1, **WHO), "found unit 1 rejected"),
        (AddFiring(unit=0, instant=0.8, **WHO), "found a firing at 0.8 s, wanted 0 to less than"),
        (AddFiring(unit=0, instant=-0.1, **WHO), "found a firing at -0.1 s"),
        (RemoveFiring(unit=0, instant=0.0, **WHO), "found no firing of unit 0 at 0 s"),
        (Split(unit=0, line=((-9.0, 0.0), (-9.0, 1.0)), **WHO), "found a half with no pixel"),
        (Draw(polygon=((-3.0, -3.0), (-3.0, -1.0), (-1.0, -1.0)), **WHO), "a polygon with no pix"),
    ],
)
def test_changes_that_cannot_be_made_are_refused(bench, refused, edit, words):
    with refused(words):
        bench.after([Reject(unit=1, **WHO), edit])


def test_another_recording_in_the_place_is_noticed(tmp_path, refused):
    recorded = generate(PARAMETERS, tmp_path / "r.zarr", sequences=1, seed=8, workers=1)
    units = found_in(recorded, tmp_path / "u.zarr")
    generate(PARAMETERS, tmp_path / "r.zarr", sequences=1, seed=9, workers=1, overwrite=True)
    with refused("r.zarr, sequence 0: found another recording than units were found in"):
        Bench(units, 0)


def test_a_firing_is_added_once(bench, refused):
    there = float(bench.start.unit(0).firing[0])
    with refused("found no firing of unit 0 at", "within half a frame"):
        bench.change(bench.start, RemoveFiring(unit=0, instant=there + 1 / 400, **WHO))
    with refused("already, wanted none within half a frame"):
        bench.change(bench.start, AddFiring(unit=0, instant=there, **WHO))


def test_changes_of_other_sequences_are_none_here(bench):
    edit = dataclasses.replace(Reject(unit=0, **WHO), sequence=1)
    assert not bench.after([edit]).unit(0).rejected


def test_pixels_without_tissue_are_no_part_of_an_outline(recording, tmp_path):
    units = found_in(recording, tmp_path / "units.zarr")
    bench = Bench(units, 0)
    bench.reader.prepared.blind[:6] = True
    drawn = bench.change(
        bench.start, Draw(polygon=((0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 0.0)), **WHO)
    )
    assert not drawn.unit(3).territory[:6].any()
    assert drawn.unit(3).territory[6:].any()
