"""
Trains and firings
==================

The velocity signal of each unit, its firings, and how fast it fires.
"""

import musim

parameters = musim.Parameters(units=6, frames=800, firing_rate=(6, 15), interval_variation=0.2)
truth = musim.draw(parameters, seed=5)

# %%
# All trains share one scale, which the bar tells; ticks are firings.

musim.plot.trains(truth, parameters=parameters)

# %%
# A closer look at two of them.

musim.plot.trains(truth, units=[1, 4], time=(0.5, 1.0), parameters=parameters)

# %%
# Each dot is one over an interval, above the firing that ends it; beside it the mean rate and the
# coefficient of variation of the intervals.

musim.plot.firings(truth, parameters=parameters)
