"""Stores of samples: what they depend on, how they are gone on with, and what is refused."""

import shutil

import numpy as np
import pytest
import torch

from musim.datasets import open_store, verify
from musim.datasets.origin import SampledImages
from musim.training.runs.folder import BEST, LAST
from musim.training.sections.diffusion import sampled
from musim.training.sections.diffusion.channels import from_channels
from musim.training.sections.diffusion.diffuse_task import DiffuseTask
from musim.training.sections.diffusion.sampled import PART, sample_images
from musim.training.sections.diffusion.sampling import Sampler
from musim.training.sections.image_sets import read_image_set
from musim.training.tasks import digest_of, open_run

from .small_models import train_tiny

FAST = {"sampler": Sampler("ddim", 3), "workers": 1, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def made(run, tmp_path_factory):
    return sample_images(run, tmp_path_factory.mktemp("made") / "s.zarr", images=PART + 2, **FAST)


def test_a_sample_is_made_by_the_averaged_weights_from_its_own_noise(run, made):
    task, _ = open_run(run, DiffuseTask)
    alone = task.sample(FAST["sampler"], 0, [9])
    together = task.sample(FAST["sampler"], 0, range(8, 16))
    torch.testing.assert_close(alone[0], together[1], atol=1e-4, rtol=1e-4)
    images, masks = from_channels(together, (8, 12))
    assert np.array_equal(made.read("bmode", 9)[0], images[1])
    assert np.array_equal(made.read("aponeurosis_mask", 9)[0], masks[1])
    with torch.no_grad():
        for value in task.networks.network.parameters():
            value.zero_()
    assert torch.equal(task.sample(FAST["sampler"], 0, [9]), alone)


def test_a_sample_depends_neither_on_their_number_nor_on_who_makes_it(run, made, tmp_path):
    few = sample_images(run, tmp_path / "few.zarr", images=3, **FAST)
    others = {**FAST, "workers": 2, "pool": "threads"}
    more = sample_images(run, tmp_path / "more.zarr", images=2 * PART + 1, **others)
    for name in ("bmode", "aponeurosis_mask"):
        for index in range(3):
            assert np.array_equal(few.read(name, index), made.read(name, index))
        for index in range(len(made)):
            assert np.array_equal(more.read(name, index), made.read(name, index))


def test_the_network_always_sees_as_many_samples(run, tmp_path, monkeypatch):
    seen, draw = [], DiffuseTask.sample

    def note(task, sampler, seed, indices):
        seen.append(list(indices))
        return draw(task, sampler, seed, indices)

    monkeypatch.setattr(DiffuseTask, "sample", note)
    sample_images(run, tmp_path / "s.zarr", images=PART + 1, **{**FAST, "pool": "threads"})
    assert sorted(seen) == [list(range(PART)), list(range(PART, 2 * PART))]


def test_other_seeds_samplers_and_indices_give_other_images(run, made, tmp_path):
    other = sample_images(run, tmp_path / "seed.zarr", images=1, seed=1, **FAST)
    slow = {**FAST, "sampler": Sampler("ddpm")}
    slower = sample_images(run, tmp_path / "ddpm.zarr", images=1, **slow)
    seen = [made.read("bmode", 0), made.read("bmode", 1), other.read("bmode", 0),
            slower.read("bmode", 0)]  # fmt: skip
    assert len({image.tobytes() for image in seen}) == 4


def test_a_store_says_where_it_comes_from_and_is_whole(run, made):
    verify(made.location.url)
    origin = made.origin
    assert isinstance(origin, SampledImages)
    assert (origin.run, origin.checkpoint, origin.seed) == (str(run), digest_of(run), 0)
    assert origin.sampler == {"name": "ddim", "steps": 3, "eta": 0.0}
    assert (origin.settings["maps"], origin.device) == (8, "cpu")
    assert (made.seed, made.parameters, len(made)) == (0, None, PART + 2)


def test_it_is_read_as_any_other_images_without_millimetres(made):
    found = read_image_set(made)
    assert found.images.shape == (PART + 2, 8, 12)
    assert found.has_mask.shape == (PART + 2,)
    assert np.array_equal(found.masks[3], made.read("aponeurosis_mask", 3)[0] > 0)
    assert not any(scale.known for scale in found.scales)


def test_images_can_be_made_larger(run, made, tmp_path):
    large = sample_images(run, tmp_path / "large.zarr", images=1, size=(20, 30), **FAST)
    assert large.read("bmode", 0).shape == (1, 20, 30)
    assert large.read("aponeurosis_mask", 0).shape == (1, 20, 30)
    small = large.read("bmode", 0)[0].astype(float)
    assert abs(small.mean() - made.read("bmode", 0).mean()) < 8


def test_a_model_of_images_alone_gives_no_masks(tmp_path):
    run = train_tiny(tmp_path, masks=False, steps=1)
    bare = sample_images(run, tmp_path / "bare.zarr", images=1, **FAST)
    assert bare.layout.variables == ("bmode",)
    assert not read_image_set(bare).has_mask.any()
    verify(bare.location.url)


def contents(store):
    """Return every file of a store, and what is in it."""
    place = store.location.path
    return {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*")
            if file.is_file()}  # fmt: skip


class StoppedError(Exception):
    pass


def stop_after(images):
    def note(done, total):
        if done >= images:
            raise StoppedError

    return note


def test_a_store_is_gone_on_with_and_is_the_same(run, made, tmp_path, refused):
    out, copy = tmp_path / "s.zarr", tmp_path / "run"
    asked = {**FAST, "images": PART + 2}
    with pytest.raises(StoppedError):
        sample_images(run, out, on_progress=stop_after(PART), **asked)
    with refused("seed: 0 there, 1 asked"):
        sample_images(run, out, resume=True, **{**asked, "seed": 1})
    whole = sample_images(run, out, resume=True, **asked)
    assert contents(whole) == contents(made)
    shutil.copytree(run, copy)
    with pytest.raises(StoppedError):
        sample_images(copy, tmp_path / "u.zarr", on_progress=stop_after(PART), **asked)
    shutil.copy(copy / LAST, copy / BEST)  # as training that goes on would write
    with refused("checkpoint", "asked"):
        sample_images(copy, tmp_path / "u.zarr", resume=True, **asked)


def test_weights_that_change_meanwhile_are_told(run, tmp_path, refused, monkeypatch):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    layout = sampled.plan_samples(copy, images=1, accelerator="cpu")
    shutil.copy(copy / LAST, copy / BEST)
    monkeypatch.setattr(sampled, "plan_samples", lambda *_, **__: layout)
    sampled._open.cache_clear()
    with refused("another checkpoint than the one that was begun with"):
        sample_images(copy, tmp_path / "s.zarr", images=1, **FAST)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": 0}, ("images: found 0", "1 to")),
        ({"size": (0, 9)}, ("size: found 0 x 9 px",)),
        ({"seed": -1}, ("seed: found -1",)),
        ({"accelerator": "tpu"}, ("accelerator: found 'tpu'",)),
    ],
)
def test_what_cannot_be_sampled_is_refused(run, tmp_path, refused, changes, words):
    with refused(*words):
        sample_images(run, tmp_path / "s.zarr", **{**FAST, "images": 1, **changes})
    assert not (tmp_path / "s.zarr").exists()


def test_a_run_of_another_kind_is_refused(tmp_path, refused):
    with refused("found no run there"):
        sample_images(tmp_path, tmp_path / "s.zarr", **FAST)


def test_the_run_is_not_written_into(run, tmp_path, refused):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    with refused("the run"):
        sample_images(copy, copy / "s.zarr", images=1, **FAST)


def test_an_opened_store_keeps_its_origin(made):
    assert open_store(made.location.url).origin == made.origin
