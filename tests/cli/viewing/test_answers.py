"""What the page is told is what the stores hold."""

import json

import numpy as np
import pytest
from matplotlib.path import Path

from musim.cli.viewing import answers as answering
from musim.cli.viewing.answers import SPAN, Answers
from musim.cli.viewing.layers import deviation, layers_of, motion_about
from musim.cli.viewing.queries import AbandonedError, Query
from musim.cli.viewing.shown import open_shown
from musim.cli.viewing.units import Units, centre_of, neighbours
from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.colours import COLOURS


@pytest.fixture(scope="module")
def answers(looked_at):
    return Answers(open_shown(looked_at.paths))


def ask(answers, name, **values):
    return getattr(answers, name)(Query({key: str(value) for key, value in values.items()}))


def test_about_tells_recordings_and_sets(client, looked_at):
    about = client.json("/api/about")
    (one,) = about["recordings"]
    assert one["name"] == "<i>&.zarr"
    assert (one["sequences"], one["shape"], one["frame_rate"]) == (2, [300, 32, 24], 400.0)
    assert [(each["name"], each["kind"]) for each in one["sets"]] == [
        ("truth", "true"), ("refine", "found"), ("velbss", "found"),
    ]  # fmt: skip
    assert [layer["name"] for layer in one["layers"]] == [
        "velocity", "sd", "reconstruction", "residual", "about",
    ]  # fmt: skip
    assert about["colours"] == list(COLOURS)


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 300), (7, 13), (299, 1)])
@pytest.mark.parametrize("sequence", [0, 1])
def test_frames_are_those_of_the_store(client, looked_at, sequence, first, count):
    path = f"/api/frames?sequence={sequence}&layer=velocity&first={first}&count={count}"
    wanted = looked_at.recording.tvi(sequence, time=slice(first, first + count))
    np.testing.assert_array_equal(client.array(path), wanted)


def test_a_reconstruction_is_the_sum_of_territories_times_trains(answers, looked_at):
    truth = looked_at.recording.truth(1)
    for units in (None, "0,2", "3", ""):
        chosen = {} if units is None else {"units": units}
        made = ask(answers, "frames", sequence=1, layer="reconstruction", set=0, first=5, count=4,
                   **chosen)  # fmt: skip
        among = range(4) if units is None else [int(n) for n in units.split(",") if n]
        wanted = np.zeros((4, 32, 24))
        for unit in among:
            wanted += truth.twitch_train[unit, 5:9, None, None] * truth.territory[unit]
        np.testing.assert_allclose(made, wanted, atol=1e-6)
        left = ask(answers, "frames", sequence=1, layer="residual", set=0, first=5, count=4,
                   **chosen)  # fmt: skip
        whole = looked_at.recording.tvi(1, time=slice(5, 9))
        np.testing.assert_allclose(left, whole - wanted, atol=1e-6)


def test_the_map_is_the_deviation_over_time(answers, looked_at):
    wanted = looked_at.recording.tvi(0).std(axis=0, dtype=np.float64)
    np.testing.assert_allclose(ask(answers, "map", layer="sd"), wanted, rtol=1e-5)


def test_maps_are_those_of_what_is_asked_for(answers, looked_at):
    recording, stores = looked_at.recording, (looked_at.recording, looked_at.units, looked_at.other)
    for sequence in (0, 1, 0):
        wanted = recording.tvi(sequence).std(axis=0, dtype=np.float64)
        found = ask(answers, "map", layer="sd", sequence=sequence)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for sequence, of, unit in ((0, 0, 0), (0, 0, 1), (0, 2, 1), (1, 0, 1), (0, 0, 0)):
        firing = stores[of].read("firing", sequence)[unit]
        firing = firing[(firing >= 0) & (firing < 0.75)]
        wanted = motion_about(recording, sequence, firing, slice(0, 300), SPAN, lambda: None)
        found = ask(answers, "map", layer="about", sequence=sequence, set=of, unit=unit)
        np.testing.assert_array_equal(found, wanted)


def test_no_more_is_sent_at_once_than_has_room(answers, refused, monkeypatch):
    monkeypatch.setattr(answering, "MOST_BYTES", 4 * 32 * 24 * 10 + 1)
    assert ask(answers, "frames", layer="velocity", first=3, count=10).shape == (10, 32, 24)
    with refused("count: found 11, wanted at most 10 frames"):
        ask(answers, "frames", layer="velocity", first=3, count=11)


