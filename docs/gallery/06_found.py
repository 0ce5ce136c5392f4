"""
Units found, and what they explain
==================================

What a method found in a recording, beside the true units where they are known.
"""

import tempfile
from pathlib import Path

import musim

folder = Path(tempfile.mkdtemp())
parameters = musim.Parameters(units=6, snr=20, pixels=(32, 32), size=(20, 20), diameter=(3, 7))
store = musim.generate(parameters, folder / "musim.zarr", sequences=1, seed=3)
units = musim.identify(store, folder / "units.zarr", method="ica")

# %%
# Outlines of true units are black, trains and firings of true units grey. A star marks a unit
# that matches no true one; rows that begin with t are true units that were missed.

musim.plot.found(units)

# %%
# How much moves, how much of it territories times trains explain, and what trains leave
# unexplained.

musim.plot.explained(units)
