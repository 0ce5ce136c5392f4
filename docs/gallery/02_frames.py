"""
Frames, and a movie
===================

The velocity at instants of your choice, and its motion four times slower than it was.
"""

import musim

parameters = musim.Parameters(units=8, snr=20, frames=160)
truth = musim.draw(parameters, seed=4)

# %%
# Red is towards the transducer. All frames share one scale, which has 0 in its middle.

musim.plot.frames(truth, at=[0.05, 0.1, 0.15, 0.2], parameters=parameters)

# %%
# ``movie`` makes a GIF in memory, or with ``out="motion.mp4"`` a file.

musim.plot.movie(truth, parameters=parameters)
