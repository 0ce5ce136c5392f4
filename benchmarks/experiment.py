"""How fast the virtual experiment is: one 2-s sequence, against the processor's arithmetic.

    python -m benchmarks.experiment

4000 IQ images of 256 x 128 pixels with six scatterer cells each, and the imaging chain. The limit
is the processor's: fused multiply-adds on values in the nearest cache, by the same compiler.
"""

import resource
import subprocess
import sys
import time

import click
import numpy as np

from benchmarks.figures import GROUPS
from benchmarks.measure import in_turns
from musim.simulator import draw
from musim.simulator.acceleration import fused_multiply_add, kernel
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.recording import images_needed, simulate
from musim.simulator.experiment.speckle import CELLS, Scanner, draw_echoes, iq_blocks
from musim.simulator.parameters import PRESETS, Parameters
from musim.simulator.ranges import Range

PARAMETERS = Parameters(**{**PRESETS["experiment"], "units": Range(7, 7)})
OPERATIONS = 2 * 16 + 38
"""Of a cell in a frame besides its displacement: sine and cosine (16 multiply-adds), rounding, the
mixing, turning and shifting of its scatterers (38 operations)."""

TERMS = 64
MULTIPLIED = 100_000
"""Times that the limit goes over its values, so that it takes a second or so."""

MOST_ROUNDS = 3
"""Seconds each, and much alike."""


@kernel
def horner(values, out):
    """Evaluate a polynomial of 64 terms at each value: 128 operations on values in registers."""
    for i in range(values.size):
        x = values[i]
        total = np.float32(1)
        for _ in range(TERMS):
            total = fused_multiply_add(total, x, np.float32(0.5))
        out[i] = total


def peak():
    """Return floating-point operations a second of one core."""
    values = np.linspace(-0.5, 0.5, 4096, dtype=np.float32)
    out = np.empty_like(values)
    horner(values, out)
    fastest = np.inf
    for _ in range(50):
        began = time.perf_counter()
        for _ in range(20):
            horner(values, out)
        fastest = min(fastest, (time.perf_counter() - began) / 20)
    return 2 * TERMS * values.size / fastest


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


def echoes_alone(rounds):
    """Return processor seconds for the IQ images of a sequence, and their operations."""
    drawn, operations = echoes()
    fastest = np.inf
    for _ in range(rounds + 1):
        began = time.process_time()
        for _ in iq_blocks(drawn, 64):
            pass
        fastest = min(fastest, time.process_time() - began)
    return fastest, operations, len(drawn.fields)


def figures(folder, rounds):
    """Yield the IQ images for `benchmarks.run`; nothing is written to the folder."""
    drawn, operations = echoes()
    values = np.linspace(-0.5, 0.5, 4096, dtype=np.float32)
    out = np.empty_like(values)

    def multiply_adds():
        for _ in range(MULTIPLIED):
            horner(values, out)

    def images():
        for _ in iq_blocks(drawn, 64):
            pass

    times = in_turns(images, multiply_adds, min(rounds, MOST_ROUNDS))
    limit = 2 * TERMS * values.size * MULTIPLIED
    yield GROUPS["experiment"]["echoes"].of(times, operations, limit)


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
    seconds, operations, fields = echoes_alone(rounds)
    limit = peak()
    click.echo(
        f"| 2-s sequence, 7 units | |\n|---|---:|\n"
        f"| seconds (range) | {wall:.1f} ({rows[:-1, 0].min():.1f}-{rows[:-1, 0].max():.1f}) |\n"
        f"| processor seconds | {processor:.1f} |\n"
        f"| peak memory, MiB | {memory:.0f} |\n"
        f"| of these, IQ images ({fields} fields), processor seconds | {seconds:.1f} |\n"
        f"| their operations a second, billions | {operations / seconds / 1e9:.1f} |\n"
        f"| multiply-adds in registers, billions of operations a second | {limit / 1e9:.1f} |\n"
        f"| share of that limit | {operations / seconds / limit:.2f} |"
    )


if __name__ == "__main__":
    main()
