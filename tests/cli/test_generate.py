"""``musim generate``: options become the library's arguments; wrong ones become one line."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musim.cli.generate import DOMAINS
from musim.cli.options import parameters_from_options
from musim.datasets import domains, open_store, verify
from musim.simulator import PRESETS, InputError, Parameters, Range, render
from musim.simulator.experiment.doses import PRESETS as DOSE_PRESETS
from musim.simulator.experiment.doses import Doses


def test_without_options_it_makes_ten_sequences_of_ali_2020(musim, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        "musim.datasets.generation.generate", lambda *a, **k: asked.update(arguments=a, **k)
    )
    assert musim("generate", "--units", "5-30", "--snr", "10").code == 0
    asked.pop("on_progress")
    assert asked == {
        "arguments": (Parameters(), "musim.zarr"),
        "sequences": 10,
        "seed": 0,
        "kind": "dense",
        "dtype": "float32",
        "part_size": None,
        "doses": None,
        "workers": None,
        "pool": None,
        "scheduler": None,
        "resume": False,
        "overwrite": False,
    }


def test_every_option_reaches_the_library(musim, monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(
        "musim.datasets.generation.generate", lambda *a, **k: asked.update(arguments=a, **k)
    )
    (tmp_path / "twitch.csv").write_text("time,velocity\n0,0\n0.05,1\n0.1,-1\n0.2,0\n")
    done = musim(
        "generate", "--preset", "ali-2022", "-n", 7, "--seed", 5, "-o", "x.zarr",
        "--render", "on-read", "--dtype", "float16", "--workers", 3, "--pool",
        "threads", "--part-size", 2, "--overwrite",
        "--scheduler", "tcp://host:1", "--units", "2-4", "--snr", "inf", "--synchrony", "0-20%",
        "--territory", "ellipse", "--mask", "soft", "--muscle", "30x35", "--waveform", "twitch.csv",
        "--refractory-period", "7.5", "--frames", "64", "--pixels", "32", "--size", "20x24",
    )  # fmt: skip
    assert done.code == 0, done.err
    parameters, target = asked.pop("arguments")
    asked.pop("on_progress")
    assert target == "x.zarr"
    assert asked == {
        "sequences": 7, "seed": 5, "kind": "rendered", "dtype": "float16", "part_size": 2,
        "doses": None,
        "workers": 3, "pool": "threads", "scheduler": "tcp://host:1", "resume": False,
        "overwrite": True,
    }  # fmt: skip
    assert parameters == Parameters(
        units=Range(2, 4), snr=Range(np.inf, np.inf), synchrony=Range(0, 0.2),
        territory="ellipse", mask="soft", muscle=(30, 35), refractory_period=7.5, frames=64,
        frame_rate=512, pixels=(32, 32), size=(20, 24),
        waveform=((0, 0), (0.05, 1), (0.1, -1), (0.2, 0)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "preset"),
    [
        (["--preset", "hard"], "hard"),
        (["--preset", "typical", "--domain", "experiment"], "typical"),
        (["--preset", "easy"], "easy"),
        (["--domain", "experiment"], "easy"),
        (["--preset", "ali-2022", "--domain", "experiment"], "easy"),
        (["--preset", "hard", "--domain", "analytic"], None),
        (["--preset", "experiment"], None),
    ],
)
def test_presets_of_subjects_bring_their_doses(musim, monkeypatch, arguments, preset):
    asked = {}
    monkeypatch.setattr(
        "musim.datasets.generation.generate", lambda *a, **k: asked.update(arguments=a, **k)
    )
    assert musim("generate", *arguments).code == 0
    assert asked["doses"] == (None if preset is None else Doses(**DOSE_PRESETS[preset]))
    if "ali-2022" not in arguments:
        wanted = preset or arguments[1]
        assert asked["arguments"][0] == Parameters(**PRESETS[wanted])
    if preset is not None:
        assert musim("generate", *arguments, "--tremor", "9").code == 0
        assert asked["doses"] == Doses(**{**DOSE_PRESETS[preset], "tremor": 9})


def test_a_store_is_made_told_of_and_verified(musim, tiny, tmp_path):
    made = musim("generate", *tiny, "--sequences", 3, "--out", "a.zarr", "--workers", 1)
    assert made.code == 0, made.err
    assert "a.zarr is done" in made.out
    assert len(verify(tmp_path / "a.zarr", remake=3)) == 3
    checked = musim("verify", "a.zarr", "--remake", 2)
    assert checked.code == 0
    assert "is whole: 3 sequences" in checked.out


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--units", "30-5", ["units", "30-5", "5-30"]),
        ("--units", "0", ["units", "found 0", "1 to 1000"]),
        ("--units", "abc", ["units", "'abc'"]),
        ("--units", "5.5", ["units", "whole"]),
        ("--snr", "loud", ["snr", "'loud'"]),
        ("--snr", "nan", ["snr", "'nan'"]),
        ("--synchrony", "0.9", ["synchrony", "0.9", "0.5"]),
        ("--firing-rate", "-8-13", ["firing_rate", "-8-13"]),
        ("--interval-variation", "2", ["interval_variation"]),
        ("--diameter", "2.5-50", ["diameter", "muscle"]),
        ("--displacement", "-1", ["displacement"]),
        ("--contraction-time", "0", ["contraction_time"]),
        ("--relaxation-ratio", "3", ["relaxation_ratio", "2.6"]),
        ("--frames", "0", ["frames", "found 0"]),
        ("--frames", "1.5", ["frames", "whole"]),
        ("--pixels", "0x64", ["pixels"]),
        ("--pixels", "4x4x4", ["pixels", "DEPTHxWIDTH"]),
        ("--size", "0", ["size"]),
        ("--frame-rate", "0", ["frame_rate"]),
        ("--mask", "fuzzy", ["mask", "hard, soft"]),
        ("--territory", "star", ["territory", "disc"]),
        ("--waveform", "no-such-file.csv", ["waveform", "no-such-file.csv"]),
        ("--preset", "ali-1999", ["preset", "ali-2020"]),
        ("--dtype", "int8", ["dtype", "float16"]),
        ("--render", "never", ["--render", "on-read"]),
        ("--pool", "fibres", ["--pool", "threads"]),
        ("--sequences", "0", ["sequences", "found 0"]),
        ("--seed", "-1", ["seed", "-1"]),
        ("--workers", "0", ["workers", "found 0"]),
        ("--part-size", "0", ["part_size", "found 0"]),
        ("--scheduler", "host", ["scheduler", "tcp://"]),
        ("--out", "gopher://x/y", ["gopher"]),
    ],
)
def test_a_wrong_value_is_one_line_code_2_and_leaves_nothing(option, text, words, musim, tmp_path):
    done = musim("generate", "--sequences", "1", option, text)
    assert done.code == 2
    lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    assert done.err.strip().endswith(lines[0])
    assert "Traceback" not in done.err
    assert all(word in lines[0] for word in words), lines[0]
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_offers_resume_and_overwrite(musim, tiny):
    arguments = ["generate", *tiny, "--sequences", 1, "--workers", 1]
    assert musim(*arguments).code == 0
    refused = musim(*arguments)
    assert refused.code == 2
    assert "--resume" in refused.err
    assert "--overwrite" in refused.err
    assert musim(*arguments, "--resume").code == 0
    changed = musim(*arguments, "--resume", "--seed", 3)
    assert changed.code == 2
    assert "seed: 0 there, 3 asked" in changed.err
    assert musim(*arguments, "--overwrite", "--seed", 3).code == 0
    assert open_store("musim.zarr").seed == 3


def test_a_folder_that_is_no_store_is_never_removed(musim, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    for extra in ([], ["--overwrite"], ["--resume"]):
        done = musim("generate", "--out", "mine", *extra)
        assert done.code == 2
        assert "not a musim store" in done.err
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_ctrl_c_in_the_middle_leaves_a_store_that_resumes(tiny, tmp_path):
    target = tmp_path / "long.zarr"
    command = [
        sys.executable, "-m", "musim.cli", "generate", *tiny, "--sequences", "3000",
        "--part-size", "1", "--workers", "1", "--out", str(target),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    manifests = target / ".musim" / "parts"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (manifests.is_dir() and any(manifests.iterdir())):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.strip().splitlines()[-1].startswith("Error: interrupted")
    assert "Traceback" not in errors
    assert not (target / "zarr.json").exists()
    with pytest.raises(InputError, match=r"unfinished store \(\d+ of 3000 parts\)"):
        open_store(target)


WORDS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?(-[0-9]{1,4})?%?", fullmatch=True),
)
NAMES = st.sampled_from([name for name in Parameters.__dataclass_fields__ if name != "waveform"])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, WORDS, max_size=4), st.sampled_from(["ali-2020", "ali-2022"]))
def test_any_texts_give_parameters_or_one_line_that_names_the_culprit(texts, preset):
    try:
        parameters = parameters_from_options(preset, dict(texts))
    except InputError as error:
        message = " ".join(str(error).split())
    else:
        assert Parameters.from_json(json.loads(json.dumps(parameters.to_json()))) == parameters
        return
    assert "found" in message
    assert "wanted" in message
    assert any(name in message for name in [*texts, "diameter", "frames and pixels", "doublet"])


def test_broken_pipes_end_quietly(musim, tiny, tmp_path):
    assert musim("generate", *tiny, "--sequences", 1, "--workers", 1).code == 0
    command = f"{sys.executable} -m musim.cli info musim.zarr | head -1"
    done = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "Traceback" not in done.stderr
    assert Path(tmp_path / "musim.zarr").exists()


SMALL_EXPERIMENT = (
    "--domain", "experiment", "--pixels", "24x20", "--size", "12x10", "--image", "80x32",
    "--frames", "60", "--frame-rate", "250", "--diameter", "3-4", "--fat", "1-2",
)  # fmt: skip


def test_a_recording_of_the_virtual_experiment_has_an_analytic_twin(musim, tmp_path):
    made = musim("generate", *SMALL_EXPERIMENT, "--units", "2", "-n", 2, "--seed", 3, "--paired",
                 "--workers", 1, "--out", "b.zarr")  # fmt: skip
    assert made.code == 0, made.err
    recorded, twin = open_store(tmp_path / "b.zarr"), open_store(tmp_path / "b-analytic.zarr")
    assert (recorded.domain, twin.domain) == ("experiment", "analytic")
    for index in range(2):
        ours, theirs = recorded.truth(index), twin.truth(index)
        np.testing.assert_array_equal(ours.territory, theirs.territory)
        np.testing.assert_array_equal(ours.firing, theirs.firing)
        np.testing.assert_array_equal(twin.tvi(index), render(theirs))
        assert not np.array_equal(recorded.tvi(index), twin.tvi(index))
        # Units lie below the fat, and what is recorded follows what was to be recorded.
        assert (ours.centre_depth > 1).all()
        both = recorded.tvi(index).mean(axis=(1, 2)), twin.tvi(index).mean(axis=(1, 2))
        assert np.isfinite(both).all()
    assert len(verify(tmp_path / "b.zarr", remake=2)) == 2
    assert musim("preview", "b.zarr", "--out", "b.png").code == 0


SMALL_QUICK = ("--domain", "quick", *SMALL_EXPERIMENT[2:])


def test_domains_are_those_of_stores():
    assert sorted(DOMAINS) == sorted(domains.DOMAINS)


def test_quick_recordings_are_written_or_rendered_on_read_and_told_of(musim, tmp_path):
    for more in (("--out", "w.zarr"), ("--out", "r.zarr", "--render", "on-read", "--paired")):
        made = musim("generate", *SMALL_QUICK, "--units", "2", "-n", 2, "--seed", 3,
                     "--workers", 1, *more)  # fmt: skip
        assert made.code == 0, made.err
        assert "noise of the recording chain" in made.err
    checked = musim("verify", "r.zarr", "--remake", 2)
    assert checked.code == 0, checked.err
    written, rendered = (open_store(tmp_path / f"{name}.zarr") for name in "wr")
    assert written.domain == rendered.domain == "quick"
    for index in range(2):
        np.testing.assert_array_equal(written.tvi(index), rendered.tvi(index))
    twin = open_store(tmp_path / "r-analytic.zarr")
    assert (twin.domain, twin.kind) == ("analytic", "rendered")
    np.testing.assert_array_equal(twin.truth(1).firing, rendered.truth(1).firing)
    told = json.loads(musim("info", "r.zarr", "--json").out)
    assert (told["domain"], told["kind"], told["origin"]) == ("quick", "rendered", "simulated")
    assert rendered.origin.made_by == "quick recordings drawn with seed 3"
    assert musim("preview", "r.zarr", "--out", "r.svg").code == 0
    assert "quick virtual experiment" in (tmp_path / "r.svg").read_text()


def test_a_quick_set_is_tried_out(musim, tmp_path):
    tried = musim("generate", *SMALL_QUICK, "-n", 50, "--render", "on-read", "--dry-run",
                  "--workers", 2, "--json")  # fmt: skip
    assert tried.code == 0, tried.err
    (store,) = json.loads(tried.out)["stores"]
    assert store["sequences"] == 50
    assert store["bytes"] > 50 * 24 * 20 * 4
    assert not list(tmp_path.iterdir())


def test_every_dose_reaches_the_library(musim, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        "musim.datasets.generation.generate", lambda *a, **k: asked.update(arguments=a, **k)
    )
    done = musim("generate", *SMALL_EXPERIMENT, "--spread", "0", "--wave", "0.5-2",
                 "--attenuation", "1")  # fmt: skip
    assert done.code == 0, done.err
    assert asked["domain"] == "experiment"
    assert asked["doses"] == Doses(
        spread=Range(0, 0), wave=Range(0.5, 2), attenuation=Range(1, 1), image=(80, 32)
    )
    parameters, _ = asked["arguments"]
    assert parameters.fat == Range(1, 2)
    assert parameters.snr == Range(np.inf, np.inf)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--paired",), ["--paired", "--domain quick or --domain experiment"]),
        (("--spread", "1"), ["--spread", "--domain experiment"]),
        ((*SMALL_EXPERIMENT, "--fat", "11"), ["fat", "11 mm"]),
        ((*SMALL_EXPERIMENT, "--spread", "100"), ["spread", "0 to 20 mm"]),
        ((*SMALL_EXPERIMENT, "--image", "16x32"), ["coarser than the point-spread function"]),
        ((*SMALL_EXPERIMENT, "--pulse-repetition", "80"), ["band", "80 Hz"]),
        ((*SMALL_EXPERIMENT, "--displacement", "3000"), ["Nyquist velocity", "pulse_repetition"]),
        ((*SMALL_EXPERIMENT, "--render", "on-read"), ["kind", "dense", "--domain quick"]),
        ((*SMALL_QUICK, "--thermal-noise", "5"), ["thermal_noise", "use --domain experiment"]),
        ((*SMALL_QUICK, "--image", "16x32"), ["coarser than the point-spread function"]),
    ],
)
def test_a_virtual_experiment_that_cannot_be_is_one_line_and_leaves_nothing(
    musim, tmp_path, arguments, words
):
    done = musim("generate", *arguments, "-n", 1, "--workers", 1, "--out", "no.zarr")
    assert done.code == 2
    line = done.err.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert not (tmp_path / "no.zarr" / "zarr.json").exists()
    assert not list(tmp_path.glob("no.zarr/*"))