def test_the_map_leaves_out_what_is_not_finite(looked_at):
    class Damaged:
        layout, kind = looked_at.recording.layout, "dense"

        def tvi(self, index, time):
            values = looked_at.recording.tvi(index, time=time).copy()
            values[:, 3, 4] = np.nan
            if time.start == 0:
                values[10, 5, 6] = np.inf
            return values + 1000

    found = deviation(Damaged(), 0, lambda: None)
    whole = looked_at.recording.tvi(0).astype(np.float64)
    assert np.isnan(found[3, 4])
    assert found[5, 6] == pytest.approx(np.delete(whole[:, 5, 6], 10).std(), rel=1e-2)
    assert found[8, 8] == pytest.approx(whole[:, 8, 8].std(), rel=1e-2)


def test_one_scale_stays_for_all_frames_and_velocities(answers, looked_at):
    ranges = ask(answers, "sequence", sequence=0)["ranges"]
    low, high = ranges["velocity"]
    assert low == -high
    assert ranges["reconstruction"] == ranges["residual"] == (low, high)
    whole = np.abs(looked_at.recording.tvi(0))
    assert (whole > high).mean() < 0.01
    assert high < 2 * whole.max()


def test_units_of_all_sets_are_described(client, looked_at):
    sets = client.json("/api/units?sequence=1")
    truth = looked_at.recording.truth(1)
    assert [len(units) for units in sets] == [4, 4, 4]
    for unit, told in enumerate(sets[0]):
        mask = truth.territory[unit] > 0.5
        assert told["area"] == pytest.approx(mask.sum())
        rows, columns = np.nonzero(mask)
        assert told["centre"] == pytest.approx([rows.mean() + 0.5, columns.mean() + 0.5], abs=0.5)
        inside = truth.firing[unit][(truth.firing[unit] >= 0) & (truth.firing[unit] < 0.75)]
        np.testing.assert_allclose(told["firings"], inside, atol=1e-6)
        assert told["outline"].startswith("M")
        assert told["confidence"] is None
    assert sets[1][0]["confidence"] == pytest.approx(0.95)


def test_units_are_outlined_and_named_where_they_lie(client, looked_at):
    sets = client.json("/api/units?sequence=1")
    fine = (np.arange(32 * 4) + 0.5) / 4, (np.arange(24 * 4) + 0.5) / 4
    depths, widths = np.meshgrid(*fine, indexing="ij")
    for rows, store in zip(sets, (looked_at.recording, looked_at.units), strict=False):
        for told in rows:
            unit = told["unit"]
            territory = store.read("territory", 1)[unit]
            mask = territory > 0.5
            inside = np.zeros(depths.shape, bool)
            for part in told["outline"].removesuffix("Z").split("Z"):
                corners = [point.split() for point in part.removeprefix("M").split("L")]
                path = Path(np.array(corners, float) / 20)  # steps to the mm
                points = np.stack([widths.ravel(), depths.ravel()], axis=1)
                inside ^= path.contains_points(points).reshape(depths.shape)
            wanted = np.argwhere(mask).mean(axis=0) + 0.5
            found = depths[inside].mean(), widths[inside].mean()
            np.testing.assert_allclose(found, wanted, atol=0.2)
            assert inside.sum() / 16 == pytest.approx(mask.sum(), rel=0.25)
            assert mask[int(told["label"][0]), int(told["label"][1])]
            assert told["centre"] == pytest.approx(centre_of(territory, (1.0, 1.0)))
            assert told["peak"] == pytest.approx(np.abs(store.read("twitch_train", 1)[unit]).max())


def test_neighbours_tell_which_comes_later_and_how_far_apart_they_lie():
    course = np.random.default_rng(3).standard_normal(300).astype(np.float32)
    territory = np.zeros((2, 8, 9), np.float32)
    territory[0, 2, 3] = territory[1, 6, 6] = 1
    train = np.stack([np.roll(course, 3), course])
    units = Units(territory, train, (np.empty(0), np.empty(0)))
    for unit, lag in ((0, 0.015), (1, -0.015)):
        (row,) = neighbours(units, unit, [(5, units)], 5, 200.0, (0.5, 2.0))
        assert (row["set"], row["unit"], row["iou"]) == (5, 1 - unit, 0)
        assert row["lag"] == pytest.approx(lag)
        assert row["correlation"] > 0.99
        assert row["distance"] == pytest.approx(np.hypot(4 * 0.5, 3 * 2.0))
    assert centre_of(territory[0], (0.5, 2.0)) == (1.25, 7.0)


