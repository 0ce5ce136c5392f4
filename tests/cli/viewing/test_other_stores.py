"""Stores of other kinds, from other places, and imported ones are seen too."""

import fsspec
import numpy as np
import pytest
from PIL import Image

from musim.cli.viewing.answers import Answers
from musim.cli.viewing.facts import facts_of, marks_of, proportions_of
from musim.cli.viewing.layers import motion_about
from musim.cli.viewing.queries import Query
from musim.cli.viewing.shown import Recording, open_shown
from musim.cli.viewing.states import signals_of
from musim.cli.viewing.watching import Watched
from musim.datasets import generate, open_store
from musim.datasets.store import Store
from musim.datasets.volumes.slices import slices_of
from musim.simulator import Parameters, Range

SMALL = Parameters(units=Range(2, 2), pixels=(9, 7), size=(9.0, 7.0), diameter=Range(2, 4),
                   frames=100)  # fmt: skip


def ask(answers, name, **values):
    return getattr(answers, name)(Query({key: str(value) for key, value in values.items()}))


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_stores_behind_urls_are_seen(serving, kind):
    url = f"memory://viewing-{kind}.zarr"
    store = generate(SMALL, url, sequences=2, kind=kind)
    with serving([url]) as client:
        found = client.array("/api/frames?sequence=1&layer=velocity&first=3&count=4")
        np.testing.assert_array_equal(found, store.tvi(1, time=slice(3, 7)))
        assert client.json("/api/about")["recordings"][0]["place"] == url
        assert len(client.json("/api/units?sequence=1")[0]) == 2
    fsspec.filesystem("memory").rm(f"viewing-{kind}.zarr", recursive=True)


def test_only_what_is_seen_is_read(tmp_path, monkeypatch):
    generate(SMALL, tmp_path / "a.zarr", sequences=300, kind="rendered", workers=1, pool="threads")
    read = set()
    original = Store._load_part

    def noted(self, name, part):
        read.add((name, part))
        return original(self, name, part)

    monkeypatch.setattr(Store, "_load_part", noted)
    answers = Answers(open_shown([tmp_path / "a.zarr"], 130))
    ask(answers, "about")
    assert read == set()
    for name in ("sequence", "units", "trains"):
        ask(answers, name, sequence=130)
    ask(answers, "frames", sequence=130, layer="velocity", count=3)
    assert {part for _, part in read} == {1}


def test_known_firings_of_an_imported_recording_are_seen(musim, tmp_path):
    store = generate(SMALL, tmp_path / "a.zarr", sequences=1, workers=1, pool="threads")
    np.save(tmp_path / "tvi.npy", store.tvi(0))
    assert musim("events", "a.zarr").code == 0
    done = musim("import", "tvi.npy", "--kind", "velocity", "--axes", "time,depth,width",
                 "--frame-rate", 400, "--image-size", "9x7", "--out", "b.zarr",
                 "--events", "events/sequence-000000_events.tsv")  # fmt: skip
    assert done.code == 0, done.err
    answers = Answers(open_shown([tmp_path / "b.zarr"]))
    (known,) = answers.shown.recordings[0].sets
    assert (known.name, known.kind) == ("known firings", "known")
    layers = [layer["name"] for layer in ask(answers, "about")["recordings"][0]["layers"]]
    assert layers == ["velocity", "sd", "about"]
    truth = store.truth(0)
    (units,) = ask(answers, "units")
    for unit, told in enumerate(units):
        firing = truth.firing[unit]
        wanted = firing[(firing >= 0) & (firing < 0.25)]
        np.testing.assert_allclose(told["firings"], wanted, atol=1e-6)
        assert (told["outline"], told["area"], told["centre"]) == ("", 0, None)
    assert ask(answers, "trains").shape == (3, 100)
    assert ask(answers, "unit", unit=0)["neighbours"][0]["distance"] is None


def test_what_moves_as_a_unit_fires_is_where_it_lies():
    parameters = Parameters(
        units=Range(1, 1), pixels=(24, 24), size=(24.0, 24.0), frames=1200, snr=Range(10, 10)
    )
    store = generate(parameters, "memory://about.zarr", sequences=1, kind="rendered")
    truth, seen = store.truth(0), []
    found = motion_about(
        store, 0, truth.firing[0], slice(0, 1200), (-0.02, 0.1), lambda: seen.append(0)
    )
    inside = truth.territory[0] > 0.5
    assert found[inside].min() > 3 * found[~inside].max()
    frames = np.round(truth.firing[0] * 400).astype(int)
    windows = [store.tvi(0)[n - 8 : n + 41] for n in frames if n >= 8 and n + 40 < 1200]
    assert len(seen) == len(windows)
    np.testing.assert_allclose(found, np.mean(windows, axis=0).std(axis=0), rtol=1e-4)
    none = motion_about(store, 0, np.array([0.001]), slice(0, 1200), (-0.02, 0.1), lambda: None)
    assert np.isnan(none).all()
    fsspec.filesystem("memory").rm("about.zarr", recursive=True)


