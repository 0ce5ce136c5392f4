"""Stores that are translated: the same labels, whoever did it and however often it was begun."""

import json
import shutil

import numpy as np
import pytest
import torch

from musim.datasets import open_store
from musim.datasets.location import Location
from musim.datasets.verification import verify
from musim.simulator import FailureError, InputError, Range
from musim.training.runs.folder import BEST, LAST, RUN
from musim.training.tasks import open_run
from musim.training.translation import sequences, translating
from musim.training.translation.translating import plan, translate_store
from musim.training.translation.translation_task import TranslateTask
from tests import moments


class StoppedError(Exception):
    """What ends a translation from outside."""


@pytest.fixture(scope="module")
def few(make_store):
    """Three simulated sequences, of other numbers of units."""
    return make_store("few", sequences=3, seed=5)


@pytest.fixture(scope="module")
def translated(few, trained, tmp_path_factory):
    """A translation that is not to be changed."""
    torch.set_num_threads(1)
    return translate_store(few, trained, tmp_path_factory.mktemp("out") / "t.zarr", workers=1)


@pytest.fixture
def refused(tmp_path, contents):
    """Return a function that asserts that a translation ends in one line and leaves nothing."""

    def call(words, source, run, out=None, **options):
        before = contents(tmp_path)
        with pytest.raises(InputError, match=words) as caught:
            translate_store(source, run, out or tmp_path / "new" / "t.zarr", workers=1, **options)
        assert "\n" not in str(caught.value)
        assert contents(tmp_path) == before
        assert not (tmp_path / "new").exists()

    return call


def stop_after(count):
    def on_progress(done, total):
        if done == count:
            raise StoppedError

    return on_progress


def voxels(store):
    return np.stack([store.tvi(index) for index in range(len(store))])


# What comes out


def test_each_sequence_is_what_the_run_makes_of_it(few, trained, translated):
    task, _ = open_run(trained, TranslateTask)
    source = open_store(few)
    assert len(translated) == len(source) == 3
    for index in range(3):
        wanted = task.translate(source.tvi(index), index)
        assert np.array_equal(translated.tvi(index), wanted)
        assert not np.allclose(wanted, source.tvi(index), atol=0.1 * wanted.std())
    # The noise is the sequence's own.
    assert not np.array_equal(task.translate(source.tvi(1), 0), translated.tvi(1))


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_labels_come_along_unchanged(make_store, trained, translated, few, tmp_path, kind):
    if kind == "dense":
        source, found = open_store(few), translated
    else:
        source = open_store(make_store("on-read", sequences=2, seed=6, kind="rendered"))
        found = translate_store(source.location.url, trained, tmp_path / "t.zarr", workers=1)
    names = [name for name in source.layout.variables if name != "tvi"]
    assert found.kind == "dense"
    assert found.has_truth
    assert set(found.layout.variables) == {"tvi", *names}
    assert len(names) > 15
    for index in range(len(source)):
        for name in names:
            before, after = source.read(name, index), found.read(name, index)
            assert before.dtype == after.dtype, name
            assert before.tobytes() == after.tobytes(), name
        assert np.array_equal(source.truth(index).twitch_train, found.truth(index).twitch_train)
    assert found.layout.shape == source.layout.shape
    assert found.layout.frame_rate == source.layout.frame_rate
    assert found.layout.pixel_size == source.layout.pixel_size
    verify(found.location.url)


def test_the_store_says_what_it_was_made_of_and_not_how_to_make_it_again(few, trained, translated):
    source, origin = open_store(few), translated.origin
    assert origin.store == str(few)
    assert origin.sequences == 3
    assert origin.run == str(trained)
    assert origin.parameters == source.parameters
    assert origin.seed == source.seed == 5
    assert origin.settings["maps"] == 2
    assert len(origin.checkpoint) == 64
    assert "torch" in origin.software
    assert translated.parameters is None
    assert translated.seed is None


