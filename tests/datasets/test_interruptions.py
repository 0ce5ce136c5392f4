"""Making stores, ended at any moment: nothing is lost, and what was begun goes on."""

import errno

import pytest

from musim.datasets import open_store, verify
from musim.datasets.replacing import NEW, OLD
from musim.simulator import InputError
from tests import moments

OPTIONS = {"sequences": 2, "part_size": 1}


@pytest.fixture(scope="module")
def old(make, tmp_path_factory):
    """A store that is to be replaced."""
    return make(tmp_path_factory.mktemp("old") / "set.zarr", kind="rendered", **OPTIONS)


@pytest.fixture(scope="module")
def new(make, tmp_path_factory):
    """What is made in its place."""
    return make(tmp_path_factory.mktemp("new") / "set.zarr", kind="rendered", seed=8, **OPTIONS)


@pytest.fixture
def replace(make, tmp_path):
    """Replace a store, or what was begun to."""

    def call(**options):
        make(tmp_path / "copy.zarr", kind="rendered", seed=8, **OPTIONS, **options)

    return call


@pytest.fixture
def changes(replace, copy, old, tmp_path):
    """What replacing a store changes, one after the other."""
    copy(old)
    ended = moments.run(lambda: replace(overwrite=True), tmp_path)
    assert ended.done, ended.error
    return ended.changes


def telling(changes):
    """Return the moments about locks and exchanges, and some of those between."""
    kept = [number for number, change in enumerate(changes) if "/parts/" in change]
    ends = [1, 3, 5, 7, len(changes) - 2]
    exchange = next(n for n, change in enumerate(changes) if change.endswith("copy.zarr.musim-old"))
    return sorted({*ends, *kept[::4], *range(exchange - 1, exchange + 3)})


def survives(replace, path, moment, old, new, tree):
    """Kill what replaces a store: the old one, the new one or a line is there; then go on."""
    ended = moments.run(lambda: replace(overwrite=True), path.parent, moment)
    # Threads that make one folder change the number of moments by a few.
    assert ended.killed or (ended.done and moment > len(ended.changes) - 10)
    begun = path.with_name(path.name + NEW).exists()
    if path.exists():
        verify(path)
        assert tree(path) in (tree(old.location.path), tree(new.location.path)), moment
        begun = begun or path.with_name(path.name + OLD).exists()
    else:
        with pytest.raises(InputError, match=r"about to be replaced .*resume"):
            open_store(path)
    if begun or tree(path) == tree(new.location.path):
        replace(resume=True)
    else:
        with pytest.raises(InputError, match="other settings"):
            replace(resume=True)
        replace(overwrite=True)
    assert tree(path) == tree(new.location.path), moment
    assert [each.name for each in path.parent.iterdir()] == [path.name], moment


def test_what_is_replaced_is_there_until_the_new_is(
    changes, replace, copy, old, new, tree, tmp_path
):
    for moment in telling(changes):
        moments.empty(tmp_path)
        survives(replace, copy(old), moment, old, new, tree)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_is_replaced_is_there_until_the_new_is_at_every_moment(
    changes, replace, copy, old, new, tree, tmp_path, scaled
):
    # All of them at full scale, few at a small one: the telling ones are tried above anyway.
    step = max(round((len(changes) / scaled(len(changes))) ** 1.5), 1)
    for moment in range(0, len(changes), step):
        moments.empty(tmp_path)
        survives(replace, copy(old), moment, old, new, tree)


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_is_one_line_and_loses_nothing(
    changes, replace, copy, old, new, tree, tmp_path, failure
):
    for moment in telling(changes)[::2]:
        moments.empty(tmp_path)
        path = copy(old)
        ended = moments.run(lambda: replace(overwrite=True), tmp_path, moment, failure)
        kind, _, text = ended.error.partition(": ")
        assert ended.done or kind in {"FailureError", "InputError"}, (moment, ended.error)
        assert "\n" not in text
        if path.exists():
            assert tree(path) in (tree(old.location.path), tree(new.location.path)), moment
        replace(overwrite=True)
        assert tree(path) == tree(new.location.path), moment
        assert [each.name for each in tmp_path.iterdir()] == [path.name], moment


@pytest.mark.slow
def test_whenever_a_generation_is_killed_it_goes_on(make, tmp_path, scaled):
    def old(path):
        make(path, seed=8)

    moments.kill_at_random(make, old, tmp_path, scaled(10), seed=1)
