"""``musim evaluate identify``: tables and figures of a method, or one line and nothing left."""

import csv
import dataclasses
import io
import math
import re

import numpy as np
import pytest

from musim.datasets import generate
from musim.simulator import InputError, Parameters, Range
from musim.training.identification.evaluation import read_evaluation
from musim.training.identification.methods import METHODS, USUAL, Method
from musim.training.identification.methods.network import WEIGHTS
from musim.training.identification.protocols import SWEEPS, ali_2020, sweep
from musim.training.identification.rows import IdentificationEvaluation
from musim.training.identification.tables import summary
from musim.training.identification.units import Units

PROTOCOL = ["evaluate", "identify", "--protocol", "ali-2020"]
SMALL = Parameters(
    units=Range(2, 2), pixels=(12, 10), size=(12.0, 10.0), diameter=Range(3, 5), frames=60,
    snr=Range(20, 20),
)  # fmt: skip
EVERYWHERE = ["firings-by-rate.png", "reliability.png"]
FIGURES = [
    "agreement.png", "detection.png", "firings.png", "segmentation.png", "trains.png",
    *EVERYWHERE,
]  # fmt: skip
TABLES = ["evaluation.json", "parts", "predictions.csv", "sequences.csv", "summary.csv",
          "units.csv"]  # fmt: skip


@pytest.fixture
def stub(monkeypatch):
    """Let a method find all true units but the last, as far as it is not alone."""

    def method(recording, truth=None):
        keep = max(truth.unit_count - 1, 1)
        confidence = 1 - 0.01 * truth.firing_rate[:keep]
        return Units(truth.territory[:keep], truth.twitch_train[:keep], truth.firing[:keep],
                     confidence)  # fmt: skip

    monkeypatch.setitem(METHODS, USUAL, Method(USUAL, "", method, "needed", keeps_confidence=True))


@pytest.fixture
def store(tmp_path):
    """Three simulated recordings in the folder where musim runs."""
    return generate(SMALL, tmp_path / "musim.zarr", sequences=3, seed=2, workers=1)


@pytest.fixture
def refused(musim, tmp_path):
    """Assert that a command ends with one line that says certain words, and changes nothing."""

    def call(words, *arguments):
        before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
        done = musim("evaluate", *arguments)
        lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert done.code == 2, done.err
        assert len(lines) == 1
        assert done.err.strip().endswith(lines[0])
        assert "Traceback" not in done.err
        assert done.out == ""
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        after = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
        assert after == before

    return call


@pytest.fixture
def asked(monkeypatch):
    """Note what the library would be asked to do, and do nothing."""
    calls = []

    def note(*arguments, **options):
        calls.append((arguments, options))
        raise InputError("stop")

    monkeypatch.setattr("musim.training.identification.evaluation.evaluate", note)
    return calls


# What goes well


