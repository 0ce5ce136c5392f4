"""Training learns, goes on exactly, and gives what applies it."""

import numpy as np
import pytest
import torch

from musim.datasets.grid import Grid
from musim.datasets.volumes.slices import padded, slices_of
from musim.training.paired.applying import (
    Translator,
    apply,
    apply_to_sequence,
    fitted,
    load,
    scaled,
    unfitted,
    unscaled,
)
from musim.training.paired.metrics import normalised_error
from musim.training.paired.networks.models import Architecture, PairedModel, build
from musim.training.paired.objectives import (
    CycleGanObjective,
    Made,
    Pix2PixObjective,
    UnitObjective,
)
from musim.training.paired.paired_settings import MODELS, PairedSettings
from musim.training.paired.paired_task import PairedTask, _spread
from musim.training.paired.source import Pairs
from musim.training.runs.folder import LAST, TRAINING, RunFolder
from musim.training.runs.stepping import plain_backward, plain_clip, step
from musim.training.tasks import open_run, train
from tests.pairs import TINY, drawn
from tests.slices import store_of_slices

CPU = {"accelerator": "cpu"}


def train_steps(task, source, steps):
    """Return the losses of some steps."""
    optimisers = task.optimisers()
    batches = task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu"))
    return [
        step(task, optimisers, next(batches), number, 0, plain_backward, plain_clip)
        for number in range(steps)
    ]


def test_identical_pairs_give_identity(tmp_path):
    store = store_of_slices(drawn(12, side=(14, 16), identical=True), tmp_path / "same.zarr")
    source = Pairs.of(store)
    settings = PairedSettings(
        maps=8, levels=2, discriminator_maps=2, discriminator_layers=2, learning_rate=2e-3,
        held_out=True,
    ).on(source)  # fmt: skip
    task = PairedTask(settings, source.grid)
    task.check(source)
    losses = [found["l1"] for found in train_steps(task, source, 100)]
    assert np.mean(losses[-10:]) < 0.2 * np.mean(losses[:5])
    found = task.validate(source, torch.device("cpu"))
    assert found["nrmse"] < 0.08


@pytest.mark.parametrize(
    ("architecture", "canvas"), [("pix2pix", "store"), ("cyclegan", "slice"), ("unit", "slice")]
)
def test_a_resumed_run_equals_one_without_a_break(architecture, canvas, pairs_store, tmp_path):
    source = Pairs.of(pairs_store)
    texts = {**TINY, "architecture": architecture, "pool_size": "1", "canvas": canvas,
             "steps": "4"}  # fmt: skip

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    train(PairedTask, tmp_path / "whole", source=source, texts=texts, **CPU)
    with pytest.raises(KeyboardInterrupt):
        train(PairedTask, tmp_path / "run", source=source, texts=texts, on_progress=stop, **CPU)
    train(PairedTask, tmp_path / "run", resume=True, **CPU)
    one, other = (RunFolder(tmp_path / name) for name in ("whole", "run"))
    for name, value in one.load(LAST)["networks"].items():
        assert torch.equal(value, other.load(LAST)["networks"][name]), name
    first, second = (
        [{k: v for k, v in row.items() if k != "seconds"} for row in run.history(TRAINING)]
        for run in (one, other)
    )
    assert first == second


@pytest.mark.parametrize("dimensions", [2, 3])
def test_twins_can_be_trained_on(dimensions, twins, tmp_path):
    source = Pairs(str(twins / "a.zarr"), str(twins / "b.zarr"))
    texts = {**TINY, "dimensions": str(dimensions), "frames": "8", "steps": "2",
             "validate_every": "2"}  # fmt: skip
    best = train(PairedTask, tmp_path / "run", source=source, texts=texts, **CPU)
    assert 0 < best["nrmse"] < 2
    task, _ = open_run(tmp_path / "run", PairedTask)
    tvi = source.examples_of.store.tvi(0)
    made = task.translate(tvi, 0)
    assert made.shape == tvi.shape
    assert np.isfinite(made).all()


def test_all_models_have_settings():
    assert {"small", "small-cyclegan", "small-unit", "pix2pix", "cyclegan", "unit"} == set(MODELS)
    for model in ("pix2pix", "cyclegan", "unit"):
        found = PairedSettings(**MODELS[model])
        assert (found.epochs, found.batch_size, found.learning_rate) == (15, 1, 2e-4)
        assert not found.held_out


