"""
On axes of your own
===================

Figures of one panel draw where you want them, beside whatever you compute.
"""

import matplotlib.pyplot as plt
import numpy as np

import musim

parameters = musim.Parameters(units=5, snr=20)
truth = musim.draw(parameters, seed=9)
velocity = musim.render(truth)

# %%
# Here a map beside the mean spectrum of the velocity.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
musim.plot.territories(truth, parameters=parameters, axes=left)
power = np.abs(np.fft.rfft(velocity, axis=0)) ** 2
right.semilogy(np.fft.rfftfreq(len(velocity), 1 / parameters.frame_rate), power.mean(axis=(1, 2)))
right.set(xlim=(0, 60), xlabel="Frequency (Hz)", ylabel="Mean power")
plt.show()
