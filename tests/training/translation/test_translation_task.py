"""Training a translator: who steps what, what a run keeps, and that every architecture learns."""

import dataclasses
import functools
import itertools
import math
from contextlib import closing

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from musim.datasets import open_store
from musim.simulator import FailureError
from musim.training.runs.folder import BEST, LAST, TRAINING, VALIDATION, RunFolder
from musim.training.runs.stepping import NotFiniteError, plain_backward, plain_clip, step
from musim.training.tasks import open_run, settings_for, train, try_out
from musim.training.translation import translation_task
from musim.training.translation.domains import Domains
from musim.training.translation.networks.models import MODELS as ARCHITECTURES
from musim.training.translation.translation_settings import MODELS, TranslateSettings
from musim.training.translation.translation_task import DISCRIMINATORS, GENERATORS, TranslateTask
from musim.training.translation.validation import NAMES, HeldOut

CPU = torch.device("cpu")
CYCLE = {name: ("recycle_a", "recycle_b") if name == "recyclegan" else ("cycle_a", "cycle_b")
         for name in ARCHITECTURES}  # fmt: skip


@pytest.fixture
def make(texts, domains):
    """Return a function that makes a small task."""

    def call(architecture="cyclegan-3d-noise", **changes):
        frames = {"frames": 0} if ARCHITECTURES[architecture].dimensions == 2 else {}
        settings = settings_for(TranslateTask, architecture, texts(**frames, **changes))
        return TranslateTask(settings, domains.grid)

    return call


def take(task, domains, count, number=0, rank=0, ranks=1):
    with closing(task.batches(domains, number, rank=rank, ranks=ranks, device=CPU)) as made:
        return list(itertools.islice(made, count))


def run_steps(task, batches, first=0):
    optimisers = task.optimisers()
    return [
        step(task, optimisers, batch, first + number, 0, plain_backward, plain_clip)
        for number, batch in enumerate(batches)
    ]


def copies(network):
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def flat(values, prefix=""):
    """Return nested states as one level."""
    if isinstance(values, dict):
        pairs = values.items()
    elif isinstance(values, list | tuple):
        pairs = enumerate(values)
    else:
        return {prefix: values}
    return {
        key: value for name, each in pairs for key, value in flat(each, f"{prefix}/{name}").items()
    }


def equal(one, other):
    one, other = flat(one), flat(other)
    return one.keys() == other.keys() and all(
        torch.equal(value, other[key]) if isinstance(value, torch.Tensor) else value == other[key]
        for key, value in one.items()
    )


# Settings


def test_the_defaults_are_the_papers():
    settings = TranslateSettings(**MODELS["cyclegan-3d-noise"])
    assert (settings.batch_size, settings.networks.frames) == (2, 32)
    assert (settings.learning_rate, settings.beta1, settings.beta2) == (2e-4, 0.5, 0.999)
    assert settings.steps == 80 * 100 * 32 // settings.batch_size
    assert (settings.cycle_weight, settings.identity_weight, settings.pool_size) == (10, 5, 50)
    assert settings.output == "linear"
    assert settings.axes == ("width",)
    for flips, axes in (("none", ()), ("both", ("depth", "width")), ("depth", ("depth",))):
        assert dataclasses.replace(settings, flips=flips).axes == axes
    for name, architecture in ARCHITECTURES.items():
        assert TranslateSettings(**MODELS[name]).networks == architecture


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"frames": "4"}, "frames: found 4 with recyclegan, wanted 3"),
        ({"architecture": "pix2pix"}, "architecture"),
        ({"learning_rate": "0"}, "learning_rate"),
        ({"flips": "time"}, "flips"),
        ({"predictor_depth": "1"}, "predictor_depth"),
        ({"beta1": "1"}, "beta1"),
    ],
)
def test_settings_that_cannot_be_are_refused(texts, words, refused):
    with refused(words):
        settings_for(TranslateTask, "recyclegan", texts)


