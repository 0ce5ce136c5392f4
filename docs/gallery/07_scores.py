"""
Scores of an evaluation
=======================

Figures of ``musim evaluate``, from its folder or from what the call gave.
"""

import tempfile
from pathlib import Path

import musim

folder = Path(tempfile.mkdtemp())
parameters = musim.Parameters(
    units=(3, 6), snr=20, pixels=(24, 24), size=(15, 15), diameter=(3, 6), frames=400
)
store = musim.generate(parameters, folder / "musim.zarr", sequences=4, seed=3)
evaluation = musim.evaluate(folder / "musim.zarr", "ica", folder / "evaluation", workers=2)
musim.plot.score_names(evaluation)

# %%
# Firings of units that were matched by their trains, by the true units' rates.

musim.plot.scores(evaluation)

# %%
# Whether a confidence means what it says: of units given 0.8, four of five should be true.

musim.plot.scores(folder / "evaluation", "reliability")
