import itertools
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from musim.datasets import generate
from musim.datasets.importing.description import Description
from musim.datasets.importing.stores import import_recordings
from musim.simulator import Parameters, Range
from musim.simulator.errors import FailureError, InputError
from musim.simulator.imaging.chain import Chain
from musim.training.identification.networks import detection_task as module
from musim.training.identification.networks.detection_settings import MODELS, DetectSettings
from musim.training.identification.networks.detection_task import DetectTask, rate_at
from musim.training.identification.networks.twitch_task import TwitchTask
from musim.training.runs.folder import BEST, LAST, RunFolder
from musim.training.runs.sources import Source
from musim.training.tasks import open_run, train

CPU = torch.device("cpu")

TINY = {
    **MODELS["small"],
    "steps": 10,
    "batch_size": 2,
    "warm_up": 0,
    "front_maps": (4, 8),
    "front_kernels": ((5, 5, 5), (3, 3, 3)),
    "front_stride": (5, 2, 2),
    "front_pools": (8,),
    "blocks": (1, 1),
    "backbone_maps": (8, 16),
    "pyramid_maps": 16,
    "anchors": ((5, 8), (11, 16), (16, 22)),
    "box_features": 32,
    "mask_maps": (16,),
}
"""A network of 40 frames that steps in some hundredths of a second."""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def source():
    return Source(
        parameters=Parameters(
            units=Range(2, 4), frames=40, frame_rate=80.0, pixels=(32, 32), size=(20.0, 20.0)
        )
    )


def _task(source, **changes):
    return DetectTask(DetectSettings(**{**TINY, **changes}), source.grid)


def _batch(task, source, step=0):
    return next(task.batches(source, step, rank=0, ranks=1, device=CPU))


def _step(task, batch, number, optimisers):
    task.prepare(number, optimisers)
    losses = task.losses("detector", batch, number, 0)
    for optimiser in optimisers.values():
        optimiser.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(task.networks.parameters(), task.clip("detector"))
    for optimiser in optimisers.values():
        optimiser.step()
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def _same(a, b):
    return {name for name in a if torch.equal(a[name], b[name])}


def test_the_defaults_are_the_papers_protocol():
    """Ali 2020, section III.B.3."""
    paper = DetectSettings(**MODELS["paper"])
    assert (paper.optimiser, paper.learning_rate, paper.momentum, paper.batch_size) == (
        "sgd",
        1e-3,
        0.9,
        8,
    )
    assert (paper.frozen, paper.steps, paper.noise_from) == (20_000, 600_000, 500_000)
    assert (paper.snr, paper.noise_snr, paper.flips) == ("inf", "10-30", "depth,width")
    steps = (0, 19_999, 20_000, 199_999, 200_000, 599_999)
    rates = [rate_at(paper, step) for step in steps]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
    assert paper.frames == 400


def test_a_cosine_rises_falls_and_ends_at_0():
    settings = DetectSettings(**{**TINY, "steps": 100, "warm_up": 9, "learning_rate": 2.0})
    rates = np.array([rate_at(settings, step) for step in range(101)])
    assert rates[0] == pytest.approx(2.0 / 10)
    assert (np.diff(rates[:9]) > 0).all()
    assert (np.diff(rates[9:]) < 0).all()
    assert rates[50] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"front_maps": ()}, "front_maps: found 0 values, wanted 1"),
        ({"front_pools": (5, 4)}, "front_pools: found 2 values, wanted 3"),
        ({"front_stride": (5, 2)}, "front_stride: found 2 values, wanted 3"),
        ({"front_kernels": ((7, 7, 7),) * 3 + ((5, 3),)}, "wanted three odd sizes each"),
        ({"front_kernels": ((7, 7, 7),) * 3 + ((4, 3, 3),)}, "wanted three odd sizes each"),
        ({"backbone_maps": (64, 128)}, "backbone_maps: found 2 values, wanted 4"),
        ({"anchors": ((4,),) * 4}, "anchors: found 4 values, wanted 5"),
        ({"anchors": ((4, 6), *((8,),) * 4)}, "wanted as many"),
        ({"anchor_ratios": ()}, "anchor_ratios: found 0 values, wanted 1"),
        ({"anchor_overlap": (0.7, 0.3)}, "wanted the lower first"),
        ({"mask_maps": ()}, "mask_maps: found 0 values, wanted 1"),
        ({"snr": "loud"}, "loud"),
        ({"noise_snr": "30-x"}, "30-x"),
        ({"pyramid_maps": 128}, "pretrained: found coco for a network of other sizes"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, text, refused):
    with refused(text):
        DetectSettings(**changes)