# A step


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_has_one_optimiser(make, architecture):
    task = make(architecture)
    optimisers = task.optimisers()
    assert list(optimisers) == [GENERATORS, DISCRIMINATORS]
    owned = {
        name: [id(value) for group in each.param_groups for value in group["params"]]
        for name, each in optimisers.items()
    }
    assert len({*owned[GENERATORS], *owned[DISCRIMINATORS]}) == sum(map(len, owned.values()))
    names = {id(value): name for name, value in task.networks.named_parameters()}
    assert set(names) == {*owned[GENERATORS], *owned[DISCRIMINATORS]}
    assert all(names[key].startswith("model.discriminator") for key in owned[DISCRIMINATORS])
    assert not any("discriminator" in names[key] for key in owned[GENERATORS])
    for optimiser in optimisers.values():
        assert isinstance(optimiser, torch.optim.Adam)
        assert optimiser.defaults["lr"] == 2e-4
        assert optimiser.defaults["betas"] == (0.5, 0.999)


@pytest.mark.parametrize("architecture", ["cyclegan-3d-noise", "recyclegan"])
def test_each_step_leaves_the_others_weights_and_gradients_alone(make, domains, architecture):
    task = make(architecture)
    model, optimisers = task.model, task.optimisers()
    batch = take(task, domains, 1)[0]
    critics = [model.discriminator_a, model.discriminator_b]
    makers = [each for each in (model.generator_a2b, model.generator_b2a, model.predictor_a,
                                model.predictor_b) if each is not None]  # fmt: skip
    task.prepare(0, optimisers)
    for name, mine, others in ((GENERATORS, makers, critics), (DISCRIMINATORS, critics, makers)):
        weights = [copies(network) for network in others]
        gradients = [[None if p.grad is None else p.grad.clone() for p in network.parameters()]
                     for network in others]  # fmt: skip
        optimisers[name].zero_grad(set_to_none=True)
        sum(task.losses(name, batch, 0, 0).values()).backward()
        for network, kept in zip(others, gradients, strict=True):
            for value, before in zip(network.parameters(), kept, strict=True):
                assert (value.grad is None) == (before is None)
                assert before is None or torch.equal(value.grad, before)
        before = [copies(network) for network in mine]
        optimisers[name].step()
        assert all(same(copies(n), kept) for n, kept in zip(others, weights, strict=True))
        assert not any(same(copies(n), kept) for n, kept in zip(mine, before, strict=True))
        for network in mine:
            for value in network.parameters():
                assert value.requires_grad
                assert value.grad is not None


def test_discriminators_need_translations(make, domains):
    task = make()
    with pytest.raises(RuntimeError, match="before generators"):
        task.losses(DISCRIMINATORS, take(task, domains, 1)[0], 0, 0)


def test_the_rate_is_constant_and_gradients_are_not_clipped(make):
    task = make()
    optimisers = task.optimisers()
    for number in (0, 10**6):
        task.prepare(number, optimisers)
        assert all(group["lr"] == 2e-4 for o in optimisers.values() for group in o.param_groups)
    assert task.networks.training
    assert task.clip(GENERATORS) == task.clip(DISCRIMINATORS) == 0


def test_keys_of_noise_tell_steps_ranks_clips_and_uses_apart(make, domains, monkeypatch):
    task = make(batch_size=2)
    batch = next(b for b in take(task, domains, 3) if len(b["a"]["tvi"]) == 2)
    used = []
    generator = task.model.generator_a2b
    forward = generator.forward
    monkeypatch.setattr(generator, "forward",
                        lambda clip, keys: used.extend(keys) or forward(clip, keys))  # fmt: skip
    for number, rank in itertools.product((0, 1), (0, 1)):
        task.losses(GENERATORS, batch, number, rank)
    task.translate(np.random.default_rng(0).normal(size=(8, 32, 32)).astype(np.float32), 0)
    assert len(used) == 2 * 2 * 2 * 3 + 2  # statistics, then the sequence itself, with one key
    assert used[-1] == used[-2]
    assert len(set(used)) == len(used) - 1
    assert {key[0] for key in used} == {0}


