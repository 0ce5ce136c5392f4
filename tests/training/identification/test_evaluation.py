"""Putting methods to a test: every score against one by hand, going on, and what is left alone."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from musim.datasets import generate
from musim.datasets.layout import Layout
from musim.simulator import FailureError, InputError, Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.own_maps import with_own_maps
from musim.training.charts import Chart
from musim.training.csv_tables import csv_text
from musim.training.identification import figures
from musim.training.identification.evaluation import (
    CHUNK,
    evaluate,
    read_evaluation,
)
from musim.training.identification.firing_oracle import oracle_agreement
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.metrics import score
from musim.training.identification.metrics.emg_rules import (
    NAMES,
    RULES,
    SUFFIXES,
    score_by_rules,
)
from musim.training.identification.metrics.firing import firings_within
from musim.training.identification.metrics.ratios import mean_of_known
from musim.training.identification.protocols import Condition, Protocol
from musim.training.identification.reading import oracle_correlation
from musim.training.identification.units import Recording, Units, none
from tests.makers import store_of

COUNTS = (7, 3)
"""Sequences of the two conditions: more than a task holds, and fewer."""


@pytest.fixture
def protocol():
    """Three units without noise, and two at 10 dB, in images of a few pixels."""
    conditions = []
    for number, (units, snr) in enumerate(((3, math.inf), (2, 10.0))):
        parameters = Parameters(
            units=Range(units, units), snr=Range(snr, snr), pixels=(9, 7), size=(9.0, 7.0),
            diameter=Range(2, 4), frames=60, synchrony=Range(0, 0.1),
        )  # fmt: skip
        values = {"units": float(units), "snr": snr}
        conditions.append(Condition(values, parameters, 30 + number, COUNTS[number]))
    return Protocol("small", tuple(conditions), "units")


def fair(recording, truth=None):
    """All true units but the last, the first a pixel off, and trains and firings a little late."""
    territory = truth.territory.copy()
    territory[0] = np.roll(territory[0], 1, axis=1)
    keep = max(truth.unit_count - 1, 1)
    train = np.roll(truth.twitch_train, 1, axis=1)
    confidence = np.linspace(0.9, 0.6, truth.unit_count)
    return Units(territory[:keep], train[:keep], truth.firing[:keep] + 0.002, confidence[:keep])


@pytest.fixture
def method(monkeypatch):
    """Let the method "stub" be a function; returns the list of the recordings it was given."""

    def install(function=fair):
        asked = []

        def noting(recording, truth=None):
            asked.append(recording)
            return function(recording, truth)

        monkeypatch.setitem(
            METHODS, "stub", Method("stub", "", noting, "needed", keeps_confidence=True)
        )
        return asked

    return install


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Draw a small figure for each that an evaluation has; what they show is tested elsewhere."""

    def draw_charts(found):
        names = ("trains", "detection") if found.axis else ()
        return [Chart(name, name, name, Figure((1, 1))) for name in names]

    monkeypatch.setattr(figures, "draw_charts", draw_charts)


def run(protocol, out, **options):
    return evaluate(protocol, "stub", out, workers=1, **options)