def test_settings_survive_json_and_typing():
    settings = DetectSettings(**TINY)
    assert DetectSettings.from_json(settings.to_json()) == settings
    texts = {name: text for name, text, _, _ in settings.describe()}
    assert DetectSettings.from_texts(texts) == settings


@pytest.mark.parametrize(
    ("shape", "text"),
    [((41, 32, 32), "frames: found 41, wanted 40"), ((40, 32, 36), "width: found 36 px, wanted a")],
)
def test_a_grid_that_the_network_cannot_take_is_refused(source, shape, text, refused):
    with refused(text):
        DetectTask(DetectSettings(**TINY), replace(source.grid, shape=shape))


def test_a_source_of_another_grid_is_refused(source, refused):
    task = _task(source)
    task.check(source)
    other = Source(parameters=replace(source.parameters, frame_rate=100.0))
    with refused("grid: found sequences of 32 x 32 px ", " at 100 Hz"):
        task.check(other)
    with refused("sequence: found"):
        task.detect(torch.zeros(40, 32, 16))


@pytest.fixture(scope="module")
def store(source, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("stores") / "still.zarr")
    quiet = replace(source.parameters, snr=Range.parse("inf"))
    generate(quiet, path, sequences=40, seed=0, workers=1)
    return Source(store=path)


def test_stored_sequences_are_mirrored_together_with_their_units(store):
    task = _task(store, noise_snr="")
    task.check(store)
    as_stored = _task(store, noise_snr="", flips="")
    mirrored = 0
    for step in range(4):
        batch, plain = _batch(task, store, step), _batch(as_stored, store, step)
        moving = (batch["tvi"].abs() > 1e-4).any(dim=1)
        units = (batch["territory"] > 0.5).any(dim=1)
        # Units begin to twitch within the sequence, and nothing else moves.
        assert (moving & ~units).sum() == 0
        assert moving.sum() > 0.5 * units.sum()
        mirrored += int((batch["territory"] != plain["territory"]).any())
    assert mirrored > 0
    assert set(task.validate(store, CPU)) >= {"f1", "precision", "recall", "iou", "loss", "mask"}


def test_stores_that_lack_what_training_needs_are_refused(source, store, tmp_path, refused):
    generate(source.parameters, str(tmp_path / "noisy.zarr"), sequences=4, seed=0, workers=1)
    noisy = Source(store=str(tmp_path / "noisy.zarr"))
    with refused("snr: found voxels with noise"):
        _task(noisy).check(noisy)
    _task(noisy, noise_snr="", validation_snr="").check(noisy)
    _task(noisy, noise_from=10, snr="", validation_snr="").check(noisy)


def test_noise_changes_at_its_batch_and_batches_do_not_depend_on_the_beginning(source, refused):
    task = _task(source, snr="inf", noise_snr="3", noise_from=2)
    batches = list(itertools.islice(task.batches(source, 0, rank=0, ranks=1, device=CPU), 4))
    assert [batch["snr"].tolist() for batch in batches] == [
        [np.inf] * 2, [np.inf] * 2, [3.0] * 2, [3.0] * 2,
    ]  # fmt: skip
    for start in (1, 2, 3):
        assert torch.equal(_batch(task, source, start)["tvi"], batches[start]["tvi"])
    whole = replace(task.settings, batch_size=4)
    with refused("batch_size: found 4 for 3 processes"):
        next(DetectTask(whole, source.grid).batches(source, 0, rank=0, ranks=3, device=CPU))
    halves = [
        next(DetectTask(whole, source.grid).batches(source, 0, rank=rank, ranks=2, device=CPU))
        for rank in (0, 1)
    ]
    assert torch.equal(torch.cat([half["index"] for half in halves]), torch.arange(4))


