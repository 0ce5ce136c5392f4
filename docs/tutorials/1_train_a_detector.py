"""
From nothing to a trained detector
==================================

Nobody can outline the motor units of a recording by hand, so networks that find them learn from
sequences whose truth is known. Here we draw such sequences, train a small detector on them, and
look at what it finds in sequences that it has never seen. That takes a minute on two
processors and wants ``pip install "musim[train]"``.
"""

import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import musim

# Fewer steps, where documentation is checked.
QUICK = os.environ.get("MUSIM_DOCS_QUICK") == "1"
folder = Path(tempfile.mkdtemp())

# %%
# Sequences to learn from
# -----------------------
# Small ones, so that a minute is enough: 32 x 32 px of 0.625 mm, 200 frames at 400 Hz, one to
# four units each. They are drawn without noise, which training adds anew each time a sequence is
# shown. Only the truth is stored (``kind="rendered"``): readers make the voxels from it.

parameters = musim.Parameters(
    units=(1, 4), pixels=(32, 32), size=(20, 20), frames=200, diameter=(4, 8), snr="inf"
)
training = musim.generate(
    parameters, folder / "training.zarr", sequences=400, seed=1, kind="rendered"
)
size = sum(file.stat().st_size for file in (folder / "training.zarr").rglob("*") if file.is_file())
print(f"{len(training)} sequences in {size / 1e6:.1f} MB")

# %%
# The same with noise, of another seed, to be tried on. No seed gives a sequence that another
# gives.

noisy = musim.Parameters(
    units=(1, 4), pixels=(32, 32), size=(20, 20), frames=200, diameter=(4, 8), snr=20
)
test = musim.generate(noisy, folder / "test.zarr", sequences=24, seed=2)
musim.plot.preview(test, 3)

# %%
# Training
# --------
# The detector is that of Ali et al. 2020 in small: a front of 3-D convolutions makes one image of
# a sequence, and a Mask R-CNN outlines the units in it. Every number is a setting; here fewer
# steps than the 6,000 of ``model="small"``, and a front that suits 200 frames.

steps = 36 if QUICK else 180
settings = {
    "steps": steps,
    "batch_size": 4,
    "learning_rate": 2e-3,
    "warm_up": min(20, steps // 2),
    "front_pools": (5, 2, 2),
    "noise_snr": "20",
    "snr": "20",
    "validation_snr": "20",
    "validate_every": steps // 3,
    "validation_batches": 5,
    "log_every": 4,
}
best = musim.train(musim.DetectTask, folder / "detector", source=training, texts=settings)
print(f"F1 of the best validation: {best['f1']:.2f}")

# %%
# The run's folder holds settings, versions, checkpoints, and histories as plain tables.

history = {
    name: np.genfromtxt(folder / "detector" / f"{name}.csv", delimiter=",", names=True)
    for name in ("training", "validation")
}
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
left.plot(history["training"]["step"], history["training"]["loss"], color="#2f60b2")
left.set(xlabel="Step", ylabel="Loss of a batch", ylim=(0, None))
for measure, colour in (("precision", "#f27700"), ("recall", "#8a0509")):
    right.plot(
        history["validation"]["step"],
        history["validation"][measure],
        "o-",
        color=colour,
        label=measure,
    )
right.set(xlabel="Step", ylabel="Of held-out sequences", ylim=(0, 1.05))
right.legend(frameon=False)
plt.show()

# %%
# What it finds
# -------------
# ``open_run`` gives the trained task with the weights of its best validation. Its masks are soft,
# from 0 to 1; scores say how sure it is of each.

import torch

from musim.training.tasks import open_run

detector, _ = open_run(folder / "detector", musim.DetectTask)


def found_in(index):
    """Return masks and scores of what is found in a sequence of the test."""
    with torch.inference_mode():
        masks, scores = detector.detect(torch.from_numpy(test.tvi(index)))
    return masks.numpy(), scores.numpy()


figure, panels = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for index, axes in enumerate(panels):
    musim.plot.territories(test, index, axes=axes)
    masks, scores = found_in(index)
    middles = (np.arange(32) + 0.5) * 0.625  # mm
    for mask in masks:
        axes.contour(middles, middles, mask, [0.5], colors="black", linestyles="dashed")
    axes.set_title(f"sequence {index}: {len(masks)} found (dashed)", fontsize=9)
plt.show()

# %%
# Scores over the whole test: a unit is found if an outline overlaps its own by more than half
# (intersection over union), each outline counting once.

from musim.training.identification.metrics.detection import intersection_over_union, match

counts = []
for index in range(len(test)):
    masks, scores = found_in(index)
    true = test.truth(index).territory > 0.5
    matching = match(intersection_over_union(masks > 0.5, true[true.any(axis=(1, 2))]), scores)
    counts.append((matching.matches, matching.units, matching.predictions))
matched, units, outlines = np.sum(counts, axis=0)
print(f"recall {matched / units:.2f} of {units} units")
print(f"precision {matched / max(outlines, 1):.2f} of {outlines} outlines")

# %%
# Where to go from here: larger images, more units and noise of 10 to 30 dB want an hour of a
# processor (``musim train detect --endless --units 1-30 --out detector``); the weights that come
# with musim were trained so. :doc:`/guide/networks` tells how, and ``musim identify --method
# network`` uses them.
