"""
Images and videos
=================

Stores of other kinds are drawn by the same function, and so are paired slices.
"""

import tempfile
from pathlib import Path

import musim
from musim.datasets.videos.generation import generate_trials
from musim.simulator.calf.study import Study
from musim.simulator.calf.tasks import Protocol

folder = Path(tempfile.mkdtemp())

# %%
# An image of a muscle's longitudinal section, with its aponeuroses.

sections = musim.generate_sections(
    musim.SectionParameters(), folder / "images.zarr", sequences=1, seed=30
)
musim.plot.preview(sections)

# %%
# A trial of a calf on a pedal: frames, with how far tissue has moved, and the signals beside
# them.

study = Study(protocol=Protocol(rest=2, duration=8))
trials = generate_trials(study, folder / "trials.zarr", sequences=1, tasks=["combined"], seed=2)
musim.plot.preview(trials)