def test_pools_draw_otherwise_in_every_step_and_process(make, domains, monkeypatch):
    task = make(pool_size=2)
    (batch,) = take(task, domains, 1)
    places, shown = {"a": [], "b": []}, []

    def query(name, clips, place):
        places[name].append(place)
        return torch.full_like(clips, "ab".index(name))

    for name, pool in task.pools.items():
        monkeypatch.setattr(pool, "query", functools.partial(query, name))
    monkeypatch.setattr(
        translation_task, "judge", lambda model, made, a, b, loss: shown.append((a, b))
    )
    for number, rank in itertools.product((0, 1), (0, 1)):
        task.losses(GENERATORS, batch, number, rank)
        task.losses(DISCRIMINATORS, batch, number, rank)
    assert len(set(places["a"])) == len(set(places["b"])) == 4
    # Each discriminator is shown what its own pool gives.
    assert all((a == 0).all() and (b == 1).all() for a, b in shown)
    assert len(shown) == 4
    # Domains are told apart by the pools themselves.
    assert {pool.place for pool in task.pools.values()} == {0, 1}


def test_with_scales_of_zero_noise_changes_nothing(make, domains):
    task = make()
    tvi = domains.stores[0].tvi(2)
    assert (task.model.generator_a2b.noise_scales() == 0).all()
    assert np.array_equal(task.translate(tvi, 0), task.translate(tvi, 1))
    run_steps(task, take(task, domains, 2))
    assert (task.model.generator_a2b.noise_scales() != 0).any()
    assert not np.array_equal(task.translate(tvi, 0), task.translate(tvi, 1))
    assert np.array_equal(task.translate(tvi, 1), task.translate(tvi, 1))


def test_frames_of_clips_are_items_of_networks_of_two_dimensions(make, domains, monkeypatch):
    task = make("cyclegan-2d", batch_size=2)
    task = TranslateTask(dataclasses.replace(task.settings, frames=5), domains.grid)
    shapes = []
    forward = task.model.discriminator_b.forward
    monkeypatch.setattr(task.model.discriminator_b, "forward",
                        lambda clip: shapes.append(tuple(clip.shape)) or forward(clip))  # fmt: skip
    batch = next(b for b in take(task, domains, 3) if len(b["a"]["tvi"]) == 2)
    run_steps(task, [batch])
    assert shapes == [(10, 1, 32, 32)] * 3


def test_batches_are_shared_and_carry_what_is_needed_alone(make, domains):
    task = make(batch_size=2)
    shown, sizes = {"a": [], "b": []}, []
    for rank in (0, 1):
        for pair in take(task, domains, 2, rank=rank, ranks=2):
            assert set(pair) == {"a", "b"}
            sizes.append(len(pair["a"]["index"]))
            for name, batch in pair.items():
                assert set(batch) == {"tvi", "index"}
                assert batch["tvi"].shape == (len(batch["index"]), 8, 32, 32)
                shown[name] += batch["index"].tolist()
    # Five sequences in four batches: one of them has two.
    assert sorted(shown["a"]) == sorted(shown["b"]) == [0, 1, 3, 5, 6]
    assert sorted(sizes) == [1, 1, 1, 2]


@pytest.mark.parametrize(("ranks", "size"), [(1, 4), (2, 2), (4, 1)])
def test_a_batch_is_that_of_all_processes_together(make, domains, monkeypatch, ranks, size):
    asked, loader = [], Domains.loader
    monkeypatch.setattr(
        Domains, "loader", lambda self, **options: asked.append(options) or loader(self, **options)
    )
    take(make(batch_size=4), domains, 1, ranks=ranks, rank=ranks - 1)
    assert [(each["batch_size"], each["ranks"], each["rank"]) for each in asked] == [
        (size, ranks, ranks - 1)
    ]


def test_pools_show_earlier_translations_and_are_those_of_one_process(make, domains):
    task = make(pool_size=2)
    run_steps(task, take(task, domains, 4))
    pools = task.extra()
    assert pools["a"]["clips"].shape == pools["b"]["clips"].shape == (2, 1, 8, 32, 32)
    other = make(pool_size=2)
    other.load_extra(pools)
    assert equal(other.extra(), pools)


