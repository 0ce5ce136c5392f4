"""Small folders of images, and a diffusion model that learns from them in no time."""

import numpy as np
from PIL import Image

from musim.training.sections.diffusion.diffuse_task import DiffuseTask
from musim.training.sections.image_source import ImageSource
from musim.training.tasks import train

SHAPE = (24, 36)
TINY = {
    "steps": 5, "batch_size": 4, "size": (8, 12), "noise_steps": 10, "maps": 8, "groups": 4,
    "multipliers": (1, 2), "patch": 1, "blocks": 1, "attention": 1,
    "validate_every": 2, "save_every": 3, "validation_batches": 2, "log_every": 1,
}  # fmt: skip


def write_images(folder, count=10, masks=True):
    """Write images that differ, each with a band of other depth drawn on it."""
    random = np.random.default_rng(4)
    for name in ("images", "masks") if masks else ("images",):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        grey = random.integers(0, 255, SHAPE).astype(np.uint8)
        Image.fromarray(grey).save(folder / "images" / f"{number}.png")
        if masks:
            drawn = np.zeros(SHAPE, np.uint8)
            drawn[number : number + 3] = 255
            Image.fromarray(drawn).save(folder / "masks" / f"{number}.png")
    return str(folder / "images")


def train_tiny(folder, **changes):
    """Train a model on a few images, and return its run."""
    place = write_images(folder / "drawn", masks=changes.get("masks", True))
    source = ImageSource(images=(place,), size=SHAPE)
    train(DiffuseTask, folder / "run", source=source, texts={**TINY, **changes}, accelerator="cpu")
    return folder / "run"