def test_a_step_depends_on_its_number_and_on_nothing_else(source):
    # More boxes than are sampled, so that the draw counts.
    few = {"anchor_samples": 8, "box_samples": 8}
    batch = _batch(_task(source), source)
    states, losses = [], []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        before = torch.random.get_rng_state()
        task = _task(source, **few)
        losses.append(_step(task, batch, 3, task.optimisers()))
        states.append(_state(task.networks))
        assert torch.equal(torch.random.get_rng_state(), before)
    assert losses[0] == losses[1]
    assert _same(*states) == set(states[0])
    task = _task(source, **few)
    task.prepare(3, task.optimisers())
    for step, rank in ((4, 0), (3, 1)):
        other = task.losses("detector", batch, step, rank)
        assert float(other["objectness"].detach()) != losses[0]["objectness"]


def test_pretrained_weights_are_kept_while_they_are_frozen(source, monkeypatch):
    loaded = []
    monkeypatch.setattr(module, "load_pretrained", loaded.append)
    for optimiser in ("sgd", "adamw"):
        task = _task(source, frozen=2, optimiser=optimiser, learning_rate=0.01)
        # The check of sizes is for weights that are fetched; here none are.
        object.__setattr__(task.settings, "pretrained", "coco")
        optimisers = task.optimisers()
        body = task.networks.backbone.body
        before, rest = _state(body), _state(task.networks.front)
        batch = _batch(task, source)
        for step in range(2):
            _step(task, batch, step, optimisers)
        assert _same(before, _state(body)) == set(before)
        assert len(_same(rest, _state(task.networks.front))) == 0
        gradients = [parameter.grad for parameter in body.parameters()]
        assert all(gradient is not None and not gradient.any() for gradient in gradients)
        _step(task, batch, 2, optimisers)
        assert not _same(before, _state(body))
    assert loaded == [task.networks] or len(loaded) == 2


def test_weights_that_are_not_pretrained_are_not_frozen(source):
    task = _task(source, frozen=2)
    before = _state(task.networks)
    _step(task, _batch(task, source), 0, task.optimisers())
    assert not _same(before, _state(task.networks))


def test_frozen_gradients_do_not_count_where_gradients_are_clipped(source, monkeypatch):
    monkeypatch.setattr(module, "load_pretrained", lambda network: None)
    task = _task(source, frozen=1)
    object.__setattr__(task.settings, "pretrained", "coco")
    task.prepare(0, task.optimisers())
    losses = task.losses("detector", _batch(task, source), 0, 0)
    torch.stack(list(losses.values())).sum().backward()
    ours = {id(each) for each in task.networks.backbone.body.parameters()}
    rest = [each for each in task.networks.parameters() if id(each) not in ours]
    whole = torch.nn.utils.get_total_norm([each.grad for each in task.networks.parameters()])
    part = torch.nn.utils.get_total_norm([each.grad for each in rest])
    torch.testing.assert_close(whole, part)


def test_validation_leaves_weights_and_statistics_as_they_were(source):
    task = _task(source, score_threshold=0.0, validation_batches=2)
    before = _state(task.networks)
    first, second = (task.validate(source, CPU) for _ in range(2))
    assert first == second
    assert _same(before, _state(task.networks)) == set(before)
    assert 0 <= first["recall"] <= 1
    assert first["loss"] == pytest.approx(
        sum(first[k] for k in ("objectness", "proposal_box", "classifier", "box", "mask"))
    )


def _f1_of(task, source, monkeypatch, answer):
    """Return validation's measures of a detector that answers `answer(targets)`."""
    truth = []
    true_targets = module.targets_of

    def targets_of(*arguments):
        truth[:] = true_targets(*arguments)
        return list(truth)

    monkeypatch.setattr(module, "targets_of", targets_of)
    monkeypatch.setattr(task.networks, "detections", lambda *_: [answer(one) for one in truth])
    return task.validate(source, CPU)


