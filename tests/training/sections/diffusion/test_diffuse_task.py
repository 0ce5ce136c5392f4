"""Training of the diffusion model: what it learns from, and that breaks change nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musim.training.runs.folder import BEST, LAST
from musim.training.runs.trial import count
from musim.training.sections.diffusion.diffuse_settings import MODELS, DiffuseSettings
from musim.training.sections.diffusion.diffuse_task import DiffuseTask
from musim.training.sections.image_source import ImageSource
from musim.training.tasks import open_run, train

from .small_models import SHAPE, TINY, write_images

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    place = write_images(tmp_path_factory.mktemp("drawn"))
    return ImageSource(images=(place,), size=SHAPE)


def make(source, **changes):
    return DiffuseTask(DiffuseSettings(**{**TINY, **changes}), source.grid)


def batches(task, source, count, step=0, rank=0, ranks=1):
    made = task.batches(source, step, rank=rank, ranks=ranks, device=CPU)
    return [next(made) for _ in range(count)]


def test_every_image_is_seen_once_before_any_is_seen_again(source):
    task = make(source, batch_size=2, flips=False)
    images = torch.cat([batch["images"] for batch in batches(task, source, 4)])
    assert images.shape == (8, 2, 8, 12)
    assert len(source.train) == 4
    for epoch in images.split(4):
        assert len({tuple(one.flatten().tolist()) for one in epoch}) == 4


def test_a_batch_depends_on_its_step_alone_and_processes_share_it(source):
    task = make(source, flips=False)
    whole = batches(task, source, 3)
    again = batches(task, source, 1, step=2)[0]
    assert all(torch.equal(whole[2][name], again[name]) for name in again)
    shares = [batches(task, source, 1, step=2, rank=rank, ranks=2)[0] for rank in (0, 1)]
    assert torch.equal(torch.cat([share["images"] for share in shares]), again["images"])
    assert not torch.equal(shares[0]["noise"], shares[1]["noise"])


def test_about_half_of_the_images_are_turned_round_with_their_masks(source):
    straight = torch.cat([b["images"] for b in batches(make(source, flips=False), source, 30)])
    turned = torch.cat([b["images"] for b in batches(make(source), source, 30)])
    same = (straight == turned).flatten(1).all(dim=1)
    other = (straight.flip(3) == turned).flatten(1).all(dim=1)
    assert (same ^ other).all()
    assert 0.3 < other.float().mean() < 0.7


def test_the_loss_is_the_absolute_error_of_what_was_to_be_predicted(source):
    task = make(source, prediction="v")
    batch = batches(task, source, 1)[0]
    noised = task.noising.noised(batch["images"], batch["times"], batch["noise"])
    predicted = task.networks.network(noised, batch["times"])
    wanted = task.noising.target(batch["images"], batch["times"], batch["noise"])
    loss = task.losses("adam", batch, 0, 0)["loss"]
    assert loss.item() == pytest.approx((predicted - wanted).abs().mean().item(), rel=1e-5)


def test_validation_is_of_the_average_and_always_the_same(source):
    task = make(source)
    first = task.validate(source, CPU)
    with torch.no_grad():
        for value in task.networks.network.parameters():
            value.add_(1.0)
    assert task.validate(source, CPU) == first
    task.networks.update()
    assert task.validate(source, CPU) != first


def test_training_lowers_the_error(source):
    flat = np.full((4, 2, 8, 12), -0.5, np.float32)
    task = make(source, learning_rate=3e-3)
    task._channels = lambda images: flat
    optimiser = task.optimisers()["adam"]
    made = task.batches(source, 0, rank=0, ranks=1, device=CPU)
    losses = []
    for step in range(60):
        loss = task.losses("adam", next(made), step, 0)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])
    assert int(task.networks.updates) == 60


def test_a_run_with_a_break_equals_one_without(source, tmp_path):
    texts = {**TINY, "precision": "bf16-mixed", "decay": "cosine", "warm_up": 2}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(DiffuseTask, whole, source=source, texts=texts, accelerator="cpu")

    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(DiffuseTask, parts, source=source, texts=texts, accelerator="cpu", on_progress=stop)
    train(DiffuseTask, parts, resume=True, accelerator="cpu")
    for name in (LAST, BEST):
        one, other = (torch.load(run / name)["networks"] for run in (whole, parts))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    task, grid = open_run(whole, DiffuseTask)
    assert grid == source.grid
    saved = torch.load(whole / BEST)["networks"]
    average = task.networks.average.state_dict()
    assert all(torch.equal(value, saved[f"average.{name}"]) for name, value in average.items())


def test_images_without_masks_are_refused_unless_none_are_made(tmp_path, refused):
    bare = ImageSource(images=(write_images(tmp_path, masks=False),), size=SHAPE)
    with refused("found no mask", "masks=no"):
        make(bare).check(bare)
    task = make(bare, masks=False)
    task.check(bare)
    assert batches(task, bare, 1)[0]["images"].shape == (4, 1, 8, 12)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": (8, 13)}, ("found (8, 13) px", "multiples of 2")),
        ({"size": (8, 12), "patch": 4, "multipliers": (1, 2)}, ("multiples of 8",)),
        ({"maps": 6}, ("found 6", "multiple of groups")),
        ({"size": (8,)}, ("depth and width",)),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, words, refused):
    with refused(*words):
        DiffuseSettings(**{**TINY, **changes})


def test_a_batch_that_cannot_be_shared_out_is_refused(source, refused):
    with refused("found 4", "multiple of the 3"):
        batches(make(source), source, 1, ranks=3)


@pytest.mark.parametrize(("model", "least", "most"), [("small", 1e6, 3e6), ("paper", 2e7, 6e7)])
def test_models_are_as_large_as_is_said(source, model, least, most):
    task = DiffuseTask(DiffuseSettings(**MODELS[model]), replace(source.grid, shape=(1, 256, 256)))
    assert least < count(task)["network"] < most
