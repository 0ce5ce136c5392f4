"""Muscles measured in real images: what damage to masks changes, and how angles repeat.

    python -m benchmarks.sections images --masks masks --sizes index.csv

Nobody knows the true angle of fascicles in an image; but its left and its right half should have
much the same. A column ``cluster`` of the table of sizes says which images are nearly the same: one
of each is taken.
"""

import csv
from pathlib import Path

import click
import numpy as np
import scipy

from musim.datasets.images.finding import find_images
from musim.datasets.images.reading import read_image, read_mask
from musim.datasets.images.scale import PixelScale
from musim.datasets.images.sizes import read_sizes
from musim.training.sections.aponeuroses import aponeuroses_of
from musim.training.sections.fascicles import fascicles_of
from musim.training.sections.thickness import thickness_of

BREAKS = 2
"""Breaks of a damaged mask, of 2 to 6 % of the image's width each."""

SEEN = 3
"""Clearness from which angles repeat."""


def damaged(mask, random):
    """Return a mask with ragged edges, holes and breaks, as that of a network may be."""
    rough = scipy.ndimage.gaussian_filter(mask.astype(float), 1.2)
    rough += 1.2 * scipy.ndimage.gaussian_filter(random.standard_normal(mask.shape), 3)
    found = rough > 0.4
    width = mask.shape[1]
    for _ in range(BREAKS):
        begin = random.integers(width)
        found[:, begin : begin + random.integers(width // 50, width // 16)] = False
    return found


def measured(image, mask, scale):
    """Return thickness and fascicles."""
    found = aponeuroses_of(mask)
    thickness = thickness_of(found, mask.shape[1], scale)
    return thickness, fascicles_of(image, found, thickness, scale)


def halves(mask, centre):
    """Return the mask's left and its right half, parted at the middle of the muscle's line."""
    middle = round(centre[[0, -1], 1].mean())
    parts = np.zeros((2, *mask.shape), bool)
    parts[0, :, :middle], parts[1, :, middle:] = mask[:, :middle], mask[:, middle:]
    return parts


def compare(entries, sizes):
    """Return the rows of a table about some images.

    Parameters
    ----------
    entries : sequence of ImageEntry
        With masks.
    sizes : mapping of ImageSize, or None
    """
    thicknesses, pennations, changes = [], [], []
    repeats = {True: [], False: []}
    for number, entry in enumerate(entries):
        image, mask = read_image(entry.path).values, read_mask(entry.mask)
        scale = sizes[entry.path.stem].scale(image.shape) if sizes else PixelScale()
        thickness, fascicles = measured(image, mask, scale)
        if thickness.reason:
            continue
        thicknesses.append(thickness.pixels)
        worn = damaged(mask, np.random.default_rng(number))
        change = thickness_of(aponeuroses_of(worn), mask.shape[1], scale).pixels
        changes.append(100 * abs(change / thickness.pixels - 1))
        if fascicles.reason:
            continue
        pennations.append(fascicles.pennation_deg)
        left, right = (measured(image, half, scale)[1] for half in halves(mask, thickness.centre))
        repeats[fascicles.clearness >= SEEN].append(abs(left.angle_deg - right.angle_deg))
    yield "thickness [px]", thicknesses
    yield "change by damage to the mask [%]", changes
    yield "pennation [degrees]", pennations
    yield f"left half against right, clearness {SEEN} or more [degrees]", repeats[True]
    yield f"left half against right, clearness below {SEEN} [degrees]", repeats[False]


def one_of_each(entries, sizes):
    """Return the first image of each cluster, of those that have a mask."""
    clusters = {}
    if sizes is not None:
        rows = csv.DictReader(Path(sizes).read_text(encoding="utf-8-sig").splitlines())
        clusters = {Path(row["name"]).stem: row.get("cluster") for row in rows}
    seen = {}
    for entry in entries:
        if entry.mask is not None:
            seen.setdefault(clusters.get(entry.path.stem) or entry.name, entry)
    return list(seen.values())


@click.command()
@click.argument("images")
@click.option("--masks", default=None)
@click.option("--sizes", default=None)
def main(images, masks, sizes):
    entries = one_of_each(find_images(images, masks), sizes)
    click.echo(f"of {len(entries)} images:")
    click.echo(
        "| what | images | 25 % | median | 75 % | 95 % |\n| --- | --- | --- | --- | --- | --- |"
    )
    for what, values in compare(entries, read_sizes(sizes) if sizes else None):
        known = [value for value in values if np.isfinite(value)]
        shares = np.percentile(known, [25, 50, 75, 95]) if known else [np.nan] * 4
        click.echo(f"| {what} | {len(known)} | {' | '.join(f'{share:.1f}' for share in shares)} |")


if __name__ == "__main__":
    main()
