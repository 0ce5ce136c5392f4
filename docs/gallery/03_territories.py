"""
Territories
===========

The velocity's standard deviation over time, in mm/s, with the outlines of the units.
"""

import musim

parameters = musim.Parameters(units=10, snr=20, territory="ellipse", axis_ratio=(1, 3))
truth = musim.draw(parameters, seed=2)

musim.plot.territories(truth, parameters=parameters)

# %%
# Some of them; numbers and colours are those of their places in the store, from 0.

musim.plot.territories(truth, units=[0, 3, 5], parameters=parameters)
