"""
Comparing methods
=================

Which method finds the units of recordings like yours? Recordings with known truth tell: here of
the quick virtual experiment, on which three methods are scored by the same rules. None of them
wants training of yours.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

import musim

# Fewer sequences, where documentation is checked.
QUICK = os.environ.get("MUSIM_DOCS_QUICK") == "1"
folder = Path(tempfile.mkdtemp())

# %%
# Recordings whose truth is known
# -------------------------------
# Make them as like yours as you can: image, frame rate, depth of fat, noise. ``musim info`` tells
# of a store what was asked for, and ``musim.Doses`` has what is between a muscle and its image.

parameters = musim.Parameters.from_texts(
    {"units": "4-6", "pixels": "32x32", "size": "20x20", "frames": "512", "diameter": "4-7"},
    "experiment",
)
store = musim.generate(
    parameters,
    folder / "recordings.zarr",
    sequences=1 if QUICK else 4,
    seed=41,
    doses=musim.Doses(),
    domain="quick",
    kind="rendered",
)
musim.plot.preview(store)

# %%
# Three methods, one table
# ------------------------
# ``velbss`` (Rohlén et al. 2023) separates the velocity of the whole image; ``ica`` keeps
# independent components that both halves of a recording hold; ``learned``, musim's usual method,
# lets a small network judge what four decompositions find. ``musim methods`` lists all that there
# are.

from musim.training.identification.comparison import compare

methods = ["velbss", "ica"] if QUICK else ["velbss", "ica", "learned"]
evaluations = compare(folder / "recordings.zarr", methods, folder / "comparison")

musim.plot.scores(evaluations)

# %%
# Units are matched by their trains first (correlation above 0.7 at a lag within 20 ms), firings
# within 10 ms. What a wrong unit would score stands beside, for a score is worth what lies above
# chance:

measures = {
    "train_recall": "recall",
    "train_precision": "precision",
    "firing_agreement": "firings",
    "firing_chance": "chance",
    "detection_recall": "outlines",
}
print(f"{'':10}" + "".join(f"{name:>11}" for name in measures.values()))
for evaluation in evaluations:
    means = [np.nanmean([row[name] for row in evaluation.sequences]) for name in measures]
    print(f"{evaluation.method:10}" + "".join(f"{mean:>11.2f}" for mean in means))

# %%
# No method is ahead in every column, and so few recordings tell little: :doc:`the benchmarks
# </benchmarks>` have the methods on many recordings of several makers.
#
# What it looks like
# ------------------
# Numbers do not tell what went wrong. The same recording by the first and the last of the
# methods:

for method in (methods[0], methods[-1]):
    musim.identify(store, folder / f"{method}.zarr", method=method)

musim.plot.found(folder / f"{methods[0]}.zarr")

# %%

musim.plot.found(folder / f"{methods[-1]}.zarr")
