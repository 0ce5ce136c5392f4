"""Stores of curated units: what they hold, who changed what, and that they can be made again."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from musim.datasets import generate, open_store
from musim.datasets.origin import Curated
from musim.simulator import FailureError
from musim.training.identification.curation.curating import Curation, curate_store
from musim.training.identification.curation.edits import Accept, AddFiring, Reject, Split
from musim.training.identification.curation.summary import changes_of
from musim.training.identification.stored import outcome_of, units_in
from musim.training.identification.unit_table import table_rows
from musim.training.verifying import verify
from tests.training.identification.curation.conftest import PARAMETERS, WHO, found_in

BEN = WHO | {"by": "ben", "sequence": 1}
EDITS = (
    Accept(unit=2, **WHO),
    Reject(unit=0, **WHO),
    Split(unit=1, line=((6.0, 0.0), (6.0, 1.0)), **BEN),
    AddFiring(unit=0, instant=0.0305, **BEN),
)


@pytest.fixture(scope="module")
def curated(units, tmp_path_factory):
    """The units, curated by two people; not to be changed."""
    # A line through the middle of the second sequence's unit.
    middle = float(units.read("centre_depth", 1)[1])
    edits = [*EDITS[:2], dataclasses.replace(EDITS[2], line=((middle, 0.0), (middle, 1.0))),
             *EDITS[3:]]  # fmt: skip
    out = tmp_path_factory.mktemp("curated") / "curated.zarr"
    return curate_store(units, out, edits, workers=1)


def test_units_are_what_people_made_of_them(curated, units):
    assert curated.kind == "identified"
    first, second = units_in(curated, 0), units_in(curated, 1)
    assert (first.count, second.count) == (2, 4)
    np.testing.assert_array_equal(first.train[0], units.read("twitch_train", 0)[2])
    assert first.confidence[0] == 1
    assert curated.read("by_hand", 0)[:3].tolist() == [1, 0, 0]
    assert sorted(curated.read("by_hand", 1)[:4]) == [0, 2, 2, 4]


def test_it_is_told_who_changed_what(curated, units):
    origin = curated.origin
    assert isinstance(origin, Curated)
    assert origin.people == ("anna", "ben")
    assert origin.units == units.location.address
    assert [edit["edit"] for edit in origin.edits] == ["accept", "reject", "split", "add_firing"]
    assert "curated by anna, ben (4 changes)" in origin.made_by
    rows = changes_of(origin)
    assert [row["words"] for row in rows] == ["1 accepted, 1 rejected", "1 split, 1 firings added"]
    assert rows[0]["first"] == rows[0]["last"] == WHO["when"]


def test_it_is_whole_and_can_be_made_again(curated):
    assert verify(curated.location.path, remake=2).location.address == curated.location.address


def test_a_table_stands_beside_it(curated):
    table = curated.location.path.with_name("curated.csv").read_text().splitlines()
    assert len(table) == 1 + 6
    assert len(table_rows(curated, 1)) == 4


def test_nothing_is_lost_where_nothing_was_changed(units, tmp_path):
    made = curate_store(units, tmp_path / "same.zarr", [], workers=1)
    for index in range(2):
        for name in units.layout.variables:
            np.testing.assert_array_equal(made.read(name, index), units.read(name, index))
        assert outcome_of(made, index) == outcome_of(units, index)
    assert made.origin.made_by == f"units of {units.location.address} curated (0 changes)"


def test_curated_units_can_be_curated_again(curated, units, tmp_path):
    again = curate_store(curated, tmp_path / "again.zarr", [Reject(unit=1, **WHO)], workers=1)
    assert int(again.read("unit_count", 0)) == 1
    assert again.read("by_hand", 0)[0] == 1  # what somebody accepted stays accepted
    assert len(again.origin.earlier) == 4
    assert len(again.origin.edits) == 1
    assert again.origin.source_of(1) == units.origin.source_of(1)
    verify(again.location.path, remake=1)


def test_who_was_not_judged_can_be_left_out(units, tmp_path):
    made = curate_store(
        units, tmp_path / "sure.zarr", [Accept(unit=1, **WHO)], only_accepted=True, workers=1
    )
    assert [int(made.read("unit_count", index)) for index in range(2)] == [1, 0]


def test_processes_make_the_same(curated, units, tmp_path):
    edits = tmp_path / "edits.json"
    edits.write_text(json.dumps([dict(edit) for edit in curated.origin.edits]))
    made = curate_store(units, tmp_path / "two.zarr", edits, workers=2)
    assert made.origin == curated.origin
    for name in made.layout.variables:
        np.testing.assert_array_equal(made.read_part(name, 1), curated.read_part(name, 1))


def test_what_is_no_store_of_units_is_refused(recording, tmp_path, refused):
    with refused("found sequences drawn with seed 4, wanted units that were found"):
        curate_store(recording, tmp_path / "a.zarr", [])


def test_a_change_that_cannot_be_made_leaves_nothing(units, tmp_path, refused):
    with refused("units.zarr, sequence 0: edit 0 (accept): found unit 9"):
        curate_store(units, tmp_path / "a.zarr", [Accept(unit=9, **WHO)], workers=1)
    with refused("edit 0 (accept): found sequence 2, wanted 0 to 1"):
        curate_store(units, tmp_path / "a.zarr", [Accept(unit=1, **(WHO | {"sequence": 2}))])


def test_units_and_recordings_are_not_written_over(units, recording, refused):
    for store in (units, recording):
        with refused("wanted one apart from it"):
            curate_store(units, store.location.path, [], overwrite=True)


def test_other_units_or_recordings_in_the_place_are_noticed(units, recording, tmp_path, refused):
    place = tmp_path / "units.zarr"
    shutil.copytree(units.location.path, place)
    made = curate_store(place, tmp_path / "made.zarr", [Reject(unit=0, **WHO)], workers=1)
    curate_store(units, place, [Reject(unit=1, **WHO)], overwrite=True, workers=1)
    with refused("units.zarr: found other units than were curated"):
        verify(made.location.path, remake=1)
    verify(made.location.path)


def test_sequences_that_nobody_changed_are_copied(units, tmp_path, monkeypatch):
    from musim.training.identification.curation import working

    read = []
    known = working.recording_of
    monkeypatch.setattr(working, "recording_of", lambda *at: read.append(at) or known(*at))
    made = curate_store(units, tmp_path / "made.zarr", [Reject(unit=0, **WHO)], workers=1)
    assert [place for _, place in read] == [0]
    for name in units.layout.variables:
        np.testing.assert_array_equal(made.read(name, 1), units.read(name, 1))


def test_recordings_may_have_moved(tmp_path, refused):
    recorded = generate(PARAMETERS, tmp_path / "a.zarr", sequences=1, seed=8, workers=1)
    units = found_in(recorded, tmp_path / "units.zarr")
    (tmp_path / "a.zarr").rename(tmp_path / "b.zarr")
    edits = [Reject(unit=0, **WHO)]
    with refused("a.zarr: found nothing there"):
        curate_store(units, tmp_path / "made.zarr", edits, workers=1)
    made = curate_store(
        units, tmp_path / "made.zarr", edits, recordings=[tmp_path / "b.zarr"], workers=1
    )
    assert made.origin.source_of(0) == (str(tmp_path / "b.zarr"), 0)
    verify(made.location.path, remake=1)
    other = generate(PARAMETERS, tmp_path / "c.zarr", sequences=1, seed=9, workers=1)
    with refused("found another recording than units were found in"):
        curate_store(units, tmp_path / "no.zarr", edits, recordings=[other], workers=1)
    with refused("found `recordings`", "wanted those in place of"):
        curate_store(units, tmp_path / "no.zarr", edits, recordings=[other, other], workers=1)


@pytest.mark.parametrize("name", ["twitch_train", "by_hand", "firing"])
def test_what_is_not_made_again_alike_is_told(curated, monkeypatch, name):
    made = Curation.arrays

    def otherwise(self, index):
        arrays = dict(made(self, index))
        arrays[name] = arrays[name] + arrays[name].dtype.type(1)
        return arrays

    monkeypatch.setattr(Curation, "arrays", otherwise)
    with pytest.raises(FailureError, match=name):
        verify(curated.location.path, remake=1)


def test_damage_is_found_by_making_it_again(units, tmp_path):
    made = curate_store(units, tmp_path / "made.zarr", [Reject(unit=0, **WHO)], workers=1)
    part = next(path for path in (made.location.path / "by_hand").iterdir() if "c.0" in path.name)
    part.write_bytes(part.read_bytes()[::-1])
    with pytest.raises(FailureError, match="by_hand"):
        verify(made.location.path, remake=1)
    assert isinstance(open_store(made.location.path).origin, Curated)
