"""What an import will do: sequences, sources, one grid, known firings in their windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.event_tables import read_events
from musim.datasets.grid import Grid
from musim.datasets.importing.description import Description
from musim.datasets.importing.hashing import sha256_of
from musim.datasets.importing.planning import SourceFile, plan
from musim.simulator import InputError
from musim.simulator.imaging.chain import Chain

VELOCITY = Description.parse(
    {"kind": "velocity", "axes": "time,depth,width", "frame_rate": 100, "size": [8, 6]}
)
IQ = {
    "kind": "iq", "axes": "time,depth,width", "frame_rate": 100, "centre_frequency": "5 MHz",
    "size": [8, 6],
}  # fmt: skip


@pytest.fixture
def save(tmp_path):
    """Save an array of some shape; returns its path."""

    def call(name, *shape, dtype=np.float32):
        np.save(tmp_path / name, np.arange(np.prod(shape)).reshape(shape).astype(dtype))
        return tmp_path / name

    return call


@pytest.fixture
def table(tmp_path):
    """Write a table of events; returns its path."""

    def call(*rows, name="events.tsv"):
        lines = ["onset\tunit", *(f"{onset}\t{unit}" for onset, unit in rows)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return tmp_path / name

    return call


def listed(planned):
    return [cut.to_json() for cut in planned.layout.origin.cuts]


def test_a_recording_is_one_sequence_of_its_own_grid(save):
    path = save("a.npy", 30, 16, 12)
    planned = plan([path], VELOCITY, Chain())
    layout = planned.layout
    assert (layout.kind, layout.variables, layout.part_size) == ("dense", ("tvi",), 1)
    assert layout.sizes == {"sequence": 1, "time": 30, "depth": 16, "width": 12}
    assert (layout.frame_rate, layout.pixel_size) == (100, (0.5, 0.5))
    assert listed(planned) == [
        {"file": "a.npy", "sha256": sha256_of(path), "recording": 0, "start": 0.0}
    ]
    assert planned.left_out == {}
    assert layout.origin.chain == Chain()


def test_a_file_may_be_given_alone(save):
    path = save("a.npy", 30, 16, 12)
    wanted = plan([path], VELOCITY, Chain())
    assert plan(path, VELOCITY, Chain()) == plan(str(path), VELOCITY, Chain()) == wanted


def test_the_description_stays_with_the_store(save):
    planned = plan([save("a.npy", 30, 16, 12)], VELOCITY, Chain(median=1.0))
    found = dict(planned.layout.origin.descriptions[0])
    assert found.pop("file") == "a.npy"
    assert Description.parse(found) == VELOCITY
    assert planned.layout.origin.chain == Chain(median=1.0)


def test_long_recordings_make_several_sequences_and_the_rest_is_told(save):
    files = [save("a.npy", 30, 16, 12), save("b.npy", 47, 16, 12)]
    planned = plan(files, VELOCITY, Chain(frames=15))
    assert [(s.recordings, s.windows, s.frames) for s in planned.sources] == [
        (1, 2, 30),
        (1, 3, 47),
    ]
    assert [(e["file"], e["start"]) for e in listed(planned)] == [
        ("a.npy", 0), ("a.npy", 0.15), ("b.npy", 0), ("b.npy", 0.15), ("b.npy", 0.3),
    ]  # fmt: skip
    assert planned.left_out == {str(files[1]): pytest.approx(0.02)}


def test_recordings_of_one_file_follow_one_another(save):
    axes = ("time", "sequence", "depth", "width")
    description = Description.parse(VELOCITY.to_values() | {"axes": axes})
    planned = plan([save("a.npy", 30, 3, 16, 12)], description, Chain(frames=15))
    assert [(e["recording"], e["start"]) for e in listed(planned)] == [
        (0, 0), (0, 0.15), (1, 0), (1, 0.15), (2, 0), (2, 0.15),
    ]  # fmt: skip


def test_velocity_of_iq_begins_half_a_frame_late_whatever_the_others_do(save):
    # Resampled to one rate, recordings keep the offsets of their own rates.
    files = [
        save("slow.npy", 40, 16, 12, dtype="c8"),
        save("fast.npy", 90, 16, 12, dtype="c8"),
        save("velocity.npy", 40, 16, 12),
    ]
    descriptions = [
        Description.parse(IQ), Description.parse(IQ | {"frame_rate": 200}), VELOCITY,
    ]  # fmt: skip
    planned = plan(files, descriptions, Chain(frame_rate=50, frames=19))
    assert [(e["file"], e["start"]) for e in listed(planned)] == [
        ("slow.npy", 0.005), ("fast.npy", 0.0025), ("velocity.npy", 0.0),
    ]  # fmt: skip
    assert planned.layout.frame_rate == 50


def test_bytes_that_are_hashed_are_counted(save):
    counted = []
    path = save("a.npy", 30, 16, 12)
    plan([path, path], VELOCITY, Chain(), on_bytes=counted.append)
    assert sum(counted) == 2 * path.stat().st_size


# One grid


@pytest.mark.parametrize(
    ("shape", "changes", "words"),
    [
        ((29, 16, 12), {}, ["29 frames at", "30 frames at", "`chain.frames`"]),
        ((30, 15, 12), {"size": [7.5, 6]}, ["found 15 x 12 px", "wanted 16 x 12 px"]),
        ((30, 16, 13), {"size": [8, 6.5]}, ["16 x 13 px", "`chain.pixels`"]),
        ((30, 16, 12), {"size": [8, 6.01]}, ["0.5 x 0.500833 mm", "0.5 x 0.5 mm", "`chain.size`"]),
        ((30, 16, 12), {"size": [8.01, 6]}, ["0.500625 x 0.5 mm"]),
        ((30, 16, 12), {"frame_rate": 100.1}, ["at 100.1 Hz", "at 100 Hz", "`chain.frame_rate`"]),
    ],
)
def test_recordings_of_another_grid_are_refused(save, refused, shape, changes, words):
    files = [save("a.npy", 30, 16, 12), save("b.npy", *shape)]
    other = Description.parse(VELOCITY.to_values() | changes)
    with refused(f"{files[1]}: ", f"as in {files[0]}", *words):
        plan(files, [VELOCITY, other], Chain())


def test_the_rounding_of_coordinates_makes_no_other_grid(save):
    # As the differences of times and depths in float32 are.
    other = Description.parse(
        VELOCITY.to_values() | {"frame_rate": 100.0004, "size": [8.00001, 6.00001]}
    )
    files = [save("a.npy", 30, 16, 12), save("b.npy", 30, 16, 12)]
    layout = plan(files, [VELOCITY, other], Chain()).layout
    assert (layout.frame_rate, layout.pixel_size) == (100, (0.5, 0.5))


# Wrong input


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (Chain(frames=31), ["found 30 frames", "0.3 s", "wanted 31", "`chain.frames`"]),
        (Chain(band=(5, 50)), ["band", "50 Hz in frames at 100 Hz", "above 100 Hz"]),
        (Chain(size=(9, 6)), ["size", "8 x 6 mm", "9 x 6 mm", "`chain.size`"]),
        (Chain(top=9.0), ["top", "9 mm", "0 to 8 mm"]),
        (Chain(median=20.0), ["median", "20 mm", "31 pixels"]),
    ],
)
def test_a_chain_that_does_not_fit_names_the_file(save, refused, chain, words):
    path = save("a.npy", 30, 16, 12)
    with refused(f"{path}: ", *words):
        plan([path], VELOCITY, chain)


def test_iq_shorter_than_an_ensemble_names_the_file(save, refused):
    path = save("a.npy", 3, 16, 12, dtype="c8")
    with refused(f"{path}: ", "found 3", "wanted 4", "one ensemble"):
        plan([path], Description.parse(IQ), Chain())


def test_lists_of_different_lengths_are_refused(save, table, fails):
    path = save("a.npy", 30, 16, 12)
    with fails(InputError, "files", "found none"):
        plan([], VELOCITY, Chain())
    with fails(InputError, "events", "found 1 tables for 2 files"):
        plan([path, path], VELOCITY, Chain(), events=[table((0.1, 1))])
    for count in (1, 3):
        with fails(InputError, "description", f"found {count} for 2 files"):
            plan([path, path], [VELOCITY] * count, Chain())
    with fails(InputError, "dtype", "'float64'", "float32, float16"):
        plan([path], VELOCITY, Chain(), dtype="float64")


# Known firings


def test_the_units_of_each_file_are_its_own(save, table):
    files = [save("a.npy", 30, 16, 12), save("b.npy", 30, 16, 12)]
    one = table((0.1, "7"), (0.2, "7"), (0.25, "7"), (0.1, "10"), name="one.tsv")
    two = table((0.1, "deep"), name="two.tsv")
    planned = plan(files, VELOCITY, Chain(frames=15), events=[one, two])
    assert [(e["events"], e["units"]) for e in listed(planned)] == [
        *[("one.tsv", ["7", "10"])] * 2, *[("two.tsv", ["deep"])] * 2,
    ]  # fmt: skip
    assert [e["events_sha256"] for e in listed(planned)[::2]] == [sha256_of(one), sha256_of(two)]
    assert planned.layout.variables == ("tvi", "firing", "unit_count", "firing_rate")
    assert planned.layout.sizes["unit"] == 2
    assert planned.layout.sizes["pulse"] == 3  # 0.1 is before the second window, 0.2 and 0.25 in it


def test_firings_that_fit_no_recording_are_refused(save, table, refused):
    # In milliseconds, say.
    path, events = save("a.npy", 30, 16, 12), table((100, 1), (200, 1))
    with refused(str(events), "found no onset within", str(path), "seconds"):
        plan([path], VELOCITY, Chain(), events=[events])


def test_a_table_without_firings_is_a_silent_recording(save, table):
    planned = plan([save("a.npy", 30, 16, 12)], VELOCITY, Chain(), events=[table()])
    assert planned.layout.sizes["unit"] == planned.layout.sizes["pulse"] == 1
    assert listed(planned)[0]["units"] == []


def test_firings_lie_within_a_window_or_just_before_it(table):
    onsets = [-0.6, 0.29, 0.31, 0.9, 1.39, 1.41]
    rows = [(onset, "a") for onset in onsets] + [(1.0, "b")]
    known = read_events(table(*rows))
    firing = known.within(0.9, 0.5)
    assert known.labels == ["a", "b"]
    np.testing.assert_allclose(firing[0], [-0.59, 0, 0.49])  # 1.41 is beyond, 0.29 long gone
    np.testing.assert_allclose(firing[1], [0.1, np.nan, np.nan])
    # A firing between two windows is the second one's.
    assert np.isnan(known.within(0.5, 0.5)[1]).all()
    assert known.within(1.0, 0.5)[1, 0] == 0


@given(
    frames=st.integers(1, 2000), rate=st.floats(1, 1e4), window=st.integers(0, 500),
    offset=st.sampled_from([0.0, 0.00025, 0.0005]),
)  # fmt: skip
def test_windows_follow_one_another(frames, rate, window, offset):
    source = SourceFile("", "", {}, "", None, 1, 1, 1, offset)
    grid = Grid((frames, 4, 4), rate, (1.0, 1.0))
    starts = [source.start_of(window + more, grid) for more in (0, 1)]
    assert starts[1] - starts[0] == pytest.approx(frames / rate, rel=1e-6)
    assert source.start_of(0, grid) == offset


def test_onsets_that_lie_in_no_sequence_are_counted(save, table):
    # A recording of 0.3 s whose sequences end at 0.2 s; twitches of before are under way in them.
    path = save("a.npy", 30, 16, 12)
    events = table((-0.7, 1), (-0.5, 1), (0.0, 2), (0.19, 2), (0.2, 1), (100.0, 2), ("n/a", 1))
    planned = plan([path], VELOCITY, Chain(frames=20), events=[events])
    assert planned.remarks == [
        f"{events}: 1 row without an instant left out",
        f"{events}: 3 of 6 onsets lie outside the sequences of {path}, which end at 0.2 s, and are "
        "left out; onsets are in seconds after its first frame",
    ]
    inside = table((0.0, 1), (0.1, 2), name="inside.tsv")
    assert plan([path], VELOCITY, Chain(frames=20), events=[inside]).remarks == []
