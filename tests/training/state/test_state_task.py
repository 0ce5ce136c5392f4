"""Training what tells states: who is held out, what is seen, and that a break changes nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from musim.training.runs.folder import LAST, RunFolder  # noqa: E402
from musim.training.state import gathering  # noqa: E402
from musim.training.state.state_settings import StateSettings  # noqa: E402
from musim.training.state.state_source import StateSource  # noqa: E402
from musim.training.state.state_task import StateTask, in_order  # noqa: E402
from musim.training.tasks import make, settings_for, train, try_out  # noqa: E402

TINY = {"steps": 60, "batch_size": 16, "block": 0, "binning": "1,1", "filters": "8,8",
        "connected": "32", "dropout_layers": 0, "validate_every": 30, "learning_rate": 0.01,
        "average": 0.9, "shown": "frames", "reversals": 0, "warm_up": 0}  # fmt: skip
CPU = {"accelerator": "cpu"}


def settings(**changes):
    return settings_for(StateTask, "small", {**TINY, **changes})


def test_a_participant_is_on_one_side_only(source):
    sides = [{trial.participant for trial in side}
             for side in (source.train, source.validated, source.tested)]  # fmt: skip
    assert sides == [{2, 3}, {1}, {0}]
    assert len(source.train) == 4  # all trials of each
    other = StateSource("trials.zarr", test=3, validation=2)
    for side, held in ((source.tested, 0), (source.validated, 1), (other.tested, 3),
                       (other.validated, 2)):  # fmt: skip
        assert [trial.index for trial in side] == [2 * held, 2 * held + 1]


def test_training_never_looks_at_whom_it_is_tested_on(source, trials, tmp_path):
    train(StateTask, tmp_path / "run", texts={**TINY, "steps": 2}, source=source, **CPU)
    asked = {trial.participant for trial in trials if trial.asked}
    assert asked == {1, 2, 3}


def test_scales_are_those_of_who_is_trained_on(source, trials):
    task = make(StateTask, settings(), source)
    next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))
    own = [trial for trial in trials if trial.participant in (2, 3)]
    changes = np.concatenate([np.diff(trial.states().astype(float), axis=0) for trial in own])
    np.testing.assert_allclose(task.networks.label_sd, changes.std(axis=0), rtol=1e-5)
    pixels = np.concatenate([trial.images(0, trial.frames) for trial in own]).astype(float)
    assert float(task.networks.row_mean) == pytest.approx(pixels.mean())
    assert float(task.networks.row_sd) == pytest.approx(pixels.std())


def test_labels_are_standardised_and_told_in_their_units_again(source):
    task = make(StateTask, settings(target="absolute"), source)
    batch = next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))
    networks = task.networks
    mean, sd = torch.arange(1.0, 7), torch.arange(2.0, 8)
    networks.label_mean.copy_(mean)
    networks.label_sd.copy_(sd)
    with torch.no_grad():
        for weights in networks.parameters():
            weights.zero_()
        for network in (networks.learned.network, networks.learned.average):
            network.output.bias.fill_(0.5)  # all that it tells
        torch.testing.assert_close(networks.tell(batch)[3], mean + sd / 2)
        for off in (0.0, 2.0):
            labels = (mean + (0.5 + off) * sd).expand(len(batch["labels"]), -1)
            found = task.losses("adamw", {**batch, "labels": labels}, 0, 0)
            assert [float(each) for each in found.values()] == pytest.approx([off**2] * 2)


def test_processes_share_each_batch_and_steps_follow_one_another(source):
    task, device = make(StateTask, settings(), source), torch.device("cpu")
    walk = task.batches(source, 0, rank=0, ranks=1, device=device)
    for step in range(3):
        whole = next(walk)
        halves = [next(task.batches(source, step, rank=rank, ranks=2, device=device))
                  for rank in (0, 1)]  # fmt: skip
        for name, values in whole.items():
            assert torch.equal(torch.cat([half[name] for half in halves]), values)


def test_examples_are_pairs_of_frames_with_their_change(source, trials):
    task = make(StateTask, settings(target="absolute"), source)
    batch = next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))
    chosen = in_order(4 * 59, 0, 16, 0)
    stage = task.networks.stage
    for example, rows, labels, compared in zip(
        chosen, batch["rows"], batch["labels"], batch["compared"], strict=True
    ):
        trial = source.train[example // 59]
        pair = int(example % 59)
        frames = trial.images(0, 60)
        np.testing.assert_array_equal(rows.numpy(), frames[[pair, pair + 1]])
        states = trial.states()
        change = states[pair + 1] - states[pair]
        above = states[pair + 1] - states[:25].mean(axis=0)  # at rest in the first second
        np.testing.assert_allclose(labels.numpy(), [*change, *above], rtol=1e-5, atol=1e-9)
        wanted = stage.compare(frames[0], frames[pair + 1 : pair + 2])[0]
        np.testing.assert_allclose(compared.numpy(), wanted, atol=1e-6)


def test_each_epoch_has_every_example_once_in_an_order_of_its_own():
    epochs = [in_order(10, 10 * epoch, 10, seed=3) for epoch in range(2)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert list(epochs[0]) != list(epochs[1])
    np.testing.assert_array_equal(in_order(10, 7, 6, seed=3), [*epochs[0][7:], *epochs[1][:3]])


def test_what_is_validated_on_is_one_stretch_of_each_trial(source):
    task = make(StateTask, settings(validation_batches=1), source)
    next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))
    held = task._share(source, "validated")
    runs = held.successive()
    assert [len(run) for run in runs] == [50, 50]
    assert [set(held.trial[run]) for run in runs] == [{0}, {1}]


def test_pairs_in_the_opposite_order_change_by_the_opposite(source):
    task = make(StateTask, settings(target="absolute"), source)
    rows = torch.arange(24).reshape(3, 2, 2, 2)
    labels = torch.arange(1.0, 19).reshape(3, 6)
    turned = torch.tensor([False, True, False])
    found, changed = task._turned(rows, labels, turned)
    assert torch.equal(found[1], rows[1].flip(0))
    assert torch.equal(changed[1], labels[1] * torch.tensor([-1, -1, -1, 1, 1, 1]))
    for kept in (0, 2):
        assert torch.equal(found[kept], rows[kept])
        assert torch.equal(changed[kept], labels[kept])


def test_a_difference_is_shown_over_its_own_spread(source):
    task = make(StateTask, settings(shown="difference"), source)
    made = task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu"))
    rows = torch.cat([task.networks.given(next(made))[0] for _ in range(20)])
    assert rows.shape[1:] == (2, 12, 24)
    assert float(rows[:, 0].mean()) == pytest.approx(0, abs=0.1)
    assert float(rows[:, 1].std()) == pytest.approx(1, rel=0.1)


def test_a_learning_rate_rises_and_falls(source):
    task = make(StateTask, settings(steps=100, warm_up=0.3, learning_rate=0.1), source)
    rates = [task.learning_rate(step) for step in range(101)]
    assert int(np.argmax(rates)) == 30
    assert rates[30] == pytest.approx(0.1)
    assert rates[65] == pytest.approx(0.05)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rates[:31]) > 0).all()


@pytest.mark.parametrize("target", ["changes", "absolute"])
def test_a_network_learns_what_moves(source, tmp_path, target):
    best = train(
        StateTask, tmp_path / "run", source=source, **CPU,
        texts={**TINY, "steps": 300, "validate_every": 300, "target": target},
    )  # fmt: skip
    told = "states" if target == "absolute" else "changes"
    assert best[f"r2_torque_{told}"] > 0.5  # half of the image is as bright as it
    assert ("r2_torque_fused_states" in best) == (target == "absolute")


def test_a_run_that_is_broken_off_ends_as_one_that_is_not(source, tmp_path, monkeypatch):
    texts = {**TINY, "steps": 12, "validate_every": 4, "save_every": 4, "dropout_layers": 2}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(StateTask, whole, texts=texts, source=source, **CPU)

    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(StateTask, broken, texts=texts, source=source, on_progress=stop, **CPU)
    monkeypatch.setattr(StateSource, "from_json", lambda plain: source)
    train(StateTask, broken, resume=True, **CPU)
    found = [RunFolder(run).load(LAST)["networks"] for run in (whole, broken)]
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def test_five_validations_without_improvement_end_training(source, tmp_path):
    texts = {**TINY, "learning_rate": 0, "steps": 100, "validate_every": 2, "patience": 5}
    best = train(StateTask, tmp_path / "run", texts=texts, source=source, **CPU)
    assert best["step"] == 2
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 12


def test_the_paper_s_optimiser(source):
    task = make(StateTask, settings_for(StateTask, "B", {"filters": "4"}), source)
    made = task.optimisers()["sgd"]
    group = made.param_groups[0]
    assert (group["lr"], group["momentum"]) == (1e-5, 0.95)
    assert (task.settings.batch_size, task.settings.patience) == (1, 5)
    assert task.learning_rate(10**6) == 1e-5


def test_a_trial_of_a_run_prepares_a_few_frames(source, trials):
    found = try_out(StateTask, settings(), source, accelerator="cpu")
    assert found.parameters["learned"] > 0
    assert sum(bool(trial.asked) for trial in trials) == 2  # one trains, one validates


def test_what_tells_of_states_is_kept_beside_the_frames(source, trials, tmp_path):
    stage = make(StateTask, settings(), source).networks.stage
    chosen = StateSettings(block=10, period=30)
    gathering.gather(trials[:2], stage, chosen, folder=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
    chosen = StateSettings(block=10, period=30, target="absolute")
    for trial in trials:
        trial.asked.clear()
    made = gathering.gather(trials[:2], stage, chosen, folder=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4
    assert {window for trial in trials for window in trial.asked} == {(0, 1)}
    wanted = stage.compare(trials[1].images(0, 1)[0], made[1].rows)
    np.testing.assert_array_equal(made[1].compared, wanted)
    inside = gathering.gather(trials[:2], stage, chosen)
    np.testing.assert_array_equal(inside[1].compared, wanted)


@pytest.mark.parametrize("folder", [False, True])
def test_blocks_of_frames_are_taken_and_kept(source, trials, tmp_path, folder):
    chosen = StateSettings(block=10, period=30)
    task = make(StateTask, settings(), source)
    place = str(tmp_path / "frames") if folder else ""
    made = gathering.gather(trials, task.networks.stage, chosen, folder=place)
    for trial, kept in zip(trials, made, strict=True):
        begin = 10 * (trial.index % 3)
        wanted = [*range(begin, begin + 10), *range(begin + 30, min(begin + 40, 59))]
        assert list(kept.pairs) == wanted
        frames = trial.images(0, 60)
        np.testing.assert_array_equal(kept.rows[kept.first], frames[kept.pairs])
        np.testing.assert_array_equal(kept.rows[kept.first + 1], frames[kept.pairs + 1])
    for trial in trials:
        trial.asked.clear()
    again = gathering.gather(trials, task.networks.stage, chosen, folder=place)
    np.testing.assert_array_equal(again[3].rows, made[3].rows)
    assert any(trial.asked for trial in trials) == (not folder)


def test_pieces_of_a_long_stretch_join(source, trials, monkeypatch):
    task = make(StateTask, settings(), source)
    whole = gathering.rows_of_trial(trials[0], task.networks.stage, [gathering.Stretch(3, 50)])
    monkeypatch.setattr(gathering, "PIECE", 7)
    pieces = gathering.rows_of_trial(trials[0], task.networks.stage, [gathering.Stretch(3, 50)])
    np.testing.assert_array_equal(pieces, whole)
    np.testing.assert_array_equal(whole, trials[0].images(3, 54))


def test_frames_that_another_run_prepared_are_another_run_s_if_anything_differs(
    source, trials, tmp_path
):
    stage = make(StateTask, settings(), source).networks.stage
    for block in (10, 20):
        gathering.gather(trials[:1], stage, StateSettings(block=block), folder=str(tmp_path))
    trials[0].store.attributes = {"seed": 2}
    gathering.gather(trials[:1], stage, StateSettings(block=10), folder=str(tmp_path))
    binned = make(StateTask, settings(binning="2,2"), source).networks.stage
    gathering.gather(trials[:1], binned, StateSettings(block=10), folder=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_file_of_frames_is_refused(source, trials, tmp_path, refused):
    stage = make(StateTask, settings(), source).networks.stage
    gathering.gather(trials[:1], stage, StateSettings(), folder=str(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with refused("found a file that is damaged", "remove it"):
        gathering.gather(trials[:1], stage, StateSettings(), folder=str(tmp_path))


def test_more_frames_than_memory_are_refused(source, trials, monkeypatch, refused):
    monkeypatch.setattr(gathering, "MEMORY", 1000)
    task = make(StateTask, settings(), source)
    with refused("of frames to be kept", "in memory", "`source.frames`"):
        next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))


def test_one_participant_for_both_is_refused(refused):
    with refused("`validation`: found participant 1", "`test` too"):
        StateSource("trials.zarr", test=1, validation=1)


@pytest.mark.parametrize(
    ("keep", "given", "words"),
    [
        (1, {}, ["found one participant", "three or more"]),
        (2, {}, ["found 2 participants", "three or more"]),
        (4, {"test": 9}, ["`test`: found participant 9", "one of 0, 1, 2, 3"]),
        (4, {"validation": -1}, ["`validation`: found participant -1"]),
    ],
)
def test_participants_that_are_not_there_are_refused(source, trials, keep, given, words, refused):
    del trials[2 * keep :]
    with refused(*words):
        make(StateTask, settings(), StateSource("trials.zarr", **given))


def test_videos_without_signals_are_refused(source, trials, monkeypatch, refused):
    for trial in trials:
        if trial.participant == 1:
            states = trial.states()
            states[:, 2] = np.nan
            monkeypatch.setattr(trial, "states", lambda states=states: states)
    with refused("found no EMG, torque and angle", "participant 1"):
        make(StateTask, settings(), source)


def test_settings_that_do_not_go_together_are_refused(refused):
    with refused("block: found 50 pairs of every 40 frames"):
        StateSettings(block=50, period=40)
    with refused("binning: found (2,)", "rows and columns"):
        StateSettings(binning=(2,))
    with refused("filters: found none"):
        StateSettings(filters=())


def test_what_sees_motion_alone_tells_no_states(source, monkeypatch, refused):
    from musim.training.state.input_stages import Frames

    made = Frames.__init__

    def blind(self, *given):
        made(self, *given)
        self.compared = 0

    monkeypatch.setattr(Frames, "__init__", blind)
    with refused("target: found absolute", "wanted changes"):
        make(StateTask, settings(target="absolute"), source)


def test_a_source_is_the_same_after_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = StateSource("trials.zarr", test=3, validation=4, frames="frames")
    plain = source.to_json()
    monkeypatch.chdir("/")
    again = StateSource.from_json(plain)
    assert again.store == str(tmp_path / "trials.zarr")
    assert again.frames == str(tmp_path / "frames")
    assert (again.test, again.validation) == (3, 4)


def test_what_is_dropped_and_turned_depends_on_the_step_alone(source):
    task = make(StateTask, settings(dropout_layers=2, reversals=0.5), source)
    batch = next(task.batches(source, 0, rank=0, ranks=1, device=torch.device("cpu")))
    task.networks.train()

    def loss(step, rank=0):
        with torch.no_grad():
            return float(task.losses("adamw", batch, step, rank)["changes"])

    torch.manual_seed(1)
    first = loss(7)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert loss(7) == first
    assert torch.equal(torch.get_rng_state(), state)  # others' draws are left alone
    assert len({first, loss(8), loss(7, rank=1)}) == 3
