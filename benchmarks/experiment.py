"""How fast the virtual experiment is: one 2-s sequence, against the processor's arithmetic.

    python -m benchmarks.experiment

4000 IQ images of 256 x 128 pixels with six scatterer cells each, and the imaging chain. The limit
is the processor's: fused multiply-adds in registers that do not wait for one another, by the same
compiler. Steps of the chain stand beside reading and writing their images once. Where there is a
CUDA device, torch makes the IQ images on it too.
"""

import dataclasses
import resource
import subprocess
import sys
import time
from collections import deque

import click
import numpy as np

from benchmarks.figures import GROUPS
from benchmarks.measure import in_turns
from musim.simulator import draw
from musim.simulator.acceleration import kernel
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.recording import images_needed, imaging_of, simulate
from musim.simulator.experiment.speckle import CELLS, Scanner, draw_echoes, iq_blocks
from musim.simulator.imaging.filtering import band_pass_blocks, median_filter
from musim.simulator.imaging.resampling import Resampler, resample_images, resample_time_blocks
from musim.simulator.imaging.velocimetry import velocity_blocks
from musim.simulator.parameters import PRESETS, Parameters
from musim.simulator.ranges import Range
from musim.simulator.vectors import LANES, fused_multiply_add, load, store

PARAMETERS = Parameters(**{**PRESETS["experiment"], "units": Range(7, 7)})
OPERATIONS = 2 * 16 + 38
"""Of a cell in a frame besides its displacement: sine and cosine (16 multiply-adds), rounding, the
mixing, turning and shifting of its scatterers (38 operations)."""

SUMS = 8
TIMES = 4_000_000_000 // (2 * SUMS * LANES)
"""How often the limit goes over its sums for 4 billion operations."""

PIECE = 512
"""IQ images on which steps of the chain are timed."""

MOST_ROUNDS = 3
"""Seconds each, and much alike."""


@kernel
def multiply_add(values, times):
    """Add to eight vectors again and again: 2 operations for each of their 128 values."""
    x, y = load(values, 0), load(values, LANES)
    a = b = c = d = e = f = g = h = x
    for _ in range(times):
        a, b = fused_multiply_add(a, x, y), fused_multiply_add(b, x, y)
        c, d = fused_multiply_add(c, x, y), fused_multiply_add(d, x, y)
        e, f = fused_multiply_add(e, x, y), fused_multiply_add(f, x, y)
        g, h = fused_multiply_add(g, x, y), fused_multiply_add(h, x, y)
    store(values, 0, a + b + c + d + e + f + g + h)


def limit():
    """Take the processor through 4 billion operations on values in registers."""
    multiply_add(np.full(2 * LANES, 0.5, np.float32), TIMES)


def fastest(function, rounds):
    """Return the least processor seconds of some calls, the first one left out."""
    times = []
    for _ in range(rounds + 1):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return min(times[1:])


def echoes():
    """Return what the IQ images of a sequence are made of, and their operations."""
    doses, truth = Doses(), draw(PARAMETERS, doses=Doses(), seed=1, index=0)
    frames = images_needed(PARAMETERS, doses)
    motion = draw_motion(PARAMETERS, doses, truth, 1, 0, frames)
    scanner = Scanner(doses, PARAMETERS.size, motion.tissue.doses["attenuation"])
    drawn = draw_echoes(scanner, motion, 1, 0)
    pixels = frames * doses.image[0] * doses.image[1]
    cell = 2 * len(drawn.fields) + OPERATIONS
    taps = 16 * drawn.axial.shape[2] + 4 * drawn.lateral.shape[1]
    return drawn, pixels * (CELLS[0] * CELLS[1] * cell + taps)