def tree(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def untimed(folder):
    """The rows of the sequences without the time that they took."""
    rows = csv.DictReader(io.StringIO((folder / "sequences.csv").read_text()))
    return [{key: text for key, text in row.items() if key != "seconds"} for row in rows]


def same(found, wanted):
    return found == pytest.approx(wanted, rel=6e-6, nan_ok=True)


# Scores


def reached_in(condition, truth, shown):
    """How the trains correlate that can be read of units, and which of those shown can be seen."""
    own = with_own_maps(truth, condition.parameters).own_maps
    recording = Recording(render(truth), 400.0, condition.parameters.pixel_size)
    reached = oracle_correlation(recording, truth.twitch_train, own)
    return reached, shown & (reached > 0.7)


def test_rows_are_the_scores_of_what_was_found(protocol, method, tmp_path):
    asked = method()
    found = run(protocol, tmp_path / "e")
    assert (found.method, found.protocol, found.axis) == ("stub", "small", "units")
    assert len(asked) == len(found.sequences) == sum(COUNTS)
    places = [(c, i) for c, count in enumerate(COUNTS) for i in range(count)]
    left, predicted = list(found.units), list(found.predictions)
    assert any(row["detection_recall"] not in (0, 1) for row in found.sequences)
    for (number, index), row in zip(places, found.sequences, strict=True):
        condition = protocol.conditions[number]
        truth = draw(condition.parameters, seed=condition.seed, index=index)
        units = fair(None, truth)
        scored = score(
            units.territory > 0.5, units.train, units.firing, units.confidence,
            truth.territory > 0.5, truth.twitch_train, truth.firing, 400.0,
        )  # fmt: skip
        wanted = {
            **scored.to_row(), **condition.values, "synchrony": truth.synchrony, "sequence": index,
        }  # fmt: skip
        oracle = oracle_agreement(
            Recording(render(truth), 400.0, condition.parameters.pixel_size), truth
        )
        seen = (truth.territory > 0.5).any(axis=(1, 2))
        wanted["firing_oracle"] = mean_of_known(oracle[seen])
        reached, can = reached_in(condition, truth, seen)
        wanted["identifiable_units"] = can.sum()
        wanted["train_recall_identifiable"] = mean_of_known(np.flatnonzero(can) < units.count)
        assert set(row) == {*wanted, "seconds"}
        assert row["seconds"] >= 0
        for name, value in wanted.items():
            assert same(row[name], value), name
        by_trains = scored.trains.matching
        for unit in range(truth.unit_count):
            if not (truth.territory[unit] > 0.5).any():
                continue
            properties = left.pop(0)
            matched = scored.matching.true.tolist()
            iou = scored.matching.iou[matched.index(unit)] if unit in matched else 0.0
            wanted = {
                **condition.values, "synchrony": truth.synchrony, "sequence": index, "unit": unit,
                "diameter": truth.diameter[unit], "displacement": truth.displacement[unit],
                "visible_share": truth.visible_share[unit],
                "overlap": truth.overlap[unit], "found": float(unit in matched), "iou": iou,
                "found_iou03": float(unit in scored.loose.true),
            }  # fmt: skip
            # Trains are a frame late: all that were found match by them, and none other.
            wanted |= {"train_found": float(unit < units.count)}
            wanted |= {"oracle_correlation": reached[unit], "identifiable": float(can[unit])}
            added = {"train_correlation", "firing_rate", "firing_agreement", "firing_chance",
                     "firing_oracle"}  # fmt: skip
            assert set(properties) == {*wanted, *added}
            firing, frames = truth.firing[unit], truth.twitch_train.shape[1]
            intervals = np.diff(firing[(firing >= 0) & (firing < frames / 400)])
            rate = 1 / intervals.mean() if intervals.size else math.nan
            assert properties["firing_rate"] == pytest.approx(rate, rel=1e-4, nan_ok=True)
            # Firings 2 ms late agree, once that is taken away.
            agreement = 1.0 if unit < units.count else math.nan
            assert same(properties["firing_agreement"], agreement)
            assert same(properties["firing_oracle"], oracle[unit])
            wrong = scored.trains.wrong_firing
            known = {place: row.mean() if row.size else math.nan for place, row in
                     zip(scored.visible[by_trains.true].tolist(), wrong, strict=True)}  # fmt: skip
            assert same(properties["firing_chance"], known.get(unit, math.nan))
            for name, value in wanted.items():
                assert same(properties[name], value), name
            assert (properties["train_correlation"] > 0.7) == (unit < units.count)
        iou = scored.matching.predicted.tolist()
        for prediction in range(units.count):
            properties = predicted.pop(0)
            wanted = {
                **condition.values, "synchrony": truth.synchrony, "sequence": index,
                "prediction": prediction, "confidence": units.confidence[prediction],
                "train_matched": float(prediction in by_trains.predicted),
                "train_correlation": np.abs(by_trains.correlations[prediction]).max(),
                "mask_matched": float(prediction in iou),
                "mask_iou": scored.largest_iou[prediction],
            }  # fmt: skip
            assert set(properties) == set(wanted)
            for name, value in wanted.items():
                assert same(properties[name], value), name
    assert left == predicted == []


def longer(protocol):
    """The same sequences, of 160 frames."""
    conditions = tuple(
        dataclasses.replace(one, parameters=dataclasses.replace(one.parameters, frames=160))
        for one in protocol.conditions
    )
    return dataclasses.replace(protocol, conditions=conditions)


def copied(recording, truth=None):
    """What is fair, and the first unit once more."""
    one = fair(recording, truth)
    every = [*range(one.count), 0]
    return Units(one.territory[every], one.train[every], one.firing[every],
                 np.append(one.confidence, 0.1))  # fmt: skip


def test_rules_score_firings_beside(protocol, method, tmp_path):
    method(copied)
    protocol = longer(protocol)
    plain = run(protocol, tmp_path / "plain")
    found = run(protocol, tmp_path / "ruled", rules="munitquest")
    assert (plain.rules, found.rules) == ("", "munitquest")
    assert read_evaluation(tmp_path / "ruled") == found
    left, predicted = list(found.units), list(found.predictions)
    for row, without in zip(found.sequences, plain.sequences, strict=True):
        assert set(row) - set(without) == {
            *(f"{name}{end}" for name in NAMES for end in SUFFIXES), "rules_kept",
            "rules_duplicates",
        }  # fmt: skip
        condition = protocol.conditions[0 if row["units"] == 3 else 1]
        truth = draw(condition.parameters, seed=condition.seed, index=int(row["sequence"]))
        units, seen = copied(None, truth), (truth.territory > 0.5).any(axis=(1, 2))
        scored = score_by_rules(
            units.firing, truth.firing[seen], (0.0, 160 / 400), RULES["munitquest"]
        )
        assert row["rules_recall"] == pytest.approx(scored.recall)
        assert row["rules_score"] == pytest.approx(scored.score, rel=1e-5)
        own, left = left[: seen.sum()], left[seen.sum() :]
        assert sum(one["rules_found"] for one in own) == scored.found
        for unit, f1 in zip(scored.true.tolist(), scored.f1.tolist(), strict=True):
            assert unit < 0 or own[unit]["rules_f1"] == pytest.approx(f1, rel=1e-5)
        mine, predicted = predicted[: units.count], predicted[units.count :]
        assert [one["rules_matched"] for one in mine] == (scored.true >= 0).tolist()
        assert sum(one["rules_duplicate"] for one in mine) == scored.duplicates
        fire = [firings_within(one, (0.0, 160 / 400)).size > 0 for one in units.firing]
        assert [one["rules_duplicate"] for one in mine] == (fire & ~scored.kept).tolist()
    assert left == predicted == []
    assert any(row["rules_score"] > 0 for row in found.sequences)
    assert any(row["rules_duplicates"] for row in found.sequences)


def test_rules_are_part_of_what_is_resumed(protocol, method, tmp_path, refused):
    method()
    protocol = longer(protocol)
    run(protocol, tmp_path / "e", rules="munitquest")
    with refused("found an evaluation with other settings"):
        run(protocol, tmp_path / "e", resume=True)
    with refused("rules: found 'emg', wanted one of munitquest, muniverse"):
        run(protocol, tmp_path / "f", rules="emg")
    assert not (tmp_path / "f").exists()


def test_rows_of_predictions_by_hand(protocol, method, tmp_path):
    """Of one unit its train upside down, twice, the worse one surer; and one that is no unit."""
    whole = protocol.conditions[0]
    parameters = dataclasses.replace(whole.parameters, units=Range(1, 1))
    one_unit = Condition({"units": 1.0, "snr": math.inf}, parameters, 5, 4)

    def twice(recording, truth):
        territory = np.stack([truth.territory[0], np.roll(truth.territory[0], 4, axis=1),
                              np.zeros_like(truth.territory[0])])  # fmt: skip
        first = truth.twitch_train[0]
        noise = np.random.default_rng(0).standard_normal(first.size) * first.std()
        train = np.stack([-first - 0.3 * noise, -first, noise]).astype(np.float32)
        return Units(territory, train, np.full((3, 1), np.nan), np.array([0.9, 0.5, 0.2]))

    method(twice)
    rows = run(Protocol("one", (one_unit,), "units"), tmp_path / "e").predictions
    assert len(rows) == 3 * 4
    for one, two, three in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        # The better train is the unit's, the other's correlation stands beside all the same.
        assert (one["train_matched"], two["train_matched"], three["train_matched"]) == (0, 1, 0)
        assert two["train_correlation"] == pytest.approx(-1)
        assert -1 < one["train_correlation"] < -0.7
        assert abs(three["train_correlation"]) < 0.7
        assert (one["mask_matched"], one["mask_iou"]) == (1, 1)
        assert (two["mask_matched"], three["mask_matched"], three["mask_iou"]) == (0, 0, 0)
        assert two["mask_iou"] <= 0.5
        assert [row["confidence"] for row in (one, two, three)] == [0.9, 0.5, 0.2]


def test_methods_get_the_rendered_recording(protocol, method, tmp_path):
    asked = method()
    run(protocol, tmp_path / "e")
    wanted = {
        render(draw(c.parameters, seed=c.seed, index=index)).tobytes()
        for c in protocol.conditions
        for index in range(c.sequences)
    }
    assert {recording.tvi.tobytes() for recording in asked} == wanted
    assert {(recording.frame_rate, recording.pixel_size) for recording in asked} == {
        (400.0, (1.0, 1.0))
    }


def test_nothing_found_is_no_recall_and_no_precision(protocol, method, tmp_path):
    method(lambda recording, truth: none(recording))
    found = run(protocol, tmp_path / "e")
    assert {row["detection_recall"] for row in found.sequences} == {0.0}
    assert all(math.isnan(row["detection_precision"]) for row in found.sequences)
    assert all(math.isnan(row["rate_of_agreement"]) for row in found.sequences)
    assert {(row["found"], row["iou"]) for row in found.units} == {(0.0, 0.0)}
    assert {(row["train_found"], row["train_correlation"]) for row in found.units} == {(0.0, 0.0)}
    assert {row["train_recall"] for row in found.sequences} == {0.0}
    assert all(math.isnan(row["train_precision"]) for row in found.sequences)
    assert found.predictions == []
    first = (tmp_path / "e" / "sequences.csv").read_text().splitlines()[1]
    assert "nan" not in first
    assert ",," in first
    assert {row["snr"] for row in found.sequences} == {math.inf, 10.0}


def test_a_store_is_scored_against_its_truth(tiny, method, tmp_path):
    store = generate(tiny, tmp_path / "s.zarr", sequences=CHUNK + 2, kind="rendered", workers=1,
                     pool="threads")  # fmt: skip
    asked = method()
    found = evaluate(store.location.address, "stub", tmp_path / "e", workers=1)
    assert (found.protocol, found.axis) == (store.location.address, "")
    assert len(asked) == CHUNK + 2
    assert [row["sequence"] for row in found.sequences] == list(range(CHUNK + 2))
    for index, row in enumerate(found.sequences):
        truth = store.truth(index)
        units = fair(None, truth)
        scored = score(
            units.territory > 0.5, units.train, units.firing, units.confidence,
            truth.territory > 0.5, truth.twitch_train, truth.firing, store.layout.frame_rate,
        )  # fmt: skip
        for name, value in scored.to_row().items():
            assert same(row[name], value), name
        assert same(row["synchrony"], truth.synchrony)
        assert row["snr"] == truth.snr
    assert len(found.units) == sum(int(row["units"]) for row in found.sequences)


def test_sequences_of_the_experiment_come_with_their_subjects(tiny, method, tmp_path):
    parameters = dataclasses.replace(
        tiny, fat=Range(1, 2), pixels=(16, 12), size=(8.0, 6.0), diameter=Range(2, 3), frames=40
    )
    doses = Doses(image=(64, 32), artery=(10, 20), tremor=(1, 2))
    store = generate(
        parameters, tmp_path / "s.zarr", sequences=2, doses=doses, workers=1, pool="threads"
    )
    method()
    found = evaluate(store.location.address, "stub", tmp_path / "e", workers=1)
    for index, row in enumerate(found.sequences):
        truth = store.truth(index)
        assert same(row["fat"], truth.fat)
        assert same(row["artery_depth"], truth.artery_depth)
        for name, dose in truth.doses.items():
            assert same(row[f"dose_{name}"], dose), name
    assert found.sequences[0]["dose_tremor"] != found.sequences[1]["dose_tremor"]


def test_progress_counts_sequences(protocol, method, tmp_path):
    method()
    told = []
    run(protocol, tmp_path / "e", on_progress=lambda *numbers: told.append(numbers))
    assert told[0] == (0, 10)
    assert told[-1] == (10, 10)
    assert len(told) == 4
    assert [done for done, _ in told] == sorted({done for done, _ in told})


# Going on, replacing, leaving alone


@pytest.mark.parametrize("error", [FailureError("no more"), KeyboardInterrupt()])
def test_what_was_interrupted_goes_on(protocol, method, tmp_path, error, refused):
    method()
    run(protocol, tmp_path / "whole")
    calls = []

    def interrupted(recording, truth):
        calls.append(recording)
        if len(calls) == CHUNK + 3:
            raise error
        return fair(recording, truth)

    method(interrupted)
    with pytest.raises(type(error)):
        run(protocol, tmp_path / "part")
    with refused("unfinished evaluation", "`resume=True`"):
        read_evaluation(tmp_path / "part")
    with refused("add `resume=True`"):
        run(protocol, tmp_path / "part")
    parts = len(list((tmp_path / "part" / "parts").iterdir()))
    assert parts >= 1
    asked = method()
    told = []
    run(protocol, tmp_path / "part", resume=True, on_progress=lambda *n: told.append(n))
    assert 0 < len(asked) < sum(COUNTS)
    assert told[0] == (round(10 * parts / 3), 10)
    assert untimed(tmp_path / "part") == untimed(tmp_path / "whole")
    for table in ("units.csv", "predictions.csv"):
        found, wanted = ((tmp_path / name / table).read_bytes() for name in ("part", "whole"))
        assert found == wanted
    # Of what is finished nothing is done again.
    asked = method()
    before = (tmp_path / "part" / "sequences.csv").read_bytes()
    run(protocol, tmp_path / "part", resume=True)
    assert asked == []
    assert (tmp_path / "part" / "sequences.csv").read_bytes() == before


def test_other_settings_do_not_go_on(protocol, method, tmp_path, monkeypatch, refused):
    method()
    run(protocol, tmp_path / "e")
    before = tree(tmp_path)
    monkeypatch.setitem(
        METHODS, "other", Method("other", "", fair, "needed", keeps_confidence=True)
    )
    fewer = Protocol("small", protocol.conditions[:1], "units")
    for what, name in ((protocol, "other"), (fewer, "stub")):
        with refused("other settings (stub on small)"):
            evaluate(what, name, tmp_path / "e", workers=1, resume=True)
    with refused("wanted a new folder"):
        run(protocol, tmp_path / "e")
    with refused("both `resume` and `overwrite`"):
        run(protocol, tmp_path / "e", resume=True, overwrite=True)
    assert tree(tmp_path) == before


def test_an_evaluation_of_an_older_musim_is_read_but_not_gone_on_with(
    protocol, method, tmp_path, refused
):
    method()
    folder = tmp_path / "e"
    whole = run(protocol, folder)
    settings = json.loads((folder / "evaluation.json").read_text())
    del settings["version"]
    (folder / "evaluation.json").write_text(json.dumps(settings))
    (folder / "predictions.csv").unlink()
    before = tree(tmp_path)
    found = read_evaluation(folder)
    assert (found.units, found.predictions) == (whole.units, [])
    with refused("another version of musim", "`overwrite=True`") as caught:
        run(protocol, folder, resume=True)
    assert len(str(caught.value).splitlines()) == 1
    assert tree(tmp_path) == before
    assert run(protocol, folder, overwrite=True).predictions == whole.predictions


def test_overwriting_removes_the_evaluation_and_nothing_else(protocol, method, tmp_path):
    method()
    folder = tmp_path / "e"
    run(protocol, folder)
    theirs = [
        "notes.txt", "thesis/chapter.tex", "parts/mine.json", "parts/a/b.json", "my.png",
        "units.csv.bak", "sequences.csv.old.partial.txt", ".hidden",
    ]  # fmt: skip
    for name in theirs:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(name)
    ours = [
        "summary.csv", "trains.png", "firings.png", "predictions.csv",
        "detection.png", "segmentation.png", "agreement.png",
        "recall-by-overlap.png", "units.csv.0123abcd.partial",
        "parts/000-00000-00005.json.0123abcd.partial",
    ]  # fmt: skip
    for name in ours:
        (folder / name).write_text("old")
    fewer = Protocol("fewer", protocol.conditions[1:], "units")
    found = run(fewer, folder, overwrite=True)
    assert len(found.sequences) == COUNTS[1]
    assert set(tree(folder)) == {
        *theirs, "evaluation.json", "sequences.csv", "units.csv", "predictions.csv", "summary.csv",
        "trains.png", "detection.png", "parts/000-00000-00003.json",
    }  # fmt: skip
    assert all((folder / name).read_text() == name for name in theirs)


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_a_folder_of_somebody_else_is_left_alone(protocol, method, tmp_path, options, refused):
    asked = method()
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "units.csv").write_text("mine")
    with refused("not an evaluation, wanted a new or empty folder"):
        run(protocol, tmp_path / "e", **options)
    assert not asked
    assert tree(tmp_path) == {"e/units.csv": b"mine"}


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
@pytest.mark.parametrize("content", ["", "[1, 2]", '{"method": "x"}', "\x00"])
def test_settings_of_something_else_are_left_alone(
    protocol, method, tmp_path, content, options, refused
):
    method()
    (tmp_path / "evaluation.json").write_text(content)
    with refused("evaluation.json without the settings") as caught:
        run(protocol, tmp_path, **options)
    assert len(str(caught.value).splitlines()) == 1
    assert tree(tmp_path) == {"evaluation.json": content.encode()}