def test_every_weight_and_rate_goes_where_it_is_meant_to():
    made = {
        "pix2pix": ({"l1_weight": 7.0}, Pix2PixObjective(l1_weight=7.0)),
        "cyclegan": (
            {"cycle_weight": 3.0, "identity_weight": 2.0},
            CycleGanObjective(cycle_weight=3.0, identity_weight=2.0),
        ),
        "unit": (
            {"adversarial_weight": 1.0, "kl_weight": 2.0, "likelihood_weight": 3.0},
            UnitObjective(adversarial_weight=1.0, kl_weight=2.0, likelihood_weight=3.0),
        ),
    }
    for architecture, (weights, wanted) in made.items():
        small = {name: int(text) for name, text in TINY.items() if name.endswith("maps")}
        settings = PairedSettings(
            architecture=architecture, levels=2, blocks=1, learning_rate=0.01, beta1=0.4,
            beta2=0.9, pool_size=6, **small, **weights,
        )  # fmt: skip
        assert settings.objective == wanted
        task = PairedTask(settings, Grid((1, 64, 64), 1.0, (1.0, 1.0)))
        for optimiser in task.optimisers().values():
            (group,) = optimiser.param_groups
            assert (group["lr"], group["betas"]) == (0.01, (0.4, 0.9))
        # Of the three only cycleGAN's critics are shown earlier translations.
        pools = {pool.size for pool in task.pools.values()}
        assert pools == {6 if architecture == "cyclegan" else 0}


class Recorder:
    """An objective that keeps what it was given."""

    def make(self, model, a, b, keys):
        self.a, self.b, self.keys = a, b, keys
        return Made({}, {}, {})


def test_each_image_is_scaled_by_its_kind_after_it_is_filled_up(pairs_store):
    source = Pairs.of(pairs_store)
    settings = PairedSettings(maps=2, levels=4, discriminator_maps=2, discriminator_layers=2,
                              seed=5)  # fmt: skip
    task = PairedTask(settings, source.grid)
    task.objective = recorder = Recorder()
    task.networks.scale_a.copy_(torch.tensor([0.0, 4.0]))
    task.networks.scale_b.copy_(torch.tensor([-1.0, 1.0]))
    images = torch.full((2, 1, 20, 16), 3.0)
    task.losses("generators", {"a": images, "b": images / 4}, 7, 1)
    for found, around, inside in ((recorder.a, -1.0, 0.5), (recorder.b, 0.0, 0.75)):
        assert found.shape == (2, 1, 32, 16)
        assert (found[:, :, 6:26] == inside).all()
        assert (found[:, :, :6] == around).all()
        assert (found[:, :, 26:] == around).all()
    # Noise is another for every step, process and image.
    assert recorder.keys == [(5, 7, 1, 0), (5, 7, 1, 1)]


def test_critics_are_shown_what_was_made_as_made():
    settings = PairedSettings(architecture="cyclegan", maps=2, levels=2, blocks=0,
                              discriminator_maps=2, discriminator_layers=2)  # fmt: skip
    task = PairedTask(settings, Grid((1, 64, 64), 1.0, (1.0, 1.0)))
    shown = []
    for pool in task.pools.values():
        pool.query = lambda images, step: shown.append(step) or images
    real, fake = torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    names = ("discriminator_a", "discriminator_b")
    for step_, rank in ((0, 0), (0, 1), (3, 0)):
        task._made = Made({}, dict.fromkeys(names, real), dict.fromkeys(names, fake))
        losses = task.losses("discriminators", {}, step_, rank)
    assert len(set(shown)) == 3
    for name in names:
        critic = task.networks.get_submodule(name)
        wanted = task.objective.judge(critic(real), critic(fake))
        assert float(losses[name].detach()) == pytest.approx(float(wanted.detach()), rel=1e-6)


def test_validation_is_of_slices_that_validate(pairs_store, monkeypatch):
    source = Pairs.of(pairs_store)
    settings = PairedSettings(maps=2, levels=2, discriminator_maps=2, discriminator_layers=2)
    task = PairedTask(settings, source.grid)
    next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))  # sets scales
    monkeypatch.setattr(task, "_made_of", lambda images: images)
    pairs = source.examples_of
    seen = [pairs.slices[index] for index in pairs.validated]
    found = task.validate(source, torch.device("cpu"))
    errors = [normalised_error(one.image_b, one.image) for one in seen]
    assert found["nrmse"] == pytest.approx(np.mean(errors))
    extent = max(float(one.image_b.max()) for one in pairs.slices)
    differences = [np.abs(one.image - one.image_b).mean() for one in seen]
    assert found["l1"] == pytest.approx(2 / extent * np.mean(differences), rel=1e-5)


def test_few_of_many_that_validate_are_spread_over_all():
    assert _spread(range(10, 20), 3) == [10, 14, 19]
    assert _spread([4, 7], 5) == [4, 7]


