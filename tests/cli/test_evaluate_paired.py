"""``musim evaluate translate --paired`` and ``musim explain`` of runs on pairs, as users meet them.

Networks are functions of which all is known; tables and figures are those of
tests/training/paired/scored.
"""

import json

import pytest
from matplotlib.figure import Figure

from musim.training.charts import Chart
from musim.training.paired.explaining import figures as explaining_figures
from musim.training.paired.protocol import figures
from tests.training.paired.scored.conftest import CANVAS, networks, pairs, run  # noqa: F401
from tests.training.paired.scored.test_paired_explanation import BoxMean


@pytest.fixture
def box(networks, run):  # noqa: F811
    """Return the folder of a run that answers with the mean of a square."""
    networks(BoxMean)
    return run("box")


@pytest.fixture(autouse=True)
def _plain_figures(monkeypatch):
    """Draw blank figures: what is in them is looked at elsewhere."""
    for module, begin, names in (
        (figures, "paired", ("differences", "planes", "profile", "intensities", "spectrum")),
        (explaining_figures, "explain", ("windows", "curve", "map", "structures", "lost")),
    ):

        def draw(found, begin=begin, names=names):
            return [Chart(f"{begin}-{name}", name, name, Figure((1, 1), 20)) for name in names]

        monkeypatch.setattr(module, "charts" if begin == "paired" else "draw_charts", draw)


def test_runs_are_scored_and_shown(musim, box, pairs, run, tmp_path):  # noqa: F811
    asked = ("evaluate", "translate", box, "--paired", "--data", pairs, "--workers", 1)
    done = musim(*asked)
    assert done.code == 0, done.err
    said = ("Table 1", "Table 2", "usual definitions", "copy of the input", "likeliest level",
            "published: pix2pix", "0.9676", "box, coronal", "musim report pairs")  # fmt: skip
    assert [word for word in said if word not in done.out] == []
    assert not any("…" in line for line in done.out.splitlines())
    again = musim(*asked)
    assert again.code == 2
    assert "add --resume to go on with it" in again.err
    more = musim("evaluate", "translate", box, run("second", "unit"), *asked[3:], "--resume",
                 "--json")  # fmt: skip
    assert more.code == 0, more.err
    told = json.loads(more.out)
    assert told["evaluation"] == "pairs"
    assert {row["translation"] for row in told["table"]} >= {"box", "second", "mean level"}
    assert musim("report", "pairs").code == 0
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 5


def test_where_answers_come_from_is_told(musim, box, pairs, tmp_path):  # noqa: F811
    asked = ("explain", box, "--data", pairs, "--points", 6, "--slices", 3)
    done = musim(*asked, "--seed", 3, "--out", "windows")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "windows" / "windows.json").read_text())["seed"] == 3
    said = ("6 points drawn in 3 slices", "Width of the window", "Structures by their width",
            "about 10 mm", "musim report windows")  # fmt: skip
    assert [word for word in said if word not in done.out] == []
    assert musim("report", "windows").code == 0
    told = json.loads(musim(*asked, "--json").out)
    assert told["explanation"] is None
    assert told["points"] == 6


def test_what_does_not_go_together_is_one_line(musim, box, pairs, run, tmp_path):  # noqa: F811
    states = run("states", task="state")
    for arguments, words in (
        (("evaluate", "translate", box, "--paired"), ("--data: found none",)),
        (("evaluate", "translate", box, "--paired", "--data", pairs, "--b", pairs),
         ("--paired: found --a or --b",)),
        (("evaluate", "translate", "t.zarr", "--b", "b.zarr", "--data", pairs),
         ("without --paired",)),
        (("evaluate", "translate", "t.zarr", "--b", "b.zarr", "--resume"), ("without --paired",)),
        (("evaluate", "translate", box, "--paired", "--data", box), ("found something else",)),
        (("explain", box), ("--data: found none", "paired slices")),
        (("explain", box, "--data", pairs, "--starts", 3), ("--starts: found it given",)),
        (("explain", states, "--points", 3), ("--points: found it given",)),
    ):  # fmt: skip
        done = musim(*arguments)
        assert done.code == 2, arguments
        assert len(done.err.strip().splitlines()) == 1, done.err
        assert [word for word in words if word not in done.err] == [], done.err
