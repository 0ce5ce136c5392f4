"""A real recording through the import: a disk that turns, whose velocity is known to be a plane.

    python -m benchmarks.disk PWI_disk.mat

The file is PyMUST's ``examples/data/PWI_disk.mat`` (repository creatis-ULTIM/PyMUST): raw echoes of
32 plane waves over a tissue-mimicking disk of 2 cm that rotates about its centre. Inside a body
that turns, axial velocity rises linearly with width and does not depend on depth.
"""

import tempfile
from pathlib import Path

import click
import numpy as np

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.stores import import_recordings
from musim.datasets.importing.survey import describe
from musim.simulator.imaging.chain import Chain

RADIUS = 10.0
"""Of the disk, mm."""

RIM = 1.0
"""Width of the rim that is left out, where the gate reaches beyond the disk, mm."""


def measure(path):
    """Import the recording; return depth, width (mm), and its mean velocity (mm/s)."""
    with open_file(path) as file:
        description = describe(file).description
    with tempfile.TemporaryDirectory() as folder:
        store = import_recordings([path], Path(folder) / "disk.zarr", description, Chain())
        velocity = store.tvi(0).mean(axis=0, dtype=np.float64)
        dataset = store.dataset
        return dataset.depth.values, dataset.width.values, velocity


def fit(depth, width, velocity):
    """Find the disk; return its centre (mm), and the plane's coefficients and R2 inside it.

    Outside nothing turns, so the disk is where the plane fits best.
    """
    best = (-np.inf,)
    rows, columns = np.meshgrid(depth, width, indexing="ij")
    for z in np.arange(12, 20, 0.25):
        for x in np.arange(15, 22, 0.25):
            inside = np.hypot(rows - z, columns - x) < RADIUS - RIM
            design = np.column_stack([np.ones(inside.sum()), columns[inside] - x, rows[inside] - z])
            values = velocity[inside]
            plane, *_ = np.linalg.lstsq(design, values, rcond=None)
            rest = values - design @ plane
            r2 = 1 - rest.var() / values.var()
            best = max(best, (r2, z, x, plane), key=lambda found: found[0])
    return best


def draw(depth, width, velocity, found, target):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    r2, z, x, plane = found
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    limit = abs(plane[1]) * RADIUS
    image = left.imshow(
        velocity, extent=(0, width[-1], depth[-1], 0), cmap="RdBu_r", vmin=-limit, vmax=limit
    )
    left.add_patch(plt.Circle((x, z), RADIUS - RIM, fill=False, color="black", linestyle="--"))
    left.set(xlabel="Width (mm)", ylabel="Depth (mm)", title="Axial velocity, mean of 31 frames")
    figure.colorbar(image, label="Velocity (mm/s), positive upwards")
    rows, columns = np.meshgrid(depth, width, indexing="ij")
    inside = np.hypot(rows - z, columns - x) < RADIUS - RIM
    dots = right.scatter(
        columns[inside] - x, velocity[inside], 2, rows[inside] - z, cmap="viridis", rasterized=True
    )
    ends = np.array([-RADIUS, RADIUS])
    right.plot(ends, plane[0] + plane[1] * ends, "k", linewidth=1)
    right.set(
        xlabel="Width from the disk's middle (mm)", ylabel="Axial velocity (mm/s)",
        title=f"Pixels inside the dashed circle, R² of the plane {r2:.4f}",
    )  # fmt: skip
    figure.colorbar(dots, label="Depth from the disk's middle (mm)")
    figure.savefig(target, dpi=90)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("benchmarks/disk.png"))
def main(path, out):
    depth, width, velocity = measure(path)
    found = fit(depth, width, velocity)
    r2, z, x, plane = found
    click.echo(
        f"disk at depth {z:g}, width {x:g} mm: velocity {plane[1]:.2f} mm/s a mm of width, "
        f"{plane[2]:.2f} a mm of depth, R2 {r2:.4f}"
    )
    draw(depth, width, velocity, found, out)


if __name__ == "__main__":
    main()