class Same(PairedModel):
    """Gives what it is given, at sides of multiples of 8; tells what those were."""

    def __init__(self, dimensions=2):
        super().__init__(Architecture(name="pix2pix", dimensions=dimensions))
        self.seen = []

    divisors = property(lambda self: [8] * self.architecture.dimensions)
    least = divisors

    def translate(self, a, keys):
        self.seen.append(tuple(a.shape))
        return a


def test_intensities_go_there_and_back():
    model = Same()
    model.scale_a.copy_(torch.tensor([100.0, 300.0]))
    model.scale_b.copy_(torch.tensor([-1.0, 0.0]))
    images = torch.tensor([[[100.0, 300.0, 150.0]]])
    assert apply(model, images, 0).tolist() == [[[-1.0, 0.0, -0.75]]]
    assert model.seen == [(1, 1, 8, 8)]
    assert torch.equal(unscaled(scaled(images, model.scale_a), model.scale_a), images)


def test_pictures_lie_in_the_middle_as_on_the_canvas_of_a_store():
    image = np.arange(15, dtype=np.float32).reshape(3, 5)
    whole = fitted(torch.from_numpy(image), (8, 16))
    assert np.array_equal(whole, padded(image, (8, 16)))
    assert np.array_equal(unfitted(whole, (3, 5)), image)


def test_clips_fade_into_one_another_without_changing_what_is_the_same():
    tvi = np.random.default_rng(0).normal(size=(21, 8, 8)).astype(np.float32)
    model = Same(3)
    np.testing.assert_allclose(apply_to_sequence(model, tvi, 8, 0), tvi, rtol=1e-5, atol=1e-6)
    assert {shape[2:] for shape in model.seen} == {(8, 8, 8)}


def test_a_slice_is_translated_alone_as_in_a_batch_and_on_any_canvas(trained, pairs_store):
    translate = load(trained, "cpu")
    images = [one.image for one in slices_of(pairs_store)][:5]
    together = translate.batch(np.stack(images))
    for image, wanted in zip(images, together, strict=True):
        alone = translate(image, plane="axial")
        assert alone.dtype == np.float32
        np.testing.assert_allclose(alone, wanted, atol=1e-2)
        np.testing.assert_allclose(translate(padded(image, 32))[6:26, 2:30], wanted, atol=1e-2)


def test_what_is_no_image_is_refused(trained, refused, twins, tmp_path):
    translate = load(trained, "cpu")
    with refused("found the shape (3,)"):
        translate(np.zeros(3))
    with refused("not finite"):
        translate(np.full((4, 4), np.nan))
    with refused("plane: found 'oblique'"):
        translate(np.zeros((4, 4)), plane="oblique")
    source = Pairs(str(twins / "a.zarr"), str(twins / "b.zarr"))
    train(PairedTask, tmp_path / "run", source=source, texts={**TINY, "steps": "1"}, **CPU)
    with refused("found a translator of sequences", "wanted one of paired slices"):
        load(tmp_path / "run")


def test_noise_is_the_same_for_all_in_use_and_differs_between_runs():
    model = build(Architecture(name="pix2pix", maps=4, levels=2, discriminator_maps=2,
                               discriminator_layers=2), 0)  # fmt: skip
    image = np.random.default_rng(0).normal(size=(1, 16, 16)).astype(np.float32)
    one, same, other = (Translator(model, seed, (16, 16)).batch(image) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("architecture", ["pix2pix", "cyclegan", "unit"])
def test_slices_of_several_sizes_go_without_a_canvas(architecture, slices_store):
    source = Pairs.of(slices_store)
    settings = PairedSettings(
        architecture=architecture, canvas="slice", maps=4, levels=2, blocks=1,
        discriminator_maps=2, discriminator_layers=2, steps=6, validate_every=6,
    ).on(source)  # fmt: skip
    task = PairedTask(settings, source.grid)
    task.check(source)
    losses = train_steps(task, source, 6)
    assert all(np.isfinite(found["loss"]) for found in losses)
    assert np.isfinite(task.validate(source, torch.device("cpu"))["nrmse"])
    # What is made of a slice is what is made of it alone, filled up to multiples of 4.
    image = source.examples_of.slices[1].image
    made = Translator(task.networks, 0, task.canvas)(image)
    assert made.shape == image.shape == (20, 31)


def test_a_batch_has_one_size(refused):
    with refused("batch_size: found 2", "wanted 1"):
        PairedSettings(canvas="slice", batch_size=2)


def test_networks_much_deeper_than_images_are_refused(pairs_store, refused):
    source = Pairs.of(pairs_store)
    deepest = PairedTask(PairedSettings(levels=7, maps=1).on(source), source.grid)
    deepest.check(source)  # 32 px become 128
    with refused("levels: found 8", "32 x 32 px are filled up to 256", "128 px at most"):
        PairedTask(PairedSettings(levels=8, maps=1).on(source), source.grid).check(source)