@pytest.mark.slow
def test_domains_that_are_alike_give_identity(make):
    """All losses, discriminators and noise included, of two domains that are one."""
    task = make(learning_rate=0.005, discriminator_layers=1, maps=4)
    random = np.random.default_rng(0)
    optimisers = task.optimisers()
    unseen = smooth_clips(np.random.default_rng(1), 4)
    assert likeness(task, unseen) < 0.5
    for number in range(200):
        clips = smooth_clips(random, 2)
        batch = {name: {"tvi": tvi, "index": torch.arange(1)}
                 for name, tvi in (("a", clips[:1]), ("b", clips[1:]))}  # fmt: skip
        step(task, optimisers, batch, number, 0, plain_backward, plain_clip)
        if number % 10 == 9 and likeness(task, unseen) > 0.9:
            return
    pytest.fail(f"after 200 steps likeness is {likeness(task, unseen):.2f}, wanted 0.9")


def smooth_clips(random, clips):
    """Return float32 (clips, 8, 16, 16) of mean 0 and SD 1 each: instance norms take others off."""
    found = gaussian_filter(random.normal(size=(clips, 8, 16, 16)), (0, 1.5, 2, 2), mode="wrap")
    found -= found.mean((1, 2, 3), keepdims=True)
    return torch.from_numpy((found / found.std((1, 2, 3), keepdims=True)).astype(np.float32))


def likeness(task, clips):
    """Return the lesser correlation of what both generators make of clips with these."""
    model, keys = task.model, [(place,) for place in range(len(clips))]
    with torch.no_grad():
        made = model.generator_a2b(clips[:, None], keys), model.generator_b2a(clips[:, None])
    return min(np.corrcoef(each.numpy().ravel(), clips.numpy().ravel())[0, 1] for each in made)


# Runs


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains(domains, texts, tmp_path, architecture):
    # Strides in time leave nothing of eight frames for the discriminators.
    frames = {"cyclegan-3d": {"frames": 12}}.get(architecture, {})
    frames = {"frames": 0} if ARCHITECTURES[architecture].dimensions == 2 else frames
    # Each step has other frames, larger or smaller ones: of this seed, they are alike.
    changes = texts(architecture=architecture, learning_rate=0.001, seed=1, steps=8,
                    validate_every=8, save_every=100, **frames)  # fmt: skip
    best = train(TranslateTask, tmp_path / "run", texts=changes, source=domains, accelerator="cpu")
    assert best["step"] == 8
    assert set(best) == {"step", *NAMES}
    assert math.isfinite(best["score"])
    rows = RunFolder(tmp_path / "run").history(TRAINING)
    assert len(rows) == 8
    assert all(math.isfinite(value) for row in rows for value in row.values())
    cycle = [sum(row[name] for name in CYCLE[architecture]) for row in rows]
    assert np.mean(cycle[-2:]) < 0.9 * cycle[0]
    task, _ = open_run(tmp_path / "run", TranslateTask)
    tvi = domains.stores[0].tvi(2)
    assert np.isfinite(task.translate(tvi, 2)).all()


def test_the_scales_are_in_the_checkpoint_and_used(domains, trained):
    scales = {}
    for name, store in zip("ab", domains.stores, strict=True):
        voxels = np.stack([store.tvi(i) for i in range(8)]).astype(float)
        scales[name] = [voxels.mean(), voxels.std()]
        for file in (BEST, LAST):
            kept = RunFolder(trained).load(file)["networks"][f"scale_{name}"]
            assert kept.dtype == torch.float32
            assert kept.tolist() == pytest.approx(scales[name], rel=1e-4, abs=1e-7)
    task, _ = open_run(trained, TranslateTask)
    tvi = domains.stores[0].tvi(2)
    found = task.translate(tvi, 2)
    # In mm/s: as much motion as in B, not one SD of it; and the input's unit has been taken off.
    assert found.std() == pytest.approx(task.networks.scale_b[1].item(), rel=0.9)
    task.networks.scale_b.mul_(3)
    assert np.allclose(task.translate(tvi, 2), 3 * found, rtol=1e-4, atol=1e-7)
    task.networks.scale_b.div_(3)
    task.networks.scale_a.mul_(2)
    assert np.allclose(task.translate(2 * tvi, 2), found, rtol=1e-4, atol=1e-6)