def test_the_protocol_of_ali_2020(musim, stub, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = musim(*PROTOCOL, "--workers", 1, "-n", 1)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "evaluation").iterdir()) == sorted(
        [*TABLES, *FIGURES]
    )
    assert "identifying: 18/18 sequences" in done.err
    lines = done.out.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines.index(next(line for line in lines if line.startswith("By trains"))) == 1
    assert re.match(r"Calibration error .*: 0\.\d{3} over \d+ units found\.$", lines[-2])
    assert re.match(r"evaluation: 18 sequences \(\d+ s\)\. Look at them: musim report", lines[-1])
    cells = [line.split() for line in lines if re.match(r" *\d+ +(10|20|inf) ", line)]
    assert [row[:3] for row in cells] == [
        [units, snr, "1"] for units in ("1", "5", "10", "15", "20", "25")
        for snr in ("10", "20", "inf")
    ] * 3  # fmt: skip
    trains, firings, masks = cells[:18], cells[18:36], cells[36:]
    assert firings[0][3:6] == ["1.000"] * 3
    found = read_evaluation("evaluation")
    # Of one unit there is no wrong one.
    assert trains[0][3:] == ["1.000", "1.000", "1.000", "1.000", "–", "1.000", "–"]
    assert masks[0][3:] == ["1.000"] * 7
    for row, numbers in zip(summary(found), trains, strict=True):
        assert float(numbers[3]) == pytest.approx(row["train_recall_mean"], abs=6e-4)
        if row["units"] > 1:
            assert float(numbers[9]) == pytest.approx(row["firing_chance_mean"], abs=6e-4)
    for row, numbers in zip(summary(found), masks, strict=True):
        assert float(numbers[5]) == pytest.approx(row["detection_recall_mean"], abs=6e-4)
        assert float(numbers[9]) == pytest.approx(row["rate_of_agreement_mean"], abs=6e-4)
    with (tmp_path / "evaluation" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, wanted in zip(rows, summary(found), strict=True):
        assert {key for key, text in row.items() if text == ""} == {
            key for key, value in wanted.items() if math.isnan(value)
        }
        for key, text in row.items():
            if text:
                assert float(text) == pytest.approx(wanted[key], rel=1e-5)
    for name in FIGURES:
        assert (tmp_path / "evaluation" / name).read_bytes().startswith(b"\x89PNG")


def test_a_cell_has_mean_and_sd_in_few_digits(musim, monkeypatch, tmp_path):
    # The widest cells there are, and those that are not known.
    scores = {"train_precision": math.nan, "train_match_correlation": 0.5, "train_chance": 0.25,
              "firing_agreement": 1.0, "firing_chance": math.nan}  # fmt: skip
    rows = [
        {"units": 25.0, "snr": math.inf, "sequence": 0.0, "train_recall": recall, **scores}
        for recall in (0.25, 0.75)
    ]

    def evaluated(protocol, method, out, **options):
        tmp_path.joinpath(out).mkdir()
        return IdentificationEvaluation(method, protocol.name, protocol.axis, rows, [])

    monkeypatch.setattr("musim.training.identification.evaluation.evaluate", evaluated)
    monkeypatch.setenv("COLUMNS", "80")
    done = musim(*PROTOCOL)
    assert done.code == 0, done.err
    line, _ = (line for line in done.out.splitlines() if line.strip().startswith("25"))
    assert line.split()[-2] == "1.000±.00"
    assert [cell.strip() for cell in re.split(r" {2,}|(?<=\d) (?=\d)", line.strip())] == [
        "25", "inf", "2", "0.500±.35", "–", "0.500±.00", "0.250", "1.000±.00", "–",
    ]  # fmt: skip
    # Of what is not there nothing is printed.
    assert "By outlines" not in done.out
    assert "Calibration" not in done.out
    assert max(map(len, done.out.splitlines()[:-1])) <= 80


@pytest.mark.parametrize("difficulty", list(SWEEPS))
def test_sweeps(musim, stub, tmp_path, difficulty, monkeypatch):
    # All values at once would take their time: the easiest is enough, and the last.
    values = SWEEPS[difficulty]
    monkeypatch.setitem(SWEEPS, difficulty, tuple(dict.fromkeys((values[0], values[-1]))))
    done = musim("evaluate", "identify", "--sweep", difficulty, "-n", 1, "--workers", 1, "-o", "s")
    assert done.code == 0, done.err
    figures = ["recall-by-overlap.png", *EVERYWHERE] if difficulty == "overlap" else FIGURES
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == sorted([*TABLES, *figures])
    head = next(line.split() for line in done.out.splitlines() if "recall" in line)
    wanted = {"overlap": ["overlap"], "synchrony": ["synchrony"]}.get(difficulty, ["units", "snr"])
    assert head[: len(wanted)] == wanted
    with (tmp_path / "s" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    if difficulty == "overlap":
        assert sum(int(row["count"]) for row in rows) == 25
    else:
        assert [float(row[difficulty]) for row in rows] == [float(values[0]), float(values[-1])]


def test_a_store_is_scored(musim, stub, store, tmp_path):
    done = musim("evaluate", "identify", "musim.zarr", "--workers", 1, "--out", "a/b[c]")
    assert done.code == 0, done.err
    assert "a/b[c]: 3 sequences (" in done.out
    assert sorted(path.name for path in (tmp_path / "a" / "b[c]").iterdir()) == sorted(
        [*TABLES, *EVERYWHERE]
    )
    assert " 0.500±.00 " in done.out
    assert len(read_evaluation(tmp_path / "a" / "b[c]").sequences) == 3


def test_the_number_of_workers_changes_nothing_but_the_time(musim, tmp_path):
    store = generate(SMALL, tmp_path / "six.zarr", sequences=6, seed=2, workers=1)
    assert len(store) == 6
    for workers in (1, 2):
        done = musim("evaluate", "identify", "six.zarr", "--method", "ica", "--workers", workers,
                     "--out", f"with-{workers}")  # fmt: skip
        assert done.code == 0, done.err

    def untimed(folder):
        rows = csv.DictReader(io.StringIO((tmp_path / folder / "sequences.csv").read_text()))
        return [{key: text for key, text in row.items() if key != "seconds"} for row in rows]

    assert untimed("with-1") == untimed("with-2")
    one, two = ((tmp_path / f"with-{n}" / "units.csv").read_bytes() for n in (1, 2))
    assert one == two
    assert sum(float(row["matches"]) for row in untimed("with-1")) > 0


def test_going_on_and_replacing(musim, stub, store, refused, tmp_path):
    command = ["evaluate", "identify", "musim.zarr", "--workers", 1, "-o", "e"]
    assert musim(*command).code == 0
    refused(["e: found an evaluation there", "--resume", "--overwrite"], *command[1:])
    refused(["other settings (learned on musim.zarr)"], *command[1:], "--resume", "-m", "ica")
    (tmp_path / "e" / "notes.txt").write_text("mine")
    (tmp_path / "e" / "detection.png").write_text("of an older run")
    assert musim(*command, "--resume").code == 0
    assert musim(*command, "--overwrite").code == 0
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == sorted(
        [*TABLES, *EVERYWHERE, "notes.txt"]
    )
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    refused(["theirs: found something that is not an evaluation"], "identify", "musim.zarr", "-o",
            "theirs", "--overwrite")  # fmt: skip


# What is asked for


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--protocol", "ali-2020"], ali_2020(100)),
        (["--protocol", "ali-2020", "--quick"], ali_2020(10)),
        (["--protocol", "ali-2020", "-n", "3"], ali_2020(3)),
        (["--sweep", "snr"], sweep("snr", 100)),
        (["--sweep", "overlap", "--quick"], sweep("overlap", 10)),
        (["--sweep", "units", "--sequences", "7"], sweep("units", 7)),
    ],
)
def test_protocols_and_their_sizes(musim, asked, arguments, wanted):
    musim("evaluate", "identify", *arguments)
    (((protocol, method, out), options),) = asked
    assert protocol == wanted
    assert (method, out) == (USUAL, "evaluation")
    options.pop("on_progress")
    assert options == {
        "runs": (),
        "settings": {},
        "firings": None,
        "rules": None,
        "workers": None,
        "resume": False,
        "overwrite": False,
    }


