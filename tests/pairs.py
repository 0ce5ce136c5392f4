"""Pairs of slices for the tests of what learns from them, and settings that train in a moment."""

import numpy as np

from musim.datasets.volumes.slices import Slice

TINY = {
    "maps": "4", "levels": "3", "blocks": "1", "discriminator_maps": "2",
    "discriminator_layers": "2", "steps": "6", "validate_every": "3", "save_every": "2",
    "log_every": "1", "validation_batches": "2", "canvas": "store",
}  # fmt: skip


def drawn(count=24, side=(20, 28), identical=False, seed=0):
    """Return slices of smooth blobs; the second picture is darker where the first is bright."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[: side[0], : side[1]]
    made = []
    for index in range(count):
        image = np.zeros(side)
        for _ in range(4):
            y, x, width = random.uniform(3, side[0] - 3), random.uniform(3, side[1] - 3), 4
            image += np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / width**2)
        image = (600 * image / image.max()).astype(np.float32)
        other = image if identical else (600 - image) * (image > 60)
        made.append(Slice(index, ("axial", "coronal")[index % 2], float(index), image,
                          other.astype(np.float32), (1.0, 1.0)))  # fmt: skip
    return made