def test_trains_come_with_their_frames(answers, looked_at):
    found = ask(answers, "trains", set=1, first=10, count=50, units="2,0")
    np.testing.assert_array_equal(found[0], np.arange(10, 60))
    trains = looked_at.units.read("twitch_train", 0)
    np.testing.assert_array_equal(found[1:], trains[[2, 0], 10:60])


def test_a_pixel_tells_its_velocity(answers, looked_at):
    found = ask(answers, "pixel", sequence=1, row=20, column=7)
    np.testing.assert_array_equal(found[0], np.arange(300))
    np.testing.assert_allclose(found[1], looked_at.recording.tvi(1)[:, 20, 7], rtol=1e-6)


def test_a_unit_is_most_like_itself_in_other_sets(answers):
    found = ask(answers, "unit", set=0, unit=1)
    first = found["neighbours"][0]
    assert (first["set"], first["unit"]) == (1, 1)
    assert first["correlation"] > 0.95
    assert first["iou"] == 1
    assert first["distance"] == pytest.approx(0, abs=1e-6)
    assert len(found["neighbours"]) == 3 + 4 + 4  # other units of its own set, and of both others
    assert found["twitch"]["count"] > 2


def test_units_are_told_what_they_are_in_the_light_of_the_truth(answers):
    found = ask(answers, "matches", set=1)
    # The last of the true units is missed, and in its place there is one that does not exist.
    assert [one["partner"] for one in found["found"]] == [0, 1, 2, None]
    assert found["found"][1]["correlation"] > 0.95
    assert found["found"][1]["agreement"] == 1
    assert found["true"]["3"] == {"words": "missed", "partner": None}
    assert (found["matches"], found["recall"], found["precision"]) == (3, 0.75, 0.75)
    assert ask(answers, "matches", set=0) == {}
    assert ask(Answers(open_shown([answers.shown.recordings[0].watched.opened])), "matches") == {}