def test_options_are_handed_on(musim, asked):
    musim("evaluate", "identify", "a.zarr", "-m", "ica", "-o", "b", "--workers", 2, "--resume",
          "--overwrite", "--firings", "grid", "--rules", "muniverse")  # fmt: skip
    ((arguments, options),) = asked
    assert arguments == ("a.zarr", "ica", "b")
    options.pop("on_progress")
    assert options == {"runs": (), "settings": {}, "firings": "grid", "rules": "muniverse",
                       "workers": 2, "resume": True, "overwrite": True}  # fmt: skip


def test_rules_want_three_intervals(refused, stub, store):
    refused(["musim.zarr, sequence 0: recording: found 0.15 s, wanted 0.345 s or more for --rules"],
            "identify", "musim.zarr", "--rules", "munitquest", "--workers", 1)  # fmt: skip


def longer(folder):
    parameters = dataclasses.replace(SMALL, frames=160)
    generate(parameters, folder / "longer.zarr", sequences=3, seed=2, workers=1)


def test_rules_add_two_tables(musim, stub, tmp_path):
    longer(tmp_path)
    done = musim("evaluate", "identify", "longer.zarr", "--rules", "munitquest", "--workers", 1)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    for title in ("By firings, rules munitquest, within 1 ms",
                  "By firings, rules munitquest, within 5 ms"):  # fmt: skip
        place = lines.index(title)
        assert lines[place + 2].split()[:6] == ["n", "recall", "precision", "F1", "chance", "score"]
        assert lines[place + 4].split()[0] == "3"
    rows, means = (
        list(csv.DictReader(io.StringIO((tmp_path / "evaluation" / name).read_text())))
        for name in ("sequences.csv", "summary.csv")
    )
    assert {row["rules_f1"] for row in rows} == {"1"}
    assert {row["rules_score_5ms"] for row in rows} == {"1"}
    recalls = [float(row["rules_recall"]) for row in rows]
    assert float(means[0]["rules_recall_mean"]) == pytest.approx(sum(recalls) / 3, rel=1e-5)


def test_rules_of_a_method_that_gives_no_firings_are_told_in_a_line(musim, monkeypatch, tmp_path):
    longer(tmp_path)

    def silent(recording, truth=None):
        none = np.full((truth.unit_count, 1), np.nan)
        return Units(truth.territory, truth.twitch_train, none, np.ones(truth.unit_count))

    monkeypatch.setitem(METHODS, "silent", Method("silent", "", silent, "needed"))
    done = musim("evaluate", "identify", "longer.zarr", "-m", "silent", "--rules", "munitquest",
                 "--workers", 1)  # fmt: skip
    assert done.code == 0, done.err
    assert "No unit that was found fires: by the rules munitquest there is none." in done.out


