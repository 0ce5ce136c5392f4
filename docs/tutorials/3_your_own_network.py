"""
Your own network in a Lightning DataModule
==========================================

Batches of a store are dictionaries of torch tensors, and a loader of musim goes into Lightning,
or into a loop of your own, as it is. Here a network of our own learns to tell which pixels lie
in a motor unit from 32 frames, less than a tenth of a second, of noisy sequences that are
rendered as they are read. It wants ``pip install "musim[train]"``.
"""

import logging
import os
import tempfile
import warnings
from pathlib import Path

import lightning
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import musim
from musim.datasets.streaming import SequenceLoader

# Fewer steps, where documentation is checked.
QUICK = os.environ.get("MUSIM_DOCS_QUICK") == "1"
folder = Path(tempfile.mkdtemp())
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
warnings.filterwarnings("ignore", ".*LeafSpec.*")  # of Lightning, about torch

# %%
# A rendered store
# ----------------
# Its files hold the truth alone, without noise. Voxels are made from it as batches are read, with
# noise that is drawn anew in each epoch. A store that is the value of a cell shows what it holds.

parameters = musim.Parameters(units=(2, 8), pixels=(48, 48), size=(30, 30), snr="inf")
musim.generate(parameters, folder / "training.zarr", sequences=240, seed=1, kind="rendered")

# %%
# A DataModule
# ------------
# The loader cuts a window of 32 frames out of each sequence, at a place that is drawn anew in
# each epoch, mirrors it at random, adds noise, and brings it to mean 0 and variance 1 over the
# store. Splits are by subject: what validates is never trained on. The same seed gives the same
# batches, for any number of workers.


class Sequences(lightning.LightningDataModule):
    """Windows of a store's sequences."""

    def __init__(self, store, batch_size=8):
        super().__init__()
        self.store, self.options = store, {
            "batch_size": batch_size, "window": 32, "snr": "-15--5", "standardise": True,
        }  # fmt: skip

    def train_dataloader(self):
        flips = ("depth", "width")
        return SequenceLoader(self.store, split="train", flips=flips, **self.options)

    def val_dataloader(self):
        return SequenceLoader(self.store, split="validation", **self.options)


data = Sequences(folder / "training.zarr")
batch = next(iter(data.train_dataloader()))
for name in ("tvi", "territory", "unit_mask", "twitch_train"):
    print(name, tuple(batch[name].shape), batch[name].dtype)

# %%
# Units are padded to the most that a sequence has; ``unit_mask`` tells which are there. The
# target is 1 where any unit covers more than half of a pixel.


def target_of(batch):
    """Return which pixels lie in a unit, float32 (batch, depth, width)."""
    there = batch["territory"] * batch["unit_mask"][:, :, None, None]
    return (there.amax(dim=1) > 0.5).float()


# %%
# A network
# ---------
# Frames are channels to it: the first layer combines them as a spatial neighbourhood needs.


class UnitPixels(lightning.LightningModule):
    """Tells which pixels lie in a unit."""

    def __init__(self, frames=32, maps=24):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(frames, maps, 3, padding=1), nn.GELU(),
            nn.Conv2d(maps, maps, 3, padding=1), nn.GELU(),
            nn.Conv2d(maps, maps, 3, padding=1), nn.GELU(),
            nn.Conv2d(maps, 1, 1),
        )  # fmt: skip
        self.overlaps = []

    def forward(self, tvi):
        return self.network(tvi)[:, 0]

    def training_step(self, batch, _):
        loss = nn.functional.binary_cross_entropy_with_logits(self(batch["tvi"]), target_of(batch))
        return loss

    def validation_step(self, batch, _):
        found, true = self(batch["tvi"]) > 0, target_of(batch) > 0
        self.overlaps.append(float((found & true).sum() / (found | true).sum()))

    def on_validation_epoch_end(self):
        print(f"epoch {self.current_epoch}: overlap {np.mean(self.overlaps):.2f}")
        self.overlaps.clear()

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), 3e-3)


torch.manual_seed(0)
module = UnitPixels()
trainer = lightning.Trainer(
    max_epochs=2 if QUICK else 15,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
)
trainer.fit(module, data)

# %%
# What it sees
# ------------
# A sequence of another seed at -10 dB: the standard deviation of the same 32 frames, which is
# what one would look at without a network, and what the network makes of them.

noisy = musim.Parameters(units=6, pixels=(48, 48), size=(30, 30), snr=-10)
test = musim.generate(noisy, folder / "test.zarr", sequences=8, seed=2, kind="rendered")
loader = SequenceLoader(
    folder / "test.zarr", batch_size=8, window=32, shuffle=False, standardise=True
)
batch = next(iter(loader))
with torch.inference_mode():
    probability = torch.sigmoid(module(batch["tvi"])).numpy()
true, spread = target_of(batch).numpy() > 0, batch["tvi"].numpy().std(axis=1)

figure, panels = plt.subplots(1, 3, figsize=(9.5, 3.1), layout="constrained")
extent = (0, 30, 30, 0)
for axes, image, title in zip(
    panels,
    (spread[0], probability[0], true[0]),
    ("SD of 32 frames", "Probability of a unit", "True units"),
    strict=True,
):
    axes.imshow(image, cmap="gray_r", extent=extent)
    axes.contour(
        np.arange(48) * 0.625 + 0.3125, np.arange(48) * 0.625 + 0.3125, true[0], [0.5],
        colors="#f27700", linewidths=0.8,
    )  # fmt: skip
    axes.set(title=title, xlabel="Width (mm)", ylabel="Depth (mm)")
plt.show()

# %%
# In numbers, over all eight sequences: how well each tells pixels inside units from those
# outside, as the chance that of two such pixels the right one has the higher value (area under
# the ROC curve; 0.5 is a guess).


def area_under_curve(values, labels):
    """Return the area under the ROC curve."""
    ranks = values.ravel().argsort().argsort().astype(float) + 1
    inside = labels.ravel()
    count = inside.sum()
    return (ranks[inside].sum() - count * (count + 1) / 2) / (count * (inside.size - count))


print(f"SD of 32 frames: {area_under_curve(spread, true):.3f}")
print(f"network: {area_under_curve(probability, true):.3f}")
