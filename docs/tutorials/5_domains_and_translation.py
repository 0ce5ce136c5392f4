"""
Domains, and translation between them
=====================================

One truth can be shown at three levels: what is moved (``analytic``), what a scanner would show
of it (``quick``), and that echo by echo (``experiment``). Networks that learn from the first
see little of what recordings have. Here we look at the difference, and train a small translator
that makes analytic sequences look like recorded ones, labels and all. It wants ``pip install
"musim[train]"``.
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
# One truth, three levels
# -----------------------
# Stores of the same parameters and seed hold the same truth, whatever the level: sequence for
# sequence the same units fire at the same instants. Doses say what is between a muscle and its
# image: how motion spreads in tissue, skin and fat, an artery, echoes and their noise.

parameters = musim.Parameters.from_texts(
    {"units": "2-5", "pixels": "32x32", "size": "20x20", "frames": "256"}, "experiment"
)
doses = musim.Doses(image=(128, 64))
levels = {
    "analytic": musim.generate(parameters, folder / "analytic.zarr", sequences=1, seed=21),
    "quick": musim.generate(
        parameters, folder / "quick.zarr", sequences=1, seed=21, doses=doses, domain="quick"
    ),
    "experiment": musim.generate(
        parameters, folder / "experiment.zarr", sequences=1, seed=21, doses=doses
    ),
}
figure, panels = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for axes, (level, store) in zip(panels, levels.items(), strict=True):
    musim.plot.territories(store, axes=axes)
    axes.set_title(level, fontsize=10)
plt.show()

# %%
# Territories have sharp edges where motion is given. Where a scanner sees it, it has spread into
# the tissue around, speckle makes it uneven, and an artery moves too. Frame by frame, the
# recorded velocity above its analytic twin:

musim.plot.preview(levels["quick"])

# %%
# Learning from twins
# -------------------
# ``musim generate --domain quick --paired`` makes two such stores. As each analytic sequence has
# its recorded twin, a translator can learn from pairs (a small pix2pix, on four frames at a
# time). Without pairs, :class:`musim.TranslateTask` learns from any two stores.

count, unseen = (10, 3) if QUICK else (40, 12)
for name, sequences, seed in (("training", count, 11), ("unseen", unseen, 12)):
    common = {"sequences": sequences, "seed": seed, "kind": "rendered"}
    musim.generate(parameters, folder / f"{name}-a.zarr", **common)
    musim.generate(parameters, folder / f"{name}-b.zarr", doses=doses, domain="quick", **common)

from musim.training.paired.paired_task import PairedTask

steps = 45 if QUICK else 600
settings = {"frames": 4, "levels": 4, "maps": 16, "steps": steps, "validate_every": steps // 3}
musim.train(
    PairedTask,
    folder / "translator",
    source=(folder / "training-a.zarr", folder / "training-b.zarr"),
    texts=settings,
)
made = musim.translate(folder / "unseen-a.zarr", folder / "translator", folder / "made.zarr")

# %%
# Labels go along: ``made`` is a labelled training set of images that look recorded. One of its
# sequences, which the translator had never seen, at one instant:

stores = {
    "analytic": musim.open_store(folder / "unseen-a.zarr"),
    "translated": made,
    "recorded": musim.open_store(folder / "unseen-b.zarr"),
}
frame = int(np.abs(stores["recorded"].tvi(1)).mean(axis=(1, 2)).argmax())
figure, panels = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for axes, (name, store) in zip(panels, stores.items(), strict=True):
    image = store.tvi(1)[frame]
    largest = float(np.abs(image).max())
    shown = axes.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest, extent=(0, 20, 20, 0))
    axes.set(title=name, xlabel="Width (mm)", ylabel="Depth (mm)")
    figure.colorbar(shown, ax=axes, shrink=0.72, label="Velocity (mm/s)")
plt.show()

# %%
# How alike are they?
# -------------------
# The scores are those of Ali et al. 2022, Table 1: distance and correlation of histograms of
# variance maps, likeness of K-spaces and of spectra, and how far the content is kept (xCorr).
# Each row is compared with recorded sequences; recorded ones among themselves tell what can be
# reached.

evaluation = musim.evaluate_translation(
    folder / "unseen-a.zarr", folder / "unseen-b.zarr", [folder / "made.zarr"], folder / "scores"
)
for name, row in zip(("analytic", "translated", "recorded"), evaluation.rows, strict=True):
    print(
        f"{name:10}  histogram distance {row.scores['histogram_distance']}"
        f"  correlation {row.scores['histogram_correlation']}"
    )
musim.plot.scores(evaluation, "translation-features")

# %%
# Maps have spread as recorded ones do (B), and histograms of their variance are as far from those
# of recordings as these are from one another. What cannot be known from the motion alone, where
# speckle makes it uneven, is averaged out: the translated velocity is smoother.
# :doc:`/guide/pairs` and :doc:`/guide/translating` tell of larger networks, and of learning
# without pairs.