def test_validation_counts_all_units_of_all_sequences(source, monkeypatch):
    task = _task(source, validation_batches=3)

    def right(target):
        masks = target["masks"].float()
        return masks, torch.linspace(1, 0.5, len(masks))

    assert _f1_of(task, source, monkeypatch, right)["f1"] == 1

    def doubled(target):
        masks, scores = right(target)
        return torch.cat([masks, masks]), torch.cat([scores, scores / 2])

    found = _f1_of(task, source, monkeypatch, doubled)
    assert (found["precision"], found["recall"]) == (0.5, 1)
    assert found["f1"] == pytest.approx(2 / 3)

    def silent(target):
        masks, scores = right(target)
        return masks[:0], scores[:0]

    assert _f1_of(task, source, monkeypatch, silent)["f1"] == 0


@pytest.mark.slow
def test_a_small_detector_learns_eight_sequences_by_heart(source):
    steps = 90
    task = _task(
        source, steps=steps, batch_size=8, learning_rate=3e-3, warm_up=10, noise_snr="inf",
        front_maps=(8, 16), backbone_maps=(16, 32), pyramid_maps=32, score_threshold=0.5,
        box_features=64, mask_maps=(32, 32),
    )  # fmt: skip
    batch, optimisers = _batch(task, source), task.optimisers()
    for step in range(steps):
        _step(task, batch, step, optimisers)
        if step % 15 == 14:
            recall, precision = _scores(task, batch)
            if recall >= 0.95 and precision >= 0.9:
                return
    pytest.fail(f"after {steps} steps it finds {recall:.2f} of them, {precision:.2f} rightly")


def _scores(task, batch):
    """Return recall and precision of a task on the sequences of a batch."""
    from musim.training.identification.metrics.detection import intersection_over_union, match

    found = true = matches = 0
    for tvi, target in zip(
        batch["tvi"], module.targets_of(batch["territory"], batch["unit_mask"], 4), strict=True
    ):
        masks, scores = task.detect(tvi)
        overlap = intersection_over_union((masks > 0.5).numpy(), target["masks"].bool().numpy())
        matching = match(overlap, scores.numpy())
        found, true = found + matching.predictions, true + matching.units
        matches += matching.matches
    return matches / true, matches / max(found, 1)


class _Spied:
    """A source that notes what validation asks of it."""

    def __init__(self, source, empty=False):
        self.source, self.empty, self.asked = source, empty, []

    def validation(self, batches, **options):
        self.asked.append((batches, options))
        return iter(()) if self.empty else self.source.validation(batches, **options)


def test_validation_asks_for_what_its_settings_say(source, refused):
    task = _task(source, validation_batches=3, seed=7, validation_snr="5", batch_size=1)
    spied = _Spied(source)
    task.validate(spied, CPU)
    assert spied.asked == [(3, {"batch_size": 1, "seed": 7, "snr": "5", "device": CPU})]
    with refused("validation: found no sequence, ", " larger store"):
        task.validate(_Spied(source, empty=True), CPU)


def test_validation_outlines_units_at_the_threshold_and_averages_over_matches(source, monkeypatch):
    expected = []

    def all_but_one_pixel(target):
        masks = target["masks"].float() * 0.6
        for mask in masks:
            row, column = mask.nonzero()[0].tolist()
            expected.append(1 - 1 / int((mask > 0).sum()))
            mask[row, column] = 0
        return masks, torch.linspace(1, 0.5, len(masks))

    found = [
        _f1_of(_task(source, mask_threshold=limit), source, monkeypatch, all_but_one_pixel)
        for limit in (0.5, 0.7)
    ]
    assert found[0]["f1"] == found[0]["precision"] == found[0]["recall"] == 1
    assert len(set(expected)) > 1
    assert found[0]["iou"] == pytest.approx(np.mean(expected))
    assert (found[1]["f1"], found[1]["recall"], found[1]["iou"]) == (0, 0, 0)