def test_a_file_and_a_url_are_no_folders(protocol, method, tmp_path, refused):
    method()
    (tmp_path / "e").write_text("mine")
    with refused("wanted a new or empty folder"):
        run(protocol, tmp_path / "e", overwrite=True)
    with refused("wanted a local folder"):
        run(protocol, "memory://e")
    assert tree(tmp_path) == {"e": b"mine"}


def test_what_a_run_left_that_was_killed_as_it_began_is_nothing(protocol, method, tmp_path):
    method()
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "evaluation.json.0123abcd.partial").write_text("{")
    assert len(run(protocol, tmp_path / "e").sequences) == sum(COUNTS)


# Wrong input


def test_wrong_input_leaves_nothing(protocol, method, tmp_path, refused):
    method()
    with refused("workers: found 0"):
        evaluate(protocol, "stub", tmp_path / "a" / "e", workers=0)
    with refused("method: found 'best'"):
        evaluate(protocol, "best", tmp_path / "a" / "e", workers=1)
    calls = []

    def refusing(recording, truth):
        calls.append(1)
        if len(calls) == 6:
            raise InputError("recording: found this, wanted that")
        return fair(recording, truth)

    method(refusing)
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "a" / "e", tmp_path / "empty"):
        calls.clear()
        with pytest.raises(InputError, match=r"^small, snr-\w+_units-\d, sequence \d: recording: "):
            run(protocol, out)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_wrong_input_does_not_undo_what_an_earlier_run_did(protocol, method, tmp_path, refused):
    calls = []

    def stops(error):
        def function(recording, truth):
            calls.append(1)
            if len(calls) == CHUNK + 3:
                raise error
            return fair(recording, truth)

        calls.clear()
        return function

    method(stops(FailureError("x")))
    with pytest.raises(FailureError):
        run(protocol, tmp_path / "e")
    before = set(tree(tmp_path))
    method(lambda recording, truth: (_ for _ in ()).throw(InputError("y")))
    with refused():
        run(protocol, tmp_path / "e", resume=True)
    assert set(tree(tmp_path)) == before


