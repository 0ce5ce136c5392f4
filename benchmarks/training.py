"""Measure a step of training: how fast, how near to what the device can do, what would speed it up.

    python -m benchmarks.training translate --a A.zarr --b B.zarr --set batch_size=2
    python -m benchmarks.training twitch --endless --model paper --precision bf16-mixed
    python -m benchmarks.training detect --data STORE --steps 50

Operations are those of matrix products and convolutions, forward and backward, as torch counts
them; their limit, the fastest matrix products of the run. In float32 a GPU has two: convolutions
use TF32 there unless torch is told otherwise, matrix products do not. What is compared are two
tasks that differ in one thing alone, whose steps run in turns on the same batches.
"""

import argparse
import os
import platform
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch
from lightning.fabric.utilities import move_data_to_device
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import in_turns
from musim.simulator import Parameters
from musim.simulator.errors import InputError
from musim.training.catalogue import TASKS
from musim.training.runs.devices import check_devices
from musim.training.runs.settings import PRECISIONS
from musim.training.runs.sources import Source
from musim.training.runs.stepping import parameters_of, step
from musim.training.runs.task import MODEL
from musim.training.runs.trial import forget
from musim.training.tasks import make, settings_for
from musim.training.translation.domains import Domains

ITEMS = {"detect": "sequences", "twitch": "crops", "translate": "clips of each domain"}
TYPES = dict(zip(PRECISIONS, (torch.float32, torch.bfloat16, torch.float16), strict=True))
LAST, COMPILED, FUSED = "channels-last memory", "torch.compile", "fused optimisers"
AGAINST = {LAST: "contiguous", COMPILED: "as written", FUSED: "torch's usual"}
"""What is compared, and with what."""

WARM_UP = 2
KEPT = 4  # batches for the changes: those of detection differ in their numbers of units
LONG = 0.05  # seconds of a matrix product that is large enough


class Scaled:
    """An optimiser whose gradients a scaler has made larger, as float16 needs them."""

    def __init__(self, optimiser: Any, scaler: torch.amp.GradScaler) -> None:
        self.optimiser, self.scaler = optimiser, scaler
        self.param_groups, self.zero_grad = optimiser.param_groups, optimiser.zero_grad

    def step(self) -> None:
        self.scaler.step(self.optimiser)
        self.scaler.update()


class Stepper:
    """A task on a device, perhaps with one of the changes, whose steps can be timed."""

    def __init__(self, task: Any, device: torch.device, change: str = "") -> None:
        self.device, self.task, self.number = device, task, 0
        self.finish = torch.get_device_module(device).synchronize
        self.precision = self.task.settings.precision
        self.task.networks.to(device)
        for part in outermost(self.task.networks):
            if change == COMPILED:
                part.compile()
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "16-mixed")
        self.optimisers: Any = {}
        for name, one in self.task.optimisers().items():
            # The groups hold all that an optimiser was made with.
            groups = [{**group, "fused": True} for group in one.param_groups]
            chosen = type(one)(groups, fused=True) if change == FUSED else one
            self.optimisers[name] = Scaled(chosen, self.scaler)

    def step(self, batch: Any) -> None:
        """Do a step, and wait until the device has done it."""
        # As in the loop, where Lightning keeps no casts of weights.
        kind, mixed = TYPES[self.precision], self.precision != "32-true"
        with torch.autocast(self.device.type, kind, enabled=mixed, cache_enabled=False):
            step(self.task, self.optimisers, batch, self.number, 0,
                 lambda objective: self.scaler.scale(objective).backward(), self._clip)  # fmt: skip
        self.number += 1
        self.finish()

    def _clip(self, optimiser: Any, most: float) -> None:
        nn.utils.clip_grad_norm_(parameters_of(optimiser), most * self.scaler.get_scale())


