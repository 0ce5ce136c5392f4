"""Measure a step of training: how fast, how near to what the device can do, what would speed it up.

    python -m benchmarks.training translate --a A.zarr --b B.zarr --set batch_size=2
    python -m benchmarks.training twitch --endless --model paper --precision bf16-mixed
    python -m benchmarks.training detect --data STORE --steps 50

The same on a GPU and on a CPU. Operations are those of matrix products and convolutions, as torch
counts them, forward and backward; normalisation, activations, pooling and the optimisers have few.
Their limit are the fastest square matrix products of the run in the same precision. In float32 a
GPU has two: convolutions use TF32 there unless torch is told otherwise, matrix products do not.
Changes are made to a second task, whose steps run in turns with those of an unchanged one, on the
same batches.
"""

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import in_turns
from musim.simulator import Parameters
from musim.simulator.errors import InputError
from musim.training.runs.devices import check_devices
from musim.training.runs.settings import PRECISIONS, Settings
from musim.training.runs.sources import Source
from musim.training.runs.stepping import parameters_of, step
from musim.training.runs.trial import forget
from musim.training.tasks import MODEL, TASKS, make, settings_for
from musim.training.translation.domains import Domains

ITEMS = {"detect": "sequences", "twitch": "crops", "translate": "clips of each domain"}
TYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
WARM_UP = 2
KEPT = 4
"""Batches that a change is measured on: those of detection differ in their numbers of units."""
LONG = 0.05
"""Seconds of a matrix product that is large enough."""


class Scaled:
    """An optimiser for gradients that a scaler has made larger, as float16 needs them."""

    def __init__(self, optimiser: Optimizer, scaler: torch.amp.GradScaler) -> None:
        self.optimiser, self.scaler = optimiser, scaler
        self.param_groups, self.zero_grad = optimiser.param_groups, optimiser.zero_grad

    def step(self) -> None:
        self.scaler.step(self.optimiser)
        self.scaler.update()


class Stepper:
    """A task on a device, with networks or optimisers changed, whose steps can be timed."""

    def __init__(self, make_task: Callable[[], Any], device: torch.device, change: str = "") -> None:
        self.device, self.task, self.number = device, make_task(), 0
        self.precision = self.task.settings.precision
        self.task.networks.to(device)
        if change in NETWORKS:
            NETWORKS[change](self.task.networks)
        optimisers = self.task.optimisers()
        if change in OPTIMISERS:
            optimisers = {name: OPTIMISERS[change](one) for name, one in optimisers.items()}
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "16-mixed")
        self.optimisers: Any = {name: Scaled(one, self.scaler) for name, one in optimisers.items()}

    def step(self, batch: Any) -> None:
        """Do a step, and wait until the device has done it."""
        # As the loop's precision does it, which keeps no casts of weights.
        kind, mixed = TYPES[self.precision], self.precision != "32-true"
        with torch.autocast(self.device.type, kind, enabled=mixed, cache_enabled=False):
            step(self.task, self.optimisers, batch, self.number, 0, self._backward, self._clip)
        self.number += 1
        finish(self.device)

    def _backward(self, objective: Tensor) -> None:
        self.scaler.scale(objective).backward()

    def _clip(self, optimiser: Any, most: float) -> None:
        nn.utils.clip_grad_norm_(parameters_of(optimiser), most * self.scaler.get_scale())