def test_a_run_that_is_resumed_equals_one_that_is_not(domains, texts, tmp_path):
    changes = texts(pool_size=2, steps=6, validate_every=2, save_every=1)
    train(TranslateTask, tmp_path / "whole", texts=changes, source=domains, accelerator="cpu")
    train(TranslateTask, tmp_path / "parts", texts={**changes, "steps": "3"}, source=domains,
          accelerator="cpu")  # fmt: skip
    train(TranslateTask, tmp_path / "parts", texts={"steps": "6"}, resume=True, accelerator="cpu")
    one, other = (RunFolder(tmp_path / name) for name in ("whole", "parts"))
    whole, parts = one.load(LAST), other.load(LAST)
    assert whole["step"] == parts["step"] == 6
    for key in ("networks", "optimisers", "extra"):
        assert equal(whole[key], parts[key]), key
    assert len(whole["extra"]["a"]["clips"]) == 2
    for name in (TRAINING, VALIDATION):
        rows = [[{**row, "seconds": 0} for row in run.history(name)] for run in (one, other)]
        # The shorter run had a validation of its own at its end.
        rows[1] = [row for row in rows[1] if name == TRAINING or row["step"] % 2 == 0]
        assert str(rows[0]) == str(rows[1])


def test_another_seed_is_another_run(domains, texts, tmp_path):
    rows = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / str(number)
        train(TranslateTask, path, texts=texts(seed=seed, steps=2), source=domains,
              accelerator="cpu")  # fmt: skip
        rows.append([row["cycle_a"] for row in RunFolder(path).history(TRAINING)])
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_mixed_precision_takes_a_step_with_plain_weights(domains, texts, tmp_path):
    changes = texts(precision="bf16-mixed", steps=2, validate_every=2)
    train(TranslateTask, tmp_path / "run", texts=changes, source=domains, accelerator="cpu")
    (first, second), state = (RunFolder(tmp_path / "run").history(TRAINING),
                              RunFolder(tmp_path / "run").load(LAST))  # fmt: skip
    assert all(math.isfinite(value) for row in (first, second) for value in row.values())
    assert {value.dtype for value in state["networks"].values()} == {torch.float32}
    assert state["extra"]["a"]["clips"].dtype == torch.bfloat16
    train(
        TranslateTask, tmp_path / "plain", texts=texts(steps=2), source=domains, accelerator="cpu"
    )
    plain = RunFolder(tmp_path / "plain").history(TRAINING)[0]
    assert plain["cycle_a"] != first["cycle_a"]
    assert plain["cycle_a"] == pytest.approx(first["cycle_a"], rel=0.02)


def scores(monkeypatch, *values):
    left = list(values)
    monkeypatch.setattr(HeldOut, "score", lambda self, translate, least: {"score": left.pop(0)})


def test_a_validation_that_is_nan_never_becomes_best(domains, texts, tmp_path, monkeypatch):
    scores(monkeypatch, math.nan, 0.5, math.nan, 0.6, 0.1)
    best = train(TranslateTask, tmp_path / "run", texts=texts(steps=5, validate_every=1),
                 source=domains, accelerator="cpu")  # fmt: skip
    assert best == {"step": 4, "score": 0.6}
    assert RunFolder(tmp_path / "run").load(BEST)["step"] == 4
    scores(monkeypatch, math.nan)
    best = train(TranslateTask, tmp_path / "none", texts=texts(steps=1), source=domains,
                 accelerator="cpu")  # fmt: skip
    assert best == {}
    assert not (tmp_path / "none" / BEST).exists()


def test_training_stops_when_it_no_longer_gets_better(domains, texts, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.4, math.nan, 0.9)
    best = train(TranslateTask, tmp_path / "run", source=domains, accelerator="cpu",
                 texts=texts(steps=9, validate_every=1, patience=2))  # fmt: skip
    assert best == {"step": 2, "score": 0.6}
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 4


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(domains, texts, tmp_path, monkeypatch):
    batches = TranslateTask.batches

    def spoil(self, *arguments, **options):
        for number, pair in enumerate(batches(self, *arguments, **options)):
            if number == 3:
                pair["b"]["tvi"][0, 0, 0, 0] = math.nan
            yield pair

    monkeypatch.setattr(TranslateTask, "batches", spoil)
    with pytest.raises(NotFiniteError, match=r"step 3: found .*last\.ckpt holds step 2") as caught:
        train(TranslateTask, tmp_path / "run", texts=texts(steps=6), source=domains,
              accelerator="cpu")  # fmt: skip
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, FailureError)
    monkeypatch.undo()
    train(TranslateTask, tmp_path / "run", resume=True, accelerator="cpu")
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 6


