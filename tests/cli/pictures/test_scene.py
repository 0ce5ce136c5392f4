"""What is drawn of a sequence, against the whole sequence in memory."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest

from musim.cli.pictures.scene import COLOURS, artery_in, read_scene
from musim.datasets import Store, generate
from musim.simulator import Parameters, Range, draw
from musim.simulator.errors import InputError
from musim.simulator.experiment.doses import Doses


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    parameters = Parameters(
        units=Range(3, 3), pixels=(12, 10), size=(12.0, 10.0), diameter=Range(2, 5), frames=60
    )
    path = tmp_path_factory.mktemp("scene") / "some.zarr"
    return generate(parameters, path, sequences=2, kind="dense", workers=1, pool="threads")


def test_scene_holds_what_the_store_does(store):
    scene, truth, voxels = read_scene(store, 1), store.truth(1), store.tvi(1)
    assert scene.shape == voxels.shape
    assert scene.size == (12.0, 10.0)
    assert scene.duration == pytest.approx(60 / 400)
    assert scene.has_units
    np.testing.assert_allclose(scene.deviation, voxels.std(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(scene.images, voxels[list(scene.highlights)])
    for unit, (trace, mark) in enumerate(zip(scene.traces, scene.marks, strict=True)):
        assert trace.label == mark.label == str(unit)
        assert trace.colour == mark.colour == COLOURS[unit]
        np.testing.assert_array_equal(trace.signal, truth.twitch_train[unit])
        times = truth.firing[unit]
        np.testing.assert_array_equal(trace.firings, times[(times >= 0) & (times < 60 / 400)])
        assert 0 < mark.depth < 12
        assert 0 < mark.width < 10
    assert "some.zarr" in scene.title
    assert "sequence 1" in scene.title
    assert "3 units" in scene.title
    assert "SNR 10 dB" in scene.title
    assert "dense" in scene.title


def test_fat_and_artery_are_told(store, tmp_path):
    assert (read_scene(store, 0).fat, read_scene(store, 0).artery) == (0, None)
    under = dataclasses.replace(store.parameters, fat=Range(2, 4))
    other = generate(under, tmp_path / "fat.zarr", sequences=1, kind="rendered", workers=1)
    assert read_scene(other, 0).fat == other.fat(0) > 2
    truth = draw(under, doses=Doses(artery=(50, 50)))
    artery = artery_in(truth)
    assert artery is not None
    assert (artery.depth, artery.width, artery.radius) == (
        truth.artery_depth, truth.artery_width, truth.artery_radius,
    )  # fmt: skip
    assert artery_in(draw(under)) is None


def test_highlights_are_the_most_active_frames_of_spans_and_apart(store):
    scene, activity = read_scene(store, 0), np.abs(store.tvi(0)).mean(axis=(1, 2))
    chosen = scene.highlights
    assert len(chosen) == 5
    assert chosen[0] == np.argmax(activity[:12])
    for span, (before, frame) in enumerate(pairwise(chosen), start=1):
        assert 12 * span <= frame < 12 * (span + 1)
        assert frame - before >= 6
        earliest = max(12 * span, before + 6)
        assert activity[frame] == activity[earliest : 12 * (span + 1)].max()


def test_a_disc_is_marked_at_its_centre(store):
    truth, scene = store.truth(0), read_scene(store, 0)
    for unit in np.flatnonzero(truth.visible_share == 1):
        assert scene.marks[unit].depth == pytest.approx(truth.centre_depth[unit], abs=0.5)
        assert scene.marks[unit].width == pytest.approx(truth.centre_width[unit], abs=0.5)


def test_without_truth_pixels_that_move_most_are_shown(store):
    voxels = store.tvi(0)
    untold = Store(store.location, dataclasses.replace(store.layout, variables=("tvi",)))
    scene = read_scene(untold, 0)
    assert not scene.has_units
    assert "unit" not in scene.title
    assert "SNR" not in scene.title
    np.testing.assert_allclose(scene.traces[0].signal, voxels.mean(axis=(1, 2)), atol=1e-6)
    assert [trace.label for trace in scene.traces] == ["mean", *(m.label for m in scene.marks)]
    places = []
    for trace, mark in zip(scene.traces[1:], scene.marks, strict=True):
        row, column = int(mark.depth), int(mark.width)
        np.testing.assert_array_equal(trace.signal, voxels[:, row, column])
        places.append((row, column))
    deviation = voxels.std(axis=0)
    assert places[0] == np.unravel_index(np.argmax(deviation), deviation.shape)
    apart = math.hypot(12, 10) / 6
    for number, place in enumerate(places):
        assert all(math.dist(place, other) >= apart for other in places[:number])


class Damaged(Store):
    """A store without truth, of given voxels."""

    def __init__(self, store, voxels):
        frames, depth, width = voxels.shape
        sizes = {**store.layout.sizes, "time": frames, "depth": depth, "width": width}
        layout = dataclasses.replace(store.layout, variables=("tvi",), sizes=sizes)
        super().__init__(store.location, layout)
        self.voxels = voxels

    def tvi(self, index, *, time=slice(None), depth=slice(None), width=slice(None)):
        return self.voxels[time, depth, width]


def test_values_that_are_not_finite_are_left_out(store):
    voxels = store.tvi(0).copy()
    voxels[:, 0, 0] = np.nan
    voxels[7, 3, 4] = np.inf
    voxels[9] = np.nan
    scene = read_scene(Damaged(store, voxels), 0)
    assert np.isnan(scene.deviation[0, 0])
    others = np.delete(np.where(np.isfinite(voxels), voxels, np.nan), 9, axis=0)
    others[:, 0, 0] = 0
    expected = np.nanstd(others, axis=0)
    np.testing.assert_allclose(scene.deviation.ravel()[1:], expected.ravel()[1:], rtol=1e-4)
    assert np.isnan(scene.traces[0].signal[9])
    assert math.isfinite(scene.limit)


def test_a_large_offset_leaves_the_deviation_exact(store):
    voxels = (store.tvi(0) + np.float32(1000)).astype(np.float32)
    scene = read_scene(Damaged(store, voxels), 0)
    expected = voxels.astype(np.float64).std(axis=0)
    np.testing.assert_allclose(scene.deviation, expected, rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_to_see_has_a_scale_all_the_same(store, value):
    scene = read_scene(Damaged(store, np.full((2, 3, 4), value, np.float32)), 0)
    assert scene.limit == 1.0
    assert len(scene.highlights) == 2


def test_the_smallest_lone_territory_sets_the_scale(tmp_path):
    parameters = Parameters(units=Range(1, 1), diameter=Range(2.5, 2.5), snr=Range(60, 60))
    scene = read_scene(generate(parameters, tmp_path / "a.zarr", sequences=1, workers=1), 0)
    assert scene.limit > 0.5 * np.abs(scene.images).max()


def test_no_such_sequence(store):
    with pytest.raises(InputError, match="found sequence 2, wanted 0 to 1"):
        read_scene(store, 2)


def test_colours_differ_and_are_legible():
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS]) / 255
    assert len(set(COLOURS)) == 30
    neighbours = np.linalg.norm(np.diff(rgb, axis=0), axis=1)
    assert neighbours.min() > 0.25
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    assert (1.05 / (luminance + 0.05)).min() > 2  # contrast with white, as WCAG 2 defines it


def test_outlines_that_are_uncertain_are_known(store, store_of_units, nearly, tmp_path):
    found = [
        dataclasses.replace(nearly(store.truth(index)), outline_confidence=np.array([0.9, 0.1, 0]))
        for index in range(2)
    ]
    told = store_of_units(tmp_path / "units.zarr", store, found)
    assert [mark.uncertain for mark in read_scene(told, 1).marks] == [False, True, True]
    earlier = store_of_units(tmp_path / "earlier.zarr", store, found, earlier=True)
    assert not any(mark.uncertain for mark in read_scene(earlier, 1).marks)
    assert not any(mark.uncertain for mark in read_scene(store, 1).marks)


def test_a_recording_of_the_virtual_experiment_is_not_said_to_have_no_noise(store, monkeypatch):
    assert "SNR 10 dB" in read_scene(store, 0).title
    monkeypatch.setattr(Store, "domain", "experiment")
    title = read_scene(store, 0).title
    assert "noise of the recording chain" in title
    assert "SNR" not in title
