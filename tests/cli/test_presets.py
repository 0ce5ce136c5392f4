"""Presets: what each sets is told, and one is printed as a file that makes the same again."""

import json
import re
from pathlib import Path

import pytest

from musim.cli.options import doses_from_options, parameters_from_options
from musim.simulator.experiment.doses import PRESETS as DOSE_PRESETS
from musim.simulator.experiment.doses import Doses
from musim.simulator.imaging.chain import PRESETS as CHAINS
from musim.simulator.parameters import PRESETS, Parameters


def test_each_preset_is_told_with_the_options_that_it_sets(musim):
    done = musim("presets")
    assert done.code == 0, done.err
    assert "ali-2020 nothing: these are the defaults" in " ".join(done.out.split())
    for name in (*PRESETS, *CHAINS):
        assert name in done.out
    # Of the chain, the step that is called frame_rate has an option called --resample.
    for option in ("--units 4-10", "--snr inf", "--fat 3-8", "--band 5-50", "--resample 512"):
        assert option in done.out
    # Nothing that is as it is anyway, and what numbers are of.
    _, importing = done.out.split("musim import --preset")
    assert re.findall(r"(--\S+) ", importing) == [
        "--band", "--median", "--pixels", "--size", "--resample", "--frames",
    ]  # fmt: skip
    words = " ".join(done.out.split())
    assert "--tremor 0.3-1.5 SD of motion with tremor at the bottom. [um]" in words
    assert "--fat 3-8 Thickness of skin and fat above the muscle. [mm]" in words
    assert "[Hz]" in musim("presets", "ali-2022").out


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_that_is_printed_makes_the_same_parameters_again(musim, monkeypatch, name):
    asked = []
    monkeypatch.setattr(
        "musim.datasets.generation.generate",
        lambda p, *a, **k: asked.append((p, k["doses"])),
    )
    Path("mine.toml").write_text(musim("presets", name).out, encoding="utf-8")
    assert musim("generate", "--config", "mine.toml").code == 0
    doses = doses_from_options({}, name) if name in DOSE_PRESETS else None
    assert asked == [(parameters_from_options(name, {}), doses)]
    assert musim("generate", "--preset", name).code == 0
    assert asked[1] == asked[0]


def test_programs_read_presets_as_json(musim):
    found = json.loads(musim("presets", "--json").out)
    read = {name: Parameters.from_json(values) for name, values in found["generate"].items()}
    assert read == {name: Parameters(**values) for name, values in PRESETS.items()}
    assert found["import"]["ali-2022"]["median"] == 1
    one = json.loads(musim("presets", "experiment", "--json").out)
    assert one == {"generate": {"experiment": found["generate"]["experiment"]}}
    doses = {name: Doses.from_json(values) for name, values in found["doses"].items()}
    assert doses == {name: Doses(**values) for name, values in DOSE_PRESETS.items()}
    hard = json.loads(musim("presets", "hard", "--json").out)
    assert hard == {key: {"hard": found[key]["hard"]} for key in ("generate", "doses")}


def test_an_unknown_preset_is_one_line(musim):
    done = musim("presets", "ali-2021")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "found 'ali-2021', wanted one of musim generate: ali-2020, ali-2022" in done.err
