import dataclasses
import itertools
import json
import math
import shutil

import numpy as np
import pytest
import torch

from musim.datasets import generate
from musim.datasets.grid import Grid
from musim.datasets.importing.description import Description
from musim.datasets.importing.stores import import_recordings
from musim.simulator import InputError, Parameters, Range
from musim.simulator.errors import FailureError
from musim.simulator.imaging.chain import Chain
from musim.training import tasks
from musim.training.identification.metrics.agreement import rate_of_agreement
from musim.training.identification.networks.detection_task import DetectTask
from musim.training.identification.networks.twitch_settings import MODELS, TwitchSettings
from musim.training.identification.networks.twitch_task import TwitchTask
from musim.training.runs.folder import BEST, LAST, RunFolder
from musim.training.runs.sources import Source

CPU = torch.device("cpu")
GRID = Grid((60, 16, 12), 100.0, (1.0, 1.0))
SCENES = Parameters(
    units=Range(2, 4), pixels=(16, 12), size=(16.0, 12.0), diameter=Range(3, 6), frames=60,
    frame_rate=100.0, snr=Range(20, 20), contraction_time=Range(30, 40),
)  # fmt: skip
TINY = {
    "crop": (8, 8), "maps": (2, 2), "kernels": ((5, 3, 3), (3, 3, 3)),
    "strides": ((1, 2, 2), (1, 1, 1)), "dense": (6,), "recurrent": 4, "head": (7,),
    "batch_size": 6, "sequences": 2, "validation_batches": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def source():
    return Source(parameters=SCENES)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("twitch") / "scenes.zarr"
    generate(SCENES, path, sequences=20, seed=4, kind="rendered", part_size=4, pool="threads")
    return Source(str(path))


def _task(**settings):
    return TwitchTask(TwitchSettings(**{**TINY, **settings}), GRID)


def _batches(task, source, count, step=0, rank=0, ranks=1):
    made = task.batches(source, step, rank=rank, ranks=ranks, device=CPU)
    return list(itertools.islice(made, count))


def _train(task, batches):
    optimisers = task.optimisers()
    for step, batch in enumerate(batches):
        task.prepare(step, optimisers)
        loss = sum(task.losses("adam", batch, step, 0).values())
        optimisers["adam"].zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.network.parameters(), task.clip("adam"))
        optimisers["adam"].step()


def _same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_defaults_are_the_papers():
    settings = TwitchSettings(**MODELS["paper"])
    assert (settings.steps, settings.batch_size, settings.learning_rate) == (100_000, 32, 1e-4)
    assert (settings.clip, settings.schedule, settings.warm_up) == (1, "constant", 0)
    assert (settings.crop, settings.snr, settings.jitter) == ((16, 16), "10-30", 0)
    assert not settings.mask_channel
    assert not settings.residual
    assert sum(value.numel() for value in settings.network().parameters()) == 5_790_561


@pytest.mark.parametrize("name", MODELS)
def test_every_model_goes_through_json_and_texts(name):
    settings = TwitchSettings(**MODELS[name])
    assert TwitchSettings.from_json(settings.to_json()) == settings
    texts = {each: value for each, value, _, _ in settings.describe()}
    assert TwitchSettings.from_texts(texts) == settings


def test_the_small_model_gives_a_train():
    network = TwitchSettings(**MODELS["small"]).network().eval()
    assert network(torch.zeros(1, 2, 30, 16, 16)).shape == (1, 30)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernels": ((5, 3, 3),)}, "kernels: found .* wanted 2 times"),
        ({"strides": ((1, 2), (1, 1))}, "strides: found .* wanted 2 times"),
        ({"kernels": ((4, 3, 3), (3, 3, 3))}, "kernels: found .* wanted odd"),
        ({"maps": ()}, "maps: found none"),
        ({"crop": (8,)}, "crop: found"),
        ({"residual": True}, "residual: found no mask_channel"),
        ({"snr": "loud"}, "loud"),
    ],
)
def test_settings_that_do_not_go_together(change, message):
    with pytest.raises(InputError, match=message) as caught:
        TwitchSettings(**{**TINY, **change})
    assert "\n" not in str(caught.value)