def test_runs_are_handed_on_and_make_the_method(musim, asked):
    runs = tuple(str(WEIGHTS / task) for task in ("twitch", "detect"))
    musim("evaluate", "identify", "a.zarr", "--run", runs[0], "--run", runs[1])
    ((arguments, options),) = asked
    assert arguments == ("a.zarr", "network", "evaluation")
    assert options["runs"] == runs
    assert "found no run there" in musim("evaluate", "identify", "a.zarr", "--run", "one").err


# What does not go


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["none or several of STORE, --protocol and --sweep"]),
        (["musim.zarr", "--protocol", "ali-2020"], ["none or several"]),
        (["--sweep", "snr", "--protocol", "ali-2020"], ["none or several"]),
        (["--sweep", "depth"], ["'depth'", "'overlap'"]),
        (["--protocol", "ali-2021"], ["'ali-2021'", "ali-2020"]),
        (["--protocol", "ali-2020", "-n", "0"], ["sequences: found 0, wanted 1 or more"]),
        (["--protocol", "ali-2020", "-n", "-2"], ["sequences: found -2"]),
        (["--protocol", "ali-2020", "-n", "5", "--quick"], ["--quick and --sequences"]),
        (["musim.zarr", "--quick"], ["musim.zarr", "--quick"]),
        (["musim.zarr", "-n", "2"], ["musim.zarr", "--sequences"]),
        (["--protocol", "ali-2020", "--method", "best"], ["'best'", "oracle-trains"]),
        (["--sweep", "snr", "--workers", "0"], ["workers: found 0"]),
        (["--sweep", "snr", "--out", "s3:x://y"], ["s3:x://y"]),
        (["--sweep", "snr", "--rules", "emg"], ["rules: found 'emg'", "munitquest, muniverse"]),
        (["none.zarr"], ["none.zarr: found nothing there"]),
        (["--sweep", "snr", "--out", "musim.zarr"], ["musim.zarr", "not an evaluation"]),
        (["--sweep", "snr", "--out", "musim.zarr/zarr.json", "--overwrite"], ["not an evaluation"]),
    ],
)
def test_what_is_wrong_is_one_line(store, refused, arguments, words):
    refused(words, "identify", *arguments)


def test_a_recording_without_truth_is_refused(musim, store, stub, refused):
    assert musim("identify", "musim.zarr", "--out", "units.zarr", "--workers", 1).code == 0
    refused(["units.zarr: found a recording without truth", "musim identify",
             "musim evaluate firings scores their firings"], "identify", "units.zarr")  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], ["Missing command", "--help"]), (["segment"], ["'segment'", "--help"])],
)
def test_what_is_evaluated_must_be_named(refused, arguments, words):
    refused(words, *arguments)


def test_help_tells_what_comes_out(musim):
    done = musim("evaluate", "identify", "--help")
    assert done.code == 0
    assert all(word in done.out for word in ("sequences.csv", "--protocol", "--sweep", "--quick"))
    assert "Score how a method identifies motor units." in musim("evaluate", "--help").out


def test_methods_are_compared_in_one_table(musim, tmp_path):
    small = Parameters(units=(1, 1), pixels=(12, 12), size=(12.0, 12.0), frames=160)
    generate(small, tmp_path / "small.zarr", sequences=1, seed=2, workers=1)
    done = musim("evaluate", "identify", "small.zarr", "--compare", "velbss, oracle-trains",
                 "--out", "methods", "--workers", 1, "--rules", "munitquest")  # fmt: skip
    assert done.code == 0, done.err
    words = done.out.split()
    assert words.index("velbss") < words.index("oracle-trains")
    # A second table has what rules say.
    assert words.count("oracle-trains") == 2
    assert "By firings, rules munitquest, within 5 ms" in done.out.splitlines()
    with (tmp_path / "methods" / "comparison.csv").open() as file:
        (_, row) = csv.DictReader(file)
    assert float(row["rules_recall_5ms_mean"]) == 1
    plain = musim("evaluate", "identify", "small.zarr", "--compare", "velbss,oracle-trains",
                  "--out", "plain", "--workers", 1)  # fmt: skip
    assert "rules" not in plain.out + (tmp_path / "plain" / "comparison.csv").read_text()
    assert (tmp_path / "methods" / "comparison.csv").exists()
    done = musim("evaluate", "identify", "small.zarr", "--compare", "ica,velbss", "-m", "ica")
    assert done.code == 2
    assert "found both --method and --compare" in done.err
