"""The loop: resumed equals uninterrupted, processes share a gradient, divergence stops it."""

import itertools
import signal
import threading
import warnings

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightning.fabric.plugins.precision import MixedPrecision
from musim_toy import ToySource, ToyTask
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from musim.simulator.errors import FailureError, InputError
from musim.training.runs import devices as devices_module
from musim.training.runs import loop as loop_module
from musim.training.runs.folder import BEST, CURVES, LAST, TRAINING, VALIDATION
from musim.training.runs.loop import fit
from musim.training.runs.stepping import NotFiniteError, is_finite


def equal(one, other):
    """Whether two states hold the same, to the last bit, but for how long it took."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() - {"seconds"}
        return keys == other.keys() - {"seconds"} and all(equal(one[k], other[k]) for k in keys)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def assert_same(one, other):
    for name in (LAST, BEST):
        assert (one.path / name).exists() == (other.path / name).exists()
        if (one.path / name).exists():
            assert equal(one.load(name), other.load(name)), name
    for name in (TRAINING, VALIDATION):
        assert equal(one.history(name), other.history(name)), name


def interrupt_at(step):
    """Return a function that is told of progress and presses Ctrl-C after a step."""

    def note(done, total):
        if done == step:
            signal.raise_signal(signal.SIGINT)

    return note


def train_in_parts(task, source, folder, breaks):
    """Train and break off after some steps: the loop finishes the step that follows."""
    resume = False
    for step in breaks:
        with pytest.raises(KeyboardInterrupt):
            fit(task(), source, folder, resume=resume, accelerator="cpu",
                on_progress=interrupt_at(step))  # fmt: skip
        assert folder.load(LAST)["step"] == step + 1
        resume = True
    return fit(task(), source, folder, resume=resume, accelerator="cpu")


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_run_with_breaks_equals_one_without(tmp_path_factory, toy, endless, folder_at, data):
    values = data.draw(
        st.fixed_dictionaries(
            {
                "optimiser": st.sampled_from(["sgd", "adam"]),
                "norm": st.sampled_from([0.0, 0.1]),
                "patience": st.sampled_from([0, 50]),
                "save_every": st.integers(1, 13),
                "validate_every": st.integers(1, 13),
                "log_every": st.integers(1, 5),
                "precision": st.sampled_from(["32-true", "bf16-mixed"]),
            }
        )
    )
    breaks = sorted(data.draw(st.sets(st.integers(0, 10), min_size=1, max_size=2)))
    if len(breaks) == 2 and breaks[1] == breaks[0] + 1:
        breaks.pop()
    path = tmp_path_factory.mktemp("run")
    whole, parts = folder_at(path / "whole"), folder_at(path / "parts")
    one = fit(toy(**values), endless, whole, accelerator="cpu")
    other = train_in_parts(lambda: toy(**values), endless, parts, breaks)
    assert one == other
    assert_same(whole, parts)


def test_early_stopping_counts_across_breaks(tmp_path, toy, endless, folder_at):
    values = {"learning_rate": 0.0, "patience": 3, "validate_every": 2, "save_every": 100,
              "steps": 1000}  # fmt: skip
    whole, parts = folder_at(tmp_path / "whole"), folder_at(tmp_path / "parts")
    best = fit(toy(**values), endless, whole, accelerator="cpu")
    # The first validation is the best; three that are no better follow.
    assert whole.load(LAST)["step"] == 8
    assert best["step"] == 2
    assert train_in_parts(lambda: toy(**values), endless, parts, [2, 4, 6]) == best
    assert_same(whole, parts)
    # It is over: nothing is done, whatever is asked.
    assert fit(toy(**values), endless, parts, resume=True, accelerator="cpu") == best
    assert_same(whole, parts)


def test_a_finished_run_is_left_as_it_is(tmp_path, toy, endless, folder_at):
    folder, told = folder_at(tmp_path / "run"), []
    best = fit(toy(), endless, folder, accelerator="cpu", on_progress=lambda *a: told.append(a))
    assert told == [(n, 12) for n in range(13)]
    before = {file: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}
    again = fit(toy(), endless, folder, resume=True, accelerator="cpu", on_progress=told.append)
    assert again == best
    assert len(told) == 13
    assert before == {file: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}


def test_the_best_checkpoint_is_that_of_the_best_validation(tmp_path, toy, endless, folder_at):
    # A rate at which it gets worse after some steps.
    folder = folder_at(tmp_path / "run")
    best = fit(toy(learning_rate=0.4, validate_every=1), endless, folder, accelerator="cpu")
    rows = folder.history(VALIDATION)
    scores = [row["error"] for row in rows]
    assert 1 < rows[scores.index(min(scores))]["step"] < 12
    assert best["step"] == rows[scores.index(min(scores))]["step"]
    assert folder.load(BEST)["step"] == best["step"]
    task = toy()
    task.networks.load_state_dict(folder.load(BEST)["networks"])
    with torch.no_grad():
        assert task.validate(endless, torch.device("cpu"))["error"] == best["error"]


def test_the_step_is_that_of_plain_torch(tmp_path, toy, endless, folder_at):
    folder = folder_at(tmp_path / "run")
    fit(toy(norm=0.5, steps=5), endless, folder, accelerator="cpu")
    task = toy(norm=0.5)
    optimisers = task.optimisers()
    for number in range(5):
        batch = endless.make(4 * number, 4)
        for name, optimiser in optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = 0.05 / (1 + number)
            task.networks.zero_grad()
            task.error(batch["tvi"]).mean().backward()
            torch.nn.utils.clip_grad_norm_(task.networks[name].parameters(), 0.5)
            optimiser.step()
    for name, value in folder.load(LAST)["networks"].items():
        torch.testing.assert_close(value, task.networks.state_dict()[name])


@pytest.mark.parametrize("values", [{"nan_at": 7}, {"spoil_at": 7, "save_every": 1}])
def test_divergence_stops_and_says_where_the_last_checkpoint_is(
    tmp_path, toy, endless, folder_at, values
):
    folder = folder_at(tmp_path / "run")
    saved = 6 if "nan_at" in values else 7
    with pytest.raises(NotFiniteError) as caught:
        fit(toy(**values), endless, folder, accelerator="cpu")
    text = str(caught.value)
    assert text.startswith(f"step {7 if 'nan_at' in values else 8}: ")
    assert f"last.ckpt holds step {saved}" in text
    state = folder.load(LAST)
    assert state["step"] == saved
    assert all(torch.isfinite(value).all() for value in state["networks"].values())


def test_divergence_before_any_checkpoint_says_so(tmp_path, toy, endless, folder_at):
    folder = folder_at(tmp_path / "run")
    with pytest.raises(NotFiniteError, match="no checkpoint yet"):
        fit(toy(nan_at=0), endless, folder, accelerator="cpu")


def test_an_error_of_the_source_ends_its_threads(tmp_path, toy, folder_at):
    folder = folder_at(tmp_path / "run")
    with pytest.raises(OSError, match="broken"):
        fit(toy(), ToySource(broken=30), folder, accelerator="cpu")
    assert folder.load(LAST)["step"] == 6


def test_curves_can_be_read_and_are_of_one_piece(tmp_path, toy, endless, folder_at):
    folder = folder_at(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        fit(toy(), endless, folder, accelerator="cpu", on_progress=interrupt_at(6))
    fit(toy(), endless, folder, resume=True, accelerator="cpu")
    assert {file.name for file in folder.path.iterdir()} == {
        "run.json", LAST, BEST, TRAINING, VALIDATION, CURVES,
    }  # fmt: skip
    events = EventAccumulator(str(folder.path / CURVES)).Reload()
    assert {"training/loss", "training/first", "validation/error"} <= set(events.Tags()["scalars"])
    for name, table in (("training/loss", TRAINING), ("validation/error", VALIDATION)):
        found = [(event.step, event.value) for event in events.Scalars(name)]
        rows = [(row["step"], row[name.split("/")[1]]) for row in folder.history(table)]
        assert found == [(step, pytest.approx(value)) for step, value in rows]


def test_nothing_of_lightning_shows(tmp_path, toy, endless, folder_at, capfd, recwarn, caplog):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        fit(toy(), endless, folder_at(tmp_path / "run"), accelerator="cpu")
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert [str(each.message) for each in found] == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("options", "values", "words"),
    [
        ({"accelerator": "abacus"}, {}, "auto, cpu, cuda, mps"),
        ({"devices": 3}, {}, "multiple of 3"),
        ({"devices": 0}, {}, "1 or more"),
        ({}, {"precision": "16-mixed"}, "bf16-mixed"),
    ],
)
def test_devices_that_cannot_be_used(
    tmp_path, toy, endless, folder_at, options, values, words, refused
):
    folder = folder_at(tmp_path / "run")
    with refused(words):
        fit(toy(**values), endless, folder, **{"accelerator": "cpu", **options})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there(tmp_path, toy, endless, folder_at):
    with pytest.raises(InputError, match="no cuda device"):
        fit(toy(), endless, folder_at(tmp_path / "run"), accelerator="gpu")


def test_the_scale_of_half_precision_is_kept_and_clipping_knows_it(
    tmp_path, toy, endless, folder_at, monkeypatch
):
    """A CPU computes in float16 if only asked in another way than a user can."""
    made = []

    def fabric(device, devices, precision):
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
        plugin = MixedPrecision("16-mixed", "cpu", scaler)
        made.append(scaler)
        real = devices_module.Fabric
        with monkeypatch.context() as patch:
            patch.setattr(
                devices_module, "Fabric",
                lambda plugins, precision, **rest: real(plugins=[*plugins, plugin], **rest),
            )  # fmt: skip
            return devices_module.make_fabric(device, devices, precision)

    monkeypatch.setattr(loop_module, "make_fabric", fabric)
    whole, parts = folder_at(tmp_path / "whole"), folder_at(tmp_path / "parts")
    fit(toy(norm=0.01), endless, whole, accelerator="cpu")
    train_in_parts(lambda: toy(norm=0.01), endless, parts, [4])
    assert whole.load(LAST)["scaler"]["scale"] > 1024
    assert_same(whole, parts)
    # Clipped to 0.01 whatever the scale, as in plain precision.
    monkeypatch.undo()
    plain = folder_at(tmp_path / "plain")
    fit(toy(norm=0.01), endless, plain, accelerator="cpu")
    for name, value in plain.load(LAST)["networks"].items():
        torch.testing.assert_close(value, whole.load(LAST)["networks"][name], atol=3e-4, rtol=0.01)


@pytest.mark.slow
def test_two_processes_do_the_step_of_one(tmp_path, toy, endless, folder_at):
    one, two = folder_at(tmp_path / "one"), folder_at(tmp_path / "two")
    values, told = {"norm": 0.5, "steps": 6}, []
    fit(toy(**values), endless, one, accelerator="cpu")
    best = fit(toy(**values), endless, two, accelerator="cpu", devices=2,
               on_progress=lambda *a: told.append(a))  # fmt: skip
    assert told == [(n, 6) for n in range(7)]
    alone, shared = one.load(LAST), two.load(LAST)
    assert shared["step"] == 6
    assert best == shared["best"]
    for name, value in alone["networks"].items():
        torch.testing.assert_close(value, shared["networks"][name], rtol=1e-5, atol=1e-6)
    # It goes on, in one process or in two.
    fit(toy(norm=0.5, steps=8), endless, two, resume=True, accelerator="cpu", devices=2)
    fit(toy(norm=0.5, steps=8), endless, one, resume=True, accelerator="cpu")
    for name, value in one.load(LAST)["networks"].items():
        torch.testing.assert_close(value, two.load(LAST)["networks"][name], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"nan_at": 4, "nan_rank": 1}, NotFiniteError, "last.ckpt holds step 3"),
        ({"room": 1}, torch.OutOfMemoryError, "no room"),
    ],
)
def test_an_error_in_one_process_ends_all(tmp_path, toy, endless, folder_at, values, error, words):
    folder = folder_at(tmp_path / "run")
    with pytest.raises(error, match=words):
        fit(toy(**values), endless, folder, accelerator="cpu", devices=2)


@pytest.mark.slow
def test_an_interrupt_stops_all_processes_after_the_step(tmp_path, toy, endless, folder_at):
    folder = folder_at(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        fit(toy(steps=100000, save_every=100000), endless, folder, accelerator="cpu", devices=2,
            on_progress=interrupt_at(5))  # fmt: skip
    assert 5 < folder.load(LAST)["step"] < 100000
    assert issubclass(NotFiniteError, FailureError)


@pytest.mark.parametrize(("higher", "step", "score"), [(True, 9, 0.5), (False, 6, 0.2)])
def test_the_best_is_the_highest_or_the_lowest_but_never_not_a_number(
    tmp_path, toy, endless, folder_at, monkeypatch, higher, step, score
):
    scores = iter((float("nan"), 0.2, 0.5, 0.3))
    monkeypatch.setattr(ToyTask, "higher_is_better", higher)
    monkeypatch.setattr(ToyTask, "validate", lambda *_: {"error": next(scores)})
    folder = folder_at(tmp_path / "run")
    best = fit(toy(validate_every=3), endless, folder, accelerator="cpu")
    assert (best["step"], best["error"]) == (step, score)
    assert folder.load(BEST)["step"] == step
    assert folder.load(LAST)["waited"] == (12 - step) // 3


def test_every_so_many_steps_are_logged_and_the_last_is_always_validated(
    tmp_path, toy, endless, folder_at, monkeypatch
):
    validate, modes = ToyTask.validate, []

    def note(self, *arguments):
        modes.append(self.networks.training)
        return validate(self, *arguments)

    monkeypatch.setattr(ToyTask, "validate", note)
    folder = folder_at(tmp_path / "run")
    fit(toy(steps=7, log_every=2, validate_every=5), endless, folder, accelerator="cpu")
    assert [row["step"] for row in folder.history(TRAINING)] == [2, 4, 6]
    assert [row["step"] for row in folder.history(VALIDATION)] == [5, 7]
    assert modes == [False, False]


def test_a_scheduler_that_wants_its_machine_back_is_obeyed(
    tmp_path, toy, endless, folder_at, monkeypatch
):
    whole, parts = folder_at(tmp_path / "whole"), folder_at(tmp_path / "parts")
    losses = ToyTask.losses

    def end(self, optimiser, batch, step, rank):
        if (step, optimiser) == (4, "first"):
            signal.raise_signal(signal.SIGTERM)
        return losses(self, optimiser, batch, step, rank)

    with monkeypatch.context() as patch:
        patch.setattr(ToyTask, "losses", end)
        with pytest.raises(KeyboardInterrupt):
            fit(toy(), endless, parts, accelerator="cpu")
    assert parts.load(LAST)["step"] == 5
    fit(toy(), endless, parts, resume=True, accelerator="cpu")
    fit(toy(), endless, whole, accelerator="cpu")
    assert_same(whole, parts)


def test_a_scheduler_that_comes_after_the_end_of_a_step_loses_none(
    tmp_path, toy, endless, folder_at
):
    folder = folder_at(tmp_path / "run")

    def end(done, total):
        if done == 4:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        fit(toy(), endless, folder, accelerator="cpu", on_progress=end)
    # As after Ctrl-C, one more is done.
    assert folder.load(LAST)["step"] == 5


def test_seconds_go_on_across_a_break(tmp_path, toy, endless, folder_at):
    folder = folder_at(tmp_path / "run")
    train_in_parts(lambda: toy(steps=6, pause=0.02), endless, folder, [2])
    seconds = [row["seconds"] for row in folder.history(TRAINING)]
    # Two optimisers pause in every step.
    assert all(later - sooner >= 0.04 for sooner, later in itertools.pairwise(seconds))


def test_statistics_that_are_not_finite_are_found():
    network = torch.nn.BatchNorm1d(2)
    assert is_finite(network)
    network.running_var[1] = float("inf")
    assert not is_finite(network)
    assert is_finite(torch.nn.ReLU())


def test_a_second_interrupt_is_at_once_and_none_is_left_behind():
    stop, reached = threading.Event(), []

    def interrupt_twice():
        with devices_module.interruptible(stop):
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
                reached.append(stop.is_set())

    # Where tests run in the background, interrupts are not listened to.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt_twice()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached == [True]


def test_it_trains_in_a_thread_too(tmp_path, toy, endless, folder_at):
    done = []
    thread = threading.Thread(
        target=lambda: done.append(
            fit(toy(), endless, folder_at(tmp_path / "run"), accelerator="cpu")
        )
    )
    thread.start()
    thread.join()
    assert done[0]["step"] == 12


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (torch.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: Out Of Memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_a_lack_of_room_is_told_from_other_errors(error, full):
    assert devices_module.is_out_of_memory(error) == full