def test_a_trial_counts_all_weights_and_changes_no_store(domains, texts, contents):
    before = contents(domains.a)
    settings = settings_for(TranslateTask, "small", texts())
    found = try_out(TranslateTask, settings, domains, "cpu")
    task = TranslateTask(settings, domains.grid)
    assert sum(found.parameters.values()) == sum(p.numel() for p in task.networks.parameters())
    assert contents(domains.a) == before


@pytest.mark.slow
def test_two_processes_train_together(domains, texts, tmp_path):
    train(TranslateTask, tmp_path / "run", texts=texts(steps=4, batch_size=2), source=domains,
          accelerator="cpu", devices=2)  # fmt: skip
    rows = RunFolder(tmp_path / "run").history(TRAINING)
    assert len(rows) == 4
    assert all(math.isfinite(value) for row in rows for value in row.values())
    state = RunFolder(tmp_path / "run").load(LAST)
    assert state["networks"]["scale_a"][1] != 1


# Wrong input


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({"pixels": (36, 32)}, {}, "36 x 32 px"),
        ({"frame_rate": 250.0}, {}, "250 Hz"),
        ({"frames": 7}, {}, "found sequences of 7 frames, wanted 8"),
        ({}, {"frames": 49}, "found sequences of 48 frames, wanted 49"),
        ({}, {"architecture": "cyclegan-3d", "frames": 10}, "10 for its frames"),
        ({}, {"discriminator_layers": 4}, "32 for its depth"),
        ({}, {"architecture": "recyclegan", "frames": 0, "predictor_depth": 7}, "multiple of 128"),
    ],
)
def test_domains_that_cannot_be_trained_on_leave_nothing(
    domains, make_store, texts, tmp_path, changes, settings, words, refused
):
    name = "wrong-" + "-".join(changes)
    other = Domains(domains.a, str(make_store(name, seed=2, **changes)))
    with refused(words) as caught:
        train(TranslateTask, tmp_path / "run", texts=texts(**settings), source=other,
              accelerator="cpu")  # fmt: skip
    assert "\n" not in str(caught.value)
    assert ".zarr" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_images_of_sizes_that_networks_cannot_take_are_told(make_store, texts, tmp_path, refused):
    pair = [str(make_store(f"odd-{seed}", seed=seed, pixels=(34, 32))) for seed in (1, 2)]
    with refused("odd-1.zarr: clip: found 34 ", " multiple of 4"):
        train(TranslateTask, tmp_path / "run", texts=texts(), source=Domains(*pair),
              accelerator="cpu")  # fmt: skip
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("sequences", [2, 1])
def test_too_few_sequences_leave_nothing(domains, make_store, texts, tmp_path, sequences, refused):
    few = Domains(domains.a, str(make_store(f"few-{sequences}", sequences=sequences)))
    with refused("store of 3 or more sequences"):
        train(TranslateTask, tmp_path / "run", texts=texts(), source=few, accelerator="cpu")
    assert not (tmp_path / "run").exists()


def test_voxels_that_are_not_numbers_leave_nothing(domains, store_of, texts, tmp_path, refused):
    spoilt = Domains(domains.a, str(store_of("nan", [np.full((48, 32, 32), np.nan, "f4")] * 8)))
    with refused("nan.zarr", "wanted finite ones"):
        train(TranslateTask, tmp_path / "run", texts=texts(), source=spoilt, accelerator="cpu")
    assert not (tmp_path / "run").exists()


def test_recordings_without_labels_are_either_domain(domains, recorded, texts, tmp_path):
    for name, pair in (("a", (str(recorded), domains.b)), ("b", (domains.a, str(recorded)))):
        best = train(TranslateTask, tmp_path / name, texts=texts(), source=Domains(*pair),
                     accelerator="cpu")  # fmt: skip
        assert math.isnan(best["agreement"]) == (name == "a")
    assert not open_store(recorded).has_truth