def outermost(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the largest parts of a network that are called: some only hold others."""
    if type(network).forward is not nn.Module.forward:
        yield network
        return
    for part in network.children():
        yield from outermost(part)


def channels_last(value: Any) -> Any:
    """Return a tensor of images or clips with its channels last in memory; others as they are."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    if not isinstance(value, Tensor) or value.ndim not in formats:
        return value
    return value.contiguous(memory_format=formats[value.ndim])


def with_channels_last(networks: nn.Module) -> None:
    for parameter in networks.parameters():
        parameter.data = channels_last(parameter.data)
    for part in outermost(networks):
        part.register_forward_pre_hook(lambda _, inputs: tuple(map(channels_last, inputs)))


def compiled(networks: nn.Module) -> None:
    for part in outermost(networks):
        part.compile()


def fused(optimiser: Optimizer) -> Optimizer:
    # The groups hold all that the optimiser was made with.
    groups = [{**group, "fused": True} for group in optimiser.param_groups]
    return type(optimiser)(groups, fused=True)  # type: ignore[call-arg]


NETWORKS = {"channels-last memory": with_channels_last, "torch.compile": compiled}
OPTIMISERS = {"fused optimisers": fused}


def finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch on a device."""
    if isinstance(batch, Mapping):
        return {name: moved(value, device) for name, value in batch.items()}
    return batch.to(device) if isinstance(batch, Tensor) else batch


def items_of(batch: Any) -> int:
    while isinstance(batch, Mapping):
        batch = next(iter(batch.values()))
    return len(batch)


def spread(values: list[float], digits: int = 3) -> str:
    """Return the median of values with their range."""
    low, middle, high = (
        f"{value:.{digits}g}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low}-{high})"


def peak_memory(device: torch.device) -> tuple[str, float]:
    """Return what was measured, and MiB."""
    if device.type == "cuda":
        return "peak memory of tensors on the GPU", torch.cuda.max_memory_allocated(device) / 2**20
    status = Path("/proc/self/status")
    if status.exists():
        # Not from getrusage, which counts the process that started this one too.
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return "peak memory of the process", int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return "peak memory of the process", peak


def product_rate(device: torch.device, kind: torch.dtype) -> float:
    """Return the most operations a second that a product of two square matrices reaches."""
    best, size = 0.0, 512
    random = torch.Generator(device).manual_seed(0)
    while True:
        # No zeros or ones, which take less power, with which clocks rise.
        matrix = torch.randn(size, size, device=device, generator=random).to(kind)
        times = []
        for _ in range(6):
            finish(device)
            began = time.perf_counter()
            torch.mm(matrix, matrix)
            finish(device)
            times.append(time.perf_counter() - began)
        best = max(best, 2 * size**3 / min(times[1:]))
        if min(times) > LONG:
            return best
        size *= 2


def limits(device: torch.device, precision: str) -> dict[str, float]:
    """Return operations a second of the largest matrix products, by arithmetic."""
    kind = TYPES[precision]
    if device.type != "cuda" or kind != torch.float32:
        return {str(kind).removeprefix("torch."): product_rate(device, kind)}
    before = torch.get_float32_matmul_precision()
    found = {}
    try:
        for name, way in (("float32", "highest"), ("TF32", "high")):
            torch.set_float32_matmul_precision(way)
            found[name] = product_rate(device, kind)
    finally:
        torch.set_float32_matmul_precision(before)
    return found


def operations(stepper: Stepper, batch: Any) -> tuple[int, str]:
    """Return the number of operations of a step, and a remark on those left out."""
    with FlopCounterMode(display=False) as counter:
        stepper.step(batch)
    missing = set()
    for part in stepper.task.networks.modules():
        if isinstance(part, nn.RNNBase):
            # Some devices have one operation for the whole layer, which torch does not count.
            with FlopCounterMode(display=False) as own:
                part(torch.zeros(1, 2, part.input_size, device=stepper.device))
            if own.get_total_flops() == 0:
                missing.add(type(part).__name__)
    return counter.get_total_flops(), f", without {', '.join(missing)}" if missing else ""


def plain(stepper: Stepper, batches: Iterator[Any], name: str, steps: int) -> list[Any]:
    """Print what the unchanged step takes; return some batches."""
    device, waited, busy, items = stepper.device, 0.0, [], 0
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    for number in range(WARM_UP + steps):
        asked = time.perf_counter()
        batch = moved(next(batches), device)
        finish(device)
        came = time.perf_counter()
        stepper.step(batch)
        if number >= WARM_UP:
            waited += came - asked
            busy.append(time.perf_counter() - came)
            items += items_of(batch)
    total = waited + sum(busy)
    what, peak = peak_memory(device)
    kept = [batch, *(moved(next(batches), device) for _ in range(KEPT - 1))]
    count, left_out = operations(stepper, batch)
    rate = count / statistics.median(busy)
    print(f"| {ITEMS[name]} | |\n|---|---:|\n| a second | {items / total:.3g} |")
    print(f"| in a step | {items / steps:g} |")
    print(f"| s a step, median (range) | {spread(busy)} |")
    print(f"| waiting for batches, share of the time | {waited / total:.2%} |")
    print(f"| {what}, MiB | {peak:.0f} |")
    print(f"| operations of a step{left_out}, 1e9 | {count / 1e9:.4g} |")
    print(f"| operations a second, 1e9 | {rate / 1e9:.4g} |", flush=True)
    for arithmetic, most in limits(device, stepper.precision).items():
        print(f"| share of products in {arithmetic} ({most / 1e9:.4g}) | {rate / most:.1%} |")
    forget(device)
    return kept


def changed(make_task: Callable[[], Any], usual: Stepper, kept: list[Any], change: str, rounds: int) -> str:
    """Return a row that compares a changed task with the unchanged one."""
    try:
        other = Stepper(make_task, usual.device, change)
        began = time.perf_counter()
        for batch in kept:
            other.step(batch)
        seconds = time.perf_counter() - began

        def next_of(stepper: Stepper) -> Callable[[], None]:
            return lambda: stepper.step(kept[stepper.number % len(kept)])

        # From one number on, so that both meet the same batches.
        other.number = usual.number = 0
        result = in_turns(next_of(other), next_of(usual), rounds)
    except Exception as error:
        # Whatever it is, the other changes can still be measured.
        lines = str(error).strip().splitlines()
        return f"| {change} | cannot run: {type(error).__name__} {lines[0] if lines else ''} | |"
    finally:
        torch.compiler.reset()
    return f"| {change} | {result.text()} | {seconds:.1f} |"