def test_recordings_have_no_labels_before_or_after(recorded, trained, tmp_path):
    found = translate_store(recorded, trained, tmp_path / "t.zarr", workers=1)
    assert found.layout.variables == ("tvi",)
    assert not found.has_truth
    assert found.origin.parameters is None
    assert found.origin.recorded.cuts == open_store(recorded).origin.cuts
    assert found.origin.recorded.chain == open_store(recorded).origin.chain
    verify(found.location.url)


@pytest.mark.parametrize("shape", [(50, 32, 32), (9, 32, 32), (48, 40, 16), (47, 16, 36)])
def test_other_lengths_and_images_keep_their_shape(store_of, trained, tmp_path, shape):
    tvi = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    source = store_of("other", tvi)
    found = translate_store(source, trained, tmp_path / "t.zarr", workers=1)
    assert found.tvi(0).shape == shape
    assert np.isfinite(found.tvi(0)).all()


def test_a_store_can_be_translated_again(translated, trained, tmp_path):
    found = translate_store(translated.location.url, trained, tmp_path / "again.zarr", workers=1)
    assert found.origin.store == str(translated.location)
    assert np.array_equal(found.truth(1).territory, translated.truth(1).territory)


def test_paths_may_be_relative(few, trained, translated, tmp_path, monkeypatch):
    shutil.copytree(few, tmp_path / "a.zarr")
    shutil.copytree(trained, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    found = translate_store("a.zarr", "run", "t.zarr", workers=1)
    assert np.array_equal(voxels(found), voxels(translated))
    assert found.origin.store == str(tmp_path / "a.zarr")
    assert found.origin.run == str(tmp_path / "run")


# Whoever does it, and however often


def test_threads_that_share_the_networks_make_no_difference(few, trained, translated, contents):
    """In this process's memory, where workers are threads."""
    import fsspec

    memory = fsspec.filesystem("memory")
    for name, content in contents(few).items():
        memory.pipe(f"/translating/a.zarr/{name}", content)
    try:
        found = translate_store("memory://translating/a.zarr", trained,
                                "memory://translating/t.zarr", workers=3)  # fmt: skip
        assert np.array_equal(voxels(found), voxels(translated))
        assert np.array_equal(found.truth(2).firing, translated.truth(2).firing, equal_nan=True)
    finally:
        memory.rm("/translating", recursive=True)


@pytest.mark.slow
def test_processes_make_no_difference(few, trained, translated, tmp_path):
    found = translate_store(few, trained, tmp_path / "t.zarr", workers=2)
    assert np.array_equal(voxels(found), voxels(translated))


@pytest.mark.parametrize("frames", [4, 20])
def test_windows_make_no_difference_but_by_rounding(
    few, trained, translated, tmp_path, monkeypatch, frames
):
    monkeypatch.setattr(sequences, "WINDOW_VALUES", frames * 32 * 32)
    found = voxels(translate_store(few, trained, tmp_path / "t.zarr", workers=1))
    wanted = voxels(translated)
    assert np.allclose(found, wanted, rtol=0, atol=1e-4 * wanted.std())


def test_torch_has_its_threads_back(few, trained, tmp_path, monkeypatch):
    seen = []
    translate = TranslateTask.translate

    def note(self, *arguments):
        seen.append(torch.get_num_threads())
        return translate(self, *arguments)

    monkeypatch.setattr(TranslateTask, "translate", note)
    torch.set_num_threads(2)
    translate_store(few, trained, tmp_path / "t.zarr", workers=1)
    assert seen == [1, 1, 1]
    assert torch.get_num_threads() == 2


def test_progress_is_told(few, trained, tmp_path):
    told = []
    translate_store(few, trained, tmp_path / "t.zarr", workers=1,
                    on_progress=lambda *numbers: told.append(numbers))  # fmt: skip
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_was_interrupted_and_resumed_equals_what_was_not(
    few, trained, translated, tmp_path, contents, count
):
    out = tmp_path / "t.zarr"
    with pytest.raises(StoppedError):
        translate_store(few, trained, out, workers=1, on_progress=stop_after(count))
    with pytest.raises(InputError, match="unfinished store"):
        translate_store(few, trained, out, workers=1)
    told = []
    found = translate_store(few, trained, out, workers=1, resume=True,
                            on_progress=lambda done, _: told.append(done))  # fmt: skip
    assert told[0] == count
    assert contents(out) == contents(translated.location.path)
    verify(found.location.url)
    before = contents(out)
    translate_store(few, trained, out, workers=1, resume=True)  # of a finished one: nothing
    assert contents(out) == before


def test_only_the_same_translation_is_resumed(few, make_store, trained, tmp_path, refused):
    run, out = tmp_path / "run", tmp_path / "t.zarr"
    shutil.copytree(trained, run)
    with pytest.raises(StoppedError):
        translate_store(few, run, out, workers=1, on_progress=stop_after(1))
    refused("run: .* there, .* asked", few, trained, out, resume=True)
    other = make_store("other", sequences=3, seed=7, snr=Range(5, 5))
    refused("store: .* there, .* asked", other, run, out, resume=True)
    source = tmp_path / "a.zarr"
    shutil.copytree(few, source)
    with pytest.raises(StoppedError):
        translate_store(source, run, tmp_path / "u.zarr", workers=1, on_progress=stop_after(1))
    shutil.rmtree(source)
    shutil.copytree(make_store("anew", sequences=3, seed=8), source)
    refused("seed: 5 there, 8 asked", source, run, tmp_path / "u.zarr", resume=True)
    shutil.copy(run / LAST, run / BEST)  # as training that goes on would write
    refused("checkpoint: .* there, .* asked", few, run, out, resume=True)
    shutil.copy(trained / BEST, run / BEST)
    assert len(translate_store(few, run, out, workers=1, resume=True)) == 3


def test_what_is_not_a_translation_is_not_resumed(few, make_store, trained, refused, tmp_path):
    shutil.copytree(make_store("a"), tmp_path / "t.zarr")
    refused("a store of simulated sequences there, wanted the translated ones", few, trained,
            tmp_path / "t.zarr", resume=True)  # fmt: skip


def test_a_checkpoint_that_changes_meanwhile_is_told(few, trained, tmp_path, refused, monkeypatch):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    layout = plan(open_store(few), run)
    shutil.copy(run / LAST, run / BEST)
    monkeypatch.setattr(translating, "plan", lambda *_: layout)
    translating._open.cache_clear()
    refused("another checkpoint than the one that was begun with", few, run)


def test_before_the_first_validation_the_last_checkpoint_is_used(few, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / BEST).unlink()
    found = translate_store(few, run, tmp_path / "t.zarr", workers=1)
    task, _ = open_run(run, TranslateTask)
    assert np.array_equal(found.tvi(0), task.translate(open_store(few).tvi(0), 0))


# What is there already


def test_a_store_that_is_there_is_replaced_only_when_asked(
    few, trained, tmp_path, refused, translated, make_store, contents
):
    out = tmp_path / "t.zarr"
    shutil.copytree(make_store("a"), out)
    refused("t.zarr: found a store there.*`overwrite=True`", few, trained, out)
    translate_store(few, trained, out, workers=1, overwrite=True)
    assert contents(out) == contents(translated.location.path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_store_stays(few, trained, tmp_path, refused, overwrite):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    refused("theirs", few, trained, tmp_path / "theirs", overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
def test_neither_source_nor_run_is_written_into(few, trained, tmp_path, refused, overwrite):
    source, run = tmp_path / "in" / "a.zarr", tmp_path / "runs" / "run"
    shutil.copytree(few, source)
    shutil.copytree(trained, run)
    (tmp_path / "link.zarr").symlink_to(source)
    for out, words in (
        (source, "found the source"),
        (source / "t.zarr", "found the source"),
        (source.parent, "found the source"),
        (tmp_path / "link.zarr", "found the source"),
        (run, "found the run"),
        (run / "t.zarr", "found the run"),
        (run.parent, "found the run"),
    ):
        refused(words, source, run, out, overwrite=overwrite)


# Wrong input


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers_leave_nothing(store_of, trained, refused, value):
    tvi = np.random.default_rng(0).normal(size=(2, 16, 32, 32)).astype(np.float32)
    tvi[1, 3, 4, 5] = value
    refused("spoilt.zarr: found values that are not finite in sequence 1",
            store_of("spoilt", tvi), trained)  # fmt: skip


def test_a_translation_that_is_not_finite_can_be_resumed(few, trained, tmp_path, monkeypatch):
    translate = TranslateTask.translate

    def spoil(self, tvi, index):
        return translate(self, tvi, index) * (np.nan if index == 1 else 1)

    out = tmp_path / "t.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(TranslateTask, "translate", spoil)
        with pytest.raises(FailureError, match="translation of sequence 1 that is not finite"):
            translate_store(few, trained, out, workers=1)
    with pytest.raises(InputError, match="unfinished"):
        open_store(out)
    verify(translate_store(few, trained, out, workers=1, resume=True).location.url)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((16, 32, 32), {"frame_rate": 250.0}, "found 250 Hz .*wanted 200 Hz"),
        ((16, 32, 32), {"pixel_size": (1.0, 0.5)}, "pixels of 1 x 0.5 mm.*wanted .*1 x 1 mm"),
        ((16, 34, 32), {}, "found 34 for its depth.*multiple of 4"),
        ((16, 32, 30), {}, "found 30 for its width.*multiple of 4"),
        ((1, 32, 32), {}, "found 1 frames"),
    ],
)
def test_other_grids_are_refused(store_of, trained, refused, shape, options, words):
    tvi = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    refused(rf"other\.zarr: .*{words}", store_of("other", tvi, **options), trained)


def test_units_that_were_found_are_refused(identified, trained, refused):
    refused("found units that were identified", identified, trained)


@pytest.mark.parametrize("task", ["detect", "twitch"])
def test_a_run_of_another_task_is_refused(few, trained, tmp_path, refused, task):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    described = json.loads((run / RUN).read_text())
    (run / RUN).write_text(json.dumps({**described, "task": task}))
    refused(f"run: found a run of musim train {task}, wanted one of musim train translate", few,
            run)  # fmt: skip


def test_runs_that_cannot_be_used_are_refused(few, trained, tmp_path, refused):
    run = tmp_path / "run"
    refused("run: found no run there", few, run)
    shutil.copytree(trained, run)
    (run / BEST).unlink()
    (run / LAST).write_bytes(b"nothing of the kind")
    refused("damaged", few, run)
    (run / LAST).unlink()
    refused("found no checkpoint", few, run)


def test_a_source_that_is_not_there_is_told(trained, tmp_path, refused):
    refused("found nothing there", tmp_path / "none.zarr", trained)


@pytest.mark.parametrize("workers", [0, -1])
def test_somebody_has_to_do_it(few, trained, tmp_path, workers):
    with pytest.raises(InputError, match=f"workers: found {workers}"):
        translate_store(few, trained, tmp_path / "t.zarr", workers=workers)
    assert not Location(tmp_path / "t.zarr").exists()


@pytest.mark.slow
def test_whenever_a_translation_is_killed_it_goes_on(few, make_store, trained, tmp_path, scaled):
    torch.set_num_threads(1)
    other = make_store("other", sequences=1, seed=6)

    def make(path, source=few, **options):
        translate_store(source, trained, path, workers=1, **options)

    moments.kill_at_random(make, lambda path: make(path, other), tmp_path, scaled(10), seed=4)