def test_the_course_of_a_twitch_is_the_mean_about_firings(answers, looked_at):
    truth = looked_at.recording.truth(0)
    found = ask(answers, "unit", set=0, unit=0)["twitch"]
    times, frames = np.array(found["time"]), np.arange(300) / 400
    firings = [t for t in truth.firing[0] if t - 0.025 >= 0 and t + 0.150 <= 299 / 400]
    slow = [[np.interp(t + tau, frames, truth.twitch_train[0]) for tau in times] for t in firings]
    assert found["count"] == len(firings)
    np.testing.assert_allclose(found["mean"], np.mean(slow, axis=0), atol=1e-6)
    np.testing.assert_allclose(found["sd"], np.std(slow, axis=0), atol=1e-6)
    recorded = looked_at.recording.tvi(0)
    weights = truth.territory[0] / truth.territory[0].sum()
    seen = ask(answers, "seen", set=0, unit=0)
    signal = (recorded * weights).sum(axis=(1, 2))
    slow = [[np.interp(t + tau, frames, signal) for tau in times] for t in firings]
    np.testing.assert_allclose(seen["mean"], np.mean(slow, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("frames", {"layer": "velocity", "first": -1}, ["first", "'-1'", "0 to 299"]),
        ("frames", {"layer": "velocity", "first": "1_0"}, ["first", "'1_0'", "0 to 299"]),
        ("frames", {"layer": "velocity", "first": "9" * 5000}, ["first", "'999", "0 to 299"]),
        ("frames", {"layer": "velocity", "count": "nan"}, ["count", "'nan'", "1 to 300"]),
        ("frames", {"layer": "velocity", "first": 290, "count": 11}, ["count", "'11'", "1 to 10"]),
        ("frames", {"layer": "velocity", "sequence": 2}, ["sequence", "'2'", "0 to 1"]),
        ("frames", {"layer": "velocity", "recording": 1}, ["recording", "0 to 0"]),
        ("frames", {"layer": "../x"}, ["layer", "one of velocity, sd"]),
        ("frames", {}, ["layer", "nothing"]),
        ("frames", {"layer": "sd"}, ["layer", "that moves"]),
        ("map", {"layer": "velocity"}, ["layer", "does not move"]),
        ("frames", {"layer": "residual", "set": 3}, ["set", "0 to 2"]),
        ("frames", {"layer": "residual", "units": "0,9"}, ["units", "'9'", "0 to 3"]),
        ("trains", {"units": "0,1,0"}, ["units", "'0,1,0'", "each once"]),
        ("trains", {"set": -1}, ["set", "'-1'", "0 to 2"]),
        ("trains", {"points": 1}, ["points", "4 to"]),
        ("unit", {}, ["unit", "nothing", "0 to 3"]),
        ("pixel", {"row": 32, "column": 0}, ["row", "'32'", "0 to 31"]),
        ("pixel", {"row": 1, "column": "1e1"}, ["column", "'1e1'", "0 to 23"]),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(answers, client, refused, name, values, words):
    with refused(*words):
        ask(answers, name, **values)
    answer = client.get(f"/api/{name}?" + "&".join(f"{k}={v}" for k, v in values.items()))
    assert answer.status == 400
    assert all(word in json.loads(answer.body)["error"] for word in words)


def test_reading_ends_where_nobody_waits(answers):
    query = Query({"row": "1", "column": "1"})
    query.abandoned.set()
    with pytest.raises(AbandonedError):
        answers.pixel(query)


@pytest.mark.parametrize("name", ["trains", "unit", "seen"])
def test_where_there_are_no_units_none_are_told(slices_store, serving, refused, name):
    with refused("found no units in it or beside it"):
        ask(Answers(open_shown([slices_store])), name, unit=0)
    with serving([slices_store]) as server:
        answer = server.get(f"/api/{name}?unit=0")
    assert answer.status == 400
    assert "found no units" in json.loads(answer.body)["error"]


def test_stores_of_images_have_other_layers(slices_store):
    names = [layer.name for layer in layers_of(slices_store, units=False, firings=False)]
    assert names == ["image", "image_b", "difference"]
    answers = Answers(open_shown([slices_store]))
    first, second = (
        ask(answers, "frames", sequence=2, layer=name) for name in ("image", "image_b")
    )
    np.testing.assert_array_equal(first, slices_store.read("image", 2))
    difference = ask(answers, "frames", sequence=2, layer="difference")
    np.testing.assert_array_equal(difference, second - first)
    low, high = ask(answers, "sequence", sequence=2)["ranges"]["difference"]
    assert low == -high < 0


def test_blocks_of_written_frames_are_read_once(tmp_path, monkeypatch):
    parameters = Parameters(units=Range(2, 2), pixels=(64, 64), size=(40.0, 40.0), frames=2000)
    store = generate(parameters, tmp_path / "a.zarr", sequences=1, workers=1, pool="threads")
    assert store.layout.frames_of_chunk < 2000
    whole, asked = store.tvi(0), []
    answers = Answers(open_shown([store]))
    original = type(store).tvi
    monkeypatch.setattr(
        type(store), "tvi", lambda *args, **more: asked.append(more) or original(*args, **more)
    )
    step = store.layout.frames_of_chunk
    for first in (0, 7, step - 3, step + 5, 1990, 7):
        found = ask(answers, "frames", layer="velocity", first=first, count=10)
        np.testing.assert_array_equal(found, whole[first : first + 10])
    assert len(asked) == 3
    low, high = ask(answers, "sequence")["ranges"]["velocity"]
    assert len(asked) <= 3 + 4
    assert high == -low
    assert 0.9 < high / np.percentile(np.abs(whole), 99.8) < 1.1


def test_a_sequence_in_which_no_unit_was_found_is_seen(looked_at, tmp_path, store_of_units, nearly):
    recording = looked_at.recording
    found = [nearly(recording.truth(n)) for n in range(2)]
    units = store_of_units(tmp_path / "none.zarr", recording, found, counts=[0, 4])
    answers = Answers(open_shown([recording, units]))
    assert [len(rows) for rows in ask(answers, "units")] == [4, 0]
    assert ask(answers, "trains", set=1).shape == (1, 300)
    assert ask(answers, "trains", set=1, points=20).shape == (1, 20)
    assert ask(answers, "matches", set=1)["matches"] == 0
    made = ask(answers, "frames", layer="reconstruction", set=1, count=2)
    np.testing.assert_array_equal(made, np.zeros((2, 32, 24)))
    assert len(ask(answers, "unit", set=0, unit=0)["neighbours"]) == 3