def outermost(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the largest parts of a network that are called: some modules only hold others."""
    if type(network).forward is not nn.Module.forward:
        yield network
        return
    for part in network.children():
        yield from outermost(part)


def product_rate(device: torch.device, kind: torch.dtype, precision: str) -> float:
    """Return the most operations a second that a product of two square matrices reaches."""
    finish = torch.get_device_module(device).synchronize
    best, size, times = 0.0, 256, [0.0]
    random = torch.Generator(device).manual_seed(0)
    torch.set_float32_matmul_precision(precision)
    while min(times) < LONG:
        size *= 2
        # Not all alike: such products take less power, and clocks rise.
        matrix = torch.randn(size, size, device=device, generator=random).to(kind)
        times = []
        for _ in range(6):
            began = time.perf_counter()
            torch.mm(matrix, matrix)
            finish()
            times.append(time.perf_counter() - began)
        best = max(best, 2 * size**3 / min(times))
    return best


def operations(stepper: Stepper, batch: Any) -> tuple[int, str]:
    """Return the number of operations of a step, and a remark on those left out."""
    with FlopCounterMode(display=False) as counter:
        stepper.step(batch)
    recurrent = any(isinstance(part, nn.RNNBase) for part in stepper.task.networks.modules())
    # There, cuDNN has one operation for all of such a layer.
    counted = stepper.device.type != "cuda" or torch.ops.aten._cudnn_rnn in counter.flop_registry
    remark = " but for recurrent layers" if recurrent and not counted else ""
    return counter.get_total_flops(), remark


def usual_step(stepper: Stepper, batches: Iterator[Any], name: str, steps: int) -> list[Any]:
    """Print what the unchanged step takes; return some batches."""
    device, waited, busy, items = stepper.device, 0.0, [], 0
    for number in range(WARM_UP + steps):
        asked = time.perf_counter()
        batch = move_data_to_device(next(batches), device)
        stepper.finish()
        came = time.perf_counter()
        stepper.step(batch)
        if number >= WARM_UP:
            waited += came - asked
            busy.append(time.perf_counter() - came)
            items += len(next(iter(batch.get("a", batch).values())))
    what, peak = "of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if device.type == "cuda":
        what, peak = "of tensors on the GPU", torch.cuda.max_memory_allocated(device)
    kept = [move_data_to_device(next(batches), device) for _ in range(KEPT)]
    count, remark = operations(stepper, kept[0])
    middle, total = statistics.median(busy), waited + sum(busy)
    print(
        f"| {ITEMS[name]} a second ({items / steps:g} a step) | {items / total:.3g} |\n|---|---:|"
    )
    print(f"| s a step, median (range) | {middle:.3g} ({min(busy):.3g}-{max(busy):.3g}) |")
    print(f"| share of the time that waits for batches | {waited / total:.2%} |")
    print(f"| peak memory {what}, MiB | {peak / 2**20:.0f} |")
    print(f"| operations of a step{remark}, 10⁹ | {count / 1e9:.4g} |")
    print(f"| operations a second, 10⁹ | {count / middle / 1e9:.4g} |", flush=True)
    kind = TYPES[stepper.precision]
    ways = {str(kind).removeprefix("torch."): "highest"}
    if device.type == "cuda" and kind == torch.float32:
        ways = {"TF32": "high", **ways}
    for arithmetic, way in ways.items():
        most = product_rate(device, kind, way)
        share = f"{count / middle / most:.1%}"
        print(
            f"| of what matrix products in {arithmetic} reach, {most / 1e9:.4g} · 10⁹ | {share} |"
        )
    return kept


def compared(make_task: Any, usual: Stepper, kept: list, what: str, rounds: int) -> str:
    """Return a row that compares steps with one of :data:`AGAINST` and without."""
    settings = usual.task.settings
    # Tasks may use channels-last memory already: it is then the other one that goes without.
    usual_has = what == LAST and settings.memory_format == "channels-last"
    if what == LAST:
        memory_format = AGAINST[LAST] if usual_has else "channels-last"
        settings = replace(settings, memory_format=memory_format)
    try:
        other = Stepper(make_task(settings), usual.device, what)
        began = time.perf_counter()
        for batch in kept:
            other.step(batch)
        seconds = time.perf_counter() - began
        # Both go on from one step: they meet the same batches.
        other.number = usual.number
        pair = (usual, other) if usual_has else (other, usual)
        turns = [lambda each=each: each.step(kept[each.number % KEPT]) for each in pair]
        result = in_turns(*turns, rounds)
    except Exception as error:
        # Whatever it is, the rest can still be measured.
        first = next(iter(str(error).strip().splitlines()), "")
        return f"| {what} | {AGAINST[what]} | cannot run: {type(error).__name__} {first} | |"
    finally:
        torch.compiler.reset()
    return f"| {what} | {AGAINST[what]} | {result.text()} | {seconds:.1f} |"


def main() -> None:
    """Measure what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("task", choices=TASKS)
    add("--model", default=MODEL, help="size of the networks")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, repeatable")
    add("--precision", choices=PRECISIONS, help="instead of the model's")
    add("--accelerator", choices=("auto", "cpu", "cuda"), default="auto")
    add("--steps", type=int, default=20, help="that are timed, of each kind")
    add("--a", default="", metavar="STORE", help="simulated sequences to translate")
    add("--b", default="", metavar="STORE", help="recorded ones")
    add("--data", default="", metavar="STORE", help="stored sequences")
    add("--endless", action="store_true", help="instead, sequences that are not stored")
    add("--units", default="1-30", help="of endless sequences")
    options = parser.parse_args()
    texts = dict(text.partition("=")[::2] for text in options.set)
    texts |= {"precision": options.precision} if options.precision else {}
    if options.task == "translate" and not (options.a and options.b):
        parser.error("found not both of --a and --b, wanted two stores to translate")
    try:
        task_class = TASKS[options.task]
        settings = settings_for(task_class, options.model, texts)
        drawn = Parameters.from_texts({"units": options.units}, "ali-2020")
        source: Any
        if options.task == "translate":
            source = Domains(options.a, options.b)
        else:
            source = Source(options.data, drawn if options.endless else None)
        device = check_devices(options.accelerator, 1, settings.batch_size, settings.precision)
        usual = Stepper(make(task_class, settings, source), device)
    except InputError as error:
        parser.error(str(error))
    where = f"{platform.machine()}, {torch.get_num_threads()} of {os.cpu_count()} processors"
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else where
    what = f"{options.task}, {options.model}, {settings.precision}"
    print(f"{what}; {where}; torch {torch.__version__}\n", flush=True)
    with closing(usual.task.batches(source, 0, rank=0, ranks=1, device=device)) as batches:
        kept = usual_step(usual, batches, options.task, options.steps)
    print("\n| step with | against | times as fast, median (range) | first steps of the one that is"
          " not usual, s |\n|---|---|---:|---:|")  # fmt: skip

    def make_task(settings: Any) -> Any:
        return make(task_class, settings, source)

    for what in AGAINST:
        forget(device)
        print(compared(make_task, usual, kept, what, options.steps), flush=True)


if __name__ == "__main__":
    main()
