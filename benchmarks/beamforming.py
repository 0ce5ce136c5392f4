"""How fast beamforming is on one core, beside the limits that memory sets.

    python -m benchmarks.beamforming

A sum is one element's contribution to one pixel of one frame. Two limits: each echo read from
memory once and each pixel written once; and one echo of 8 bytes read from memory for every sum, as
it would be without caches.
"""

import time

import click
import numpy as np

from musim.simulator.imaging.acquisition import Acquisition, PixelGrid, PlaneWaves, Probe
from musim.simulator.imaging.beamforming import beamform, delay_and_sum
from musim.simulator.imaging.demodulation import demodulate

FRAMES, ELEMENTS, SAMPLES = 64, 128, 1000
F_NUMBERS = (0.01, 1.0, 1.5, 2.0)
"""The first takes all elements for every pixel."""


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
    probe = Probe(ELEMENTS, 0.3, 0.27)
    acquisition = Acquisition(
        probe=probe, waves=PlaneWaves(), sampling_frequency=20e6, centre_frequency=5e6
    )
    grid = PixelGrid.spanning((2, 38), (-19.2, 19.2), (256, 128))
    rf = np.random.default_rng(0).integers(-1000, 1000, (FRAMES, 1, ELEMENTS, SAMPLES), np.int16)
    iq = demodulate(rf, acquisition.sampling_frequency, acquisition.centre_frequency)

    source = np.ones(1 << 26, np.float32)
    target = np.empty_like(source)
    bandwidth = 2 * source.nbytes / best(lambda: np.copyto(target, source))
    pixels = FRAMES * grid.depth.size * grid.width.size
    once = (iq.nbytes + 8 * pixels) / bandwidth
    click.echo(f"Copying memory: {bandwidth / 1e9:.1f} GB/s read and written. One core.\n")
    seconds = best(lambda: demodulate(rf, 20e6, 5e6))
    click.echo(f"Demodulation: {rf.size / seconds / 1e6:.0f} million samples/s.\n")
    click.echo(
        "| aperture | million pixels/s | billion sums/s | share of reading once "
        "| share of a read for each sum |\n|---|---:|---:|---:|---:|"
    )
    offsets = np.abs(grid.width[:, None] - probe.positions)
    for f_number in F_NUMBERS:
        half = np.maximum(grid.depth / (2 * f_number), probe.pitch)
        sums = FRAMES * sum(int((offsets < reach).sum()) for reach in half)
        seconds = best(lambda f=f_number: delay_and_sum(iq, acquisition, grid, f_number=f))
        name = "all elements" if f_number < 0.1 else f"f-number {f_number:g}"
        click.echo(
            f"| {name} | {pixels / seconds / 1e6:.1f} | {sums / seconds / 1e9:.2f} "
            f"| {once / seconds:.2f} | {sums / seconds / (bandwidth / 8):.2f} |"
        )
    seconds = best(lambda: beamform(rf, acquisition, grid, f_number=1.5))
    click.echo(
        f"\nRF to images of 256 x 128 pixels, 128 elements, f-number 1.5: {FRAMES / seconds:.0f} "
        "frames/s."
    )


if __name__ == "__main__":
    main()
