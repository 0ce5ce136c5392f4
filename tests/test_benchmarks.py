"""What `python -m benchmarks.run` says of a loss, and that its figures are measured."""

import importlib.util
import sys

import pytest

from benchmarks import rendering, run, storage
from benchmarks.figures import GROUPS, Figure
from benchmarks.measure import Comparison
from benchmarks.release import Release, change, missing, remarks, row, this_machine, this_release

RATE = Figure("things made", "by hand", "things/s", "more")
TIME = Figure("a thing made", "by hand", "s", "less")


def measured(figure, *ratios):
    """Return a figure of rounds in which what it is against takes a second."""
    seconds = [1 / ratio if figure.better == "more" else ratio for ratio in ratios]
    return figure.of(Comparison(seconds, [1.0] * len(ratios)))


def kept(*rounds):
    """Return a release that measured figures on this machine."""
    return this_release(rounds, "command")


@pytest.mark.parametrize("figure", [RATE, TIME])
def test_a_figure_is_the_first_to_the_second(figure):
    found = figure.of(Comparison([1.0, 2.0, 4.0], [2.0, 2.0, 2.0]), 10, 20)
    if figure is RATE:
        assert (found.value, found.other) == (5, 10)
        assert found.ratios == (1, 0.5, 0.25)
    else:
        assert (found.value, found.other) == (0.2, 0.1)
        assert found.ratios == (1, 2, 4)
    assert found.range == (min(found.ratios), found.ratios[1], max(found.ratios))


@pytest.mark.parametrize(
    ("figure", "now", "word"),
    [
        (RATE, (0.70, 0.75, 0.80), "slower, x 0.75"),
        (RATE, (1.30, 1.40, 1.50), "faster, x 1.40"),
        (TIME, (1.30, 1.40, 1.50), "slower, x 0.71"),
        (TIME, (0.70, 0.80, 0.85), "faster, x 1.25"),
    ],
)
def test_a_loss_is_seen(figure, now, word):
    release = kept(measured(figure, 0.9, 1.0, 1.1))
    text, lost = row(measured(figure, *now), release)
    assert text.endswith(f"| {word} |")
    assert "1.00 (0.90-1.10)" in text
    assert lost == word.startswith("slower")


@pytest.mark.parametrize("figure", [RATE, TIME])
@pytest.mark.parametrize(
    ("before", "now"),
    [
        ((0.9, 1.0, 1.1), (0.85, 0.92, 1.2)),  # the median lies within the release's range
        ((0.99, 1.0, 1.01), (0.5, 0.8, 1.3)),  # this run's own rounds vary as much
        ((0.99, 1.0, 1.01), (0.955, 0.96, 0.965)),  # few rounds, close together by chance
        ((0.9, 1.0, 1.1), (0.2, 1.0, 1.1)),  # something disturbed a round
    ],
)
def test_noise_is_no_loss(figure, before, now):
    word, lost = change(figure, measured(figure, *now).range, measured(figure, *before).range)
    assert (word, lost) == ("as before", False)


def test_a_figure_that_the_release_lacks_is_new():
    text, lost = row(measured(TIME, 1.0), kept(measured(RATE, 1.0)))
    assert text.endswith("| new |")
    assert not lost


def test_a_figure_that_a_run_lacks_is_told():
    release = kept(measured(RATE, 1.0))
    assert missing([TIME, RATE], [measured(TIME, 1.0)], None) == [RATE]
    assert missing([TIME], [measured(TIME, 1.0)], release) == [RATE]
    assert missing([TIME], [measured(TIME, 1.0), measured(RATE, 1.0)], release) == []


def test_what_is_kept_is_read_as_it_was(tmp_path):
    release = kept(measured(RATE, 0.5, 1.0, 2.0), measured(TIME, 0.01, 0.02))
    release.write(tmp_path / "figures.json")
    assert Release.read(tmp_path / "figures.json") == release


def test_another_machine_is_said():
    release, machine = kept(measured(RATE, 1.0)), this_machine()
    assert len(remarks(release, machine)) == 1
    (_, said) = remarks(release, {**machine, "processors": "64", "disk": "tape"})
    assert "another machine" in said
    assert f"processors {machine['processors']} (here 64), disk unknown (here tape)" in said


def test_nothing_kept_is_said(tmp_path):
    (said,) = remarks(Release.read(tmp_path / "none.json"), this_machine())
    assert "No release" in said


@pytest.fixture
def rounds(monkeypatch):
    """Let runs of the group `finding` measure these ratios."""

    def measure_them(*ratios):
        found = [measured(next(iter(GROUPS["finding"].values())), *ratios)] if ratios else []
        monkeypatch.setattr(run, "measure", lambda *_: iter(found))
        monkeypatch.setattr(run, "GROUPS", {"finding": GROUPS["finding"]})

    return measure_them


def test_a_run_keeps_its_figures_and_a_later_one_tells_a_loss(rounds, tmp_path, capsys):
    file = tmp_path / "figures.json"
    rounds(0.9, 1.0, 1.1)
    assert run.main(["--keep", "--strict"], file) == 0
    rounds(1.9, 2.0, 2.1)
    assert run.main([], file) == 0
    assert run.main(["--strict"], file) == 1
    text = capsys.readouterr().out
    assert "Slower: units of a sequence found / scikit-learn's FastICA." in text
    assert "| slower, x 0.50 |" in text


def test_a_run_that_lacks_figures_says_so_and_is_not_kept(rounds, tmp_path, capsys):
    file = tmp_path / "figures.json"
    rounds(1.0)
    assert run.main(["--keep"], file) == 0
    before = file.read_bytes()
    rounds()
    assert run.main([], file) == 0
    assert run.main(["--strict"], file) == 1
    assert run.main(["--keep"], file) == 1
    assert file.read_bytes() == before
    assert "Not measured: units of a sequence found / scikit" in capsys.readouterr().out


def test_some_figures_are_not_kept_in_place_of_all(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run.main(["--keep", "--only", "storage"], tmp_path / "figures.json")
    assert "wanted all figures of one run" in capsys.readouterr().err


def test_without_torch_the_figures_that_need_it_are_left_out_with_a_word(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.delitem(sys.modules, "benchmarks.streaming", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert list(run.measure(["streaming"], tmp_path, 1)) == []
    assert "streaming: not measured, torch is not installed" in capsys.readouterr().out


def test_every_group_is_a_module():
    assert all(importlib.util.find_spec(f"benchmarks.{name}") for name in GROUPS)


@pytest.mark.parametrize("module", [rendering, storage])
def test_a_group_measures_all_its_figures(module, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "SEQUENCES", 2)
    monkeypatch.setattr(module, "RENDERED", 2, raising=False)
    found = list(module.figures(tmp_path, 1))
    assert [each.figure for each in found] == [*module.FIGURES.values()]
    assert all(each.value > 0 and each.other > 0 for each in found)


def test_figures_are_named_once():
    figures = [each for group in GROUPS.values() for each in group.values()]
    assert len({(each.name, each.against) for each in figures}) == len(figures)
