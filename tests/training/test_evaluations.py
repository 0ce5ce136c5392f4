"""The folder of an evaluation: it knows its files, and leaves everything else alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from musim.simulator import FailureError, InputError
from musim.training.charts import Chart
from musim.training.evaluations import EvaluationFiles, EvaluationFolder
from musim.training.resumable import evaluation_in_parts

FILES = EvaluationFiles(
    settings="toy.json", keys=frozenset(("what",)), tables=("rows.csv", "done.csv"),
    summary="means.csv", figures=r"curve-\d", captions="figures.json", parts=r"\d+\.json",
    version=3, described=lambda settings: f"of {settings['what']}",
)  # fmt: skip
WHOLE = EvaluationFiles("whole.json", frozenset(("what",)), ("rows.csv",))
"""An evaluation that leaves no parts."""

SETTINGS = {"what": "toys", "version": 3}


def tree(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def chart(number):
    return Chart(f"curve-{number}", f"Curve {number}", "A curve.", Figure((1, 1)))


def write_part(address, number):
    """Write a part; of a module, so that any process finds it."""
    if number == 13:
        raise InputError("thirteen: found it, wanted another number")
    EvaluationFolder(address, FILES).write_part(f"{number}.json", [number])


def evaluate(out, numbers, settings=None, work=write_part, finish=False, **options):
    options = {"workers": 1, "resume": False, "overwrite": False, **options}
    told = []
    with evaluation_in_parts(
        EvaluationFolder(out, FILES), settings or SETTINGS, "1.0",
        {f"{number}.json": (number,) for number in numbers}, work, 10 * len(numbers),
        on_progress=lambda *numbers: told.append(numbers), **options,
    ) as (place, parts):  # fmt: skip
        if finish:
            for name in (*FILES.tables, FILES.summary):
                place.write_table(name, [{"a": part[0]} for part in parts])
    return parts, told


@pytest.fixture
def finished(tmp_path):
    """A finished evaluation."""
    evaluate(tmp_path / "e", [1, 2])
    folder = EvaluationFolder(tmp_path / "e", FILES)
    for name in (*FILES.tables, FILES.summary):
        folder.write_table(name, [{"a": 1.5}])
    folder.write_charts([chart(1), chart(2)])
    return folder


def test_an_evaluation_is_made_of_its_files(finished, tmp_path):
    written = tree(tmp_path / "e")
    assert set(written) == {
        "toy.json", "rows.csv", "done.csv", "means.csv", "curve-1.png", "curve-2.png",
        "figures.json", "parts/1.json", "parts/2.json",
    }  # fmt: skip
    assert json.loads(written["toy.json"]) == {**SETTINGS, "software": "1.0"}
    assert written["rows.csv"] == b"a\n1.5\n"
    assert written["curve-1.png"].startswith(b"\x89PNG")
    assert json.loads(written["figures.json"])[1] == {
        "name": "curve-2", "title": "Curve 2", "text": "A curve."
    }  # fmt: skip
    assert finished.settings()["what"] == "toys"
    finished.check_finished()


def test_figures_that_are_drawn_no_more_go(finished, tmp_path):
    (tmp_path / "e" / "mine.png").write_text("mine")
    finished.write_charts([chart(2)])
    pictures = sorted(path.name for path in (tmp_path / "e").glob("*.png"))
    assert pictures == ["curve-2.png", "mine.png"]


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: folder.write_table("other.csv", []),
        lambda folder: folder.write_charts([Chart("other", "", "", Figure((1, 1)))]),
        lambda folder: folder.write_part("one.json", []),
        lambda folder: folder.write_part("../1.json", []),
    ],
)
def test_a_file_that_it_could_not_remove_again_is_not_written(finished, tmp_path, write):
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="of this evaluation"):
        write(finished)
    assert tree(tmp_path) == before


def test_what_is_removed_is_the_evaluation_and_what_a_kill_left_of_it(finished, tmp_path):
    theirs = ["notes.txt", "rows.csv.bak", "curve-12.png", "parts/mine.json", "a/toy.json", ".x"]
    for name in (*theirs, "rows.csv.0123abcd.partial", "parts/3.json.0123abcd.partial"):
        (tmp_path / "e" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "e" / name).write_text(name)
    finished.remove()
    assert set(tree(tmp_path / "e")) == set(theirs)


def test_parts_that_lack_are_made(tmp_path):
    begun = []

    def interrupted(address, number):
        begun.append(number)  # in whatever order
        if len(begun) == 3:
            raise FailureError("no more")
        write_part(address, number)

    with pytest.raises(FailureError):
        evaluate(tmp_path / "e", [1, 2, 3, 4], work=interrupted)
    kept = len(EvaluationFolder(tmp_path / "e", FILES).parts())
    assert kept == 2
    made = []

    def noting(address, number):
        made.append(number)
        write_part(address, number)

    parts, told = evaluate(tmp_path / "e", [1, 2, 3, 4], work=noting, resume=True)
    assert parts == [[1], [2], [3], [4]]
    assert len(made) == 4 - kept
    assert (told[0], told[-1]) == ((10 * kept, 40), (40, 40))


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({}, {}, "resume.* to go on with it, .*overwrite"),
        ({}, {"resume": True, "overwrite": True}, "both .*resume.* and .*overwrite"),
        ({"what": "games"}, {"resume": True}, r"other settings \(of toys\)"),
        ({"version": 4}, {"resume": True}, r"other settings"),
    ],
)
def test_what_does_not_go_on_leaves_all_as_it_was(finished, tmp_path, settings, options, words):
    before = tree(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        evaluate(tmp_path / "e", [1, 2], {**SETTINGS, **settings}, **options)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == before


def test_parts_of_another_version_are_not_gone_on_with(finished, refused):
    finished.write_settings({**SETTINGS, "version": 2})
    with refused("another version of musim"):
        finished.check(SETTINGS, resume=True)
    finished.check(SETTINGS, overwrite=True)


def test_wrong_input_leaves_nothing_of_what_began_here(tmp_path):
    with pytest.raises(InputError, match="thirteen"):
        evaluate(tmp_path / "a" / "e", [1, 13])
    assert list(tmp_path.iterdir()) == []
    evaluate(tmp_path / "e", [1])
    (tmp_path / "e" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="thirteen"):
        evaluate(tmp_path / "e", [1, 13], overwrite=True)
    assert set(tree(tmp_path / "e")) == {"notes.txt"}


def test_an_evaluation_without_parts_is_replaced_or_left(tmp_path, refused):
    folder = EvaluationFolder(tmp_path / "e", WHOLE)
    folder.check()
    assert not (tmp_path / "e").exists()
    folder.write_settings({"what": 1})
    with refused("folder; add ", "overwrite", " to replace it, or choose"):
        folder.check()
    with refused("unfinished evaluation"):
        folder.check_finished()
    folder.check(overwrite=True)
    assert set(tree(tmp_path / "e")) == {"whole.json"}


def test_a_finished_evaluation_stays_until_the_new_one_is_finished(tmp_path):
    place = tmp_path / "e"
    evaluate(place, [1], finish=True)
    before = tree(place)
    (place / "notes.txt").write_text("mine")
    (place / "parts" / "mine.json").write_text("mine")
    for number, error in ((13, InputError), (14, KeyboardInterrupt)):

        def work(address, number, error=error):
            write_part(address, number)
            if number == 14:
                raise error

        with pytest.raises(error):
            evaluate(place, [2, number], work=work, overwrite=True)
        theirs = {"notes.txt": b"mine", "parts/mine.json": b"mine"}
        assert tree(place) == {**before, **theirs}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "e.musim-new"]
    evaluate(place, [2, 14], resume=True, finish=True)
    assert [path.name for path in tmp_path.iterdir()] == ["e"]
    found = tree(place)
    assert (found["rows.csv"], found["notes.txt"]) == (b"a\n2\n14\n", b"mine")
    assert {name for name in found if name.startswith("parts")} == {
        "parts/2.json", "parts/14.json", "parts/mine.json",
    }  # fmt: skip


def test_an_evaluation_is_made_by_one_at_a_time(tmp_path, refused):
    folder = EvaluationFolder(tmp_path / "e", FILES)
    with folder.at_work(), refused("e: found another process", "since"):
        evaluate(tmp_path / "e", [1])


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_evaluation_without_parts_is_there_at_once(tmp_path, overwrite):
    folder = EvaluationFolder(tmp_path / "e", WHOLE)
    if overwrite:
        with folder.at_work() as place:
            place.write_table("rows.csv", [{"a": 1}])
            place.write_settings({"what": 1})
    before = tree(tmp_path)

    def stopped():
        with folder.at_work(overwrite=overwrite) as place:
            place.write_table("rows.csv", [{"a": 2}])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert {name: text for name, text in tree(tmp_path).items() if "new" not in name} == before
    with folder.at_work(overwrite=overwrite) as place:
        assert not place.location.path.exists()
        place.write_settings({"what": 2})
    assert set(tree(tmp_path)) == {"e/whole.json"}


@pytest.mark.parametrize("content", ["", "[]", '{"which": 1}', "\x00"])
@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_what_is_something_else_is_left_alone(tmp_path, content, options, refused):
    folder = EvaluationFolder(tmp_path, FILES)
    (tmp_path / "mine.txt").write_text("mine")
    with refused("not an evaluation, wanted a new or empty folder"):
        folder.check(SETTINGS, **options)
    (tmp_path / "toy.json").write_text(content)
    with refused("toy.json without the settings of an evaluation"):
        folder.check(SETTINGS, **options)


def test_a_folder_is_local(tmp_path, refused):
    with refused("wanted a local folder"):
        EvaluationFolder("memory://e", FILES)
    with refused("found no evaluation there"):
        EvaluationFolder(tmp_path, FILES).settings()


GROWING = replace(FILES, changeable=frozenset(("which",)), parts=r"\d+\.npz")


def write_arrays(address, number):
    """Write a part of arrays."""
    EvaluationFolder(address, GROWING).write_part(f"{number}.npz", {"a": np.arange(number)})


def grow(out, numbers, **options):
    made = []

    def noting(address, number):
        made.append(number)
        write_arrays(address, number)

    with evaluation_in_parts(
        EvaluationFolder(out, GROWING), {**SETTINGS, "which": numbers}, "1.0",
        {f"{number}.npz": (number,) for number in numbers}, noting, len(numbers), workers=1,
        on_progress=lambda *done: None, **{"resume": True, "overwrite": False, **options},
    ) as (place, parts):  # fmt: skip
        assert not (place.location.path / "done.csv").exists()
        for name in GROWING.tables:
            place.write_table(name, [{"a": 1}])
    return made, [part["a"].tolist() for part in parts]


def test_parts_join_an_evaluation_whose_settings_may_change(tmp_path, refused):
    assert grow(tmp_path / "e", [1, 2]) == ([1, 2], [[0], [0, 1]])
    assert grow(tmp_path / "e", [3, 2]) == ([3], [[0, 1, 2], [0, 1]])
    settings = json.loads((tmp_path / "e" / "toy.json").read_text())
    assert settings["which"] == [3, 2]
    assert {path.name for path in (tmp_path / "e" / "parts").iterdir()} == {"2.npz", "3.npz"}
    with refused("found an evaluation there", "`resume=True`"):
        grow(tmp_path / "e", [3], resume=False)
    fixed = replace(GROWING, changeable=frozenset())
    with refused("other settings"):
        EvaluationFolder(tmp_path / "e", fixed).check({**SETTINGS, "which": [4]}, resume=True)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"{}"])
def test_arrays_that_are_damaged_are_told_and_nothing_in_them_runs(tmp_path, content):
    folder = EvaluationFolder(tmp_path / "e", GROWING)
    folder.write_part("1.npz", {"a": np.ones(3)})
    place = tmp_path / "e" / "parts" / "1.npz"
    place.write_bytes(content)
    with pytest.raises(FailureError, match=r"parts/1\.npz damaged.*remove"):
        folder.read_part("1.npz")
    pickled = np.array([{"a": 1}], object)
    np.savez(place, a=pickled)
    with pytest.raises(FailureError, match="damaged"):
        folder.read_part("1.npz")
