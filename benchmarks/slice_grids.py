"""Grids in slices: how often real slices have an alarm, and how weak a grid is found.

    python -m benchmarks.slice_grids right.zarr brain.zarr

of stores of paired slices. Images of either kind are looked at whole and cut, as they are and with
noise, and with grids that are so strong as a share of each pixel's level.
"""

import itertools

import click
import numpy as np

from musim.datasets.volumes.slices import slices_of
from musim.training.paired.grid import LEAST_SIDE, LIMIT, grid_of
from musim.training.paired.levels import body_of
from musim.training.paired.protocol.survey import survey_of

SIDES = (0, 64, 48, 34)
"""Of squares cut out of the middle of slices, px; 0: whole slices."""

NOISES = (0.0, 4.0, 10.0)
"""SDs of Rician noise that is added, levels."""

AMPLITUDES = (0.01, 0.02, 0.04, 0.08)
"""Of grids over the level of each pixel."""

BODY = 0.15
"""Share of the body in an image without which it is not looked at."""


def slices_in(stores, every):
    """Return images of either kind, in levels, with where the body is, of every n-th slice."""
    found = []
    for store in stores:
        survey = survey_of(store)
        for one in slices_of(store)[::every]:
            pair = survey.first.of(one.image), survey.second.of(one.image_b)
            found.append((pair, body_of(*pair, one.tissue)))
    return found


def cut_out(slices, side):
    """Return the images that show the body, cut to a square if `side` is not 0."""
    found = []
    for pair, body in slices:
        shape = np.array(body.shape)
        size = np.array([side, side]) if side else shape
        if (shape < np.maximum(size, LEAST_SIDE)).any():
            continue
        begin = (shape - size) // 2
        window = tuple(slice(b, b + s) for b, s in zip(begin, size, strict=True))
        if body[window].mean() >= BODY:
            found += [image[window] for image in pair]
    return found


def grid(shape, period):
    """Return a grid of that period over both axes, with a mean square of 1."""
    z, x = np.indices(shape)
    values = np.cos(2 * np.pi / period * z) * np.cos(2 * np.pi / period * x)
    return values / np.sqrt((values**2).mean())


def noisy(image, sd, index):
    """Return a magnitude image with noise in both of its channels."""
    random = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(index,)))
    first, second = random.normal(0, 1, (2, *image.shape)) * sd
    return np.hypot(image + first, second)


@click.command()
@click.argument("stores", nargs=-1, required=True)
@click.option("--every", default=1, help="Look at every n-th slice alone.")
def main(stores, every):
    """Print a row for each size, noise and period."""
    shares = " | ".join(f"{each:.0%} found" for each in AMPLITUDES)
    click.echo(f"Alarm above {LIMIT:g}; grids of a share of each pixel's level.")
    click.echo(f"| side | noise | images | greatest | alarms | period | {shares} |")
    slices = slices_in(stores, every)
    for side, noise in itertools.product(SIDES, NOISES):
        images = [noisy(image, noise, index) for index, image in enumerate(cut_out(slices, side))]
        known = [strength for image in images if np.isfinite(strength := grid_of(image).strength)]
        if not known:
            continue
        alarms = sum(strength > LIMIT for strength in known)
        for period in (2, 4):
            found = [
                np.mean([grid_of(image * (1 + amplitude * grid(image.shape, period))).strength
                         > LIMIT for image in images[::5]])
                for amplitude in AMPLITUDES
            ]  # fmt: skip
            told = " | ".join(f"{share:.2f}" for share in found)
            click.echo(f"| {side or 'whole'} | {noise:g} | {len(known)} | {max(known):.1f} | "
                       f"{alarms} | {period} px | {told} |")  # fmt: skip


if __name__ == "__main__":
    main()
