"""Aponeuroses and regions of muscles in simulated videos, beside the truth.

    python -m benchmarks.regions --seeds 5

Participants of several seeds do the combined task; whole images are looked at every few seconds.
Aponeuroses are found by the network that comes with musim, or by a run, and the region is taken
along the straight line midway between their lines over the trial, as `musim region` does. Truth is
the middle of the aponeuroses as they have moved. Times are of a processor.
"""

import time

import click
import numpy as np

from musim.simulator.calf.scene import prepare_scene
from musim.simulator.calf.study import Study
from musim.training.sections.segmentation.segmenting import segmenter
from musim.training.state.region import aponeurosis_lines, extract, mean_lines, region_along

EVERY = 240
"""Images of which one is looked at: every ten seconds, twenty of a trial."""


def true_lines(masks):
    """Return the middles of aponeuroses in each column, of masks (image, 2, depth, width)."""
    rows = np.arange(masks.shape[2])[:, None]
    height = masks.sum(axis=2)
    return np.where(height > 0, (masks * rows).sum(axis=2) / np.maximum(height, 1), np.nan)


def measured(study, seed, index, network):
    """Return errors of one participant's trial, and what it took."""
    scene = prepare_scene(study, seed, index)
    chosen = range(0, study.protocol.frames, EVERY)
    images = np.concatenate([scene.images("combined", one, one + 1) for one in chosen])
    masks = np.concatenate([scene.masks("combined", one, one + 1) for one in chosen])
    pixel = study.section.pixel_size
    truth = true_lines(masks)
    begins = [time.process_time()]
    found = aponeurosis_lines(network.probabilities(images))
    begins.append(time.process_time())
    one, other = (region_along(mean_lines(lines), pixel) for lines in (found, truth))
    extract(images, one, pixel)
    begins.append(time.process_time())
    off = np.abs(found - truth) * pixel[0]
    return {
        "missed": np.isnan(found).all(axis=(1, 2)).mean(),
        "boundary": np.nanmean(off),
        "superficial": np.nanmean(off[:, 0]),
        "deep": np.nanmean(off[:, 1]),
        "worst image": np.nanmax(np.nanmean(off, axis=(1, 2))),
        "mean line": np.nanmean(np.abs(mean_lines(found) - mean_lines(truth))) * pixel[0],
        "angle": abs(np.degrees(one.angle - other.angle)),
        "depth": abs(one.depth - other.depth),
        "true angle": abs(np.degrees(other.angle)),
        "finding": len(images) / (begins[1] - begins[0]),
        "turning": len(images) / (begins[2] - begins[1]),
    }


@click.command()
@click.option("--seeds", default=5, help="Studies, from seed 100 on.")
@click.option("--participants", default=4, help="Of each.")
@click.option("--run", default=None, help="A run of musim train segment.")
def main(seeds, participants, run):
    """Print a table of errors."""
    study, network = Study().changed({"view": "whole"}), segmenter(run)
    rows = [
        measured(study, seed, index, network)
        for seed in range(100, 100 + seeds)
        for index in range(participants)
    ]
    click.echo(f"{len(rows)} participants of {seeds} seeds")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        click.echo(
            f"{name:12s} median {np.median(values):.3f}  mean {values.mean():.3f}  largest "
            f"{values.max():.3f}"
        )


if __name__ == "__main__":
    main()
