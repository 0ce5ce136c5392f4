"""Putting translations to the test: every score by hand, pairing, refusals, and what is written."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest

from musim.datasets import generate
from musim.simulator import InputError, Parameters, Range
from musim.training.translation import figures, measuring
from musim.training.translation.evaluation import evaluate_translation
from musim.training.translation.metrics import (
    METRICS,
    PAPER,
    AlarmSettings,
    FeatureSettings,
    compare,
    cross_correlate,
    label_survival,
    measure,
    similarity_map,
)
from tests.makers import store_of, translated

SETTINGS = FeatureSettings(segment=0.125, lag=0.02)
RATE = 512.0
A = Parameters(
    units=Range(2, 3), pixels=(64, 64), size=(40.0, 40.0), frames=64, frame_rate=RATE,
    snr=Range(math.inf, math.inf),
)  # fmt: skip
B = dataclasses.replace(A, mask="soft", snr=Range(5, 15))


def translate(source, path, change, count=None):
    """Store what a change makes of a store's sequences, as their translation, with their truth."""
    count = len(source) if count is None else count
    layout = dataclasses.replace(
        source.layout, sizes={**source.layout.sizes, "sequence": count}, part_size=1,
        attributes=translated(source.location.address, count),
    )  # fmt: skip

    def given(part):
        arrays = {name: source.read(name, part)[None] for name in layout.variables if name != "tvi"}
        return arrays, [np.asarray(change(source.tvi(part), part), np.float32)]

    return store_of(path, layout, given)


def fair(sequence, index):
    """Later by a frame, with a texture, and with some motion everywhere."""
    random = np.random.default_rng(index)
    texture = random.uniform(0.7, 1.3, sequence.shape[1:])
    noise = random.normal(0, 0.1 * sequence.std(), sequence.shape)
    return np.roll(sequence, 1, axis=0) * texture + noise


