"""
One unit
========

Where it lies, when it fires, and how its twitch looks.
"""

import musim

parameters = musim.Parameters(units=5, frames=1200, snr=20)
truth = musim.draw(parameters, seed=11)

# %%
# The twitch is the mean of the unit's train about its firings, with the middle half of them as a
# band: the next firing shows in it where a twitch lasts longer than an interval.

musim.plot.unit(truth, 0, 2, parameters=parameters)
