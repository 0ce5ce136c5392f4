"""
All of a sequence
=================

What ``musim preview`` writes: frames at the most active instants, territories over the map of
velocity, trains with firings.
"""

import musim

parameters = musim.Parameters(units=12, snr=20)
truth = musim.draw(parameters, seed=7)

# %%
# A sequence that was drawn needs no store. Of a store, :func:`musim.plot.preview` takes its place
# and the number of a sequence: ``musim.plot.preview("musim.zarr", 3)``.

musim.plot.preview(truth, parameters=parameters)