def faulty(sequence, index):
    """Turned, with a checkerboard of 4 x 4 px."""
    z, x = np.mgrid[: sequence.shape[1], : sequence.shape[2]]
    return -fair(sequence, index) * np.where((z // 2 + x // 2) % 2 == 0, 1.3, 0.7)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A, B, and two translations of A, of which the second has one sequence less."""
    folder = tmp_path_factory.mktemp("stores")
    a = generate(A, folder / "a.zarr", sequences=3, seed=1, workers=1)
    b = generate(B, folder / "b.zarr", sequences=4, seed=2, workers=1)
    good = translate(a, folder / "good.zarr", fair)
    bad = translate(a, folder / "bad.zarr", faulty, 2)
    return a, b, good, bad


@pytest.fixture(scope="module", autouse=True)
def _no_figures():
    """Draw none: they take seconds, and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw_charts", lambda found: [])
        yield


def addresses(stores):
    return [store.location.address for store in stores]


def run(stores, out, **options):
    a, b, *translated = addresses(stores)
    options = {"settings": SETTINGS, "workers": 1, **options}
    return evaluate_translation(a, b, translated, out, **options)


@pytest.fixture(scope="module")
def found(stores, tmp_path_factory):
    return run(stores, tmp_path_factory.mktemp("found") / "e")


def rows_of(folder, name):
    return list(csv.DictReader(io.StringIO((folder / name).read_text())))


# Scores


def test_rows_are_all_pairs(stores, found):
    features = [
        [measure(store.tvi(i), RATE, SETTINGS) for i in range(len(store))] for store in stores
    ]
    assert [(row.direction, row.name) for row in found.rows] == [
        ("Sim to Exp", "No translation"), ("Sim to Exp", "good"), ("Sim to Exp", "bad"),
        ("Exp to Exp", "No translation"),
    ]  # fmt: skip
    assert [(row.sequences, row.pairs) for row in found.rows] == [(3, 12), (3, 12), (2, 8), (4, 6)]
    for row, ours in zip(found.rows[:3], (features[0], *features[2:]), strict=True):
        for name, values in compare(ours, features[1], SETTINGS).items():
            assert row.scores[name].mean == pytest.approx(values.mean())
            assert row.scores[name].sd == pytest.approx(values.std(ddof=1))
    for name, values in compare(features[1], features[1], SETTINGS).items():
        others = values[~np.eye(4, dtype=bool)]
        assert found.rows[3].scores[name].mean == pytest.approx(others.mean())
    assert all("lag" not in found.rows[place].scores for place in (0, 3))


def test_translations_are_compared_with_the_input_at_their_place(stores, found):
    a, _, *translated = stores
    for store, row, kept in zip(translated, found.rows[1:3], found.translations, strict=True):
        pairs = [(a.tvi(i), store.tvi(i)) for i in range(len(store))]
        compared = [cross_correlate(*pair, RATE, SETTINGS.lag) for pair in pairs]
        for name, maps in (("cross_correlation", [c.maximum for c in compared]),
                           ("lag", [c.lag for c in compared])):  # fmt: skip
            values = np.concatenate([each[np.isfinite(each)] for each in maps])
            score = row.scores[name]
            assert score.count == len(values)
            assert (score.mean, score.sd) == pytest.approx((values.mean(), values.std(ddof=1)))
        for index, pair in enumerate(pairs):
            maps = similarity_map(*pair)
            np.testing.assert_array_equal(kept.difference[index], maps.difference)
            np.testing.assert_array_equal(kept.distance[index], maps.distance)
            units = label_survival(a.truth(index), *pair, RATE)
            rows = [row for row in kept.units if row["sequence"] == index]
            assert rows == [{"translation": kept.name, "sequence": index, **vars(unit)}
                            for unit in units]  # fmt: skip
        for name, score in kept.survival.items():
            assert score.mean == pytest.approx(np.mean([unit[name] for unit in kept.units]))
            assert score.count == len(kept.units) > 0
    good, bad = found.translations
    assert good.survival["correlation_after"].mean > 0.8
    assert bad.survival["correlation_after"].mean < -0.8
    assert found.rows[1].scores["lag"].mean == pytest.approx(1000 / RATE, abs=0.5)


def test_alarms(found):
    good, bad = found.translations
    assert good.alarms == ()
    assert not any(row["inversion_alarm"] or row["checkerboard_alarm"] for row in good.sequences)
    assert [line.split(" (")[0].split(",")[0] for line in bad.alarms] == [
        "contraction comes out as relaxation in 2 of 2 sequences",
        "checkerboard in 2 of 2 sequences",
    ]
    assert "4 x 4 px" in bad.alarms[1]
    assert all(row["inverted"] > 0.9 for row in bad.sequences)


def test_what_both_domains_have_is_no_alarm(stores, tmp_path):
    a, b, _, bad = stores
    board = translate(b, tmp_path / "board.zarr", lambda x, index: faulty(x, 0))
    found = run((a, board, bad), tmp_path / "e")
    assert found.b.checkerboard.max() > AlarmSettings().checkerboard
    limit = found.b.checkerboard.max()
    (translation,) = found.translations
    assert [row["checkerboard_alarm"] for row in translation.sequences] == [
        int(row["checkerboard"] > limit) for row in translation.sequences
    ]


def test_what_figures_show_is_kept(stores, found, monkeypatch, tmp_path):
    a, _, good, _ = stores
    assert (found.frame_rate, found.pixel_size) == (RATE, (0.625, 0.625))
    assert found.a.frames.shape == found.b.frames.shape == (3, 3, 64, 64)
    assert found.translations[1].frames.shape == (2, 3, 64, 64)
    for index in range(3):
        before, after = a.tvi(index), good.tvi(index)
        z, x = np.unravel_index(np.square(before).sum(axis=0).argmax(), (64, 64))
        for kept, sequence in ((found.a, before), (found.translations[0], after)):
            signal = (sequence[:, z, x] - sequence.mean()) / sequence.std()
            np.testing.assert_allclose(kept.signals[index], signal, atol=1e-4)
            np.testing.assert_array_equal(kept.instants[index], found.a.instants[index])
            frames = np.round(kept.instants[index] * RATE).astype(int)
            images = (sequence[frames] - sequence.mean()) / sequence.std()
            np.testing.assert_allclose(kept.frames[index], images, atol=1e-4)
    monkeypatch.setattr(measuring, "EXAMPLES", 1)
    few = run(stores, tmp_path / "e")
    assert len(few.a.frames) == len(few.b.frames) == len(few.translations[0].frames) == 1
    assert few.rows == found.rows


# Finding the stores


def test_the_simulated_store_is_found_by_what_it_was_translated_into(stores, found, tmp_path):
    _, b, *translated = addresses(stores)
    again = evaluate_translation(None, b, translated, tmp_path / "e", settings=SETTINGS, workers=1)
    assert again.rows == found.rows
    assert again.a.address == stores[0].location.address


def test_stores_without_a_source_ask_for_it(stores, tmp_path, refused):
    a, b, good, _ = addresses(stores)
    with refused("found sequences drawn ", " wanted a translated"):
        evaluate_translation(None, b, [b], tmp_path / "e")
    other = translate(stores[1], tmp_path / "other.zarr", fair)
    with refused("found stores made of"):
        evaluate_translation(None, b, [good, other.location.address], tmp_path / "e")
    with refused("translated: found no store"):
        evaluate_translation(a, b, [], tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_names_are_those_of_the_stores_or_given(stores, tmp_path, refused):
    a, b, good, _ = stores
    (tmp_path / "x").mkdir()
    twin = translate(a, tmp_path / "x" / "good.zarr", fair, 1)
    found = run((a, b, good, twin), tmp_path / "e")
    assert [each.name for each in found.translations] == addresses((good, twin))
    found = run((a, b, good, twin), tmp_path / "f", names=["plain", "noise"])
    assert [row.name for row in found.rows[1:3]] == ["plain", "noise"]
    with refused("names: found 1, wanted 2"):
        run((a, b, good, twin), tmp_path / "g", names=["plain"])


# Refusals


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": (48, 64), "size": (30.0, 40.0)}, "found 48 x 64 px"),
        ({"size": (32.0, 40.0)}, "64 x 64 px of 0.5 x 0.625 mm"),
        ({"frames": 60}, "and 60 frames"),
        ({"frame_rate": 400.0}, "at 400 Hz"),
    ],
)
def test_stores_that_do_not_fit_are_refused(stores, tmp_path, changes, words, refused):
    other = generate(dataclasses.replace(A, **changes), tmp_path / "o.zarr", sequences=1, workers=1)
    a, b, good, _ = stores
    for chosen in ((a, other, good), (a, b, other)):
        with refused() as caught:
            run(chosen, tmp_path / "e")
        assert words in str(caught.value)
        assert "wanted 64 x 64 px of 0.625 x 0.625 mm and 64 frames at 512 Hz" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "e").exists()


def test_another_simulated_store_is_refused(stores, tmp_path, monkeypatch, refused):
    a, b, good, _ = stores
    fewer = generate(A, tmp_path / "fewer.zarr", sequences=2, seed=1, workers=1)
    with refused("good.zarr: found 3 sequences, wanted no more"):
        run((fewer, b, good), tmp_path / "e")
    other = generate(A, tmp_path / "other.zarr", sequences=3, seed=9, workers=1)
    with refused("good.zarr: found another truth of sequence 0"):
        run((other, b, good), tmp_path / "e")
    assert not (tmp_path / "e").exists()
    # One that differs later on only is found too.
    mixed = [a.truth(0), other.truth(1), other.truth(2)]
    monkeypatch.setattr(other, "truth", mixed.__getitem__)
    with refused("good.zarr: found another truth of sequence 1"):
        measuring.check_truth(other, good, 1)
    measuring.check_truth(other, good, 0)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_translation_of_nothing_is_refused(stores, tmp_path, value):
    a, b, *_ = stores
    broken = translate(a, tmp_path / "x.zarr", lambda x, index: np.full_like(x, value))
    with pytest.raises(InputError, match=r"x.zarr: found values .* in sequence \d, wanted motion"):
        run((a, b, broken), tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_small_images_and_short_sequences_are_refused(stores, tmp_path, refused):
    with refused("found 64 x 64 px, wanted 67 or more for windows of 33"):
        run(stores, tmp_path / "e", settings=FeatureSettings(segment=0.125, window=33))
    with refused("found 2 frequencies from 5 to 50 Hz"):
        run(stores, tmp_path / "e", settings=FeatureSettings(segment=0.045))


def test_images_too_small_for_checkerboards_raise_no_alarm(tmp_path):
    small = dataclasses.replace(A, pixels=(32, 32))
    a = generate(small, tmp_path / "a.zarr", sequences=2, workers=1)
    bad = translate(a, tmp_path / "bad.zarr", faulty)
    found = run((a, a, bad), tmp_path / "e")
    (translation,) = found.translations
    assert len(translation.alarms) == 1
    assert rows_of(tmp_path / "e", "sequences.csv")[0]["checkerboard"] == ""


def test_recordings_have_no_labels_that_could_survive(stores, tmp_path):
    a, b, good, _ = stores
    for number, store in enumerate((a, good)):
        layout = dataclasses.replace(store.layout, variables=("tvi",), part_size=1)

        store_of(
            tmp_path / f"{number}.zarr", layout, lambda part, store=store: ({}, [store.tvi(part)])
        )
    a, good = tmp_path / "0.zarr", tmp_path / "1.zarr"
    found = evaluate_translation(a, b.location.address, [good], tmp_path / "e", settings=SETTINGS,
                                 workers=1)  # fmt: skip
    assert found.translations[0].survival == {}
    assert found.translations[0].units == []
    assert (tmp_path / "e" / "units.csv").read_text() == ""


# What is written


def test_tables_hold_the_rows_beside_the_papers(stores, tmp_path):
    found = run(stores, tmp_path / "e")
    table = rows_of(tmp_path / "e", "table.csv")
    assert [row["source"] for row in table] == ["here"] * 4 + ["paper"] * 7
    for row, written in zip((*found.rows, *PAPER), table, strict=True):
        assert (written["direction"], written["translation"]) == (row.direction, row.name)
        for name in METRICS:
            if name in row.scores:
                assert float(written[name]) == pytest.approx(row.scores[name].mean, rel=1e-5)
                assert float(written[f"{name}_sd"]) == pytest.approx(row.scores[name].sd, rel=1e-5)
            else:
                assert written[name] == ""
    settings = json.loads((tmp_path / "e" / "table.json").read_text())
    assert settings["settings"] == SETTINGS.to_json()
    assert settings["alarm_settings"] == AlarmSettings().to_json()
    assert SETTINGS.describe() in settings["text"]
    assert settings["translated"]["bad"] == stores[3].location.address
    assert len(settings["alarms"]["bad"]) == 2
    assert settings["rows"][1]["scores"]["lag"]["count"] == found.rows[1].scores["lag"].count
    assert settings["survival"]["good"]["agreement_before"]["mean"] == pytest.approx(
        found.translations[0].survival["agreement_before"].mean
    )
    assert len(rows_of(tmp_path / "e", "sequences.csv")) == 5
    assert len(rows_of(tmp_path / "e", "units.csv")) == sum(
        len(each.units) for each in found.translations
    )


def test_workers_make_no_difference_and_progress_counts(stores, found, tmp_path):
    told = []
    again = run(stores, tmp_path / "e", workers=2, on_progress=lambda *n: told.append(n))
    assert again.rows == found.rows
    assert again.translations[1].units == found.translations[1].units
    assert told == [(done, 7) for done in range(8)]


def test_what_is_there_is_left_alone(stores, tmp_path, refused):
    first = stores[0], stores[1], stores[3]
    run(first, tmp_path / "e")
    (tmp_path / "e" / "notes.txt").write_text("mine")
    before = (tmp_path / "e" / "table.csv").read_text()
    with refused("found an evaluation there"):
        run(stores, tmp_path / "e")
    assert (tmp_path / "e" / "table.csv").read_text() == before
    run(stores, tmp_path / "e", overwrite=True)
    assert (tmp_path / "e" / "table.csv").read_text() != before
    assert (tmp_path / "e" / "notes.txt").read_text() == "mine"
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "table.csv").write_text("mine")
    for options in ({}, {"overwrite": True}):
        with refused("not an evaluation, wanted a new or empty folder"):
            run(stores, tmp_path / "f", **options)
    assert (tmp_path / "f" / "table.csv").read_text() == "mine"
    with refused("wanted a local folder"):
        run(stores, "memory://e")