def test_a_store_whose_recordings_are_too_short_is_named(tmp_path, refused):
    parameters = Parameters(
        units=Range(2, 2), pixels=(9, 7), size=(9.0, 7.0), diameter=Range(2, 4), frames=4
    )
    generate(parameters, tmp_path / "s.zarr", sequences=1, workers=1)
    with refused() as caught:
        evaluate(tmp_path / "s.zarr", "ica", tmp_path / "e", workers=1)
    assert f"{tmp_path / 's.zarr'}, sequence 0: recording: found 4 frames" in str(caught.value)
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("options", [{}, {"overwrite": True}])
def test_a_store_without_truth_is_refused(protocol, method, tmp_path, options, refused):
    method()
    layout = Layout(
        kind="dense", variables=("tvi",), part_size=1, dtypes={}, frame_rate=100.0, attributes={},
        sizes={"sequence": 1, "time": 20, "depth": 4, "width": 4}, pixel_size=(1.0, 1.0),
    )  # fmt: skip

    store_of(tmp_path / "r.zarr", layout, lambda part: ({}, [np.ones((20, 4, 4), np.float32)]))
    if options:
        run(protocol, tmp_path / "e")
    before = tree(tmp_path)
    for name in ("stub", "oracle-trains"):
        with refused("r.zarr: found a recording without truth"):
            evaluate(tmp_path / "r.zarr", name, tmp_path / "e", workers=1, **options)
    assert tree(tmp_path) == before


def test_there_must_be_an_evaluation_to_read(tmp_path, refused):
    with refused("found no evaluation there"):
        read_evaluation(tmp_path)
    with refused("found no evaluation there"):
        read_evaluation(tmp_path / "none")


# Tables


def test_tables_are_csv():
    rows = [
        {"a": 1, "b": 0.1234567891, "c": None, "d": math.nan, "e": "inf"},
        {"a": 12345678, "b": 1e-9, "c": 2.0, "d": math.inf, "e": 'x,"y'},
    ]
    text = csv_text(rows)
    assert text.splitlines()[0] == "a,b,c,d,e"
    assert list(csv.reader(io.StringIO(text)))[1:] == [
        ["1", "0.123457", "", "", "inf"], ["12345678", "1e-09", "2", "inf", 'x,"y'],
    ]  # fmt: skip
    assert csv_text([]) == ""


def test_settings_tell_how_an_evaluation_was_made(protocol, method, tmp_path):
    method()
    run(protocol, tmp_path / "e")
    settings = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert "numpy" in json.loads(settings["software"])
    conditions = tuple(Condition.from_json(plain) for plain in settings["conditions"])
    assert conditions == protocol.conditions
