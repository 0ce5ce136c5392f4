"""
From a scanner's file to units
==============================

A scanner has written a file of beamformed IQ images. Which motor units does it show? We
describe the file, bring it into a store through the imaging chain of Ali et al. 2022, find
units without training, and compare their firings with those that a needle electromyogram
recorded meanwhile.
"""

import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np
import scipy.io

import musim

# A shorter file, where documentation is checked.
QUICK = os.environ.get("MUSIM_DOCS_QUICK") == "1"
folder = Path(tempfile.mkdtemp())

# %%
# A file
# ------
# You have one of your own; here is one to follow along. The virtual experiment moves scatterers
# of tissue as three units fire, and images them as a scanner would: 1,000 images a second of 20 x
# 20 mm. We write them as MATLAB does, and the firings of two of the units as a table of events
# (BIDS).

from musim.simulator.experiment.motion import draw_motion
from musim.simulator.experiment.speckle import Scanner, draw_echoes, iq_blocks

seconds = 1.0 if QUICK else 1.5
parameters = musim.Parameters(
    units=3, pixels=(32, 32), size=(20, 20), diameter=(4, 7), fat=(3, 4), snr="inf",
    frame_rate=512, frames=round(512 * seconds),
)  # fmt: skip
doses = musim.Doses(image=(128, 64), pulse_repetition=1000)
truth = musim.draw(parameters, doses=doses, seed=3)
images = round(1000 * seconds) + 4
motion = draw_motion(parameters, doses, truth, 3, 0, images)
scanner = Scanner(doses, parameters.size, motion.tissue.doses["attenuation"])
echoes = draw_echoes(scanner, motion, 3, 0, parameters.subject(0))
iq = np.concatenate(list(iq_blocks(echoes, 100)))

scipy.io.savemat(
    folder / "biceps.mat",
    {
        "IQ": iq.transpose(1, 2, 0),  # depth, width, time
        "PRF": 1000.0,  # Hz
        "fc": 7.7e6,  # Hz
        "dz": 20 / 128,  # mm
        "dx": 20 / 64,  # mm
    },
)
events = [
    f"{instant:.4f}\t0\tneedle-{number}"
    for number in (0, 2)
    for instant in truth.firing[number]
    if 0 <= instant < seconds
]
(folder / "needle.tsv").write_text("\n".join(["onset\tduration\tunit_id", *events]))
print(f"{(folder / 'biceps.mat').stat().st_size / 1e6:.0f} MB")

# %%
# What does it hold?
# ------------------
# ``musim import biceps.mat --describe`` guesses what arrays mean, with the reason for each guess.
# From Python:

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.survey import describe

with open_file(folder / "biceps.mat") as file:
    print(describe(file).to_toml())

# %%
# The guesses are checked and completed. The sign says which way velocity counts: here the phase
# of echoes that come nearer rises.

description = musim.Description.parse(
    {
        "kind": "iq",
        "variable": "IQ",
        "axes": "depth,width,time",
        "frame_rate": "PRF",
        "centre_frequency": "fc",
        "depth_step": "dz",
        "width_step": "dx",
    }
)

# %%
# Into a store
# ------------
# The chain: velocity by 2-D autocorrelation over 1 mm and 4 frames, a zero-phase band-pass of 5
# to 50 Hz, a median over 1 mm, and resampling in time and space. The preset's image is 40 x 40 mm
# and its length 2 s; this recording is smaller and shorter. Firings that are known come along.

from musim.simulator.imaging.chain import PRESETS

chain = dataclasses.replace(
    PRESETS["ali-2022"], pixels=(32, 32), size=(20, 20), frames=round(512 * seconds)
)
recording = musim.import_recordings(
    folder / "biceps.mat",
    folder / "biceps.zarr",
    description,
    chain,
    events=[folder / "needle.tsv"],
)
musim.plot.preview(recording)

# %%
# Nobody knows units of it, so pixels are shown that move most.
#
# Units
# -----
# No training is needed, and no truth. Each unit has a confidence.

units = musim.identify(recording, folder / "units.zarr")
for unit in range(int(units.read("unit_count", 0))):
    confidence, rate = (units.read(name, 0)[unit] for name in ("confidence", "firing_rate"))
    print(f"unit {unit}: confidence {confidence:.2f}, {rate:.1f} firings a second")
musim.plot.found(units)

# %%
# How much of the motion do they explain? The share in the title counts whatever moves as their
# trains do, also beyond the outlines: motion spreads in tissue.

musim.plot.explained(units)

# %%
# Against the electromyogram
# --------------------------
# Firings are compared alone: nobody outlined a territory. A pair of units is told by more firings
# matched than missed and false, within 10 ms after its own constant lag.

comparison = musim.evaluate_firings(folder / "units.zarr", folder / "needle.tsv")
for row in comparison.units:
    agreement, chance = row["firing_agreement"], row["firing_chance"]
    print(f"{row['unit']}: unit {row['found_as']}, agreement {agreement:.2f} (chance {chance:.2f})")

# %%
# One of the units, closer: its twitch, and how regularly it fires.

musim.plot.unit(units, 0, 0)
