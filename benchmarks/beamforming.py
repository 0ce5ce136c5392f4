"""How fast beamforming is on one core, beside the limits that memory sets.

    python -m benchmarks.beamforming

A sum is one element's contribution to one pixel of one frame. Two limits: each echo read from
memory once and each pixel written once; and one echo of 8 bytes read from memory for every sum, as
it would be without caches.
"""

import time

import click
import numpy as np

from benchmarks.figures import GROUPS
from benchmarks.measure import in_turns
from musim.simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe
from musim.simulator.imaging.beamforming import beamform, delay_and_sum
from musim.simulator.imaging.demodulation import demodulate

FRAMES, ELEMENTS, SAMPLES = 64, 128, 1000
F_NUMBERS = (0.01, 1.0, 1.5, 2.0)
"""The first takes all elements for every pixel."""


PROBE = Probe(ELEMENTS, 0.3, 0.27)
ACQUISITION = Acquisition(
    probe=PROBE, waves=PlaneWaves(), sampling_frequency=20e6, centre_frequency=5e6
)
GRID = PixelGrid.spanning((2, 38), (-19.2, 19.2), (256, 128))


def signals():
    """Return RF signals of noise."""
    shape = (FRAMES, 1, ELEMENTS, SAMPLES)
    return np.random.default_rng(0).integers(-1000, 1000, shape, np.int16)


def sums_of(f_number):
    """Return the number of sums of all frames: elements in the aperture of each pixel."""
    offsets = np.abs(GRID.width[:, None] - PROBE.positions)
    half = np.maximum(GRID.depth / (2 * f_number), PROBE.pitch)
    return FRAMES * sum(int((offsets < reach).sum()) for reach in half)


def figures(folder, rounds):
    """Yield beamforming and demodulation for `benchmarks.run`; nothing is written to the folder."""
    rf, f_number = signals(), 1.5
    iq = demodulate(rf, ACQUISITION.sampling_frequency, ACQUISITION.centre_frequency)
    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    times = in_turns(
        lambda: delay_and_sum(iq, ACQUISITION, GRID, f_number=f_number),
        lambda: np.copyto(target, source),
        rounds,
    )
    echoes = 2 * source.nbytes / iq.itemsize  # read or written in a copy
    yield GROUPS["beamforming"]["sums"].of(times, sums_of(f_number), echoes)
    copy = np.empty_like(rf)
    times = in_turns(lambda: demodulate(rf, 20e6, 5e6), lambda: np.copyto(copy, rf), rounds)
    yield GROUPS["beamforming"]["demodulation"].of(times, rf.size)


def best(function, rounds=5):
    """Return the shortest of some times, s, after a first call that is not counted."""
    function()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


@click.command()
def main():
    rf = signals()
    iq = demodulate(rf, ACQUISITION.sampling_frequency, ACQUISITION.centre_frequency)

    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    bandwidth = 2 * source.nbytes / best(lambda: np.copyto(target, source))
    pixels = FRAMES * GRID.depth.size * GRID.width.size
    once = (iq.nbytes + 8 * pixels) / bandwidth
    click.echo(f"Copying memory: {bandwidth / 1e9:.1f} GB/s read and written. One core.\n")
    seconds = best(lambda: demodulate(rf, 20e6, 5e6))
    click.echo(f"Demodulation: {rf.size / seconds / 1e6:.0f} million samples/s.\n")
    click.echo(
        "| aperture | million pixels/s | billion sums/s | share of reading once "
        "| share of a read for each sum |\n|---|---:|---:|---:|---:|"
    )
    for f_number in F_NUMBERS:
        sums = sums_of(f_number)
        seconds = best(lambda f=f_number: delay_and_sum(iq, ACQUISITION, GRID, f_number=f))
        name = "all elements" if f_number < 0.1 else f"f-number {f_number:g}"
        click.echo(
            f"| {name} | {pixels / seconds / 1e6:.1f} | {sums / seconds / 1e9:.2f} "
            f"| {once / seconds:.2f} | {sums / seconds / (bandwidth / 8):.2f} |"
        )
    seconds = best(lambda: beamform(rf, ACQUISITION, GRID, f_number=1.5))
    click.echo(
        f"\nRF to images of 256 x 128 pixels, 128 elements, f-number 1.5: {FRAMES / seconds:.0f} "
        "frames/s."
    )


if __name__ == "__main__":
    main()