def test_sections_tell_their_aponeuroses(musim, tmp_path):
    done = musim("generate", "--preset", "katakis-2023", "--muscle", "gastrocnemius-medialis",
                 "-n", 1, "--pixels", "64x64", "--workers", 1, "--out", "a.zarr")  # fmt: skip
    assert done.code == 0, done.err
    answers = Answers(open_shown([tmp_path / "a.zarr"]))
    (about,) = ask(answers, "about")["recordings"]
    assert ([layer["name"] for layer in about["layers"]], about["sets"]) == (["bmode"], [])
    told = ask(answers, "sequence")
    assert [mark["label"] for mark in told["marks"]] == [
        "superficial aponeurosis", "deep aponeurosis",
    ]  # fmt: skip
    store = open_store(tmp_path / "a.zarr")
    assert told["facts"][0] == f"thickness {float(store.read('muscle_thickness', 0)):.1f} mm"
    assert told["ranges"] == {"bmode": (0.0, 255.0)}
    np.testing.assert_array_equal(ask(answers, "frames", layer="bmode"), store.bmode(0))


def test_videos_show_their_signals(musim, tmp_path):
    done = musim("generate", "--preset", "cunningham-2017", "--participants", 1, "--tasks",
                 "combined", "--workers", 1, "--out", "a.zarr")  # fmt: skip
    assert done.code == 0, done.err
    store = open_store(tmp_path / "a.zarr")
    answers = Answers(open_shown([store]))
    told = ask(answers, "sequence")
    assert told["facts"][0].endswith("combined")
    assert [signal["name"] for signal in told["signals"]] == [
        "emg_amplitude", "torque", "angle", "fascicle_length_course",
    ]  # fmt: skip
    frames, emg, torque, *_ = ask(answers, "states", first=10, count=40)
    np.testing.assert_array_equal(frames, np.arange(10, 50))
    each = round(store.layout.sample_rate / store.layout.frame_rate)
    wanted = store.read("torque", 0)[10 * each : 50 * each : each]
    np.testing.assert_array_equal(torque, wanted)
    steps = store.read("emg_amplitude", 0)[10 * each : 50 * each]
    assert 0 < 1e3 * steps.min() <= emg.min() < emg.max() <= 1e3 * steps.max() * (1 + 1e-6)  # mV
    assert ask(answers, "about")["recordings"][0]["tells_pixels"] is False


def test_stores_without_signals_have_none(looked_at):
    assert signals_of(looked_at.recording, 0) == []
    assert marks_of(Recording(Watched(looked_at.recording)), looked_at.recording, 0) == []
    assert facts_of(looked_at.recording, 0) == ["SNR 10 dB"]


def test_fat_and_an_artery_are_drawn_where_they_are(tmp_path):
    class Anatomy:
        layout = generate(SMALL, tmp_path / "a.zarr", sequences=1).layout
        has_truth = True

        def fat(self, index):
            return 3.0

        def artery(self, index):
            from musim.simulator.experiment.anatomy import Artery

            return Artery(5.0, 4.0, 1.5)

    fat, artery = marks_of(Recording(None), Anatomy(), 0)
    assert (fat["label"], fat["path"]) == ("below skin and fat", "M0 60.0H140.0")
    assert artery["path"].startswith("M50.0 100.0a30.0 30.0 ")


def test_images_are_drawn_in_their_proportions(looked_at, slices_store):
    assert proportions_of(looked_at.recording, 0) == (32.0, 24.0)
    for index in range(len(slices_store)):
        one = slices_of(slices_store)[index]
        _, rows, columns = slices_store.layout.shape
        wanted = rows * one.pixel_size[0], columns * one.pixel_size[1]
        assert proportions_of(slices_store, index) == pytest.approx(wanted)


def test_imported_images_keep_their_shape(musim, tmp_path):
    (tmp_path / "scans").mkdir()
    values = np.random.default_rng(0).integers(0, 255, (100, 200), np.uint8)
    Image.fromarray(values).save(tmp_path / "scans" / "a.png")
    done = musim("import", "scans", "--pixels", "64x64", "--out", "a.zarr")
    assert done.code == 0, done.err
    high, across = proportions_of(open_store(tmp_path / "a.zarr"), 0)
    assert across / high == pytest.approx(2)