def steps(drawn, rounds):
    """Yield name, processor seconds and bytes read and written for each step of the chain.

    Each is that of a whole sequence, but timed on some of its images.
    """
    part = dataclasses.replace(drawn, courses=drawn.courses[:PIECE])
    iq = list(iq_blocks(part, 64))
    imaging = imaging_of(PARAMETERS, Doses())
    times = len(drawn.courses) / PIECE
    velocity = list(velocity_blocks(iq, imaging.velocimetry))
    joined = np.concatenate(velocity)
    maps = [
        Resampler.cubic(found.first, found.step, wanted.positions)
        for found, wanted in zip(
            (imaging.depth, imaging.width), imaging.output_axes, strict=True
        )
    ]  # fmt: skip
    rates = imaging.frame_rate, imaging.output_rate
    fewer = np.concatenate(list(resample_time_blocks([joined], *rates)))
    frame = joined[0].nbytes
    for name, function, bytes_a_frame in (
        ("velocity", lambda: list(velocity_blocks(iq, imaging.velocimetry)), 3 * frame),
        ("band-pass", lambda: list(band_pass_blocks(velocity, imaging.band_pass)), 2 * frame),
        ("median", lambda: [median_filter(block, imaging.median) for block in velocity], 2 * frame),
        ("in time", lambda: list(resample_time_blocks([joined], *rates)),
         frame * (1 + rates[1] / rates[0])),
        ("in depth and width", lambda: resample_images(fewer, *maps),
         1.5 * frame * rates[1] / rates[0]),
    ):  # fmt: skip
        seconds = fastest(function, rounds) * times
        yield name, seconds, bytes_a_frame * len(drawn.courses)


def on_device(drawn):
    """Return seconds in which torch makes the IQ images on a CUDA device; None without one."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    from musim.datasets.streaming.speckle import DeviceSpeckle

    speckle, taken = DeviceSpeckle(drawn, "cuda"), []
    for _ in range(3):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for first in range(0, len(speckle), 64):
            speckle.images(first, min(64, len(speckle) - first))
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


def figures(folder, rounds):
    """Yield the IQ images for `benchmarks.run`; nothing is written to the folder."""
    drawn, operations = echoes()

    def images():
        for _ in iq_blocks(drawn, 64):
            pass

    times = in_turns(images, limit, min(rounds, MOST_ROUNDS))
    yield GROUPS["experiment"]["echoes"].of(times, operations, 2 * SUMS * LANES * TIMES)


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--alone", is_flag=True, hidden=True)
def main(rounds, alone):
    if alone:
        truth = draw(PARAMETERS, doses=Doses(), seed=1, index=0)
        simulate(PARAMETERS, Doses(), truth, seed=1)  # compiled
        for _ in range(rounds):
            began, before = time.perf_counter(), time.process_time()
            simulate(PARAMETERS, Doses(), truth, seed=1)
            click.echo(f"{time.perf_counter() - began} {time.process_time() - before}")
        click.echo(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} 0")
        return
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.experiment", "--alone", "--rounds", str(rounds)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = np.array([line.split() for line in done.stdout.split("\n") if line], float)
    (wall, processor), memory = np.median(rows[:-1], axis=0), rows[-1, 0]
    drawn, operations = echoes()
    seconds = fastest(lambda: deque(iq_blocks(drawn, 64), maxlen=0), rounds)
    most = 2 * SUMS * LANES * TIMES / fastest(limit, 5)
    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    copied = 2 * source.nbytes / fastest(lambda: np.copyto(target, source), 5)
    click.echo(
        f"| 2-s sequence, 7 units | |\n|---|---:|\n"
        f"| seconds (range) | {wall:.1f} ({rows[:-1, 0].min():.1f}-{rows[:-1, 0].max():.1f}) |\n"
        f"| processor seconds | {processor:.1f} |\n"
        f"| peak memory, MiB | {memory:.0f} |\n"
        f"| of these, IQ images ({len(drawn.fields)} fields), processor seconds | {seconds:.2f} |\n"
        f"| their operations a second, billions | {operations / seconds / 1e9:.1f} |\n"
        f"| multiply-adds in registers, billions of operations a second | {most / 1e9:.1f} |\n"
        f"| share of that limit | {operations / seconds / most:.2f} |"
    )
    for name, spent, size in steps(drawn, rounds):
        share = size / copied / spent
        click.echo(f"| {name}, processor seconds (share of copying) | {spent:.2f} ({share:.2f}) |")
    device = on_device(drawn)
    if device is not None:
        click.echo(f"| IQ images by torch on CUDA, seconds | {device:.2f} |")


if __name__ == "__main__":
    main()
