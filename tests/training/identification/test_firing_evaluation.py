"""Firings against firings: by hand, the same from stores as from tables, and what is refused."""

import dataclasses
import math

import numpy as np
import pytest

from musim.datasets import generate
from musim.datasets.events import export_events, start_of
from musim.datasets.layout import Layout
from musim.datasets.origin import Cut, Imported, to_attributes
from musim.simulator import Parameters, Range
from musim.simulator.imaging.chain import Chain
from musim.training.identification.firing_evaluation import SCORES, evaluate_firings
from musim.training.identification.metrics.emg_rules import RULES, score_by_rules
from musim.training.identification.results import identify_stores
from tests.makers import store_of

SMALL = Parameters(
    units=Range(4, 4), pixels=(14, 14), size=(14.0, 14.0), diameter=Range(3, 5), frames=400,
    snr=Range(20, 20),
)  # fmt: skip
ONE = [0.05, 0.15, 0.26, 0.36, 0.45, 0.56, 0.66, 0.77, 0.85, 0.96]
OTHER = [0.02, 0.11, 0.18, 0.29, 0.41, 0.49, 0.61, 0.69, 0.8, 0.92]


@pytest.fixture
def table(tmp_path):
    """Write a table of events; units by their names."""

    def call(name, **units):
        rows = [f"{onset!r}\t{unit}" for unit, onsets in units.items() for onset in onsets]
        (tmp_path / name).write_text("\n".join(["onset\tunit_id", *rows]) + "\n")
        return tmp_path / name

    return call


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two recordings with their truth, and units that a method found in them."""
    folder = tmp_path_factory.mktemp("stores")
    true = generate(SMALL, folder / "true.zarr", sequences=2, seed=6, workers=1)
    found = identify_stores(
        true, folder / "found.zarr", method="oracle-trains", firings="grid", workers=1
    )
    return found, true


def test_scores_by_hand(table):
    late = np.array(ONE) + 0.02
    late[3] += 0.009  # matched within 10 ms, not within 5
    late[7] -= 0.012  # within 15 ms
    found = table("found.tsv", a=[*np.delete(late, 5).tolist(), 0.62], b=[*OTHER[:3], 0.95, 0.99])
    true = table("true.tsv", x=ONE, y=OTHER)
    scored = evaluate_firings(found, true, end=1)
    (row,) = scored.sequences
    assert (row["units"], row["predictions"], row["matches"]) == (2, 2, 1)
    assert (row["recall"], row["precision"]) == (0.5, 0.5)
    x, y = scored.units
    assert (x["unit"], x["found_as"], x["lag"]) == ("x", "a", pytest.approx(0.02))
    # Of ten true ones one is missing and one is 12 ms off, and one found is made up.
    assert (x["matched"], x["missed"], x["false"]) == (8, 2, 2)
    assert x["firing_agreement"] == 8 / 12
    assert x["firing_agreement_5ms"] == 7 / 13
    assert x["firing_agreement_15ms"] == 9 / 11
    assert x["firing_rate"] == pytest.approx(9 / 0.91)
    assert (x["firings"], x["found_firings"]) == (10, 10)
    rate = 9 / (late[9] - late[0])
    assert x["firing_rate_error"] == pytest.approx(abs(rate - 9 / 0.91))
    assert (y["unit"], y["found_as"]) == ("y", None)
    assert math.isnan(y["firing_agreement"])
    assert row["firing_agreement"] == x["firing_agreement"]
    assert row["firing_chance"] == x["firing_chance"] < 0.5


def test_units_are_paired_by_the_sum_of_their_agreement(table):
    # "a" agrees with both, "b" with x alone: x goes to b.
    true = table("true.tsv", x=ONE, y=OTHER)
    found = table("found.tsv", a=[*OTHER[:9], 0.96], b=ONE[:8])
    scored = evaluate_firings(found, true, end=1)
    assert [row["found_as"] for row in scored.units] == ["b", "a"]


def test_more_matched_than_missed_and_false_is_found(table):
    true = table("true.tsv", x=ONE)
    for count, names in ((5, [None]), (6, ["a"])):
        found = table("found.tsv", a=ONE[:count])
        assert [row["found_as"] for row in evaluate_firings(found, true, end=1).units] == names


def test_stores_and_their_tables_have_the_same_scores(stores, tmp_path):
    found, true = stores
    whole = evaluate_firings(found.location.path, true.location.path, rules="muniverse")
    assert [row["sequence"] for row in whole.sequences] == [0, 1]
    assert whole.sequences[0]["recall"] > 0.7
    assert whole.sequences[0]["firing_agreement"] > 0.8
    ours, theirs = (
        export_events(one, tmp_path / name) for one, name in ((found, "f"), (true, "t"))
    )
    for index in range(2):
        wanted = [row for row in whole.units if row["sequence"] == index]
        for sides in ((found.location.path, theirs[index]), (ours[index], true.location.path)):
            mixed = evaluate_firings(*sides, sequence=index, rules="muniverse")
            same(mixed.sequences, [whole.sequences[index]])
            same(mixed.units, wanted)
        tables = evaluate_firings(ours[index], theirs[index], end=1, rules="muniverse")
        same([{**row, "sequence": index} for row in tables.sequences], [whole.sequences[index]])
        same([{**row, "sequence": index} for row in tables.units], wanted)


def same(found, wanted):
    assert len(found) == len(wanted)
    for row, other in zip(found, wanted, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            both_nan = isinstance(value, float) and math.isnan(value) and math.isnan(other[name])
            assert both_nan or value == other[name], name


def test_rules_are_those_of_the_metrics(stores):
    found, true = stores
    scored = evaluate_firings(found.location.path, true.location.path, rules="munitquest")
    assert scored.rules == "munitquest"
    for index, row in enumerate(scored.sequences):
        wanted = score_by_rules(
            found.read("firing", index)[: int(found.read("unit_count", index))],
            true.truth(index).firing, (0.0, 1.0), RULES["munitquest"],
        )  # fmt: skip
        assert (row["rules_recall"], row["rules_score"]) == (wanted.recall, wanted.score)
        own = [one for one in scored.units if one["sequence"] == index]
        assert sum(one["rules_as"] is not None for one in own) == wanted.found


def test_a_store_in_which_nothing_was_found_scores_nothing(stores, tmp_path):
    _, true = stores
    random = np.random.default_rng(0)
    still = recorded(tmp_path / "noise.zarr", random.normal(size=(400, 6, 6)), 400.0)
    none = identify_stores(still, tmp_path / "none.zarr", method="ica", workers=1)
    assert int(none.read("unit_count", 0)) == 0
    scored = evaluate_firings(none.location.path, table_of(true, tmp_path), rules="munitquest")
    (row,) = scored.sequences
    assert (row["recall"], row["predictions"], row["rules_score"]) == (0, 0, 0)
    assert all(math.isnan(row[name]) for name in SCORES if name != "recall")


def table_of(store, folder):
    return export_events(store, folder / "tables", range(1))[0]


def recorded(path, *voxels_and_rate, start=0.0, firing=None):
    """Store one recording, cut out of a longer one at its start (s)."""
    voxels, rate = voxels_and_rate
    names = ("tvi",) if firing is None else ("tvi", "firing", "unit_count")
    sizes = dict(zip(("sequence", "time", "depth", "width"), (1, *voxels.shape), strict=True))
    given = {}
    if firing is not None:
        sizes |= {"unit": len(firing), "pulse": firing.shape[1]}
        given = {"firing": firing[None], "unit_count": np.array([len(firing)], np.int32)}
    cut = Cut(file="a.npy", sha256="0" * 64, recording=0, start=start)
    attributes = to_attributes(Imported(cuts=(cut,), descriptions=(), chain=Chain()))
    layout = Layout(
        kind="dense", variables=names, sizes=sizes, part_size=1, dtypes={"tvi": "float32"},
        frame_rate=rate, pixel_size=(1.0, 1.0), attributes=attributes,
    )  # fmt: skip
    return store_of(path, layout, lambda part: (given, [voxels.astype(np.float32)]))


def test_tables_count_from_the_recordings_start_and_stores_from_where_they_were_cut(
    table, tmp_path
):
    firing = np.array([ONE, OTHER])
    store = recorded(tmp_path / "cut.zarr", np.zeros((400, 3, 3)), 400.0, start=7.5, firing=firing)
    assert start_of(store, 0) == 7.5
    (path,) = export_events(store, tmp_path / "out")
    first = path.read_text().splitlines()[1].split("\t")
    assert first[:4] == ["7.52", "0", "3008", "1"]
    scored = evaluate_firings(path, store.location.path)
    assert [row["found_as"] for row in scored.units] == ["0", "1"]
    assert {row["lag"] for row in scored.units} == {0}
    # A table in the recording's time, with more than lies in the sequence.
    more = np.concatenate([np.array(ONE) + 7.5, [1.0, 2.0, 9.0]]).tolist()
    scored = evaluate_firings(store.location.path, table("emg.tsv", m=more))
    assert [row["firing_agreement"] for row in scored.units] == [1]
    (remark,) = scored.remarks
    assert remark.endswith("3 of 13 firings lie outside the 1 s from 7.5 s on, and do not count")
    units = identify_stores(store, tmp_path / "units.zarr", method="sta", workers=1,
                            events=table("known.tsv", m=more))  # fmt: skip
    assert start_of(units, 0) == 7.5
    # Where the recording is gone, nobody knows where it was cut.
    assert start_of(of_a_recording_that_is_gone(units), 0) == 0


def of_a_recording_that_is_gone(store):
    origin = store.layout.origin_as(type(store.origin))
    searched = tuple(dataclasses.replace(one, store="gone.zarr") for one in origin.searched)
    layout = dataclasses.replace(
        store.layout,
        attributes={**store.layout.attributes,
                    **to_attributes(dataclasses.replace(origin, searched=searched))},
    )  # fmt: skip
    return type(store)(store.location, layout)


@pytest.mark.parametrize(
    ("found", "true", "words"),
    [
        ({}, {"x": ONE}, ["found.tsv: found no firing in the 1 s from 0 s on"]),
        ({"a": ONE}, {"x": [-0.3, -0.1]}, ["true.tsv: found no firing in the 1 s from 0 s on"]),
        ({"a": [3.0, 4.0]}, {"x": ONE}, ["found.tsv: found no firing"]),
        ({"a": ONE}, {"x": ONE[:3], "y": OTHER[:2]},
         ["true.tsv: found 3 firings of a unit at most in 1 s", "wanted 4 or more"]),
    ],
)  # fmt: skip
def test_tables_that_say_nothing_are_refused(table, refused, found, true, words):
    paths = table("found.tsv", **found), table("true.tsv", **true)
    with refused(*words):
        evaluate_firings(*paths, end=1)


def test_what_cannot_be_compared_is_refused(table, stores, refused, tmp_path):
    found, true = (one.location.path for one in stores)
    one = table("one.tsv", x=ONE)
    fast = table("fast.tsv", x=[n / 300 for n in range(290)])
    with refused("found.zarr: found 2 sequences and one table", "`sequence`"):
        evaluate_firings(found, one)
    with refused("found sequence 2, wanted 0 to 1"):
        evaluate_firings(found, true, sequence=2)
    with refused("found `end` beside a store, wanted none"):
        evaluate_firings(found, true, end=1)
    with refused("end: found -1 s, wanted more than 0"):
        evaluate_firings(one, one, end=-1)
    with refused("sequence: found one of two tables"):
        evaluate_firings(one, one, sequence=0)
    with refused("rules: found 'emg'"):
        evaluate_firings(one, one, rules="emg")
    with refused("gone.csv: found nothing there, wanted a table of events, or a store"):
        evaluate_firings("gone.csv", one)
    with refused("fast.tsv: found 300 firings a second of unit x, wanted no more than 200",
                 "half of the 400 frames a second"):  # fmt: skip
        evaluate_firings(fast, true, sequence=0)
    # Without a store nobody knows how fast frames follow one another.
    assert evaluate_firings(fast, fast, end=1).sequences[0]["recall"] == 1
    bare = recorded(tmp_path / "bare.zarr", np.zeros((400, 3, 3)), 400.0)
    with refused("bare.zarr: found no firings", "`events`"):
        evaluate_firings(bare.location.path, one)
    short = recorded(tmp_path / "short.zarr", np.zeros((200, 3, 3)), 400.0,
                     firing=np.array([ONE[:4]]))  # fmt: skip
    with refused("found.zarr: found 2 sequences and 1 in", "wanted as many in both"):
        evaluate_firings(found, short.location.path)
    with refused("short.zarr, sequence 0: found 0.5 s from 0 s on and 1 s", "the same span"):
        evaluate_firings(short.location.path, true, sequence=0)
