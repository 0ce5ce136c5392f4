"""What is replaced stays until the new is whole, whenever a run is killed."""

import errno
import functools

import pytest

from musim.datasets.location import PARTIAL, Location
from musim.datasets.replacing import NEW, OLD, unfinished_exchange, workplace
from musim.simulator import InputError, MusimError
from tests import moments

FILES = {"a": "1", "b/c": "2", "done": "3"}


def is_whole(folder):
    return (folder / "done").exists()


def make(path, label="new", fails=None, **options):
    """Make a result of three files, as far as they lack; `mine.txt` is none of its own."""
    options = {"resume": False, "overwrite": False} | options
    with workplace(
        Location(path), **options, is_whole=is_whole, is_foreign=lambda file: file.stem == "mine"
    ) as place:
        if options["overwrite"] and place.path == path and path.exists():
            place.remove("done", "a")
        for name, content in FILES.items():
            if not place.exists(name):
                place.write(name, f"{label} {content}".encode())
        for left in place.path.rglob(f"*{PARTIAL}"):
            left.unlink()
        if fails:
            raise fails


def held(path):
    return {p.relative_to(path).as_posix(): p.read_text() for p in path.rglob("*") if p.is_file()}


def whole(label):
    return {name: f"{label} {content}" for name, content in FILES.items()}


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "set"
    make(path, "old")
    return path


def count(path, **options):
    """Return how many moments there are, leaving all as it was but for what is new."""
    ended = moments.run(lambda: make(path, **options), path.parent)
    assert ended.done
    return len(ended.changes)


def test_a_result_is_made_at_its_place_or_in_that_of_the_old_one(tmp_path, place):
    assert held(tmp_path) == {f"set/{name}": text for name, text in whole("old").items()}
    make(place, overwrite=True)
    assert held(tmp_path) == {f"set/{name}": text for name, text in whole("new").items()}


def test_at_every_moment_there_is_the_old_or_the_new(tmp_path):
    total = count(_old(tmp_path / "count" / "set"), overwrite=True)
    assert total > 20
    between = 0
    for moment in range(total):
        path = _old(tmp_path / str(moment) / "set")
        (path / "b/mine.txt").write_text("mine")
        assert moments.run(lambda path=path: make(path, overwrite=True), path.parent, moment).killed
        if path.exists():
            found = {n: text for n, text in held(path).items() if n != "b/mine.txt"}
            assert found in (whole("old"), whole("new")), moment
        else:
            between += 1
            assert "`resume=True`" in unfinished_exchange(path)
        for beside, label in ((OLD, "old"), (NEW, "new")):
            if not path.exists():
                assert whole(label).items() <= held(path.with_name("set" + beside)).items()
        # Killed again and again while it goes on, it gets there.
        for again in (2, 9):
            moments.run(lambda path=path: make(path, resume=True), path.parent, again)
        make(path, resume=True)
        found = held(path.parent)
        assert found.pop("set/b/mine.txt") == "mine"
        label = "new" if "new" in found["set/a"] else "old"  # the old, if nothing had begun
        assert found == {f"set/{name}": text for name, text in whole(label).items()}
        assert (label == "old") <= (moment < 6)
    assert between == 1


def _old(path):
    make(path, "old")
    return path


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_at_any_moment_is_one_line(tmp_path, failure):
    total = count(_old(tmp_path / "count" / "set"), overwrite=True)
    for moment in range(total):
        path = _old(tmp_path / str(moment) / "set")
        replace = functools.partial(make, path, overwrite=True)
        ended = moments.run(replace, path.parent, moment, failure)
        kind, _, text = ended.error.partition(": ")
        assert ended.done or kind in {"FailureError", "InputError"}, (moment, ended)
        assert ended.done or str(path) in text
        assert "\n" not in text
        make(path, resume=True)
        assert sorted(held(path.parent)) == sorted(f"set/{name}" for name in FILES), moment


def test_what_ends_early_can_be_gone_on_with_or_begun_anew(place):
    with pytest.raises(KeyboardInterrupt):
        make(place, fails=KeyboardInterrupt(), overwrite=True)
    assert held(place) == whole("old")
    assert held(place.with_name("set" + NEW)) == whole("new")
    with pytest.raises(KeyboardInterrupt):
        make(place, "newer", fails=KeyboardInterrupt(), overwrite=True)
    assert held(place.with_name("set" + NEW)) == whole("newer")
    make(place, resume=True)
    assert held(place.parent) == {f"set/{name}": text for name, text in whole("newer").items()}


def test_what_had_not_begun_is_not_taken_for_the_old_one(place):
    options = {"is_whole": is_whole, "is_begun": lambda folder: (folder / "a").exists()}
    place.with_name("set" + NEW).mkdir()

    def go_on():
        with workplace(Location(place), resume=True, overwrite=False, **options) as found:
            assert found.path == place

    with pytest.raises(InputError, match=r"as it began to replace this.*overwrite"):
        go_on()
    go_on()
    assert held(place.parent) == {f"set/{name}": text for name, text in whole("old").items()}


def test_what_somebody_put_there_meanwhile_is_not_removed(place):
    with pytest.raises(KeyboardInterrupt):
        make(place, fails=KeyboardInterrupt(), overwrite=True)
    place.rename(place.with_name("moved"))
    place.mkdir()
    (place / "notes").write_text("mine")
    with pytest.raises(InputError, match="found something else there"):
        make(place, resume=True)
    assert held(place) == {"notes": "mine"}
    (place / "notes").unlink()
    make(place, resume=True)
    assert held(place) == whole("new")


def test_folders_that_were_made_for_nothing_go(tmp_path):
    with (
        pytest.raises(MusimError),
        workplace(Location(tmp_path / "a/b/set"), resume=False, overwrite=False, is_whole=is_whole),
    ):
        raise InputError("no")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_replaced_where_it_leads(tmp_path, place):
    (tmp_path / "link").symlink_to(place)
    make(tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert held(place) == whole("new")


def test_a_disks_own_folder_is_not_replaced(place, monkeypatch, refused):
    monkeypatch.setattr(type(place), "is_mount", lambda path: path == place)
    with refused("cannot be renamed"):
        make(place, overwrite=True)
    monkeypatch.undo()
    assert held(place) == whole("old")