def test_weights_follow_the_seed_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    one, same, other = (_task(seed=seed).network.state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert _same(one, same)
    assert not _same(one, other)


@pytest.mark.parametrize("where", ["source", "store"])
@pytest.mark.parametrize("settings", [{}, {"mask_channel": True, "jitter": 2}])
def test_a_batch_is_the_same_whichever_step_is_begun_with(where, settings, request):
    given = request.getfixturevalue(where)
    first = _batches(_task(**settings), given, 4)
    later = _batches(_task(**settings), given, 2, step=2)
    assert all(itertools.starmap(_same, zip(first[2:], later, strict=True)))
    assert not _same(first[0], first[1])
    assert not _same(first[0], _batches(_task(**settings, seed=1), given, 1)[0])


def test_processes_share_a_batch(source, refused):
    ranks = [_batches(_task(), source, 1, rank=rank, ranks=2)[0] for rank in (0, 1)]
    assert [len(batch["train"]) for batch in ranks] == [3, 3]
    assert len(_batches(_task(), source, 1)[0]["train"]) == 6
    assert set(ranks[0]["sd"].tolist()).isdisjoint(ranks[1]["sd"].tolist())
    with refused("multiples of the 4 processes"):
        _batches(_task(), source, 1, ranks=4)


def test_crops_are_of_the_sequences_they_say(source):
    task = _task(mask_channel=True, batch_size=3, sequences=1, snr="inf")
    batch = _batches(task, source, 1)[0]
    whole = next(source.batches(0, batch_size=1, seed=0, snr="inf"))
    sd = whole["tvi"].std(correction=0)
    torch.testing.assert_close(batch["sd"], sd.expand(3))
    trains = whole["twitch_train"][0]
    owners = [int((train * sd - trains).abs().sum(1).argmin()) for train in batch["train"]]
    assert len(set(owners)) == 3 or len(trains) < 3
    for crop, train, owner in zip(batch["crops"], batch["train"], owners, strict=True):
        torch.testing.assert_close(train * sd, trains[owner])
        mask = whole["territory"][0, owner]
        assert crop[1, 0].sum() == mask.sum()
        # Where no other unit is, a crop without noise holds the train itself, but for the mean.
        alone = mask * (whole["territory"][0].sum(0) == 1)
        inside = torch.nonzero(crop[1, 0])[alone[mask > 0] > 0]
        for row, column in inside:
            moved = crop[0, :, row, column] + whole["tvi"].mean() / sd
            torch.testing.assert_close(moved, train, atol=1e-4, rtol=1e-4)


def test_jitter_moves_crops_no_further_than_it_says(source):
    plain, moved = (
        _batches(_task(mask_channel=True, jitter=jitter, batch_size=40), source, 1)[0]["crops"]
        for jitter in (0, 2)
    )
    shifts = set()
    for still, other in zip(plain[:, 0, 0], moved[:, 0, 0], strict=True):
        fits = [
            (row, column)
            for row in range(-2, 3)
            for column in range(-2, 3)
            if torch.equal(
                still[max(row, 0) : 8 + min(row, 0), max(column, 0) : 8 + min(column, 0)],
                other[max(-row, 0) : 8 + min(-row, 0), max(-column, 0) : 8 + min(-column, 0)],
            )
        ]
        assert fits
        shifts.update(fits)
    assert {row for row, _ in shifts} == {column for _, column in shifts} == set(range(-2, 3))


def test_flips_turn_velocity_and_mask_together(store):
    # Noise-free and alone, a unit's mask is where its crop moves, however it was turned.
    task = _task(mask_channel=True, snr="inf", batch_size=12)
    kept = _task(mask_channel=True, snr="inf", batch_size=12, flips=False)
    turned = 0
    for one, other in zip(_batches(task, store, 4), _batches(kept, store, 4), strict=True):
        torch.testing.assert_close(one["train"], other["train"], rtol=1e-4, atol=1e-5)
        turned += int((one["crops"] != other["crops"]).flatten(1).any(1).sum())
        for crop, train in zip(one["crops"], one["train"], strict=True):
            velocity = crop[0].flatten(1)
            inside = crop[1, 0].flatten() > 0
            likeness = (velocity.T @ train) / (train @ train)
            assert likeness[inside].min() > 0.3
    assert turned > 0


def test_a_step_is_deterministic(source):
    made = []
    for _ in range(2):
        task = _task(mask_channel=True, residual=True, learning_rate=1e-2)
        _train(task, _batches(task, source, 3))
        made.append(task.network.state_dict())
    assert _same(*made)
    assert not _same(made[0], _task(mask_channel=True, residual=True).network.state_dict())


def test_the_step_size_rises_and_falls():
    task = _task(learning_rate=0.5, warm_up=4, schedule="cosine", steps=104)
    rates = [task.learning_rate(step) for step in range(105)]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert rates[54] == pytest.approx(0.25)
    assert rates[29] == pytest.approx(0.5 * math.cos(math.pi / 8) ** 2)
    assert rates[104] == pytest.approx(0, abs=1e-12)
    assert (np.diff(rates[4:]) < 0).all()
    constant = _task(learning_rate=0.5, warm_up=1, steps=10)
    assert [constant.learning_rate(step) for step in (0, 1, 9, 99)] == [0.25, 0.5, 0.5, 0.5]
    optimisers = constant.optimisers()
    assert isinstance(optimisers["adam"], torch.optim.Adam)
    constant.network.eval()
    constant.prepare(0, optimisers)
    assert optimisers["adam"].param_groups[0]["lr"] == 0.25
    assert constant.network.training
    assert constant.clip("adam") == 1


def test_the_loss_is_the_networks(source):
    task = _task()
    batch = _batches(task, source, 1)[0]
    predicted = task.network(batch["crops"])
    amplitude = batch["train"].abs().amax(1, keepdim=True)
    expected = ((predicted - batch["train"]) / amplitude).square().mean()
    assert task.losses("adam", batch, 0, 0)["loss"].item() == pytest.approx(expected.item())


class _Oracle(torch.nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, crops):
        return self.answer(crops)


def test_validation_is_the_mean_rate_and_always_the_same(source):
    task = _task(mask_channel=True, residual=True)
    one, again = task.validate(source, CPU), task.validate(source, CPU)
    assert one == again
    assert set(one) == {"rate_of_agreement", "loss"}
    seen = []

    def answer(crops):
        seen.append(crops)
        return crops[:, 0].mean((2, 3))

    task.network = _Oracle(answer)
    trains = []
    plain = task._crops
    task._crops = lambda *given: trains.append(plain(*given)) or trains[-1]
    found = task.validate(source, CPU)
    assert [len(crops) for crops in seen] == [6, 6]
    rates = [
        rate_of_agreement(crop[0].mean((1, 2)), train, GRID.frame_rate).value
        for crops, batch in zip(seen, trains, strict=True)
        for crop, train in zip(crops, batch["train"], strict=True)
    ]
    assert found["rate_of_agreement"] == pytest.approx(np.mean(rates))
    assert task.network.training


def test_validation_sees_neither_training_sequences_nor_jitter(source):
    plain, jittered = _task(mask_channel=True), _task(mask_channel=True, jitter=3)
    assert plain.validate(source, CPU) == jittered.validate(source, CPU)
    trained = {sd for batch in _batches(plain, source, 4) for sd in batch["sd"].tolist()}
    seen = []
    crops = plain._crops
    plain._crops = lambda *given: seen.append(crops(*given)) or seen[-1]
    plain.validate(source, CPU)
    assert trained.isdisjoint(sd for batch in seen for sd in batch["sd"].tolist())


def test_estimates_are_in_the_recordings_unit():
    task = _task(mask_channel=True, residual=True)
    with torch.no_grad():
        task.network.train_of.weight.zero_()
        task.network.train_of.bias.zero_()
    random = torch.Generator().manual_seed(0)
    tvi = torch.randn(60, 16, 12, generator=random) * 0.05
    tvi -= tvi.mean()
    masks = torch.zeros(8, 16, 12, dtype=torch.bool)
    for unit in range(8):
        masks[unit, unit : unit + 3, 4:8] = True
    expected = torch.stack([tvi[:, mask].mean(1) for mask in masks])
    found = task.estimate(tvi, masks)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(task.estimate(tvi * 1e3, masks), found * 1e3, rtol=1e-4, atol=1e-4)
    assert task.estimate(tvi, masks[:0]).shape == (0, 60)
    assert task.network.training


def test_a_unit_is_estimated_the_same_whoever_is_beside_it(source):
    task = _task(mask_channel=True, batch_size=2)
    whole = next(source.batches(0, batch_size=1, seed=0))
    tvi, masks = whole["tvi"][0], whole["territory"][0]
    together = task.estimate(tvi, masks)
    alone = torch.cat([task.estimate(tvi, mask[None]) for mask in masks])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_recordings_that_do_not_move_are_estimated_too():
    found = _task().estimate(torch.ones(60, 16, 12), torch.ones(1, 16, 12))
    assert torch.isfinite(found).all()


def test_a_crop_larger_than_the_images_is_refused(refused):
    with refused("crop: found (8, 14) px, wanted no more than"):
        _task(crop=(8, 14))


def test_a_source_of_smaller_images_is_refused(refused):
    small = dataclasses.replace(SCENES, pixels=(7, 12), size=(7.0, 12.0))
    with refused("crop: found"):
        _task().check(Source(parameters=small))


def test_sources_that_fit_are_taken(source, store):
    _task().check(source)
    _task().check(store)


def test_noise_cannot_be_drawn_where_it_is_stored(tmp_path, refused):
    path = tmp_path / "dense.zarr"
    generate(SCENES, path, sequences=2, pool="threads")
    with refused("snr: found voxels with noise"):
        _task().check(Source(str(path)))
    _task(snr="").check(Source(str(path)))


@pytest.mark.slow
def test_training_finds_the_trains_of_eight_units():
    parameters = dataclasses.replace(SCENES, units=Range(4, 4), frames=100, snr=Range(30, 30))
    layers = {"maps": (8, 8), "dense": (32,), "recurrent": 32, "head": (16,)}
    settings = TwitchSettings(
        **{**TINY, **layers}, mask_channel=True, learning_rate=0.01, steps=200, schedule="cosine"
    )
    task = TwitchTask(settings, dataclasses.replace(GRID, shape=(100, 16, 12)))
    whole = next(Source(parameters=parameters).batches(0, batch_size=2, seed=0))
    batch = task._crops(whole, 8, np.random.default_rng(0), CPU, 0)

    def rate():
        pairs = zip(task._predict(batch["crops"]).numpy(), batch["train"].numpy(), strict=True)
        return np.mean([rate_of_agreement(*pair, 100.0).value for pair in pairs])

    assert rate() < 0.5
    _train(task, itertools.repeat(batch, 200))
    assert rate() >= 0.95


class _Spied:
    """A source that gives every rank the same sequences, and notes what validation asks of it."""

    def __init__(self, source):
        self.source, self.asked = source, []

    def batches(self, step, *, rank, ranks, **options):
        while True:
            yield next(self.source.batches(0, **options))

    def validation(self, batches, **options):
        self.asked.append((batches, options))
        return self.source.validation(batches, **options)


def test_processes_and_batches_draw_units_and_jitter_of_their_own(source):
    task, spied = _task(jitter=3, mask_channel=True, batch_size=12), _Spied(source)
    drawn = [_batches(task, spied, 2, rank=rank, ranks=2) for rank in (0, 1)]
    masks = [batch["crops"][:, 1, 0] for batches in drawn for batch in batches]
    assert not any(torch.equal(*pair) for pair in itertools.combinations(masks, 2))


def test_validation_asks_for_what_its_settings_say_and_averages_the_loss(source):
    task = _task(validation_batches=2, seed=5, snr="15", sequences=3)
    spied, losses = _Spied(source), []
    plain = task._crops

    def note(*given):
        batch = plain(*given)
        losses.append(task.losses("adam", batch, 0, 0)["loss"].item())
        return batch

    task.network.eval()
    task._crops = note
    found = task.validate(spied, CPU)
    assert spied.asked == [(2, {"batch_size": 3, "seed": 5, "snr": "15", "device": CPU})]
    assert len(losses) == 2
    assert found["loss"] == pytest.approx(np.mean(losses))
    assert not task.network.training


def test_settings_reach_the_crops_and_the_clipping(source):
    assert _task(clip=0.25).clip("adam") == 0.25
    whole = next(source.batches(0, batch_size=2, seed=0))
    kept = int((whole["territory"] > 0.5).sum((2, 3)).max())
    task = _task(least_visible=kept, mask_channel=True, crop=(16, 12))
    batch = task._crops(whole, 4, np.random.default_rng(0), CPU, 0)
    assert batch["crops"][:, 1, 0].sum((1, 2)).tolist() == [kept] * 4


@pytest.mark.parametrize("where", ["training", "validation"])
def test_masks_have_errors_in_training_and_validation_and_trains_have_none(source, where):
    batches = {}
    for errors in (0, 1):
        task, seen = _task(mask_channel=True, mask_errors=errors), []
        plain = task._crops
        task._crops = lambda *given, plain=plain, seen=seen: seen.append(plain(*given)) or seen[-1]
        if where == "training":
            _batches(task, source, 1)
        else:
            task.validate(source, CPU)
        batches[errors] = seen[0]
    assert torch.equal(batches[0]["train"], batches[1]["train"])
    assert not torch.equal(batches[0]["crops"][:, 1], batches[1]["crops"][:, 1])


def test_soft_masks_are_estimated_as_hard_ones():
    task = _task(mask_channel=True, residual=True)
    tvi = torch.randn(60, 16, 12, generator=torch.Generator().manual_seed(0))
    hard = torch.zeros(1, 16, 12)
    hard[0, 4:9, 3:8] = 1
    soft = 0.2 + 0.6 * hard
    soft[0, 0, 0] = 0.5
    torch.testing.assert_close(task.estimate(tvi, soft), task.estimate(tvi, hard))


# Whole runs


TEXTS = {
    name: text
    for name, text, _, _ in TwitchSettings(
        **{**TINY, "steps": 3, "validate_every": 1, "save_every": 1, "validation_batches": 1}
    ).describe()
}
RUN = {"accelerator": "cpu"}


@pytest.fixture(scope="module")
def run(source, tmp_path_factory):
    """A finished run."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "twitch"
    tasks.train(TwitchTask, path, texts=TEXTS, source=source, **RUN)
    return path


def _refused(folder, words, **options):
    """Assert that nothing is trained and nothing changed, and that one line says why."""
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=words) as caught:
        tasks.train(TwitchTask, folder, **RUN, **options)
    assert "\n" not in str(caught.value)
    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_best_run_is_the_one_that_agrees_most(source, tmp_path, monkeypatch):
    scores = iter((0.2, 0.6, 0.4))
    monkeypatch.setattr(
        TwitchTask, "validate", lambda *_: {"rate_of_agreement": next(scores), "loss": 0.0}
    )
    best = tasks.train(TwitchTask, tmp_path / "run", texts=TEXTS, source=source, **RUN)
    assert (best["step"], best["rate_of_agreement"]) == (2, 0.6)
    assert RunFolder(tmp_path / "run").load(BEST)["step"] == 2


def test_stores_that_nothing_can_be_learnt_from_leave_nothing(tmp_path):
    recorded, small = tmp_path / "recorded.zarr", tmp_path / "small.zarr"
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(60, 16, 12)).astype("f4"))
    described = Description.parse(
        {"kind": "velocity", "axes": "time,depth,width", "frame_rate": 100.0, "size": [16, 12]}
    )
    import_recordings([tmp_path / "a.npy"], recorded, described, Chain(), workers=1)
    texts = {**TEXTS, "snr": ""}
    _refused(tmp_path / "run", "found no units in .*recorded", texts=texts,
             source=Source(store=str(recorded)))  # fmt: skip
    tight = dataclasses.replace(SCENES, pixels=(7, 12), size=(7.0, 12.0))
    generate(tight, small, sequences=2, pool="threads")
    _refused(tmp_path / "run", r"crop: found \(8, 8\) px", texts=texts, source=Source(str(small)))
    generate(SCENES, small, sequences=2, pool="threads", overwrite=True)
    _refused(tmp_path / "run", "found 0 of 2 sequences for validation", texts=texts,
             source=Source(str(small)))  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_with_its_own_checkpoint_and_grid_alone(run, tmp_path, refused):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    with refused("found a run of musim train twitch, wanted one of musim"):
        tasks.train(DetectTask, folder, resume=True, **RUN)
    whole = (folder / LAST).read_bytes()
    more = {"resume": True, "texts": {"steps": "4"}}
    (folder / LAST).write_bytes(whole[: len(whole) // 2])
    _refused(folder, r"last\.ckpt: found a checkpoint that is damaged", **more)
    (folder / LAST).write_bytes(whole)
    state = RunFolder(folder).load(LAST)
    RunFolder(folder).save(LAST, {**state, "task": "detect"})
    _refused(folder, "weights of other networks", resume=True)
    names = list(state["networks"])
    turned = {**state["networks"], names[0]: state["networks"][names[0]].transpose(3, 4)[..., :2]}
    RunFolder(folder).save(LAST, {**state, "networks": turned})
    _refused(folder, "weights of other networks", resume=True)
    RunFolder(folder).save(LAST, state)
    described = json.loads((folder / "run.json").read_text())
    other = Source(parameters=dataclasses.replace(SCENES, frames=50)).to_json()
    (folder / "run.json").write_text(json.dumps({**described, "source": other}))
    _refused(folder, "and 50 frames .* begun with others, wanted .* and 60 frames", **more)


def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(source, tmp_path, monkeypatch):
    crops = TwitchTask._crops

    def spoilt(self, batch, *rest):
        made = crops(self, batch, *rest)
        calls.append(made)
        return {**made, "train": made["train"] * float("nan")} if len(calls) == 4 else made

    # The first batch is made before anything is written; no step validates before the last.
    calls = []
    monkeypatch.setattr(TwitchTask, "_crops", spoilt)
    texts = {**TEXTS, "validate_every": "9", "steps": "5"}
    with pytest.raises(FailureError) as caught:
        tasks.train(TwitchTask, tmp_path / "run", texts=texts, source=source, **RUN)
    text = str(caught.value)
    assert text.startswith("step 2: found loss = nan, wanted a finite loss")
    assert text.endswith("last.ckpt holds step 2")
    state = RunFolder(tmp_path / "run").load(LAST)
    assert state["step"] == 2
    assert all(value.isfinite().all() for value in state["networks"].values())


@pytest.mark.parametrize("room", [3, 0])
def test_too_little_memory_says_which_batch_fits(source, tmp_path, monkeypatch, room):
    losses = TwitchTask.losses

    def fill(self, optimiser, batch, step, rank):
        if len(batch["train"]) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return losses(self, optimiser, batch, step, rank)

    monkeypatch.setattr(TwitchTask, "losses", fill)
    words = "batches of 3 fit: begin the run with `batch_size=3`" if room else "not even the small"
    with pytest.raises(FailureError, match=f"found no room for batches of 12, .*; {words}"):
        tasks.train(
            TwitchTask, tmp_path / "run", texts={**TEXTS, "batch_size": "12"}, source=source, **RUN
        )
    assert not (tmp_path / "run").exists()