def test_detecting_in_the_midst_of_training_changes_nothing(source):
    task = _task(source, score_threshold=0.0)
    tvi = _batch(task, source)["tvi"][0]
    task.networks.eval()
    calm = task.detect(tvi)
    task.prepare(0, task.optimisers())
    before = _state(task.networks)
    assert all(torch.equal(*pair) for pair in zip(calm, task.detect(tvi), strict=True))
    assert _same(before, _state(task.networks)) == set(before)


def test_settings_reach_the_optimiser_and_the_batches(source):
    values = {"momentum": 0.7, "weight_decay": 0.03, "gradient_norm": 0.25}
    for optimiser, kind in (("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)):
        task = _task(source, optimiser=optimiser, **values)
        made = task.optimisers()["detector"]
        assert type(made) is kind
        for group in made.param_groups:
            assert group["weight_decay"] == 0.03
            if kind is torch.optim.SGD:
                assert group["momentum"] == 0.7
            else:
                assert group["betas"] == (0.7, 0.999)
        assert task.clip("detector") == 0.25
    first, other = (_batch(_task(source, seed=seed), source)["tvi"] for seed in (0, 1))
    assert not torch.equal(first, other)
    # All units are larger than a pixel, and none is as large as the image.
    batch = _batch(task, source)
    sizes = [
        float(_task(source, fewest_pixels=fewest).losses("detector", batch, 0, 0)["mask"].detach())
        for fewest in (1, 1024)
    ]
    assert sizes[0] > sizes[1] == 0


def test_the_rate_rises_before_it_drops_too():
    settings = DetectSettings(**{**TINY, "schedule": "drops", "drops": (6,), "warm_up": 3,
                                 "learning_rate": 4.0})  # fmt: skip
    rates = [rate_at(settings, step) for step in range(8)]
    assert rates == pytest.approx([1, 2, 3, 4, 4, 4, 0.4, 0.4])


@pytest.mark.parametrize("size", [(36, 32), (32, 36)])
def test_images_that_levels_do_not_divide_are_refused(source, size):
    wrong = "depth" if size[0] == 36 else "width"
    with pytest.raises(InputError, match=f"{wrong}: found 36 px, wanted a multiple of 8"):
        DetectTask(DetectSettings(**TINY), replace(source.grid, shape=(40, *size)))


# Whole runs


TEXTS = {
    name: text
    for name, text, _, _ in DetectSettings(
        **{**TINY, "steps": 3, "validate_every": 1, "save_every": 1, "validation_batches": 1}
    ).describe()
}
RUN = {"accelerator": "cpu"}


@pytest.fixture(scope="module")
def run(source, tmp_path_factory):
    """A finished run."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("runs") / "detect"
    train(DetectTask, path, texts=TEXTS, source=source, **RUN)
    return path


def _refused(folder, words, **options):
    """Assert that nothing is trained and nothing changed, and that one line says why."""
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=words) as caught:
        train(DetectTask, folder, **RUN, **options)
    assert "\n" not in str(caught.value)
    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_best_run_is_the_one_that_finds_most(source, tmp_path, monkeypatch):
    scores = iter((0.2, 0.6, 0.4))
    monkeypatch.setattr(
        DetectTask, "validate", lambda *_: {"f1": next(scores), "precision": 0.0, "loss": 0.0}
    )
    best = train(DetectTask, tmp_path / "run", texts=TEXTS, source=source, **RUN)
    assert (best["step"], best["f1"]) == (2, 0.6)
    states = [RunFolder(tmp_path / "run").load(name) for name in (BEST, LAST)]
    assert [state["step"] for state in states] == [2, 3]
    # Those are the weights that the run is used with.
    used = open_run(tmp_path / "run", DetectTask)[0].networks.state_dict()
    assert _same(used, states[0]["networks"]) == set(used)
    assert _same(used, states[1]["networks"]) != set(used)


def test_stores_that_nothing_can_be_learnt_from_leave_nothing(source, tmp_path):
    recorded, small = tmp_path / "recorded.zarr", tmp_path / "small.zarr"
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(40, 32, 32)).astype("f4"))
    described = Description.parse(
        {"kind": "velocity", "axes": "time,depth,width", "frame_rate": 80.0, "size": [20, 20]}
    )
    import_recordings([tmp_path / "a.npy"], recorded, described, Chain(), workers=1)
    _refused(tmp_path / "run", "found no units in .*recorded", texts=TEXTS,
             source=Source(store=str(recorded)))  # fmt: skip
    generate(replace(source.parameters, frames=30), str(small), sequences=2, workers=1)
    _refused(tmp_path / "run", "frames: found 30, wanted 40", texts=TEXTS,
             source=Source(store=str(small)))  # fmt: skip
    generate(source.parameters, str(small), sequences=2, workers=1, overwrite=True)
    _refused(tmp_path / "run", "found 0 of 2 sequences for validation", source=Source(str(small)),
             texts={**TEXTS, "noise_snr": "", "validation_snr": ""})  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_with_its_own_checkpoint_alone(source, run, tmp_path, refused):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    with refused("found a run of musim train detect, wanted one of musim"):
        train(TwitchTask, folder, resume=True, **RUN)
    whole = (folder / LAST).read_bytes()
    more = {"resume": True, "texts": {"steps": "4"}}
    (folder / LAST).write_bytes(whole[: len(whole) // 2])
    (folder / BEST).write_bytes(whole[: len(whole) // 2])
    _refused(folder, r"last\.ckpt: found a checkpoint that is damaged", **more)
    with refused("best.ckpt: found a checkpoint that is damaged"):
        open_run(folder, DetectTask)
    (folder / LAST).write_bytes(whole)
    state = RunFolder(folder).load(LAST)
    for name, other, words in (
        (LAST, {"task": "twitch"}, "weights of other networks"),
        (LAST, {"settings": state["settings"].replace('"momentum": 0.9', '"momentum": 0.8')},
         "momentum = 0.8, wanted 0.9"),
        (LAST, {"optimisers": {}}, "other optimisers"),
    ):  # fmt: skip
        RunFolder(folder).save(name, {**state, **other})
        before = (folder / name).read_bytes()
        with pytest.raises(InputError, match=words):
            train(DetectTask, folder, resume=True, **RUN)
        assert (folder / name).read_bytes() == before
    RunFolder(folder).save(BEST, {**state, "networks": {"front.weight": torch.zeros(1)}})
    with refused("best.ckpt: found the weights of other networks"):
        open_run(folder, DetectTask)


def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(source, tmp_path, monkeypatch):
    losses = DetectTask.losses

    def spoilt(self, optimiser, batch, step, rank):
        found = losses(self, optimiser, batch, step, rank)
        return {**found, "mask": found["mask"] * float("nan")} if step == 2 else found

    monkeypatch.setattr(DetectTask, "losses", spoilt)
    with pytest.raises(FailureError) as caught:
        train(DetectTask, tmp_path / "run", texts=TEXTS, source=source, **RUN)
    text = str(caught.value)
    assert text.startswith("step 2: found mask = nan, wanted a finite loss")
    assert text.endswith("last.ckpt holds step 2")
    state = RunFolder(tmp_path / "run").load(LAST)
    assert state["step"] == 2
    assert all(value.isfinite().all() for value in state["networks"].values())
    # It goes on from there.
    monkeypatch.setattr(DetectTask, "losses", losses)
    assert train(DetectTask, tmp_path / "run", resume=True, **RUN)["loss"] < math.inf
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 3


@pytest.mark.parametrize("room", [2, 0])
def test_too_little_memory_says_which_batch_fits(source, tmp_path, monkeypatch, room):
    losses = DetectTask.losses

    def fill(self, optimiser, batch, step, rank):
        if len(batch["tvi"]) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return losses(self, optimiser, batch, step, rank)

    monkeypatch.setattr(DetectTask, "losses", fill)
    words = "batches of 2 fit: begin the run with `batch_size=2`" if room else "not even the small"
    with pytest.raises(FailureError, match=f"found no room for batches of 8, .*; {words}"):
        train(
            DetectTask, tmp_path / "run", texts={**TEXTS, "batch_size": "8"}, source=source, **RUN
        )
    assert not (tmp_path / "run").exists()
